//! Lines of a template that matter: the code in the finding's lines, the blocks around them, and
//! where their names get a value.

use std::collections::BTreeSet;

use chaffinch_core::{LineRange, Reason, Rung};

use crate::{
    budget::{Pick, rank},
    engine::Wanted,
    language::Template,
    lines::SourceFile,
    window::{self, holds},
};

/// Lines back to which blocks and values are looked for.
const FAR: u32 = 600;

/// Lines of one tag at most.
const TAG: u32 = 12;

/// Blocks around the finding that are shown.
const BLOCKS: usize = 6;

/// Words of code that are no names of values.
const WORDS: [&str; 24] = [
    "if",
    "for",
    "in",
    "do",
    "end",
    "else",
    "not",
    "and",
    "or",
    "each",
    "raw",
    "html_safe",
    "safe",
    "nil",
    "true",
    "false",
    "unless",
    "set",
    "with",
    "var",
    "let",
    "const",
    "render",
    "as",
];

/// Beginnings of blocks that are shown only if something holds.
const CONDITIONS: [&str; 9] =
    ["if", "unless", "else", "elsif", "elif", "when", "case", "<c:if", "<c:when"];

/// What a template tells of the finding's lines.
pub(crate) struct Told {
    pub(crate) picks: Vec<Pick>,
    /// The names of values in its code.
    pub(crate) names: Vec<Wanted>,
}

/// Reads the lines around `lines`.
pub(crate) fn read(file: &SourceFile, template: &Template, lines: LineRange) -> Told {
    let names: BTreeSet<&str> = (lines.start..=lines.end)
        .take(40)
        .flat_map(|line| names(file.line(line), template))
        .collect();
    let mut picks = Vec::new();
    let mut add = |line: u32, rank: u32, reason: Reason| {
        picks.push(Pick { line, rank, reason, rung: Rung::Slice });
    };
    for (steps, (line, head)) in blocks(file, template, lines.start).into_iter().rev().enumerate() {
        let far = rank::SLICE + 4 * u32::try_from(steps).unwrap_or_default();
        let condition = CONDITIONS.iter().any(|word| head.starts_with(word));
        add(line, far, if condition { Reason::Guard } else { Reason::Slice });
        let defined = names.iter().filter(|name| holds(head, name)).count();
        if defined > 0 {
            add(line, rank::SIGNATURE, Reason::Slice);
        }
    }
    for line in (lines.start.saturating_sub(FAR).max(1)..lines.start).rev() {
        let code = codes(file.line(line), template);
        if let Some(name) = names.iter().find(|name| code.iter().any(|code| gives(code, name))) {
            add(line, rank::SLICE + rank::VALUE, Reason::Definition((*name).to_owned()));
        }
    }
    picks.extend(elements(file, lines.start));
    if !has_code(file, template, lines) {
        picks.extend(window::picks(file, lines));
    }
    let wanted = |name: &&str| Wanted {
        name: (*name).to_owned(),
        object: None,
        called: true,
        rank: rank::SLICE,
    };
    Told { picks, names: names.iter().map(wanted).collect() }
}

/// Whether there is code of the template in these lines, not only text.
pub(crate) fn has_code(file: &SourceFile, template: &Template, lines: LineRange) -> bool {
    (lines.start..=lines.end).take(40).any(|line| !codes(file.line(line), template).is_empty())
}

/// The pieces of code in a line. One that is not closed goes to the line's end.
fn codes<'l>(line: &'l str, template: &Template) -> Vec<&'l str> {
    let mut found = Vec::new();
    for (open, close) in template.marks {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once(open) {
            let (code, further) = after.split_once(close).unwrap_or((after, ""));
            found.push(code.trim_matches(['=', '-', '+', ' ', '#', '~', '!']));
            rest = further;
        }
    }
    found
}

/// The names in the code of a line.
fn names<'l>(line: &'l str, template: &Template) -> Vec<&'l str> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
    let name = |word: &&str| {
        word.len() > 1
            && word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && !WORDS.contains(word)
    };
    let codes = codes(line, template).into_iter();
    codes
        .flat_map(|code| code.split(['"', '\'']).step_by(2).flat_map(move |part| part.split(word)))
        .map(|path| path.split('.').next().unwrap_or_default())
        .filter(name)
        .collect()
}

