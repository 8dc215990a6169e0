//! E-mail addresses.

use std::collections::HashSet;

use super::{Class, Span, floor};

/// The most characters before the sign, and labels after it, that are looked at.
const LOCAL: usize = 254;
const LABELS: usize = 10;
/// The most bytes after the sign that are looked at: no domain is longer.
const REACH: usize = 512;

/// Ends of names that people have addresses under and that are hardly ever names of methods.
const COMMON: [&str; 24] = [
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "dev", "app", "ai", "co",
    "eu", "de", "fr", "uk", "us", "ca", "nl", "ch", "at", "au",
];

/// Adds the addresses of `text`, but not what programs write in the same form.
pub(super) fn find(text: &str, spans: &mut Vec<Span<'_>>) {
    let ends: HashSet<usize> = spans.iter().map(|s| s.end).collect();
    let signs = text.match_indices('@').chain(text.match_indices("%40"));
    for (sign, written) in signs {
        let domain = domain(&text[sign + written.len()..]);
        let local = local(&text[..sign]);
        let mut start = sign - local.len() + skipped(local);
        // `\n` and the like in a literal are not part of the name.
        let escaped = text[..start].ends_with('\\') && !text[..start].ends_with("\\\\");
        if escaped && text[start..].starts_with(['n', 'r', 't']) && start + 1 < sign {
            start += 1;
        }
        let end = sign + written.len() + domain.len();
        let name = &text[start..sign];
        if name.is_empty() || domain.is_empty() || is_code(name, domain, &text[end..]) {
            continue;
        }
        // user:password@host: what is before the sign goes already, and the host is no person.
        if ends.contains(&sign) {
            continue;
        }
        spans.push(Span { start, end, class: Class::Email });
    }
}

fn local(before: &str) -> &str {
    let allowed = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    let length =
        before.chars().rev().take(LOCAL).take_while(allowed).map(char::len_utf8).sum::<usize>();
    &before[before.len() - length..]
}

/// The longest start of `after` that is a name with a top-level domain; empty if there is none.
fn domain(after: &str) -> &str {
    let (mut length, mut valid) = (0, 0);
    let near = &after[..floor(after, REACH)];
    for (i, label) in near.split('.').take(LABELS).enumerate() {
        let outside = |c: char| !c.is_alphanumeric() && c != '-';
        let inner = label.split(outside).next().unwrap_or_default().trim_end_matches('-');
        if inner.is_empty() || inner.starts_with('-') || inner.len() > 63 {
            break;
        }
        length += usize::from(i > 0) + inner.len();
        let letters =
            (2..=24).contains(&inner.chars().count()) && inner.chars().all(char::is_alphabetic);
        if i > 0 && (letters || inner.starts_with("xn--")) {
            valid = length;
        }
        if inner.len() < label.len() {
            break;
        }
    }
    &after[..valid]
}

/// Dots and signs before a name belong to what stands before it.
fn skipped(local: &str) -> usize {
    local.len() - local.trim_start_matches(['.', '-', '+']).len()
}

fn is_code(local: &str, domain: &str, after: &str) -> bool {
    let mut labels = domain.split('.');
    let first = labels.next().unwrap_or_default();
    let last = domain.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let second_is_number =
        labels.next().is_some_and(|l| l.starts_with(|c: char| c.is_ascii_digit()));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    // core@12.0.0-next.beta
    let version = digits(first.trim_start_matches(['v', 'V'])) && second_is_number;
    // icon@2x.png
    let image = matches!(first, "1x" | "2x" | "3x" | "4x");
    // a@b.mean(), this@Activity.title
    let common = COMMON.contains(&last.as_str());
    let call = after.starts_with('(') && !common;
    let label = matches!(local, "this" | "super" | "return" | "break" | "continue") && !common;
    // git@host:owner/name
    let remote = local == "git" && after.starts_with([':', '/']);
    version || image || call || label || remote
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        find(text, &mut spans);
        spans.iter().map(|s| &text[s.start..s.end]).collect()
    }

    #[test]
    fn addresses_are_found_in_any_surroundings() {
        for (text, address) in [
            ("mail = 'jane.doe@corp.example'", "jane.doe@corp.example"),
            ("<mailto:a+b@x.co.uk>", "a+b@x.co.uk"),
            ("# see müller@straße.de.", "müller@straße.de"),
            ("to=jane%40corp.example&x", "jane%40corp.example"),
            (r#""\njane@corp.example""#, "jane@corp.example"),
            ("send(jane@corp.com)(1)", "jane@corp.com"),
            ("x@163.com", "x@163.com"),
            ("x@xn--bcher-kva.xn--p1ai", "x@xn--bcher-kva.xn--p1ai"),
            ("...jane@corp.example", "jane@corp.example"),
            ("return@corp.com", "return@corp.com"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
    }

    #[test]
    fn code_of_the_same_form_is_left_alone() {
        for text in [
            "@",
            "x@",
            "@@x.com@",
            "@app.route('/x')",
            "@pytest.mark.parametrize",
            "foo@example",
            "npm i lodash@4.17.21",
            "@angular/core@12.0.0-next.beta",
            "actions/checkout@v4.1.2",
            "icon@2x.png",
            "w@x.transpose()",
            "this@MainActivity.title",
            "return@forEach.rest",
            "image@sha256:0011",
            "a @ b.T",
            "%s@%s.com",
            "user@{host}.com",
            "git@forge.com:acme/shop.git",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
