//! Every webhook secret of the server, and which of them are tried on one delivery.
//!
//! A signature is over the body, so that each secret that is tried costs one pass over it: about 20 µs
//! for the usual 25 KB, and 20 ms for the largest body that is taken. Up to [`FEW`] secrets, all are
//! tried. A server of thousands of projects cannot do that: whoever knows its address could have
//! gigabytes hashed with one request. There the project that the body names of itself chooses, and only
//! the secrets for that project are tried, which are the only ones that may vouch for it anyway. Nobody
//! has proved that name yet, so it must not be told by the time whether it is known: each delivery costs
//! the same number of passes, with keys of our own where there are no others.

use std::collections::HashMap;

use chaffinch_core::RepoName;
use http::HeaderMap;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    HookSecret,
    events::path_of,
    signature::{Key, new_signing_token},
};
use crate::{ConfigError, Projects};

/// A shorter secret can be guessed from one delivery, away from our server.
const LEAST_SECRET: usize = 16;
/// The most in all: what a start reads and a map of them holds without anybody noticing.
const MOST_SECRETS: usize = 10_000;
/// The most that are all tried.
const FEW: usize = 32;
/// The most that may vouch for one project: two while one is rotated, of the project, of its group and of
/// two groups above.
const MOST_OF_ONE: usize = 8;

pub(super) struct Ring {
    keys: Vec<(Option<Projects>, Key)>,
    /// Where there are many: by project or group, in lower case; those that are for all, by an empty
    /// name.
    by_name: HashMap<String, Vec<usize>>,
    /// What is tried in place of keys that there are not, a signing token and a secret token; they fit
    /// nothing.
    nobody: (Key, Key),
    /// `/gitlab`, or empty.
    sub_path: String,
}

/// The little that is read before anything is proved.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    project: Option<NamedProject>,
    /// Older servers name no project of a job.
    #[serde(default)]
    repository: Option<NamedRepository>,
}

#[derive(Deserialize)]
struct NamedProject {
    path_with_namespace: String,
}

#[derive(Deserialize)]
struct NamedRepository {
    #[serde(default)]
    homepage: Option<String>,
}

impl Named {
    fn path(self, sub_path: &str) -> Option<RepoName> {
        let path = match (self.project, self.repository) {
            (Some(project), _) => Some(project.path_with_namespace),
            (None, Some(repository)) => path_of(&repository.homepage?, sub_path),
            (None, None) => None,
        };
        RepoName::new(path?).ok()
    }
}

impl Ring {
    pub(super) fn new(secrets: Vec<HookSecret>, sub_path: &str) -> Result<Self, ConfigError> {
        if secrets.is_empty() {
            return Err(ConfigError::NoSecret);
        }
        if secrets.len() > MOST_SECRETS {
            return Err(ConfigError::TooManySecrets(MOST_SECRETS));
        }
        let mut keys = Vec::with_capacity(secrets.len());
        for HookSecret { projects, secret } in secrets {
            let key = Key::new(secret.expose_secret()).ok_or(ConfigError::SigningToken)?;
            if key.bytes() < LEAST_SECRET {
                return Err(ConfigError::ShortSecret(LEAST_SECRET));
            }
            keys.push((projects, key));
        }
        let ring = Self::holding(keys, sub_path)?;
        if ring.is_large() {
            for (projects, _) in &ring.keys {
                let name = projects.as_ref().map(ToString::to_string);
                if ring.of(name.as_deref().unwrap_or_default()).len() > MOST_OF_ONE {
                    let name = name.unwrap_or_else(|| "every project".to_owned());
                    return Err(ConfigError::TooManySecretsOf(name, MOST_OF_ONE));
                }
            }
        }
        Ok(ring)
    }

