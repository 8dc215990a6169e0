//! What GitLab says of our own tokens: what they may do beyond what is needed, and for how long.

use std::fmt;

use chaffinch_core::{ForgeError, RepoName};
use chrono::{NaiveDate, TimeDelta};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    api::{Api, Call, encode, refused},
    body::plain,
    json::nullable,
    permissions::{Role, Token},
};

/// Whose token it is, and so how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A project access token of this project.
    Project,
    /// A project access token of another project, which was let into this one.
    OtherProject,
    /// A group access token: it reaches every project of the group.
    Group,
    /// A person, or a service account: it reaches whatever that user sees.
    Person,
    /// An administrator: it reaches everything on the server.
    Administrator,
}

/// What one token may do or reach and nothing needs. Its text, `write scope write_repository`, is what an
/// operator who wants it so says in `acknowledge_excess`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// Which token.
    pub token: Token,
    /// What is too much.
    pub of: Beyond,
}

/// In which way a token goes beyond what is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// A scope.
    Scope(String),
    /// The role of its user in the project.
    Role(Role),
    /// Whose it is.
    Holder(Holder),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token.as_str())?;
        match &self.of {
            Beyond::Scope(scope) => write!(f, " scope {}", plain(scope)),
            Beyond::Role(role) => write!(f, " role {role}"),
            Beyond::Holder(holder) => f.write_str(match holder {
                Holder::Project => " of the project",
                Holder::OtherProject => " of another project",
                Holder::Group => " of a group",
                Holder::Person => " of a person",
                Holder::Administrator => " of an administrator",
            }),
        }
    }
}

/// What GitLab says of one token of ours, in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What it is to be used for.
    pub token: Token,
    /// The name that it was given.
    pub name: String,
    /// What it may be used for at all.
    pub scopes: Vec<String>,
    /// Whether it is restricted by fine-grained permissions, which some routes do not take.
    pub granular: bool,
    /// What its user may do in the project; `None` if it is no member.
    pub role: Option<Role>,
    /// Whose it is.
    pub holder: Holder,
    /// The day on which it ends; `None` where it never does.
    pub expires: Option<NaiveDate>,
}

impl Inspection {
    /// The scopes that it has and does not need.
    pub fn excess_scopes(&self) -> Vec<&str> {
        let all = self.scopes.iter().map(String::as_str);
        all.filter(|scope| *scope != self.token.scope()).collect()
    }

    /// All that it may do or reach beyond what is needed: scopes, role, holder.
    pub fn excess(&self) -> Vec<Excess> {
        let scopes = self.excess_scopes().into_iter().map(|s| Beyond::Scope(s.to_owned()));
        let role = self.excess_role().map(Beyond::Role);
        let holder = (self.holder != Holder::Project).then_some(Beyond::Holder(self.holder));
        let all = scopes.chain(role).chain(holder);
        all.map(|of| Excess { token: self.token, of }).collect()
    }

    /// The scope that it needs and does not have. `api` holds `read_api`.
    pub fn missing_scope(&self) -> Option<&'static str> {
        let has = |scope: &str| self.scopes.iter().any(|s| s == scope);
        let needed = self.token.scope();
        let suffices = has(needed) || (self.token == Token::Read && has("api"));
        (!suffices).then_some(needed)
    }

    /// Its role, if that is higher than anything needs.
    pub fn excess_role(&self) -> Option<Role> {
        self.role.filter(|role| *role > self.token.most_role())
    }

    /// The role that it needs at least and does not have.
    pub fn missing_role(&self) -> Option<Role> {
        let least = self.token.least_role();
        self.role.is_none_or(|role| role < least).then_some(least)
    }

    /// Whether it ends within `within` from `today`, or has ended.
    pub fn ends_soon(&self, today: NaiveDate, within: TimeDelta) -> bool {
        self.expires.is_some_and(|day| day.signed_duration_since(today) <= within)
    }
}

#[derive(Deserialize)]
struct Own {
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    scopes: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    granular: bool,
    #[serde(default)]
    expires_at: Option<String>,
    user_id: u64,
}

#[derive(Deserialize)]
struct User {
    #[serde(default, deserialize_with = "nullable")]
    username: String,
    /// Shown to administrators alone.
    #[serde(default, deserialize_with = "nullable")]
    is_admin: bool,
}

#[derive(Deserialize)]
struct Project {
    id: u64,
}

#[derive(Deserialize)]
struct Member {
    access_level: u64,
}

/// Asks GitLab about `secret`, which is to be used as `token` in `project`.
pub(crate) async fn inspect(
    api: &Api,
    project: &RepoName,
    token: Token,
    secret: &SecretString,
) -> Result<Inspection, ForgeError> {
    let route = "/personal_access_tokens/self";
    let own: Own = ask(api, secret, route, route).await?;
    let user: User = ask(api, secret, "/user", "/user").await?;
    let path = format!("/projects/{}", encode(project.as_str()));
    let project: Project = ask(api, secret, "/projects/{id}", &path).await?;
    let route = "/projects/{id}/members/all/{user_id}";
    let path = format!("/projects/{}/members/all/{}", project.id, own.user_id);
    let role = match ask::<Member>(api, secret, route, &path).await {
        Ok(member) => Role::of(member.access_level),
        Err(ForgeError::NotFound) => None,
        Err(error) => return Err(error),
    };
    // An end that cannot be read is one that may have come.
    let expires = own.expires_at.map(|day| day.get(..10).and_then(|day| day.parse().ok()));
    Ok(Inspection {
        token,
        name: own.name,
        scopes: own.scopes,
        granular: own.granular,
        role,
        holder: match user.is_admin {
            true => Holder::Administrator,
            false => holder(&user.username, project.id),
        },
        expires: expires.map(|day| day.unwrap_or(NaiveDate::MIN)),
    })
}

