use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use chaffinch_core::{Prompt, SourceText};
use chaffinch_egress::{Cleared, Completion, Model, ModelError, Usage};
use serde_json::{Value, json};

type Script = Box<dyn Fn(&Prompt) -> Result<String, ModelError> + Send + Sync>;

/// Answers by a script, and remembers what it was shown.
pub(crate) struct FakeModel {
    script: Mutex<Script>,
    pub(crate) seen: Mutex<Vec<String>>,
    closed: Mutex<Option<ModelError>>,
    pub(crate) request_id: Mutex<Option<String>>,
}

impl FakeModel {
    pub(crate) fn new() -> Self {
        let script: Script = Box::new(|_| Err(ModelError::Other("no script".into())));
        Self {
            script: Mutex::new(script),
            seen: Mutex::default(),
            closed: Mutex::default(),
            request_id: Mutex::default(),
        }
    }

    /// From now on, it answers every prompt so.
    pub(crate) fn says(&self, answer: impl Into<String>) {
        let answer = answer.into();
        self.does(move |_| Ok(answer.clone()));
    }

    /// It answers so, one prompt after the other, and no more.
    pub(crate) fn says_in_turn(
        &self,
        answers: impl IntoIterator<Item = Result<String, ModelError>>,
    ) {
        let answers: Mutex<VecDeque<_>> = Mutex::new(answers.into_iter().collect());
        let none = || Err(ModelError::Other("nothing more was to be asked".into()));
        self.does(move |_| answers.lock().unwrap().pop_front().unwrap_or_else(none));
    }

    /// From now on, it fails so.
    pub(crate) fn fails(&self, error: ModelError) {
        self.does(move |_| Err(error.clone()));
    }

    pub(crate) fn does(
        &self,
        script: impl Fn(&Prompt) -> Result<String, ModelError> + Send + Sync + 'static,
    ) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// From now on, it would not even send.
    pub(crate) fn closes(&self, error: ModelError) {
        *self.closed.lock().unwrap() = Some(error);
    }

    pub(crate) fn asked(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[async_trait]
impl Model for FakeModel {
    fn ready(&self) -> Result<(), ModelError> {
        self.closed.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    async fn complete(&self, prompt: &Cleared<Prompt>) -> Result<Completion, ModelError> {
        let prompt = prompt.prompt();
        self.seen.lock().unwrap().push(prompt.render().expose().to_owned());
        let text = (self.script.lock().unwrap())(prompt)?;
        Ok(Completion {
            text: SourceText::new(text),
            usage: Usage { input: 100, cached: 0, output: 50 },
            model: "tiny-1-2026".into(),
            request_id: self.request_id.lock().unwrap().clone(),
        })
    }
}

/// An answer, with evidence as path, line and quotation.
pub(crate) fn answer(verdict: &str, reason: &str, evidence: &[(&str, u32, &str)]) -> String {
    let evidence: Vec<Value> = evidence
        .iter()
        .map(|(path, line, quote)| json!({"path": path, "line": line, "quote": quote}))
        .collect();
    let remediation = match verdict {
        "true_positive" => "1. Use a bound parameter.\n2. Test it.",
        _ => "",
    };
    let needs = match verdict {
        "needs_review" => json!(["the function escape()"]),
        _ => json!([]),
    };
    json!({
        "reason": reason, "evidence": evidence, "verdict": verdict,
        "remediation": remediation, "confidence": 90, "needs": needs,
    })
    .to_string()
}

pub(crate) fn true_positive(reason: &str, evidence: &[(&str, u32, &str)]) -> String {
    answer("true_positive", reason, evidence)
}

pub(crate) fn false_positive(reason: &str, evidence: &[(&str, u32, &str)]) -> String {
    answer("false_positive", reason, evidence)
}

pub(crate) fn needs_review(reason: &str) -> String {
    answer("needs_review", reason, &[])
}
