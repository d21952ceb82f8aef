//! Keyspaces as they are stored.

use keyward_core::Keyspace;
use keyward_store::StoreError;

use crate::calls::Calls;
use crate::reply::{Reply, Unreadable, corrupt, json};

pub(crate) async fn keyspaces(calls: &Calls) -> Result<Vec<Keyspace>, StoreError> {
    let found = calls.ask("read the keyspaces", "HGETALL", "keyspaces", &[]).await?;
    let mut keyspaces = Reply::of(found).and_then(read).map_err(corrupt("keyspace"))?;
    keyspaces.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(keyspaces)
}

fn read(mut reply: Reply) -> Result<Vec<Keyspace>, Unreadable> {
    let mut all = Vec::new();
    while reply.has_more() {
        let id = reply.text()?;
        let keyspace: Keyspace = json(&reply.bytes()?)?;
        if keyspace.id.as_str() != id {
            return Err("must have the id that it is stored under".into());
        }
        all.push(keyspace);
    }
    Ok(all)
}
