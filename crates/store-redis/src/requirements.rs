//! What a server must be like to keep records.

use std::collections::HashMap;

use redis::RedisError;
use redis::aio::MultiplexedConnection;

use crate::Durability;

/// Why a server does not suit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsuitable {
    #[error("`appendonly` must be `yes`: it would lose everything when it ends")]
    Ephemeral,
    #[error("`maxmemory-policy` must be `noeviction`, not `{0}`: it would throw records away")]
    Evicts(String),
    #[error("`appendfsync` must be `{wanted}`, not `{found}`: it would lose acknowledged acts")]
    Forgetful { wanted: &'static str, found: String },
    #[error("Redis 7 or newer is needed, not {0}")]
    Old(String),
    #[error("it is a replica, and takes no writes")]
    Replica,
    #[error(
        "`CONFIG GET` is forbidden, so what it promises about acknowledged acts must be known elsewhere"
    )]
    Unknown,
}

/// Why a server is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Failed(#[from] RedisError),
    #[error(transparent)]
    Unsuitable(#[from] Unsuitable),
}

/// Looks whether a server may keep records. Asked of each connection, as the next one may lead elsewhere.
pub(crate) async fn check(
    connection: &mut MultiplexedConnection,
    durability: Durability,
) -> Result<(), Refusal> {
    let sections = ["server", "replication", "memory", "persistence"];
    let info: String = redis::cmd("INFO").arg(&sections).query_async(connection).await?;
    check_info(&info)?;
    let wanted: &[&'static str] = match durability {
        Durability::Always => &["always"],
        Durability::EverySecond => &["everysec", "always"],
        Durability::Unchecked => return Ok(()),
    };
    let settings = redis::cmd("CONFIG").arg("GET").arg("appendfsync").query_async(connection).await;
    let settings: HashMap<String, String> = settings.map_err(refused_to_tell)?;
    let found = settings.get("appendfsync").cloned().unwrap_or_default();
    match wanted {
        [least, ..] if !wanted.contains(&found.as_str()) => {
            Err(Unsuitable::Forgetful { wanted: least, found }.into())
        }
        _ => Ok(()),
    }
}

fn check_info(info: &str) -> Result<(), Unsuitable> {
    let fields: HashMap<_, _> = info.lines().filter_map(|line| line.split_once(':')).collect();
    let field = |name| fields.get(name).copied().unwrap_or_default();
    let version = field("redis_version");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 7) {
        return Err(Unsuitable::Old(version.to_owned()));
    }
    if field("role") != "master" {
        return Err(Unsuitable::Replica);
    }
    if field("aof_enabled") != "1" {
        return Err(Unsuitable::Ephemeral);
    }
    match field("maxmemory_policy") {
        "noeviction" => Ok(()),
        policy => Err(Unsuitable::Evicts(policy.to_owned())),
    }
}

/// A server that does not know the command, or forbids it, says so; anything else is a failure.
fn refused_to_tell(error: RedisError) -> Refusal {
    match error.code() {
        Some("ERR" | "NOPERM") => Unsuitable::Unknown.into(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_requirement_is_asked_for() {
        let good = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\naof_enabled:1\r\n\
                    maxmemory_policy:noeviction\r\n";
        check_info(good).unwrap();
        for (good_field, bad_field, complaint) in [
            ("7.0.15", "6.2.14", "Redis 7"),
            ("role:master", "role:slave", "replica"),
            ("aof_enabled:1", "aof_enabled:0", "appendonly"),
            ("noeviction", "allkeys-lru", "allkeys-lru"),
        ] {
            let refused = check_info(&good.replace(good_field, bad_field)).unwrap_err();
            assert!(refused.to_string().contains(complaint), "{refused}");
        }
    }
}