    pub(super) fn holding(
        keys: Vec<(Option<Projects>, Key)>,
        sub_path: &str,
    ) -> Result<Self, ConfigError> {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (projects, _)) in keys.iter().enumerate() {
            let name = projects.as_ref().map(|p| p.to_string().to_ascii_lowercase());
            by_name.entry(name.unwrap_or_default()).or_default().push(at);
        }
        Ok(Self { keys, by_name, nobody: nobody()?, sub_path: sub_path.to_owned() })
    }

    /// The projects of each secret that fits a delivery.
    pub(super) fn fitting(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        signed: bool,
    ) -> Vec<Option<&Projects>> {
        let vouches = |at: Option<usize>| match signed {
            true => self.signing(at).signed(headers, body),
            false => self.token(at).is_token(headers),
        };
        // All are tried, so that the time does not tell which one fits.
        let tried = self.tried(body);
        let fitting = tried.into_iter().filter(|at| vouches(*at));
        fitting.filter_map(|at| self.keys.get(at?)).map(|(of, _)| of.as_ref()).collect()
    }

    /// Which keys are tried; `None` for the one that fits nothing.
    fn tried(&self, body: &[u8]) -> Vec<Option<usize>> {
        if !self.is_large() {
            return (0..self.keys.len()).map(Some).collect();
        }
        // What names no project in GitLab's own way has a template of somebody's, and nothing that we
        // could read.
        let named = serde_json::from_slice::<Named>(body).ok();
        let name = named.and_then(|named| named.path(&self.sub_path));
        let of = self.of(name.as_ref().map_or("", RepoName::as_str));
        let mut tried: Vec<_> = of.into_iter().map(Some).collect();
        // The bound of each project is checked at the start; this one alone is for `nobody`.
        tried.resize(tried.len().max(MOST_OF_ONE), None);
        tried
    }

    fn is_large(&self) -> bool {
        self.keys.len() > FEW
    }

    /// The key that a signature is held against: one that cannot have signed costs a pass too.
    fn signing(&self, at: Option<usize>) -> &Key {
        let key = at.and_then(|at| self.keys.get(at)).map(|(_, key)| key);
        key.filter(|key| key.signs()).unwrap_or(&self.nobody.0)
    }

    /// The same for a secret token.
    fn token(&self, at: Option<usize>) -> &Key {
        let key = at.and_then(|at| self.keys.get(at)).map(|(_, key)| key);
        key.filter(|key| !key.signs()).unwrap_or(&self.nobody.1)
    }

    /// Those for `name`, for every group above it, and for all.
    fn of(&self, name: &str) -> Vec<usize> {
        let name = name.to_ascii_lowercase();
        let mut names = vec![String::new(), name.clone()];
        // `a/b/*` is below `a/*` as much as `a/b/c` is.
        let own = name.strip_suffix("/*").unwrap_or(&name);
        names.extend(own.match_indices('/').map(|(at, _)| format!("{}/*", &own[..at])));
        names.dedup();
        let found = names.iter().filter_map(|name| self.by_name.get(name));
        found.flatten().copied().collect()
    }
}

