//! A file that was given → its tree, and what it brings from elsewhere.

use chaffinch_core::{RepoPath, Rung};

use super::{Extraction, Limits, asker::Asker, finding::steps};
use crate::{
    engine::{self, Effort, Import, NoTree, Tree},
    language::{Language, Template},
    lines::SourceFile,
    origin,
    paths::Package,
    sparse::{self, Interest, Part},
};

/// Rows around the finding that must be readable in a part of its file.
const NEAR: u32 = 3;

/// Of the steps for a file, the share that is left for the nearest lines alone, should the part that
/// is to be parsed be too hard to read; and should a short file be.
const NEAREST: u32 = 4;
const NEAREST_OF_WHOLE: u32 = 10;

/// A file that was given, read once.
pub(super) struct Read {
    pub(super) file: SourceFile,
    pub(super) tree: Result<Tree, String>,
    pub(super) imports: Vec<Import>,
    pub(super) not_ours: Option<&'static str>,
    pub(super) template: Option<&'static Template>,
    /// The steps that parsing it took.
    pub(super) steps: u32,
    package: Option<Package>,
}

impl Read {
    pub(super) fn new(file: SourceFile, limits: &Limits, interest: &Interest) -> Self {
        let not_ours = origin::not_ours(&file);
        let mut steps = 0;
        let tree = match not_ours.is_some() || limits.ceiling == Rung::Finding {
            true => Err(String::new()),
            false => parse(&file, limits, interest, &mut steps),
        };
        let imports = match &tree {
            Ok(tree) if limits.ceiling >= Rung::Related => engine::imports(tree, file.text()),
            _ => Vec::new(),
        };
        let template = Template::of(&file.path, file.text());
        let package = Package::of(&file);
        Self { file, tree, imports, not_ours, template, steps, package }
    }

    pub(super) fn path(&self) -> &RepoPath {
        &self.file.path
    }

    pub(super) fn asker<'a>(&'a self, changed: &'a [RepoPath], hop: u32) -> Option<Asker<'a>> {
        let language = self.tree.as_ref().ok()?.language;
        let (package, met) = (self.package.as_ref(), Vec::new());
        let (path, imports) = (self.path(), self.imports.as_slice());
        Some(Asker { path, language, imports, changed, hop, package, met })
    }
}

fn parse(
    file: &SourceFile,
    limits: &Limits,
    interest: &Interest,
    steps: &mut u32,
) -> Result<Tree, String> {
    let by_name = Language::of(&file.path, file.line(1));
    let row = interest.rows.first().copied().filter(|_| by_name.is_none());
    let script = row.and_then(|row| sparse::script(file, row));
    let language = by_name
        .or(script.as_ref().map(|_| Language::of_scripts()))
        .ok_or("no grammar for this file")?;
    if file.text().len() > limits.max_file_bytes {
        return Err("the file is too large to parse".into());
    }
    let place = if script.is_some() { "in the file" } else { "file" };
    let rows = script.unwrap_or(0..file.len() as usize);
    let part = sparse::part(file, rows.clone(), interest);
    let share = if part.is_whole { NEAREST_OF_WHOLE } else { NEAREST };
    let nearest = limits.parse_steps / share;
    let mut effort = Effort::new(limits.parse_steps - nearest);
    let row = interest.rows.iter().copied().find(|row| *row < file.len());
    let tree = read(language, &part, row, &mut effort);
    *steps = limits.parse_steps - nearest - effort.left();
    let tree = match tree {
        Ok(tree) if part.is_whole || !is_broken(&tree, interest) => return Ok(tree),
        tree => tree.map_err(|why| format!("{} {place}, but {why}", language.name)),
    };
    // Where the cut breaks the syntax that matters, or the part is hard to read, fewer lines
    // without a gap may do.
    let mut effort = Effort::new(nearest + effort.left());
    let near = sparse::near(file, rows, interest)
        .and_then(|near| read(language, &near, row, &mut effort).ok())
        .filter(|tree| !is_broken(tree, interest));
    *steps = limits.parse_steps - effort.left();
    near.map_or(tree, Ok)
}

/// The tree of a part, if that has the row that matters most.
fn read(
    language: &'static Language,
    part: &Part,
    row: Option<u32>,
    effort: &mut Effort,
) -> Result<Tree, NoTree> {
    match row {
        Some(row) if !part.holds(row) => Err("the finding's line is too long to parse"),
        _ => engine::parse(language, part.text.expose(), &part.lines, effort),
    }
}

/// Whether something that matters could not be read.
fn is_broken(tree: &Tree, interest: &Interest) -> bool {
    interest.rows.iter().any(|row| tree.is_broken_near(*row, NEAR))
}

/// What is asked of the finding's own file.
pub(super) fn own_interest(extraction: &Extraction, path: &RepoPath) -> Interest {
    let stated = extraction.finding.location.as_ref().and_then(|l| l.region);
    let rows = stated.into_iter().chain(steps(extraction, path));
    Interest {
        rows: rows.map(|region| region.lines.start.saturating_sub(1)).collect(),
        names: extraction.needs.clone(),
        called: Vec::new(),
    }
}

/// What is asked of another file, by any question.
pub(super) fn interest(extraction: &Extraction, path: &RepoPath) -> Interest {
    let questions = || extraction.questions.all.iter();
    let wanted = questions().flat_map(|q| q.wanted.iter().map(|w| w.name.clone()));
    let uses = questions().flat_map(|q| q.uses.iter().map(|u| u.name.clone()));
    Interest {
        rows: steps(extraction, path).map(|r| r.lines.start.saturating_sub(1)).collect(),
        names: wanted.collect(),
        called: uses.chain(questions().filter_map(|q| q.rendered.clone())).collect(),
    }
}
