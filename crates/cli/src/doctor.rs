//! `chaffinch doctor`: what our credentials allow, and until when.

use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

use anyhow::Context;
use chaffinch_core::{Clock, Forge, ForgeError, ForgeKind, RepoName};
use chaffinch_github::GitHub;
use chaffinch_gitlab::{Beyond, Excess, GitLab, Holder, Inspection, permissions::Token};
use chaffinch_server::{Config, SystemClock};
use chrono::{NaiveDate, TimeDelta};

use crate::{
    args::Doctor,
    connect::entry,
    progress::{self, GREEN, YELLOW},
};

/// Something should be changed.
const AILS: u8 = 1;

pub(crate) async fn run(
    options: Doctor,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    chaffinch_server::check(&config)?;
    progress::print("The configuration is complete.\n")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let round = Round {
        github: chaffinch_server::github(&config, &clock)?,
        gitlab: chaffinch_server::gitlab(&config, &clock)?,
        config: &config,
        today: clock.now().date_naive(),
        within: TimeDelta::days(options.within.into()),
    };
    let names = names(&config, &options)?;
    let mut ails = 0;
    for named in &names {
        ails += round.look(named).await?;
    }
    for path in unasked(&config, &names) {
        progress::print(&format!(
            "\n{path} on GitLab:\n  {YELLOW}!{YELLOW:#} its tokens were not looked at: name one of its \
             projects with --project\n"
        ))?;
        ails += 1;
    }
    progress::print(&match ails {
        0 => format!("\n{GREEN}All is well.{GREEN:#}\n"),
        1 => "\n1 thing should be changed.\n".to_owned(),
        many => format!("\n{many} things should be changed.\n"),
    })?;
    Ok(if ails == 0 { ExitCode::SUCCESS } else { ExitCode::from(AILS) })
}

/// The forges that are configured, and what counts as soon.
struct Round<'c> {
    config: &'c Config,
    github: Option<GitHub>,
    gitlab: Option<GitLab>,
    today: NaiveDate,
    within: TimeDelta,
}

impl Round<'_> {
    /// Says what the forges say of one repository; how many things should be changed.
    async fn look(&self, Named { name, forge: only }: &Named) -> anyhow::Result<usize> {
        let github = self.github.as_ref().map(|forge| forge as &dyn Forge);
        let gitlab = self.gitlab.as_ref().map(|forge| forge as &dyn Forge);
        let (mut ails, mut reached, mut denied) = (Vec::new(), Vec::new(), false);
        for forge in [github, gitlab].into_iter().flatten() {
            let kind = forge.kind();
            if only.is_some_and(|only| only != kind) {
                continue;
            }
            match forge.locate(name).await {
                Ok(_) => reached.push(kind),
                Err(ForgeError::NotFound) => {}
                // What is the matter with it is asked of each token below.
                Err(ForgeError::Denied { .. }) if kind == ForgeKind::GitLab => denied = true,
                Err(error) => ails.push(format!("{}: {error}", word(kind))),
            }
        }
        let on: Vec<_> = reached.iter().map(|kind| format!(" on {}", word(*kind))).collect();
        let on = if on.is_empty() { ":".to_owned() } else { on.join(" and") + ": reached." };
        progress::print(&format!("\n{name}{on}\n"))?;
        if reached.is_empty() && ails.is_empty() && !denied {
            ails.push("no forge that is configured lets us see it".to_owned());
        }
        if denied || reached.contains(&ForgeKind::GitLab) {
            ails.extend(self.tokens(name).await?);
        }
        for ail in &ails {
            progress::print(&format!("  {YELLOW}!{YELLOW:#} {ail}\n"))?;
        }
        Ok(ails.len())
    }

    /// Says what both tokens of a GitLab project are; what is wrong with them.
    async fn tokens(&self, name: &RepoName) -> anyhow::Result<Vec<String>> {
        let Some(gitlab) = &self.gitlab else { return Ok(Vec::new()) };
        let mut ails = Vec::new();
        for token in [Token::Read, Token::Write] {
            match gitlab.inspect(name, token).await {
                Ok(found) => {
                    progress::print(&format!("  {}\n", described(&found)))?;
                    let entry = entry(self.config, name);
                    let (wanted, excess): (Vec<_>, Vec<_>) = found
                        .excess()
                        .into_iter()
                        .partition(|excess| entry.is_some_and(|e| e.acknowledges(excess)));
                    for excess in wanted {
                        progress::print(&format!("    acknowledged: {excess}\n"))?;
                    }
                    ails.extend(excess.iter().map(too_much));
                    ails.extend(wrong(&found, name, self.today, self.within));
                }
                Err(error) => ails.push(format!("the {} token: {error}", token.as_str())),
            }
        }
        Ok(ails)
    }
}

