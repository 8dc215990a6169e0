//! The order in which lines are worth their tokens, and the cut.

use std::collections::{BTreeMap, HashSet};

use chaffinch_core::{ExcerptLine, Reason, Rung, TokenCount};

/// How much a line matters; less is more. Distances in dependence are added to these.
pub(crate) mod rank {
    /// What the scanner points at.
    pub(crate) const FINDING: u32 = 0;
    /// What its flow passes through.
    pub(crate) const TRACE: u32 = 2;
    /// How the function is called.
    pub(crate) const SIGNATURE: u32 = 8;
    /// From a signature to what it names and does not call.
    pub(crate) const TYPED: u32 = 12;
    /// A statement that the finding depends on.
    pub(crate) const SLICE: u32 = 10;
    /// Another step of dependence.
    pub(crate) const STEP: u32 = 6;
    /// How a function around the function is called.
    pub(crate) const OUTER_SIGNATURE: u32 = 40;
    /// The head of the class.
    pub(crate) const CLASS: u32 = 30;
    /// What the class runs around its functions.
    pub(crate) const HOOK: u32 = 28;
    /// From a name to the value that it stands for.
    pub(crate) const VALUE: u32 = 8;
    /// From a name to the function that it calls.
    pub(crate) const HELPER: u32 = 10;
    /// From a function to those who call it.
    pub(crate) const CALLER: u32 = 6;
    /// From a member to one of that name, where nothing tells of its object's class.
    pub(crate) const GUESS: u32 = 12;
    /// From a name to what its class inherits.
    pub(crate) const BASE: u32 = 12;
    /// From what the finding gives to its file to who uses it.
    pub(crate) const ECHO: u32 = 16;
    /// From a type that is only named to its file.
    pub(crate) const NAMED: u32 = 14;
    /// From one file to another.
    pub(crate) const OTHER_FILE: u32 = 4;
    /// From a name to lines of the function that its result does not depend on.
    pub(crate) const REST: u32 = 300;
    /// A flow's step in another file.
    pub(crate) const ELSEWHERE: u32 = 20;
    /// The code around such a step.
    pub(crate) const AROUND_ELSEWHERE: u32 = 40;
    /// A line of the function beside the finding.
    pub(crate) const NEAR: u32 = 30;
    /// The rest of the function.
    pub(crate) const FUNCTION: u32 = 1_000;
    /// What the scanner points at, beyond the first lines.
    pub(crate) const FINDING_REST: u32 = 5_000;
    /// The rest of the file.
    pub(crate) const FILE: u32 = 100_000;
}

/// A line worth sending.
#[derive(Clone)]
pub(crate) struct Pick {
    /// From 1.
    pub(crate) line: u32,
    pub(crate) rank: u32,
    pub(crate) reason: Reason,
    /// The rung of the ladder of disclosure that it needs.
    pub(crate) rung: Rung,
}

/// What the lines may cost.
#[derive(Clone, Copy)]
pub(crate) struct Budget<'c> {
    pub(crate) tokens: usize,
    pub(crate) lines: usize,
    pub(crate) counter: &'c dyn TokenCount,
}

/// What is left after the cut.
pub(crate) struct Kept {
    /// By file (in the order given) and line.
    pub(crate) lines: BTreeMap<(usize, u32), ExcerptLine>,
    /// The highest rung that any of them needs.
    pub(crate) rung: Rung,
    /// How many were left out for the budget.
    pub(crate) cut: usize,
}

/// Tokens for the name of each file, as [`chaffinch_core::Excerpt::cost`] counts them.
const FILE_NAME: usize = 12;

/// Keeps the best of `picks` (each with the number of its file) that the budget holds: in order of
/// rank, up to the first that does not fit, so that a larger budget never loses a line.
pub(crate) fn cut(
    picks: &[(usize, Pick)],
    ceiling: Rung,
    budget: Budget<'_>,
    line: &mut dyn FnMut(usize, u32, Reason) -> Option<ExcerptLine>,
) -> Kept {
    let mut best: BTreeMap<(usize, u32), (&Pick, Rung)> = BTreeMap::new();
    let (mut guards, mut slice) = (HashSet::new(), HashSet::new());
    for (file, pick) in picks.iter().filter(|(_, p)| p.rung <= ceiling) {
        match pick.reason {
            Reason::Guard => guards.insert((*file, pick.line)),
            Reason::Slice => slice.insert((*file, pick.line)),
            _ => false,
        };
        best.entry((*file, pick.line))
            .and_modify(|(known, rung)| {
                *rung = pick.rung.min(*rung);
                if pick.rank < known.rank {
                    *known = pick;
                }
            })
            .or_insert((pick, pick.rung));
    }
    let mut order: Vec<_> = best.into_iter().collect();
    order.sort_by_key(|((file, line), (pick, _))| (pick.rank, *file, *line));
    let total = order.len();
    let mut kept = Kept { lines: BTreeMap::new(), rung: Rung::Finding, cut: 0 };
    let (mut spent, mut named) = (0, HashSet::new());
    for ((file, number), (pick, rung)) in order {
        // That a line stands in the function tells less than what it does there.
        let reason = match &pick.reason {
            Reason::Function | Reason::Slice if guards.contains(&(file, number)) => Reason::Guard,
            Reason::Function if slice.contains(&(file, number)) => Reason::Slice,
            reason => reason.clone(),
        };
        let Some(line) = line(file, number, reason) else { continue };
        spent += line.cost(budget.counter) + if named.insert(file) { FILE_NAME } else { 0 };
        if spent > budget.tokens || kept.lines.len() == budget.lines {
            break;
        }
        kept.rung = kept.rung.max(rung);
        kept.lines.insert((file, number), line);
    }
    kept.cut = total - kept.lines.len();
    kept
}
