//! Serving a router over TCP, with limits on what a slow or greedy peer can hold.

mod worker;

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use worker::{Accepted, Worker};

/// How connections are limited.
#[derive(Clone, Copy, Debug)]
pub struct ServeSettings {
    /// How long a peer may take to send a request's head, and how long a connection may idle.
    pub header_timeout: Duration,
    /// The most headers in a request.
    pub most_headers: usize,
    /// The most connections at the same time; further ones wait.
    pub most_connections: usize,
    /// How long requests under way may take to end when the server stops.
    pub shutdown_timeout: Duration,
    /// How many threads serve connections.
    pub workers: usize,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            most_headers: 64,
            most_connections: 10_000,
            shutdown_timeout: Duration::from_secs(10),
            workers: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

/// Serves until `stop` is ready, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: ServeSettings,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut stop = pin!(stop);
    let places = Arc::new(Semaphore::new(settings.most_connections));
    let workers = (0..settings.workers.max(1)).map(|_| Worker::start(router.clone(), settings));
    let workers = workers.collect::<io::Result<Vec<_>>>()?;
    for worker in workers.iter().cycle() {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        if let Some(accepted) = accepted {
            worker.hand_over(accepted);
        }
    }
    drop(listener);
    // All are told before any is waited for.
    let ends: Vec<_> = workers.into_iter().map(Worker::stop).collect();
    for end in ends {
        end.await;
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            stream.set_nodelay(true).ok()?;
            Some(Accepted { address, place, stream: stream.into_std().ok()? })
        }
        Err(error) => {
            // Out of file descriptors, say: give connections time to end.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}
