//! A server that is asked over HTTP/1.1, plain or over TLS.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

const CONNECT_MAX: Duration = Duration::from_secs(5);

/// A server, by its address.
#[derive(Clone)]
pub(super) struct Peer {
    /// `host:port`.
    pub authority: String,
    /// Set if it must prove who it is.
    pub tls: Option<TlsConnector>,
}

/// A connection, for as long as its answer is read.
pub(super) struct Driven(JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Peer {
    /// Sends a request on a connection of its own.
    ///
    /// # Errors
    /// When there is no answer, in words.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Driven), String> {
        let connecting = tokio::time::timeout(CONNECT_MAX, self.connect());
        let wire = connecting.await.map_err(|_| "it does not take connections".to_owned())??;
        let shaken = http1::handshake(TokioIo::new(wire)).await;
        let (mut sender, connection) = shaken.map_err(|e| e.to_string())?;
        // It ends with the answer; what goes wrong in it the sender is told.
        let driven = Driven(tokio::spawn(async { drop(connection.await) }));
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        Ok((answer, driven))
    }

    async fn connect(&self) -> Result<Wire, String> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|e| e.to_string())?;
        let Some(tls) = &self.tls else { return Ok(Wire::Plain(stream)) };
        let host =
            self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|e| e.to_string())?;
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|e| format!("its certificate is not to be trusted: {e}"))?;
        Ok(Wire::Secure(Box::new(stream)))
    }
}

/// What bytes go over.
enum Wire {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
