use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span as Exported;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message as _;

use super::log;
use super::*;
use crate::engine::{Note, Proof, Sending, What};
use crate::message::{
    CommandId, InstanceId, Key, LifeId, Part, SagaName, Timestamp, TraceContext, Traced,
};

fn instance(key: &str) -> InstanceId {
    let saga = SagaName::new("order").expect("a name");
    InstanceId { saga, key: Key::new(key).expect("a key") }
}

fn command(key: &str) -> CommandId {
    CommandId {
        instance: instance(key),
        life: LifeId::unmarked(1),
        subject: "charge".parse().expect("a step"),
        part: Part::Action,
        attempt: 1,
    }
}

fn note(what: What, step: Option<&str>) -> Note {
    let step = step.map(|name| name.parse().expect("a step"));
    Note { life: LifeId::unmarked(1), step, what }
}

fn transition(key: &str, number: u64, parent: Option<&str>) -> TransitionSpan {
    let by = "4111-secret".to_owned();
    let answer = Proof::Answer { choice: by.clone(), by: by.clone() };
    let sending = Sending { to: by, attempt: 1 };
    TransitionSpan {
        instance: instance(key),
        life: LifeId::unmarked(1),
        trace_parent: parent.map(str::to_owned),
        transition: number,
        notes: vec![
            note(What::Succeeded(answer), Some("reserve")),
            note(What::Sent(sending), Some("charge")),
        ],
        sent: Vec::new(),
        started: Timestamp(1_700_000_000_000),
        ended: Timestamp(1_700_000_000_007),
        status: "running",
        error: None,
    }
}

/// A receiver of OTLP over HTTP on loopback: answers every request and tells what was in it.
fn receiver() -> (String, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("its address"));
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, tell) = (stream.expect("a connection"), tell.clone());
            std::thread::spawn(move || while answer(&stream, &tell) {});
        }
    });
    (address, told)
}

/// Takes a request, tells of it, then answers; false when there is none any more.
fn answer(mut stream: &TcpStream, tell: &Sender<ExportTraceServiceRequest>) -> bool {
    let mut input = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).expect("a line") == 0 {
            return false;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_ascii_lowercase());
    }
    assert_eq!(head[0], "post /v1/traces http/1.1");
    assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.expect("a length").parse().expect("a number")];
    input.read_exact(&mut body).expect("the body");
    let request = ExportTraceServiceRequest::decode(&body[..]).expect("protobuf");
    let listens = tell.send(request).is_ok();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("an answer");
    listens
}

/// Everything that a receiver was told, by span id.
fn spans(requests: &[ExportTraceServiceRequest]) -> BTreeMap<Vec<u8>, Exported> {
    let mut found = BTreeMap::new();
    let resources = requests.iter().flat_map(|r| &r.resource_spans);
    for span in resources.flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans) {
        let twice = found.insert(span.span_id.clone(), span.clone());
        assert_eq!(twice, None, "a span is exported once");
    }
    found
}

/// Both calls are there, below the transition that made them.
fn calls_hang_below(span: &Exported, theirs: &TraceContext, spans: &BTreeMap<Vec<u8>, Exported>) {
    let called = |attempt| {
        let id = CommandId { attempt, ..command("o-2") };
        let call = &spans[&theirs.sending(&id).to_vec()];
        assert_eq!((&call.parent_span_id, &call.trace_id), (&span.span_id, &span.trace_id));
        assert_eq!(call.name, "POST risk.internal");
        assert_eq!(call.end_time_unix_nano - call.start_time_unix_nano, 3_000_000);
        let message = call.status.as_ref().map_or("", |status| status.message.as_str());
        (format!("{:?}", call.attributes), message.to_owned())
    };
    let (told, error) = called(2);
    assert!(told.contains("risk.internal") && !told.contains("status_code"), "{told}");
    assert_eq!(error, "nobody listens");
    let (told, error) = called(3);
    assert!(told.contains("IntValue(409)") && told.contains("IntValue(3)"), "{told}");
    assert_eq!(error, "");
}

