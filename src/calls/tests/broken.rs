use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Notify, Semaphore};
use tokio::time;

use super::*;

/// The call fails with these words, and the server's connection is not used again.
async fn fails(server: Server, words: &str) {
    let mut queue = queue(&[&server]);
    let reason = reason(made(&mut queue, get(&server.url("/"))).await);
    assert!(reason.contains(words), "{reason}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_as_long_as_the_attempt_lasts() {
    let heard = Arc::new(Notify::new());
    for (sent, words) in [
        ("", "no answer within 30s: nothing had come yet"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "no answer within 30s: nothing had come yet"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
            "no answer within 30s: its body was still coming",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "no answer within 30s: its body was still coming",
        ),
    ] {
        let told = Arc::clone(&heard);
        let server = Server::start(move |mut wire| {
            let told = Arc::clone(&told);
            async move {
                wire.request().await;
                wire.send(sent).await;
                told.notify_one();
                wire.request().await;
            }
        })
        .await;
        let mut queue = queue(&[&server]);
        queue.start(get(&server.url("/")), traced());
        heard.notified().await;
        let began = time::Instant::now();
        time::pause();
        assert_eq!(reason(queue.next().await.outcome), words);
        let took = began.elapsed();
        assert!(took > Duration::from_secs(29) && took < Duration::from_secs(31), "{took:?}");
        time::resume();
    }
}

#[tokio::test]
async fn slow_but_steady_is_in_time() {
    let steps = Arc::new(Semaphore::new(0));
    let allowed = Arc::clone(&steps);
    let text =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
    let server = Server::start(move |mut wire| {
        let steps = Arc::clone(&allowed);
        async move {
            wire.request().await;
            for byte in text.bytes() {
                steps.acquire().await.expect("it is open").forget();
                wire.send([byte]).await;
            }
        }
    })
    .await;
    let mut queue = queue(&[&server]);
    queue.start(get(&server.url("/")), traced());
    for _ in text.bytes() {
        assert!(queue.finished().is_empty());
        steps.add_permits(1);
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(answered(queue.next().await.outcome), (200, json!({ "a": 1 })));
}

#[tokio::test]
async fn a_huge_body_is_given_up_before_it_is_read() {
    let promised = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    let words = "more than 262144 bytes, the most that `calls.body-bytes-max` takes";
    fails(Server::closing(promised).await, words).await;
    let chunks = |mut wire: Wire<TcpStream>| async move {
        wire.request().await;
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        // Without an end; it stops when the client closes.
        while wire.stream.write_all(chunk.as_bytes()).await.is_ok() {}
    };
    fails(Server::start(chunks).await, words).await;
    let unnamed = |mut wire: Wire<TcpStream>| async move {
        wire.request().await;
        wire.send("HTTP/1.1 200 OK\r\n\r\n").await;
        while wire.stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    };
    fails(Server::start(unnamed).await, words).await;
}

#[tokio::test]
async fn a_body_of_the_most_that_is_allowed_is_taken_and_one_more_byte_is_not() {
    for (length, taken) in [(1000, true), (1001, false)] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let server = Server::answering(head + &"x".repeat(length)).await;
        let settings = Settings { body_bytes_max: 1000, ..near(&[&server.address.to_string()]) };
        let outcome = made(&mut queue_with(settings, Arc::default()), get(&server.url("/"))).await;
        assert_eq!(matches!(outcome, CallOutcome::Answered { .. }), taken, "{outcome:?}");
    }
    // What is no text grows to three times as much.
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n".to_vec();
    answer.extend([0xff; 500]);
    let server = Server::answering(answer).await;
    let settings = Settings { body_bytes_max: 1000, ..near(&[&server.address.to_string()]) };
    let outcome = made(&mut queue_with(settings, Arc::default()), get(&server.url("/"))).await;
    assert!(reason(outcome).contains("more than 1000 bytes"));
}

#[tokio::test]
async fn headers_without_end_are_given_up() {
    let many = |mut wire: Wire<TcpStream>| async move {
        wire.request().await;
        wire.send("HTTP/1.1 200 OK\r\n").await;
        while wire.stream.write_all(b"x-a: b\r\n").await.is_ok() {}
    };
    fails(Server::start(many).await, "headers are too many or too large").await;
    let long = |mut wire: Wire<TcpStream>| async move {
        wire.request().await;
        wire.send("HTTP/1.1 200 OK\r\nx-a: ").await;
        while wire.stream.write_all(&[b'x'; 1000]).await.is_ok() {}
    };
    fails(Server::start(long).await, "headers are too many or too large").await;
    let large = format!("HTTP/1.1 200 OK\r\nx-a: {}\r\n\r\n", "x".repeat(70_000));
    fails(Server::closing(large).await, "headers are too many or too large").await;
    let more = "x-a: b\r\n".repeat(101);
    let finite = format!("HTTP/1.1 200 OK\r\n{more}content-length: 0\r\n\r\n");
    fails(Server::closing(finite).await, "headers are too many or too large").await;
}

#[tokio::test]
async fn a_length_that_lies_is_found_out() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    fails(Server::closing(short).await, "broken: ").await;
    let torn = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf";
    fails(Server::closing(torn).await, "broken: ").await;
    for twice in
        ["content-length: 2\r\ncontent-length: 3", "content-length: -1", "content-length: x"]
    {
        let answer = format!("HTTP/1.1 200 OK\r\n{twice}\r\n\r\n{{}}");
        fails(Server::closing(answer).await, "broken: ").await;
    }
    // What comes behind the promised end is not part of it, and not of the next answer either.
    let server =
        Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]HTTP/1.1 500 X\r\n\r\n")
            .await;
    let mut queue = queue(&[&server]);
    for _ in 0..5 {
        let outcome = made(&mut queue, get(&server.url("/"))).await;
        assert_eq!(answered(outcome), (200, json!([])));
    }
}

