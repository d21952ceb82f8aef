//! The server: what slow, greedy and unlucky peers get.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use keyward_http::{ServeSettings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::support::Api;

/// Long enough for whatever must happen; reached only by a test that fails.
const AT_MOST: Duration = Duration::from_secs(10);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(router: Router, settings: ServeSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            serve(listener, router, settings, async { drop(stopped.await) }).await.unwrap();
        });
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes the connection.
    async fn talk(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may answer and close before it has read everything.
        let _sent = stream.write_all(bytes).await;
        to_end(&mut stream).await
    }
}

/// What the server sends until it closes the connection.
async fn to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is as good an end as another.
    let read = tokio::time::timeout(AT_MOST, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the server must close the connection");
    String::from_utf8(bytes).unwrap()
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Answers when it is let go, and tells when it was asked.
fn gated() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gates = (Arc::clone(&asked), Arc::clone(&go));
    let handler = move || {
        let (asked, go) = (Arc::clone(&gates.0), Arc::clone(&gates.1));
        async move {
            asked.notify_one();
            go.notified().await;
            "late but whole"
        }
    };
    (Router::new().route("/", get(handler)), asked, go)
}

#[tokio::test]
async fn the_interface_is_served_over_tcp_and_the_trail_knows_the_peer() {
    let api = Api::new().await;
    api.clock.advance(Duration::from_secs(1));
    let router = keyward_http::router(api.keyward.clone(), keyward_http::RouterSettings::default());
    let server = Server::start(router, ServeSettings::default()).await;
    let body = r#"{"owner":"o"}"#;
    let head = format!(
        "POST /v1/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        api.root,
        body.len()
    );
    let answer = server.talk(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(api.get("/v1/audit?limit=1").await.json()["data"][0]["ip"], "127.0.0.1");
}

#[tokio::test]
async fn a_request_under_way_ends_before_the_server_does() {
    let (router, asked, go) = gated();
    let server = Server::start(router, ServeSettings::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    asked.notified().await;
    let mut idle = server.connect().await;
    server.stop.send(()).unwrap();
    // The one that asks for nothing is closed at once.
    assert_eq!(to_end(&mut idle).await, "");
    assert!(!server.task.is_finished());
    go.notify_one();
    let answer = to_end(&mut stream).await;
    assert!(answer.ends_with("late but whole"), "{answer}");
    tokio::time::timeout(AT_MOST, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_when_the_server_stops() {
    let (router, asked, _go) = gated();
    let shutdown_timeout = Duration::from_millis(20);
    let settings = ServeSettings { shutdown_timeout, ..ServeSettings::default() };
    let server = Server::start(router, settings).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    asked.notified().await;
    server.stop.send(()).unwrap();
    tokio::time::timeout(AT_MOST, server.task).await.unwrap().unwrap();
}

#[rstest::rstest]
#[case::silent(b"", "")]
#[case::one_byte(b"G", "")]
#[case::half_a_head(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", "")]
#[case::idle_after_an_answer(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", "hello")]
#[tokio::test]
async fn a_peer_that_keeps_the_server_waiting_is_hung_up_on(
    #[case] bytes: &[u8],
    #[case] expected: &str,
) {
    let header_timeout = Duration::from_millis(50);
    let settings = ServeSettings { header_timeout, ..ServeSettings::default() };
    let server = Server::start(hello(), settings).await;
    let answer = server.talk(bytes).await;
    assert!(answer.ends_with(expected), "{answer}");
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = Server::start(hello(), ServeSettings::default()).await;
    let with = |count: usize| {
        let headers = "x: 1\r\n".repeat(count);
        format!("GET / HTTP/1.1\r\nconnection: close\r\n{headers}\r\n")
    };
    let answer = server.talk(with(100).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let answer = server.talk(with(60).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[rstest::rstest]
#[case::path(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20)))]
#[case::header(format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(1 << 20)))]
#[case::binary("\u{0}\u{1}\u{2}\r\n\r\n".to_owned())]
#[case::other_protocol("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned())]
#[case::two_lengths("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_owned())]
#[tokio::test]
async fn a_head_that_cannot_be_is_refused(#[case] head: String) {
    let server = Server::start(hello(), ServeSettings::default()).await;
    let answer = server.talk(head.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    // And the server goes on.
    let answer = server.talk(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn no_more_connections_are_served_at_the_same_time_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (Arc::clone(&now), Arc::clone(&most));
    let pairs = Arc::new(Barrier::new(2));
    let handler = move || {
        let (now, most) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
        let pairs = Arc::clone(&pairs);
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Two must be served at the same time, or none gets beyond this.
            pairs.wait().await;
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let settings = ServeSettings { most_connections: 2, workers: 1, ..ServeSettings::default() };
    let server = Server::start(Router::new().route("/", get(handler)), settings).await;
    let server = Arc::new(server);
    let mut peers = JoinSet::new();
    for _ in 0..12 {
        let server = Arc::clone(&server);
        peers.spawn(
            async move { server.talk(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await },
        );
    }
    for answer in peers.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
