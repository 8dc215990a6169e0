//! One rule: what a kind of secret looks like, and what is forgiven. Works as Gitleaks does, so that
//! its table keeps its meaning: classes are ASCII, the first group that matched is the secret, its
//! entropy must be above the threshold, and it is forgiven if anything of an allow-list is found.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::{Class, RedactError, Segment, Span, placeholders::is_placeholder};

/// A regular expression that is compiled when it is first needed.
struct Lazy {
    source: String,
    size_limit: usize,
    compiled: OnceLock<Option<Regex>>,
}

impl Lazy {
    fn new(source: String) -> Self {
        Self { source, size_limit: 64 << 20, compiled: OnceLock::new() }
    }

    fn get(&self, rule: &str) -> Result<&Regex, RedactError> {
        let compile = || {
            let mut builder = RegexBuilder::new(&self.source);
            builder.unicode(false).size_limit(self.size_limit).build().ok()
        };
        let compiled = self.compiled.get_or_init(compile).as_ref();
        compiled.ok_or_else(|| RedactError::Rule(rule.to_owned()))
    }
}

/// One rule.
pub(crate) struct Rule {
    id: String,
    regex: Lazy,
    /// The group that is the secret; 0: the first one that matched, or the whole.
    group: usize,
    /// The entropy of the secret must be above this, if it is above 0.
    entropy: f64,
    path: Option<Lazy>,
    require: Vec<Lazy>,
    forgiven: Vec<Forgiven>,
    class: ClassOf,
}

#[derive(Clone, Copy)]
enum ClassOf {
    Exact,
    Generic,
}

/// Things that look like a secret and are none.
pub(super) struct Forgiven {
    target: Target,
    regexes: Vec<Lazy>,
    stopwords: Vec<String>,
    automaton: OnceLock<Option<AhoCorasick>>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Target {
    #[default]
    Secret,
    Match,
    Line,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) id: String,
    regex: String,
    pub(super) keywords: Vec<String>,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    group: usize,
    path: Option<String>,
    #[serde(default)]
    require: Vec<String>,
    #[serde(default)]
    generic: bool,
    #[serde(default)]
    allow: Vec<RawForgiven>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForgiven {
    #[serde(default)]
    target: Target,
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
}

impl Rule {
    pub(super) fn new(raw: RawRule) -> Self {
        Self {
            id: raw.id,
            regex: Lazy::new(raw.regex),
            group: raw.group,
            entropy: raw.entropy,
            path: raw.path.map(Lazy::new),
            require: raw.require.into_iter().map(Lazy::new).collect(),
            forgiven: raw.allow.into_iter().map(Forgiven::new).collect(),
            class: if raw.generic { ClassOf::Generic } else { ClassOf::Exact },
        }
    }

    /// A customer's rule: nothing but a pattern, and a small one.
    pub(super) fn of_customer(id: &str, regex: &str) -> Self {
        let size_limit = 1 << 20;
        let regex = Lazy { size_limit, ..Lazy::new(regex.to_owned()) };
        Self {
            id: id.to_owned(),
            regex,
            group: 0,
            entropy: 0.0,
            path: None,
            require: Vec::new(),
            forgiven: Vec::new(),
            class: ClassOf::Exact,
        }
    }

    /// Whether it matches the empty text.
    pub(super) fn matches_nothing(&self) -> Result<bool, RedactError> {
        Ok(self.regex.get(&self.id)?.is_match(b""))
    }

    /// Adds the secrets of this kind.
    pub(super) fn find<'t>(
        &'t self,
        segment: &Segment<'_>,
        forgiven_by_all: &[Forgiven],
        spans: &mut Vec<Span<'t>>,
    ) -> Result<(), RedactError> {
        if let (Some(wanted), Some(path)) = (&self.path, segment.path)
            && !wanted.get(&self.id)?.is_match(path.as_str().as_bytes())
        {
            return Ok(());
        }
        let text = segment.text.as_bytes();
        let regex = self.regex.get(&self.id)?;
        let mut groups = regex.capture_locations();
        let mut from = 0;
        while from <= text.len() {
            let Some(whole) = regex.captures_read_at(&mut groups, text, from) else { break };
            let secret = match self.group {
                0 => (1..groups.len()).filter_map(|i| groups.get(i)).find(|(s, e)| s < e),
                group => groups.get(group),
            };
            let (start, end) = secret.unwrap_or((whole.start(), whole.end()));
            // The end of a match is often the start of what makes the next one.
            from = end.max(whole.start() + 1);
            if self.is_secret(text, whole.range(), start..end, forgiven_by_all)?
                && let Some(span) = span(segment.text, start, end, self.class())
            {
                spans.push(span);
            }
        }
        Ok(())
    }

