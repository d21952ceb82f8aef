//! Where peppers and salts come from.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use keyward::{PepperVersion, Secret};
use serde::{Deserialize, Serialize, Serializer};

/// A pepper or salt of the configuration: its text, or better the file that holds it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PepperSource {
    /// Which one it is; the pepper of the largest version makes new digests.
    pub(crate) version: u16,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted", default)]
    value: Option<Secret>,
    /// The file that holds the text. A line break at its end does not count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    value_file: Option<PathBuf>,
}

impl PepperSource {
    /// A pepper whose text is in a file.
    pub(crate) const fn of_file(version: u16, path: PathBuf) -> Self {
        Self { version, value: None, value_file: Some(path) }
    }

    /// Reads it, as what `make` makes of its bytes.
    pub(crate) fn read<T, E>(
        &self,
        make: impl FnOnce(Vec<u8>) -> Result<T, E>,
    ) -> anyhow::Result<(PepperVersion, T)>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let bytes = match (&self.value, &self.value_file) {
            (Some(value), None) => value.expose().as_bytes().to_vec(),
            (None, Some(path)) => {
                let bytes = fs::read(path);
                let mut bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
                while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                    bytes.pop();
                }
                bytes
            }
            _ => anyhow::bail!("exactly one of value and value_file must be given"),
        };
        Ok((PepperVersion::new(self.version), make(bytes)?))
    }
}

#[expect(clippy::ref_option, reason = "serde passes it so")]
fn redacted<S: Serializer>(_: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("(hidden)")
}
