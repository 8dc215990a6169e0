//! Whether a server may be trusted with the queue.

use std::collections::HashMap;

use chaffinch_core::StoreError;
use redis::{RedisError, cmd};

use super::link::{Link, store_error};
use crate::config::refused;

/// Asks the server who it is and how it forgets.
pub(crate) async fn server(link: &Link) -> Result<(), StoreError> {
    let facts = facts(link).await?;
    judge(&facts)
}

async fn facts(link: &Link) -> Result<HashMap<String, String>, StoreError> {
    // Through the link's own path first: it may connect, and say why it cannot.
    link.command::<()>(&cmd("PING")).await?;
    let mut facts = HashMap::new();
    match link.ask::<String>(&cmd("INFO")).await {
        Ok(text) => facts.extend(text.lines().filter_map(|line| {
            line.trim().split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()))
        })),
        Err(error) if !is_forbidden(&error) => return Err(store_error(&error)),
        Err(_) => {}
    }
    if facts.contains_key("maxmemory_policy") {
        return Ok(facts);
    }
    for (ours, theirs) in [("maxmemory_policy", "maxmemory-policy"), ("maxmemory", "maxmemory")] {
        let mut ask = cmd("CONFIG");
        ask.arg("GET").arg(theirs);
        match link.ask::<Vec<String>>(&ask).await {
            Ok(answer) => facts.extend(answer.get(1).map(|v| (ours.to_owned(), v.clone()))),
            Err(error) if !is_forbidden(&error) => return Err(store_error(&error)),
            Err(_) => {}
        }
    }
    Ok(facts)
}

fn judge(facts: &HashMap<String, String>) -> Result<(), StoreError> {
    let fact = |name: &str| facts.get(name).map(String::as_str);
    if let Some(version) = fact("redis_version") {
        let major = version.split('.').next().and_then(|text| text.parse::<u32>().ok());
        if major.is_some_and(|major| major < 7) {
            return Err(refused(format!("redis is version {version}; 7.0 or newer is needed")));
        }
    }
    if fact("role") == Some("slave") {
        return Err(refused("redis is a replica, which takes no writes; give the primary's url"));
    }
    match fact("maxmemory_policy") {
        None => tracing::warn!(
            "redis does not let us see maxmemory-policy: make sure that it is noeviction, or jobs may be lost"
        ),
        Some("noeviction") => {}
        Some(_) if fact("maxmemory") == Some("0") => {}
        Some(policy) => {
            return Err(refused(format!(
                "redis evicts keys when it is full (maxmemory-policy {policy}), which would lose \
                 jobs: set maxmemory-policy to noeviction"
            )));
        }
    }
    if fact("aof_enabled") == Some("0") {
        tracing::warn!(
            "redis has no append-only file: a crash of the server may lose accepted jobs; set appendonly yes"
        );
    }
    Ok(())
}

/// Managed servers hide commands from their users, or rename them away.
fn is_forbidden(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOPERM" | "ERR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(facts: &[(&str, &str)]) -> Result<(), String> {
        let facts = facts.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        judge(&facts).map_err(|e| e.to_string())
    }

    #[test]
    fn a_server_that_may_evict_jobs_is_refused() {
        for policy in ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"] {
            let error = judged(&[("maxmemory_policy", policy), ("maxmemory", "1000")]).unwrap_err();
            assert!(error.contains("set maxmemory-policy to noeviction"), "{error}");
        }
        judged(&[("maxmemory_policy", "noeviction"), ("maxmemory", "1000")]).unwrap();
        judged(&[("maxmemory_policy", "allkeys-lru"), ("maxmemory", "0")]).unwrap();
        judged(&[]).unwrap();
    }

    #[test]
    fn an_old_server_or_a_replica_is_refused() {
        assert!(judged(&[("redis_version", "6.2.14")]).unwrap_err().contains("7.0 or newer"));
        assert!(judged(&[("role", "slave")]).unwrap_err().contains("replica"));
        judged(&[("redis_version", "7.0.15"), ("role", "master")]).unwrap();
        judged(&[("redis_version", "10.1.0")]).unwrap();
    }
}
