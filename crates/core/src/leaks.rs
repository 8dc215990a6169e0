//! Mistakes on purpose, so that a test sees whether `chaffinch prove --canary` finds them. They are in no
//! build but the tests', and do nothing there unless one of them is switched on.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A mistake, at the place where it would be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// The adapter hands on the title, and the question names it.
    Title,
    /// The adapter hands on who wrote it, and a header says for whom is asked.
    Author,
    /// Lines around the finding are sent because they are there.
    Neighbours,
    /// Another file of the change is sent because it is there.
    OtherFile,
    /// Redaction is left out.
    Secrets,
}

impl Leak {
    /// All of them, by the names that switch them on.
    pub const ALL: [(&'static str, Self); 5] = [
        ("title", Self::Title),
        ("author", Self::Author),
        ("neighbours", Self::Neighbours),
        ("other-file", Self::OtherFile),
        ("secrets", Self::Secrets),
    ];
}

static ON: OnceLock<Leak> = OnceLock::new();
static HEARD: Mutex<String> = Mutex::new(String::new());

/// Switches one on, for as long as the process lives; false where none has this name.
pub fn switch_on(name: &str) -> bool {
    let leak = Leak::ALL.iter().find(|(known, _)| *known == name);
    leak.is_some_and(|(_, leak)| ON.set(*leak).is_ok())
}

/// Whether it is on.
pub fn is_on(leak: Leak) -> bool {
    ON.get() == Some(&leak)
}

/// Keeps what should not be kept.
pub fn overhear(leak: Leak, text: &str) {
    if is_on(leak) {
        text.clone_into(&mut HEARD.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What was kept of that; `None` where nothing was.
pub fn overheard(leak: Leak) -> Option<String> {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (is_on(leak) && !heard.is_empty()).then_some(heard)
}
