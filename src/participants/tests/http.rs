//! The services behind calls, over a socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const SERVICES: &str = r#"
calls:
  PUT https://store.internal/models/*:
    answers: [{ status: 201, body: { rows: "${event.rows}", id: "${answer.id}" } }]
"#;

/// What a request is answered, as it comes over the wire.
fn asked(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a server");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and hangs up");
    answer
}

#[test]
fn the_host_says_which_service_is_meant() {
    let http = Http::bind().expect("a port");
    let url = http.url();
    let called = Called::new([&script(SERVICES)], 7);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let serving = threads.spawn(|| http.serve(called, &stop));
        let request = |host: &str| {
            let body = r#"{"rows":19.990}"#;
            format!(
                "PUT /models/churn HTTP/1.1\r\nHost: {host}\r\nIdempotency-Key: k\r\n\
                 segue-command: k/1\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let answer = asked(&url, &request("store.internal"));
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        assert!(answer.contains("\r\n\r\n{\"rows\":19.990,\"id\":\""), "{answer}");
        assert_eq!(answer, asked(&url, &request("store.internal")));
        let answer = asked(&url, &request("elsewhere.internal"));
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert!(answer.contains("no service answers PUT elsewhere.internal/models/churn"));
        assert!(asked(&url, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
        let long = "PUT / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n";
        assert!(asked(&url, long).starts_with("HTTP/1.1 400 "));
        stop.store(true, Ordering::Relaxed);
        serving.join().expect("no panic").expect("no error");
    });
}
