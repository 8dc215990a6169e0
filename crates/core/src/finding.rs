//! One result of a scanner, normalised.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{IdError, LineRange, RepoPath, RuleId, SourceText};

/// One result of a scanner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its stable identity within the repository.
    pub fingerprint: Fingerprint,
    /// The scanner's name and version, for people ("Semgrep OSS 1.182.0"); empty where unknown.
    pub tool: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// The scanner's words for this result. Untrusted; may quote source.
    pub message: SourceText,
    /// Where it is; `None` if the scanner names no file in the repository.
    pub location: Option<Location>,
    /// From source to sink, where the scanner says.
    pub flow: Flow,
    /// Whether the scanner or its user has suppressed it (in the source, or in the report).
    pub suppressed: bool,
}

/// What is known of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The scanner's name for it.
    pub id: RuleId,
    /// A short title, where the report has one. Untrusted.
    pub title: Option<String>,
    /// Weaknesses, as `CWE-89`, sorted.
    pub cwe: Vec<String>,
    /// How bad it would be.
    pub severity: Severity,
    /// How sure the scanner is.
    pub confidence: Confidence,
}

/// How bad it would be if the finding were real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Low.
    Low,
    /// Medium; also where the scanner does not say.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How sure the scanner is of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It does not say.
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// A file and a region of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub path: RepoPath,
    /// The region; `None` means the file as a whole.
    pub region: Option<Region>,
}

/// Lines and columns, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Region {
    /// The lines.
    pub lines: LineRange,
    /// The column where it starts on its first line, in the scanner's units.
    pub start_column: Option<u32>,
    /// The column after its last character on its last line, in the scanner's units.
    pub end_column: Option<u32>,
}

/// The steps from source to sink, in order; empty where the scanner gives none.
pub type Flow = Vec<FlowStep>;

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStep {
    /// What happens there.
    pub role: FlowRole,
    /// Where.
    pub location: Location,
    /// The scanner's words for it. Untrusted; may quote source.
    pub message: Option<SourceText>,
}

/// What happens at a step of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowRole {
    /// The value comes in.
    Source,
    /// The value passes through.
    Step,
    /// The value arrives.
    Sink,
}

/// The stable identity of a finding: 128 bits, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// From the first 16 bytes of a digest.
    pub fn from_digest(digest: [u8; 16]) -> Self {
        Self(digest)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 16];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(IdError { what: "fingerprint", why: "want 32 hexadecimal digits" }),
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}
