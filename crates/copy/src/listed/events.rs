//! The audit trail, the newest first.

use std::cmp::Reverse;

use keyward_core::{AuditErasure, AuditEvent, AuditFilter, Timestamp};
use keyward_store::{AuditPosition, AuditQuery, Store, StoreError};
use serde_json::json;

use super::{Listed, PAGE, Page, Pair};
use crate::ends::Ends;
use crate::{CopyError, Kind};

/// More than there are in the spans that are written anew.
const MOST_ERASED: usize = 1_000_000;

/// Audit events, all of them or those since an instant.
pub(crate) struct Events {
    pub(crate) since: Option<Timestamp>,
}

impl Listed for Events {
    type Item = AuditEvent;
    type Place = Reverse<AuditPosition>;

    const KIND: Kind = Kind::AuditEvents;

    async fn page(
        &self,
        store: &dyn Store,
        after: Option<&Self::Place>,
    ) -> Result<Page<Self>, StoreError> {
        let filter = AuditFilter { since: self.since, ..AuditFilter::default() };
        let after = after.map(|Reverse(position)| *position);
        let page = store.audit(&AuditQuery { filter, limit: PAGE, after }).await?;
        let end = page.next.map(Reverse);
        Ok(Page { items: page.events, end })
    }

    fn place(item: &AuditEvent) -> Self::Place {
        Reverse(AuditPosition::of(item))
    }

    async fn heal(&self, ends: &Ends, pairs: &[Pair<AuditEvent>]) -> Result<(), CopyError> {
        let surplus = pairs.iter().filter_map(|pair| pair.destination.as_ref());
        let (first, last) =
            (surplus.clone().map(|event| event.at).min(), surplus.map(|e| e.at).max());
        if let (Some(first), Some(last)) = (first, last) {
            return ends.write_span(first, last, pairs).await;
        }
        let mut change = ends.change();
        change.events = pairs.iter().filter_map(|pair| pair.source.clone()).collect();
        if change.events.is_empty() { Ok(()) } else { ends.apply(&change).await }
    }

    fn written(item: &AuditEvent) -> Vec<(Kind, Vec<u8>)> {
        let written = json!([
            item.id.to_string(),
            item.at,
            item.action.as_str(),
            item.context,
            item.key,
            item.keyspace,
            item.owner,
            item.service_account,
            item.data,
        ]);
        vec![(Kind::AuditEvents, written.to_string().into_bytes())]
    }

    fn name(item: &AuditEvent) -> String {
        item.id.to_string()
    }
}

impl Ends {
    /// Writes the source's events of a span of time in place of the destination's, and others that the
    /// destination lacks: no change removes single events.
    async fn write_span(
        &self,
        first: Timestamp,
        last: Timestamp,
        pairs: &[Pair<AuditEvent>],
    ) -> Result<(), CopyError> {
        let until = Timestamp::from_micros(last.as_micros().saturating_add(1)).ok();
        let filter = AuditFilter { since: Some(first), until, ..AuditFilter::default() };
        let mut change = self.change();
        change.erasure = Some(AuditErasure { filter: filter.clone(), most: MOST_ERASED });
        let mut query = AuditQuery { filter, limit: PAGE, after: None };
        loop {
            let page = self.source.audit(&query).await.map_err(CopyError::at_source)?;
            change.events.extend(page.events);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let is_apart = |event: &&AuditEvent| !query.filter.includes(event);
        let missing = pairs.iter().filter(|pair| pair.destination.is_none());
        let missing = missing.filter_map(|pair| pair.source.as_ref()).filter(is_apart);
        change.events.extend(missing.cloned());
        self.apply(&change).await
    }
}
