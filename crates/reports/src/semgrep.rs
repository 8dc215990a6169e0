//! Semgrep's JSON: what `semgrep --json` writes, of all versions, and what its platform lists.

mod trace;
mod wire;

use chaffinch_core::{Confidence, LineRange, Region, Rule, RuleId, Severity, SourceText};
use serde::Deserialize;
use serde_json::value::RawValue;

use self::{
    trace::Trace,
    wire::{Match, PlatformFinding, Position, ScanError},
};
use crate::{
    Tool,
    cwe::Weaknesses,
    draft::{Collector, Draft, DraftStep, Spot, rule_id, title, unique_fingerprints},
    lenient::{Array, Number, Object, Text, each},
    paths::place,
    rating,
};

/// How the entries of a list look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `results` of the command line.
    Matches,
    /// `findings` of the platform.
    PlatformFindings,
}

/// What a list turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// No array.
    None,
    /// An array without entries.
    Empty,
    /// None of its entries is Semgrep's.
    Foreign,
    /// At least one of its entries is Semgrep's.
    Semgrep,
}

/// Reads the results of a document; nothing is kept unless the list is Semgrep's.
pub(crate) fn read(
    list: &RawValue,
    shape: Shape,
    version: Option<&str>,
    collector: &mut Collector<'_>,
) -> serde_json::Result<List> {
    let version = version.map(title);
    let mut results = Results { shape, version, collector, taken: Vec::new(), malformed: 0 };
    let is_list = each(list, |slice| {
        results.collector.count_result()?;
        results.take(slice);
        Ok(())
    })?;
    Ok(if is_list { results.finish() } else { List::None })
}

/// Whether the errors of a scan leave open what it would have found: one of level `error`, or one
/// that cannot be read. A warning (a file that is parsed in part, say) does not.
pub(crate) fn failed(errors: &RawValue) -> bool {
    match serde_json::from_str::<Array<Object<ScanError<'_>>, 1_000>>(errors.get()) {
        Ok(errors) => errors.dropped > 0 || errors.items.iter().any(is_grave),
        Err(_) => true,
    }
}

fn is_grave(error: &Object<ScanError<'_>>) -> bool {
    !matches!(
        error.get().and_then(|error| error.level.get()),
        Some("warn" | "warning" | "info" | "WARN" | "WARNING" | "INFO")
    )
}

/// Takes results, one by one, each with the fingerprint that Semgrep gives it.
struct Results<'c, 'o> {
    shape: Shape,
    version: Option<String>,
    collector: &'c mut Collector<'o>,
    taken: Vec<(Draft, Option<String>)>,
    malformed: usize,
}

fn parse<'de, T: Deserialize<'de>>(slice: &'de RawValue) -> Option<T> {
    serde_json::from_str(slice.get()).ok()
}

impl Results<'_, '_> {
    fn take(&mut self, slice: &RawValue) {
        let taken = match self.shape {
            Shape::Matches => parse(slice).and_then(|result| self.of_match(result)),
            Shape::PlatformFindings => parse(slice).and_then(|f| self.of_platform(f)),
        };
        match taken {
            Some(taken) => self.taken.push(taken),
            None => self.malformed += 1,
        }
    }

    fn of_match(&mut self, result: Match<'_>) -> Option<(Draft, Option<String>)> {
        let id = rule_id(result.check_id.get())?;
        let extra = result.extra.0.unwrap_or_default();
        let metadata = extra.metadata.0.unwrap_or_default();
        let mut cwe = Weaknesses::default();
        metadata.cwe.iter().for_each(|text| cwe.find_id(text));
        let severity = rating::semgrep(
            extra.severity.get().unwrap_or_default(),
            metadata.impact.get().unwrap_or_default(),
            metadata.likelihood.get().unwrap_or_default(),
        );
        let confidence = metadata.confidence.get().and_then(rating::confidence);
        let region = region(result.start.get(), result.end.get());
        let snippet = self.collector.quotation(extra.lines.get());
        let draft = Draft {
            tool: self.tool(extra.engine_kind.get()),
            rule: rule(id, cwe, severity, confidence),
            message: self.collector.message(extra.message.get().unwrap_or_default()),
            spots: self.spots(result.path.get(), region, snippet),
            flow: extra.dataflow_trace.0.map(|trace| self.flow(trace)).unwrap_or_default(),
            suppressed: extra.is_ignored.get() == Some("true"),
            tool_fingerprint: None,
        };
        Some((draft, extra.fingerprint.get().map(str::to_owned)))
    }

