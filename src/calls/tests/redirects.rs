use serde_json::json;

use super::*;

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

/// Answers `/n` with a redirect to `/n-1`, and `/0` with what it was asked.
async fn countdown(status: u16) -> Server {
    Server::start(move |mut wire| async move {
        while let Some(asked) = wire.request().await {
            let mut words = asked.split(' ');
            let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
            let left: u32 = path[1..].parse().expect("a number");
            let body = asked.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let key = header(&asked, "idempotency-key").unwrap_or_default();
            let told = format!("{method} {body} {key}");
            let length = told.len();
            wire.send(match left {
                0 => format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{told}"),
                left => to(status, &format!("/{}", left - 1)),
            })
            .await;
        }
    })
    .await
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_more() {
    let server = countdown(307).await;
    let mut queue = queue(&[&server]);
    let post = |path: &str| Call {
        body: Some(json!({ "a": 1 })),
        ..call(Method::Post, &server.url(path))
    };
    let outcome = made(&mut queue, post("/3")).await;
    assert_eq!(answered(outcome), (200, json!("POST {\"a\":1} transfer/t-1/1/score")));
    let reason = reason(made(&mut queue, post("/4")).await);
    assert_eq!(reason, "it redirects more than 3 times");
}

#[tokio::test]
async fn a_loop_ends() {
    let server = Server::answering(to(302, "/again")).await;
    let mut queue = queue(&[&server]);
    let reason = reason(made(&mut queue, get(&server.url("/again"))).await);
    assert_eq!(reason, "it redirects more than 3 times");
}

#[tokio::test]
async fn an_action_is_not_repeated_where_it_was_not_asked_to_be() {
    let server = countdown(302).await;
    let mut queue = queue(&[&server]);
    let outcome = made(&mut queue, call(Method::Post, &server.url("/1"))).await;
    assert_eq!(answered(outcome).0, 302);
    let server = countdown(303).await;
    let mut queue = super::queue(&[&server]);
    let request = Call { body: Some(json!(1)), ..call(Method::Post, &server.url("/1")) };
    let outcome = made(&mut queue, request).await;
    assert_eq!(answered(outcome), (200, json!("GET  transfer/t-1/1/score")));
}

#[tokio::test]
async fn no_redirect_leads_to_another_host_even_an_allowed_one() {
    let other = Server::answering(OK).await;
    let metadata = "http://169.254.169.254/latest/meta-data/".to_owned();
    let localhost = |s: &Server| format!("http://localhost:{}/", s.port());
    for location in [other.url("/"), localhost(&other), metadata, "http://10.0.0.1/".to_owned()] {
        let server = Server::answering(to(307, &location)).await;
        let mut queue = queue(&[&server, &other]);
        let reason = reason(made(&mut queue, get(&server.url("/"))).await);
        assert!(reason.contains("followed to the same host and port only"), "{reason}");
        // The host itself is well.
        let server_again = Server::answering(to(307, &localhost(&server))).await;
        let mut queue = super::queue(&[&server_again]);
        let reason = super::reason(made(&mut queue, get(&server_again.url("/"))).await);
        assert!(reason.contains(&format!("localhost:{}", server.port())), "{reason}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_that_cannot_be_read_is_a_failure() {
    for location in ["http://", "http://[::", "\u{ff}", "https://user@127.0.0.1/"] {
        let server = Server::answering(to(307, location)).await;
        let outcome = made(&mut queue(&[&server]), get(&server.url("/"))).await;
        assert!(!reason(outcome).is_empty(), "{location}");
    }
}