    fn is_secret(
        &self,
        text: &[u8],
        whole: std::ops::Range<usize>,
        secret: std::ops::Range<usize>,
        forgiven_by_all: &[Forgiven],
    ) -> Result<bool, RedactError> {
        let value = &text[secret];
        // What looks like a placeholder hides nothing: a text may be redacted twice.
        if str::from_utf8(value).is_ok_and(is_placeholder) {
            return Ok(false);
        }
        if self.entropy > 0.0 && entropy(value) <= self.entropy {
            return Ok(false);
        }
        for wanted in &self.require {
            if !wanted.get(&self.id)?.is_match(value) {
                return Ok(false);
            }
        }
        for forgiven in forgiven_by_all.iter().chain(&self.forgiven) {
            let target = match forgiven.target {
                Target::Secret => value,
                Target::Match => &text[whole.clone()],
                Target::Line => line_of(text, &whole),
            };
            if forgiven.holds(&self.id, target, value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn class(&self) -> Class<'_> {
        match self.class {
            ClassOf::Exact => Class::Secret(&self.id),
            ClassOf::Generic => Class::Generic(&self.id),
        }
    }
}

impl Forgiven {
    pub(super) fn new(raw: RawForgiven) -> Self {
        Self {
            target: raw.target,
            regexes: raw.regexes.into_iter().map(Lazy::new).collect(),
            stopwords: raw.stopwords,
            automaton: OnceLock::new(),
        }
    }

    fn holds(&self, rule: &str, target: &[u8], secret: &[u8]) -> Result<bool, RedactError> {
        if !self.stopwords.is_empty() && self.automaton(rule)?.is_match(secret) {
            return Ok(true);
        }
        for regex in &self.regexes {
            if regex.get(rule)?.is_match(target) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn automaton(&self, rule: &str) -> Result<&AhoCorasick, RedactError> {
        let build = || {
            let mut builder = AhoCorasick::builder();
            builder.ascii_case_insensitive(true).build(&self.stopwords).ok()
        };
        let built = self.automaton.get_or_init(build).as_ref();
        built.ok_or_else(|| RedactError::Rule(rule.to_owned()))
    }
}

/// Quotes and blanks around a secret stay; what is left of its last word goes with it.
fn span<'t>(text: &str, mut start: usize, mut end: usize, class: Class<'t>) -> Option<Span<'t>> {
    // Rules see bytes, so they may stop inside a character.
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let outside = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
    let value = text[start..end].trim_start_matches(outside);
    start = end - value.len();
    end = start + value.trim_end_matches(outside).len();
    if start == end {
        return None;
    }
    let bytes = text.as_bytes();
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if word(bytes[end - 1]) {
        end += bytes[end..].iter().take_while(|b| word(**b)).count();
    }
    Some(Span { start, end, class })
}

/// Shannon's, in bits a byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let length = value.len() as f64;
    let shares = counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / length);
    -shares.map(|p| p * p.log2()).sum::<f64>()
}

/// The lines of a match, as far as 500 bytes around it.
fn line_of<'t>(text: &'t [u8], whole: &std::ops::Range<usize>) -> &'t [u8] {
    let near = whole.start.saturating_sub(500)..text.len().min(whole.end + 500);
    let before = text[near.start..whole.start].iter().rposition(|b| *b == b'\n');
    let after = text[whole.end..near.end].iter().position(|b| *b == b'\n');
    let start = before.map_or(near.start, |i| near.start + i + 1);
    &text[start..after.map_or(near.end, |i| whole.end + i)]
}

#[cfg(test)]
impl Rule {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn compile_all(&self) -> Result<(), RedactError> {
        for lazy in std::iter::once(&self.regex).chain(&self.path).chain(&self.require) {
            lazy.get(&self.id)?;
        }
        self.forgiven.iter().try_for_each(|f| f.compile_all(&self.id))
    }
}

#[cfg(test)]
impl Forgiven {
    pub(super) fn compile_all(&self, rule: &str) -> Result<(), RedactError> {
        self.automaton(rule)?;
        self.regexes.iter().try_for_each(|lazy| lazy.get(rule).map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_shannon() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcd"), 2.0);
        assert!((entropy(b"1223334444") - 1.846_439).abs() < 1e-6);
    }

    #[test]
    fn a_rule_that_does_not_compile_is_an_error_and_not_a_miss() {
        let rule = Rule::of_customer("broken", "(");
        let segment = Segment { path: None, text: "x" };
        assert_eq!(
            rule.find(&segment, &[], &mut Vec::new()).err(),
            Some(RedactError::Rule("broken".into()))
        );
    }

    #[test]
    fn a_match_that_ends_inside_a_character_takes_all_of_it() {
        let span = span("aé", 0, 2, Class::Email).unwrap();
        assert_eq!((span.start, span.end), (0, 3));
    }
}
