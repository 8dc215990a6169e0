//! `chaffinch connect gitlab` and `chaffinch rotate gitlab`: what a maintainer does once.

mod site;

use std::process::ExitCode;

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use chaffinch_core::{Clock, Entropy, ForgeError};
use chaffinch_gitlab::{NewHook, Tried, permissions::Token};
use chaffinch_server::{SystemClock, SystemEntropy};
use chrono::{NaiveDate, TimeDelta};
use secrecy::{ExposeSecret, SecretString};

use self::site::Site;
pub(crate) use self::site::entry;
use crate::{
    args::{ConnectGitLab, RotateGitLab},
    doctor::shown,
    progress,
    secret::{self, Place},
};

/// A test delivery did not arrive.
const NOT_ARRIVED: u8 = 1;

pub(crate) async fn run(
    options: ConnectGitLab,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let site = Site::open(&options.at, environment, options.server.as_ref())?;
    let project = site.project().await?;
    let url = site.hook_url()?;
    if options.remove {
        let removed = site.setup.disconnect(project, &url).await.map_err(said)?;
        progress::print(&match removed {
            0 => format!("No webhook of {} sends to {url}: nothing to remove.\n", site.name),
            _ => format!("Removed the webhook of {} to {url}.\n", site.name),
        })?;
        progress::print(&format!("{}\n", revoking(&site).await))?;
        return Ok(ExitCode::SUCCESS);
    }
    if options.make_tokens {
        make_tokens(&site, project, options.days).await?;
    }
    refuse_excess(&site).await?;
    let secret = hook_secret(&site)?;
    let hook = NewHook { url: url.clone(), secret, jobs: !site.config.gitlab.jobs.is_empty() };
    let made = site.setup.connect(project, &hook).await.map_err(said)?;
    let events = made.events.iter().map(|event| match *event {
        "merge_requests_events" => "merge requests",
        "pipeline_events" => "pipelines",
        "job_events" => "jobs",
        other => other,
    });
    let events: Vec<_> = events.collect();
    progress::print(&format!(
        "{} webhook {} of {} (project {project}).\n  sends to  {url}\n  tells of  {}\n  proves    by {}\n",
        if made.made { "Made" } else { "Brought up to date" },
        made.id,
        site.name,
        events.join(", "),
        if hook.secret.expose_secret().starts_with("whsec_") {
            "signature"
        } else {
            "secret token"
        },
    ))?;
    if !made.proves {
        bail!(
            "this GitLab takes no signing token (it is older than 19): put a secret token of your own \
             into the file of {} (`openssl rand -hex 32`), then run this again",
            site.entry.name("webhook_secret")
        );
    }
    let tried = site.setup.try_out(project, made.id).await.map_err(said)?;
    let (arrived, says) = match tried {
        Tried::Arrived(status) => (true, format!("A test delivery arrived ({status}).")),
        Tried::Untold => (
            true,
            "A test delivery was sent; this GitLab does not tell how it was answered.".to_owned(),
        ),
        Tried::NothingToSend => {
            (true, "There is no merge request, pipeline or push to try it with yet.".to_owned())
        }
        Tried::Refused(401) => (
            false,
            "A test delivery arrived, and the server did not take it for GitLab's (401): start it \
             again, so that it reads the webhook's secret."
                .to_owned(),
        ),
        Tried::Refused(status) => (
            false,
            format!("A test delivery was answered {status}: is {url} the address of this server?"),
        ),
        Tried::Lost(why) => (
            false,
            format!(
                "A test delivery did not arrive ({why}): start the server, then run this again."
            ),
        ),
    };
    progress::print(&format!("{says}\n"))?;
    progress::print(&format!(
        "To undo: chaffinch connect gitlab --project {} --remove, with the same other options; it \
         removes webhook {} to {url} (Settings → Webhooks).\n{}\n",
        site.name,
        made.id,
        revoking(&site).await
    ))?;
    Ok(if arrived { ExitCode::SUCCESS } else { ExitCode::from(NOT_ARRIVED) })
}

