//! Text → tree, with a bound on the effort that is the same on every machine: no clock, for a busy
//! machine must not change an excerpt.
//!
//! tree-sitter tells of its progress every hundred operations. What an operation costs differs a
//! thousandfold: where the syntax is wrong, each token makes it try every symbol of the grammar, and
//! a token that never ends is read to the end of the file at each place that may begin it. So three
//! things are counted: operations, bytes read, and, in one of [`EVERY`] hundreds of operations, what
//! the parser's log says of errors and of ways to read the text that are followed side by side.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
};

use tree_sitter::{LogType, ParseOptions, ParseState, Parser};

use super::tree::{Tree, flatten};
use crate::{language::Language, sparse::Line};

/// Bytes handed over at once.
const CHUNK: usize = 1_024;

/// Chunks that cost a step.
const CHUNKS: u32 = 4;

/// Steps from one look into the log to the next; the log is slow.
const EVERY: u32 = 64;

/// Steps that an error seen in the log costs: it stands for as many as the log was not looked at.
const ERROR: u32 = 64;

/// How many times a step costs where no way to read the text goes on: what is skipped piles up.
const LOST: u32 = 3;

/// How many times a step costs where the text could be read in several ways all along: each of
/// them is kept, and all are walked through at the end.
const AMBIGUOUS: u32 = 6;

/// Steps that any text may take, and bytes for each further one. The densest code takes one for ten
/// bytes; what takes more goes in circles.
const FEW: u32 = 400;
const BYTES: usize = 8;

/// Brackets within brackets; those in strings and comments count too.
const NESTED: u32 = 1_000;

/// What may stand open at once, as far as the log tells: nesting without brackets.
const OPEN: i64 = 40_000;

/// Why there is no tree, in our own words.
pub(crate) type NoTree = &'static str;

/// What is left of the steps that reading one file may take.
pub(crate) struct Effort {
    left: u32,
}

impl Effort {
    pub(crate) fn new(steps: u32) -> Self {
        Self { left: steps }
    }

    /// How many steps are left.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    fn spend(&mut self, steps: u32) {
        self.left = self.left.saturating_sub(steps);
    }
}

/// Reads a text, as far as the effort goes: some `lines` of a file; without them, all of it.
pub(crate) fn parse(
    language: &'static Language,
    text: &str,
    lines: &[Line],
    effort: &mut Effort,
) -> Result<Tree, NoTree> {
    if is_nested(text) {
        return Err("it is nested too deeply to parse");
    }
    let room = FEW.saturating_add(u32::try_from(text.len() / BYTES).unwrap_or(u32::MAX));
    let mut own = Effort::new(effort.left.min(room));
    let spare = effort.left - own.left;
    let tree = parse_within(language, text, &mut own).map(|tree| flatten(language, &tree, lines));
    effort.left = spare + own.left;
    tree
}

fn parse_within(
    language: &'static Language,
    text: &str,
    effort: &mut Effort,
) -> Result<tree_sitter::Tree, NoTree> {
    let mut parser = Parser::new();
    if parser.set_language(&language.compiled().grammar).is_err() {
        return Err("its grammar does not load");
    }
    let seen = Arc::new(Seen::default());
    let (mut looking, mut open) = (false, 0_i64);
    loop {
        if looking {
            let seen = Arc::clone(&seen);
            parser.set_logger(Some(Box::new(move |kind, message| seen.note(kind, message))));
        }
        let tree = advance(&mut parser, text, effort, if looking { 1 } else { EVERY - 1 });
        if let Some(tree) = tree {
            return Ok(tree);
        }
        if looking {
            parser.set_logger(None);
            effort.spend(seen.steps());
            open = (open + i64::from(EVERY) * seen.opened()).max(0);
            if open > OPEN {
                return Err("it is nested too deeply to parse");
            }
        }
        if effort.left == 0 {
            return Err("it takes too long to parse");
        }
        looking = !looking;
    }
}

