//! Finds as they are printed: never with a character of a secret part, wherever it may stand.

use std::io;
use std::path::Path;

use keyward::{KeyId, KeyspaceId};
use keyward_scan::{Find, GitObjectKind, Scanner};
use serde_json::{Value, json};

use super::revoke::Fate;
use crate::printer;

/// How to print.
pub(super) struct View {
    /// Blots out what is secret in names.
    pub(super) scanner: Scanner,
    pub(super) as_json: bool,
}

impl View {
    /// Prints a line for each find, and what became of its key.
    pub(super) fn print(&self, finds: &[Find], fates: Option<&[Fate]>) -> io::Result<()> {
        for (place, find) in finds.iter().enumerate() {
            let fate = fates.and_then(|fates| fates.get(place));
            if self.as_json {
                printer::say(self.object(find, fate))?;
            } else {
                printer::say(printer::text(&self.line(find, fate).into()))?;
            }
        }
        Ok(())
    }

    /// Tells of something whose name may be anything.
    pub(super) fn complain(&self, text: &str) {
        printer::complain(&printer::text(&self.scanner.redact(text).into()));
    }

    /// `path:line:column: keyspace hint`, and in history which object and commit.
    fn line(&self, find: &Find, fate: Option<&Fate>) -> String {
        let place = &find.place;
        let object = place.object.as_ref();
        let name = match (&place.path, object) {
            (Some(path), _) => unmistakable(self.name(path)),
            (None, Some(object)) => format!("{} {}", object.kind.as_str(), object.id),
            (None, None) => String::new(),
        };
        let mut words = vec![format!("{name}:{}:{}:", place.line, place.column)];
        words.extend(find.keyspace.as_ref().map(ToString::to_string));
        words.push(find.hint.clone());
        if let Some(object) = object.filter(|object| object.kind == GitObjectKind::Blob) {
            words.push(match &object.commit {
                Some(commit) => format!("(blob {}, commit {commit})", object.id),
                None => format!("(blob {})", object.id),
            });
        }
        words.extend(fate.map(|fate| format!("[{fate}]")));
        words.join(" ")
    }

    fn object(&self, find: &Find, fate: Option<&Fate>) -> Value {
        let place = &find.place;
        let mut object = json!({
            "path": place.path.as_deref().map(|path| self.name(path)),
            "line": place.line,
            "column": place.column,
            "keyspace": find.keyspace.as_ref().map(KeyspaceId::as_str),
            "key": find.key.as_ref().map(KeyId::as_str),
            "hint": find.hint,
        });
        let history = place.object.as_ref().map(|object| {
            json!({"kind": object.kind.as_str(), "id": object.id, "commit": object.commit})
        });
        let revocation = fate.map(|fate| json!({"code": fate.code(), "message": fate.to_string()}));
        if let Some(members) = object.as_object_mut() {
            let more = [("object", history), ("revocation", revocation)];
            members.extend(more.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))));
        }
        object
    }

    /// A path as it was asked for, without the `./` of the directory that was not.
    fn name(&self, path: &Path) -> String {
        let path = path.strip_prefix("./").unwrap_or(path);
        self.scanner.redact(&path.to_string_lossy())
    }
}

/// A name that is not taken for a command where it begins a line: `::name::` and `##[name]` are ones of
/// GitHub Actions, which obeys whatever a step prints.
fn unmistakable(name: String) -> String {
    if name.trim_start().starts_with([':', '#']) { format!("./{name}") } else { name }
}
