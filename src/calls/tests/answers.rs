use serde_json::json;
use tokio::sync::mpsc;

use super::super::Executor;
use super::*;
use crate::telemetry::Tracer;

#[tokio::test]
async fn a_request_says_what_it_is_and_keeps_numbers_bit_for_bit() {
    let (heard, mut hear) = mpsc::unbounded_channel();
    let server = Server::start(move |mut wire| {
        let heard = heard.clone();
        async move {
            heard.send(wire.request().await).expect("the test listens");
            wire.send("HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nX-Score: 7\r\n")
                .await;
            wire.send("set-cookie: s=1\r\nx-score: 8\r\ncontent-length: 10\r\n\r\n{\"n\":1.10}")
                .await;
        }
    })
    .await;
    let body = "{\"amount\":10.00,\"big\":123456789012345678901234567890}";
    let request = Call {
        headers: vec![("X-Tenant".to_owned(), "shop".to_owned())],
        body: Some(serde_json::from_str(body).expect("JSON")),
        undoes: Some("transfer/t-1/1/hold".to_owned()),
        ..call(Method::Post, &server.url("/score?a=%20b"))
    };
    let mut queue = queue(&[&server]);
    let outcome = made(&mut queue, request).await;
    let asked = hear.recv().await.flatten().expect("a request");
    assert!(asked.starts_with("POST /score?a=%20b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with(&format!("\r\n\r\n{body}")), "{asked}");
    let address = server.address.to_string();
    let trace_parent = traced().context.traceparent(&get("http://a/").id);
    assert!(trace_parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{trace_parent}");
    for (name, value) in [
        ("host", address.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", "transfer/t-1/1/score"),
        ("segue-command", "transfer/t-1/1/score/2"),
        ("segue-undoes", "transfer/t-1/1/hold"),
        ("traceparent", trace_parent.as_str()),
        ("x-tenant", "shop"),
    ] {
        assert_eq!(header(&asked, name), Some(value), "{name}");
    }
    let CallOutcome::Answered { status, headers, body } = outcome else { panic!("{outcome:?}") };
    assert_eq!((status, body.to_string().as_str()), (201, "{\"n\":1.10}"));
    let scores: Vec<_> = headers.iter().filter(|(n, _)| n == "x-score").map(|(_, v)| v).collect();
    assert_eq!(scores, ["7", "8"]);
    assert!(headers.iter().all(|(name, _)| name != "set-cookie"), "{headers:?}");
}

#[tokio::test]
async fn every_method_goes_out_and_an_empty_body_is_said_where_one_is_due() {
    let echo = |mut wire: Wire<TcpStream>| async move {
        while let Some(asked) = wire.request().await {
            let length = header(&asked, "content-length").unwrap_or("none");
            let body = format!("{} {length}", asked.split(' ').next().unwrap_or_default());
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            wire.send(head + &body).await;
        }
    };
    let server = Server::start(echo).await;
    let mut queue = queue(&[&server]);
    for (method, expected) in [
        (Method::Get, "GET none"),
        (Method::Post, "POST 0"),
        (Method::Put, "PUT 0"),
        (Method::Patch, "PATCH 0"),
        (Method::Delete, "DELETE none"),
    ] {
        let outcome = made(&mut queue, call(method, &server.url("/"))).await;
        assert_eq!(answered(outcome), (200, json!(expected)));
    }
    assert_eq!(server.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    for (head, expected) in [
        ("204 No Content\r\n\r\n", (204, Value::Null)),
        ("200 OK\r\ncontent-length: 0\r\n\r\n", (200, Value::Null)),
        ("404 Not Found\r\ncontent-length: 4\r\n\r\ngone", (404, json!("gone"))),
        (
            "409 Conflict\r\ncontent-length: 4\r\n\r\n17.0",
            (409, serde_json::from_str("17.0").expect("JSON")),
        ),
        ("302 Found\r\ncontent-length: 0\r\n\r\n", (302, Value::Null)),
        (
            "503 Busy\r\ntransfer-encoding: chunked\r\n\r\n4\r\ntrue\r\n0\r\n\r\n",
            (503, json!(true)),
        ),
        ("999 What\r\nconnection: close\r\n\r\n[1]", (999, json!([1]))),
    ] {
        let server = Server::closing(format!("HTTP/1.1 {head}")).await;
        let outcome = made(&mut queue(&[&server]), get(&server.url("/"))).await;
        assert_eq!(answered(outcome), expected, "{head}");
    }
}

#[tokio::test]
async fn an_informational_answer_is_not_the_answer() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    let server = Server::answering(format!("{early}{OK}")).await;
    let outcome = made(&mut queue(&[&server]), get(&server.url("/"))).await;
    assert_eq!(answered(outcome), (200, json!({})));
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_costs_no_call() {
    let server = Server::closing(OK).await;
    let mut queue = queue(&[&server]);
    for _ in 0..20 {
        let outcome = made(&mut queue, get(&server.url("/"))).await;
        assert_eq!(answered(outcome), (200, json!({})));
        // The client sees the end of the connection before it is asked again.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_author_may_not_write_the_headers_of_engine_and_transport() {
    let server = Server::answering(OK).await;
    let mut queue = queue(&[&server]);
    for (name, value, why) in [
        ("Host", "evil", "how the request travels"),
        ("Transfer-Encoding", "chunked", "how the request travels"),
        ("Content-Length", "1", "how the request travels"),
        ("Proxy-Connection", "x", "how the request travels"),
        ("Idempotency-Key", "x", "the engine writes it itself"),
        ("traceparent", "x", "the engine writes it itself"),
        ("a b", "x", "no header has such a name"),
        ("x-note", "s3cret\r\nx-evil: 1", "control characters"),
    ] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let outcome = made(&mut queue, Call { headers, ..get(&server.url("/")) }).await;
        let reason = reason(outcome);
        assert!(reason.contains(&format!("`{name}`")) && reason.contains(why), "{reason}");
        assert!(!reason.contains("s3cret"), "{reason}");
    }
    assert_eq!(server.connections(), 0, "nothing was sent");
}

#[test]
fn the_executor_has_threads_of_its_own() {
    let mut settings = near(&[]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    settings.allow.private = vec![address.to_string().parse().expect("a host")];
    let server = std::thread::spawn(move || {
        use std::io::{BufRead as _, Write as _};
        let (mut stream, _) = listener.accept().expect("a connection");
        let reader = std::io::BufReader::new(stream.try_clone().expect("a copy"));
        let lines = reader.lines().map_while(Result::ok).take_while(|l| !l.is_empty()).count();
        stream.write_all(OK.as_bytes()).expect("it listens");
        lines
    });
    let executor = Executor::open(settings, Tracer::off()).expect("an executor");
    let (mut queue, mut other) = (executor.queue(), executor.queue());
    queue.start(get(&format!("http://{address}/")), traced());
    assert_eq!((queue.under_way(), other.under_way()), (1, 0));
    assert!(server.join().expect("it served") > 1);
    let called = std::iter::repeat_with(|| {
        std::thread::yield_now();
        queue.finished()
    })
    .find(|called| !called.is_empty())
    .expect("it never ends");
    assert_eq!(called.len(), 1);
    assert_eq!(answered(called[0].outcome.clone()), (200, json!({})));
    assert_eq!((queue.under_way(), other.finished()), (0, Vec::new()));
}
