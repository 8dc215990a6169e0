//! How much of a report is taken.

use crate::ReportError;

/// The largest report that is read, in bytes: 100 MB.
pub const MAX_BYTES: u64 = 100_000_000;

/// Bounds of one report. Past the first three, reading fails with an error that names the bound;
/// texts past `text` are cut and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Results in all runs together.
    pub results: usize,
    /// Arrays and objects inside one another; more than 120 counts as 120.
    pub depth: usize,
    /// Characters of a message, and of a quotation of source.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, results: 25_000, depth: MAX_DEPTH, text: 4_096 }
    }
}

/// Safely below the recursion limit of `serde_json` (128), which stays on.
const MAX_DEPTH: usize = 120;

/// Half of the steps that are kept of a flow: so many from its source, and as many before its sink.
pub(crate) const HALF_FLOW: usize = 50;

/// Flow steps that are kept of a report.
pub(crate) const REPORT_STEPS: usize = 250_000;

/// Locations that are kept of a result.
pub(crate) const LOCATIONS: usize = 20;

/// Characters of a rule's title, and of a tool's name.
pub(crate) const TITLE: usize = 200;

/// Bytes of a tool's own fingerprint; a longer one is none.
pub(crate) const TOOL_FINGERPRINT: usize = 1_024;

/// Checks the nesting before anything recurses. Outside strings, brackets are counted without
/// regard to their kind; what is not well formed is found by the parser.
pub(crate) fn check_depth(json: &str, limits: &Limits) -> Result<(), ReportError> {
    let limit = limits.depth.min(MAX_DEPTH);
    let mut depth = 0_usize;
    let mut rest = json.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = after_string(rest),
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Err(ReportError::TooDeep { limit });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// What follows the string whose inside `rest` starts with.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let is_end = rest.get(at) == Some(&b'"');
        rest = rest.get(at + if is_end { 1 } else { 2 }..).unwrap_or_default();
        if is_end {
            return rest;
        }
    }
    &[]
}

/// Cuts `text` to `limit` characters; whether it was longer.
pub(crate) fn cut(text: &mut String, limit: usize) -> bool {
    if text.len() <= limit {
        return false;
    }
    let Some((end, _)) = text.char_indices().nth(limit) else { return false };
    text.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_strings_only() {
        let limits = Limits { depth: 3, ..Limits::default() };
        assert!(check_depth(r#"{"a": [{"b": "[[[[\"[[[["}]}"#, &limits).is_ok());
        let error = check_depth(r#"{"a": [{"b": [1]}]}"#, &limits).unwrap_err();
        assert_eq!(error.to_string(), "the report is nested deeper than the bound of 3 levels");
    }

    #[test]
    fn a_wide_document_is_not_a_deep_one() {
        assert!(check_depth(&"[],".repeat(1_000), &Limits::default()).is_ok());
        assert!(check_depth(&"[".repeat(121), &Limits::default()).is_err());
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let mut text = "äöü".to_owned();
        assert!(!cut(&mut text, 3));
        assert!(cut(&mut text, 2));
        assert_eq!(text, "äö");
    }
}
