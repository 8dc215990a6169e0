//! Where comments, strings and heredocs that span lines hide what looks like code. What a line begins
//! in is followed through the excerpt; where it can be read in two ways, or an opening may stand in
//! lines that were not sent, every reading counts: what is not code in all of them proves nothing.

use chaffinch_core::{ExcerptLine, Reason};

/// What a line can begin or end in.
#[derive(Debug, Clone, PartialEq)]
enum At {
    Code,
    Until(End),
}

/// What ends a block.
#[derive(Debug, Clone, PartialEq)]
enum End {
    Sign(&'static str),
    /// A sign that counts at the start of a line only.
    Start(&'static str),
    /// The label of a heredoc, on a line of its own.
    Label(String),
    /// The label of a heredoc whose opening was not sent: a word in capitals.
    SomeLabel,
}

/// What must be known of a language; where more is taken for a block than is one, a person looks.
struct Syntax {
    blocks: Vec<(&'static str, End)>,
    comments: &'static [&'static str],
    /// Quotes whose strings may span lines.
    quotes: &'static str,
    /// Signs before which a backslash means nothing.
    raw: &'static [&'static str],
    heredocs: bool,
    /// Whether a quote may stand in a pattern between slashes.
    patterns: bool,
}

impl Syntax {
    fn of(extension: &str) -> Self {
        let shell = matches!(extension, "sh" | "bash" | "zsh" | "ksh");
        let perlish = matches!(extension, "rb" | "rake" | "pl" | "pm") || shell;
        let hashed = perlish
            || matches!(extension, "py" | "pyi" | "yml" | "yaml" | "toml" | "ex" | "exs")
            || matches!(extension, "jl" | "r" | "ps1");
        let dashed = matches!(extension, "sql" | "lua" | "hs" | "elm");
        let scripted = matches!(extension, "js" | "jsx" | "mjs" | "cjs")
            || matches!(extension, "ts" | "tsx" | "mts" | "cts");
        let comments: &[&str] = match extension {
            _ if hashed => &["#"],
            _ if dashed => &["--"],
            "php" | "tf" => &["//", "#"],
            _ => &["//"],
        };
        let mut blocks = Vec::new();
        let mut block = |open, close| blocks.push((open, End::Sign(close)));
        block("\"\"\"", "\"\"\"");
        block("'''", "'''");
        if !hashed {
            block("/*", "*/");
        }
        match extension {
            "go" => block("`", "`"),
            _ if scripted => block("`", "`"),
            "vue" | "svelte" | "html" | "htm" => {
                block("`", "`");
                block("<!--", "-->");
            }
            "xml" | "php" | "erb" | "jsp" | "md" => block("<!--", "-->"),
            "hs" | "elm" => block("{-", "-}"),
            "ml" | "mli" | "fs" => block("(*", "*)"),
            "lua" => block("[[", "]]"),
            "jl" => block("#=", "=#"),
            "ps1" => block("<#", "#>"),
            "rb" | "rake" => blocks.push(("=begin", End::Start("=end"))),
            _ => {}
        }
        Self {
            blocks,
            comments,
            quotes: match extension {
                "php" => "'\"",
                _ if perlish => "'\"",
                "rs" | "cs" | "ex" | "exs" | "clj" | "el" | "r" | "jl" => "\"",
                "sql" => "'",
                _ => "",
            },
            raw: match extension {
                "go" => &["`"],
                "kt" | "kts" | "scala" => &["\"\"\""],
                _ if shell => &["'"],
                _ => &[],
            },
            heredocs: perlish || matches!(extension, "php" | "tf"),
            patterns: scripted || perlish || matches!(extension, "vue" | "svelte" | "html"),
        }
    }

    /// What a line can begin in because lines before it were not sent.
    fn unseen(&self) -> Vec<End> {
        let label = self.heredocs.then_some(End::SomeLabel);
        self.blocks.iter().map(|(_, end)| end.clone()).chain(label).collect()
    }

