//! The dialogue: which file is wanted next, and what comes of the files in the end.

mod compose;

use std::{collections::VecDeque, sync::Arc};

use chaffinch_core::{Excerpt, Finding, RepoPath, Rung, TokenCount};

use crate::lines::SourceFile;

/// What an extraction may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens, as [`Excerpt::cost`] counts them. Never exceeded.
    pub budget: usize,
    /// The highest rung of the ladder of disclosure.
    pub ceiling: Rung,
    /// Files asked for, those that do not exist included.
    pub content_requests: u32,
    /// Milliseconds for parsing one file; past them it counts as one without a grammar.
    pub parse_millis: u64,
    /// Bytes of a file beyond which it counts as one without a grammar.
    pub max_file_bytes: usize,
}

impl Default for Limits {
    /// 650 tokens, other files only for the flow, 6 requests, a second, 1 MiB.
    fn default() -> Self {
        Self {
            budget: 650,
            ceiling: Rung::Related,
            content_requests: 6,
            parse_millis: 1_000,
            max_file_bytes: 1 << 20,
        }
    }
}

/// Makes excerpts. Cheap to clone, and shared between threads.
#[derive(Clone)]
pub struct Extractor {
    tokens: Arc<dyn TokenCount>,
}

impl Extractor {
    /// One that counts with `tokens`.
    pub fn new(tokens: Arc<dyn TokenCount>) -> Self {
        Self { tokens }
    }

    /// Begins the excerpt for one finding. Nothing is read before [`Extraction::next`] asks.
    pub fn start(&self, finding: &Finding, limits: Limits) -> Extraction {
        let wanted = compose::wanted(finding, limits.ceiling);
        Extraction {
            tokens: Arc::clone(&self.tokens),
            finding: finding.clone(),
            limits,
            wanted: wanted.into(),
            asked: None,
            requests: 0,
            files: Vec::new(),
            notes: Vec::new(),
            outcome: None,
        }
    }
}

/// What an extraction needs next.
#[derive(Debug)]
pub enum Step {
    /// This file: ask the forge for it, then call [`Extraction::give`].
    Want(RepoPath),
    /// Nothing: this is what came of it.
    Done(Box<Result<Excerpt, NoExcerpt>>),
}

/// What became of a wanted file.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// Its bytes.
    Found(&'a [u8]),
    /// There is no file of that name at this commit.
    Missing,
    /// It is larger than the forge or we allow.
    TooLarge,
}

/// Why there is no excerpt: nothing that could be sent would show the finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoExcerpt {
    /// In our own words, without source ("the file does not exist at this commit").
    pub why: String,
}

impl NoExcerpt {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// One excerpt in the making. Holds the text of the files that it was given, wiped on drop.
pub struct Extraction {
    tokens: Arc<dyn TokenCount>,
    finding: Finding,
    limits: Limits,
    wanted: VecDeque<RepoPath>,
    asked: Option<RepoPath>,
    requests: u32,
    /// The finding's file comes first.
    files: Vec<SourceFile>,
    notes: Vec<String>,
    outcome: Option<Result<Excerpt, NoExcerpt>>,
}

impl Extraction {
    /// The next step. Asks for one file at a time, and for the same one until it is given.
    #[expect(clippy::should_implement_trait, reason = "a step of a dialogue, not of a sequence")]
    pub fn next(&mut self) -> Step {
        if let Some(outcome) = &self.outcome {
            return Step::Done(Box::new(outcome.clone()));
        }
        if let Some(path) = &self.asked {
            return Step::Want(path.clone());
        }
        let first = self.requests == 0;
        match self.wanted.pop_front() {
            Some(path) if self.requests < self.limits.content_requests => {
                self.requests += 1;
                self.asked = Some(path.clone());
                return Step::Want(path);
            }
            Some(_) if first => self.fail("no file may be asked for"),
            Some(_) => {
                self.wanted.clear();
                self.notes.push("the flow passes through more files than may be asked for".into());
            }
            None if first => self.fail("the finding names no file"),
            None => {}
        }
        let outcome = match self.outcome.take() {
            Some(failed) => failed,
            None => compose::excerpt(self),
        };
        self.files.clear();
        Step::Done(Box::new(self.outcome.insert(outcome).clone()))
    }

    /// Hands over what became of the file that [`Extraction::next`] wanted. Any other path is
    /// ignored.
    pub fn give(&mut self, path: &RepoPath, answer: Answer<'_>) {
        if self.asked.as_ref() != Some(path) {
            return;
        }
        self.asked = None;
        let read = match answer {
            Answer::Found(bytes) => SourceFile::read(path.clone(), bytes),
            Answer::Missing => Err("the file does not exist at this commit"),
            Answer::TooLarge => Err("the file is larger than may be read"),
        };
        match read {
            Ok(file) => self.files.push(file),
            Err(why) if self.requests == 1 => self.fail(why),
            Err(why) => self.notes.push(format!("a step of the flow is left out: {why}")),
        }
    }

    /// How many files were asked for so far.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    fn fail(&mut self, why: &str) {
        self.outcome = Some(Err(NoExcerpt::new(why)));
        self.files.clear();
    }
}