#[tokio::test]
async fn garbage_behind_the_last_chunk_harms_nobody() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let server = Server::answering(format!("{head}\0garbage{OK}")).await;
    let mut queue = queue(&[&server]);
    for _ in 0..5 {
        let outcome = made(&mut queue, get(&server.url("/"))).await;
        assert_eq!(answered(outcome), (200, json!({})));
    }
    for sizes in
        ["zz\r\n{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n{}", "2\r\n{}garbage\r\n0\r\n\r\n"]
    {
        let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{sizes}");
        fails(Server::closing(answer).await, "broken: ").await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    for answer in [
        "",
        "\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\u{0}b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nfolded: a\r\n b\r\n\r\n",
    ] {
        fails(Server::closing(answer).await, "the answer is broken: ").await;
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_is_a_failure_with_words() {
    let reset = |mut wire: Wire<TcpStream>| async move {
        wire.request().await;
        wire.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        wire.stream.set_zero_linger().expect("a socket");
    };
    fails(Server::start(reset).await, "the answer is broken: ").await;
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_said_so() {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = server.local_addr().expect("an address").to_string();
    drop(server);
    let mut queue = queue_with(near(&[&address]), Arc::default());
    let reason = reason(made(&mut queue, get(&format!("http://{address}/"))).await);
    assert!(reason.starts_with(&format!("{address} cannot be connected to: ")), "{reason}");
}

/// A resolver that never answers.
struct Mute;

impl Resolver for Mute {
    fn resolve(&self, _: String) -> Resolving {
        Box::pin(std::future::pending())
    }
}

/// Why a call has no answer, and whether it surely never left.
fn failed(outcome: CallOutcome) -> (String, bool) {
    match outcome {
        CallOutcome::Failed { reason, unsent } => (reason, unsent),
        CallOutcome::Answered { status, .. } => panic!("it was answered: {status}"),
    }
}

#[tokio::test]
async fn what_never_left_is_told_from_what_may_have_arrived() {
    let hears = Server::start(|mut wire| async move {
        wire.request().await;
    })
    .await;
    let moves = Server::start(|mut wire| async move {
        wire.request().await;
        wire.send("HTTP/1.1 307 Moved\r\nlocation: https://b.example/\r\n\r\n").await;
    })
    .await;
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = gone.local_addr().expect("an address").to_string();
    drop(gone);
    let plain = Server::start(|mut wire| async move { wire.send(OK).await }).await;
    let servers = [&hears, &moves, &plain].map(|server| server.address.to_string());
    let hosts: Vec<String> = servers.into_iter().chain([nobody.clone()]).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).chain(["a.example"]).collect();
    let mut queue = queue_with(near(&hosts), Arc::default());
    for (url, words, never_left) in [
        ("http://c.example/".to_owned(), "are not allowed", true),
        ("http://a.example/".to_owned(), "has no address", true),
        (format!("http://{nobody}/"), "cannot be connected to", true),
        // It hears no request, only that TLS is wanted.
        (format!("https://{}/", plain.address), "cannot be trusted", true),
        (hears.url("/"), "the connection closed before it was whole", false),
        (moves.url("/"), "it redirects to", false),
    ] {
        let (reason, unsent) = failed(made(&mut queue, get(&url)).await);
        assert!(reason.contains(words), "{reason}");
        assert_eq!(unsent, never_left, "{reason}");
    }
}

#[tokio::test]
async fn a_time_that_is_up_before_there_is_a_connection_leaves_nothing_unknown() {
    let shared = Shared::new(near(&["a.example"]), Arc::new(Mute)).expect("what they share");
    let mut queue = CallQueue::new(Arc::new(shared), Handle::current());
    time::pause();
    let (reason, unsent) = failed(made(&mut queue, get("http://a.example/")).await);
    assert!(reason.contains("cannot be connected to") || reason.contains("no answer"), "{reason}");
    assert!(unsent, "{reason}");
    let short = Call { within: Span::seconds(2), ..get("http://a.example/") };
    let (reason, unsent) = failed(made(&mut queue, short).await);
    assert_eq!(reason, "no answer within 2s: nothing had come yet");
    assert!(unsent, "{reason}");
}