fn word(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::GitHub => "GitHub",
        ForgeKind::GitLab => "GitLab",
    }
}

/// A repository, and the one forge that it is on, where that is said.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    name: RepoName,
    forge: Option<ForgeKind>,
}

/// Those that are named in full: in the policy, on the command line, and of a [[gitlab.project]].
fn names(config: &Config, options: &Doctor) -> anyhow::Result<BTreeSet<Named>> {
    let mut names: BTreeSet<Named> =
        options.project.iter().map(|name| Named { name: name.clone(), forge: None }).collect();
    for pattern in config.policy.repositories.iter().filter(|pattern| !pattern.contains('*')) {
        let (forge, name) = match pattern.split_once(':') {
            Some(("github", name)) => (Some(ForgeKind::GitHub), name),
            Some(("gitlab", name)) => (Some(ForgeKind::GitLab), name),
            _ => (None, pattern.as_str()),
        };
        let name = name.parse().context("policy.repositories")?;
        names.insert(Named { name, forge });
    }
    for path in config.gitlab.project.iter().map(|entry| &entry.path) {
        let Ok(name) = path.parse::<RepoName>() else { continue };
        let known = |named: &Named| named.name == name && named.forge != Some(ForgeKind::GitHub);
        if !path.contains('*') && !names.iter().any(known) {
            names.insert(Named { name, forge: Some(ForgeKind::GitLab) });
        }
    }
    Ok(names)
}

/// The entries of the configuration whose tokens no name leads to.
fn unasked<'c>(config: &'c Config, names: &BTreeSet<Named>) -> Vec<&'c str> {
    let of_gitlab = names.iter().filter(|named| named.forge != Some(ForgeKind::GitHub));
    let asked: Vec<_> =
        of_gitlab.filter_map(|named| entry(config, &named.name)).map(|e| e.path.as_str()).collect();
    let all = config.gitlab.project.iter().map(|entry| entry.path.as_str());
    all.filter(|path| !asked.contains(path)).collect()
}

/// A token's name, which is whatever somebody has typed.
pub(crate) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// `read token "chaffinch-read": scope read_api, role Reporter, until 2027-01-31`
fn described(token: &Inspection) -> String {
    let role = token.role.map_or("no role".to_owned(), |role| format!("role {role}"));
    let until = match token.expires {
        Some(NaiveDate::MIN) => "until a day that cannot be read".to_owned(),
        Some(day) => format!("until {day}"),
        None => "without an end".to_owned(),
    };
    let name = shown(&token.name);
    let scopes = token.scopes.join(", ");
    format!("{} token \"{name}\": scope {scopes}, {role}, {until}", token.token.as_str())
}

/// What is too much, what is enough, and what to say where it is wanted; until then the server does not
/// work with it.
fn too_much(excess: &Excess) -> String {
    let which = excess.token.as_str();
    let says = match &excess.of {
        Beyond::Scope(scope) => format!(
            "the {which} token has the scope {scope}, which nothing needs: make one with {} alone",
            excess.token.scope()
        ),
        Beyond::Role(role) => format!(
            "the {which} token's user has the role {role}; {} is enough",
            excess.token.least_role()
        ),
        Beyond::Holder(holder) => {
            let reach = match holder {
                Holder::Project => "is the project's",
                Holder::OtherProject => "is another project's, which it reaches too",
                Holder::Group => "is a group's: it reaches every project of it",
                Holder::Person => "is a person's: it reaches whatever that person sees",
                Holder::Administrator => "is an administrator's: it reaches everything there is",
            };
            format!("the {which} token {reach}; a project access token reaches one project")
        }
    };
    format!("{says} (or acknowledge_excess \"{excess}\")")
}

