//! A server to measure, and clients that ask it the same over and over.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that ask at the same time.
const CONNECTIONS: usize = 32;

/// A running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) root: String,
    child: Child,
}

impl Server {
    /// Starts a server in that folder, with that configuration.
    pub(crate) async fn start(binary: &Path, folder: &Path, config: &str) -> anyhow::Result<Self> {
        fs::write(folder.join("keyward.toml"), config)?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(binary.canonicalize()?)
            .current_dir(folder)
            .args(["serve", "--root-key-file", "root.key", "--config", "keyward.toml"])
            .args(["--listen", &address.to_string()])
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self { address, root: String::new(), child };
        for _ in 0..200 {
            // The root key comes after the socket, and requests are answered after both.
            if let Ok(root) = fs::read_to_string(folder.join("root.key")) {
                root.trim().clone_into(&mut server.root);
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the server does not listen")
    }

    /// Asks the same over and over for a while. Returns how often, and the server's CPU time.
    pub(crate) async fn load(
        &self,
        request: &[u8],
        length: Duration,
    ) -> anyhow::Result<(u64, Duration)> {
        self.load_each(&Arc::new(vec![request.to_vec()]), length).await
    }

    /// The same with several requests, one after the other.
    pub(crate) async fn load_each(
        &self,
        requests: &Arc<Vec<Vec<u8>>>,
        length: Duration,
    ) -> anyhow::Result<(u64, Duration)> {
        let before = self.cpu_time()?;
        let load = Load::start_each(self.address, requests, CONNECTIONS);
        tokio::time::sleep(length).await;
        let count = load.stop().await?;
        Ok((count, self.cpu_time()?.saturating_sub(before)))
    }

    /// User and system time, from `/proc/PID/stat`, which counts hundredths of a second.
    fn cpu_time(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("a name in parentheses")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// Clients that ask the same until they are told to stop.
pub(crate) struct Load {
    is_over: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Load {
    pub(crate) fn start(address: SocketAddr, request: &[u8], clients: usize) -> Self {
        Self::start_each(address, &Arc::new(vec![request.to_vec()]), clients)
    }

    /// Clients that go round these requests, each from another one on.
    pub(crate) fn start_each(
        address: SocketAddr,
        requests: &Arc<Vec<Vec<u8>>>,
        clients: usize,
    ) -> Self {
        let (is_over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for client in 0..clients {
            let (requests, first) = (Arc::clone(requests), client * requests.len() / clients);
            let (is_over, count) = (Arc::clone(&is_over), Arc::clone(&count));
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await?;
                for request in requests.iter().cycle().skip(first) {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let answer = connection.ask(request).await?;
                    anyhow::ensure!(answer.starts_with(b"HTTP/1.1 20"), "not a 200 or 201");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Self { is_over, count, tasks }
    }

    /// How many answers come in such a time.
    pub(crate) async fn count_for(&self, length: Duration) -> anyhow::Result<u64> {
        let before = self.count.load(Ordering::Relaxed);
        tokio::time::sleep(length).await;
        anyhow::ensure!(!self.tasks.is_empty(), "somebody asks");
        Ok(self.count.load(Ordering::Relaxed) - before)
    }

    /// Stops, and returns how many answers there were.
    pub(crate) async fn stop(mut self) -> anyhow::Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(result) = self.tasks.join_next().await {
            result??;
        }
        Ok(self.count.load(Ordering::Relaxed))
    }
}

pub(crate) fn request(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}");
    let kind = "content-type: application/json";
    format!("{head}\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

pub(crate) async fn ask_once(address: SocketAddr, request: &[u8]) -> anyhow::Result<String> {
    let mut connection = Connection::open(address).await?;
    let answer = String::from_utf8(connection.ask(request).await?.to_vec())?;
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
    Ok(body.to_owned())
}

/// A connection that is kept: as little client as possible, for it shares the machine.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Asks and waits for the whole answer.
    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            anyhow::ensure!(read > 0, "the server closed the connection");
            if whole_length(&self.buffer).is_some_and(|length| self.buffer.len() >= length) {
                return Ok(&self.buffer);
            }
        }
    }
}

/// How long an answer is with its body, once its head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(answer.get(..head)?).ok()?;
    let name = "content-length: ";
    let length = text.lines().find_map(|line| line.strip_prefix(name))?.parse::<usize>().ok()?;
    Some(head + 4 + length)
}
