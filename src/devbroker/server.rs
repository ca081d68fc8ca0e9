//! The network edge: frames in, frames out, one request at a time per connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, RequestHeader, RequestKind, ResponseHeader, ResponseKind,
};
use kafka_protocol::protocol::{Decodable, Encodable};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::api::{self, Client};
use super::fault::{Api, Trouble};
use super::shared::Shared;

/// Largest request.
const FRAME_BYTES_MAX: usize = 100 * 1024 * 1024;
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// How late a session or transaction may be found to have ended.
const TIME_STEP: Duration = Duration::from_millis(20);

/// Accepts connections until told to stop.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let clock = tokio::spawn(pass_time(Arc::clone(&shared)));
    let mut stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        // A connection that breaks while it is accepted is no reason to stop.
        let Ok((stream, peer)) = accepted else { continue };
        let shared = Arc::clone(&shared);
        let mut stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = converse(stream, peer.ip().to_string(), &shared) => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection.closed");
                    }
                }
                _ = stopped.changed() => {}
            }
        });
    }
    clock.abort();
}

async fn pass_time(shared: Arc<Shared>) {
    let mut steps = interval(TIME_STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        steps.tick().await;
        shared.with(super::cluster::Cluster::pass_time);
    }
}

async fn converse(stream: TcpStream, host: String, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, reader);
    loop {
        let length = match reader.read_u32().await {
            Ok(length) => length as usize,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        if !(8..=FRAME_BYTES_MAX).contains(&length) {
            return Err(refused(&format!("a request of {length} bytes; 8 to {FRAME_BYTES_MAX}")));
        }
        let mut frame = BytesMut::zeroed(length);
        reader.read_exact(&mut frame).await?;
        exchange(frame.freeze(), &host, shared, &mut writer).await?;
    }
}

/// Answers one request.
async fn exchange(
    mut frame: Bytes,
    host: &str,
    shared: &Shared,
    writer: &mut OwnedWriteHalf,
) -> io::Result<()> {
    let (number, version) = ((&frame[0..2]).get_i16(), (&frame[2..4]).get_i16());
    let correlation = (&frame[4..8]).get_i32();
    let Some(key) = api::supported(number, version) else {
        if number == ApiKey::ApiVersions as i16 {
            // The one question that is answered in version 0 whatever was asked.
            let versions = api::versions().with_error_code(35);
            return writer.write_all(&versions_frame(&versions, correlation)?).await;
        }
        return Err(refused(&format!("API {number} version {version} is not supported")));
    };
    let header_version = key.request_header_version(version);
    let header = RequestHeader::decode(&mut frame, header_version).map_err(invalid)?;
    let request = RequestKind::decode(key, &mut frame, version).map_err(invalid)?;
    let client = Client {
        id: header.client_id.map(|id| id.to_string()).unwrap_or_default(),
        host: host.to_owned(),
        version,
    };
    let check_open = || if shared.is_closed() { Err(refused("the broker stops")) } else { Ok(()) };
    check_open()?;
    let trouble = shared.faults.next(Api(number));
    match trouble {
        Some(Trouble::DelayRequest(delay)) => sleep(delay).await,
        Some(Trouble::LoseRequest) => return Err(refused("a fault loses the request")),
        Some(Trouble::ForgetMarkers | Trouble::ForgetMarkersAndClose) => {
            shared.with(|cluster, _| cluster.forget_markers());
        }
        Some(Trouble::DelayAnswer(_) | Trouble::LoseAnswer | Trouble::ForgetTopics) | None => {}
    }
    let mut answer = api::answer(shared, &client, request).await;
    match trouble {
        Some(Trouble::DelayAnswer(delay)) => sleep(delay).await,
        Some(Trouble::LoseAnswer) => return Err(refused("a fault loses the answer")),
        Some(Trouble::ForgetTopics) => answer.iter_mut().for_each(api::forget_topics),
        Some(
            Trouble::DelayRequest(_)
            | Trouble::LoseRequest
            | Trouble::ForgetMarkers
            | Trouble::ForgetMarkersAndClose,
        )
        | None => {}
    }
    check_open()?;
    let Some(answer) = answer else { return Ok(()) };
    let frame = response_frame(&answer, correlation, key, version)?;
    writer.write_all(&frame).await?;
    match trouble {
        Some(Trouble::ForgetMarkersAndClose) => Err(refused("a fault ends the connection")),
        _ => Ok(()),
    }
}

fn response_frame(
    answer: &ResponseKind,
    correlation: i32,
    key: ApiKey,
    version: i16,
) -> io::Result<BytesMut> {
    let mut frame = BytesMut::with_capacity(256);
    frame.put_u32(0);
    let header = ResponseHeader::default().with_correlation_id(correlation);
    header.encode(&mut frame, key.response_header_version(version)).map_err(invalid)?;
    answer.encode(&mut frame, version).map_err(invalid)?;
    Ok(with_length(frame))
}

fn versions_frame(versions: &ApiVersionsResponse, correlation: i32) -> io::Result<BytesMut> {
    let mut frame = BytesMut::new();
    frame.put_u32(0);
    frame.put_i32(correlation);
    versions.encode(&mut frame, 0).map_err(invalid)?;
    Ok(with_length(frame))
}

fn with_length(mut frame: BytesMut) -> BytesMut {
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    frame[0..4].copy_from_slice(&length.to_be_bytes());
    frame
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

fn refused(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}