fn nobody() -> Result<(Key, Key), ConfigError> {
    let token = new_signing_token().ok_or(ConfigError::NoSecret)?;
    let key = |text: &str| Key::new(text).ok_or(ConfigError::SigningToken);
    Ok((key(token.expose_secret())?, key(token.expose_secret().trim_start_matches("whsec_"))?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_lc_rs::hmac;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use chaffinch_core::Clock;
    use chrono::{DateTime, Utc};
    use http::HeaderValue;
    use url::Url;

    use super::*;
    use crate::{Received, Rejected, Webhook, WebhookConfig};

    struct Still;

    impl Clock for Still {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(1_790_000_000, 0).unwrap()
        }
    }

    fn key(of: &str) -> [u8; 32] {
        let mut key = [7; 32];
        key[..of.len()].copy_from_slice(of.as_bytes());
        key
    }

    fn secret(projects: &str, of: &str) -> HookSecret {
        let secret = format!("whsec_{}", BASE64_STANDARD.encode(key(of)));
        HookSecret { projects: Some(projects.parse().unwrap()), secret: secret.into() }
    }

    /// 200 projects, of which two share a group that has a secret too.
    fn many() -> Vec<HookSecret> {
        let own = (0..200).map(|n| secret(&format!("acme/p{n}"), &format!("p{n}")));
        own.chain([secret("acme/*", "group"), secret("acme/deep/*", "deep")]).collect()
    }

    fn receive(secrets: Vec<HookSecret>, of: &str, body: &str) -> Result<Received, Rejected> {
        let url = Url::parse("https://git.example.com").unwrap();
        let config = WebhookConfig { url, secrets, jobs: vec!["scan".into()] };
        let webhook = Webhook::new(config, Arc::new(Still)).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key(of));
        let tag = hmac::sign(&key, format!("d1.1790000000.{body}").as_bytes());
        let mut headers = HeaderMap::new();
        let signature = format!("v1,{}", BASE64_STANDARD.encode(tag));
        for (name, value) in [
            ("webhook-id", "d1"),
            ("webhook-timestamp", "1790000000"),
            ("webhook-signature", &signature),
        ] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        webhook.receive(&headers, body.as_bytes())
    }

    fn opened(project: &str) -> String {
        serde_json::json!({
            "object_kind": "merge_request",
            "project": { "id": 9, "path_with_namespace": project },
            "object_attributes": {
                "iid": 7, "state": "opened", "action": "open",
                "last_commit": { "id": "a".repeat(40) },
            },
        })
        .to_string()
    }

    #[test]
    fn each_of_two_hundred_projects_is_vouched_for_by_its_own_secret_or_its_groups() {
        for (of, project, taken) in [
            ("p0", "acme/p0", true),
            ("p199", "acme/p199", true),
            ("p199", "ACME/P199", true),
            ("p198", "acme/p199", false),
            ("group", "acme/p199", true),
            ("group", "acme/deep/x", true),
            ("deep", "acme/deep/x", true),
            ("deep", "acme/p1", false),
            ("p1", "other/p1", false),
            ("nobody", "acme/p1", false),
        ] {
            let got = receive(many(), of, &opened(project));
            assert_eq!(matches!(got, Ok(Received::Job(_))), taken, "{of} for {project}: {got:?}");
        }
        // What is authentic and not ours is no error here either.
        let push = r#"{"object_kind":"push","project":{"path_with_namespace":"acme/p3"}}"#;
        assert!(matches!(receive(many(), "p3", push), Ok(Received::NotOurs(_))));
        // A job, as older servers tell of it.
        let job = r#"{"object_kind":"build","repository":{"homepage":"https://git.example.com/acme/p3"}}"#;
        assert!(matches!(receive(many(), "p3", job), Ok(Received::NotOurs(_))));
        // What names no project is taken from nobody, where there are many.
        let nameless = r#"{"object_kind":"push"}"#;
        assert_eq!(receive(many(), "p3", nameless), Err(Rejected::BadSignature));
        let few = many().into_iter().take(FEW).collect();
        assert!(matches!(receive(few, "p3", nameless), Ok(Received::NotOurs(_))));
    }

    #[test]
    fn every_delivery_costs_the_same_whatever_project_it_names() {
        let plain = HookSecret {
            projects: Some("acme/plain".parse().unwrap()),
            secret: "a secret token of its own".to_owned().into(),
        };
        let ring = Ring::new(many().into_iter().chain([plain]).collect(), "").unwrap();
        let bodies =
            ["acme/p0", "acme/deep/x", "acme/unknown", "other/p1", "acme/*", "", "a", "acme/plain"];
        for body in bodies.map(opened).iter().map(String::as_str).chain(["", "{}", "no JSON"]) {
            let tried = ring.tried(body.as_bytes());
            assert_eq!(tried.len(), MOST_OF_ONE, "{body}");
            // Whatever stands there, a signature costs a pass and a token a comparison.
            assert!(tried.iter().all(|at| ring.signing(*at).signs()), "{body}");
            assert!(tried.iter().all(|at| !ring.token(*at).signs()), "{body}");
        }
        let few = Ring::new(many().into_iter().take(FEW).collect(), "").unwrap();
        assert_eq!(few.tried(b"no JSON").len(), FEW);
    }

    #[test]
    fn too_many_secrets_are_refused_for_one_project_and_in_all() {
        let refused = |more: Vec<HookSecret>| {
            let error = Ring::new(many().into_iter().chain(more).collect(), "").err();
            error.map(|error| error.to_string())
        };
        let of = |pattern: &str, n: usize| -> Vec<HookSecret> {
            (0..n).map(|n| secret(pattern, &format!("m{n}"))).collect()
        };
        // With that of its own, and that of the group.
        assert_eq!(refused(of("acme/p7", 6)), None);
        let said = refused(of("acme/p7", 7)).unwrap();
        assert_eq!(said, "more than 8 webhook secrets may vouch for acme/p7");
        // In the group `acme/deep` it would be eight beside its own and that of `acme`.
        assert!(refused(of("acme/deep/*", 7)).is_some_and(|said| said.contains("acme/deep/*")));
        assert!(refused(of("a/b", MOST_SECRETS)).is_some_and(|said| said.contains("10000")));
    }
}
