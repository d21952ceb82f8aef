//! From a URL to a database that is known to be ours and up to date.

use std::error::Error;
use std::time::Duration;

use tokio::time::timeout;

use crate::PostgresOptions;
use crate::address::Address;
use crate::connection::Connection;
use crate::connector::Connector;
use crate::failure::Failure;
use crate::schema::Schema;

/// A database cannot be used as a store. Nothing has been written to it; the source says why. Neither
/// shows the user or the password of a URL.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {shown:?}")]
pub struct OpenError {
    shown: String,
    #[source]
    problem: Problem,
}

impl OpenError {
    /// Whether the database is of a newer Keyward.
    pub const fn is_newer(&self) -> bool {
        matches!(self.problem, Problem::Newer { .. })
    }

    /// Whether the database only has to be migrated.
    pub const fn is_outdated(&self) -> bool {
        matches!(self.problem, Problem::Outdated { .. })
    }

    /// Whether the database holds a schema `keyward` that is not ours.
    pub const fn is_foreign(&self) -> bool {
        matches!(self.problem, Problem::Foreign)
    }

    /// Whether no server answered there as one of PostgreSQL should: it may later.
    pub const fn is_unreachable(&self) -> bool {
        matches!(self.problem, Problem::Failed(_))
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it stores texts as {0}, and must store them as UTF8")]
    Encoding(String),
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error("its schema \"keyward\" belongs to another application")]
    Foreign,
    #[error("a newer version of keyward has migrated it (to {found}; this one knows {known})")]
    Newer { found: i64, known: usize },
    #[error("there are no roots that a certificate could be checked with")]
    NoRoots,
    #[error("it lacks {pending} migrations, so run `keyward migrate`")]
    Outdated { pending: usize },
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
    #[error("its URL cannot be used: {0}")]
    Url(&'static str),
}

impl Problem {
    pub(crate) fn tls(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Tls(error.into())
    }

    fn with(self, address: Option<&Address>) -> OpenError {
        let shown = address.map_or_else(|| "postgres://…".to_owned(), Address::to_string);
        OpenError { shown, problem: self }
    }
}

/// What makes connections to a database that is up to date, and the first one.
pub(crate) async fn open(
    url: &str,
    options: &PostgresOptions,
) -> Result<(Connector, Connection), OpenError> {
    at(url, async |address: &Address| {
        let connector = Connector::to_primary(address, options)?;
        let connection = connector.connect().await?;
        let schema = Schema::CURRENT;
        match schema.version() - schema.version_of(&connection).await? {
            0 => Ok((connector, connection)),
            pending => Err(Problem::Outdated { pending }),
        }
    })
    .await
}

/// What makes connections to a standby server, whatever it holds.
pub(crate) fn replica(
    url: &str,
    options: &PostgresOptions,
    patience: Duration,
) -> Result<Connector, OpenError> {
    let address = Address::parse(url).map_err(|problem| problem.with(None))?;
    let connector = Connector::to_replica(&address, options, patience);
    connector.map_err(|problem| problem.with(Some(&address)))
}

/// What makes connections to a database that is not looked at.
pub(crate) fn connector(url: &str, options: &PostgresOptions) -> Result<Connector, OpenError> {
    let address = Address::parse(url).map_err(|problem| problem.with(None))?;
    Connector::to_primary(&address, options).map_err(|problem| problem.with(Some(&address)))
}

/// Brings a database up to date, and returns how many migrations it took.
pub(crate) async fn migrate(url: &str) -> Result<usize, OpenError> {
    once(url, async |connection: &Connection| Schema::CURRENT.migrate(connection).await).await
}

/// How many migrations a database lacks.
pub(crate) async fn pending_migrations(url: &str) -> Result<usize, OpenError> {
    let schema = Schema::CURRENT;
    let pending =
        async |connection: &Connection| Ok(schema.version() - schema.version_of(connection).await?);
    once(url, pending).await
}

/// Works on a connection that is closed again, and may have to write every row anew.
async fn once<T>(
    url: &str,
    work: impl AsyncFnOnce(&Connection) -> Result<T, Problem>,
) -> Result<T, OpenError> {
    at(url, async |address: &Address| {
        let options = PostgresOptions {
            lock_timeout: Duration::from_mins(1),
            statement_timeout: Duration::from_hours(24),
            ..PostgresOptions::default()
        };
        let connector = Connector::to_primary(address, &options)?;
        let (connection, farewell) = connector.connect_and_see_off().await?;
        let result = work(&connection).await;
        drop(connection);
        // A server that no longer listens need not hear it.
        drop(timeout(options.connect_timeout, farewell).await);
        result
    })
    .await
}

async fn at<T>(
    url: &str,
    work: impl AsyncFnOnce(&Address) -> Result<T, Problem>,
) -> Result<T, OpenError> {
    let address = Address::parse(url).map_err(|problem| problem.with(None))?;
    work(&address).await.map_err(|problem| problem.with(Some(&address)))
}
