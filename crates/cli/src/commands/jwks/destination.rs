//! Where the files are: a directory, or a bucket of S3.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, ObjectStore, ObjectStoreExt, PutOptions, RetryConfig,
};

use super::document::Kid;
use crate::outcome::Unusable;

/// A place for files of the form `KID/.well-known/jwks.json`. No other is looked at or touched.
pub(super) struct Destination {
    /// What is said of each file.
    attributes: Attributes,
    place: Place,
    store: Arc<dyn ObjectStore>,
}

enum Place {
    Bucket { name: String, prefix: Path },
    Directory(PathBuf),
}

/// What follows the id in a file's name.
const WELL_KNOWN: [&str; 2] = [".well-known", "jwks.json"];

impl Destination {
    /// The place of that name. Unless nothing is going to be written, a directory is made.
    pub(super) fn open(name: &str, max_age: Duration, dry_run: bool) -> anyhow::Result<Self> {
        let unusable = |why: &dyn fmt::Display| Unusable(format!("--to {name}: {why}"));
        if let Some(bucket) = name.strip_prefix("s3://") {
            let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
            if !is_bucket_name(bucket) {
                return Err(unusable(&"that is no name of a bucket").into());
            }
            return Self::open_bucket(bucket, prefix, max_age).map_err(|e| unusable(&e).into());
        }
        let directory = if name.starts_with("file:") {
            let path = reqwest::Url::parse(name).ok().and_then(|url| url.to_file_path().ok());
            path.ok_or_else(|| unusable(&"must be file:/// and the path of a directory"))?
        } else if name.contains("://") {
            return Err(unusable(&"must be a directory, file:///DIRECTORY or s3://BUCKET").into());
        } else {
            PathBuf::from(name)
        };
        Self::open_directory(directory, dry_run).map_err(|e| unusable(&e).into())
    }

    fn open_bucket(name: &str, prefix: &str, max_age: Duration) -> Result<Self, Error> {
        let retries = RetryConfig {
            max_retries: 3,
            retry_timeout: Duration::from_secs(10),
            ..RetryConfig::default()
        };
        // With what the environment says: the names are those of Amazon's own tools.
        let store =
            AmazonS3Builder::from_env().with_bucket_name(name).with_retry(retries).build()?;
        let max_age = format!("max-age={}", max_age.as_secs());
        let attributes = [
            (Attribute::CacheControl, max_age),
            (Attribute::ContentType, "application/json".to_owned()),
        ];
        let prefix = Path::parse(prefix)?;
        let place = Place::Bucket { name: name.to_owned(), prefix };
        Ok(Self { attributes: attributes.into_iter().collect(), place, store: Arc::new(store) })
    }

    fn open_directory(path: PathBuf, dry_run: bool) -> anyhow::Result<Self> {
        if !dry_run {
            fs::create_dir_all(&path)?;
        }
        // Where there is nothing, nothing is found, and that is all that is asked.
        let store = if path.exists() {
            LocalFileSystem::new_with_prefix(&path)?.with_automatic_cleanup(true)
        } else {
            LocalFileSystem::new()
        };
        // A file system keeps nothing beside the content.
        let attributes = Attributes::new();
        Ok(Self { attributes, place: Place::Directory(path), store: Arc::new(store) })
    }

    /// The files that are there, and how long they are.
    pub(super) async fn files(&self) -> anyhow::Result<BTreeMap<Kid, u64>> {
        match &self.place {
            Place::Bucket { prefix, .. } => self.objects(prefix).await,
            Place::Directory(path) => {
                let path = path.clone();
                let found = tokio::task::spawn_blocking(move || files_below(&path)).await?;
                found.map_err(|error| anyhow!("cannot read {self}: {error}"))
            }
        }
    }

    async fn objects(&self, prefix: &Path) -> anyhow::Result<BTreeMap<Kid, u64>> {
        let found = self.store.list(Some(prefix));
        let found = found.try_filter_map(async |object| {
            let kid = kid_in(prefix, &object.location);
            Ok(kid.map(|kid| (kid, object.size)))
        });
        found.try_collect().await.map_err(|error| self.failure("cannot list", &error))
    }

    /// How long a key's file is, if there is one.
    pub(super) async fn length(&self, kid: &Kid) -> anyhow::Result<Option<u64>> {
        match self.store.head(&self.path(kid)).await {
            Ok(object) => Ok(Some(object.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failure_of("look at", kid, &error)),
        }
    }

    /// Whether a key's file is to the byte this document, and said to be what it is.
    pub(super) async fn holds(&self, kid: &Kid, document: &str) -> anyhow::Result<bool> {
        let failed = |error: Error| self.failure_of("read", kid, &error);
        let found = match self.store.get(&self.path(kid)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let mut attributes = self.attributes.iter();
        if !attributes.all(|(name, value)| found.attributes.get(name) == Some(value)) {
            return Ok(false);
        }
        Ok(found.bytes().await.map_err(failed)? == document.as_bytes())
    }

    /// Writes a key's file: whoever reads it meets all of it or nothing.
    pub(super) async fn write(&self, kid: &Kid, document: String) -> anyhow::Result<()> {
        let options = PutOptions { attributes: self.attributes.clone(), ..PutOptions::default() };
        let written = self.store.put_opts(&self.path(kid), document.into(), options).await;
        written.map(drop).map_err(|error| self.failure_of("write", kid, &error))
    }

    /// Removes a key's file, if it is still there.
    pub(super) async fn remove(&self, kid: &Kid) -> anyhow::Result<()> {
        match self.store.delete(&self.path(kid)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failure_of("remove", kid, &error)),
        }
    }

    fn failure_of(&self, act: &str, kid: &Kid, error: &Error) -> anyhow::Error {
        self.failure(&format!("cannot {act} the file of {kid} in"), error)
    }

    /// The error, which tells its causes already, and the first of them.
    fn failure(&self, what: &str, error: &Error) -> anyhow::Error {
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let (error, cause) = (error.to_string(), cause.to_string());
        let known = if error.contains(&cause) { String::new() } else { format!(": {cause}") };
        anyhow!("{what} {self}: {error}{known}")
    }

    fn path(&self, kid: &Kid) -> Path {
        let root = match &self.place {
            Place::Bucket { prefix, .. } => prefix.clone(),
            Place::Directory(_) => Path::ROOT,
        };
        WELL_KNOWN.iter().fold(root.join(kid.as_str()), |path, part| path.join(*part))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Bucket { name, prefix } => write!(f, "s3://{name}/{prefix}"),
            Place::Directory(path) => path.display().fmt(f),
        }
    }
}

/// Whether a text can be part of a URL as it is, as all names of buckets can.
fn is_bucket_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// The id in an object's name, if it is one of ours.
fn kid_in(prefix: &Path, name: &Path) -> Option<Kid> {
    let mut parts = name.prefix_match(prefix)?;
    let kid = Kid::parse(parts.next()?.as_ref())?;
    let is_ours = parts.map(|part| part.as_ref().to_owned()).eq(WELL_KNOWN);
    is_ours.then_some(kid)
}

/// The files in a directory. What else lies there, and may be whatever it likes, is not entered.
fn files_below(directory: &FilePath) -> io::Result<BTreeMap<Kid, u64>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(kid) = name.to_str().and_then(Kid::parse) else { continue };
        let file =
            WELL_KNOWN.iter().fold(directory.join(kid.as_str()), |path, part| path.join(part));
        match fs::symlink_metadata(file) {
            Ok(file) if file.is_file() => drop(files.insert(kid, file.len())),
            Ok(_) => {}
            Err(error) if is_nothing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// Whether there is nothing of the name.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
