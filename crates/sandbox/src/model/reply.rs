//! What a scripted model says.

use serde_json::Value;

/// One reply of a scripted model.
#[derive(Debug, Clone)]
pub struct Reply(pub(super) Kind);

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// An answer in the wanted shape; its quotations are taken from the prompt.
    Verdict {
        verdict: &'static str,
        reason: String,
        places: Vec<String>,
        fix: String,
        confidence: u8,
    },
    /// This text.
    Text(String),
    Refusal,
    Cut,
    Filtered,
    Http {
        status: u16,
        body: Value,
        headers: Vec<(String, String)>,
    },
    Hang,
    Drop,
}

fn verdict(verdict: &'static str, reason: &str, places: &[&str]) -> Reply {
    let places = places.iter().map(|p| (*p).to_owned()).collect();
    let (reason, fix) = (reason.to_owned(), String::new());
    Reply(Kind::Verdict { verdict, reason, places, fix, confidence: 90 })
}

/// "It is real", with the line at `path:line` of the prompt as evidence.
pub fn true_positive(reason: &str, place: &str) -> Reply {
    verdict("true_positive", reason, &[place])
}

/// "It is not", with the line at `path:line` of the prompt as evidence.
pub fn false_positive(reason: &str, place: &str) -> Reply {
    verdict("false_positive", reason, &[place])
}

/// "I am not sure".
pub fn needs_review(reason: &str) -> Reply {
    verdict("needs_review", reason, &[])
}

/// Any JSON as the text of the answer: for evidence that is made up, fields that are missing.
pub fn json(body: &Value) -> Reply {
    Reply(Kind::Text(body.to_string()))
}

/// Any text as the text of the answer.
pub fn malformed(text: &str) -> Reply {
    Reply(Kind::Text(text.to_owned()))
}

/// The model declines.
pub fn refusal() -> Reply {
    Reply(Kind::Refusal)
}

/// The answer is cut at the token limit.
pub fn cut() -> Reply {
    Reply(Kind::Cut)
}

/// A content filter stops the answer.
pub fn filtered() -> Reply {
    Reply(Kind::Filtered)
}

/// Any HTTP answer.
pub fn http(status: u16, body: Value, headers: &[(&str, &str)]) -> Reply {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Reply(Kind::Http { status, body, headers })
}

/// No answer, ever.
pub fn hang() -> Reply {
    Reply(Kind::Hang)
}

/// The connection is closed without an answer.
pub fn drop_connection() -> Reply {
    Reply(Kind::Drop)
}

impl Reply {
    /// How sure the model says it is, 0 to 100.
    #[must_use]
    pub fn confidence(mut self, percent: u8) -> Self {
        if let Kind::Verdict { confidence, .. } = &mut self.0 {
            *confidence = percent;
        }
        self
    }

    /// The reported lines as they should be.
    #[must_use]
    pub fn fix(mut self, lines: &str) -> Self {
        if let Kind::Verdict { fix, .. } = &mut self.0 {
            lines.clone_into(fix);
        }
        self
    }

    /// One more line as evidence.
    #[must_use]
    pub fn and(mut self, place: &str) -> Self {
        if let Kind::Verdict { places, .. } = &mut self.0 {
            places.push(place.to_owned());
        }
        self
    }
}
