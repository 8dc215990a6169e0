//! What reviewers see: inline threads and the one summary, found again by a hidden marker.

use std::{fmt, str::FromStr};

use crate::{Fingerprint, IdError, LineRange, RepoPath};

/// The forge's id of an inline discussion.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ThreadId(pub String);

/// The forge's id of one comment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommentId(pub String);

/// The hidden line by which a comment of ours is found again.
///
/// `<!-- chaffinch:1:finding:FINGERPRINT:TOOL -->` or `<!-- chaffinch:1:summary -->`. It is trusted
/// only in a comment that the forge says is ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Marker {
    /// What the comment is about.
    pub kind: MarkerKind,
}

/// What a comment of ours is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MarkerKind {
    /// One finding (or several on one line: the first of them).
    Finding {
        /// The finding.
        finding: Fingerprint,
        /// A digest of the tool's name, so that a thread is resolved only by a report of the tool
        /// that it is from: 8 hexadecimal digits.
        tool: String,
    },
    /// The whole change.
    Summary,
}

const OPEN: &str = "<!-- chaffinch:1:";
const CLOSE: &str = " -->";

impl Marker {
    /// Finds the first marker in a comment's body.
    pub fn find(body: &str) -> Option<Self> {
        let (_, rest) = body.split_once(OPEN)?;
        let (inner, _) = rest.split_once(CLOSE)?;
        format!("{OPEN}{inner}{CLOSE}").parse().ok()
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MarkerKind::Finding { finding, tool } => {
                write!(f, "{OPEN}finding:{finding}:{tool}{CLOSE}")
            }
            MarkerKind::Summary => write!(f, "{OPEN}summary{CLOSE}"),
        }
    }
}

impl FromStr for Marker {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError { what: "marker", why: "want one that Chaffinch wrote" };
        let inner = text.strip_prefix(OPEN).and_then(|t| t.strip_suffix(CLOSE));
        let kind = match inner.map(|t| t.split(':').collect::<Vec<_>>()).as_deref() {
            Some(["summary"]) => MarkerKind::Summary,
            Some(["finding", finding, tool])
                if tool.len() == 8 && tool.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                MarkerKind::Finding { finding: finding.parse()?, tool: (*tool).to_owned() }
            }
            _ => return Err(error),
        };
        Ok(Self { kind })
    }
}

/// Which side of the diff a comment stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The base.
    Old,
    /// The head.
    New,
}

/// Where a thread stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The file.
    pub path: RepoPath,
    /// The lines.
    pub lines: LineRange,
    /// The side of the diff.
    pub side: Side,
}

/// A thread to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewThread {
    /// Where.
    pub at: Placement,
    /// The first comment, Markdown, with its marker.
    pub body: String,
}

/// What became of a [`NewThread`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// It stands on its line.
    OnLine(CommentId),
    /// The forge does not take a comment there, in its words; it belongs in the summary.
    Refused(String),
}

/// An inline discussion whose first comment is ours and carries a finding's marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The discussion.
    pub id: ThreadId,
    /// Its first comment, which is ours.
    pub first: Comment,
    /// Its finding and tool.
    pub marker: Marker,
    /// Where it stands now; `None` once the forge calls it outdated.
    pub at: Option<Placement>,
    /// Whether somebody, or we, resolved it.
    pub resolved: bool,
    /// Whether it is resolved, and the forge tells that we did it and nobody else.
    pub resolved_by_us: bool,
    /// Whether anybody else has written in it.
    pub has_replies: bool,
}

/// One comment of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The comment.
    pub id: CommentId,
    /// Its Markdown, marker included.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_again_in_its_comment() {
        for text in [
            "<!-- chaffinch:1:summary -->",
            "<!-- chaffinch:1:finding:000102030405060708090a0b0c0d0e0f:89abcdef -->",
        ] {
            let marker = Marker::find(&format!("**x**\n\n{text}\n")).unwrap();
            assert_eq!(marker.to_string(), text);
        }
    }

    #[test]
    fn what_we_did_not_write_is_no_marker() {
        for bad in [
            "",
            "<!-- chaffinch:2:summary -->",
            "<!-- chaffinch:1:finding:00:89abcdef -->",
            "<!-- chaffinch:1:finding:000102030405060708090a0b0c0d0e0f -->",
            "<!-- chaffinch:1:summary",
        ] {
            assert_eq!(Marker::find(bad), None, "{bad:?}");
        }
    }
}
