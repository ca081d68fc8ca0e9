use std::io::Write;

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_tells_of_calls_and_never_what_they_carry() {
    let lines = Lines::default();
    // With a second subscriber alive, what a test beside this one logs first without any is not
    // taken for something that nobody wants to see.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().finish());
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(log);
    let good = "HTTP/1.1 200 OK\r\nx-a: s3cret\r\ncontent-length: 8\r\n\r\n\"s3cret\"";
    let good = Server::answering(good).await;
    let bad = Server::closing("HTTP/1.1 2s3cret\r\ns3cret\r\n\r\ns3cret").await;
    let mut queue = queue(&[&good, &bad]);
    let carrying = |url: &str| Call {
        headers: vec![("authorization".to_owned(), "Bearer s3cret".to_owned())],
        body: Some(json!("s3cret")),
        ..call(Method::Post, url)
    };
    made(&mut queue, carrying(&good.url("/s3cret?s3cret"))).await;
    made(&mut queue, carrying(&bad.url("/s3cret"))).await;
    made(&mut queue, carrying("http://other.example/s3cret")).await;
    made(&mut queue, carrying("http://other.example/ s3cret")).await;
    made(
        &mut queue,
        Call { headers: vec![("a b".to_owned(), "s3cret".to_owned())], ..carrying("http://a/") },
    )
    .await;
    let text = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
    for name in ["call.sent", "call.answered", "call.failed", "call.refused"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    let told = format!("host=\"{}\" status=200 took_ms=", good.address);
    assert!(text.contains(&told), "{told}: {text}");
    assert!(!text.contains("s3cret"), "{text}");
}
