#![doc = include_str!("../README.md")]

mod bounds;
mod cwe;
mod decode;
mod document;
mod draft;
mod fingerprint;
mod gitlab;
mod lenient;
mod message;
mod paths;
mod rating;
mod sarif;
mod semgrep;

use std::fmt;

use chaffinch_core::{Flow, Location, RepoPath, Rule, SourceText};

pub use self::{
    bounds::{Limits, MAX_BYTES},
    fingerprint::{combine, identify},
};

/// How a report is to be read.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// How much of it is taken.
    pub limits: Limits,
    /// The files of the change. Absolute paths, `file:` URIs and relative paths with a prefix that
    /// is none of the repository are mapped to the longest end that is one of them.
    pub known_paths: &'a [RepoPath],
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// SARIF 2.1.0.
    Sarif,
    /// Semgrep's JSON.
    Semgrep,
    /// GitLab's SAST report.
    GitLab,
}

impl Format {
    /// The name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sarif => "SARIF",
            Self::Semgrep => "Semgrep JSON",
            Self::GitLab => "GitLab SAST",
        }
    }
}

/// What a report holds.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it was.
    pub format: Format,
    /// The names of the tools that had a run, even one without results. Untrusted.
    pub tools: Vec<String>,
    /// Its results that are in the repository, in its order.
    pub results: Vec<Unidentified>,
    /// What was left out, and why.
    pub skipped: Skipped,
    /// Scans that did not come to their end: that such a report says nothing of a finding proves
    /// nothing. Its results count all the same.
    pub unfinished: Vec<Unfinished>,
}

/// A scan that did not come to its end, as far as the report tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unfinished {
    /// The name of the tool, one of [`Report::tools`]; `None` where the report names none.
    /// Untrusted.
    pub tool: Option<String>,
    /// What tells that it did not.
    pub sign: Sign,
}

/// What tells that a scan did not come to its end. Its text is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Sign {
    /// The tool says that it failed (SARIF: `executionSuccessful` is false).
    Failed,
    /// The tool lists errors (Semgrep: `errors` of level `error`).
    Errors,
    /// There is a run without a list of results (SARIF writes null where a tool could not start).
    NoResults,
    /// There is no run at all.
    NoRun,
}

impl fmt::Display for Sign {
    /// `the tool says that its scan failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "the tool says that its scan failed",
            Self::Errors => "the tool lists errors of its scan",
            Self::NoResults => "the report has no list of results",
            Self::NoRun => "the report has no run of any tool",
        })
    }
}

/// Who made a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tool {
    /// Its name, on one line, at most 200 characters. Untrusted.
    pub name: String,
    /// Its version, where the report has it. Untrusted.
    pub version: Option<String>,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}

/// A finding without its identity, which [`identify`] gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unidentified {
    /// Who made it.
    pub tool: Tool,
    /// The rule that it breaks.
    pub rule: Rule,
    /// The tool's words. Untrusted; may quote source.
    pub message: SourceText,
    /// Where it is.
    pub location: Location,
    /// From source to sink; empty where the tool gives none.
    pub flow: Flow,
    /// Whether the tool or its user has suppressed it.
    pub suppressed: bool,
    /// The tool's own fingerprint, if it has one that no other result of its run has.
    pub tool_fingerprint: Option<String>,
    /// The source that the report quotes for it.
    pub snippet: Option<SourceText>,
}

/// How much of a report was left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Results that name no file.
    pub without_location: usize,
    /// Results whose files are not in the repository, as far as that can be told.
    pub outside: usize,
    /// Results that cannot be read.
    pub malformed: usize,
    /// Results that say that all is well (kind `pass` or `notApplicable`).
    pub passed: usize,
    /// Results of an earlier scan that are gone (baseline state `absent`).
    pub gone: usize,
    /// Further locations of results, outside of the repository. The results themselves are kept.
    pub locations: usize,
    /// Further locations of results, past the first 20. The results themselves are kept.
    pub locations_past_bound: usize,
    /// Steps of flows, past 100 a flow or 250,000 a report, or outside of the repository. The
    /// results themselves are kept.
    pub flow_steps: usize,
    /// Texts that were cut.
    pub cut_texts: usize,
}

impl Skipped {
    /// How many results were left out.
    pub fn results(&self) -> usize {
        self.without_location + self.outside + self.malformed + self.passed + self.gone
    }
}

impl fmt::Display for Skipped {
    /// `2 results name no file, 1 text was cut`; `nothing` if nothing was left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.without_location, "result names no file", "results name no file"),
            (
                self.outside,
                "result is outside of the repository",
                "results are outside of the repository",
            ),
            (self.malformed, "result cannot be read", "results cannot be read"),
            (self.passed, "result says that all is well", "results say that all is well"),
            (self.gone, "result is gone since the baseline", "results are gone since the baseline"),
            (self.locations, "further location is left out", "further locations are left out"),
            (
                self.locations_past_bound,
                "further location is past the bound",
                "further locations are past the bound",
            ),
            (self.flow_steps, "flow step is left out", "flow steps are left out"),
            (self.cut_texts, "text was cut", "texts were cut"),
        ];
        let mut separator = "";
        for (count, one, many) in counts {
            if count > 0 {
                write!(f, "{separator}{count} {}", if count == 1 { one } else { many })?;
                separator = ", ";
            }
        }
        if separator.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

/// Why a report cannot be read. Holds no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It has too many bytes.
    #[error("the report has {bytes} bytes, more than the bound of {limit} bytes")]
    TooLarge {
        /// How many it has.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// It has too many results.
    #[error("the report has more results than the bound of {limit} results")]
    TooManyResults {
        /// The bound.
        limit: usize,
    },
    /// It is nested too deeply.
    #[error("the report is nested deeper than the bound of {limit} levels")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// It is of no format that is read here.
    #[error(
        "not a report that can be read: seen {seen}, supported are SARIF 2.1.0, Semgrep JSON and GitLab SAST"
    )]
    Unsupported {
        /// What it looks like.
        seen: String,
    },
    /// It ends in the middle.
    #[error("the report is cut off: its JSON ends too early")]
    CutOff,
    /// It is not well-formed JSON, or gives a member twice.
    #[error("the report is not valid JSON at line {line}, column {column}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// Reads a report. The format is told by its content.
///
/// # Errors
/// [`ReportError`] names the bound that is passed, or what was seen in place of a report.
pub fn parse(bytes: &[u8], options: &Options<'_>) -> Result<Report, ReportError> {
    let (size, limit) = (bytes.len() as u64, options.limits.bytes);
    if size > limit {
        return Err(ReportError::TooLarge { bytes: size, limit });
    }
    let decoded = decode::decode(bytes);
    let json = decoded.as_str();
    bounds::check_depth(json, &options.limits)?;
    let mut collector = draft::Collector::new(options);
    let format = document::read(json, &mut collector)?;
    Ok(collector.finish(format))
}

#[cfg(test)]
mod tests;
