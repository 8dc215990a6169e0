//! Tools, told apart by name: a new version of a scanner is the same scanner.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};

/// The name of a tool without its version: "Semgrep OSS 1.182.0" is "Semgrep OSS".
pub(crate) fn name(tool: &str) -> &str {
    let tool = tool.trim();
    match tool.rsplit_once(char::is_whitespace) {
        Some((name, last)) if is_version(last) => name.trim_end(),
        _ => tool,
    }
}

fn is_version(word: &str) -> bool {
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// What a marker calls a tool: 8 hexadecimal digits. Editions are one tool, because a tool may name
/// its edition in one format and not in another.
pub(crate) fn key(tool: &str) -> String {
    let name = name(tool).to_lowercase();
    let bare = name.strip_suffix(" oss").or_else(|| name.strip_suffix(" pro")).unwrap_or(&name);
    let digest = digest(&SHA256, bare.as_bytes());
    hex::encode(&digest.as_ref()[..4])
}

/// The keys of several tools.
pub(crate) fn keys<'a>(tools: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    tools.into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_version_is_the_same_tool() {
        for (tool, want) in [
            ("Semgrep OSS 1.182.0", "Semgrep OSS"),
            ("Semgrep OSS", "Semgrep OSS"),
            ("CodeQL v2.19.0", "CodeQL"),
            ("eslint 9", "eslint"),
            ("", ""),
            ("1.0", "1.0"),
        ] {
            assert_eq!(name(tool), want);
        }
        assert_eq!(key("Semgrep 1.0"), key("Semgrep 2.0"));
        assert_eq!(key("Semgrep"), key("Semgrep OSS 1.182.0"));
        assert_ne!(key("Semgrep"), key("CodeQL"));
        assert_eq!(key("Semgrep").len(), 8);
    }
}
