//! The parts of Semgrep's JSON that are read. All else is passed over.

use serde::Deserialize;

use super::trace::Trace;
use crate::lenient::{Number, Object, Text, Words};

/// A result of the command line.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Match<'a> {
    pub(super) check_id: Text<'a>,
    pub(super) path: Text<'a>,
    pub(super) start: Object<Position>,
    pub(super) end: Object<Position>,
    pub(super) extra: Object<Extra<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Position {
    pub(super) line: Number,
    pub(super) col: Number,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Extra<'a> {
    pub(super) message: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) fingerprint: Text<'a>,
    pub(super) lines: Text<'a>,
    pub(super) is_ignored: Text<'a>,
    pub(super) engine_kind: Text<'a>,
    pub(super) metadata: Object<Metadata<'a>>,
    pub(super) dataflow_trace: Object<Trace<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Metadata<'a> {
    pub(super) cwe: Words<'a>,
    pub(super) confidence: Text<'a>,
    pub(super) impact: Text<'a>,
    pub(super) likelihood: Text<'a>,
}

/// A file and the region between two positions.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Location<'a> {
    pub(super) path: Text<'a>,
    pub(super) start: Object<Position>,
    pub(super) end: Object<Position>,
}

/// Something that went wrong in a scan.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ScanError<'a> {
    pub(super) level: Text<'a>,
}

/// A finding of the platform.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct PlatformFinding<'a> {
    pub(super) rule_name: Text<'a>,
    pub(super) rule_message: Text<'a>,
    pub(super) rule: Object<PlatformRule<'a>>,
    pub(super) location: Object<PlatformLocation<'a>>,
    pub(super) severity: Text<'a>,
    pub(super) confidence: Text<'a>,
    pub(super) match_based_id: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) triage_state: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct PlatformRule<'a> {
    pub(super) name: Text<'a>,
    pub(super) message: Text<'a>,
    pub(super) cwe_names: Words<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct PlatformLocation<'a> {
    pub(super) file_path: Text<'a>,
    pub(super) line: Number,
    pub(super) column: Number,
    pub(super) end_line: Number,
    pub(super) end_column: Number,
}
