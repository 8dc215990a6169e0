//! The texts of a result.

/// Puts arguments into a message: `{0}`, `{1}`, …; `{{` and `}}` are brackets. A placeholder
/// without an argument stays as it is. Ends soon after `limit` bytes.
pub(crate) fn fill(template: &str, arguments: &[&str], limit: usize) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        if text.len() > limit {
            return text;
        }
        let doubled = from.starts_with("{{") || from.starts_with("}}");
        let placeholder = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let argument = placeholder.and_then(|(number, after)| {
            Some((arguments.get(number.parse::<usize>().ok()?)?, after))
        });
        rest = match argument {
            Some((argument, after)) => {
                text.push_str(argument);
                after
            }
            None => {
                text.push_str(&from[..1]);
                &from[if doubled { 2 } else { 1 }..]
            }
        };
    }
    text.push_str(rest);
    text
}

/// Folds embedded links, `[text](1)` and `[text](https://…)`, to their text. Other brackets, as in
/// code, stay.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '\\']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(bracket) = from.strip_prefix('\\').filter(|f| f.starts_with(['[', ']'])) {
            out.push_str(&bracket[..1]);
            rest = &bracket[1..];
            continue;
        }
        match link(from) {
            Some((label, after)) => {
                out.push_str(label);
                rest = after;
            }
            None => {
                out.push_str(&from[..1]);
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The text of the link that `from` starts with, and what follows the link. Looks no further than
/// the next opening bracket, so that a text full of them takes no more than its length.
fn link(from: &str) -> Option<(&str, &str)> {
    let inner = from.strip_prefix('[')?;
    let (label, after) = inner.split_at(inner.find(['[', ']'])?);
    let after = after.strip_prefix("](")?;
    let (target, after) = after.split_at(after.find(['[', ')', ' ', '\n'])?);
    let after = after.strip_prefix(')')?;
    let number = !target.is_empty() && target.bytes().all(|b| b.is_ascii_digit());
    let uri = target.contains("://") || target.starts_with("mailto:");
    (number || uri).then_some((label, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_put_in() {
        for (template, want) in [
            ("Variable \"{0}\" of {1}.", "Variable \"x\" of y."),
            ("{1}{0}{1}", "yxy"),
            ("{{0}} {0}", "{0} x"),
            ("{2} {} {a} {", "{2} {} {a} {"),
            ("} }} ü{0}", "} } üx"),
        ] {
            assert_eq!(fill(template, &["x", "y"], 100), want);
        }
    }

    #[test]
    fn arguments_cannot_blow_a_message_up() {
        let text = fill(&"{0}".repeat(1_000), &["x".repeat(1_000).as_str()], 5_000);
        assert_eq!(text.len(), 6_000);
    }

    #[test]
    fn links_are_folded_to_their_text() {
        for (text, want) in [
            ("on [a user-provided value](1).", "on a user-provided value."),
            ("see [docs](https://example.com/a) or [b](mailto:x)", "see docs or b"),
            ("code a[i](x) stays, [x] too", "code a[i](x) stays, [x] too"),
            ("[[a](1)", "[a"),
            ("\\[no\\](1) [unclosed](1", "[no](1) [unclosed](1"),
            ("[ü](2)[b](3)", "üb"),
            ("C:\\dir", "C:\\dir"),
        ] {
            assert_eq!(plain(text), want);
        }
    }
}
