//! `keyward serve`

use std::io::IsTerminal;

use anyhow::Context;
use keyward::Keyward;
use keyward_http::{RouterSettings, ServeSettings};
use tokio::net::TcpListener;

use super::stop;
use crate::args::ServeArgs;
use crate::config::{Config, DatabaseUrl, LogFormat};
use crate::database;
use crate::first_key;
use crate::instance::{self, Workload};
use crate::metrics;
use crate::outcome::Outcome;

pub(super) async fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<Outcome> {
    super::config::check(config)?;
    start_log(config)?;
    let address = config.server.listen.0;
    // Bound first, so that a second server does not touch the database of the first.
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    // Larger ones wait for `keyward migrate`.
    if matches!(config.database.url, DatabaseUrl::Sqlite(_)) {
        database::migrate(&config.database.url).await?;
    }
    let recorder = metrics::install()?;
    let keyward = instance::open(config, Workload::Serving).await?;
    first_key::hand_out(&keyward, args.root_key_file.as_deref()).await?;
    prepare(config, &keyward).await.context("cannot make the keyspace")?;
    let settings = RouterSettings {
        body_limit: config.server.body_limit,
        deadline: config.server.request_timeout.0,
        jwks_max_age: config.signed.max_age.0,
        japikey: config.compat.japikey,
        nestjs: config.compat.nestjs,
        metrics: Some(metrics::page(recorder, keyward.clone())),
    };
    let router = keyward_http::router(keyward.clone(), settings);
    let signal = stop::signal()?;
    let ending = keyward.clone();
    let stop = async move {
        signal.await;
        tracing::info!("stopping");
        // They would be waited for.
        ending.end_streams();
    };
    tracing::info!(address = %listener.local_addr()?, "listening");
    let served = keyward_http::serve(listener, router, serve_settings(config), stop).await;
    served.context("cannot start the threads that serve")?;
    keyward.close().await.context("the last usage could not be written down")?;
    tracing::info!("stopped");
    Ok(Outcome::Done)
}

/// Makes the keyspaces of the other systems' interfaces.
async fn prepare(config: &Config, keyward: &Keyward) -> Result<(), keyward::Error> {
    if config.compat.japikey {
        keyward_http::japikey::prepare(keyward).await?;
    }
    if config.compat.nestjs {
        keyward_http::nestjs::prepare(keyward).await?;
    }
    Ok(())
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let log = tracing_subscriber::fmt().with_env_filter(config.log_filter()?);
    let log = log.with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    match config.log.format {
        LogFormat::Json => log.json().init(),
        LogFormat::Text => log.init(),
    }
    Ok(())
}

fn serve_settings(config: &Config) -> ServeSettings {
    ServeSettings {
        header_timeout: config.server.header_timeout.0,
        most_connections: config.server.most_connections.get(),
        shutdown_timeout: config.server.shutdown_timeout.0,
        ..ServeSettings::default()
    }
}
