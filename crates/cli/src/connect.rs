//! `chaffinch connect gitlab` and `chaffinch rotate gitlab`: what a maintainer does once.

mod site;

use std::process::ExitCode;

use anyhow::{Context, bail};
use chaffinch_core::{Clock, ForgeError};
use chaffinch_gitlab::{Holder, NewHook, Tried, new_signing_token, permissions::Token};
use chaffinch_server::SystemClock;
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
    let looked = match site.inspected().await {
        Ok(looked) => looked,
        Err(error) => {
            progress::print(&format!(
                "The tokens were not looked at ({error:#}): the server opens {} once they are there.\n",
                site.name
            ))?;
            return Ok(());
        }
    };
    let mut found = Vec::new();
    for (token, inspection) in looked {
        let which = || format!("the {} token of {}", token.as_str(), site.name);
        found.push(inspection.map_err(said).with_context(which)?);
    }
    match site.entry.refuses(&site.name, &found) {
        Some(why) => bail!(why),
        None => Ok(()),
    }
}

/// How the tokens end, by their names, as far as they are there.
async fn revoking(site: &Site) -> String {
    let looked = site.inspected().await.unwrap_or_default();
    let found = looked.iter().filter_map(|(_, inspection)| inspection.as_ref().ok());
    let names: Vec<_> = found.map(|token| format!("\"{}\"", shown(&token.name))).collect();
    let which = match names.is_empty() {
        true => "Tokens that were made for it are".to_owned(),
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
    rotatable(&site).await?;
    for (token, old, place, file) in places {
        let new = site.setup.rotate(project, &old, until).await.map_err(|error| {
            let lost = matches!(error, ForgeError::Unavailable { .. });
            let error = said(error);
            match lost {
                true => error.context(format!(
                    "it is not known whether the {} token was rotated: if `chaffinch doctor` finds that it \
                     has ended, make another one by hand",
                    token.as_str()
                )),
                false => error,
            }
        })?;
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

/// Whether both tokens are the project's own: of others this command can rotate none, and should not
/// stop halfway.
async fn rotatable(site: &Site) -> anyhow::Result<()> {
    for (token, inspection) in site.inspected().await? {
        let which = || format!("the {} token of {}", token.as_str(), site.name);
        let inspection = inspection.map_err(said).with_context(which)?;
        if inspection.holder != Holder::Project {
            bail!(
                "{} is not a project access token of {}: rotate it on the page of whose it is, and put \
                 the new one into its file",
                which(),
                site.name
            );
        }
    }
    Ok(())
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
            let made = new_signing_token().context("the system gives no random bytes")?;
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
