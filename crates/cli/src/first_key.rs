//! Handing out the root key at the first start.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use keyward::{Keyward, Secret};

use crate::outcome::Unusable;
use crate::printer;

/// Makes the root key if there has never been one.
///
/// A file is written before the key counts: should the process die in between, the next start
/// makes another. A terminal is told after, for nobody could tell a key there that does not count.
pub(crate) async fn hand_out(keyward: &Keyward, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(first_start) = keyward.first_start().await? else { return Ok(()) };
    if let Some(path) = file {
        write(path, first_start.secret())?;
    }
    if !keyward.finish_first_start(&first_start).await? {
        tracing::warn!("another process made the root key just now; this one does not count");
        return Ok(());
    }
    if let Some(path) = file {
        tracing::info!(path = %path.display(), "the root key was written");
    } else {
        printer::say("The root key, which is shown only now:")?;
        printer::say(first_start.secret().expose())?;
    }
    Ok(())
}

/// Writes the key to a new file that only its owner may read, whole or not at all.
fn write(path: &Path, secret: &Secret) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    if holds_something_else(path) {
        let path = path.display();
        let complaint = format!("--root-key-file {path} holds something else than a root key");
        return Err(Unusable(complaint).into());
    }
    // Temporary files have the mode 0600, and keep it when they are renamed.
    let failed = || format!("cannot write {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    writeln!(file, "{}", secret.expose()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

/// Whether there is a file that is not of an earlier first start.
fn holds_something_else(path: &Path) -> bool {
    match fs::read_to_string(path) {
        Ok(text) => !text.is_empty() && !text.starts_with("kwm_"),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}
