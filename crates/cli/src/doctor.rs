//! `chaffinch doctor`: what our credentials allow, and until when.

use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

use anyhow::Context;
use chaffinch_core::{Clock, Forge, ForgeError, ForgeKind, RepoName};
use chaffinch_gitlab::{GitLab, Holder, Inspection, permissions::Token};
use chaffinch_server::{Config, SystemClock};
use chrono::{NaiveDate, TimeDelta};

use crate::{
    args::Doctor,
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
    let github = chaffinch_server::github(&config, &clock)?;
    let gitlab = chaffinch_server::gitlab(&config, &clock)?;
    let names = names(&config, &options)?;
    let mut ails = Vec::new();
    for Named { name, forge: only } in &names {
        let mut found = Vec::new();
        let (mut errors, mut denied) = (Vec::new(), false);
        let forges =
            [github.as_ref().map(|f| f as &dyn Forge), gitlab.as_ref().map(|f| f as &dyn Forge)];
        let wanted = |kind| only.is_none_or(|only| only == kind);
        for forge in forges.into_iter().flatten().filter(|forge| wanted(forge.kind())) {
            match forge.locate(name).await {
                Ok(_) => found.push(forge.kind()),
                Err(ForgeError::NotFound) => {}
                // What is the matter with it is asked of each token below.
                Err(ForgeError::Denied { .. }) if forge.kind() == ForgeKind::GitLab => {
                    denied = true
                }
                Err(error) => errors.push(format!("{}: {error}", word(forge.kind()))),
            }
        }
        for kind in &found {
            progress::print(&format!("\n{name} on {}: reached.\n", word(*kind)))?;
        }
        let mut own = errors;
        if found.is_empty() && own.is_empty() && !denied {
            own.push("no forge that is configured lets us see it".to_owned());
        }
        if found.is_empty() {
            progress::print(&format!("\n{name}:\n"))?;
        }
        let asks = denied || found.contains(&ForgeKind::GitLab);
        if let Some(gitlab) = gitlab.as_ref().filter(|_| asks) {
            own.extend(tokens(gitlab, name, &options, clock.now().date_naive()).await?);
        }
        for ail in &own {
            progress::print(&format!("  {YELLOW}!{YELLOW:#} {ail}\n"))?;
        }
        ails.extend(own);
    }
    if names.is_empty() {
        progress::print(
            "\nNo repository is named in full, so no forge was asked: name one with --project.\n",
        )?;
    }
    progress::print(&match ails.len() {
        0 => format!("\n{GREEN}All is well.{GREEN:#}\n"),
        1 => "\n1 thing should be changed.\n".to_owned(),
        many => format!("\n{many} things should be changed.\n"),
    })?;
    Ok(if ails.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(AILS) })
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

/// Those that are named in full: in the policy, and on the command line.
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
    Ok(names)
}

/// Says what both tokens of a project are; what is wrong with them.
async fn tokens(
    gitlab: &GitLab,
    name: &RepoName,
    options: &Doctor,
    today: NaiveDate,
) -> anyhow::Result<Vec<String>> {
    let mut ails = Vec::new();
    for token in [Token::Read, Token::Write] {
        match gitlab.inspect(name, token).await {
            Ok(found) => {
                progress::print(&format!("  {}\n", described(&found)))?;
                let within = TimeDelta::days(options.within.into());
                ails.extend(wrong(&found, name, today, within));
            }
            Err(error) => ails.push(format!("the {} token: {error}", token.as_str())),
        }
    }
    Ok(ails)
}

/// `read token "chaffinch-read": scope read_api, role Reporter, until 2027-01-31`
fn described(token: &Inspection) -> String {
    let role = token.role.map_or("no role".to_owned(), |role| format!("role {role}"));
    let until = match token.expires {
        Some(NaiveDate::MIN) => "until a day that cannot be read".to_owned(),
        Some(day) => format!("until {day}"),
        None => "without an end".to_owned(),
    };
    let name: String = token.name.chars().filter(|c| !c.is_control()).take(80).collect();
    let scopes = token.scopes.join(", ");
    format!("{} token \"{name}\": scope {scopes}, {role}, {until}", token.token.as_str())
}

fn wrong(token: &Inspection, name: &RepoName, today: NaiveDate, within: TimeDelta) -> Vec<String> {
    let mut wrong = Vec::new();
    let which = token.token.as_str();
    if let Some(scope) = token.missing_scope() {
        wrong.push(format!("the {which} token lacks the scope {scope}"));
    }
    for scope in token.excess_scopes() {
        wrong.push(format!(
            "the {which} token has the scope {scope}, which nothing needs: make one with {} alone",
            token.token.scope()
        ));
    }
    if let Some(role) = token.missing_role() {
        wrong.push(format!("the {which} token's user lacks the role {role}"));
    }
    if let Some(role) = token.excess_role() {
        wrong.push(format!(
            "the {which} token's user has the role {role}; {} is enough",
            token.token.least_role()
        ));
    }
    let reach = match token.holder {
        Holder::Project => None,
        Holder::OtherProject => Some("is another project's, which it reaches too"),
        Holder::Group => Some("is a group's: it reaches every project of it"),
        Holder::Person => Some("is a person's: it reaches whatever that person sees"),
    };
    if let Some(reach) = reach {
        wrong
            .push(format!("the {which} token {reach}; a project access token reaches one project"));
    }
    if token.granular {
        wrong.push(format!("the {which} token is fine-grained, which some routes refuse"));
    }
    let how = format!("chaffinch rotate gitlab --project {name}");
    match token.expires {
        None => wrong.push(format!("the {which} token never ends: {how}")),
        Some(day) if token.ends_soon(today, within) => {
            let days = day.signed_duration_since(today).num_days();
            let when =
                if days <= 0 { "has ended".to_owned() } else { format!("ends in {days} days") };
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
        let name = "acme/shop".parse().unwrap();
        let today = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
        let said = |token: &Inspection| wrong(token, &name, today, TimeDelta::days(14)).join("\n");
        assert_eq!(said(&token()), "");
        let bad = Inspection {
            scopes: vec!["api".into(), "write_repository".into()],
            role: Some(Role::Owner),
            holder: Holder::Group,
            granular: true,
            expires: NaiveDate::from_ymd_opt(2027, 1, 9),
            ..token()
        };
        insta::assert_snapshot!(said(&bad), @"
        the write token has the scope write_repository, which nothing needs: make one with api alone
        the write token's user has the role Owner; Developer is enough
        the write token is a group's: it reaches every project of it; a project access token reaches one project
        the write token is fine-grained, which some routes refuse
        the write token ends in 8 days: chaffinch rotate gitlab --project acme/shop
        ");
        let poor =
            Inspection { scopes: vec!["read_api".into()], role: None, expires: None, ..token() };
        insta::assert_snapshot!(said(&poor), @"
        the write token lacks the scope api
        the write token has the scope read_api, which nothing needs: make one with api alone
        the write token's user lacks the role Developer
        the write token never ends: chaffinch rotate gitlab --project acme/shop
        ");
        let ended = Inspection { expires: Some(today), ..token() };
        assert!(said(&ended).contains("has ended"));
    }
}
