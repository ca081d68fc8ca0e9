use std::thread;

/// Closes a client on a thread of its own: a consumer's end takes the client a step of 100 ms or
/// more, and nobody has to wait for that of one which is no member of a group.
pub(super) fn close_aside<C: Send + 'static>(client: C) {
    let close = move || drop(client);
    // Without a thread the client goes with the closure, here and now.
    let closing = thread::Builder::new().name("close".to_owned()).spawn(close);
    drop(closing);
}
