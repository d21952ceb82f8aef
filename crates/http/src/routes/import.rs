//! Taking over keys that somebody else has issued; and, in [`accounts`], service accounts.

pub(crate) mod accounts;
mod item;
mod parts;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use item::{ImportItem, Owners};
use keyward::{ImportMode, ImportedKey, KeyspaceId, Keyward};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::many::{WithDenied, check_count, together};
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::{Body, parse_part};
use crate::problem::{FieldProblem, Problem, Problems};
use crate::view::{Answer, Json};

/// Keys to take over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportBody {
    /// The keyspace that describes the form of their secrets.
    keyspace: String,
    /// 1 to 100 keys. Each is read for itself: what is wrong with one is no harm to the others.
    #[schema(value_type = Vec<ImportItem>)]
    keys: Vec<Box<RawValue>>,
    /// What is written: `each` key that is acceptable (default), the `whole` of them or nothing, or
    /// nothing at all (`check`).
    #[serde(default)]
    mode: Mode,
}

/// What is written of what is to be taken over.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Nothing: it is only told what would become of each.
    Check,
    /// Each that is acceptable.
    #[default]
    Each,
    /// All of them, or none if one is not acceptable.
    Whole,
}

impl Mode {
    /// The mode for those items that could be read.
    const fn of_readable(self, all_are_readable: bool) -> ImportMode {
        match self {
            Self::Each => ImportMode::Each,
            Self::Whole if all_are_readable => ImportMode::Whole,
            Self::Check | Self::Whole => ImportMode::Check,
        }
    }
}

/// What became of what was to be taken over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported<'a> {
    /// How many were taken over.
    #[serde(rename = "imported")]
    taken: usize,
    /// How many could have been, where nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    acceptable: Option<usize>,
    /// Those that were not.
    failed: Vec<FailedItem<'a>>,
}

/// One that was not taken over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedItem<'a> {
    /// Its place in the request, from 0.
    index: usize,
    /// The kind of problem as a stable word.
    #[schema(example = "key_exists")]
    code: &'a str,
    /// The problem in a sentence.
    detail: &'a str,
    /// The fields that are not acceptable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem<'a>>,
}

/// Takes over keys that somebody else has issued: their holders can use them from now on.
///
/// What is not acceptable of one is told for it, and the others are taken over, unless the `mode`
/// says otherwise. An id or a secret that exists is never overwritten; doing the same again is safe,
/// and told as `already_imported`.
#[utoipa::path(
    post, path = "/v1/keys/import", tag = "keys", request_body = ImportBody,
    responses((status = 200, body = Imported<'_>), Problems),
)]
pub(crate) async fn import(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<ImportBody>,
) -> Answer {
    let mut fields = Fields::default();
    let keyspace = fields.required("keyspace", &body.keyspace, |text| KeyspaceId::parse(text));
    fields.finish()?;
    let keyspace = keyspace.ok_or_else(Problem::unreadable_body)?;
    caller.may(Right::to_write_keys_of(&keyspace), Some(&keyspace))?;
    check_count(body.keys.len(), "keys")?;
    let by = &caller.context().actor;
    let items = body.keys.into_iter().map(|item| parse_part::<ImportItem>(&item));
    let items: Vec<_> = items.collect();
    let owners = Owners::of_accounts(&keyward, items.iter().flatten()).await?;
    let read = |item: Result<ImportItem, Problem>| -> Result<ImportedKey, Problem> {
        item?.read(&keyward, &keyspace, by, &owners)
    };
    let read: Vec<_> = items.into_iter().map(read).collect();
    let mode = body.mode.of_readable(read.iter().all(Result::is_ok));
    let acceptable = read.iter().flatten().cloned();
    let imported = keyward.import_many(acceptable, mode, caller.context()).await?;
    Ok(report(&together(read, imported), mode))
}

/// What became of each, in their order.
fn report<T>(results: &[Result<T, Problem>], mode: ImportMode) -> Response {
    let failed = results.iter().enumerate().filter_map(|(index, result)| {
        let problem = result.as_ref().err()?;
        let (code, detail, errors) = (problem.code, problem.detail(), problem.field_problems());
        Some(FailedItem { index, code, detail, errors })
    });
    let failed: Vec<_> = failed.collect();
    let good = results.len() - failed.len();
    let is_written = match mode {
        ImportMode::Check => false,
        ImportMode::Each => true,
        ImportMode::Whole => failed.is_empty(),
    };
    let (taken, acceptable) = if is_written { (good, None) } else { (0, Some(good)) };
    let view = Imported { taken, acceptable, failed };
    Json(StatusCode::OK, view).into_response().with_denied(results)
}
