//! What makes connections to one address.

use std::fmt;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::PostgresOptions;
use crate::address::Address;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::open::Problem;
use crate::tls;

/// How much later than the server we give a statement up.
const GRACE: Duration = Duration::from_secs(1);
/// After how long a silence the other side is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a transaction may lie idle. One whose client is stopped or cut off holds up all others.
pub(crate) const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(2);

/// The driver's own half of a connection, which has to be polled.
pub(crate) type Driver =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Makes connections to one address.
pub(crate) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    is_pooled: bool,
    connect_timeout: Duration,
    patience: Duration,
    /// As the address is shown in messages.
    shown: String,
}

impl Connector {
    /// To a server that takes what is to be written.
    pub(crate) fn to_primary(
        address: &Address,
        options: &PostgresOptions,
    ) -> Result<Self, Problem> {
        let mut connector = Self::new(address, options)?;
        if connector.config.get_target_session_attrs() == TargetSessionAttrs::Any {
            connector.config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(connector)
    }

    /// To a server that has to answer within that time.
    pub(crate) fn to_replica(
        address: &Address,
        options: &PostgresOptions,
        patience: Duration,
    ) -> Result<Self, Problem> {
        Ok(Self { patience, ..Self::new(address, options)? })
    }

    fn new(address: &Address, options: &PostgresOptions) -> Result<Self, Problem> {
        let PostgresOptions { connect_timeout, statement_timeout, lock_timeout, .. } = *options;
        let patience = statement_timeout.saturating_add(GRACE);
        let mut config = address.config.clone();
        config.connect_timeout(connect_timeout).tcp_user_timeout(patience);
        config.keepalives(true).keepalives_idle(SILENCE).keepalives_interval(GRACE);
        config.keepalives_retries(5);
        // Behind a pooler, settings of a session may come upon other clients.
        if !address.is_pooled {
            let given = config.get_options().unwrap_or_default();
            let settings = format!(
                "{given} -c statement_timeout={} -c lock_timeout={} \
                 -c idle_in_transaction_session_timeout={}",
                statement_timeout.as_millis(),
                lock_timeout.as_millis(),
                IDLE_IN_TRANSACTION.as_millis(),
            );
            config.options(settings);
        }
        let tls = tls::connector(&address.trust)?;
        let (is_pooled, shown) = (address.is_pooled, address.to_string());
        Ok(Self { config, tls, is_pooled, connect_timeout, patience, shown })
    }

    /// Whether connections change hands between statements.
    pub(crate) const fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    /// How long to wait for an answer.
    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    /// Makes a connection.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        Ok(self.connect_and_see_off().await?.0)
    }

    /// Makes a connection, and returns what ends after it was dropped and the server knows.
    pub(crate) async fn connect_and_see_off(
        &self,
    ) -> Result<(Connection, JoinHandle<()>), Failure> {
        let (client, driver) = self.connect_raw().await?;
        let task = tokio::spawn(async move {
            // Whoever waits for an answer hears of it.
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to the database ended");
            }
        });
        let abort = task.abort_handle();
        Ok((Connection::new(client, abort, self.is_pooled, self.patience), task))
    }

    /// Makes a connection whose driver the caller polls.
    pub(crate) async fn connect_raw(&self) -> Result<(Client, Driver), Failure> {
        let connected = timeout(self.connect_timeout, self.config.connect(self.tls.clone()));
        let connected = connected.await.map_err(|_| Failure::TimedOut(self.connect_timeout))?;
        Ok(connected?)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.shown)
    }
}
