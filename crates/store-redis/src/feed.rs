//! The change feed: a stream with an entry for each change, under its sequence number.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keyward_core::{Change, ChangeId, ClientId, Locator, Sequence, Touched};
use keyward_store::{Feed, StoreError};
use parking_lot::Mutex;
use redis::Value;
use serde::{Deserialize, Serialize};

use crate::calls::Calls;
use crate::reply::{Reply, Unreadable, corrupt, each, json};
use crate::script;

/// The most changes that one call returns.
const MOST_CHANGES: usize = 1_000;
const WHAT: &str = "change";
const OPERATION: &str = "read the change feed";

/// A change as it is stored.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    account_states: bool,
    accounts: Vec<ClientId>,
    keyspaces: bool,
    locators: Vec<(String, String)>,
}

/// What a change touches, as JSON.
pub(crate) fn touched(change: &Change) -> Result<String, serde_json::Error> {
    let Touched { account_states, accounts, keyspaces, locators } = change.touched();
    let locators = locators.iter().map(Locator::to_stored).collect();
    serde_json::to_string(&Stored { account_states, accounts, keyspaces, locators })
}

/// The id of a change as text.
pub(crate) fn id_text(id: ChangeId) -> String {
    STANDARD_NO_PAD.encode(id.as_bytes())
}

/// An entry of the stream.
struct Entry {
    id: String,
    sequence: u64,
    touched: Touched,
}

impl Entry {
    /// Which change it is, and what it touched.
    fn parts(self) -> ((u64, String), (Sequence, Touched)) {
        ((self.sequence, self.id), (Sequence::new(self.sequence), self.touched))
    }
}

/// Which changes stood at the places where this process has read last.
///
/// After a fail-over that lost the latest changes, others get their sequence numbers. Numbers alone do
/// not tell whoever had read those that were lost.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<VecDeque<(u64, String)>>);

/// How many places are remembered: of some followers.
const MOST_MARKS: usize = 64;

impl Marks {
    fn set(&self, sequence: u64, id: &str) {
        let mut marks = self.0.lock();
        marks.retain(|(marked, _)| *marked != sequence);
        marks.push_back((sequence, id.to_owned()));
        if marks.len() > MOST_MARKS {
            marks.pop_front();
        }
    }

    /// Whether another change stood there than does now.
    fn is_other(&self, sequence: u64, id: &str) -> bool {
        self.0.lock().iter().any(|(marked, known)| *marked == sequence && known != id)
    }
}

pub(crate) async fn position(calls: &Calls, marks: &Marks) -> Result<Sequence, StoreError> {
    let arguments = ["+", "-", "COUNT", "1"];
    let found = calls.ask(OPERATION, "XREVRANGE", "feed", &arguments).await?;
    let entries = Reply::of(found).and_then(|list| each(list, read)).map_err(corrupt(WHAT))?;
    let Some(Entry { id, sequence, .. }) = entries.first() else { return Ok(Sequence::START) };
    marks.set(*sequence, id);
    Ok(Sequence::new(*sequence))
}

pub(crate) async fn changes_since(
    calls: &Calls,
    marks: &Marks,
    position: Sequence,
) -> Result<Feed, StoreError> {
    // The change at the position itself is read, too: as numbers have no holes, its presence, or
    // that of the next one, tells that none is missing.
    let limit = (MOST_CHANGES + 2).to_string();
    let arguments = [position.get().to_string().into_bytes(), limit.into_bytes()];
    let found = calls.run(OPERATION, &script::FEED, &arguments).await?;
    let (end, entries) = read_feed(found).map_err(corrupt(WHAT))?;
    let (ids, changes): (Vec<_>, Vec<_>) = entries.into_iter().map(Entry::parts).unzip();
    let Some(feed) = Feed::of(changes, position, MOST_CHANGES) else {
        // What a follower is told who knows a place that is not there: nothing, in an empty feed; or
        // else this is not the feed that was followed, and everything may differ.
        let (end, has_gap) = (Sequence::new(end), end != position.get());
        return Ok(Feed { has_gap, position: end, ..Feed::default() });
    };
    let is_other = ids.first().is_some_and(|(sequence, id)| marks.is_other(*sequence, id));
    let last = ids.iter().find(|(sequence, _)| *sequence == feed.position.get());
    for (sequence, id) in ids.first().into_iter().chain(last) {
        marks.set(*sequence, id);
    }
    Ok(Feed { has_gap: feed.has_gap || is_other, ..feed })
}

fn read_feed(found: Value) -> Result<(u64, Vec<Entry>), Unreadable> {
    let mut reply = Reply::of(found)?;
    Ok((reply.parse()?, each(reply.parts()?, read)?))
}

fn read(mut entry: Reply) -> Result<Entry, Unreadable> {
    let place = entry.text()?;
    let sequence = place.strip_suffix("-0").ok_or("must have a sequence number")?.parse()?;
    let mut fields = entry.parts()?;
    // Each value comes after its name.
    let (_, id, _, touched) = (fields.next()?, fields.text()?, fields.next()?, fields.bytes()?);
    let Stored { account_states, accounts, keyspaces, locators } = json(&touched)?;
    let locators = locators.iter().map(|(kind, text)| Locator::from_stored(kind, text));
    let locators = locators.collect::<Result<_, _>>()?;
    Ok(Entry { id, sequence, touched: Touched { account_states, accounts, keyspaces, locators } })
}
