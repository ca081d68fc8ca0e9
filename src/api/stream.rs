//! A line to somebody who reads along: what waits for a slow reader is bounded, and who is dropped
//! finds the reason behind what it has not read.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

/// Who reads nothing for so long is dropped.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon it is seen that a slow reader has read on.
const READ_LOOK: Duration = Duration::from_millis(10);

/// Why a reader is told nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It has gone, or the server stops.
    Over,
    /// It must go on in another way, in words.
    Dropped(String),
}

/// A server that has gone asks for the end as one that stops does.
pub(super) fn is_stopping(stop: &watch::Receiver<bool>) -> bool {
    stop.has_changed().is_err() || *stop.borrow()
}

/// A line to a reader that holds so many events.
pub(super) fn line(events_max: usize) -> (Told, Events) {
    let (tell, events) = mpsc::channel(events_max);
    let word = Arc::new(OnceLock::new());
    (
        Told { tell, word: Arc::clone(&word), patience: PATIENCE },
        Events { events, word: Some(word) },
    )
}

/// The end of a line that tells.
pub(super) struct Told {
    tell: mpsc::Sender<Bytes>,
    /// The reason for which the reader is dropped, told behind what waits for it.
    word: Arc<OnceLock<String>>,
    patience: Duration,
}

impl Told {
    /// Tells an event; waits for a slow reader, but not for ever.
    pub fn tell(&self, event: &str, stop: &watch::Receiver<bool>) -> Result<(), End> {
        let (mut event, mut waited) = (Bytes::copy_from_slice(event.as_bytes()), Duration::ZERO);
        loop {
            match self.tell.try_send(event) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(End::Over),
                Err(TrySendError::Full(_)) if waited >= self.patience => {
                    return Err(End::Dropped("too slow".to_owned()));
                }
                Err(TrySendError::Full(back)) => event = back,
            }
            if is_stopping(stop) {
                return Err(End::Over);
            }
            thread::sleep(READ_LOOK);
            waited += READ_LOOK;
        }
    }

    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.tell.is_closed()
    }

    /// Tells nothing more; the reader finds the reason behind what it has not read yet.
    pub fn drop_reader(self, words: String) {
        tracing::debug!(reason = words, "api.reader_dropped");
        // It is told once: this line ends here.
        drop(self.word.set(words));
    }
}

/// The end of a line that is read: the body of an answer that goes on.
pub(super) struct Events {
    events: mpsc::Receiver<Bytes>,
    /// None once it is told.
    word: Option<Arc<OnceLock<String>>>,
}

impl Events {
    /// The last event of a reader that is dropped.
    fn last(&mut self) -> Option<Bytes> {
        let word = self.word.take()?;
        let data = serde_json::to_string(word.get()?).expect("it is a text");
        Some(format!("event: dropped\ndata: {data}\n\n").into())
    }
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let event = match self.events.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(event)) => Some(event),
            Poll::Ready(None) => self.last(),
        };
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn read(events: Events) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let body = runtime.block_on(events.collect()).expect("it never fails");
        String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8 text")
    }

    #[test]
    fn a_slow_reader_finds_the_word_behind_what_it_has_not_read() {
        let (mut told, events) = line(2);
        told.patience = Duration::ZERO;
        let (_running, stop) = watch::channel(false);
        assert_eq!(told.tell("one;", &stop), Ok(()));
        assert_eq!(told.tell("two;", &stop), Ok(()));
        let end = told.tell("three;", &stop);
        assert_eq!(end, Err(End::Dropped("too slow".to_owned())));
        told.drop_reader("too slow".to_owned());
        assert_eq!(read(events), "one;two;event: dropped\ndata: \"too slow\"\n\n");
    }

    #[test]
    fn one_who_has_gone_or_a_server_that_stops_ends_it_without_a_word() {
        let (told, events) = line(1);
        let (running, stop) = watch::channel(false);
        assert_eq!(told.tell("one;", &stop), Ok(()));
        running.send_replace(true);
        assert_eq!(told.tell("two;", &stop), Err(End::Over), "nobody waits for its end");
        drop(told);
        assert_eq!(read(events), "one;");
        let (told, events) = line(1);
        drop(events);
        assert_eq!(told.tell("one;", &stop), Err(End::Over));
    }
}
