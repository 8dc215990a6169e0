//! The dialogue: which file is wanted next, and what comes of the files in the end.

mod answers;
mod asker;
mod compose;
mod finding;
mod limits;
mod listing;
mod needs;
mod places;
mod questions;
mod read;

use std::{collections::HashSet, sync::Arc};

use chaffinch_core::{Excerpt, Finding, RepoPath, TokenCount};

pub use self::limits::Limits;
use self::{questions::Questions, read::Read};
use crate::{budget::Pick, lines::SourceFile, sparse::Interest};

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
        Extraction {
            tokens: Arc::clone(&self.tokens),
            finding: finding.clone(),
            limits,
            changed: Vec::new(),
            needs: Vec::new(),
            asked: None,
            known: HashSet::new(),
            known_folders: HashSet::new(),
            listed: HashSet::new(),
            requests: 0,
            listings: 0,
            steps: 0,
            files: Vec::new(),
            missing: HashSet::new(),
            questions: Questions::default(),
            picks: Vec::new(),
            keys: Vec::new(),
            callers: None,
            notes: Vec::new(),
            unasked: false,
            outcome: None,
        }
    }
}

/// What an extraction needs next.
#[derive(Debug)]
pub enum Step {
    /// This file: ask the forge for it, then call [`Extraction::give`].
    Want(RepoPath),
    /// The names of the files in this folder (empty: the root): ask the forge for them, then call
    /// [`Extraction::give_names`]. Only where [`Limits::listing`] allows it.
    List(String),
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
    changed: Vec<RepoPath>,
    needs: Vec<String>,
    asked: Option<Asked>,
    /// What was asked for in earlier rounds: it is at hand.
    known: HashSet<RepoPath>,
    known_folders: HashSet<String>,
    listed: HashSet<String>,
    requests: u32,
    listings: u32,
    steps: u32,
    /// The finding's file comes first.
    files: Vec<Read>,
    missing: HashSet<RepoPath>,
    questions: Questions,
    /// By number of the file.
    picks: Vec<(usize, Pick)>,
    /// The literal keys that the finding looks values up by.
    keys: Vec<String>,
    /// Whether callers were looked for, and found.
    callers: Option<bool>,
    notes: Vec<String>,
    /// Whether something that was named as missing was not looked for.
    unasked: bool,
    outcome: Option<Result<Excerpt, NoExcerpt>>,
}

/// What was asked for, and for which question.
enum Asked {
    Own(RepoPath),
    Other(RepoPath, usize),
    Names(String),
}

impl Extraction {
    /// Says which files the change touches: callers are looked for there first.
    #[must_use]
    pub fn changing(mut self, paths: impl IntoIterator<Item = RepoPath>) -> Self {
        self.changed.extend(paths);
        self
    }

    /// Says what else is wanted: names, or paths, as a model writes them; of a sentence, what looks
    /// like code in it. What they add is ranked right behind the finding.
    #[must_use]
    pub fn needing(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.needs.extend(names.into_iter().flat_map(|need| needs::named(&need)));
        self
    }

    /// Says which files and folders were asked for in earlier rounds about the same finding. They
    /// count as asked for, each once; what is at hand may be wanted again, so that a round only adds.
    #[must_use]
    pub fn after(
        mut self,
        files: impl IntoIterator<Item = RepoPath>,
        folders: impl IntoIterator<Item = String>,
    ) -> Self {
        self.known.extend(files);
        self.known_folders.extend(folders);
        self
    }

    /// The next step. Asks for one thing at a time, and for the same one until it is given.
    #[expect(clippy::should_implement_trait, reason = "a step of a dialogue, not of a sequence")]
    pub fn next(&mut self) -> Step {
        if let Some(outcome) = &self.outcome {
            return Step::Done(Box::new(outcome.clone()));
        }
        match &self.asked {
            Some(Asked::Own(path) | Asked::Other(path, _)) => return Step::Want(path.clone()),
            Some(Asked::Names(folder)) => return Step::List(folder.clone()),
            None => {}
        }
        if self.files.is_empty() {
            let own = self.finding.location.as_ref().map(|l| l.path.clone());
            return match own {
                None => self.fail("the finding names no file"),
                Some(path) if !self.may_ask(&path) => self.fail("no file may be asked for"),
                Some(path) => {
                    self.count(&path);
                    self.asked = Some(Asked::Own(path.clone()));
                    Step::Want(path)
                }
            };
        }
        match self.further() {
            Some(step) => step,
            None => {
                let outcome = compose::excerpt(self);
                self.done(outcome)
            }
        }
    }

    /// What the most urgent question asks for that is not known yet.
    fn further(&mut self) -> Option<Step> {
        loop {
            if let Some(folder) = self.unanswered() {
                return Some(self.list(folder));
            }
            let (index, path) = self.questions.best()?;
            let path = path.clone();
            if self.callers == Some(true) && self.questions.is_route(index) {
                self.questions.settle(index);
            } else if self.missing.contains(&path) {
                self.questions.miss(index);
            } else if let Some(file) = self.files.iter().position(|f| f.path() == &path) {
                answers::give(self, index, file);
            } else if let Some(folder) = self.unlisted(index) {
                return Some(self.list(folder));
            } else if self.may_ask(&path) {
                self.count(&path);
                self.asked = Some(Asked::Other(path.clone(), index));
                return Some(Step::Want(path));
            } else {
                self.leave(index);
                self.questions.miss(index);
            }
        }
    }

