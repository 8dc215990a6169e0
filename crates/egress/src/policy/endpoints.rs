//! Where text may go, as a part of the policy: an endpoint is allowed on its terms alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An endpoint that may be sent to, and the terms on which it may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Scheme, host and port, the default port left out.
    pub origin: String,
    /// Whether it is run by whoever runs this program.
    pub self_hosted: bool,
    /// The reference of the data-protection agreement; empty where there is none. Another reference for
    /// the same terms is not another policy.
    pub agreement: String,
    /// For how many days its vendor may keep copies.
    pub retention_days: u16,
    /// Whether its vendor has promised not to train on what it is sent.
    pub no_training: bool,
    /// Where its vendor keeps and reads what it is sent; empty where nothing is promised.
    pub residency: String,
}

impl Terms {
    /// What both allow; `None` where they are for different endpoints, or for two places.
    fn meet(&self, other: &Self) -> Option<Self> {
        if self.origin != other.origin {
            return None;
        }
        let residency = match (self.residency.as_str(), other.residency.as_str()) {
            (one, "") | ("", one) => one,
            (one, same) if one == same => one,
            _ => return None,
        };
        Some(Self {
            origin: self.origin.clone(),
            self_hosted: self.self_hosted || other.self_hosted,
            agreement: self.agreement.clone().min(other.agreement.clone()),
            retention_days: self.retention_days.min(other.retention_days),
            no_training: self.no_training || other.no_training,
            residency: residency.to_owned(),
        })
    }

    /// The terms in words: `https://host (agreement DPA-7, kept 30 days, no training, EU)`.
    pub fn in_words(&self) -> String {
        let mut said = Vec::new();
        if self.self_hosted {
            said.push("self-hosted".to_owned());
        }
        if !self.agreement.is_empty() {
            said.push(format!("agreement {}", self.agreement));
            said.push(format!("kept {} days", self.retention_days));
        }
        said.push(if self.no_training { "no training" } else { "training" }.to_owned());
        if !self.residency.is_empty() {
            said.push(self.residency.clone());
        }
        format!("{} ({})", self.origin, said.join(", "))
    }

    /// Whether these terms promise all that `allowed` asks for.
    pub fn are_within(&self, allowed: &Self) -> bool {
        let nameless = |terms: &Self| Self { agreement: String::new(), ..terms.clone() };
        self.meet(allowed).is_some_and(|both| nameless(&both) == nameless(self))
    }
}

/// What both sides allow.
pub(super) fn both(a: &[Terms], b: &[Terms]) -> Vec<Terms> {
    let (a, b) = (each_once(a), each_once(b));
    a.iter().filter_map(|(origin, terms)| terms.as_ref()?.meet(b.get(origin)?.as_ref()?)).collect()
}

/// One entry an endpoint: an endpoint that is named twice must keep to both; `None` where it cannot.
fn each_once(terms: &[Terms]) -> BTreeMap<&str, Option<Terms>> {
    let mut found: BTreeMap<&str, Option<Terms>> = BTreeMap::new();
    for one in terms {
        let slot = found.entry(&one.origin).or_insert_with(|| Some(one.clone()));
        *slot = slot.as_ref().and_then(|known| known.meet(one));
    }
    found
}
