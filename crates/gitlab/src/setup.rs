//! What a maintainer of a project does for us: its webhook once, and new tokens before the old ones end.
//! It takes a token of theirs (scope `api`, role Maintainer), which the server never has.

use std::{sync::Arc, time::Duration};

use chaffinch_core::{Clock, ForgeError, RepoName};
use chrono::NaiveDate;
use http::Method;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Config, ConfigError,
    api::{Api, Call, encode, refused},
    body::one_line,
    json::nullable,
    permissions::Token,
};

const HOOKS: &str = "/projects/{id}/hooks";
const HOOK: &str = "/projects/{id}/hooks/{hook}";
const NEEDS: &str = "scope api, role Maintainer";
/// Of one project; GitLab allows a hundred hooks.
const MOST_PAGES: usize = 2;
const PER_PAGE: usize = 100;
/// How often a hook's log is looked at for what was sent: GitLab writes it a moment later. The pause
/// doubles each time.
const LOOKS: u32 = 5;

/// Every event that a hook can have; those that are not asked for are switched off.
const EVENTS: [&str; 18] = [
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "feature_flag_events",
    "job_events",
    "releases_events",
    "milestone_events",
    "emoji_events",
    "resource_access_token_events",
    "resource_deploy_token_events",
    "vulnerability_events",
];

/// What may be sent as a test, the likeliest to exist first. GitLab takes something that is there.
const SAMPLES: [&str; 3] = ["merge_requests_events", "pipeline_events", "push_events"];

/// A maintainer's way into a project's settings.
pub struct Setup {
    api: Api,
    token: SecretString,
    /// Before a hook's log is looked at a second time.
    pause: Duration,
}

/// The webhook as it shall be.
#[derive(Debug, Clone)]
pub struct NewHook {
    /// Where it sends to. A hook of the project that sends there already is ours.
    pub url: Url,
    /// What it signs with: a signing token, or a secret token for servers before GitLab 19.
    pub secret: SecretString,
    /// Whether it tells of single jobs, too.
    pub jobs: bool,
}

/// The webhook as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Its number.
    pub id: u64,
    /// Whether it was not there before.
    pub made: bool,
    /// What it tells of, in GitLab's words.
    pub events: Vec<&'static str>,
    /// Whether GitLab has taken the secret. A server before 19 knows no signing tokens: then nothing
    /// proves what it sends, until it is given a secret token.
    pub proves: bool,
}

/// What became of a test delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// Our server took it.
    Arrived(u16),
    /// Our server turned it away, with this status.
    Refused(u16),
    /// It did not get there; GitLab's words.
    Lost(String),
    /// It was sent, and this GitLab (older than 17.3) does not tell how it was answered.
    Untold,
    /// The project has nothing yet that could be told of.
    NothingToSend,
}

#[derive(Deserialize)]
struct Hook {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    url: String,
    #[serde(default, deserialize_with = "nullable")]
    token_present: bool,
    #[serde(default, deserialize_with = "nullable")]
    signing_token_present: bool,
}

#[derive(Deserialize)]
struct Event {
    id: u64,
    /// A number, or a text that holds one or says what went wrong.
    #[serde(default)]
    response_status: Value,
}

