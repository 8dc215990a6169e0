//! What is wrong with the syntax of a whole file.

use chaffinch_core::RepoPath;

use crate::{
    engine::{Effort, parse},
    language::Language,
};

/// Steps of the parser, about 0.03 ms each: some 500 KB of source that is easy to read.
const STEPS: u32 = 8_000;

/// How many places of `source` the grammar of `path` cannot read; `None` where it has no grammar (a
/// template has none), or is too long or too hard to read.
pub fn syntax_errors(path: &RepoPath, source: &str) -> Option<usize> {
    let language = Language::of(path, source.lines().next().unwrap_or_default())?;
    let tree = parse(language, source, &[], &mut Effort::new(STEPS)).ok()?;
    Some(tree.errors.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(path: &str, source: &str) -> Option<usize> {
        syntax_errors(&path.parse().unwrap(), source)
    }

    #[test]
    fn what_does_not_parse_is_counted() {
        assert_eq!(errors("a.py", "x = f(1)\n"), Some(0));
        assert!(errors("a.py", "x = f(1\ny = 2\n").is_some_and(|n| n > 0));
        assert!(errors("a.go", "func f() { if x { }\n").is_some_and(|n| n > 0));
    }

    #[test]
    fn nothing_is_said_of_what_cannot_be_parsed() {
        for (path, source) in [
            ("a.txt", "text".to_owned()),
            ("a.erb", "<%= x %>".to_owned()),
            ("a.c", "(".repeat(5_000)),
            ("a.c", "/* ".repeat(500_000)),
        ] {
            assert_eq!(errors(path, &source), None, "{path}");
        }
    }
}
