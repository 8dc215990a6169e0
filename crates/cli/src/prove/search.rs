//! Whether a word is in what was received, in any of the forms that a mistake would give it.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// In which form `canary` (ASCII) is in `received`; `None` where it is not.
pub(super) fn found(canary: &str, received: &[u8]) -> Option<&'static str> {
    let plain = String::from_utf8_lossy(received).to_lowercase();
    let lower = canary.to_lowercase();
    if plain.contains(&lower) {
        return Some("as it is");
    }
    // A body is JSON: what is escaped there is read as a model would.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(received)
        && texts(&value).to_lowercase().contains(&lower)
    {
        return Some("escaped");
    }
    if plain.contains(&lower.chars().rev().collect::<String>()) {
        return Some("reversed");
    }
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    if plain.contains(&hex) {
        return Some("in hexadecimal");
    }
    let exact = String::from_utf8_lossy(received);
    let exact = exact.replace('-', "+").replace('_', "/");
    (0..3).any(|shift| exact.contains(&in_base64(canary, shift))).then_some("in base64")
}

/// The middle of the canary in base64, where so many bytes come before it: what stands around it changes
/// the first and the last letters alone.
fn in_base64(canary: &str, shift: usize) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(canary.as_bytes());
    let whole = bytes.len() / 3 * 3;
    let text = STANDARD_NO_PAD.encode(&bytes[..whole]);
    text[if shift == 0 { 0 } else { 4 }..].to_owned()
}

fn texts(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name}\n{}", texts(value))).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_each_form() {
        let canary = "canary0f1e2d3c4b5a";
        let base64 = |text: &str| STANDARD_NO_PAD.encode(text);
        let hex: String = canary.bytes().map(|byte| format!("{byte:02X}")).collect();
        for (text, form) in [
            (format!("x {canary} y"), Some("as it is")),
            (canary.to_uppercase(), Some("as it is")),
            ("{\"a\": [\"can\\u0061ry0f1e2d3c4b5a\"]}".to_owned(), Some("escaped")),
            (canary.chars().rev().collect(), Some("reversed")),
            (hex, Some("in hexadecimal")),
            (base64(canary), Some("in base64")),
            (base64(&format!("a{canary}zz")), Some("in base64")),
            (base64(&format!("ab{canary}z")), Some("in base64")),
            ("canary0f1e2d3c4b5".to_owned(), None),
        ] {
            assert_eq!(found(canary, text.as_bytes()), form, "{text}");
        }
    }
}
