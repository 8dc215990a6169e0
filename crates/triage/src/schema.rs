//! The shape of an answer.

use chaffinch_core::AnswerSchema;

/// The shape that every answer must have. Written by hand: the order of the keys is the order in
/// which a model writes them, and the reason is to come before the verdict. No bounds, because not
/// every endpoint takes them; they are checked here.
pub const ANSWER: AnswerSchema = AnswerSchema {
    name: "triage",
    json: r#"{
  "type": "object",
  "properties": {
    "reason": {
      "type": "string",
      "description": "Why, in two or three plain sentences, each claim with a line number. No Markdown, no links."
    },
    "evidence": {
      "type": "array",
      "description": "The lines that prove the verdict.",
      "items": {
        "type": "object",
        "properties": {
          "path": { "type": "string", "description": "The file, as shown." },
          "line": { "type": "integer", "description": "The line number, as shown." },
          "quote": { "type": "string", "description": "A part of that line, copied exactly." }
        },
        "required": ["path", "line", "quote"],
        "additionalProperties": false
      }
    },
    "verdict": {
      "type": "string",
      "enum": ["true_positive", "false_positive", "needs_review"]
    },
    "remediation": {
      "type": "string",
      "description": "What to do, one step a line; empty if there is nothing to do."
    },
    "fix": {
      "type": "string",
      "description": "The reported lines as they should be, all of them; empty unless that is the whole remedy."
    },
    "confidence": {
      "type": "integer",
      "description": "How sure you are, 0 to 100."
    },
    "needs": {
      "type": "array",
      "description": "What you would have to see to be sure, such as the name of a function; empty if you are.",
      "items": { "type": "string" }
    }
  },
  "required": ["reason", "evidence", "verdict", "remediation", "fix", "confidence", "needs"],
  "additionalProperties": false
}"#,
};

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The rules of the strict subset, for one schema and those inside it.
    fn check(schema: &Value, at: &str) {
        let object = schema.as_object().unwrap();
        for key in object.keys() {
            let known = ["type", "properties", "required", "additionalProperties", "items", "enum"];
            assert!(known.contains(&key.as_str()) || key == "description", "{at}: {key}");
        }
        match object["type"].as_str().unwrap() {
            "object" => {
                assert_eq!(object["additionalProperties"], false, "{at}");
                let properties = object["properties"].as_object().unwrap();
                let mut required: Vec<_> = object["required"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|v| v.as_str().unwrap())
                    .collect();
                required.sort_unstable();
                let mut names: Vec<_> = properties.keys().map(String::as_str).collect();
                names.sort_unstable();
                assert_eq!(required, names, "{at}: every property is required");
                for (name, inner) in properties {
                    check(inner, &format!("{at}.{name}"));
                }
            }
            "array" => check(&object["items"], &format!("{at}[]")),
            "string" | "integer" => {}
            other => panic!("{at}: {other}"),
        }
    }

    #[test]
    fn the_schema_keeps_to_the_strict_subset() {
        check(&serde_json::from_str(ANSWER.json).unwrap(), "$");
        assert!(ANSWER.name.len() <= 64);
        assert!(ANSWER.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
    }

    #[test]
    fn a_model_reasons_before_it_judges() {
        let at = |key: &str| ANSWER.json.find(&format!("\"{key}\": {{")).unwrap();
        let keys = ["reason", "evidence", "verdict", "remediation", "fix", "confidence", "needs"];
        assert!(keys.windows(2).all(|pair| at(pair[0]) < at(pair[1])));
    }
}