/// The heads of the blocks that are open at a line, from outside in.
fn blocks<'f>(file: &'f SourceFile, template: &Template, at: u32) -> Vec<(u32, &'f str)> {
    let mut open: Vec<(u32, &str)> = Vec::new();
    let mut inside = false;
    for line in at.saturating_sub(FAR).max(1)..at {
        let text = file.line(line);
        let within = inside.then(|| text.trim());
        inside = template.marks.iter().any(|(open, close)| {
            match (text.rfind(open), text.rfind(close)) {
                (Some(open), Some(close)) => open > close,
                (Some(_), None) => open.len() == 2 && close.len() == 2,
                (None, Some(_)) => false,
                (None, None) => inside,
            }
        });
        for code in codes(text, template).into_iter().chain(tags(text)).chain(within) {
            let starts = |words: &[&str]| {
                words.iter().any(|word| {
                    let rest = code.strip_prefix(word);
                    let letter = word.ends_with(char::is_alphanumeric) && *word != "end";
                    rest.is_some_and(|r| !letter || !r.starts_with(char::is_alphanumeric))
                })
            };
            if starts(template.turns) {
                open.pop();
                open.push((line, code));
            } else if starts(template.closes) {
                open.pop();
            } else if starts(template.opens) || code.ends_with('{') || is_block(code) {
                open.push((line, code));
            }
        }
    }
    let skip = open.len().saturating_sub(BLOCKS);
    open.split_off(skip)
}

/// Where the script, the style sheet and the tag begin that a line stands in the middle of: what they
/// are decides how a value must be escaped.
pub(crate) fn elements(file: &SourceFile, at: u32) -> impl Iterator<Item = Pick> {
    let mut found = Vec::new();
    for name in ["script", "style"] {
        let turn = (at.saturating_sub(FAR).max(1)..at).rev().find_map(|line| {
            let text = file.line(line);
            let opens = text.rfind(&format!("<{name}"));
            let closes = text.rfind(&format!("</{name}"));
            (opens.is_some() || closes.is_some()).then_some((line, opens > closes))
        });
        found.extend(turn.filter(|(_, opens)| *opens).map(|(line, _)| line));
    }
    let turn = (at.saturating_sub(TAG).max(1)..at).rev().find_map(|line| {
        let text = file.line(line);
        let opens = text.match_indices('<').map(|(at, _)| at).rfind(|at| {
            text.get(at + 1..).is_some_and(|rest| rest.starts_with(char::is_alphabetic))
        });
        let arrow =
            |at: &usize| !text.get(..*at).is_some_and(|t| t.ends_with(['%', '-', '=', '?']));
        let closes = text.match_indices('>').map(|(at, _)| at).rfind(arrow);
        (opens.is_some() || closes.is_some()).then_some((line, opens > closes))
    });
    found.extend(turn.filter(|(_, opens)| *opens).map(|(line, _)| line));
    let rank = rank::SLICE + rank::STEP;
    let pick = move |line| Pick { line, rank, reason: Reason::Slice, rung: Rung::Slice };
    found.into_iter().map(pick)
}

/// `posts.each do |post|`
fn is_block(code: &str) -> bool {
    code.ends_with(" do") || (code.ends_with('|') && code.contains(" do |"))
}

/// The tags in a line that may be blocks.
fn tags(line: &str) -> impl Iterator<Item = &str> {
    let opens = line.match_indices("<c:").map(|(at, _)| at);
    let all = opens.chain(line.match_indices("</c:").map(|(at, _)| at));
    all.filter_map(|at| line.get(at..))
}

/// Whether a piece of code gives `name` its value.
fn gives(code: &str, name: &str) -> bool {
    let code = ["set ", "var ", "let ", "const ", "with "]
        .iter()
        .fold(code, |code, word| code.strip_prefix(word).unwrap_or(code));
    let rest = code.trim_start_matches('@').strip_prefix(name).map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("=="))
}
