//! The two ways in which GitLab shows that a delivery is its own: a signature over id, time and body
//! (Standard Webhooks), or, on older servers and where no signing token is set, the shared secret
//! itself.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac, rand};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use secrecy::SecretString;

pub(super) const HEADER: &str = "webhook-signature";
pub(super) const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const TOKEN: &str = "x-gitlab-token";
/// How far the two clocks may be apart, in seconds.
const TOLERANCE: u64 = 300;
/// More entries than any rotation needs; each costs a comparison.
const MOST_SIGNATURES: usize = 16;

/// A signing token of random bytes, as GitLab takes it: `whsec_` and the base64 of exactly 32. `None`
/// where the system has no randomness to give.
pub fn new_signing_token() -> Option<SecretString> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    Some(format!("whsec_{}", BASE64_STANDARD.encode(bytes)).into())
}

/// A shared secret. Its `Debug` shows its kind only.
pub(super) enum Key {
    /// What signs.
    Signing(hmac::Key, usize),
    /// A digest of what stands in `X-Gitlab-Token`: digests have one length, so comparing them tells
    /// nothing of the secret's.
    Token(hmac::Tag, hmac::Key, usize),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signing(..) => "Key::Signing",
            Self::Token(..) => "Key::Token",
        })
    }
}

impl Key {
    /// `whsec_` and base64 is a signing token, anything else a secret token. `None` for a signing
    /// token that is not base64.
    pub(super) fn new(secret: &str) -> Option<Self> {
        let Some(signing) = secret.strip_prefix("whsec_") else {
            let own = hmac::Key::new(hmac::HMAC_SHA256, b"x-gitlab-token");
            return Some(Self::Token(hmac::sign(&own, secret.as_bytes()), own, secret.len()));
        };
        let bytes = BASE64_STANDARD.decode(signing).ok()?;
        Some(Self::Signing(hmac::Key::new(hmac::HMAC_SHA256, &bytes), bytes.len()))
    }

    /// Whether it is a signing token.
    pub(super) fn signs(&self) -> bool {
        matches!(self, Self::Signing(..))
    }

    /// How long the secret is.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Signing(_, bytes) | Self::Token(_, _, bytes) => *bytes,
        }
    }

    /// Whether one of the signatures in the headers is this key's, over the id, the time and `body`.
    pub(super) fn signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let Self::Signing(key, _) = self else { return false };
        let (Some(id), Some(time)) = (text(headers, ID), text(headers, TIMESTAMP)) else {
            return false;
        };
        let mut context = hmac::Context::with_key(key);
        context.update(format!("{id}.{time}.").as_bytes());
        context.update(body);
        let tag = context.sign();
        let given = text(headers, HEADER).unwrap_or_default().split(' ');
        // Entries of other versions stand beside ours while a scheme is replaced.
        let ours = given.filter_map(|entry| entry.strip_prefix("v1,")).take(MOST_SIGNATURES);
        ours.fold(false, |fits, entry| {
            let entry = BASE64_STANDARD.decode(entry).unwrap_or_default();
            verify_slices_are_equal(tag.as_ref(), &entry).is_ok() | fits
        })
    }

    /// Whether the secret token in the headers is this one. The comparison takes the same time
    /// wherever the two differ.
    pub(super) fn is_token(&self, headers: &HeaderMap) -> bool {
        let Self::Token(tag, own, _) = self else { return false };
        let Some(given) = headers.get(TOKEN) else { return false };
        let given = hmac::sign(own, given.as_bytes());
        verify_slices_are_equal(tag.as_ref(), given.as_ref()).is_ok()
    }
}

/// Whether a delivery was signed about now.
pub(super) fn is_timely(headers: &HeaderMap, now: DateTime<Utc>) -> bool {
    let signed_at = text(headers, TIMESTAMP).and_then(|time| time.parse::<i64>().ok());
    signed_at.is_some_and(|at| at.abs_diff(now.timestamp()) <= TOLERANCE)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
