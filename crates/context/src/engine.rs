//! Picks lines of one file by what its syntax says: a slice of the function, the function, and what
//! the file defines of the names in it.

mod answer;
mod around;
mod checks;
mod definitions;
mod elsewhere;
mod follow;
mod forward;
mod frame;
mod hooks;
mod imports;
mod inner;
mod meant;
mod names;
mod parse;
mod slice;
mod stored;
mod tree;
mod units;
mod uses;

use chaffinch_core::Rung;

pub(crate) use self::{
    answer::answer,
    around::around,
    elsewhere::under,
    imports::{Import, imports},
    parse::{Effort, NoTree, parse},
    tree::Tree,
    uses::Use,
};
use crate::budget::Pick;

/// What to look at in a file. Rows count from 0.
pub(crate) struct Focus<'f> {
    /// The rows that the scanner points at, or those of its steps.
    pub(crate) rows: &'f [(u32, u32)],
    /// Rows that its flow passes through.
    pub(crate) trace: &'f [u32],
    /// How much of the file may be sent.
    pub(crate) ceiling: Rung,
}

/// A name that a file uses and does not define.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// The object whose member it is, as written.
    pub(crate) object: Option<String>,
    pub(crate) called: bool,
    pub(crate) rank: u32,
}

/// What one file says, and what it leaves open.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) picks: Vec<Pick>,
    pub(crate) wanted: Vec<Wanted>,
    /// Whose callers matter and are not in this file.
    pub(crate) uses: Vec<Use>,
    /// The function that the finding is in, unless its own source says how it is reached.
    pub(crate) handler: Option<Use>,
    /// The classes that the code's own class is made from, by name.
    pub(crate) bases: Vec<String>,
    /// The literal keys that it looks values up by.
    pub(crate) keys: Vec<String>,
    /// Whether callers were looked for, and found.
    pub(crate) called: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does not compile for a type with `Debug`: there would be two ways to read the call.
    macro_rules! prints_nothing {
        ($($type:ty),*) => {{
            trait Unclear<Way> { fn says() {} }
            struct Printed;
            impl<T: ?Sized> Unclear<()> for T {}
            impl<T: ?Sized + std::fmt::Debug> Unclear<Printed> for T {}
            $(<$type as Unclear<_>>::says();)*
        }};
    }

    #[test]
    fn what_holds_names_of_the_source_cannot_be_printed() {
        prints_nothing!(Wanted, Reading, Import, Use, Pick, names::Mention<'_>, units::Unit<'_>);
    }
}
