//! The least that speaks HTTP: one connection, one request after the other.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ec2sim::World;
use ec2sim::server::{Options, Server};
use serde_json::Value;

pub const US: &str = "111122223333";
pub const EU: &str = "eu-west-1";

pub fn start() -> Server {
    start_at(1.0)
}

pub fn start_at(speed: f64) -> Server {
    Server::start(World::new(), Options { speed, ..Options::default() }).unwrap()
}

pub struct Client {
    reader: BufReader<TcpStream>,
    key: String,
}

impl Client {
    pub fn of(server: &Server) -> Self {
        Self::at(&server.endpoint(), US)
    }

    pub fn at(endpoint: &str, key: &str) -> Self {
        let stream = TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { reader: BufReader::new(stream), key: key.to_owned() }
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    pub fn send(&mut self, head: &str, body: &str) {
        self.send_raw(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn send_ec2(&mut self, action: &str, members: &str) {
        let key = self.key.clone();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: \
             AWS4-HMAC-SHA256 Credential={key}/20260102/{EU}/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n"
        );
        self.send(&head, &format!("Action={action}&Version=2016-11-15{members}"));
    }

    /// Status and body; `None` if the connection ended instead.
    pub fn receive(&mut self) -> Option<(u16, String)> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("no answer: {error}"),
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        Some((status, String::from_utf8(body).unwrap()))
    }

    #[track_caller]
    pub fn ec2(&mut self, action: &str, members: &str) -> (u16, String) {
        self.send_ec2(action, members);
        self.receive().expect("an answer")
    }

    /// Whether nothing comes for a while.
    pub fn waits(&mut self) -> bool {
        let stream = self.reader.get_mut();
        stream.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
        let quiet = match stream.peek(&mut [0]) {
            Ok(_) => false,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        quiet
    }

    pub fn look(&mut self, path: &str) -> Value {
        self.send(&format!("GET /_ec2sim/{path} HTTP/1.1\r\nHost: localhost\r\n"), "");
        let (status, body) = self.receive().unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub fn order(&mut self, path: &str, order: &str) -> (u16, Value) {
        self.send(&format!("POST /_ec2sim/{path} HTTP/1.1\r\nHost: localhost\r\n"), order);
        let (status, body) = self.receive().unwrap();
        (status, serde_json::from_str(&body).unwrap())
    }

    #[track_caller]
    pub fn obeyed(&mut self, path: &str, order: &str) -> Value {
        let (status, answer) = self.order(path, order);
        assert_eq!(status, 200, "{path} {order}: {answer}");
        answer
    }
}

/// What stands in the first element of this name.
#[track_caller]
pub fn first(xml: &str, name: &str) -> String {
    let found = xml.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split("</").next());
    found.unwrap_or_else(|| panic!("no <{name}> in {xml}")).to_owned()
}
