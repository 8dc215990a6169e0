//! SARIF 2.1.0: runs, one after the other, each result as it comes.

mod flow;
mod rules;
mod uri;
mod wire;

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use self::{
    rules::Rules,
    uri::Locator,
    wire::{Component, Location, Run, SarifResult, Suppression},
};
use crate::{
    Sign, Tool,
    draft::{Collector, Draft, Spot, title, unique_fingerprints},
    lenient::{Array, Object, Text, absent},
};

/// The array of runs.
pub(crate) struct Runs<'c, 'o>(pub(crate) &'c mut Collector<'o>);

impl<'de> DeserializeSeed<'de> for Runs<'_, '_> {
    /// Whether it was an array.
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Runs<'_, '_> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("runs")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut any = false;
        while let Some(run) = seq.next_element::<Object<Run<'de>>>()? {
            any = true;
            match run.0 {
                Some(run) => read_run(&run, self.0).map_err(serde::de::Error::custom)?,
                None => self.0.skipped.malformed += 1,
            }
        }
        if !any {
            self.0.unfinished(None, Sign::NoRun);
        }
        Ok(true)
    }
    absent!(false; scalar, string, object);
}

fn read_run<'a>(run: &Run<'a>, collector: &mut Collector<'_>) -> serde_json::Result<()> {
    let driver = run.tool.get().and_then(|tool| tool.driver.get());
    let tool = tool(driver);
    collector.add_tool(&tool.name);
    uri::roots(run).iter().for_each(|root| collector.places.add_root(root));
    if failed(run) {
        collector.unfinished(Some(&tool.name), Sign::Failed);
    }
    // Null is SARIF's word for "could not run", and without the member nothing was looked for.
    let Some(results) = run.results.filter(|results| results.get().starts_with('[')) else {
        collector.unfinished(Some(&tool.name), Sign::NoResults);
        return Ok(());
    };
    let (rules, locator) = (Rules::new(run), Locator::new(run));
    let mut results_of_run =
        Results { run, tool, rules, locator, collector, given: Vec::new(), drafts: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_str(results.get());
    deserializer.deserialize_any(&mut results_of_run)?;
    results_of_run.finish();
    Ok(())
}

/// Whether a tool says that one of its invocations failed, or names more than are read.
fn failed(run: &Run<'_>) -> bool {
    let mut invocations = run.invocations.items.iter().filter_map(Object::get);
    run.invocations.dropped > 0
        || invocations.any(|invocation| invocation.execution_successful.get() == Some("false"))
}

fn tool(driver: Option<&Component<'_>>) -> Tool {
    let name = driver.and_then(|driver| driver.name.get()).unwrap_or("unnamed tool");
    let version = driver.and_then(|d| d.semantic_version.get().or_else(|| d.version.get()));
    Tool { name: title(name), version: version.map(title) }
}

/// Takes the results of one run, one by one.
struct Results<'r, 'a, 'c, 'o> {
    run: &'r Run<'a>,
    tool: Tool,
    rules: Rules<'r, 'a>,
    locator: Locator<'r, 'a>,
    collector: &'c mut Collector<'o>,
    given: Vec<Vec<String>>,
    drafts: Vec<Draft>,
}

impl<'de> Visitor<'de> for &mut Results<'_, '_, '_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("results")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        // Each from its own slice, so that one that cannot be read does not take the rest with it.
        while let Some(slice) = seq.next_element::<&'de RawValue>()? {
            self.collector.count_result()?;
            match serde_json::from_str::<SarifResult<'de>>(slice.get()) {
                Ok(result) => self.take(result)?,
                Err(_) => self.collector.skipped.malformed += 1,
            }
        }
        Ok(())
    }
    absent!((); scalar, string, object);
}

impl Results<'_, '_, '_, '_> {
    fn take<E: serde::de::Error>(&mut self, result: SarifResult<'_>) -> Result<(), E> {
        if matches!(result.kind.get(), Some("pass" | "notApplicable")) {
            self.collector.skipped.passed += 1;
            return Ok(());
        }
        if result.baseline_state.get() == Some("absent") {
            self.collector.skipped.gone += 1;
            return Ok(());
        }
        let Some(described) = self.rules.describe(&result, 4 * self.collector.limits.text) else {
            self.collector.skipped.malformed += 1;
            return Ok(());
        };
        let mut spots = Vec::new();
        self.collector.skipped.locations_past_bound += result.locations.dropped;
        let (mut named, mut lost) = (0, 0);
        for location in result.locations.items.iter().filter_map(Object::get) {
            if !names_a_file(location) {
                continue;
            }
            named += 1;
            match self.spot(location) {
                Some(spot) => spots.push(spot),
                None => lost += 1,
            }
        }
        if named > 0 && named == lost {
            self.collector.skipped.outside += 1;
            return Ok(());
        }
        self.collector.skipped.locations += lost;
        for _ in 1..spots.len() {
            self.collector.count_result()?;
        }
        let flow = flow::flow(result.code_flows, self.run, &mut self.locator, self.collector);
        let given = result.fingerprints.0.into_iter();
        let given = given.filter_map(|(_, own)| own.0.take().map(|text| text.into_owned()));
        self.given.push(given.collect());
        self.drafts.push(Draft {
            tool: self.tool.clone(),
            rule: described.rule,
            message: self.collector.message(&described.message),
            spots,
            flow,
            suppressed: is_suppressed(&result.suppressions),
            tool_fingerprint: None,
        });
        Ok(())
    }

    fn spot(&mut self, location: &Location<'_>) -> Option<Spot> {
        let physical = location.physical_location.get()?;
        let artifact = physical.artifact_location.get()?;
        let place = self.locator.locate(artifact, &self.collector.places)?;
        let place = self.collector.places.add(place);
        let region = physical.region.get();
        let snippet = region.and_then(|region| region.snippet.0.get());
        let snippet = self.collector.quotation(snippet);
        Some(Spot { place, region: region.and_then(flow::region), snippet })
    }

    fn finish(self) {
        let unique = unique_fingerprints(self.given);
        for (draft, tool_fingerprint) in self.drafts.into_iter().zip(unique) {
            self.collector.add(Draft { tool_fingerprint, ..draft });
        }
    }
}

/// Whether it points at an artifact, and not at the folder that was scanned (`./`).
fn names_a_file(location: &Location<'_>) -> bool {
    let artifact = || location.physical_location.get()?.artifact_location.get();
    artifact().is_some_and(|artifact| match artifact.uri.get() {
        Some(uri) => !uri.trim_matches(['.', '/', ' ']).is_empty(),
        None => artifact.index.index().is_some(),
    })
}

/// There is a suppression, and none that is still under review or was rejected.
fn is_suppressed(suppressions: &Array<Object<Suppression<'_>>, 100>) -> bool {
    let accepted = |status: &Text<'_>| matches!(status.get(), None | Some("accepted"));
    let mut given = suppressions.items.iter().filter_map(Object::get).peekable();
    given.peek().is_some() && given.all(|s| accepted(&s.status) && accepted(&s.state))
}

#[cfg(test)]
mod tests;
