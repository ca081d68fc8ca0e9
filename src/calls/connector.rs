use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::{Reach, reach};
use super::allow::Allow;
use super::failure::Failure;
use super::resolver::Resolver;
use super::target::Target;

/// How long a connection may take to come up, TLS included, also when nobody waits for it.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// How long an address is tried before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// Makes connections: finds the addresses of a host, drops those that may not be called, and
/// connects to one of those that it has just checked.
#[derive(Clone)]
pub(super) struct Connector {
    pub allow: Arc<Allow>,
    pub resolver: Arc<dyn Resolver>,
    pub tls: TlsConnector,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Wire>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let target = Target::of(&uri)?;
            let wire = timeout(CONNECT_MAX, connector.connect(&target)).await;
            wire.unwrap_or_else(|_| Err(unconnected(&target, &"it takes too long")))
                .map(TokioIo::new)
        })
    }
}

impl Connector {
    async fn connect(&self, target: &Target) -> Result<Wire, Failure> {
        // Asked again here, where it counts: nothing connects past this line.
        if !self.allow.permits(target) {
            return Err(Failure::NotAllowed { target: target.to_string() });
        }
        let addresses = self.addresses(target).await?;
        let stream = race(target, addresses).await?;
        if !target.secure {
            return Ok(Wire(Box::new(stream)));
        }
        let untrusted = |reason: String| Failure::Tls { target: target.to_string(), reason };
        let name = ServerName::try_from(target.host.clone());
        let name = name.map_err(|e| untrusted(e.to_string()))?;
        let stream = self.tls.connect(name, stream).await;
        Ok(Wire(Box::new(stream.map_err(|e| untrusted(e.to_string()))?)))
    }

    /// The addresses of a host that may be called; at least one.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Failure> {
        let unnamed =
            |reason: &str| Failure::Name { target: target.to_string(), reason: reason.to_owned() };
        let found = if let Ok(address) = target.host.parse::<IpAddr>() {
            vec![address]
        } else {
            let found = self.resolver.resolve(target.host.clone()).await;
            found.map_err(|e| unnamed(&e.to_string()))?
        };
        let near = self.allow.permits_near(target);
        let mut good = Vec::new();
        let mut refused = None;
        for address in found {
            match refusal(target, address, near) {
                None => good.push(address),
                Some(failure) => refused = Some(failure),
            }
        }
        good.truncate(ADDRESSES_MAX);
        match refused {
            Some(failure) if good.is_empty() => Err(failure),
            None if good.is_empty() => Err(unnamed("the name is not known")),
            Some(_) | None => Ok(good),
        }
    }
}

/// Why an address may not be called, if it may not.
fn refusal(target: &Target, address: IpAddr, near: bool) -> Option<Failure> {
    let (reach, advice) = match reach(address) {
        Reach::Public => return None,
        Reach::Near(_) if near => return None,
        Reach::Near(reach) => (reach, "name the host in `calls.allow-private` if it is meant"),
        Reach::Never(reach) => (reach, "such addresses are never called"),
    };
    Some(Failure::Address { target: target.to_string(), address, reach, advice })
}

fn unconnected(target: &Target, reason: &dyn ToString) -> Failure {
    Failure::Connect { target: target.to_string(), reason: reason.to_string() }
}

/// Connects to the first of some addresses that answers. The next one is tried as soon as one
/// fails, and beside one that takes long.
async fn race(target: &Target, addresses: Vec<IpAddr>) -> Result<TcpStream, Failure> {
    let mut waiting = addresses.into_iter();
    let mut racing = JoinSet::new();
    let mut failure = unconnected(target, &"it has no address");
    loop {
        if let Some(address) = waiting.next() {
            racing.spawn(connect(SocketAddr::new(address, target.port)));
        }
        tokio::select! {
            ended = racing.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => failure = unconnected(target, &error),
                Some(Err(_)) => failure = Failure::Panicked,
                None => return Err(failure),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection, in the clear or over TLS.
pub(super) struct Wire(Box<dyn Stream>);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
