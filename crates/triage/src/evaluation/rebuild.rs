//! A prompt made again: the same lines of the same commit, past the same door.

use std::collections::HashMap;

use chaffinch_context::{CUT, WholeLines};
use chaffinch_core::{Excerpt, ExcerptLine, ForgeError, Prompt, RepoPath, SourceText};
use chaffinch_egress::{Door, Inspected, prompt_digest};
use serde::{Deserialize, Serialize};

use super::{
    Record,
    beside::{line, with},
};
use crate::{ANSWER, INSTRUCTIONS, PROMPT_VERSION, cached::words::together, files::Files};

/// The most lines of one prompt: far above any budget.
const MAX_LINES: u32 = 100_000;
/// How many places of a line are tried for what was shown of it.
const PLACES: usize = 50;

/// Which part of a wide line was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    path: RepoPath,
    line: u32,
    /// So many characters stand before it.
    start: usize,
    /// So many it has.
    columns: usize,
}

impl Cut {
    /// The part of `whole`, with the marks of the cut.
    fn of(&self, whole: &str) -> SourceText {
        let mut out = String::with_capacity(whole.len().min(4 * self.columns) + 2 * CUT.len_utf8());
        if self.start > 0 {
            out.push(CUT);
        }
        let mut rest = whole.chars().skip(self.start);
        out.extend(rest.by_ref().take(self.columns));
        if rest.next().is_some() {
            out.push(CUT);
        }
        SourceText::new(out)
    }

    /// Where `shown` stands in `whole`.
    fn find(path: &RepoPath, line: u32, shown: &str, whole: &str) -> Option<Self> {
        let after = shown.strip_prefix(CUT).unwrap_or(shown);
        let before = shown.strip_suffix(CUT).unwrap_or(shown);
        let both = after.strip_suffix(CUT).unwrap_or(after);
        let places = [both, after, before].into_iter().filter(|body| !body.is_empty());
        let mut places = places.flat_map(|body| {
            let columns = body.chars().count();
            whole.match_indices(body).take(PLACES).map(move |(at, _)| (at, columns))
        });
        places.find_map(|(at, columns)| {
            let start = whole[..at].chars().count();
            let cut = Self { path: path.clone(), line, start, columns };
            (cut.of(whole).expose() == shown).then_some(cut)
        })
    }
}

/// Which lines of an excerpt are parts of wide ones. Their files are at hand.
pub(crate) async fn cuts(files: &Files<'_>, excerpt: &Excerpt) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for line in excerpt.lines() {
        let shown = line.text.expose();
        if !shown.starts_with(CUT) && !shown.ends_with(CUT) {
            continue;
        }
        let Ok(file) = files.get(&line.path).await else { continue };
        let Ok(whole) = WholeLines::read(line.path.clone(), file.expose()) else { continue };
        let whole = whole.line(line.number).unwrap_or_default();
        if whole != line.text {
            cuts.extend(Cut::find(&line.path, line.number, shown, whole.expose()));
        }
    }
    cuts
}

/// The prompt of `record` as it would leave now.
///
/// # Errors
/// Why it is not the same, in our own words.
pub(super) async fn rebuilt(
    door: &Door,
    files: &Files<'_>,
    record: &Record,
) -> Result<Inspected, String> {
    let asked = &record.prompt;
    if asked.version != PROMPT_VERSION {
        let then = printable(&asked.version);
        return Err(format!(
            "it was asked with prompt {then}, and this version asks with {PROMPT_VERSION}"
        ));
    }
    let Some(question) = &asked.question else {
        return Err("its question held text that was redacted, which nothing brings back".into());
    };
    let excerpt = excerpt(files, record).await?;
    let lines = with(&excerpt, beside(files, record).await);
    let Some(question) = together(question, &lines) else {
        return Err("its question quotes lines that are other ones now".into());
    };
    let prompt = Prompt {
        version: PROMPT_VERSION,
        instructions: INSTRUCTIONS,
        schema: &ANSWER,
        question,
        excerpt,
        marker: asked.marker.clone(),
        max_output_tokens: asked.max_output_tokens,
    };
    let inspected = door
        .inspect(prompt)
        .map_err(|error| format!("the policy in force does not let it out: {error}"))?;
    if prompt_digest(inspected.prompt()) == asked.digest {
        return Ok(inspected);
    }
    Err(match *inspected.redactions() == asked.redactions {
        true => "its digest is another one, though the lines and the version are the same".into(),
        false => "other text is redacted now than was then".into(),
    })
}

/// The lines that only the question quotes; where one is missing, the question does not fit.
async fn beside(files: &Files<'_>, record: &Record) -> Vec<ExcerptLine> {
    let numbers = &record.prompt.beside;
    let Some(at) = record.location.as_ref().filter(|_| !numbers.is_empty()) else {
        return Vec::new();
    };
    let Ok(file) = files.get(&at.path).await else { return Vec::new() };
    let Ok(whole) = WholeLines::read(at.path.clone(), file.expose()) else { return Vec::new() };
    let found = numbers.iter().filter_map(|number| Some((*number, whole.line(*number)?)));
    found.map(|(number, text)| line(&at.path, number, text)).collect()
}

async fn excerpt(files: &Files<'_>, record: &Record) -> Result<Excerpt, String> {
    let asked = &record.prompt;
    let ranges = asked.sent.iter().map(|sent| sent.end.saturating_sub(sent.start));
    if ranges.fold(0, u32::saturating_add) > MAX_LINES {
        return Err("it has more lines than a prompt can have".into());
    }
    let mut read: HashMap<&RepoPath, WholeLines> = HashMap::new();
    let mut lines = Vec::new();
    for sent in &asked.sent {
        let path = &sent.path;
        if !read.contains_key(path) {
            let bytes = files.get(path).await.map_err(|error| match error {
                ForgeError::NotFound => format!("{path} is not there at that commit any more"),
                error => format!("{path} could not be read: {error}"),
            })?;
            let whole = WholeLines::read(path.clone(), bytes.expose());
            read.insert(path, whole.map_err(|why| format!("{path}: {why}"))?);
        }
        let whole = read.get(path);
        for number in sent.start..=sent.end {
            let text = whole.and_then(|file| file.line(number));
            let text = text.ok_or_else(|| format!("{path} has no line {number} now"))?;
            let cut = asked.cuts.iter().find(|cut| cut.line == number && cut.path == *path);
            let text = cut.map_or_else(|| text.clone(), |cut| cut.of(text.expose()));
            let reason = sent.reason.clone();
            lines.push(ExcerptLine { path: path.clone(), number, text, reason });
        }
    }
    Excerpt::new(lines, asked.rung, asked.notes.clone()).map_err(|error| error.to_string())
}

fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_wide_line_is_found_again() {
        let wide = format!("{}needle-é{}", "ab".repeat(300), "cd".repeat(300));
        let path: RepoPath = "a.js".parse().unwrap();
        for (start, columns) in [(0, 400), (480, 200), (1_008, 200), (1, 1_206)] {
            let cut = Cut { path: path.clone(), line: 1, start, columns };
            let shown = cut.of(&wide);
            let found = Cut::find(&path, 1, shown.expose(), &wide).unwrap();
            assert_eq!(found.of(&wide), shown);
        }
        let natural = "a line that ends so…";
        assert_eq!(Cut::find(&path, 1, "another…", natural), None);
    }
}