#[test]
fn a_receiver_gets_every_transition_once_and_no_payload() {
    let (endpoint, told) = receiver();
    let export =
        Export { endpoint: Some(endpoint), service: "shop".to_owned(), node: "n-1".to_owned() };
    let tracer = Tracer::start(&export).expect("a tracer");
    for number in 1..=700 {
        tracer.record(transition("o-1", number, None));
    }
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut joined = transition("o-2", 1, Some(parent));
    let to = "payments/Charge".parse().expect("an address");
    joined.sent = vec![SentMessage { id: command("o-2"), to }];
    joined.error = Some("a person must act".to_owned());
    tracer.record(joined);
    tracer.record(transition("o-3", 1, Some(&parent.replace("-01", "-00"))));
    let context = TraceContext::of(&instance("o-2"), LifeId::unmarked(1), Some(parent));
    let call = |attempt, status, error: Option<&str>| CallSpan {
        traced: Traced { context, transition: 1 },
        id: CommandId { attempt, ..command("o-2") },
        method: "POST",
        host: "risk.internal".to_owned(),
        started: Timestamp(1_700_000_000_000),
        ended: Timestamp(1_700_000_000_003),
        status,
        error: error.map(str::to_owned),
    };
    tracer.record_call(call(2, None, Some("nobody listens")));
    tracer.record_call(call(3, Some(409), None));
    let dark = parent.replace("-01", "-00");
    let unseen = TraceContext::of(&instance("o-2"), LifeId::unmarked(1), Some(&dark));
    let traced = Traced { context: unseen, transition: 1 };
    tracer.record_call(CallSpan { traced, ..call(4, Some(200), None) });
    tracer.stop();
    assert_eq!(tracer.dropped(), 0);

    let requests: Vec<_> = told.try_iter().collect();
    let resource = requests[0].resource_spans[0].resource.clone().expect("a resource");
    let resource = format!("{resource:?}");
    assert!(resource.contains("\"shop\"") && resource.contains("\"n-1\""), "{resource}");
    assert!(!format!("{requests:?}").contains("4111-secret"), "a payload was told");
    let spans = spans(&requests);
    assert_eq!(spans.len(), 700 + 4, "the trace that nobody wants is not there");

    let own = TraceContext::of(&instance("o-1"), LifeId::unmarked(1), None);
    for number in 1..=700 {
        let span = &spans[&own.transition(number).to_vec()];
        assert_eq!(span.trace_id, own.trace);
        assert_eq!(span.name, "reserve succeeded");
        let root = if number == 1 { Vec::new() } else { own.transition(1).to_vec() };
        assert_eq!(span.parent_span_id, root);
        assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 7_000_000);
        let events: Vec<_> = span.events.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(events, ["succeeded", "sent"]);
    }
    let theirs = TraceContext::of(&instance("o-2"), LifeId::unmarked(1), Some(parent));
    let span = &spans[&theirs.transition(1).to_vec()];
    assert_eq!(span.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    assert_eq!(span.status.as_ref().map(|s| s.message.as_str()), Some("a person must act"));
    let sent = &spans[&theirs.sending(&command("o-2")).to_vec()];
    assert_eq!((&sent.parent_span_id, sent.name.as_str()), (&span.span_id, "send Charge"));
    assert_eq!((&sent.trace_id, &span.trace_id), (&span.trace_id, &theirs.trace.to_vec()));
    calls_hang_below(span, &theirs, &spans);
}

/// An exporter that stands still until it is let go.
#[derive(Debug)]
struct Stuck {
    arrived: SyncSender<usize>,
    go: Arc<Mutex<Receiver<()>>>,
}

impl SpanExporter for Stuck {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.arrived.send(batch.len()).expect("the test listens");
        self.go.lock().expect("one thread").recv().ok();
        Ok(())
    }
}

#[test]
fn a_receiver_that_stands_still_holds_up_nobody() {
    let (arrived, arrivals) = sync_channel(100);
    let (release, go) = channel();
    let stuck = Stuck { arrived, go: Arc::new(Mutex::new(go)) };
    let tracer = Tracer::with_exporter(stuck, &Export::default(), 8, Duration::from_secs(3600));
    for number in 1..=8 {
        tracer.record(transition("o-1", number, None));
    }
    assert_eq!(arrivals.recv().expect("a full batch is exported"), 8);
    // All of these come while it stands still.
    for number in 9..=20 {
        tracer.record(transition("o-1", number, None));
    }
    assert_eq!(tracer.dropped(), 4);
    drop(release);
    tracer.stop();
    assert_eq!(arrivals.try_iter().sum::<usize>(), 8);
}

#[test]
fn nothing_is_exported_without_a_receiver() {
    let tracer = Tracer::off();
    assert!(!tracer.is_on());
    tracer.record(transition("o-1", 1, None));
    tracer.stop();
    assert_eq!(tracer.dropped(), 0);
    let export =
        Export { endpoint: Some("https://collector:4318".to_owned()), ..Export::default() };
    assert!(matches!(Tracer::start(&export), Err(Error::Encrypted(_))));
}

#[test]
fn the_log_is_filtered_by_level_or_in_detail() {
    let level = Log { level: Level::Warn, ..Log::default() };
    assert_eq!(log::read(level, None).expect("a filter").to_string(), "warn");
    assert_eq!(log::read(level, Some(" ")).expect("a filter").to_string(), "warn");
    let detail = log::read(level, Some("segue::broker=debug")).expect("a filter");
    assert_eq!(detail.to_string(), "segue::broker=debug");
    let wrong = log::read(level, Some("segue=loud")).expect_err("no such level").to_string();
    assert!(wrong.starts_with("SEGUE_LOG: "), "{wrong}");
}

#[test]
#[ignore = "the child of the_log_is_lines_of_json_on_stderr, which runs it"]
fn child_that_logs() {
    let log = Log { format: LogFormat::Json, level: Level::Info };
    let guard = init(log, &Export::default()).expect("the first");
    assert!(!guard.tracer().is_on());
    assert!(matches!(init(log, &Export::default()), Err(Error::Twice)));
    tracing::info!(shard = 3, "shard.assigned");
    tracing::debug!("not.shown");
}

/// Runs [`child_that_logs`].
fn logging() -> Command {
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child
        .args(["--exact", "telemetry::tests::child_that_logs", "--ignored", "--nocapture"])
        .env_remove("SEGUE_LOG")
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    child
}

#[test]
fn whoever_stops_reading_the_log_ends_nobody() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = logging().stdout(Stdio::null()).stderr(writer).status().expect("a child");
    assert!(status.success(), "{status}");
}

#[test]
fn the_log_is_lines_of_json_on_stderr() {
    let child = logging().output().expect("a child");
    let error = String::from_utf8(child.stderr).expect("text");
    assert!(child.status.success(), "{error}");
    let lines: Vec<serde_json::Value> =
        error.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let [line] = &lines[..] else { panic!("one line, not {error}") };
    assert_eq!(line["message"], "shard.assigned");
    assert_eq!(line["shard"].to_string(), "3");
    assert_eq!(line["level"], "INFO");
}
