//! Where text may go.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{Policy, PolicyError, Terms};

/// One model behind one address, and what is known of who runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The address that requests are made under, as `https://host[:port][/path]`.
    pub base_url: String,
    /// The model that is asked there.
    pub model: String,
    /// What its vendor has promised; `None` where nothing is known.
    #[serde(default)]
    pub attestation: Option<Attestation>,
    /// Whether the operator says that it is theirs.
    #[serde(default)]
    pub self_hosted: bool,
}

/// What is known of a vendor's endpoint, in the operator's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The reference of the data-protection agreement.
    pub agreement: String,
    /// For how many days the vendor may keep copies.
    pub retention_days: u16,
    /// Whether the vendor has promised not to train on what it is sent.
    pub no_training: bool,
    /// Where the vendor keeps and reads what it is sent, in the words of the agreement ("EU"); empty
    /// where nothing is promised.
    #[serde(default)]
    pub residency: String,
}

impl Endpoint {
    /// Scheme, host and port (the default port left out), as receipts show them.
    ///
    /// # Errors
    /// [`PolicyError::Address`] where the address cannot be used.
    pub fn origin(&self) -> Result<String, PolicyError> {
        Ok(self.address()?.origin().ascii_serialization())
    }

    /// The terms on which text goes here, as a policy names them.
    ///
    /// # Errors
    /// [`PolicyError::Address`] where the address cannot be used.
    pub fn terms(&self) -> Result<Terms, PolicyError> {
        let address = self.address()?;
        let attested = self.attestation.as_ref();
        Ok(Terms {
            origin: address.origin().ascii_serialization(),
            self_hosted: self.self_hosted || on_loopback(&address),
            agreement: attested.map(|a| a.agreement.trim().to_owned()).unwrap_or_default(),
            retention_days: attested.map_or(0, |a| a.retention_days),
            no_training: attested.is_none_or(|a| a.no_training),
            residency: attested.map(|a| a.residency.trim().to_owned()).unwrap_or_default(),
        })
    }

    /// Checks that text may go here under `policy`: it is attested as that wants, and one of those that
    /// it names, on the terms that it names.
    ///
    /// # Errors
    /// [`PolicyError`] says what is missing.
    pub fn check(&self, policy: &Policy) -> Result<(), PolicyError> {
        self.attested(policy)?;
        let terms = self.terms()?;
        let mut allowed =
            policy.endpoints.iter().filter(|one| one.origin == terms.origin).peekable();
        if allowed.peek().is_none() || !allowed.all(|allowed| terms.are_within(allowed)) {
            return Err(PolicyError::NotInForce { origin: terms.origin });
        }
        Ok(())
    }

    /// Checks that what is known of it is what `policy` wants to be known.
    ///
    /// # Errors
    /// [`PolicyError`] says what is missing. An endpoint without attestation is refused unless it
    /// is on the loopback or declared self-hosted; an attestation that is there is always checked.
    pub fn attested(&self, policy: &Policy) -> Result<(), PolicyError> {
        let address = self.address()?;
        let origin = address.origin().ascii_serialization();
        let ours = self.self_hosted || on_loopback(&address);
        if self.model.trim().is_empty() {
            return Err(PolicyError::NoModel { origin });
        }
        if address.scheme() == "http" && !ours {
            return Err(PolicyError::Address(
                "use https, or declare it self-hosted if it is yours",
            ));
        }
        let Some(Attestation { agreement, retention_days, no_training, .. }) = &self.attestation
        else {
            return if ours { Ok(()) } else { Err(PolicyError::Unattested { origin }) };
        };
        if agreement.trim().is_empty() {
            return Err(PolicyError::NoAgreement { origin });
        }
        if *retention_days > policy.max_vendor_retention_days {
            let max = policy.max_vendor_retention_days;
            return Err(PolicyError::Retention { origin, days: *retention_days, max });
        }
        if !no_training {
            return Err(PolicyError::Training { origin });
        }
        Ok(())
    }

    fn address(&self) -> Result<Url, PolicyError> {
        let Ok(url) = Url::parse(&self.base_url) else {
            return Err(PolicyError::Address("write it as https://host/path"));
        };
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(PolicyError::Address("write it as https://host/path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PolicyError::Address("take the user and password out of it"));
        }
        Ok(url)
    }
}

fn on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
