//! Conventional places: the routes of a handler without a caller, the value of a key that is looked
//! up. Asked for after all else.

use chaffinch_core::{Reason, RepoPath, Rung};

use super::{Extraction, questions::Question, read::Read};
use crate::{
    budget::{Pick, rank},
    engine::{Reading, Use},
    language::{Asks, Convention},
    lines::SourceFile,
    paths::{self, Place},
    window,
};

/// Lines further from the finding than this are not looked at for keys.
const FAR: u32 = 50;

/// Keys that are looked up, routes that are shown, lines that hold one of these, lines of a value.
const KEYS: usize = 4;
const ROUTES: usize = 3;
const HOLDERS: usize = 4;
const VALUE: u32 = 8;

/// How much less a conventional place matters than what the code itself points at.
const LATE: u32 = 40;

/// What a conventional file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sought {
    /// The lines that say how the outside reaches a handler.
    Route { handler: String, lines: Vec<String>, file: String, pointer: Pointer },
    /// The value of a key.
    Key { key: String, parts: Vec<String>, pointer: Pointer },
}

type Pointer = Option<(&'static str, &'static str)>;

impl Sought {
    /// The function whose route it is.
    pub(super) fn handler(&self) -> Option<&str> {
        match self {
            Self::Route { handler, .. } => Some(handler),
            Self::Key { .. } => None,
        }
    }

    fn pointer(&self) -> Pointer {
        match self {
            Self::Route { pointer, .. } | Self::Key { pointer, .. } => *pointer,
        }
    }

    /// The lines of `file` that tell it.
    pub(super) fn lines(&self, file: &SourceFile, at: u32) -> Vec<Pick> {
        let pick =
            |line, rank: u32, reason: Reason| Pick { line, rank, reason, rung: Rung::Related };
        match self {
            Self::Route { handler, lines, .. } => {
                let (found, at) = (routes(file, lines), at + rank::CALLER + rank::OTHER_FILE);
                let reason = || Reason::Caller(handler.clone());
                let holders = found
                    .iter()
                    .flat_map(|line| window::heads(file, *line).into_iter().take(HOLDERS));
                let holders = holders.map(|line| pick(line, at + rank::STEP, reason()));
                found.iter().map(|line| pick(*line, at, reason())).chain(holders).collect()
            }
            Self::Key { key, parts, .. } => {
                let reason = || Reason::Constant(key.clone());
                let at = at.saturating_sub(LATE) + rank::OTHER_FILE;
                value(file, parts).into_iter().map(|line| pick(line, at, reason())).collect()
            }
        }
    }

    /// Where the others are, if `file` is the one that names their folder.
    pub(super) fn pointed(&self, file: &SourceFile) -> Vec<RepoPath> {
        let Some((_, mark)) = self.pointer().filter(|(name, _)| file.path.file_name() == *name)
        else {
            return Vec::new();
        };
        let line = (1..=file.len()).map(|line| file.line(line)).find(|line| line.contains(mark));
        let module = line.and_then(|line| line.split(['"', '\'']).rev().nth(1)).unwrap_or_default();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        if module.is_empty() || !module.chars().all(plain) {
            return Vec::new();
        }
        let (folder, _) = module.rsplit_once('.').unwrap_or(("", module));
        let here = Place::of(&file.path);
        let inside = |name: &str| here.file(&format!("{}/{name}", folder.replace('.', "/")));
        match self {
            Self::Key { .. } => here.file(&format!("{}.py", module.replace('.', "/"))),
            Self::Route { file, .. } => inside(file),
        }
    }
}

/// What the finding's file leaves to conventional places. `asked` is what is asked already: the route of
/// a handler comes before guesses at other callers.
pub(super) fn questions(
    extraction: &Extraction,
    read: &Read,
    reading: &Reading,
    asked: &[Question],
) -> Vec<Question> {
    let Ok(tree) = &read.tree else { return Vec::new() };
    let mut found = Vec::new();
    for convention in tree.language.conventions {
        let told = convention.tells;
        if !told.is_empty() && !told.iter().any(|mark| read.file.text().contains(mark)) {
            continue;
        }
        match &convention.asks {
            Asks::Route { layers, lines } => {
                let handler = reading.handler.as_ref().filter(|_| !reading.called);
                let late = rank::SIGNATURE + rank::CALLER + LATE;
                let guess =
                    |h: &Use| asked.iter().filter(|q| q.calls(&h.name)).map(|q| q.rank).min();
                found.extend(handler.and_then(|h| {
                    let rank = guess(h).map_or(late, |rank| rank.saturating_sub(1));
                    route(read, convention, (layers, lines), h, rank)
                }));
            }
            Asks::Key { shapes, separator } => {
                for (key, rank) in keys(extraction, &read.file, shapes, *separator) {
                    found.extend(question(read, convention, &key, *separator, rank));
                }
            }
        }
    }
    found
}

