//! Which service accounts become the primary ones, where a file does not say it.

use std::collections::{HashMap, HashSet};
use std::io;

use keyward::Timestamp;
use serde_json::{Map, Value};

use super::columns::Mapping;
use super::rows::{Row, Rows};

/// The ids of those accounts: of each owner the oldest one that is not deleted.
pub(super) struct Primaries(HashSet<String>);

impl Primaries {
    /// Reads a whole file. Lines that are not acceptable do not count.
    pub(super) fn of(rows: Rows, mapping: &Mapping) -> io::Result<Self> {
        let mut oldest: HashMap<String, (i64, String)> = HashMap::new();
        for row in rows {
            let Row { columns, .. } = row?;
            let item = columns.ok().and_then(|columns| mapping.item(columns).ok());
            let Some((owner, account)) = item.and_then(|(_, item)| age(&item)) else { continue };
            let first = oldest.entry(owner).or_insert_with(|| account.clone());
            if account < *first {
                *first = account;
            }
        }
        Ok(Self(oldest.into_values().map(|(_, id)| id).collect()))
    }

    /// Whether an account of that id is one of them.
    pub(super) fn contains(&self, id: Option<&Value>) -> bool {
        id.and_then(Value::as_str).is_some_and(|id| self.0.contains(id))
    }
}

/// Of an account that is not deleted its owner, and since when it is there, with its id.
fn age(item: &Map<String, Value>) -> Option<(String, (i64, String))> {
    let text = |field: &str| item.get(field).and_then(Value::as_str);
    if item.contains_key("deleted_at") {
        return None;
    }
    let created_at = text("created_at").and_then(|text| Timestamp::parse(text).ok());
    let since = created_at.map_or(i64::MAX, Timestamp::as_micros);
    Some((text("owner")?.to_owned(), (since, text("id")?.to_owned())))
}
