//! From the columns of a row to the fields that the interface takes.

mod kinds;
mod sources;

use jiff::tz::TimeZone;
use keyward::{FieldError, Invalid, KeyspaceId};
use serde_json::{Map, Value, json};
use sources::Columns;

use super::noun::Noun;
use super::primaries::Primaries;
use crate::args::{AccountImportArgs, ImportArgs, Source, TableArgs};
use crate::outcome::Unusable;
use crate::printer;

/// Which columns become which fields, and with what they are filled up.
pub(super) struct Mapping {
    columns: &'static [Columns],
    id_prefix: String,
    keyspace: Option<String>,
    /// Whether keys are taken over without their service accounts.
    leaves_accounts: bool,
    maps: Vec<(String, String)>,
    noun: Noun,
    primaries: Option<Primaries>,
    scheme: Option<String>,
    sets: Vec<(String, String)>,
    source: Source,
    zone: TimeZone,
}

/// The fields of what is to be taken over.
type Item = Map<String, Value>;

impl Mapping {
    /// That of a file of keys.
    pub(super) fn of_keys(args: &ImportArgs) -> anyhow::Result<Self> {
        let mapping = Self::new(Noun::Keys, args.from, &args.table)?;
        Ok(Self {
            id_prefix: args.id_prefix.clone(),
            keyspace: args.keyspace.clone(),
            leaves_accounts: args.no_accounts,
            ..mapping
        })
    }

    /// That of a file of service accounts.
    pub(super) fn of_accounts(args: &AccountImportArgs) -> anyhow::Result<Self> {
        Self::new(Noun::Accounts, args.from.into(), &args.table)
    }

    /// Which accounts become the primary ones, where the file does not say it.
    pub(super) fn set_primaries(&mut self, primaries: Primaries) {
        self.primaries = Some(primaries);
    }

    /// What the file describes.
    pub(super) const fn noun(&self) -> Noun {
        self.noun
    }

    fn new(noun: Noun, source: Source, args: &TableArgs) -> anyhow::Result<Self> {
        let zone = kinds::time_zone(&args.time_zone).ok_or_else(|| {
            Unusable("--time-zone must be a name such as Europe/Berlin, or +02:00".to_owned())
        })?;
        let scheme = args.scheme.clone().or_else(|| sources::scheme(source).map(str::to_owned));
        Ok(Self {
            columns: sources::columns(noun, source),
            id_prefix: String::new(),
            keyspace: None,
            leaves_accounts: false,
            maps: pairs(noun, "--map", &args.maps)?,
            noun,
            primaries: None,
            scheme,
            sets: pairs(noun, "--set", &args.sets)?,
            source,
            zone,
        })
    }

    /// Whether a file with these columns can be read; says which of them are not used. Where the first
    /// line names no columns, what stands there may be a secret, and is not repeated.
    pub(super) fn check_columns(&self, names: &[String]) -> anyhow::Result<()> {
        let is_mapped = |name: &String| self.maps.iter().any(|(_, column)| column == name);
        for (_, column) in &self.maps {
            if !names.contains(column) {
                return Err(Unusable(format!("--map: there is no column {column}")).into());
            }
        }
        if self.source == Source::Keyward {
            let unknown = |name: &String| !kinds::is_field(self.noun, name) && !is_mapped(name);
            if let Some(place) = names.iter().position(unknown) {
                let rule = "is no known field: give it to one with --map, or leave it out";
                return Err(Unusable(format!("column {} {rule}", place + 1)).into());
            }
            return Ok(());
        }
        let is_known = |name: &String| is_mapped(name) || self.knows(name);
        let unused: Vec<_> = names.iter().filter(|name| !is_known(name)).cloned().collect();
        if unused.len() == names.len() {
            let rule = "the first line must name the columns, and names none that is known";
            return Err(Unusable(rule.to_owned()).into());
        }
        if !unused.is_empty() {
            let text = format!("columns that are not used: {}", unused.join(", "));
            printer::complain(&printer::text(&text.into()));
        }
        Ok(())
    }

    /// Whether a column means something in the source.
    fn knows(&self, column: &str) -> bool {
        sources::is_part(self.source, column)
            || self.columns.iter().any(|(_, names)| names.contains(&column))
    }