fn route(
    read: &Read,
    convention: &Convention,
    (layers, lines): (&[&str], &[&str]),
    handler: &Use,
    rank: u32,
) -> Option<Question> {
    let place = Place::of(read.path());
    if !layers.iter().any(|layer| place.is_of(layer)) {
        return None;
    }
    let (function, class) = (handler.name.as_str(), handler.class.as_deref());
    let base = paths::base(read.path());
    let lines = lines.iter().filter(|line| class.is_some() || !line.contains("{class}"));
    let lines = lines.map(|line| {
        line.replace("{handler}", class.unwrap_or(function))
            .replace("{function}", function)
            .replace("{class}", class.unwrap_or_default())
            .replace("{base}", &base)
    });
    let candidates = place.conventional(convention.paths, &[]);
    let sought = Sought::Route {
        handler: function.to_owned(),
        lines: lines.collect(),
        file: candidates.first()?.file_name().to_owned(),
        pointer: convention.pointer,
    };
    Some(Question {
        rank,
        candidates: candidates.into(),
        sought: Some(sought),
        ..Question::default()
    })
}

fn question(
    read: &Read,
    convention: &Convention,
    key: &str,
    separator: char,
    rank: u32,
) -> Option<Question> {
    let mut parts: Vec<String> = key.split(separator).map(str::to_owned).collect();
    let file = parts.first().cloned().unwrap_or_default();
    if convention.paths.iter().any(|path| path.contains("{key}")) {
        parts.remove(0);
    }
    if parts.is_empty() || parts.iter().any(String::is_empty) {
        return None;
    }
    let mut fill = vec![("{key}", file)];
    fill.extend(named(&read.file, convention.paths).map(|name| ("{named}", name)));
    let candidates = Place::of(read.path()).conventional(convention.paths, &fill).into();
    let sought = Sought::Key { key: key.to_owned(), parts, pointer: convention.pointer };
    let rank = rank + rank::VALUE + LATE;
    Some(Question { rank, candidates, sought: Some(sought), ..Question::default() })
}

/// A file that the code names in quotes, without the ending that `paths` expect.
fn named(file: &SourceFile, paths: &[&str]) -> Option<String> {
    let ending = paths.iter().find_map(|path| path.split_once("{named}"))?.1;
    let quoted = file.text().split(['"', '\'']).skip(1).step_by(2);
    let mut names = quoted.filter_map(|text| text.strip_suffix(ending));
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    names
        .find(|name| !name.is_empty() && name.len() < 80 && name.chars().all(plain))
        .map(|name| name.trim_start_matches('/').to_owned())
}

/// The keys that lines of the slice look up, nearest first.
fn keys(
    extraction: &Extraction,
    file: &SourceFile,
    shapes: &[&str],
    separator: char,
) -> Vec<(String, u32)> {
    let near = |pick: &&Pick| pick.rank <= FAR && pick.rung <= Rung::Function;
    let own = extraction.picks.iter().filter(|(file, _)| *file == 0).map(|(_, pick)| pick);
    let mut picks: Vec<&Pick> = own.filter(near).filter(|p| p.reason != Reason::Window).collect();
    picks.sort_by_key(|pick| (pick.rank, pick.line));
    let mut found: Vec<(String, u32)> = Vec::new();
    for pick in picks {
        let line = file.line(pick.line);
        for key in shapes.iter().filter_map(|shape| looked_up(line, shape, separator)) {
            if found.len() < KEYS && !found.iter().any(|(known, _)| known == key) {
                found.push((key.to_owned(), pick.rank));
            }
        }
    }
    found
}

/// The key that `line` looks up in this shape.
fn looked_up<'l>(line: &'l str, shape: &str, separator: char) -> Option<&'l str> {
    let upper = shape.contains("{KEY}");
    let (front, back) = shape.split_once(if upper { "{KEY}" } else { "{key}" })?;
    let is_key = |c: char| {
        let part = matches!(c, '_' | '-') || c == separator;
        if upper {
            c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
        } else {
            c.is_alphanumeric() || part
        }
    };
    places(line, front).find_map(|at| {
        let rest = line.get(at + front.len()..)?;
        let end = rest.find(|c| !is_key(c)).unwrap_or(rest.len());
        let (key, after) = (rest.get(..end)?, rest.get(end..)?);
        let whole = upper.then(|| !after.starts_with(|c: char| c.is_alphanumeric() || c == '('));
        let fits = is_like(after, back) && whole.unwrap_or(true);
        (fits && !key.is_empty() && key.len() <= 80).then_some(key)
    })
}

