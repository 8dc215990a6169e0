//! What a fake forge keeps of what was asked of it.

use std::sync::Arc;

use chaffinch_core::Clock;

use crate::{calls::Call, tree::time};

pub(crate) struct Ledger {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) calls: Vec<Call>,
    pub(crate) problems: Vec<String>,
    /// Whether the names of the files of a folder may be read.
    pub(crate) listing: bool,
    /// How many requests count against the limit.
    pub(crate) used: u64,
    next: u64,
}

impl Ledger {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let (calls, problems) = (Vec::new(), Vec::new());
        Self { clock, calls, problems, listing: false, used: 0, next: 1000 }
    }

    /// A number that nothing else has.
    pub(crate) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn now(&self) -> String {
        time(self.clock.now())
    }

    pub(crate) fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// The requests with this method and route pattern, or path.
    pub(crate) fn matching(&self, method: &str, route: &str) -> Vec<Call> {
        let is_it = |c: &&Call| c.method == method && (c.route == route || c.path == route);
        self.calls.iter().filter(is_it).cloned().collect()
    }
}
