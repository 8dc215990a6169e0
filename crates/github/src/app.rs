//! What is done as the App itself: sign, learn who we are, mint and revoke tokens.

use std::collections::BTreeMap;

use chaffinch_core::ForgeError;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{
    ConfigError,
    api::{Answer, Api, Call, Told, refused},
    permissions::{self, Permission},
};

/// GitHub's clock may be behind ours.
const ISSUED_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// GitHub refuses an assertion that ends more than ten minutes ahead; one minute is for its clock.
const ENDS_AFTER: TimeDelta = TimeDelta::seconds(9 * 60);
const NEEDS: &str = "the App's id and private key, and a clock that is right";

/// The App at one GitHub server.
pub(crate) struct App {
    pub(crate) api: Api,
    pub(crate) id: u64,
    key: EncodingKey,
    slug: OnceCell<String>,
}

#[derive(Serialize)]
struct Claims {
    iss: u64,
    iat: i64,
    exp: i64,
}

/// Which repository a token is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    Id(u64),
    /// The name without its owner.
    Name(&'a str),
}

/// A token as GitHub gave it. It may have any length and any characters.
#[derive(Deserialize)]
pub(crate) struct Minted {
    pub(crate) token: SecretString,
    pub(crate) expires_at: DateTime<Utc>,
    permissions: Option<BTreeMap<String, String>>,
    repository_selection: Option<String>,
    pub(crate) repositories: Option<Vec<Repository>>,
}

#[derive(Deserialize)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
}

impl App {
    pub(crate) fn new(api: Api, id: u64, pem: &SecretString) -> Result<Self, ConfigError> {
        let key = EncodingKey::from_rsa_pem(pem.expose_secret().trim().as_bytes())
            .map_err(|_| ConfigError::PrivateKey)?;
        let app = Self { api, id, key, slug: OnceCell::new() };
        // A PEM can be read and still not sign: better known now than at the first delivery.
        app.assertion().map_err(|_| ConfigError::PrivateKey)?;
        Ok(app)
    }

    fn assertion(&self) -> Result<SecretString, ForgeError> {
        let now = self.api.clock().now();
        let claims = Claims {
            iss: self.id,
            iat: (now - ISSUED_BEFORE).timestamp(),
            exp: (now + ENDS_AFTER).timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map(SecretString::from)
            .map_err(|_| ForgeError::Other("github: the private key cannot sign".to_owned()))
    }

    /// Sends a call as the App.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, ForgeError> {
        let answer = self.api.send(call, &self.assertion()?).await?;
        match answer.status {
            status if status.is_success() => Ok(answer),
            StatusCode::UNAUTHORIZED => Err(ForgeError::Denied { needs: NEEDS.to_owned() }),
            _ => Err(refused(&answer, call.needs, self.api.clock().now())),
        }
    }

    /// The App's name in addresses; its login is this with `[bot]` behind.
    pub(crate) async fn slug(&self) -> Result<&str, ForgeError> {
        #[derive(Deserialize)]
        struct Me {
            slug: String,
        }
        let ask = async || {
            let call = Call::get("/app", self.api.url("/app")?, NEEDS);
            Ok(self.send(&call).await?.json::<Me>()?.slug)
        };
        self.slug.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Makes a token for one repository with these permissions and no others. A token that turns out
    /// to hold less, or more, is destroyed at once.
    pub(crate) async fn mint(
        &self,
        installation: u64,
        which: Which<'_>,
        set: &[Permission],
    ) -> Result<Minted, ForgeError> {
        let url = self.api.url(&format!("/app/installations/{installation}/access_tokens"))?;
        let asked = permissions::asked(set);
        let body = match which {
            Which::Id(id) => json!({ "repository_ids": [id], "permissions": asked }),
            Which::Name(name) => json!({ "repositories": [name], "permissions": asked }),
        };
        let route = "/app/installations/{installation_id}/access_tokens";
        let call =
            Call::write(Method::POST, route, url, body, "an installation that is not suspended");
        let answer = self.api.send(&call, &self.assertion()?).await?;
        if !answer.status.is_success() {
            return Err(self.not_minted(&answer, &call, set));
        }
        let minted: Minted = answer.json()?;
        if let Err(error) = check(&minted, which, set) {
            // The error matters more than whether this works: the token ends within the hour.
            let _ = self.revoke(&minted.token).await;
            return Err(error);
        }
        Ok(minted)
    }

    fn not_minted(&self, answer: &Answer, call: &Call, set: &[Permission]) -> ForgeError {
        match answer.status {
            StatusCode::UNAUTHORIZED => ForgeError::Denied { needs: NEEDS.to_owned() },
            StatusCode::UNPROCESSABLE_ENTITY => {
                let told = Told::of(answer).text.to_lowercase();
                if told.contains("permissions requested") {
                    ForgeError::Denied { needs: permissions::named(set) }
                } else if told.contains("repository") || told.contains("repositories") {
                    // Not in this installation, or no more.
                    ForgeError::NotFound
                } else {
                    refused(answer, call.needs, self.api.clock().now())
                }
            }
            _ => refused(answer, call.needs, self.api.clock().now()),
        }
    }

    /// Destroys a token. One that is dead already, or a server that cannot, is no error.
    pub(crate) async fn revoke(&self, token: &SecretString) -> Result<(), ForgeError> {
        let route = "/installation/token";
        let mut call = Call::get(route, self.api.url(route)?, "the token itself");
        call.method = Method::DELETE;
        let answer = self.api.send(&call, token).await?;
        match answer.status {
            status if status.is_success() => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED => {
                Ok(())
            }
            _ => Err(refused(&answer, call.needs, self.api.clock().now())),
        }
    }
}

/// Whether a token is exactly what was asked for. `metadata: read` comes with every token.
fn check(minted: &Minted, which: Which<'_>, set: &[Permission]) -> Result<(), ForgeError> {
    let granted = minted.permissions.as_ref().ok_or_else(|| {
        ForgeError::Other("github: a token without a word on what it may do".to_owned())
    })?;
    let missing: Vec<Permission> = set
        .iter()
        .copied()
        .filter(|p| rank(granted.get(p.name)) < rank(Some(p.level.as_str())))
        .collect();
    if !missing.is_empty() {
        return Err(ForgeError::Denied { needs: permissions::named(&missing) });
    }
    let asked = permissions::asked(set);
    let wider = granted.iter().any(|(name, level)| {
        let allowed = asked.get(name.as_str()).copied();
        let allowed = allowed.or((name == "metadata").then_some("read"));
        rank(Some(level)) > rank(allowed)
    });
    let one = match (&minted.repositories, which) {
        (Some(list), Which::Id(id)) => list.len() == 1 && list[0].id == id,
        (Some(list), Which::Name(name)) => {
            list.len() == 1
                && list[0]
                    .full_name
                    .rsplit('/')
                    .next()
                    .is_some_and(|n| n.eq_ignore_ascii_case(name))
        }
        (None, _) => minted.repository_selection.as_deref() != Some("all"),
    };
    if wider || !one {
        return Err(ForgeError::Other(
            "github: a token that may do more than was asked for".to_owned(),
        ));
    }
    Ok(())
}

fn rank(level: Option<impl AsRef<str>>) -> u8 {
    match level.as_ref().map(AsRef::as_ref) {
        None => 0,
        Some("read") => 1,
        Some("write") => 2,
        Some(_) => 3,
    }
}
