//! Numbers and words of the operator.

use std::time::Duration;

use crate::Scope;

/// Numbers and words of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How often one run may ask a model; answers from the cache do not count.
    pub max_findings: usize,
    /// How many findings are worked on at a time.
    pub concurrency: usize,
    /// Which findings of a changed file belong to the change.
    pub scope: Scope,
    /// Whether likely false positives below high severity go into the summary, folded.
    pub fold_false_positives: bool,
    /// Where the policy in force can be read; linked from every comment.
    pub policy_url: Option<String>,
    /// Stands at the top of every comment: that the answers are scripted, say.
    pub scripted_notice: Option<String>,
    /// The most tokens that an answer may cost, reasoning included.
    pub max_output_tokens: u32,
    /// After so long, a run asks no more.
    pub longest: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_findings: 50,
            concurrency: 4,
            scope: Scope::default(),
            fold_false_positives: false,
            policy_url: None,
            scripted_notice: None,
            max_output_tokens: 4_096,
            longest: Duration::from_secs(8 * 60),
        }
    }
}
