//! What a file says of names that another file uses, and of who calls what.

use std::collections::BTreeSet;

use chaffinch_core::{Reason, RepoPath, Rung};

use super::{
    Reading, Wanted,
    definitions::Definitions,
    follow::{Follow, Name},
    names::Space,
    stored,
    tree::Tree,
    uses::{self, Use},
};
use crate::{
    budget::{Pick, rank},
    lines::SourceFile,
};

/// What `file` says of names that another file uses, and of who calls what; `home` is that file.
pub(crate) fn answer(
    file: &SourceFile,
    tree: &Tree,
    wanted: &[Wanted],
    uses: &[Use],
    home: &RepoPath,
    reason: fn(String) -> Reason,
) -> Reading {
    let source = file.text();
    let definitions = Definitions::of(tree, source);
    let mut found = Reading::default();
    for wanted in uses {
        let used = uses::callers(tree, file, wanted, None, Some(home));
        found.called |= !used.picks.is_empty();
        found.picks.extend(used.picks.into_iter().map(related));
        let follow = Follow::new(tree, source, &definitions, None, None, Reason::Definition);
        let followed = follow.run(used.names);
        found.picks.extend(followed.picks.into_iter().map(related));
        found.wanted.extend(followed.open.iter().map(Name::open));
    }
    let names = wanted.iter().map(|w| Name {
        text: w.name.as_str(),
        space: match w.object.is_some() && !w.name.starts_with(char::is_uppercase) {
            true => Space::Member,
            // Any class of the file may be meant.
            false => Space::Own,
        },
        rank: w.rank,
        called: w.called,
        object: w.object.as_deref(),
    });
    let mut follow = Follow::new(tree, source, &definitions, None, None, reason);
    let objects = wanted.iter().filter_map(|w| w.object.as_deref());
    objects.flat_map(|o| o.split('.').chain([o])).for_each(|o| follow.meet(o));
    wanted.iter().for_each(|w| follow.meet(&w.name));
    let followed = follow.run(names);
    for hooked in &followed.hooked {
        let used = uses::callers(tree, file, hooked, None, None);
        found.picks.extend(used.picks.into_iter().map(related));
    }
    let picks = followed.picks.into_iter().filter(|p| file.has_code(p.line));
    found.picks.extend(picks.map(related));
    found.wanted.extend(followed.open.iter().map(Name::open));
    let shown = found.picks.iter().filter(|pick| pick.rank < rank::REST);
    let shown: BTreeSet<u32> = shown.map(|pick| pick.line - 1).collect();
    let known = |row: u32| shown.contains(&row);
    found.picks.extend(stored::writers(tree, file, &shown, &known, Rung::Related));
    found
}

fn related(pick: Pick) -> Pick {
    Pick { rung: Rung::Related, ..pick }
}
