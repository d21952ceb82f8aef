//! A blocking HTTP client over one connection: smaller than any that could be added, and it tells an
//! answer that came from one that did not.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use super::PATIENCE;

/// A management client.
pub(crate) struct Client {
    address: SocketAddr,
    authorization: String,
    connection: Option<BufReader<TcpStream>>,
}

/// What a server answered: whatever it says happened is acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// A key as it was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        Self {
            address,
            authorization: format!("authorization: Bearer {key}\r\n"),
            connection: None,
        }
    }

    /// Makes a request. An error means that no answer came, so nothing is known of what was done.
    pub(crate) fn try_call(
        &mut self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        let (kind, body) = match body {
            Value::Null => ("", String::new()),
            body => ("content-type: application/json\r\n", body.to_string()),
        };
        let headers = format!("{}{kind}", self.authorization);
        self.send(method, path, &headers, body.as_bytes())
    }

    /// Makes a request with these headers and bytes, whatever they are.
    pub(crate) fn send(
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

    pub(crate) fn call(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.try_call(method, path, body).unwrap()
    }

    /// The body of an answer that grants the request.
    pub(crate) fn granted(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.call(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.body
    }

    pub(crate) fn show(&mut self, id: &str) -> Value {
        self.granted("GET", &format!("/v1/keys/{id}"), &Value::Null)
    }

    pub(crate) fn issue(&mut self, body: &Value) -> Issued {
        Issued::read(&self.granted("POST", "/v1/keys", body))
    }

    /// Does one of the acts that have no body, or can do without.
    pub(crate) fn act(&mut self, id: &str, act: &str) -> Value {
        self.granted("POST", &format!("/v1/keys/{id}/{act}"), &Value::Null)
    }

    /// `valid`, or the code of the refusal.
    pub(crate) fn verify(&mut self, secret: &str) -> String {
        self.verify_for(secret, &[])
    }

    /// The same for scopes that are needed.
    pub(crate) fn verify_for(&mut self, secret: &str, scopes: &[&str]) -> String {
        let body = json!({"secret": secret, "scopes": scopes});
        verdict(&self.granted("POST", "/v1/verify", &body))
    }

    /// Every item of a list, page after page.
    pub(crate) fn all(&mut self, path: &str) -> Vec<Value> {
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

impl Issued {
    /// The key in the answer to issue and rotate.
    pub(crate) fn read(body: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { id: text(&body["key"]["id"]), secret: text(&body["secret"]) }
    }
}

/// `valid`, or the code of the refusal.
pub(crate) fn verdict(verification: &Value) -> String {
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
    let header = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length = header("content-length:").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
    let is_json = header("content-type:").is_some_and(|kind| kind.contains("json"));
    let body = if is_json { serde_json::from_slice(&body)? } else { Value::Null };
    Ok((Answer { status, body }, header("connection:") == Some("close")))
}
