//! A thread that serves the connections it is handed.
//!
//! Each thread has a runtime of its own: a connection stays where it is, and a request whose body is
//! read need not wake another thread, which would cost more than verifying a key.

use std::io;
use std::net::SocketAddr;
use std::thread;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tower::ServiceExt;

use super::ServeSettings;

/// The largest head of a request, in bytes.
const HEAD_LIMIT: usize = 32 * 1024;

/// A connection that waits to be served.
pub(super) struct Accepted {
    pub(super) address: SocketAddr,
    pub(super) place: OwnedSemaphorePermit,
    pub(super) stream: std::net::TcpStream,
}

/// A thread that serves connections.
pub(super) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    pub(super) fn start(router: Router, settings: ServeSettings) -> io::Result<Self> {
        // Bounded by the number of connections that have a place.
        let (sender, receiver) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("keyward-http".to_owned()).spawn(move || {
            runtime.block_on(run(receiver, router, settings));
            if end.send(()).is_err() {
                tracing::debug!("nobody waits any more for this thread");
            }
        })?;
        Ok(Self { connections: sender, ended })
    }

    pub(super) fn hand_over(&self, accepted: Accepted) {
        if self.connections.send(accepted).is_err() {
            tracing::error!("a thread that serves connections has ended");
        }
    }

    /// Takes no more connections, and is ready when the requests under way have ended.
    pub(super) fn stop(self) -> impl Future<Output = ()> {
        drop(self.connections);
        async move {
            if self.ended.await.is_err() {
                tracing::error!("a thread that serves connections has ended early");
            }
        }
    }
}

async fn run(
    mut connections: mpsc::UnboundedReceiver<Accepted>,
    router: Router,
    settings: ServeSettings,
) {
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(HEAD_LIMIT)
        .max_headers(settings.most_headers);
    while let Some(Accepted { address, place, stream }) = connections.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(address));
            router.clone().oneshot(request)
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    if tokio::time::timeout(settings.shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
}
