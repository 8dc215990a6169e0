//! What a model says that it misses → names and paths.

/// Names taken of one sentence.
const MANY: usize = 3;

/// The names and paths in `need`: itself where it is one, else what looks like code in the prose
/// ("the function `escape()`" → `escape`).
pub(super) fn named(need: &str) -> Vec<String> {
    let whole = bare(need);
    if !need.trim().contains(char::is_whitespace) {
        return Vec::from_iter((!whole.is_empty()).then(|| whole.to_owned()));
    }
    let mut found: Vec<String> = Vec::new();
    for word in need.split_whitespace().filter(|word| is_code(word)) {
        let name = bare(word).to_owned();
        if !name.is_empty() && !found.contains(&name) && found.len() < MANY {
            found.push(name);
        }
    }
    found
}

/// Whether a word of prose is from the code.
fn is_code(word: &str) -> bool {
    let quoted = word.starts_with(['`', '\'', '"']);
    let called = word.contains("()");
    let inner = bare(word);
    let camel =
        inner.chars().zip(inner.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let joined = inner.contains(['_', '/', '.', ':', '#', '$', '@', '\\']) || inner.contains("->");
    quoted || called || camel || joined
}

/// Without quotation marks, punctuation and the brackets of a call.
fn bare(word: &str) -> &str {
    let around = |c: char| "`'\"“”‘’,;()[]{}<>*!?".contains(c) || c.is_whitespace();
    let word = word.trim_matches(around).trim_end_matches(['.', ':']);
    word.split('(').next().unwrap_or_default().trim_matches(around)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_name_or_path_stands_for_itself() {
        for (need, name) in [
            ("escape", "escape"),
            (" app/filters.py ", "app/filters.py"),
            ("Foo::Bar#baz", "Foo::Bar#baz"),
            ("`clean(text)`", "clean"),
            ("$this->check()", "$this->check"),
        ] {
            assert_eq!(named(need), [name], "{need}");
        }
        assert!(named("").is_empty() && named(" `` ").is_empty());
    }

    #[test]
    fn of_a_sentence_what_looks_like_code_is_taken() {
        for (need, names) in [
            ("the function escape()", vec!["escape"]),
            ("Definition of sanitize_html in app/utils.py.", vec!["sanitize_html", "app/utils.py"]),
            ("what `clean` does with isSafe, and `clean` again", vec!["clean", "isSafe"]),
            ("The caller of this function", vec![]),
            ("a_1 b_2 c_3 d_4", vec!["a_1", "b_2", "c_3"]),
        ] {
            assert_eq!(named(need), names, "{need}");
        }
    }
}
