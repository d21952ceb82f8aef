//! A stream of server-sent events over a socket, as simple clients read it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// A stream that was opened.
pub(crate) struct Stream(BufReader<TcpStream>);

/// An event of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Stream {
    /// Opens the stream of changes, from now on or after an event.
    pub(crate) fn open(address: SocketAddr, key: &str, since: Option<u64>) -> Self {
        let mut socket = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let since = since.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /v1/changes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{since}\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        assert!(head.contains("cache-control: no-store\r\n"), "{head}");
        Self(reader)
    }

    /// The next event, or nothing if the stream has ended as it should.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let chunk = self.chunk()?;
        let field = |name: &str| {
            let line = chunk.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {chunk}"))
        };
        let data = serde_json::from_str(field("data: ")).unwrap();
        Some(Event { id: field("id: ").parse().unwrap(), name: field("event: ").to_owned(), data })
    }

    /// The first event that tells of this key.
    pub(crate) fn told_of(&mut self, id: &str) -> Event {
        loop {
            let event = self.next().unwrap();
            let keys = event.data["keys"].as_array();
            if keys.is_some_and(|keys| keys.iter().any(|key| key == id)) {
                return event;
            }
        }
    }

    /// A chunk (RFC 9112 §7.1), which is an event here; the last one is empty.
    fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.0.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.0.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }
}
