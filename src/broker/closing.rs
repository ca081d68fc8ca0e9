use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Closes a client on a thread of its own: a consumer's end takes the client a step of 100 ms or
/// more, and nobody has to wait for that of one which is no member of a group.
pub(super) fn close_aside<C: Send + 'static>(client: C) {
    let close = move || drop(client);
    // Without a thread the client goes with the closure, here and now.
    let closing = thread::Builder::new().name("close".to_owned()).spawn(close);
    drop(closing);
}

/// Closes a client, and waits for the end of that, but no longer than `limit`.
pub(super) fn close_within<C: Send + 'static>(client: C, limit: Duration) {
    let (tell, ended) = channel::<()>();
    let closing = (client, tell);
    close_aside(closing);
    // Nothing is ever told: the other end goes with the client, behind it.
    if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        tracing::debug!(waited_s = limit.as_secs(), "kafka.close: a client is slow to end");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slow(std::sync::mpsc::Receiver<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.recv().ok();
        }
    }

    #[test]
    fn nobody_waits_for_ever_for_the_end_of_a_client() {
        let (free, held) = channel();
        close_within(Slow(held), Duration::from_millis(1));
        free.send(()).expect("it is still held");
        let (free, held) = channel();
        drop(free);
        close_within(Slow(held), Duration::MAX);
    }
}
