//! Pages of lists: walking along a sorted set in several calls, each of which looks at so many records
//! that others do not wait long.

use keyward_store::{Order, StoreError};
use redis::Value;
use serde::Serialize;

use crate::calls::Calls;
use crate::reply::{Reply, Unreadable, corrupt};
use crate::script::Script;

/// How many records one call looks at.
const LOOKED_AT: u32 = 500;
/// How often it is tried to read a page, of which all must be of one instant, in several calls. The last
/// time it is one call, however long others wait for it.
const ATTEMPTS: usize = 3;
/// More than there is of anything, and exact in Lua.
const MANY: u64 = 1 << 53;

/// Between which members of a sorted set to walk, as Redis writes bounds, and in which direction.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bounds {
    pub(crate) high: String,
    pub(crate) index: String,
    pub(crate) is_descending: bool,
    pub(crate) low: String,
}

impl Bounds {
    /// All members of a sorted set, or those after a place in that order.
    pub(crate) fn after(index: String, order: Order, after: Option<&str>) -> Self {
        let is_descending = order == Order::Descending;
        let place = after.map(|after| format!("({after}"));
        let (low, high) = if is_descending { (None, place) } else { (place, None) };
        let low = low.unwrap_or_else(|| "-".to_owned());
        let high = high.unwrap_or_else(|| "+".to_owned());
        Self { high, index, is_descending, low }
    }

    /// The members that begin with an instant up to this one.
    pub(crate) fn up_to(index: &str, instant: &str) -> Self {
        // Ids hold no such character, and what they hold comes before it.
        let high = format!("({instant}~");
        Self { high, index: index.to_owned(), is_descending: false, low: "-".to_owned() }
    }

    /// Goes on after a member.
    fn go_on(&mut self, last: &str) {
        let bound = if self.is_descending { &mut self.high } else { &mut self.low };
        *bound = format!("({last}");
    }
}

/// A walk: what is wanted, how much of it is passed over, and how much of it is taken.
#[derive(Clone, Serialize)]
pub(crate) struct Walk<W> {
    #[serde(flatten)]
    bounds: Bounds,
    is_counting: bool,
    /// How many rows a page has; absent: the rows are none of a page.
    #[serde(skip)]
    limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most: Option<u32>,
    skip: u64,
    take: u64,
    #[serde(flatten)]
    wanted: W,
}

impl<W> Walk<W> {
    /// Takes up to `limit` rows and one more; where some are passed over, all are counted.
    pub(crate) fn new(bounds: Bounds, limit: usize, skip: Option<u64>, wanted: W) -> Self {
        let take = u64::try_from(limit).unwrap_or(MANY).min(MANY) + 1;
        let (is_counting, skip) = (skip.is_some(), skip.unwrap_or_default().min(MANY));
        let (limit, most) = (Some(limit), Some(LOOKED_AT));
        Self { bounds, is_counting, limit, most, skip, take, wanted }
    }

    /// Visits all, for scripts whose rows tell something of all.
    pub(crate) fn counting(bounds: Bounds, wanted: W) -> Self {
        let (limit, most) = (None, Some(LOOKED_AT));
        Self { bounds, is_counting: true, limit, most, skip: 0, take: 0, wanted }
    }
}

/// The part of a list that was asked for.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) has_more: bool,
    pub(crate) rows: Vec<Value>,
    /// How many there are in all, if they were counted.
    pub(crate) total: Option<u64>,
}

/// Reads a page. One that counts is of one instant.
pub(crate) async fn read<W: Clone + Serialize + Sync>(
    calls: &Calls,
    operation: &'static str,
    script: &Script,
    walk: &Walk<W>,
) -> Result<Page, StoreError> {
    for _ in 1..ATTEMPTS {
        if let Some(page) = walk_on(calls, operation, script, walk.clone()).await? {
            return Ok(page);
        }
    }
    let whole = Walk { most: None, ..walk.clone() };
    Ok(walk_on(calls, operation, script, whole).await?.unwrap_or_default())
}

/// Reads a page call by call, or nothing if something was changed meanwhile and that matters.
async fn walk_on<W: Serialize + Sync>(
    calls: &Calls,
    operation: &'static str,
    script: &Script,
    mut walk: Walk<W>,
) -> Result<Option<Page>, StoreError> {
    let mut page = Page::default();
    let (mut counted, mut instant) = (0, None);
    loop {
        let argument = serde_json::to_vec(&walk).unwrap_or_default();
        let reply = calls.run(operation, script, &[argument]).await?;
        let part = Part::read(reply).map_err(corrupt("page"))?;
        if walk.is_counting && *instant.get_or_insert(part.position) != part.position {
            return Ok(None);
        }
        counted += part.counted;
        walk.skip = walk.skip.saturating_sub(part.counted);
        walk.take = walk.take.saturating_sub(u64::try_from(part.rows.len()).unwrap_or(MANY));
        page.rows.extend(part.rows);
        match part.last {
            Some(last) if walk.take > 0 || walk.is_counting => walk.bounds.go_on(&last),
            _ => break,
        }
    }
    if let Some(limit) = walk.limit {
        page.has_more = page.rows.len() > limit;
        page.rows.truncate(limit);
    }
    page.total = walk.is_counting.then_some(counted);
    Ok(Some(page))
}

/// What one call has found.
struct Part {
    counted: u64,
    /// Where the next call goes on, if there is more to look at.
    last: Option<String>,
    /// The place of the last change at that instant.
    position: u64,
    rows: Vec<Value>,
}

impl Part {
    fn read(reply: Value) -> Result<Self, Unreadable> {
        let mut reply = Reply::of(reply)?;
        let (position, counted) = (reply.parse()?, reply.parse()?);
        let last = Some(reply.text()?).filter(|last| !last.is_empty());
        let Value::Array(rows) = reply.next()? else { return Err("must be a list".into()) };
        Ok(Self { counted, last, position, rows })
    }
}