/// Goes on for so many steps; a parser that was stopped goes on where it was.
fn advance(
    parser: &mut Parser,
    text: &str,
    effort: &mut Effort,
    mut steps: u32,
) -> Option<tree_sitter::Tree> {
    let (left, mut chunks, mut took) = (effort.left, 0_u32, 0_u32);
    let read = std::cell::Cell::new(0_u32);
    let mut progress = |state: &ParseState| {
        took += if state.has_error() { LOST } else { 1 };
        steps -= 1;
        match steps > 0 && took + read.get() < left {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut chunk = |at: usize, _| {
        chunks += 1;
        read.set(chunks / CHUNKS);
        // Nothing more means the end of the file, wherever it is; the parse is given up then.
        let end = if read.get() < left { text.floor_char_boundary(at + CHUNK) } else { at };
        // A chunk that ends within a character would be asked for again.
        text.get(at..end).unwrap_or_default()
    };
    let tree = parser.parse_with_options(&mut chunk, None, Some(options));
    effort.spend(took + read.get());
    tree.filter(|_| effort.left > 0)
}

/// What the parser's log said.
#[derive(Default)]
struct Seen {
    errors: AtomicU32,
    /// Operations' beginnings, and those with one way to read the text.
    begun: AtomicU32,
    single: AtomicU32,
    is_single: AtomicBool,
    /// What was put on the stack, and what was taken off it.
    put: AtomicU32,
    taken: AtomicU32,
}

impl Seen {
    fn note(&self, kind: LogType, message: &str) {
        if kind == LogType::Lex {
            return;
        }
        if message.starts_with("resume ") {
            self.errors.fetch_add(1, Relaxed);
        } else if message.starts_with("process ") {
            self.begun.fetch_add(1, Relaxed);
            let single = message.contains("version_count:1,");
            self.single.fetch_add(u32::from(single), Relaxed);
            self.is_single.store(single, Relaxed);
        } else if !self.is_single.load(Relaxed) {
            // What a way that is given up later puts on its stack is never taken off.
        } else if message.starts_with("shift ") {
            self.put.fetch_add(1, Relaxed);
        } else if let Some((_, children)) = message.rsplit_once("child_count:") {
            self.put.fetch_add(1, Relaxed);
            self.taken.fetch_add(children.parse().unwrap_or(1), Relaxed);
        }
    }

    /// By how much the stack grew; forgets it.
    fn opened(&self) -> i64 {
        i64::from(self.put.swap(0, Relaxed)) - i64::from(self.taken.swap(0, Relaxed))
    }

    /// The steps that it costs; forgets it.
    fn steps(&self) -> u32 {
        let errors = self.errors.swap(0, Relaxed);
        let (begun, single) = (self.begun.swap(0, Relaxed), self.single.swap(0, Relaxed));
        let ambiguous = begun > 0 && single == 0;
        errors * ERROR + if ambiguous { (AMBIGUOUS - 1) * EVERY } else { 0 }
    }
}

/// Whether brackets open within brackets without end.
fn is_nested(text: &str) -> bool {
    let mut open = [0_u32; 3];
    text.bytes().any(|byte| {
        let (kind, opens) = match byte {
            b'(' => (0, true),
            b')' => (0, false),
            b'[' => (1, true),
            b']' => (1, false),
            b'{' => (2, true),
            b'}' => (2, false),
            _ => return false,
        };
        let Some(depth) = open.get_mut(kind) else { return false };
        *depth = if opens { *depth + 1 } else { depth.saturating_sub(1) };
        *depth > NESTED
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(name: &str, text: &str) -> Result<u32, NoTree> {
        let path = name.parse().unwrap();
        let mut effort = Effort::new(10_000);
        parse(Language::of(&path, "").unwrap(), text, &[], &mut effort)?;
        Ok(10_000 - effort.left)
    }

    #[test]
    fn steps_follow_the_length_of_a_file_without_errors() {
        let source = "def f(x):\n    y = g(x, [1, 2])\n    return {'a': y}\n";
        let (some, more) = (source.repeat(300), source.repeat(1_200));
        let (some, more) = (steps("a.py", &some).unwrap(), steps("a.py", &more).unwrap());
        assert!(some > 100 && (3 * some..5 * some).contains(&more), "{some} {more}");
    }

    #[test]
    fn errors_cost_more_than_syntax() {
        let right = steps("a.js", &"f(a, b), c;\n".repeat(4_000)).unwrap();
        let wrong = steps("a.js", &"a:b::c, d;\n".repeat(4_000));
        assert!(wrong.is_ok_and(|wrong| wrong > 2 * right), "{right} {wrong:?}");
        let more = steps("a.js", &"a:b::c, d;\n".repeat(20_000));
        assert_eq!(more.err(), Some("it takes too long to parse"));
    }

    #[test]
    fn reading_again_and_again_costs_steps() {
        let found = steps("a.c", &"/* ".repeat(100_000));
        assert_eq!(found.err(), Some("it takes too long to parse"));
    }

    #[test]
    fn text_that_can_be_read_in_several_ways_to_its_end_is_given_up() {
        let found = steps("a.cpp", &"List<Map<".repeat(20_000));
        assert_eq!(found.err(), Some("it takes too long to parse"));
    }

    #[test]
    fn a_part_is_placed_where_it_stands_in_its_file() {
        let text = "import a\n\n\ndef f(x):\n    return g(x)\n\n# é\n\ndef h(é):\n    run(é)\n";
        let starts: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let place = |row: usize| Line {
            row: u32::try_from(row).unwrap(),
            start: u32::try_from(starts[row]).unwrap(),
            end: u32::try_from(starts.get(row + 1).copied().unwrap_or(text.len())).unwrap(),
        };
        let lines: Vec<Line> = [0, 8, 9, 10].map(place).to_vec();
        let part: String = lines.iter().map(|l| &text[l.start as usize..l.end as usize]).collect();
        let language = Language::of(&"a.py".parse().unwrap(), "").unwrap();
        let told = |text_to_read: &str, lines: &[Line]| -> Vec<(u32, u32, String)> {
            let tree = parse(language, text_to_read, lines, &mut Effort::new(1_000)).unwrap();
            let nodes = (1..tree.len()).map(|i| (tree.node(i), tree.text(i, text).to_owned()));
            nodes.map(|(n, text)| (n.first_row, n.last_row, text)).collect()
        };
        let whole = told(text, &[]);
        let placed = told(&part, &lines);
        assert!(placed.len() > 8 && placed.iter().all(|node| whole.contains(node)), "{placed:?}");
    }

    #[test]
    fn a_tree_is_the_same_whether_the_log_was_looked_at_or_not() {
        let line = "const f = async (é) => { if (x < y) return `${z}`; }; // 漢\n";
        let text = line.repeat(2_000);
        let language = Language::of(&"a.ts".parse().unwrap(), "").unwrap();
        let mut parser = Parser::new();
        parser.set_language(&language.compiled().grammar).unwrap();
        let plain = flatten(language, &parser.parse(&text, None).unwrap(), &[]);
        let ours = parse(language, &text, &[], &mut Effort::new(10_000)).unwrap();
        let shape = |tree: &Tree| -> Vec<_> {
            let nodes = (0..tree.len()).map(|i| tree.node(i));
            nodes.map(|n| (n.kind, n.field, n.start, n.end)).collect()
        };
        assert_eq!(shape(&ours), shape(&plain));
    }
}
