#![allow(clippy::disallowed_methods, reason = "the services live at the edge, by the wall clock")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::run::now;
use super::{Called, Request};

const ACCEPT: Duration = Duration::from_millis(20);
/// How long a silent service keeps a connection that its caller does not close.
const SILENT_MAX: Duration = Duration::from_secs(60);
const READ_MAX: Duration = Duration::from_secs(10);
const BODY_BYTES_MAX: usize = 1_000_000;
const HEAD_BYTES_MAX: u64 = 64_000;

/// The services behind calls, on one port of the loopback: a request's `host` says which is meant.
#[derive(Debug)]
pub struct Http {
    listener: TcpListener,
    address: SocketAddr,
}

impl Http {
    /// Takes a free port.
    ///
    /// # Errors
    /// When the system has none.
    pub fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens, as a base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests until `stop` is set.
    ///
    /// # Errors
    /// When the port is lost.
    pub fn serve(&self, called: Called, stop: &AtomicBool) -> io::Result<()> {
        let called = Arc::new(Mutex::new(called));
        while !stop.load(Ordering::Relaxed) {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let called = Arc::clone(&called);
                    thread::Builder::new().name("service".to_owned()).spawn(move || {
                        // A caller that hangs up has lost interest in its answer.
                        let _ = converse(stream, &called);
                    })?;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => thread::sleep(ACCEPT),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// One request and its answer.
fn converse(stream: TcpStream, called: &Mutex<Called>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(READ_MAX))?;
    let mut reader = BufReader::new(stream);
    let Some(asked) = Asked::read(&mut reader)? else {
        return answer(reader.get_mut(), 400, b"");
    };
    let decided = {
        let mut called = called.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        called.decide(&asked.request(), now())
    };
    match decided {
        Ok(Some(response)) => {
            thread::sleep(Duration::from_millis(response.after.0));
            answer(reader.get_mut(), response.status, &response.body)
        }
        Ok(None) => {
            reader.get_mut().set_read_timeout(Some(SILENT_MAX))?;
            reader.read(&mut [0; 1]).map(|_| ())
        }
        Err(reason) => {
            tracing::warn!(%reason, "call.unanswered");
            let body = serde_json::json!({ "why": reason }).to_string();
            answer(reader.get_mut(), 404, body.as_bytes())
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

/// A request as it came over the wire.
struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    /// Reads a request; none if it is not one.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = reader.by_ref().take(HEAD_BYTES_MAX);
        let mut line = String::new();
        head.read_line(&mut line)?;
        let mut words = line.split_ascii_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            head.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => {
                    headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
                None if line.trim_end().is_empty() => break,
                None => return Ok(None),
            }
        }
        let mut asked = Self { method, path, headers, body: Vec::new() };
        let length = asked.header("content-length").map_or(Ok(0), str::parse::<usize>);
        let Ok(length @ ..=BODY_BYTES_MAX) = length else {
            return Ok(None);
        };
        asked.body.resize(length, 0);
        reader.read_exact(&mut asked.body)?;
        Ok(Some(asked))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn request(&self) -> Request<'_> {
        let attempt = self.header("segue-command").unwrap_or_default();
        Request {
            method: &self.method,
            authority: self.header("host").unwrap_or_default(),
            path: &self.path,
            idempotency_key: self.header("idempotency-key").unwrap_or(attempt),
            attempt,
            undoes: self.header("segue-undoes"),
            body: &self.body,
        }
    }
}
