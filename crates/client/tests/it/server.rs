//! A server of documents that can misbehave in every way that bytes allow.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

/// What is sent to whoever asks.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// These bytes, and then the second ones again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, and then nothing.
    Hang(Vec<u8>),
}

impl Reply {
    pub(crate) fn new(status: &str, headers: &[&str], body: &[u8]) -> Self {
        let mut bytes = format!("HTTP/1.1 {status}\r\nconnection: close\r\n").into_bytes();
        for header in headers {
            bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }

    pub(crate) fn status(status: &str) -> Self {
        Self::new(status, &["content-length: 0"], b"")
    }

    pub(crate) fn json(document: &str) -> Self {
        Self::new("200 OK", &["content-type: application/json"], document.as_bytes())
    }

    pub(crate) fn cached(document: &str, cache_control: &str) -> Self {
        let cache_control = format!("cache-control: {cache_control}");
        Self::new("200 OK", &[&cache_control], document.as_bytes())
    }
}

/// A server on a free port of this machine.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    is_held: AtomicBool,
    most_open: AtomicUsize,
    open: AtomicUsize,
    released: Notify,
    replies: std::sync::Mutex<HashMap<String, Reply>>,
    requests: std::sync::Mutex<Vec<String>>,
    streams: std::sync::Mutex<Vec<mpsc::UnboundedSender<Option<String>>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// Starts at a port that another one may have left.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        let accepting = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&accepting).serve(stream));
            }
        });
        Self { address, shared, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers so at that path from now on; elsewhere, and before, it is 404.
    pub(crate) fn reply(&self, path: &str, reply: Reply) {
        self.shared.replies.lock().unwrap().insert(path.to_owned(), reply);
    }

    /// The heads of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How many documents were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.requests().iter().filter(|head| head.contains("/.well-known/jwks.json")).count()
    }

    /// The most requests that were open at the same time.
    pub(crate) fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    /// Lets all who ask wait.
    pub(crate) fn hold(&self) {
        self.shared.is_held.store(true, Ordering::SeqCst);
    }

    pub(crate) fn release(&self) {
        self.shared.is_held.store(false, Ordering::SeqCst);
        self.shared.released.notify_waiters();
    }

    /// How many follow the change feed.
    pub(crate) fn followers(&self) -> usize {
        self.shared.streams.lock().unwrap().iter().filter(|stream| !stream.is_closed()).count()
    }

    /// Sends bytes to all who follow the change feed.
    pub(crate) fn tell(&self, bytes: &str) {
        for stream in self.shared.streams.lock().unwrap().iter() {
            drop(stream.send(Some(bytes.to_owned())));
        }
    }

    /// Ends the connections of all who follow.
    pub(crate) fn hang_up(&self) {
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            drop(stream.send(None));
        }
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let Some(head) = read_head(&mut stream).await else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.requests.lock().unwrap().push(head);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_open.fetch_max(open, Ordering::SeqCst);
        loop {
            let released = self.released.notified();
            if !self.is_held.load(Ordering::SeqCst) {
                break;
            }
            released.await;
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
        let reply = self.replies.lock().unwrap().get(&path).cloned();
        match reply {
            None if path == "/v1/changes" => self.stream(stream).await,
            reply => {
                send(&mut stream, reply.unwrap_or_else(|| Reply::status("404 Not Found"))).await;
            }
        }
    }

    async fn stream(&self, mut stream: TcpStream) {
        let (sender, mut pieces) = mpsc::unbounded_channel();
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        if stream.write_all(head).await.is_err() {
            return;
        }
        self.streams.lock().unwrap().push(sender);
        while let Some(Some(piece)) = pieces.recv().await {
            if stream.write_all(piece.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn send(stream: &mut TcpStream, reply: Reply) {
    let (first, next) = match reply {
        Reply::Bytes(bytes) => (bytes, None),
        Reply::Endless(first, next) => (first, Some(next)),
        Reply::Hang(first) => (first, Some(Vec::new())),
    };
    let mut is_open = stream.write_all(&first).await.is_ok();
    while let (true, Some(next)) = (is_open, &next) {
        is_open = stream.write_all(next).await.is_ok();
        if next.len() < 100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // An orderly end: what was sent is read before the connection is gone.
    drop(stream.shutdown().await);
    drop(tokio::io::copy(stream, &mut tokio::io::sink()).await);
}