    /// Where `end` is over in `text`, in bytes.
    fn close(&self, end: &End, text: &str) -> Option<usize> {
        match end {
            End::Sign(sign) => self.sign(sign, text).map(|at| at + sign.len()),
            End::Start(sign) => text.starts_with(sign).then_some(text.len()),
            End::Label(label) => {
                let rest = text.trim_start().strip_prefix(label.as_str())?;
                (!rest.starts_with(is_word)).then_some(text.len())
            }
            End::SomeLabel => {
                let word = text.trim().trim_end_matches([';', ',', ')']);
                let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                (word.len() > 1 && word.chars().all(capital)).then_some(text.len())
            }
        }
    }

    /// Where `sign` stands in `text` without a backslash that takes its meaning.
    fn sign(&self, sign: &str, text: &str) -> Option<usize> {
        let escapable = sign != "*/" && !self.raw.contains(&sign);
        let escaped = |at: usize| {
            escapable && text[..at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
        };
        let mut from = 0;
        while let Some(at) = text.get(from..)?.find(sign).map(|at| at + from) {
            if !escaped(at) {
                return Some(at);
            }
            from = at + 1;
        }
        None
    }

    /// The first opening in code: where it stands, where it ends, what closes it. `careful` leaves out
    /// what line comments and quotes on one line seem to hold.
    fn open(&self, line: &str, from: usize, careful: bool) -> Option<(usize, usize, End)> {
        let mut skip = from;
        for (at, c) in line.char_indices() {
            if at < skip {
                continue;
            }
            let rest = &line[at..];
            for (open, end) in &self.blocks {
                let here = at == 0 || !matches!(end, End::Start(_));
                if here && rest.starts_with(open) {
                    return Some((at, at + open.len(), end.clone()));
                }
            }
            if self.heredocs
                && let Some(label) = heredoc(rest)
            {
                return Some((at, line.len(), End::Label(label.to_owned())));
            }
            if careful && self.comments.iter().any(|sign| rest.starts_with(sign)) {
                return None;
            }
            if careful && let Some(sign) = ["'", "\""].into_iter().find(|q| q.starts_with(c)) {
                match self.sign(sign, &rest[1..]) {
                    Some(length) => skip = at + 1 + length + 1,
                    None if self.quotes.contains(c) => {
                        return Some((at, line.len(), End::Sign(sign)));
                    }
                    None => {}
                }
            }
        }
        None
    }

    /// What `line` ends in if it begins in `at`, and where the last opening stands.
    fn read(&self, line: &str, mut at: At, careful: bool) -> (At, usize) {
        let (mut from, mut opened) = (0, line.len());
        loop {
            match &at {
                At::Until(end) => match self.close(end, &line[from..]) {
                    Some(length) => {
                        from += length;
                        at = At::Code;
                    }
                    None => return (at, opened),
                },
                At::Code => match self.open(line, from, careful) {
                    Some((start, next, end)) => {
                        (opened, from) = (start, next);
                        at = At::Until(end);
                    }
                    None => return (at, opened),
                },
            }
        }
    }

    /// What `line` may end in besides, because a quote in a pattern leads both readings astray.
    fn astray(&self, line: &str) -> Option<(At, usize)> {
        let at = if self.patterns { quote_in_pattern(line)? } else { return None };
        let (start, _, end) = self.open(line, at, false)?;
        Some((At::Until(end), start))
    }

    /// What becomes of a block whose opening was not sent.
    fn unseen_read(&self, line: &str, end: &End) -> Unseen {
        let Some(length) = self.close(end, line) else { return Unseen::Open };
        if matches!(end, End::Sign("\"\"\"" | "'''" | "`")) && begins_text(&line[length..]) {
            return Unseen::Refuted;
        }
        let mut rest = At::Code;
        if length < line.len() {
            rest = self.read(&line[length..], At::Code, false).0;
        }
        // As many signs open as close: the line is no evidence of a block around it.
        if rest == At::Until(end.clone()) { Unseen::Open } else { Unseen::Closed }
    }
}

/// What a line says of a block whose opening was not sent.
#[derive(PartialEq)]
enum Unseen {
    /// Nothing.
    Open,
    /// It ends here.
    Closed,
    /// There is none.
    Refuted,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `rest` cannot stand right behind the end of a string: a word does not, but for operators
/// and the prefix of another string.
fn begins_text(rest: &str) -> bool {
    let word: String = rest.chars().take_while(|c| is_word(*c) || *c == '$').collect();
    let operators = ["if", "else", "in", "is", "and", "or", "not", "for", "as", "of", "instanceof"];
    let quoted = rest[word.len()..].starts_with(['"', '\'']);
    !word.is_empty() && !operators.contains(&word.as_str()) && !quoted
}

/// Where a quote stands in what may be a pattern between slashes.
fn quote_in_pattern(line: &str) -> Option<usize> {
    let begins = |at: usize| {
        let before = line[..at].trim_end();
        before.is_empty()
            || before.ends_with("return")
            || before.ends_with(|c: char| "(,=:[!&|?{};+>~".contains(c))
    };
    let starts = line.match_indices('/').map(|(at, _)| at).filter(|at| begins(*at));
    let quotes = starts.filter_map(|at| {
        let rest = line[at + 1..].split('/').next().unwrap_or_default();
        rest.find(['\'', '"', '`']).map(|quote| at + 1 + quote)
    });
    quotes.min()
}

/// The label of the heredoc that opens at the start of `rest`.
fn heredoc(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("<<")?;
    let rest = rest.trim_start_matches(['<', '-', '~']).trim_start_matches(['\'', '"', '\\']);
    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let label = &rest[..length];
    label.starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(label)
}

/// Of each line of one file, how many bytes from its start stand in no block that spans lines, as far
/// as the lines themselves can tell.
pub(super) fn outside(lines: &[&ExcerptLine], extension: &str) -> Vec<usize> {
    let syntax = Syntax::of(extension);
    let mut found = Vec::with_capacity(lines.len());
    let mut states = vec![At::Code];
    let mut unseen: Vec<End> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.expose();
        if is_after_gap(lines, index) {
            // The grammar has found a function to begin here.
            let same_head = index > 0 && lines[index - 1].reason == Reason::Signature;
            let certain = !same_head || states == [At::Code];
            if line.reason == Reason::Signature && certain {
                (states, unseen) = (vec![At::Code], Vec::new());
            } else {
                unseen = syntax.unseen();
                add(&mut states, At::Code);
            }
        }
        let inside = states != [At::Code]
            || unseen.iter().any(|end| is_closed_later(&syntax, end, lines, index));
        let mut next = Vec::new();
        let mut code = text.len();
        for state in &states {
            for careful in [true, false] {
                let (ends, opened) = syntax.read(text, state.clone(), careful);
                if ends != At::Code {
                    code = code.min(opened);
                }
                add(&mut next, ends);
            }
        }
        if let Some((ends, opened)) = syntax.astray(text) {
            code = code.min(opened);
            add(&mut next, At::Code);
            add(&mut next, ends);
        }
        unseen.retain(|end| match syntax.unseen_read(text, end) {
            Unseen::Open => true,
            Unseen::Closed => {
                add(&mut next, At::Code);
                false
            }
            Unseen::Refuted => false,
        });
        states = next;
        found.push(if inside { 0 } else { code });
    }
    found
}

fn add(states: &mut Vec<At>, state: At) {
    if !states.contains(&state) {
        states.push(state);
    }
}

/// Whether source was left out right before a line.
fn is_after_gap(lines: &[&ExcerptLine], index: usize) -> bool {
    let (line, before) = (lines[index], index.checked_sub(1).map(|i| lines[i]));
    match before {
        None => line.number > 1,
        Some(before) => {
            before.number + 1 != line.number
                || before.text.expose().ends_with('…')
                || line.text.expose().starts_with('…')
        }
    }
}

/// Whether a block that may have been opened before line `index` is seen to end.
fn is_closed_later(syntax: &Syntax, end: &End, lines: &[&ExcerptLine], index: usize) -> bool {
    let heads = |at: usize| lines[at].reason == Reason::Signature && is_after_gap(lines, at);
    let until = (index + 1..lines.len()).find(|at| heads(*at)).unwrap_or(lines.len());
    lines[index..until]
        .iter()
        .map(|line| syntax.unseen_read(line.text.expose(), end))
        .find(|said| *said != Unseen::Open)
        .is_some_and(|said| said == Unseen::Closed)
}
