//! GitLab's SAST report, of the schemas 2 to 15: `gl-sast-report.json`.

mod wire;

use chaffinch_core::{Confidence, FlowRole, LineRange, Region, Rule, RuleId, Severity};
use serde_json::value::RawValue;

use self::wire::{Detail, Identifier, Scan, Scanner, Vulnerability};
use crate::{
    Sign, Tool,
    cwe::Weaknesses,
    draft::{Collector, Draft, DraftStep, Spot, rule_id, title},
    lenient::{Array, Number, Object, each},
    paths::place,
    rating,
};

/// The tool of a report that does not name it.
const UNNAMED: &str = "GitLab SAST";

/// Of which kind of scan the report is; those before schema 14 do not say it.
pub(crate) fn kind(scan: Option<&RawValue>) -> String {
    let scan = scan.map(read_scan).unwrap_or_default();
    title(scan.kind.get().unwrap_or("sast"))
}

/// Reads the results of a SAST report. Whether `list` is a list.
pub(crate) fn read(
    list: &RawValue,
    scan: Option<&RawValue>,
    collector: &mut Collector<'_>,
) -> serde_json::Result<bool> {
    let scan = scan.map(read_scan).unwrap_or_default();
    let whole = tool(scan.scanner.get(), None);
    if let Some(tool) = &whole {
        collector.add_tool(&tool.name);
    }
    let is_list = each(list, |slice| {
        collector.count_result()?;
        match serde_json::from_str::<Vulnerability<'_>>(slice.get()) {
            Ok(found) => of_vulnerability(found, whole.as_ref(), collector),
            Err(_) => collector.skipped.malformed += 1,
        }
        Ok(())
    })?;
    if is_list && collector.tools.is_empty() {
        collector.add_tool(UNNAMED);
    }
    // A missing status is that of an old schema; any but "success" is no success.
    let failed = scan.status.get().is_some_and(|status| status != "success");
    let fatal =
        |m: &Object<wire::Message<'_>>| m.get().and_then(|m| m.level.get()) == Some("fatal");
    if failed || scan.messages.items.iter().any(fatal) {
        collector.all_unfinished(if failed { Sign::Failed } else { Sign::Errors });
    }
    Ok(is_list)
}

fn read_scan(slice: &RawValue) -> Scan<'_> {
    let scan = serde_json::from_str::<Object<Scan<'_>>>(slice.get());
    scan.ok().and_then(|scan| scan.0).unwrap_or_default()
}

fn tool(scanner: Option<&Scanner<'_>>, version: Option<&str>) -> Option<Tool> {
    let scanner = scanner?;
    let version = scanner.version.get().or(version).map(title);
    Some(Tool { name: title(scanner.name.get()?), version })
}

fn of_vulnerability(found: Vulnerability<'_>, whole: Option<&Tool>, collector: &mut Collector<'_>) {
    let Some(id) = primary(&found.identifiers) else {
        collector.skipped.malformed += 1;
        return;
    };
    let version = whole.and_then(|tool| tool.version.as_deref());
    let unnamed = || Tool { name: UNNAMED.to_owned(), version: None };
    let tool =
        tool(found.scanner.get(), version).or_else(|| whole.cloned()).unwrap_or_else(unnamed);
    collector.add_tool(&tool.name);
    let texts = [&found.description, &found.message, &found.name];
    let text = texts.into_iter().find_map(|text| text.get()).unwrap_or_default();
    let name = found.name.get().filter(|name| *name != text && *name != id.as_str());
    let location = found.location.0.unwrap_or_default();
    let region = lines(location.start_line, location.end_line);
    let place = location.file.get().and_then(place).map(|place| collector.places.add(place));
    let told = found.details.find("confidence").and_then(Object::get);
    let confidence = found.confidence.get().or_else(|| told.and_then(|d| d.value.get()));
    let draft = Draft {
        rule: Rule {
            id,
            title: name.map(title),
            cwe: weaknesses(&found.identifiers),
            severity: severity(found.severity.get()),
            confidence: confidence.and_then(rating::confidence).unwrap_or(Confidence::Unknown),
        },
        message: collector.message(text),
        spots: place.map(|place| Spot { place, region, snippet: None }).into_iter().collect(),
        flow: found
            .details
            .0
            .into_iter()
            .find_map(|(_, d)| flow(d.0?, collector))
            .unwrap_or_default(),
        suppressed: false,
        // The `id` is a new one for each run of many analyzers, and of others the old one's line.
        tool_fingerprint: None,
        tool,
    };
    collector.add(draft);
}

type Identifiers<'a> = Array<Object<Identifier<'a>>, 100>;

/// The rule: the first identifier, if there is one besides the weakness.
fn primary(identifiers: &Identifiers<'_>) -> Option<RuleId> {
    let all = || identifiers.items.iter().filter_map(Object::get);
    let weak = |i: &&Identifier<'_>| matches!(i.kind.get(), Some("cwe" | "owasp"));
    let first = all().find(|i| !weak(i)).or_else(|| all().next())?;
    // Some analyzers write a sentence where the rule's id should be, and the id where the name should.
    let is_id = |text: &&str| !text.contains(char::is_whitespace);
    let (value, name) = (first.value.get(), first.name.get());
    rule_id(value.filter(is_id).or(name.filter(is_id)).or(value).or(name))
}

fn weaknesses(identifiers: &Identifiers<'_>) -> Vec<String> {
    let mut found = Weaknesses::default();
    for identifier in identifiers.items.iter().filter_map(Object::get) {
        if identifier.kind.get() == Some("cwe") {
            identifier.value.get().into_iter().for_each(|text| found.find_id(text));
            identifier.name.get().into_iter().for_each(|text| found.find_in(text));
        }
    }
    found.into_vec()
}

/// GitLab's own words; its `Info` is less than `Low`.
fn severity(word: Option<&str>) -> Severity {
    match word {
        Some(word) if word.eq_ignore_ascii_case("info") => Severity::Info,
        Some(word) => rating::severity(word).unwrap_or(Severity::Medium),
        None => Severity::Medium,
    }
}

/// The steps of the first flow of a detail that holds flows.
fn flow(detail: Detail<'_>, collector: &mut Collector<'_>) -> Option<Vec<DraftStep>> {
    if detail.kind.get() != Some("code-flows") {
        return None;
    }
    let nodes = detail.items.items.into_iter().next()?;
    collector.skipped.flow_steps += nodes.dropped;
    if !collector.take_steps(nodes.items.len()) {
        return None;
    }
    let mut steps = Vec::with_capacity(nodes.items.len());
    for node in nodes.items {
        let node = node.0.unwrap_or_default();
        let at = node.file_location.0.unwrap_or_default();
        let Some(place) = at.file_name.get().and_then(place) else {
            collector.skipped.flow_steps += 1;
            continue;
        };
        let role = match node.node_type.get() {
            Some("source") => FlowRole::Source,
            Some("sink") => FlowRole::Sink,
            _ => FlowRole::Step,
        };
        let place = collector.places.add(place);
        steps.push(DraftStep {
            role,
            place,
            region: lines(at.line_start, at.line_end),
            message: None,
        });
    }
    Some(steps)
}

fn lines(start: Number, end: Number) -> Option<Region> {
    let start = start.position()?;
    let lines = LineRange::new(start, end.position().unwrap_or(start));
    Some(Region { lines, start_column: None, end_column: None })
}

#[cfg(test)]
mod tests;