/// Where `line` holds `text` and no word goes on to the left of it.
fn places<'l>(line: &'l str, text: &'l str) -> impl Iterator<Item = usize> + 'l {
    let is_word = text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    line.char_indices().map(|(at, _)| at).filter(move |at| {
        let before = line.get(..*at).and_then(|front| front.chars().next_back());
        let apart = before.is_none_or(|c| {
            !is_word || !(c.is_alphanumeric() || matches!(c, '_' | '.' | '>' | '$'))
        });
        apart && line.get(*at..).is_some_and(|rest| is_like(rest, text))
    })
}

/// Whether `rest` begins with `text`, whatever the quotation marks.
fn is_like(rest: &str, text: &str) -> bool {
    let same = |(a, b): (u8, u8)| a == b || (b == b'\'' && matches!(a, b'"' | b'`'));
    rest.len() >= text.len() && rest.bytes().zip(text.bytes()).all(same)
}

/// The lines of `file` that hold one of these, those of the first first.
fn routes(file: &SourceFile, wanted: &[String]) -> Vec<u32> {
    let brings = |line: &str| ["import ", "from ", "use "].iter().any(|w| line.starts_with(w));
    let holds = |line: u32, wanted: &str| {
        let text = file.line(line);
        let end = |at: usize| text.get(at + wanted.len()..).unwrap_or_default();
        let whole = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let plain = wanted.chars().all(|c| c.is_alphanumeric() || c == '_');
        match plain {
            true => window::holds(text, wanted),
            false => places(text, wanted).any(|at| whole(end(at)) || wanted.ends_with(['\'', ')'])),
        }
    };
    for wanted in wanted {
        let lines = (1..=file.len()).filter(|line| file.has_code(*line));
        let lines = lines.filter(|line| !brings(file.line(*line)) && holds(*line, wanted));
        let lines: Vec<u32> = lines.take(ROUTES).collect();
        if !lines.is_empty() {
            return lines;
        }
    }
    Vec::new()
}

/// The lines of the key with these parts: those of the parts around, and its value.
fn value(file: &SourceFile, parts: &[String]) -> Vec<u32> {
    let named = |line: u32, key: &str| is_entry(file.line(line), key);
    let whole = parts.join(".");
    let (mut found, mut from, mut until) = (Vec::new(), 1, file.len());
    let lines = |from: u32, until: u32| from..=until;
    if let Some(line) = lines(1, file.len()).find(|line| named(*line, &whole)) {
        found.push(line);
    } else {
        for part in parts {
            let Some(line) = lines(from, until).find(|line| named(*line, part)) else {
                return Vec::new();
            };
            found.push(line);
            until = end_of(file, line);
            from = line + 1;
        }
    }
    let last = found.last().copied().unwrap_or_default();
    let rest = last + 1..=end_of(file, last).min(last + VALUE);
    found.extend(rest.filter(|line| file.has_code(*line)));
    found
}

/// The last line of what is written below `line`, by indentation.
fn end_of(file: &SourceFile, line: u32) -> u32 {
    let own = indent(file.line(line));
    let below = (line + 1..=file.len()).filter(|at| !file.line(*at).trim().is_empty());
    below.take_while(|at| indent(file.line(*at)) > own).last().unwrap_or(line)
}

/// Whether a line gives `key` a value (`key: x`, `"key": x`, `'key' => x`, `key = x`, or in XML).
fn is_entry(line: &str, key: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    let bare = line.trim_start_matches(['"', '\'']);
    let Some(rest) = bare.get(..key.len()).filter(|front| front.eq_ignore_ascii_case(key)) else {
        return is_member(line, key) || line.contains(&format!("key=\"{key}\""));
    };
    let rest = bare.get(rest.len()..).unwrap_or_default().trim_start_matches(['"', '\'']);
    rest.trim_start().starts_with([':', '=']) && !rest.trim_start().starts_with("==")
}

/// Whether a line gives a member of this name a value (`config.key = x`, `app.config["key"] = x`).
fn is_member(line: &str, key: &str) -> bool {
    let Some((left, _)) = line.split_once('=') else { return false };
    let left = left.trim_end().trim_end_matches(['"', '\'', ']']);
    let front = left.strip_suffix(key);
    front.is_some_and(|front| front.ends_with(['.', '"', '\'']))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
