//! The application on port 3000, with its keys in an SQLite file in the current directory.
#![forbid(unsafe_code)]

use std::future;
use std::net::SocketAddr;
use std::sync::Arc;

use keyward::store::KeyQuery;
use keyward::{ActContext, Keyward, NewKey, ScopeSet};
use keyward_example_axum_app::app;
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::net::TcpListener;

const DATABASE: &str = "axum-app.db";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Why the store failed is told by the log alone, never by an answer.
    tracing_subscriber::fmt::init();
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    SqliteStore::migrate(DATABASE)?;
    let store = SqliteStore::open(DATABASE, &SqliteOptions::default())?;
    let keyward = Keyward::builder(Arc::new(store)).build().await?;
    hand_out_first_key(&keyward).await?;
    // With the peers' addresses, for the audit trail.
    let service = app(keyward.clone()).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(interrupted()).await?;
    // Writes down the usage that is still in memory.
    keyward.close().await?;
    Ok(())
}

/// Issues an admin key if there is no key at all, for only an admin can issue others.
#[expect(clippy::print_stdout, reason = "this is how the first admin gets their key")]
async fn hand_out_first_key(keyward: &Keyward) -> anyhow::Result<()> {
    if !keyward.list(&KeyQuery::new(keyward.now(), 1)).await?.keys.is_empty() {
        return Ok(());
    }
    let scopes = ScopeSet::new(["admin".parse()?, "read".parse()?])?;
    let new = NewKey { scopes, ..NewKey::new("admin".parse()?) };
    let issued = keyward.issue(new, &ActContext::by("local".parse()?)).await?;
    println!("The admin key, which is shown only now: {}", issued.secret.expose());
    Ok(())
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nothing can interrupt us, which is no reason to stop.
        future::pending::<()>().await;
    }
}