/// The tokens that are there already are held to what the server holds them to.
async fn refuse_excess(site: &Site) -> anyhow::Result<()> {
    let found = site.inspected().await;
    match site.entry.refuses(&site.name, &found) {
        Some(why) => bail!(why),
        None => Ok(()),
    }
}

/// How the tokens end, by their names, as far as they are there.
async fn revoking(site: &Site) -> String {
    let found = site.inspected().await;
    let names: Vec<_> = found.iter().map(|token| format!("\"{}\"", shown(&token.name))).collect();
    let which = match names.is_empty() {
        true => "The read and write token are".to_owned(),
        false => format!("The tokens {} are", names.join(" and ")),
    };
    format!(
        "{which} good until somebody revokes them: {}/-/settings/access_tokens (of a person: \
         {}/-/user_settings/personal_access_tokens).",
        site.page(site.name.as_str()),
        site.page("").trim_end_matches('/')
    )
}

/// `chaffinch rotate gitlab`: two new tokens in the place of those that the configuration names.
pub(crate) async fn rotate(
    options: RotateGitLab,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let site = Site::open(&options.at, environment, None)?;
    let project = site.project().await?;
    let until = day_in(options.days)?;
    // Both, before one is rotated: what cannot be kept must not be made.
    let mut places = Vec::new();
    for token in [Token::Read, Token::Write] {
        let file = site.token_file(token)?;
        let old = secret::read_file(&file)?;
        places.push((token, old, Place::prepare(&file)?, file));
    }
    for (token, old, place, file) in places {
        let new = site.setup.rotate(project, &old, until).await.map_err(said)?;
        place.keep(&new).with_context(|| {
            format!("the {} token has been rotated, and the old one has ended", token.as_str())
        })?;
        progress::print(&format!(
            "Rotated the {} token of {}: {} holds the new one, good until {until}.\n",
            token.as_str(),
            site.name,
            file.display()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Those tokens whose files are not there yet.
async fn make_tokens(site: &Site, project: u64, days: u16) -> anyhow::Result<()> {
    let until = day_in(days)?;
    for token in [Token::Read, Token::Write] {
        let file = site.token_file(token)?;
        if file.exists() {
            continue;
        }
        let place = Place::prepare(&file)?;
        let made = site.setup.make_token(project, token, until).await.map_err(said)?;
        place.keep(&made)?;
        progress::print(&format!(
            "Made the {} token: scope {}, role {}, good until {until}; it is in {}.\n",
            token.as_str(),
            token.scope(),
            token.least_role(),
            file.display()
        ))?;
    }
    Ok(())
}

/// What is configured; where its file is not there yet, a new one in that file.
fn hook_secret(site: &Site) -> anyhow::Result<SecretString> {
    let name = site.entry.name("webhook_secret");
    let configured = site.entry.webhook_secret();
    match (&configured.value, &configured.file) {
        (_, Some(file)) if !file.exists() => {
            // 192 random bits, in the 48 bytes of their hexadecimal form.
            let key = BASE64_STANDARD.encode(SystemEntropy.hex(24));
            let made = SecretString::from(format!("whsec_{key}"));
            secret::write_file(file, &made)?;
            progress::print(&format!(
                "Made a random signing token; it is in {}.\n",
                file.display()
            ))?;
            Ok(made)
        }
        (Some(value), None) => Ok(value.clone()),
        (None, Some(file)) => secret::read_file(file),
        _ => bail!("{name} is missing: give {name}_file, a file that shall hold it"),
    }
}

fn day_in(days: u16) -> anyhow::Result<NaiveDate> {
    let today = SystemClock.now().date_naive();
    today.checked_add_signed(TimeDelta::days(days.into())).context("--days is too far off")
}

/// What to do about it, where there is something.
fn said(error: ForgeError) -> anyhow::Error {
    match error {
        ForgeError::NotFound => anyhow::anyhow!(
            "GitLab does not show this to the token: is the name right, and is its user a Maintainer?"
        ),
        other => anyhow::anyhow!("GitLab: {other}"),
    }
}
