//! What other files may tell, and in which order it is asked.

use std::collections::VecDeque;

use chaffinch_core::RepoPath;

use super::{asker::folder_of, places::Sought};
use crate::{
    budget::rank,
    engine::{Use, Wanted},
    paths::Place,
};

/// How much less a question matters after each file that was of no help.
const TRIED: u32 = 6;

/// Questions about one finding.
const MANY: usize = 40;

/// Something that another file may tell.
#[derive(Default)]
pub(super) struct Question {
    pub(super) rank: u32,
    pub(super) tried: u32,
    /// Files to try, best first.
    pub(super) candidates: VecDeque<RepoPath>,
    /// Folders whose file names would tell which of these there are.
    pub(super) folders: Vec<String>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) uses: Vec<Use>,
    /// Whether the scanner's flow passes through.
    pub(super) flow: bool,
    /// The file name of the template that is rendered.
    pub(super) rendered: Option<String>,
    /// That with the folder in front of it.
    pub(super) rendered_in: String,
    /// The name under which it was asked for.
    pub(super) need: Option<String>,
    /// What a conventional file is asked for.
    pub(super) sought: Option<Sought>,
    /// Whether the files to try are spellings of one.
    pub(super) only: bool,
    /// Files between this and the finding.
    pub(super) hop: u32,
    /// Files that were read for another question.
    pub(super) offered: Vec<RepoPath>,
    /// Whether it needs no answer any more.
    pub(super) settled: bool,
}

impl Question {
    /// A step of the scanner's flow.
    pub(super) fn flow(path: RepoPath) -> Self {
        Self { candidates: VecDeque::from([path]), flow: true, ..Self::default() }
    }

    /// Who renders a template, under which name, and what its names stand for there.
    pub(super) fn rendered(path: &RepoPath, renderers: &[&str], wanted: Vec<Wanted>) -> Self {
        let candidates = Place::of(path).renderers(renderers);
        let name = path.file_name().to_owned();
        let rank = rank::SLICE + rank::CALLER;
        let folder = folder_of(path).rsplit('/').next().unwrap_or_default();
        let rendered_in = format!("{folder}/{name}");
        let rendered = Some(name);
        let candidates = candidates.into();
        Self { rank, candidates, wanted, rendered, rendered_in, ..Self::default() }
    }

    /// What was named as missing.
    pub(super) fn need(name: &str, candidates: Vec<RepoPath>, wanted: Vec<Wanted>) -> Self {
        let need = Some(name.to_owned());
        Self { rank: 1, candidates: candidates.into(), wanted, need, ..Self::default() }
    }

    /// Whether it asks who calls a function.
    pub(super) fn calls(&self, function: &str) -> bool {
        self.uses.iter().any(|wanted| wanted.name == function)
    }

    /// The question is settled.
    pub(super) fn settle(&mut self) {
        self.candidates.clear();
        self.folders.clear();
        self.settled = true;
    }

    fn order(&self) -> u32 {
        self.rank.saturating_add(TRIED * self.tried)
    }
}

/// The questions about one finding.
#[derive(Default)]
pub(super) struct Questions {
    pub(super) all: Vec<Question>,
}

impl Questions {
    /// Adds a question, or what it asks to one about the same files.
    pub(super) fn add(&mut self, question: Question) {
        if question.candidates.is_empty() {
            return;
        }
        let room = self.all.len() < MANY;
        let same = self.all.iter_mut().find(|q| {
            q.candidates == question.candidates
                && q.flow == question.flow
                && q.need == question.need
                && q.sought == question.sought
        });
        match same {
            Some(known) => {
                known.rank = known.rank.min(question.rank);
                known.wanted.extend(question.wanted);
                known.uses.extend(question.uses);
            }
            None if room => self.all.push(question),
            None => {}
        }
    }

    /// The question that matters most, with the next file to try.
    pub(super) fn best(&self) -> Option<(usize, &RepoPath)> {
        let open = self.all.iter().enumerate();
        let first = open.filter_map(|(i, q)| Some((q.order(), i, q.candidates.front()?)));
        first.min_by_key(|(order, i, _)| (*order, *i)).map(|(_, i, path)| (i, path))
    }

    /// A file was read for the question number `index`: it may answer others too, those about names
    /// that nothing leads to, or about its folder.
    pub(super) fn offer(&mut self, path: &RepoPath, index: usize) {
        let folder = folder_of(path);
        for (number, question) in self.all.iter_mut().enumerate() {
            let fits = question.need.is_some() || question.folders.iter().any(|f| f == folder);
            let open = !question.settled && number != index;
            if open && fits && !question.candidates.contains(path) {
                question.candidates.push_front(path.clone());
                question.offered.push(path.clone());
            }
        }
    }

    /// Whether a question is about a route.
    pub(super) fn is_route(&self, index: usize) -> bool {
        let sought = self.all.get(index).and_then(|question| question.sought.as_ref());
        sought.is_some_and(|sought| sought.handler().is_some())
    }

    /// A question needs no answer any more.
    pub(super) fn settle(&mut self, index: usize) {
        self.all.get_mut(index).into_iter().for_each(Question::settle);
    }

    /// The first file of a question was of no help.
    pub(super) fn miss(&mut self, index: usize) {
        if let Some(question) = self.all.get_mut(index) {
            let tried = question.candidates.pop_front();
            // What was at hand anyway speaks for no other file.
            let asked = tried.is_some_and(|path| !question.offered.contains(&path));
            question.tried += u32::from(asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does not compile for a type with `Debug`: there would be two ways to read the call.
    macro_rules! prints_nothing {
        ($($type:ty),*) => {{
            trait Unclear<Way> { fn says() {} }
            struct Printed;
            impl<T: ?Sized> Unclear<()> for T {}
            impl<T: ?Sized + std::fmt::Debug> Unclear<Printed> for T {}
            $(<$type as Unclear<_>>::says();)*
        }};
    }

    #[test]
    fn questions_hold_names_of_the_source_and_cannot_be_printed() {
        prints_nothing!(Question, Questions);
    }
}
