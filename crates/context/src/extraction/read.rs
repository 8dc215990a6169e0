//! A file that was given → its tree, and what it brings from elsewhere.

use chaffinch_core::{RepoPath, Rung};

use super::{Extraction, Limits, asker::Asker, finding::steps};
use crate::{
    engine::{self, Effort, Import, Tree},
    language::{Language, Template},
    lines::SourceFile,
    origin,
    paths::Package,
    sparse::{self, Interest},
};

/// Rows around the finding that must be readable in a part of its file.
const NEAR: u32 = 3;

/// Bytes and lines beyond which a text is not parsed: what its tree takes in memory grows with both.
const MOST_BYTES: usize = 432 << 10;
const MOST_LINES: usize = 30_000;

/// A file that was given, read once.
pub(super) struct Read {
    pub(super) file: SourceFile,
    pub(super) tree: Result<Tree, String>,
    pub(super) imports: Vec<Import>,
    pub(super) not_ours: Option<&'static str>,
    pub(super) template: Option<&'static Template>,
    package: Option<Package>,
}

impl Read {
    pub(super) fn new(file: SourceFile, limits: &Limits, interest: &Interest) -> Self {
        let not_ours = origin::not_ours(&file);
        let tree = match not_ours.is_some() || limits.ceiling == Rung::Finding {
            true => Err(String::new()),
            false => parse(&file, limits, interest),
        };
        let imports = match &tree {
            Ok(tree) if limits.ceiling >= Rung::Related => engine::imports(tree, file.text()),
            _ => Vec::new(),
        };
        let template = Template::of(&file.path, file.text());
        let package = Package::of(&file);
        Self { file, tree, imports, not_ours, template, package }
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

fn parse(file: &SourceFile, limits: &Limits, interest: &Interest) -> Result<Tree, String> {
    let by_name = Language::of(&file.path, file.line(1));
    let row = interest.rows.first().copied().filter(|_| by_name.is_none());
    let script = row.and_then(|row| sparse::script(file, row));
    let language = by_name
        .or(script.as_ref().map(|_| Language::of_scripts()))
        .ok_or("no grammar for this file")?;
    if file.text().len() > limits.max_file_bytes {
        return Err("the file is too large to parse".into());
    }
    let mut effort = Effort::new(limits.parse_steps);
    if let Some(script) = script {
        return engine::parse(language, &script, &mut effort)
            .map_err(|why| format!("{} in the file, but {why}", language.name));
    }
    // Where the cut breaks the syntax that matters, the whole is read after all.
    let part = sparse::text(file, interest)
        .filter(|part| fits(part))
        .and_then(|part| engine::parse(language, &part, &mut effort).ok())
        .filter(|tree| !interest.rows.iter().any(|row| tree.is_broken_near(*row, NEAR)));
    if let Some(tree) = part {
        return Ok(tree);
    }
    if !fits(file.text()) {
        return Err(format!("{} file, but it is too large to parse as a whole", language.name));
    }
    engine::parse(language, file.text(), &mut effort)
        .map_err(|why| format!("{} file, but {why}", language.name))
}

/// Whether a text may be parsed: so much of it as is not blank.
fn fits(text: &str) -> bool {
    let lines = || text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    let small = text.len() <= MOST_BYTES;
    (small || lines().map(str::len).sum::<usize>() <= MOST_BYTES) && lines().count() <= MOST_LINES
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