fn wrong(token: &Inspection, name: &RepoName, today: NaiveDate, within: TimeDelta) -> Vec<String> {
    let mut wrong = Vec::new();
    let which = token.token.as_str();
    if let Some(scope) = token.missing_scope() {
        wrong.push(format!("the {which} token lacks the scope {scope}"));
    }
    if let Some(role) = token.missing_role() {
        wrong.push(format!("the {which} token's user lacks the role {role}"));
    }
    if token.granular {
        wrong.push(format!("the {which} token is fine-grained, which some routes refuse"));
    }
    // GitLab rotates a project's own tokens there; others where they were made.
    let how = match token.holder {
        Holder::Project => format!("rotate with `chaffinch rotate gitlab --project {name}`"),
        Holder::OtherProject | Holder::Group | Holder::Person | Holder::Administrator => {
            "rotate it on the page where it was made (Access tokens)".to_owned()
        }
    };
    match token.expires {
        None => wrong.push(format!("the {which} token never expires: {how}")),
        Some(NaiveDate::MIN) => {
            wrong.push(format!("the {which} token expires on a day that cannot be read: {how}"));
        }
        Some(day) if token.ends_soon(today, within) => {
            let days = day.signed_duration_since(today).num_days();
            let when = match days {
                ..=0 => "has expired".to_owned(),
                1 => "expires in 1 day".to_owned(),
                days => format!("expires in {days} days"),
            };
            wrong.push(format!("the {which} token {when}: {how}"));
        }
        Some(_) => {}
    }
    wrong
}

#[cfg(test)]
mod tests {
    use chaffinch_gitlab::permissions::Role;

    use super::*;

    fn token() -> Inspection {
        Inspection {
            token: Token::Write,
            name: "chaffinch-write".into(),
            scopes: vec!["api".into()],
            granular: false,
            role: Some(Role::Developer),
            holder: Holder::Project,
            expires: NaiveDate::from_ymd_opt(2027, 1, 31),
        }
    }

    #[test]
    fn every_excess_is_a_sentence_that_says_what_is_enough() {
        assert!(token().excess().is_empty());
        let bad = Inspection {
            scopes: vec!["api".into(), "write_repository".into(), "sudo".into()],
            role: Some(Role::Owner),
            holder: Holder::Group,
            ..token()
        };
        let said: Vec<_> = bad.excess().iter().map(too_much).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        the write token has the scope write_repository, which nothing needs: make one with api alone (or acknowledge_excess "write scope write_repository")
        the write token has the scope sudo, which nothing needs: make one with api alone (or acknowledge_excess "write scope sudo")
        the write token's user has the role Owner; Developer is enough (or acknowledge_excess "write role Owner")
        the write token is a group's: it reaches every project of it; a project access token reaches one project (or acknowledge_excess "write of a group")
        "#);
    }

    #[test]
    fn what_a_token_lacks_and_when_it_expires_is_a_sentence_that_says_what_to_do() {
        let name = "acme/shop".parse().unwrap();
        let today = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
        let said = |token: Inspection| wrong(&token, &name, today, TimeDelta::days(14));
        assert_eq!(said(token()), [""; 0]);
        let poor = Inspection { scopes: vec!["read_api".into()], role: None, ..token() };
        let day = |day| NaiveDate::from_ymd_opt(2027, 1, day);
        let table = [
            said(Inspection { granular: true, ..poor }),
            said(Inspection { expires: None, ..token() }),
            said(Inspection { expires: Some(NaiveDate::MIN), ..token() }),
            said(Inspection { expires: day(9), ..token() }),
            said(Inspection { expires: day(2), ..token() }),
            said(Inspection { expires: day(1), ..token() }),
            said(Inspection { expires: day(9), holder: Holder::Person, ..token() }),
        ];
        insta::assert_snapshot!(table.concat().join("\n"), @"
        the write token lacks the scope api
        the write token's user lacks the role Developer
        the write token is fine-grained, which some routes refuse
        the write token never expires: rotate with `chaffinch rotate gitlab --project acme/shop`
        the write token expires on a day that cannot be read: rotate with `chaffinch rotate gitlab --project acme/shop`
        the write token expires in 8 days: rotate with `chaffinch rotate gitlab --project acme/shop`
        the write token expires in 1 day: rotate with `chaffinch rotate gitlab --project acme/shop`
        the write token has expired: rotate with `chaffinch rotate gitlab --project acme/shop`
        the write token expires in 8 days: rotate it on the page where it was made (Access tokens)
        ");
    }
}
