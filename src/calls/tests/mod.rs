mod answers;
mod broken;
mod crowd;
mod reach;
mod redirects;
mod secrets;
mod secure;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::executor::{CallQueue, Shared};
use super::resolver::{Resolver, Resolving};
use super::settings::Settings;
use crate::definition::Method;
use crate::engine::{Call, CallOutcome};
use crate::message::{
    CommandId, InstanceId, Key, LifeId, Part, SagaName, Span, TraceContext, Traced,
};
use crate::runtime::Caller as _;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A server on loopback that does with each connection what the test says.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start<F>(serve: impl Fn(Wire<TcpStream>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(Wire { stream }));
            }
        });
        Self { address, connections }
    }

    /// Answers every request with the same bytes, on connections that stay open.
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<Vec<u8>> = Arc::new(answer.into());
        Self::start(move |mut wire| {
            let answer = Arc::clone(&answer);
            async move {
                while wire.request().await.is_some() {
                    wire.send(answer.as_slice()).await;
                }
            }
        })
        .await
    }

    /// Answers every request with the same bytes and closes the connection.
    async fn closing(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<Vec<u8>> = Arc::new(answer.into());
        Self::start(move |mut wire| {
            let answer = Arc::clone(&answer);
            async move {
                wire.request().await;
                wire.send(answer.as_slice()).await;
            }
        })
        .await
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// One connection of a server.
struct Wire<S> {
    stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// The next request, head and body; none when the client closes.
    async fn request(&mut self) -> Option<String> {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            text.push(self.stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(text).expect("a head is text");
        let length = header(&head, "content-length").map_or(0, |l| l.parse().expect("a length"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(head + &String::from_utf8(body).expect("a body is text"))
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A client that has heard enough closes.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }
}

/// The value of a header in a request's text.
fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let lines = request.lines().take_while(|line| !line.is_empty());
    let mut pairs = lines.filter_map(|line| line.split_once(": "));
    pairs.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Names with their addresses; each time that one is asked for, its next ones, the last for ever.
#[derive(Default)]
struct Names {
    known: BTreeMap<String, Vec<Vec<IpAddr>>>,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Names {
    fn of(names: &[(&str, &[&[&str]])]) -> Self {
        let ip = |text: &&str| text.parse().expect("an address");
        let times = |times: &[&[&str]]| times.iter().map(|t| t.iter().map(ip).collect()).collect();
        let known = names.iter().map(|(name, all)| ((*name).to_owned(), times(all))).collect();
        Self { known, asked: Mutex::default() }
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.lock().expect("no panic").get(name).copied().unwrap_or(0)
    }
}

impl Resolver for Names {
    fn resolve(&self, host: String) -> Resolving {
        let mut asked = self.asked.lock().expect("no panic");
        let time = asked.entry(host.clone()).or_default();
        let unknown = || Err(io::Error::other("nobody knows it"));
        let found = self.known.get(&host).map_or_else(unknown, |times| {
            Ok(times.get(*time).or(times.last()).cloned().unwrap_or_default())
        });
        *time += 1;
        Box::pin(async move { found })
    }
}

/// Settings that allow some hosts, also near ones.
fn near(hosts: &[&str]) -> Settings {
    let mut settings = Settings::default();
    settings.allow.private = hosts.iter().map(|h| h.parse().expect("a host")).collect();
    settings
}

fn queue_with(settings: Settings, names: Arc<Names>) -> CallQueue {
    let shared = Shared::new(settings, names).expect("what they share");
    CallQueue::new(Arc::new(shared), Handle::current())
}

/// A queue that may call some servers.
fn queue(servers: &[&Server]) -> CallQueue {
    let hosts: Vec<String> = servers.iter().map(|s| s.address.to_string()).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    queue_with(near(&hosts), Arc::default())
}

/// Where the calls stand in a trace that somebody else has begun.
fn traced() -> Traced {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let id = get("http://a/").id;
    let context = TraceContext::of(&id.instance, id.life, Some(parent));
    Traced { context, transition: 1 }
}

fn call(method: Method, url: &str) -> Call {
    let saga = SagaName::new("transfer").expect("a name");
    let id = CommandId {
        instance: InstanceId { saga, key: Key::new("t-1").expect("a key") },
        life: LifeId::unmarked(1),
        subject: "score".parse().expect("a step"),
        part: Part::Action,
        attempt: 2,
    };
    Call {
        idempotency_key: id.idempotency_key(),
        id,
        undoes: None,
        method,
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        within: Span::seconds(30),
    }
}

fn get(url: &str) -> Call {
    call(Method::Get, url)
}

async fn made(queue: &mut CallQueue, call: Call) -> CallOutcome {
    let command = call.id.to_string();
    queue.start(call, traced());
    let called = queue.next().await;
    assert_eq!(called.command, command);
    called.outcome
}

/// Status and body of an answer.
fn answered(outcome: CallOutcome) -> (u16, Value) {
    match outcome {
        CallOutcome::Answered { status, body, .. } => (status, body),
        CallOutcome::Failed { reason, .. } => panic!("it failed: {reason}"),
    }
}

/// Why there is no answer.
fn reason(outcome: CallOutcome) -> String {
    match outcome {
        CallOutcome::Failed { reason, .. } => reason,
        CallOutcome::Answered { status, .. } => panic!("it was answered: {status}"),
    }
}
