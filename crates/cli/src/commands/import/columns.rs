//! From the columns of a row to the fields of `POST /v1/keys/import`.

mod kinds;
mod sources;

use jiff::tz::TimeZone;
use keyward::{FieldError, Invalid, KeyspaceId};
use serde_json::{Map, Value, json};
use sources::Columns;

use crate::args::{ImportArgs, Source};
use crate::outcome::Unusable;
use crate::printer;

/// Which columns become which fields, and with what they are filled up.
pub(super) struct Mapping {
    columns: &'static [Columns],
    id_prefix: String,
    keyspace: Option<String>,
    maps: Vec<(String, String)>,
    scheme: Option<String>,
    sets: Vec<(String, String)>,
    source: Source,
    zone: TimeZone,
}

/// The fields of a key to take over.
type Item = Map<String, Value>;

impl Mapping {
    pub(super) fn new(args: &ImportArgs) -> anyhow::Result<Self> {
        let zone = kinds::time_zone(&args.time_zone).ok_or_else(|| {
            Unusable("--time-zone must be a name such as Europe/Berlin, or +02:00".to_owned())
        })?;
        let scheme = args.scheme.clone().or_else(|| sources::scheme(args.from).map(str::to_owned));
        Ok(Self {
            columns: sources::columns(args.from),
            id_prefix: args.id_prefix.clone(),
            keyspace: args.keyspace.clone(),
            maps: pairs("--map", &args.maps)?,
            scheme,
            sets: pairs("--set", &args.sets)?,
            source: args.from,
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
            let unknown = |name: &String| !kinds::is_field(name) && !is_mapped(name);
            if let Some(place) = names.iter().position(unknown) {
                let rule = "is no known field: give it to one with --map, or leave it out";
                return Err(Unusable(format!("column {} {rule}", place + 1)).into());
            }
            return Ok(());
        }
        let is_known = |name: &String| is_mapped(name) || sources::knows(self.source, name);
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

    /// The item of a row, and its keyspace.
    pub(super) fn item(&self, mut row: Map<String, Value>) -> Result<(String, Item), FieldError> {
        row.retain(|_, value| !value.is_null() && *value != "");
        let mut item = self.fields(row);
        for (field, value) in &self.sets {
            item.entry(field.clone()).or_insert_with(|| json!(value));
        }
        for (field, value) in &mut item {
            kinds::convert(field, value, &self.zone)?;
        }
        self.write_hash(&mut item)?;
        if let Some(Value::String(id)) = item.get_mut("id") {
            id.insert_str(0, &self.id_prefix);
        }
        let named = item.remove("keyspace").or_else(|| self.keyspace.clone().map(Value::from));
        let missing = || Invalid::new("must be given, or else --keyspace").at("keyspace");
        let keyspace = named.as_ref().and_then(Value::as_str).ok_or_else(missing)?;
        let keyspace = KeyspaceId::parse(keyspace).map_err(|invalid| invalid.at("keyspace"))?;
        Ok((keyspace.to_string(), item))
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
fn pairs(flag: &str, given: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let pairs = given.iter().map(|text| {
        let (field, value) =
            text.split_once('=').filter(|(field, _)| kinds::is_field(field)).ok_or_else(|| {
                Unusable(format!("{flag} must be given as FIELD=…, with a known field"))
            })?;
        Ok((field.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
