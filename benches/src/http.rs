//! Verification over HTTP, against the same server's bare route.

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

use crate::measure::{Rates, Report};

/// Connections that ask at the same time.
const CONNECTIONS: usize = 32;

pub(crate) fn run(binary: &Path, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let length = Duration::from_millis(if quick { 500 } else { 3_000 });
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let server = Server::start(binary, folder.path()).await?;
        let root = fs::read_to_string(folder.path().join("root.key"))?;
        let root = root.trim();
        let issue = request("POST", "/v1/keys", root, r#"{"owner":"a","scopes":["read"]}"#);
        let answer = ask_once(server.address, &issue).await?;
        let secret = answer.split('"').nth(3).context("the answer holds a secret")?.to_owned();
        let body = format!(r#"{{"secret":"{secret}","scopes":["read"]}}"#);
        let routes = [
            ("GET /healthz, the bare route", request("GET", "/healthz", root, "")),
            ("POST /v1/verify, a hit", request("POST", "/v1/verify", root, &body)),
        ];
        let mut rates = [Rates::default(), Rates::default()];
        // The routes take turns, so that a noisy minute touches both.
        for _ in 0..rounds {
            for ((_, request), rates) in routes.iter().zip(&mut rates) {
                let (requests, cpu) = server.load(request, length).await?;
                rates.add(requests, cpu);
            }
        }
        let base = rates.first().map_or(f64::NAN, Rates::median);
        let mut report = Report::new("the bare route");
        for ((route, _), rates) in routes.iter().zip(&rates) {
            report.add(route, rates, base);
        }
        report.print("Over HTTP, 32 connections, requests per CPU-second of the server");
        Ok(())
    })
}

/// A running server; killed when dropped.
struct Server {
    address: SocketAddr,
    child: Child,
}

impl Server {
    async fn start(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(binary.canonicalize()?)
            .current_dir(folder)
            .args(["serve", "--root-key-file", "root.key", "--listen", &address.to_string()])
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { address, child };
        for _ in 0..200 {
            // The root key comes after the socket, and requests are answered after both.
            if folder.join("root.key").exists() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the server does not listen")
    }

    /// Asks the same over and over for a while. Returns how often, and the server's CPU time.
    async fn load(&self, request: &[u8], length: Duration) -> anyhow::Result<(u64, Duration)> {
        let is_over = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let before = self.cpu_time()?;
        for _ in 0..CONNECTIONS {
            let (address, request) = (self.address, request.to_vec());
            let (is_over, count) = (Arc::clone(&is_over), Arc::clone(&count));
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await?;
                while !is_over.load(Ordering::Relaxed) {
                    let answer = connection.ask(&request).await?;
                    anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "not a 200");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        tokio::time::sleep(length).await;
        is_over.store(true, Ordering::Relaxed);
        while let Some(result) = tasks.join_next().await {
            result??;
        }
        Ok((count.load(Ordering::Relaxed), self.cpu_time()?.saturating_sub(before)))
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

fn request(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}");
    let kind = "content-type: application/json";
    format!("{head}\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

async fn ask_once(address: SocketAddr, request: &[u8]) -> anyhow::Result<String> {
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
