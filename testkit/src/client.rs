//! A blocking HTTP client over one connection: smaller than any that could be added, and it tells an
//! answer that came from one that did not.
#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::waiting::PATIENCE;

/// A management client.
pub struct Client {
    address: SocketAddr,
    authorization: String,
    connection: Option<BufReader<TcpStream>>,
}

/// What a server answered: whatever it says happened is acknowledged.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, if it is JSON.
    pub body: Value,
    /// The lines before the body, in lower case.
    pub head: Vec<String>,
}

/// A key as it was handed out.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its id.
    pub id: String,
    /// The text that was handed out.
    pub secret: String,
}

impl Client {
    /// A client of the server at an address, with a management key.
    pub fn new(address: SocketAddr, key: &str) -> Self {
        Self {
            address,
            authorization: format!("authorization: Bearer {key}\r\n"),
            connection: None,
        }
    }

    /// Makes a request. An error means that no answer came, so nothing is known of what was done.
    pub fn try_call(&mut self, method: &str, path: &str, body: &Value) -> io::Result<Answer> {
        let (kind, body) = match body {
            Value::Null => ("", String::new()),
            body => ("content-type: application/json\r\n", body.to_string()),
        };
        let headers = format!("{}{kind}", self.authorization);
        self.send(method, path, &headers, body.as_bytes())
    }

    /// Makes a request with these headers and bytes, whatever they are.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.address)?,
        };
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n{headers}\r\n",
            self.address
        );
        connection.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        let (answer, is_last) = read(&mut connection)?;
        if !is_last {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    /// Makes a request that must be answered.
    pub fn call(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.try_call(method, path, body).unwrap()
    }

    /// The body of an answer that grants the request.
    pub fn granted(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.call(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.body
    }

    /// The record of a key.
    pub fn show(&mut self, id: &str) -> Value {
        self.granted("GET", &format!("/v1/keys/{id}"), &Value::Null)
    }

    /// Issues a key.
    pub fn issue(&mut self, body: &Value) -> Issued {
        Issued::read(&self.granted("POST", "/v1/keys", body))
    }

    /// Does one of the acts that have no body, or can do without.
    pub fn act(&mut self, id: &str, act: &str) -> Value {
        self.granted("POST", &format!("/v1/keys/{id}/{act}"), &Value::Null)
    }

    /// `valid`, or the code of the refusal.
    pub fn verify(&mut self, secret: &str) -> String {
        self.verify_for(secret, &[])
    }

    /// The same for scopes that are needed.
    pub fn verify_for(&mut self, secret: &str, scopes: &[&str]) -> String {
        let body = json!({"secret": secret, "scopes": scopes});
        verdict(&self.granted("POST", "/v1/verify", &body))
    }

    /// Every item of a list, page after page.
    pub fn all(&mut self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.granted("GET", &format!("{path}{cursor}"), &Value::Null);
            items.append(page["data"].as_array_mut().unwrap());
            let Some(next) = page["next_cursor"].as_str() else { return items };
            cursor = format!("&cursor={next}");
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Answer {
    /// The value of a header, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

impl Issued {
    /// The key in the answer to issue and rotate.
    pub fn read(body: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { id: text(&body["key"]["id"]), secret: text(&body["secret"]) }
    }
}

/// `valid`, or the code of the refusal.
pub fn verdict(verification: &Value) -> String {
    let code = &verification["code"];
    let is_valid = verification["valid"].as_bool().unwrap();
    if is_valid { "valid" } else { code.as_str().unwrap() }.to_owned()
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Reads an answer, and whether the connection ends with it.
fn read(connection: &mut BufReader<TcpStream>) -> io::Result<(Answer, bool)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_ascii_lowercase()),
        }
    }
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
    let is_json = header(&head, "content-type").is_some_and(|kind| kind.contains("json"));
    let body = if is_json { serde_json::from_slice(&body)? } else { Value::Null };
    let is_last = header(&head, "connection") == Some("close");
    Ok((Answer { status, body, head }, is_last))
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    let lines = head.iter().filter_map(|line| line.split_once(':'));
    lines.filter(|(found, _)| *found == name).map(|(_, value)| value.trim()).next()
}