impl Event {
    fn status(&self) -> Option<u16> {
        match &self.response_status {
            Value::Number(number) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl Setup {
    /// For the GitLab at `url`, by a token of a maintainer's.
    ///
    /// # Errors
    /// [`ConfigError::Url`] for an address that is not safe.
    pub fn new(
        url: &Url,
        http: Client,
        clock: Arc<dyn Clock>,
        token: SecretString,
    ) -> Result<Self, ConfigError> {
        let config = Config::new(url.clone());
        config.validate_url()?;
        let pause = config.back_off;
        Ok(Self { api: Api::new(url, http, clock, pause), token, pause })
    }

    /// Waits so long, at first, for a hook's log to show what was sent.
    #[must_use]
    pub fn pausing(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The project's number.
    ///
    /// # Errors
    /// [`ForgeError::NotFound`] where the token does not see it, [`ForgeError::Denied`] where it is no
    /// good.
    pub async fn project(&self, name: &RepoName) -> Result<u64, ForgeError> {
        #[derive(Deserialize)]
        struct Project {
            id: u64,
        }
        let path = format!("/projects/{}", encode(name.as_str()));
        let call = Call::get("/projects/{id}", self.api.url(&path)?, NEEDS);
        Ok(self.ask::<Project>(&call).await?.id)
    }

    /// Makes the webhook, or brings the one that sends there already up to date.
    ///
    /// # Errors
    /// [`ForgeError::Denied`] names what the token lacks.
    pub async fn connect(&self, project: u64, new: &NewHook) -> Result<Connected, ForgeError> {
        let mut events = vec!["merge_requests_events", "pipeline_events"];
        if new.jobs {
            events.push("job_events");
        }
        let mut body = json!({
            "url": new.url.as_str(),
            "name": "Chaffinch",
            "enable_ssl_verification": true,
        });
        for event in EVENTS {
            body[event] = json!(events.contains(&event));
        }
        let secret = new.secret.expose_secret();
        // The other one is taken away: what is left of an earlier set-up must prove nothing.
        let signs = secret.starts_with("whsec_");
        body[if signs { "signing_token" } else { "token" }] = json!(secret);
        if signs {
            body["token"] = json!("");
        }
        let ours = self.hooks(project).await?.into_iter().find(|hook| hook.url == new.url.as_str());
        // What is signed is never taken on the secret token. Servers that know no signing tokens show none.
        if !signs && ours.as_ref().is_some_and(|hook| hook.signing_token_present) {
            body["signing_token"] = Value::Null;
        }
        let (method, route, path) = match &ours {
            Some(hook) => (Method::PUT, HOOK, format!("/projects/{project}/hooks/{}", hook.id)),
            None => (Method::POST, HOOKS, format!("/projects/{project}/hooks")),
        };
        let call = Call::write(method, route, self.api.url(&path)?, body, NEEDS);
        let hook: Hook = self.ask(&call).await?;
        let proves = match signs {
            true => hook.signing_token_present,
            false => hook.token_present && !hook.signing_token_present,
        };
        Ok(Connected { id: hook.id, made: ours.is_none(), events, proves })
    }

    /// Removes every webhook that sends to `url`; how many.
    ///
    /// # Errors
    /// [`ForgeError::Denied`] names what the token lacks.
    pub async fn disconnect(&self, project: u64, url: &Url) -> Result<usize, ForgeError> {
        let mut removed = 0;
        for hook in self.hooks(project).await?.iter().filter(|hook| hook.url == url.as_str()) {
            let path = format!("/projects/{project}/hooks/{}", hook.id);
            self.send(&Call::delete(HOOK, self.api.url(&path)?, NEEDS)).await?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Lets GitLab send something that it has through the webhook, and looks what became of it. What
    /// became of earlier deliveries says nothing, however they ended.
    ///
    /// # Errors
    /// [`ForgeError`] where GitLab does not do it, or cannot say.
    pub async fn try_out(&self, project: u64, hook: u64) -> Result<Tried, ForgeError> {
        let before = match self.newest(project, hook).await {
            Ok(newest) => Some(newest.map_or(0, |event| event.id)),
            Err(ForgeError::NotFound) => None,
            Err(error) => return Err(error),
        };
        for sample in SAMPLES {
            let route = "/projects/{id}/hooks/{hook}/test/{trigger}";
            let path = format!("/projects/{project}/hooks/{hook}/test/{sample}");
            let url = self.api.url(&path)?;
            let call = Call { method: Method::POST, ..Call::delete(route, url, NEEDS) };
            let answer = self.api.send(&call, &self.token).await?;
            // It has nothing of the kind, or it could not be delivered: the events tell which.
            let sent = answer.status.is_success();
            if !sent && answer.status.as_u16() != 422 {
                return Err(refused(&answer, NEEDS, self.api.clock().now()));
            }
            let why = match refused(&answer, NEEDS, self.api.clock().now()) {
                ForgeError::Refused { why } => why,
                other => other.to_string(),
            };
            if !sent && why.contains("Ensure the project") {
                continue;
            }
            let Some(before) = before else {
                return Ok(if sent { Tried::Untold } else { Tried::Lost(one_line(&why, 300)) });
            };
            return Ok(match self.logged_after(before, project, hook).await? {
                Some(Some(status @ 200..=299)) => Tried::Arrived(status),
                Some(Some(status @ 100..)) => Tried::Refused(status),
                Some(_) if sent => Tried::Lost("no answer".to_owned()),
                None if sent => Tried::Lost("the webhook's log does not show it".to_owned()),
                _ => Tried::Lost(one_line(&why, 300)),
            });
        }
        Ok(Tried::NothingToSend)
    }

    /// Makes a new token in the place of `old`, which ends at once; the new one is good until `until`.
    ///
    /// # Errors
    /// [`ForgeError::Denied`] where `old` is good no longer, or ours may not.
    pub async fn rotate(
        &self,
        project: u64,
        old: &SecretString,
        until: NaiveDate,
    ) -> Result<SecretString, ForgeError> {
        #[derive(Deserialize)]
        struct Own {
            id: u64,
        }
        #[derive(Deserialize)]
        struct Renewed {
            token: SecretString,
        }
        let route = "/personal_access_tokens/self";
        let call = Call::get(route, self.api.url(route)?, "a token that has not ended");
        let answer = self.api.send(&call, old).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer, call.needs, self.api.clock().now()));
        }
        let Own { id } = answer.json()?;
        let route = "/projects/{id}/access_tokens/{token}/rotate";
        let path = format!("/projects/{project}/access_tokens/{id}/rotate");
        let body = json!({ "expires_at": until.to_string() });
        let call = Call::write(Method::POST, route, self.api.url(&path)?, body, NEEDS);
        Ok(self.ask::<Renewed>(&call).await?.token)
    }

    /// Makes a token for the project; its user is one of its own.
    ///
    /// # Errors
    /// [`ForgeError::Refused`] where GitLab makes none (on gitlab.com they are not part of every tier).
    pub async fn make_token(
        &self,
        project: u64,
        token: Token,
        until: NaiveDate,
    ) -> Result<SecretString, ForgeError> {
        #[derive(Deserialize)]
        struct Made {
            token: SecretString,
        }
        let route = "/projects/{id}/access_tokens";
        let body = json!({
            "name": format!("chaffinch-{}", token.as_str()),
            "scopes": [token.scope()],
            "access_level": token.least_role().access_level(),
            "expires_at": until.to_string(),
        });
        let path = format!("/projects/{project}/access_tokens");
        let call = Call::write(Method::POST, route, self.api.url(&path)?, body, NEEDS);
        Ok(self.ask::<Made>(&call).await?.token)
    }

    async fn hooks(&self, project: u64) -> Result<Vec<Hook>, ForgeError> {
        let mut hooks = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!("/projects/{project}/hooks?per_page={PER_PAGE}&page={page}");
            let answer = self.send(&Call::get(HOOKS, self.api.url(&path)?, NEEDS)).await?;
            let mut found: Vec<Hook> = answer.json()?;
            let more = answer.has_next(found.len(), PER_PAGE);
            hooks.append(&mut found);
            if !more {
                break;
            }
        }
        Ok(hooks)
    }

    async fn newest(&self, project: u64, hook: u64) -> Result<Option<Event>, ForgeError> {
        let route = "/projects/{id}/hooks/{hook}/events";
        let path = format!("/projects/{project}/hooks/{hook}/events?per_page=1");
        let events: Vec<Event> = self.ask(&Call::get(route, self.api.url(&path)?, NEEDS)).await?;
        Ok(events.into_iter().next())
    }

    /// How a delivery was answered that is newer than `before`, by its number: clocks may differ. The
    /// inner `None` where there was no answer.
    async fn logged_after(
        &self,
        before: u64,
        project: u64,
        hook: u64,
    ) -> Result<Option<Option<u16>>, ForgeError> {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(self.pause * (1 << (look - 1))).await;
            }
            let newest = self.newest(project, hook).await?;
            if let Some(event) = newest.filter(|event| event.id > before) {
                return Ok(Some(event.status()));
            }
        }
        Ok(None)
    }

    async fn send(&self, call: &Call) -> Result<crate::api::Answer, ForgeError> {
        let answer = self.api.send(call, &self.token).await?;
        match answer.status.is_success() {
            true => Ok(answer),
            false => Err(refused(&answer, call.needs, self.api.clock().now())),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ForgeError> {
        self.send(call).await?.json()
    }
}