    fn list(&mut self, folder: String) -> Step {
        self.listings += u32::from(!self.known_folders.contains(&folder));
        self.listed.insert(folder.clone());
        self.asked = Some(Asked::Names(folder.clone()));
        Step::List(folder)
    }

    /// A folder whose names may still lead to what was named as missing.
    fn unanswered(&self) -> Option<String> {
        let questions = self.questions.all.iter().enumerate();
        let open = questions.filter(|(_, q)| q.need.is_some() && q.candidates.is_empty());
        open.into_iter().find_map(|(index, _)| self.unlisted(index))
    }

    /// Says what a question that may ask for nothing more leaves out.
    fn leave(&mut self, index: usize) {
        let Some(question) = self.questions.all.get(index) else { return };
        let note = match (question.flow, &question.need) {
            (true, _) => "the flow passes through more files than may be asked for",
            (_, Some(_)) => {
                "no more files may be asked for: not all that was named as missing was looked for"
            }
            _ => return,
        };
        self.unasked |= question.need.is_some();
        if !self.notes.iter().any(|n| n == note) {
            self.notes.push(note.into());
        }
    }

    /// Whether a file is at hand, or may be asked for.
    fn may_ask(&self, path: &RepoPath) -> bool {
        self.known.contains(path) || self.requests() < self.limits.content_requests
    }

    fn count(&mut self, path: &RepoPath) {
        self.requests += u32::from(!self.known.contains(path));
    }

    /// A folder whose names would help with a question.
    fn unlisted(&self, index: usize) -> Option<String> {
        let question = self.questions.all.get(index).filter(|_| self.limits.listing)?;
        let guessed = question.candidates.len() > 1 || question.need.is_some();
        // What is named by its path is tried first.
        let exact = |need: &String| {
            question.candidates.front().is_some_and(|path| answers::is_path_of(path, need))
        };
        if question.need.as_ref().is_some_and(exact) {
            return None;
        }
        let room = self.listings() < self.limits.content_requests;
        let may = |folder: &&String| {
            guessed
                && !self.listed.contains(*folder)
                && (room || self.known_folders.contains(*folder))
        };
        question.folders.iter().find(may).cloned()
    }

    /// Hands over what became of the file that [`Extraction::next`] wanted. Any other path is
    /// ignored.
    pub fn give(&mut self, path: &RepoPath, answer: Answer<'_>) {
        let question = match &self.asked {
            Some(Asked::Own(asked)) if asked == path => None,
            Some(Asked::Other(asked, index)) if asked == path => Some(*index),
            _ => return,
        };
        self.asked = None;
        let read = match answer {
            Answer::Found(bytes) => SourceFile::read(path.clone(), bytes),
            Answer::Missing => Err("the file does not exist at this commit"),
            Answer::TooLarge => Err("the file is larger than may be read"),
        };
        match (read, question) {
            (Ok(file), None) => {
                let interest = read::own_interest(self, path);
                self.read(file, &interest);
                if let Err(why) = finding::read(self) {
                    self.done(Err(why));
                }
            }
            (Ok(file), Some(index)) => {
                let interest = read::interest(self, path);
                self.read(file, &interest);
                answers::give(self, index, self.files.len() - 1);
                self.questions.offer(path, index);
            }
            (Err(why), None) => {
                self.fail(why);
            }
            (Err(why), Some(index)) => {
                self.missing.insert(path.clone());
                if self.questions.all.get(index).is_some_and(|q| q.flow) {
                    self.notes.push(format!("a step of the flow is left out: {why}"));
                }
                self.questions.miss(index);
            }
        }
    }

    fn read(&mut self, file: SourceFile, interest: &Interest) {
        let read = Read::new(file, &self.limits, interest);
        self.steps = self.steps.saturating_add(read.steps);
        self.files.push(read);
    }

    /// Hands over the names of the files in the folder that [`Extraction::next`] wanted; none where
    /// they cannot be had.
    pub fn give_names(&mut self, folder: &str, names: &[&str]) {
        let Some(Asked::Names(asked)) = &self.asked else { return };
        if asked == folder {
            self.asked = None;
            listing::give(self, folder, names);
        }
    }

    /// How many files were asked for so far, those of earlier rounds included.
    pub fn requests(&self) -> u32 {
        self.requests.saturating_add(number(self.known.len()))
    }

    /// How many folders were asked for so far, those of earlier rounds included.
    pub fn listings(&self) -> u32 {
        self.listings.saturating_add(number(self.known_folders.len()))
    }

    /// Whether something that was named as missing was not looked for, since no more files may be
    /// asked for.
    pub fn is_spent(&self) -> bool {
        self.unasked
    }

    /// How many steps parsing has taken so far, of all files together: [`Limits::parse_steps`] for
    /// each at most.
    pub fn parse_steps(&self) -> u32 {
        self.steps
    }

    fn fail(&mut self, why: &str) -> Step {
        self.done(Err(NoExcerpt::new(why)))
    }

    fn done(&mut self, outcome: Result<Excerpt, NoExcerpt>) -> Step {
        self.files.clear();
        Step::Done(Box::new(self.outcome.insert(outcome).clone()))
    }
}

fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