    fn of_platform(&mut self, finding: PlatformFinding<'_>) -> Option<(Draft, Option<String>)> {
        let of_rule = finding.rule.0.unwrap_or_default();
        let id = rule_id(finding.rule_name.get().or(of_rule.name.get()))?;
        let mut cwe = Weaknesses::default();
        of_rule.cwe_names.iter().for_each(|text| cwe.find_id(text));
        let severity = finding.severity.get().and_then(rating::severity);
        let confidence = finding.confidence.get().and_then(rating::confidence);
        let location = finding.location.0.unwrap_or_default();
        let message = finding.rule_message.get().or(of_rule.message.get());
        let region = lines(location.line, location.column, location.end_line, location.end_column);
        let settled = |text: &Text<'_>| matches!(text.get(), Some("ignored" | "fixed" | "removed"));
        let draft = Draft {
            tool: self.tool(None),
            rule: rule(id, cwe, severity.unwrap_or(Severity::Medium), confidence),
            message: self.collector.message(message.unwrap_or_default()),
            spots: self.spots(location.file_path.get(), region, None),
            flow: Vec::new(),
            suppressed: settled(&finding.status) || settled(&finding.triage_state),
            tool_fingerprint: None,
        };
        Some((draft, finding.match_based_id.get().map(str::to_owned)))
    }

    /// Called as its SARIF calls it, so that one result has one identity in both formats.
    fn tool(&self, engine: Option<&str>) -> Tool {
        let name = match engine {
            Some("OSS") => "Semgrep OSS",
            Some("PRO") => "Semgrep PRO",
            _ => "Semgrep",
        };
        Tool { name: name.to_owned(), version: self.version.clone() }
    }

    fn spots(
        &mut self,
        path: Option<&str>,
        region: Option<Region>,
        snippet: Option<SourceText>,
    ) -> Vec<Spot> {
        let place = path.and_then(place).map(|place| self.collector.places.add(place));
        place.map(|place| Spot { place, region, snippet }).into_iter().collect()
    }

    fn flow(&mut self, trace: Trace<'_>) -> Vec<DraftStep> {
        let (steps, dropped) = trace.into_steps();
        self.collector.skipped.flow_steps += dropped;
        if !self.collector.take_steps(steps.len()) {
            return Vec::new();
        }
        let mut flow = Vec::with_capacity(steps.len());
        for (role, spot) in steps {
            let location = spot.location.0.unwrap_or_default();
            let Some(place) = location.path.get().and_then(place) else {
                self.collector.skipped.flow_steps += 1;
                continue;
            };
            flow.push(DraftStep {
                role,
                place: self.collector.places.add(place),
                region: region(location.start.get(), location.end.get()),
                message: self.collector.quotation(spot.content.get()),
            });
        }
        flow
    }

    fn finish(self) -> List {
        if self.taken.is_empty() {
            return if self.malformed == 0 { List::Empty } else { List::Foreign };
        }
        self.collector.skipped.malformed += self.malformed;
        let (drafts, given): (Vec<_>, Vec<_>) = self.taken.into_iter().unzip();
        let given = given.into_iter().map(|fingerprint| fingerprint.into_iter().collect());
        for (draft, tool_fingerprint) in
            drafts.into_iter().zip(unique_fingerprints(given.collect()))
        {
            self.collector.add_tool(&draft.tool.name);
            self.collector.add(Draft { tool_fingerprint, ..draft });
        }
        List::Semgrep
    }
}

fn rule(id: RuleId, cwe: Weaknesses, severity: Severity, confidence: Option<Confidence>) -> Rule {
    let confidence = confidence.unwrap_or(Confidence::Unknown);
    Rule { id, title: None, cwe: cwe.into_vec(), severity, confidence }
}

fn region(start: Option<&Position>, end: Option<&Position>) -> Option<Region> {
    let (start, end) = (start?, end);
    let none = Number::default();
    lines(start.line, start.col, end.map_or(none, |e| e.line), end.map_or(none, |e| e.col))
}

fn lines(line: Number, column: Number, end_line: Number, end_column: Number) -> Option<Region> {
    let start = line.position()?;
    Some(Region {
        lines: LineRange::new(start, end_line.position().unwrap_or(start)),
        start_column: column.position(),
        end_column: end_column.position(),
    })
}

#[cfg(test)]
mod tests;
