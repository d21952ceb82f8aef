//! Records that both stores list in the same order, so that they can be compared page by page.

mod accounts;
mod events;
mod keys;
mod small;

pub(crate) use accounts::Accounts;
pub(crate) use events::Events;
pub(crate) use keys::Keys;
use keyward_store::{Store, StoreError};
pub(crate) use small::{Keyspaces, RevokedTokens, SigningKeys};

use crate::ends::Ends;
use crate::{CopyError, Kind};

/// How many records are read at once, and at most written at once.
pub(crate) const PAGE: usize = 1_000;

/// A kind of records in an order that never changes: no act moves a record in it.
pub(crate) trait Listed: Send + Sync {
    type Item: Clone + PartialEq + Send + Sync;
    type Place: Clone + Ord + Send + Sync;

    /// What is being compared.
    const KIND: Kind;

    /// The records behind a place, up to some number of them.
    fn page(
        &self,
        store: &dyn Store,
        after: Option<&Self::Place>,
    ) -> impl Future<Output = Result<Page<Self>, StoreError>> + Send;

    /// Where a record stands in the order.
    fn place(item: &Self::Item) -> Self::Place;

    /// Writes at the destination what differs from the source.
    fn heal(
        &self,
        ends: &Ends,
        pairs: &[Pair<Self::Item>],
    ) -> impl Future<Output = Result<(), CopyError>> + Send;

    /// What a record says, kind by kind, as bytes that are the same for the same record.
    fn written(item: &Self::Item) -> Vec<(Kind, Vec<u8>)>;

    /// In what a record differs on both sides.
    fn difference(pair: &Pair<Self::Item>) -> Vec<(Kind, Difference)> {
        debug_assert!(pair.differs());
        vec![(Self::KIND, Difference::Lasting)]
    }

    /// What a person calls a record by.
    fn name(item: &Self::Item) -> String;
}

/// Some records in their order.
pub(crate) struct Page<L: Listed + ?Sized> {
    pub(crate) items: Vec<L::Item>,
    /// How far the page goes; absent: there are no more.
    pub(crate) end: Option<L::Place>,
}

/// One record as it is on both sides, as far as it is there.
#[derive(Clone, Debug)]
pub(crate) struct Pair<T> {
    pub(crate) source: Option<T>,
    pub(crate) destination: Option<T>,
}

impl<T: PartialEq> Pair<T> {
    pub(crate) fn differs(&self) -> bool {
        self.source != self.destination
    }
}

/// How both sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// They do.
    Lasting,
    /// The source goes on counting, and what it has counted is going to be carried over.
    Moving,
}

/// A stretch of the order, as both sides have it.
pub(crate) struct Window<L: Listed> {
    pub(crate) source: Vec<L::Item>,
    pub(crate) destination: Vec<L::Item>,
    /// How far it goes; absent: to the end.
    pub(crate) end: Option<L::Place>,
}

impl<L: Listed> Window<L> {
    /// Reads as far behind a place as both pages go: beyond the end of a page nothing is known of what
    /// that side has.
    pub(crate) async fn read(
        listed: &L,
        ends: &Ends,
        after: Option<&L::Place>,
    ) -> Result<Self, CopyError> {
        let source = listed.page(&*ends.source, after);
        let destination = listed.page(&*ends.destination, after);
        let (source, destination) = tokio::join!(source, destination);
        let source = source.map_err(CopyError::at_source)?;
        let destination = destination.map_err(CopyError::at_destination)?;
        must_be_ordered::<L>(&source.items, after).map_err(|()| disordered_source())?;
        must_be_ordered::<L>(&destination.items, after).map_err(|()| disordered_destination())?;
        let end = match (source.end, destination.end) {
            (Some(source), Some(destination)) => Some(source.min(destination)),
            (source, destination) => source.or(destination),
        };
        let within = |mut items: Vec<L::Item>| {
            items.retain(|item| end.as_ref().is_none_or(|end| L::place(item) <= *end));
            items
        };
        let (source, destination) = (within(source.items), within(destination.items));
        Ok(Self { source, destination, end })
    }

    /// The records that are not the same on both sides.
    pub(crate) fn differing(&self) -> Vec<Pair<L::Item>> {
        let (mut sources, mut destinations) = (self.source.iter(), self.destination.iter());
        let (mut source, mut destination) = (sources.next(), destinations.next());
        let mut pairs = Vec::new();
        while source.is_some() || destination.is_some() {
            let places = (source.map(L::place), destination.map(L::place));
            let is_first = |place: &Option<L::Place>, other: &Option<L::Place>| match (place, other)
            {
                (Some(place), Some(other)) => place <= other,
                (place, _) => place.is_some(),
            };
            let of_source = is_first(&places.0, &places.1);
            let of_destination = is_first(&places.1, &places.0);
            let pair = Pair {
                source: source.filter(|_| of_source),
                destination: destination.filter(|_| of_destination),
            };
            if pair.differs() {
                let (source, destination) = (pair.source.cloned(), pair.destination.cloned());
                pairs.push(Pair { source, destination });
            }
            source = if of_source { sources.next() } else { source };
            destination = if of_destination { destinations.next() } else { destination };
        }
        pairs
    }
}

/// Without this order, what is only elsewhere on the other side would be taken for gone.
fn must_be_ordered<L: Listed>(items: &[L::Item], after: Option<&L::Place>) -> Result<(), ()> {
    let mut last = after.cloned();
    for item in items {
        let place = L::place(item);
        if last.is_some_and(|last| last >= place) {
            return Err(());
        }
        last = Some(place);
    }
    Ok(())
}

const fn disordered_source() -> CopyError {
    CopyError::Disordered(crate::Side::Source)
}

const fn disordered_destination() -> CopyError {
    CopyError::Disordered(crate::Side::Destination)
}
