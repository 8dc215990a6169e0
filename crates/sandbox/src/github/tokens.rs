//! Installation tokens: minted for some repositories and permissions, good for an hour.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    json::repository,
    options::TokenForm,
    request::{Outcome, Request, failure, json_body, not_found},
    routes::holds,
    world::{HOUR, Token, World},
};
use crate::{answer::Answer, tree::time};

const NOT_GRANTED: &str = "The permissions requested are not granted to this installation.";
const NO_REPO: &str = "There is at least one repository that does not exist or is not accessible to the parent installation.";

pub(crate) fn mint(world: &mut World, request: &Request) -> Outcome {
    if request.number("installation").ok_or_else(not_found)? != world.app.installation
        || !world.app.installed
    {
        return Err(not_found());
    }
    if world.app.suspended {
        return Err(failure(403, "This installation has been suspended"));
    }
    let body = json_body(request)?;
    let permissions = permissions(world, &body)?;
    let repos = repositories(world, &body)?;
    let expires = world.clock.now() + HOUR;
    let form = match request.header("x-github-stateless-s2s-token") {
        "enabled" => TokenForm::Stateless,
        "disabled" => TokenForm::Classic,
        _ => world.app.token_form,
    };
    let text = token_text(world.app.id, form);
    let narrowed = repos.is_some();
    let installed = || world.repos.iter().filter(|r| r.installed).map(|r| r.id).collect();
    let ids = repos.clone().unwrap_or_else(installed);
    let mut answer = json!({
        "token": text,
        "expires_at": time(expires),
        "permissions": permissions,
        "repository_selection": "selected",
    });
    if narrowed {
        let shown = world.repos.iter().filter(|r| ids.contains(&r.id));
        answer["repositories"] = shown.map(|r| repository(&world.links, r)).collect();
    }
    world.tokens.insert(text, Token { permissions, repos: ids, expires, onlooker: false });
    Ok(Answer::json(201, &answer))
}

pub(crate) fn revoke(world: &mut World, request: &Request) -> Outcome {
    if let Some(token) = &request.credential {
        world.tokens.remove(token);
    }
    Ok(Answer::empty(204))
}

fn permissions(world: &World, body: &Value) -> Result<BTreeMap<String, String>, Box<Answer>> {
    let mut wanted = BTreeMap::new();
    match &body["permissions"] {
        Value::Null => wanted = world.app.permissions.clone(),
        Value::Object(map) => {
            for (name, level) in map {
                let level = level.as_str().unwrap_or_default();
                if !holds(&world.app.permissions, name, level) || level.is_empty() {
                    return Err(failure(422, NOT_GRANTED));
                }
                wanted.insert(name.clone(), level.to_owned());
            }
        }
        _ => return Err(failure(422, "Invalid request.\n\n`permissions` is not an object.")),
    }
    // Everybody may read metadata.
    wanted.entry("metadata".to_owned()).or_insert_with(|| "read".to_owned());
    Ok(wanted)
}

fn repositories(world: &World, body: &Value) -> Result<Option<Vec<u64>>, Box<Answer>> {
    let refused = || failure(422, NO_REPO);
    let list = |name: &str| body[name].as_array().cloned();
    let (ids, names) = (list("repository_ids"), list("repositories"));
    if ids.is_none() && names.is_none() {
        return Ok(None);
    }
    let (ids, names) = (ids.unwrap_or_default(), names.unwrap_or_default());
    if ids.len() + names.len() > 500 {
        return Err(failure(422, "Invalid request.\n\nNo more than 500 items are allowed."));
    }
    let known = |is: &dyn Fn(&super::world::RepoState) -> bool| {
        world.repos.iter().find(|r| r.installed && is(r)).map(|r| r.id).ok_or_else(refused)
    };
    let mut out = Vec::new();
    for id in &ids {
        out.push(known(&|r| Some(r.id) == id.as_u64())?);
    }
    for name in &names {
        out.push(known(&|r| Some(r.name.as_str()) == name.as_str())?);
    }
    Ok(Some(out))
}

fn token_text(app: u64, form: TokenForm) -> String {
    let random = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    match form {
        TokenForm::Classic => format!("ghs_{}", &random()[..36]),
        TokenForm::Stateless => {
            let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
            let head = part(r#"{"alg":"ES256","kid":"sandbox","typ":"JWT"}"#);
            let body = part(&format!(r#"{{"jti":"{}","iss":"sandbox","aud":"api"}}"#, random()));
            let mut text = format!("ghs_{app}_{head}.{body}.");
            while text.len() < 518 {
                text.push_str(&random());
            }
            text.truncate(518);
            // Dashes and underscores are part of the alphabet.
            text.push_str("-_");
            text
        }
    }
}