    /// The item of a row, and the keyspace of a key.
    pub(super) fn item(
        &self,
        mut row: Map<String, Value>,
    ) -> Result<(Option<String>, Item), FieldError> {
        row.retain(|_, value| !value.is_null() && *value != "");
        let mut item = self.fields(row);
        for (field, value) in &self.sets {
            item.entry(field.clone()).or_insert_with(|| json!(value));
        }
        for (field, value) in &mut item {
            kinds::convert(self.noun, field, value, &self.zone)?;
        }
        self.write_hash(&mut item)?;
        if let Some(primaries) = &self.primaries {
            let is_primary = primaries.contains(item.get("id"));
            item.entry("primary").or_insert(Value::Bool(is_primary));
        }
        if self.leaves_accounts {
            self.leave_account(&mut item);
        }
        if let Some(Value::String(id)) = item.get_mut("id") {
            id.insert_str(0, &self.id_prefix);
        }
        let keyspace = match self.noun {
            Noun::Accounts => None,
            Noun::Keys => Some(self.keyspace_of(&mut item)?.to_string()),
        };
        Ok((keyspace, item))
    }

    fn keyspace_of(&self, item: &mut Item) -> Result<KeyspaceId, FieldError> {
        let named = item.remove("keyspace").or_else(|| self.keyspace.clone().map(Value::from));
        let missing = || Invalid::new("must be given, or else --keyspace").at("keyspace");
        let keyspace = named.as_ref().and_then(Value::as_str).ok_or_else(missing)?;
        KeyspaceId::parse(keyspace).map_err(|invalid| invalid.at("keyspace"))
    }

    /// Takes its service account from a key. What it was remains as metadata where there is no other
    /// trace of it.
    fn leave_account(&self, item: &mut Item) {
        let account = item.remove("service_account_id");
        if let Some(account) = account.filter(|_| self.source == Source::Nestjs) {
            item.entry("metadata").or_insert_with(|| json!({ "client_id": account }));
        }
    }

    /// The row's columns under the names of fields.
    fn fields(&self, mut row: Map<String, Value>) -> Item {
        if self.source == Source::Keypal
            && let Some(Value::Object(record)) = row.remove("metadata")
        {
            // There, `metadata` is the whole record.
            row.extend(record.into_iter().filter(|(_, value)| !value.is_null()));
        }
        let mapped = self.maps.iter().filter_map(|(field, column)| {
            row.get(column).map(|value| (field.clone(), value.clone()))
        });
        let mapped: Vec<_> = mapped.collect();
        let mut item = match self.source {
            Source::Keyward => {
                row.retain(|column, _| !self.maps.iter().any(|(_, mapped)| mapped == column));
                row
            }
            source => {
                let known = self.columns.iter().filter_map(|(field, names)| {
                    let value = names.iter().find_map(|name| row.get(*name))?;
                    Some(((*field).to_owned(), value.clone()))
                });
                let known: Item = known.collect();
                known.into_iter().chain(sources::made_of(source, &row)).collect()
            }
        };
        item.extend(mapped);
        item
    }

    /// Brings a hash that is written as a text, or in two columns, into its form.
    fn write_hash(&self, item: &mut Item) -> Result<(), FieldError> {
        let scheme = item.remove("hash_scheme");
        let Some(hash) = item.remove("hash_value").or_else(|| item.remove("hash")) else {
            return Ok(());
        };
        let hash = if hash.is_object() {
            hash
        } else {
            let missing = || Invalid::new("must be given, or else --scheme").at("hash.scheme");
            let scheme = scheme.or_else(|| self.scheme.clone().map(Value::from));
            json!({"scheme": scheme.ok_or_else(missing)?, "value": hash})
        };
        item.insert("hash".to_owned(), hash);
        Ok(())
    }
}

/// Reads what is given as `FIELD=…`.
fn pairs(noun: Noun, flag: &str, given: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let pairs = given.iter().map(|text| {
        let rule = || Unusable(format!("{flag} must be given as FIELD=…, with a known field"));
        let pair = text.split_once('=').filter(|(field, _)| kinds::is_field(noun, field));
        let (field, value) = pair.ok_or_else(rule)?;
        Ok((field.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
