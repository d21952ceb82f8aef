//! From an address to a connection to the server that takes writes.

use std::time::Duration;

use futures_util::future::select_ok;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, TlsCertificates, Value,
};

use crate::address::{Address, Host, Kind};

/// How to connect.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) address: Address,
    pub(crate) certificates: TlsCertificates,
    pub(crate) connect_timeout: Duration,
    /// What all names begin with, whose slot in a cluster is ours.
    pub(crate) names: String,
}

impl Connector {
    /// A connection to the server that takes writes, whose answers are waited for that long.
    pub(crate) async fn connect(
        &self,
        response_timeout: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let Address { hosts, kind, login, .. } = &self.address;
        let primary = match (kind, hosts.as_slice()) {
            (Kind::Direct, [host, ..]) => host.clone(),
            (Kind::Sentinel { primary, login }, _) => {
                let ask = |host| Box::pin(self.ask_sentinel(host, primary, login));
                select_ok(hosts.iter().map(ask)).await?.0
            }
            _ => select_ok(hosts.iter().map(|host| Box::pin(self.ask_node(host)))).await?.0,
        };
        self.connect_to(&primary, login, response_timeout).await
    }

    async fn ask_sentinel(
        &self,
        host: &Host,
        primary: &str,
        login: &RedisConnectionInfo,
    ) -> Result<Host, RedisError> {
        let mut sentinel = self.connect_to(host, login, self.connect_timeout).await?;
        let mut ask = redis::cmd("SENTINEL");
        let found: Option<Host> =
            ask.arg("GET-MASTER-ADDR-BY-NAME").arg(primary).query_async(&mut sentinel).await?;
        found.ok_or_else(|| ErrorKind::MasterNameNotFoundBySentinel.into_error())
    }

    /// Asks a node of a cluster which one has our slot.
    async fn ask_node(&self, host: &Host) -> Result<Host, RedisError> {
        let mut node = self.connect_to(host, &self.address.login, self.connect_timeout).await?;
        let slot: u16 =
            redis::cmd("CLUSTER").arg("KEYSLOT").arg(&self.names).query_async(&mut node).await?;
        let slots: Vec<Vec<Value>> =
            redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut node).await?;
        let owner = slots.iter().find_map(|range| owner_of(slot, range));
        let (name, port) =
            owner.ok_or_else(|| ErrorKind::ClusterConnectionNotFound.into_error())?;
        // A node that does not know its own name leaves it out.
        Ok((if name.is_empty() { host.0.clone() } else { name }, port))
    }

    async fn connect_to(
        &self,
        (host, port): &Host,
        login: &RedisConnectionInfo,
        response_timeout: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let (host, port) = (host.clone(), *port);
        let address = if self.address.is_tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = address.into_connection_info()?.set_redis_settings(login.clone());
        let client = if self.address.is_tls {
            Client::build_with_tls(info, self.certificates.clone())?
        } else {
            Client::open(info)?
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(response_timeout));
        client.get_multiplexed_async_connection_with_config(&config).await
    }
}

/// The node that takes writes to a slot, if the range of slots that it has is this one.
fn owner_of(slot: u16, range: &[Value]) -> Option<Host> {
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = range else {
        return None;
    };
    let [name, Value::Int(port), ..] = primary.as_slice() else { return None };
    let name: Option<String> = redis::from_redis_value(name.clone()).ok()?;
    let port = u16::try_from(*port).ok()?;
    (*first..=*last).contains(&i64::from(slot)).then(|| (name.unwrap_or_default(), port))
}

trait IntoError {
    fn into_error(self) -> RedisError;
}

impl IntoError for ErrorKind {
    fn into_error(self) -> RedisError {
        (self, "the server that takes writes is not known").into()
    }
}
