//! Which format a document is, told by its members.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Format, ReportError, Sign,
    draft::{Collector, title},
    gitlab,
    lenient::{Text, absent},
    sarif,
    semgrep::{self, List, Shape},
};

/// How many names of members an error lists.
const NAMES: usize = 8;

/// Reads a document into the collector.
pub(crate) fn read(json: &str, collector: &mut Collector<'_>) -> Result<Format, ReportError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = Document(collector).deserialize(&mut deserializer);
    let read = read.and_then(|members| deserializer.end().map(|()| members));
    let members = match read {
        Ok(members) => members,
        Err(error) => return Err(explain(json, &error, collector)),
    };
    let Some(members) = members else {
        return Err(unsupported(kind_of(json)));
    };
    let version = members.version.get();
    if members.runs {
        return match version {
            Some(other) if !other.starts_with("2.1") => {
                Err(unsupported(format!("SARIF {}", printable(other))))
            }
            _ => Ok(Format::Sarif),
        };
    }
    let lists = [(members.results, Shape::Matches), (members.findings, Shape::PlatformFindings)];
    for (list, shape) in lists {
        let Some(list) = list else { continue };
        let read = semgrep::read(list, shape, version, collector);
        let list = read.map_err(|error| explain(json, &error, collector))?;
        let names = |name: &str| members.names.iter().any(|known| known == name);
        let empty_of_semgrep = list == List::Empty
            && match shape {
                Shape::Matches => names("errors") && !names("metrics") && !names("generated_at"),
                Shape::PlatformFindings => members.names.len() == 1,
            };
        if empty_of_semgrep {
            collector.add_tool("Semgrep");
        }
        if empty_of_semgrep || list == List::Semgrep {
            if members.errors.is_some_and(semgrep::failed) {
                collector.all_unfinished(Sign::Errors);
            }
            return Ok(Format::Semgrep);
        }
    }
    if let Some(list) = members.vulnerabilities.filter(|_| members.is_gitlab()) {
        let kind = gitlab::kind(members.scan);
        if kind != "sast" {
            let seen = format!("a GitLab {} report {}", printable(&kind), members.version());
            return Err(unsupported(seen.trim_end().to_owned()));
        }
        let read = gitlab::read(list, members.scan, collector);
        if read.map_err(|error| explain(json, &error, collector))? {
            return Ok(Format::GitLab);
        }
    }
    Err(unsupported(members.describe()))
}

/// What the outermost object holds.
#[derive(Default)]
struct Members<'a> {
    version: Text<'a>,
    /// Whether there were runs; they have been read.
    runs: bool,
    results: Option<&'a RawValue>,
    findings: Option<&'a RawValue>,
    errors: Option<&'a RawValue>,
    vulnerabilities: Option<&'a RawValue>,
    scan: Option<&'a RawValue>,
    names: Vec<String>,
    others: usize,
}

impl Members<'_> {
    /// Whether it looks like a security report of GitLab's. Bodies of other tools have
    /// vulnerabilities, too.
    fn is_gitlab(&self) -> bool {
        let numbered = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
        self.vulnerabilities.is_some()
            && (self.scan.is_some() || self.version.get().is_some_and(numbered))
    }

    fn version(&self) -> String {
        self.version.get().map(printable).unwrap_or_default()
    }

    fn describe(&self) -> String {
        if self.is_gitlab() {
            return format!("a GitLab report {}", self.version()).trim_end().to_owned();
        }
        let names = self.names.join(", ");
        match (self.names.is_empty(), self.others) {
            (true, _) => "an empty JSON object".to_owned(),
            (false, 0) => format!("a JSON object with {names}"),
            (false, more) => format!("a JSON object with {names} and {more} more"),
        }
    }
}

struct Document<'c, 'o>(&'c mut Collector<'o>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    /// `None` for anything but an object.
    type Value = Option<Members<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = Option<Members<'de>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a report")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let name = name.get().unwrap_or_default();
            match name {
                "version" => members.version = map.next_value()?,
                "runs" => members.runs |= map.next_value_seed(sarif::Runs(self.0))?,
                "results" => members.results = Some(map.next_value()?),
                "findings" => members.findings = Some(map.next_value()?),
                "errors" => members.errors = map.next_value()?,
                "vulnerabilities" => members.vulnerabilities = Some(map.next_value()?),
                "scan" => members.scan = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            match members.names.len() < NAMES {
                true => members.names.push(printable(name)),
                false => members.others += 1,
            }
        }
        Ok(Some(members))
    }
    absent!(None; scalar, string, array);
}

/// A name from the document, fit for an error.
fn printable(text: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "_-.$".contains(*c);
    title(&text.chars().filter(allowed).take(40).collect::<String>())
}

fn kind_of(json: &str) -> String {
    let what = match json.trim_start().as_bytes().first() {
        None => "an empty file",
        Some(b'{') => "a JSON object",
        Some(b'[') => "a JSON array",
        Some(b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => "a single JSON value",
        Some(b'<') => "XML",
        Some(_) => "text that is not JSON",
    };
    what.to_owned()
}

fn unsupported(seen: String) -> ReportError {
    ReportError::Unsupported { seen }
}

fn explain(json: &str, error: &serde_json::Error, collector: &mut Collector<'_>) -> ReportError {
    if let Some(passed) = collector.passed.take() {
        return passed;
    }
    let is_json = matches!(json.trim_start().as_bytes().first(), Some(b'{' | b'['));
    match error.classify() {
        _ if !is_json => unsupported(kind_of(json)),
        serde_json::error::Category::Eof => ReportError::CutOff,
        _ => ReportError::Malformed { line: error.line(), column: error.column() },
    }
}
