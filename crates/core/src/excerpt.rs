//! The source text chosen to leave the machine: few lines, each with its reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{RepoPath, SourceText, TokenCount};

/// Lines of source, each with the reason why a reader needs it.
///
/// Invariant: no line twice, and the lines of one file stand together in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    lines: Vec<ExcerptLine>,
    rung: Rung,
    notes: Vec<String>,
}

/// One line of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptLine {
    /// The file that it is from.
    pub path: RepoPath,
    /// Its number there, from 1.
    pub number: u32,
    /// The line without its line break.
    pub text: SourceText,
    /// Why it is here.
    pub reason: Reason,
}

impl ExcerptLine {
    /// What it costs, in tokens, as `NUMBER text`.
    pub fn cost(&self, tokens: &dyn TokenCount) -> usize {
        tokens.count(&format!("{} {}\n", self.number, self.text.expose()))
    }
}

/// Why a line is in an excerpt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The scanner points at it.
    Finding,
    /// The scanner's flow passes through it.
    Trace,
    /// It says how the enclosing function can be called: signature, annotations, route.
    Signature,
    /// The finding's values come from it, or it says what becomes of them; of a page, what they stand in.
    Slice,
    /// It is part of the enclosing function.
    Function,
    /// The way to the finding leads through it: a condition around, a check of a value, or where that
    /// leaves early.
    Guard,
    /// It defines this name, which the finding's function uses.
    Definition(String),
    /// It calls this name, which the finding's value passes through, or hands it on.
    Caller(String),
    /// It uses this name, or looks a value up by it, as the finding's lines do: what these give to
    /// their file or keep under a key shows there, or where a page is rendered.
    Use(String),
    /// It defines this constant.
    Constant(String),
    /// It was asked for under this name.
    Need(String),
    /// It stands near the finding, where no grammar tells more.
    Window,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding => f.write_str("finding"),
            Self::Trace => f.write_str("trace"),
            Self::Signature => f.write_str("signature"),
            Self::Slice => f.write_str("slice"),
            Self::Function => f.write_str("function"),
            Self::Guard => f.write_str("guard"),
            Self::Definition(name) => write!(f, "definition of {name}"),
            Self::Caller(name) => write!(f, "caller of {name}"),
            Self::Use(name) => write!(f, "use of {name}"),
            Self::Constant(name) => write!(f, "constant {name}"),
            Self::Need(name) => write!(f, "asked for {name}"),
            Self::Window => f.write_str("window"),
        }
    }
}

/// How much of a repository may be disclosed for one finding, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// The lines that the scanner points at, and its flow.
    Finding,
    /// Those that decide the verdict, within the enclosing function.
    Slice,
    /// The enclosing function.
    Function,
    /// Definitions in other files.
    Related,
    /// The whole file.
    File,
}

/// Why lines do not make an excerpt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExcerptError {
    /// There is no line.
    #[error("an excerpt needs at least one line")]
    Empty,
    /// A line comes twice, out of order, or its file's lines are torn apart.
    #[error("line {1} of {0} is repeated or out of order")]
    Order(RepoPath, u32),
    /// A line holds a line break.
    #[error("line {1} of {0} holds a line break")]
    LineBreak(RepoPath, u32),
}

impl Excerpt {
    /// Checks the lines and takes them. `rung` is the highest that any of them needs; `notes` are our own words about the choice, one a line
    /// ("cut to the budget"); they hold no source.
    ///
    /// # Errors
    /// [`ExcerptError`] names the first line that breaks the invariant.
    pub fn new(
        lines: Vec<ExcerptLine>,
        rung: Rung,
        notes: Vec<String>,
    ) -> Result<Self, ExcerptError> {
        if lines.is_empty() {
            return Err(ExcerptError::Empty);
        }
        let mut closed: Vec<&RepoPath> = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            let order = || ExcerptError::Order(line.path.clone(), line.number);
            if line.text.expose().contains('\n') {
                return Err(ExcerptError::LineBreak(line.path.clone(), line.number));
            }
            let Some(before) = i.checked_sub(1).and_then(|j| lines.get(j)) else { continue };
            if before.path == line.path {
                if before.number >= line.number {
                    return Err(order());
                }
            } else {
                closed.push(&before.path);
                if closed.contains(&&line.path) {
                    return Err(order());
                }
            }
        }
        Ok(Self { lines, rung, notes })
    }

    /// The lines, file by file, ascending.
    pub fn lines(&self) -> &[ExcerptLine] {
        &self.lines
    }

    /// The highest rung of the ladder of disclosure that a line of it needs.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// What it costs, in tokens: each line as `NUMBER text`, and 12 for the name of each file.
    pub fn cost(&self, tokens: &dyn TokenCount) -> usize {
        let files = self.lines.chunk_by(|a, b| a.path == b.path).count();
        self.lines.iter().map(|l| l.cost(tokens)).sum::<usize>() + 12 * files
    }

    /// Our own words about the choice.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The line `number` of `path`, if it is here.
    pub fn line(&self, path: &RepoPath, number: u32) -> Option<&ExcerptLine> {
        self.lines.iter().find(|l| l.number == number && &l.path == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, number: u32) -> ExcerptLine {
        ExcerptLine {
            path: path.parse().unwrap(),
            number,
            text: "x".into(),
            reason: Reason::Finding,
        }
    }

    #[test]
    fn lines_are_unique_and_in_order() {
        assert!(
            Excerpt::new(vec![line("a", 1), line("a", 3), line("b", 1)], Rung::Finding, vec![])
                .is_ok()
        );
        assert_eq!(Excerpt::new(vec![], Rung::Finding, vec![]), Err(ExcerptError::Empty));
        for bad in [
            vec![line("a", 1), line("a", 1)],
            vec![line("a", 2), line("a", 1)],
            vec![line("a", 1), line("b", 1), line("a", 2)],
        ] {
            assert!(matches!(
                Excerpt::new(bad, Rung::Finding, vec![]),
                Err(ExcerptError::Order(..))
            ));
        }
    }

    #[test]
    fn a_stored_reason_keeps_its_form() {
        let forms = [
            (Reason::Slice, r#""slice""#, "slice"),
            (Reason::Function, r#""function""#, "function"),
            (Reason::Definition("x".into()), r#"{"definition":"x"}"#, "definition of x"),
            (Reason::Caller("x".into()), r#"{"caller":"x"}"#, "caller of x"),
            (Reason::Guard, r#""guard""#, "guard"),
            (Reason::Use("x".into()), r#"{"use":"x"}"#, "use of x"),
        ];
        for (reason, stored, shown) in forms {
            assert_eq!(serde_json::to_string(&reason).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Reason>(stored).unwrap(), reason);
            assert_eq!(reason.to_string(), shown);
        }
    }
}
