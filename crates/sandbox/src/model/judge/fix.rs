//! The one change that the script knows how to make: a value in the text of an SQL statement becomes
//! a parameter beside it.

use super::PromptLine;

/// The reported lines with the value as a parameter; empty where they do not have that shape.
pub(super) fn fix(reported: &[&PromptLine]) -> String {
    let mut changed = 0;
    let lines: Vec<String> = reported
        .iter()
        .map(|line| match parameter(&line.text) {
            Some(fixed) => {
                changed += 1;
                fixed
            }
            None => line.text.clone(),
        })
        .collect();
    if changed == 1 { lines.join("\n") } else { String::new() }
}

/// `f"… = {x}"` as `"… = ?", (x,)`, and `f"… LIKE '%{x}%'"` as `"… LIKE ?", (f"%{x}%",)`.
fn parameter(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("f\"")?;
    let (text, after) = rest.split_once('"')?;
    let (head, tail) = text.split_once('{')?;
    let (name, tail) = tail.split_once('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name || tail.contains('{') {
        return None;
    }
    let (head, tail, value) = match (head.strip_suffix("'%"), tail.strip_prefix("%'")) {
        (Some(head), Some(tail)) => (head, tail, format!("f\"%{{{name}}}%\"")),
        _ => (head, tail, name.to_owned()),
    };
    let compared = head.ends_with("= ") || head.ends_with("LIKE ");
    compared.then(|| format!("{before}\"{head}?{tail}\", ({value},){after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_statement_becomes_a_parameter() {
        for (line, fixed) in [
            (
                "  run(f\"SELECT 1 WHERE a = {n}\").one()",
                "  run(\"SELECT 1 WHERE a = ?\", (n,)).one()",
            ),
            ("  f\"a LIKE '%{x}%' LIMIT 1\"", "  \"a LIKE ? LIMIT 1\", (f\"%{x}%\",)"),
        ] {
            assert_eq!(parameter(line).as_deref(), Some(fixed));
        }
        for other in
            ["f\"ORDER BY {x}\"", "f\"a = {x} AND b = {y}\"", "\"a = {x}\"", "f\"a = {f(x)}\""]
        {
            assert_eq!(parameter(other), None, "{other}");
        }
    }
}
