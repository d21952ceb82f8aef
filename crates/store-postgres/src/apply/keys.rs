//! What a change writes of keys.

use keyward_core::{FormatKind, KeyRecord, KeyWrite, Locator};

use super::Step;
use crate::key::{key_columns, values};
use crate::sql::{self, Sql, bytes, integer, scheme};

/// Adds what writes keys, and what finds them.
pub(super) fn write(steps: &mut Vec<Step>, writes: &[KeyWrite]) -> Result<(), serde_json::Error> {
    // In the order of their ids, as usage is recorded: so none waits for one who waits.
    let purge = |write: &KeyWrite| match write {
        KeyWrite::Purge(record) => Some((record.id.clone(), purge(record))),
        KeyWrite::Insert(_) | KeyWrite::Update { .. } => None,
    };
    let mut purges: Vec<_> = writes.iter().filter_map(purge).collect();
    purges.sort_by(|(one, _), (other, _)| one.cmp(other));
    steps.extend(purges.into_iter().map(|(_, step)| step));

    let mut finders = Finders::default();
    for write in writes {
        match write {
            KeyWrite::Insert(record) => {
                steps.push(insert(record)?);
                finders.add_tags(record);
                finders.add_locators(record);
            }
            KeyWrite::Purge(_) => {}
            KeyWrite::Update { before, after } => {
                steps.push(update(before, after)?);
                finders.replace(before, after);
            }
        }
    }
    finders.write(steps);
    Ok(())
}

fn insert(record: &KeyRecord) -> Result<Step, serde_json::Error> {
    let text = concat!(
        "INSERT INTO keyward.keys (",
        key_columns!(),
        ", search_text, notes_search_text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, \
         $30, $31, $32, $33)"
    );
    Ok(Step::any(Sql::fixed(text, values(record)?.into())))
}

/// What belongs to the key goes with it: `ON DELETE CASCADE`.
fn purge(record: &KeyRecord) -> Step {
    let text = "DELETE FROM keyward.keys WHERE id = $1 AND version = $2";
    let values = vec![sql::text(&record.id), integer(record.version.get()).into()];
    Step::of_a_row(Sql::fixed(text, values))
}

fn update(before: &KeyRecord, after: &KeyRecord) -> Result<Step, serde_json::Error> {
    let text = concat!(
        "UPDATE keyward.keys SET (",
        key_columns!(),
        ", search_text, notes_search_text) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, \
         $31, $32, $33) WHERE id = $34 AND version = $35"
    );
    let place = [sql::text(&before.id), integer(before.version.get()).into()];
    let values = values(after)?.into_iter().chain(place).collect();
    Ok(Step::of_a_row(Sql::fixed(text, values)))
}

/// What finds keys besides their own rows, of all keys of a change together.
#[derive(Default)]
struct Finders {
    /// Keys whose locators and tags are written anew.
    without_locators: Vec<String>,
    without_tags: Vec<String>,
    digests: Vec<Vec<u8>>,
    schemes: Vec<String>,
    digest_keys: Vec<String>,
    tags: Vec<String>,
    tag_times: Vec<i64>,
    tag_keys: Vec<String>,
}

impl Finders {
    /// Most changes leave both as they are, and `before` is what is stored, or the change is refused.
    fn replace(&mut self, before: &KeyRecord, after: &KeyRecord) {
        if !digests(before).eq(digests(after)) {
            self.without_locators.push(before.id.as_str().to_owned());
            self.add_locators(after);
        }
        if (&before.tags, before.created_at) != (&after.tags, after.created_at) {
            self.without_tags.push(before.id.as_str().to_owned());
            self.add_tags(after);
        }
    }

    fn add_locators(&mut self, record: &KeyRecord) {
        let mut digests: Vec<_> = digests(record).collect();
        // A secret that was set anew to the same text.
        digests.dedup();
        for locator in digests {
            if let Locator::Digest(digest) = locator {
                self.digests.push(bytes(&digest));
                self.schemes.push(scheme(&digest));
                self.digest_keys.push(record.id.as_str().to_owned());
            }
        }
    }

    fn add_tags(&mut self, record: &KeyRecord) {
        for tag in &record.tags {
            self.tags.push(tag.as_str().to_owned());
            self.tag_times.push(record.created_at.as_micros());
            self.tag_keys.push(record.id.as_str().to_owned());
        }
    }

    fn write(self, steps: &mut Vec<Step>) {
        let mut write = |text, is_needed: bool, values| {
            if is_needed {
                steps.push(Step::any(Sql::fixed(text, values)));
            }
        };
        let text = "DELETE FROM keyward.locators WHERE key_id = ANY ($1)";
        let is_needed = !self.without_locators.is_empty();
        write(text, is_needed, vec![self.without_locators.into()]);
        let text = "DELETE FROM keyward.key_tags WHERE key_id = ANY ($1)";
        let is_needed = !self.without_tags.is_empty();
        write(text, is_needed, vec![self.without_tags.into()]);
        let text = "INSERT INTO keyward.locators (digest, scheme, key_id) \
                    SELECT * FROM unnest($1, $2, $3)";
        let is_needed = !self.digests.is_empty();
        let values = vec![self.digests.into(), self.schemes.into(), self.digest_keys.into()];
        write(text, is_needed, values);
        let text = "INSERT INTO keyward.key_tags (tag, key_created_at, key_id) \
                    SELECT * FROM unnest($1, $2, $3)";
        let is_needed = !self.tags.is_empty();
        write(text, is_needed, vec![self.tags.into(), self.tag_times.into(), self.tag_keys.into()]);
    }
}

/// What finds an opaque key.
fn digests(record: &KeyRecord) -> impl Iterator<Item = Locator> {
    let is_opaque = record.format == FormatKind::Opaque;
    record.locators().filter(move |_| is_opaque)
}
