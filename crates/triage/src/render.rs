//! What people see. Pure functions, each named after its situation.
//!
//! Architecture invariant: every text of other people (scanner, model, repository) passes through
//! [`escape`]; nothing else here writes it.

mod check;
mod cli;
pub mod escape;
mod finding;
mod sarif;
mod summary;

use chaffinch_core::ChangeId;

pub use check::{check, verdict_in_words};
pub use cli::{json, markdown, terminal};
pub(crate) use finding::MOST_ON_LINE;
pub use finding::finding_comment;
pub use sarif::sarif;
pub use summary::{Elsewhere, Item, has_reasons, nothing_more, summary};

/// What surrounds every comment of one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// The change that is commented on; `None` on the command line.
    pub change: Option<&'a ChangeId>,
    /// Where the policy in force can be read.
    pub policy_url: Option<&'a str>,
    /// A notice that stands at the top of every comment: that the answers are scripted, say.
    pub notice: Option<&'a str>,
    /// What will be other than it is: it stands once in the summary.
    pub announcement: Option<&'a str>,
}

impl Frame<'_> {
    fn notice(&self, out: &mut String) {
        if let Some(notice) = self.notice {
            out.push_str(&format!("> {}\n\n", escape::text(notice, 500)));
        }
    }

    /// A link to the policy, after something else.
    fn policy(&self) -> String {
        match self.policy_url.filter(|url| is_plain_url(url)) {
            Some(url) => format!(" · [what may be sent]({url})"),
            None => String::new(),
        }
    }
}

fn is_plain_url(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&+,;=%".contains(&b))
}

/// `1 finding`, `2 findings`.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