/// `project_7_bot_1f3…` and `group_7_bot_1f3…`; older ones end at `bot`, or with a number.
fn holder(username: &str, project: u64) -> Holder {
    let number = |rest: &str| -> Option<u64> {
        let (number, bot) = rest.split_once("_bot")?;
        (bot.is_empty() || bot.starts_with(|c: char| c == '_' || c.is_ascii_digit()))
            .then(|| number.parse().ok())?
    };
    if let Some(of) = username.strip_prefix("project_").and_then(number) {
        return if of == project { Holder::Project } else { Holder::OtherProject };
    }
    match username.strip_prefix("group_").and_then(number) {
        Some(_) => Holder::Group,
        None => Holder::Person,
    }
}

async fn ask<T: DeserializeOwned>(
    api: &Api,
    secret: &SecretString,
    route: &'static str,
    path: &str,
) -> Result<T, ForgeError> {
    let call = Call::get(route, api.url(path)?, "scope read_api or api");
    let answer = api.send(&call, secret).await?;
    match answer.status.is_success() {
        true => answer.json(),
        false => Err(refused(&answer, call.needs, api.clock().now())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection(token: Token, scopes: &[&str], role: Option<Role>) -> Inspection {
        Inspection {
            token,
            name: "chaffinch".into(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            granular: false,
            role,
            holder: Holder::Project,
            expires: None,
        }
    }

    #[test]
    fn what_a_token_has_too_much_or_too_little_is_named() {
        let rows = [
            (Token::Read, &["read_api"][..], Some(Role::Reporter)),
            (Token::Read, &["read_api"], Some(Role::Developer)),
            (Token::Read, &["api", "read_repository"], Some(Role::Maintainer)),
            (Token::Read, &["read_repository"], Some(Role::Guest)),
            (Token::Write, &["api"], Some(Role::Developer)),
            (Token::Write, &["api", "write_repository"], Some(Role::Owner)),
            (Token::Write, &["read_api"], Some(Role::Reporter)),
            (Token::Write, &["api"], None),
        ];
        let table = rows.map(|(token, scopes, role)| {
            let i = inspection(token, scopes, role);
            format!(
                "{token:?} {scopes:?} {role:?} → excess {:?} {:?}, missing {:?} {:?}",
                i.excess_scopes(),
                i.excess_role(),
                i.missing_scope(),
                i.missing_role()
            )
        });
        insta::assert_snapshot!(table.join("\n"), @r#"
        Read ["read_api"] Some(Reporter) → excess [] None, missing None None
        Read ["read_api"] Some(Developer) → excess [] None, missing None None
        Read ["api", "read_repository"] Some(Maintainer) → excess ["api", "read_repository"] Some(Maintainer), missing None None
        Read ["read_repository"] Some(Guest) → excess ["read_repository"] None, missing Some("read_api") Some(Reporter)
        Write ["api"] Some(Developer) → excess [] None, missing None None
        Write ["api", "write_repository"] Some(Owner) → excess ["write_repository"] Some(Owner), missing None None
        Write ["read_api"] Some(Reporter) → excess ["read_api"] None, missing Some("api") Some(Developer)
        Write ["api"] None → excess [] None, missing None Some(Developer)
        "#);
    }

    #[test]
    fn all_that_is_too_much_has_a_name_that_can_be_acknowledged() {
        let names = |i: &Inspection| -> Vec<String> {
            i.excess().iter().map(ToString::to_string).collect()
        };
        let right = inspection(Token::Read, &["read_api"], Some(Role::Reporter));
        assert!(names(&right).is_empty());
        let poor = inspection(Token::Write, &[], None);
        assert!(names(&poor).is_empty(), "too little is not too much");
        let scopes = &["api", "sudo"];
        for (holder, of) in [
            (Holder::OtherProject, "read of another project"),
            (Holder::Group, "read of a group"),
            (Holder::Person, "read of a person"),
        ] {
            let wrong = Inspection { holder, ..inspection(Token::Read, scopes, Some(Role::Owner)) };
            assert_eq!(names(&wrong), ["read scope api", "read scope sudo", "read role Owner", of]);
        }
    }

    #[test]
    fn a_token_that_ends_soon_is_told_before_and_after() {
        let mut token = inspection(Token::Read, &["read_api"], None);
        let today = NaiveDate::from_ymd_opt(2026, 5, 10).unwrap();
        let month = TimeDelta::days(30);
        assert!(!token.ends_soon(today, month), "it never ends");
        for (day, soon) in [(11, true), (1, true)] {
            token.expires = NaiveDate::from_ymd_opt(2026, 5, day);
            assert_eq!(token.ends_soon(today, month), soon);
        }
        token.expires = NaiveDate::from_ymd_opt(2026, 6, 10);
        assert!(!token.ends_soon(today, month));
    }

    #[test]
    fn a_bot_is_told_from_a_person_who_calls_himself_one() {
        for (name, want) in [
            ("project_7_bot_4ffca233d8298ea1", Holder::Project),
            ("project_7_bot", Holder::Project),
            ("project_7_bot3", Holder::Project),
            ("project_8_bot_4ffca233d8298ea1", Holder::OtherProject),
            ("group_7_bot_4ffca233d8298ea1", Holder::Group),
            ("project_7_bottle", Holder::Person),
            ("project_x_bot_1", Holder::Person),
            ("mallory", Holder::Person),
        ] {
            assert_eq!(holder(name, 7), want, "{name}");
        }
    }
}
