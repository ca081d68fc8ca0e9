mod bulk;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower_service::Service as _;

use super::guard::{self, Door};
use super::live::Readers;
use super::outbox::Outbox;
use super::owners::Owners;
use super::rates::Rates;
use super::router::{endpoints, router};
use super::rules::{PAGES, RULES, Rule};
use super::runs::Runs;
use super::server::Server;
use super::service::Service;
use super::sessions::Sessions;
use super::{Client, Endpoint, NoAnswer, Role, Token};
use crate::broker::Connection;
use crate::config::Config;
use crate::message::{Outgoing, RawRecord};
use crate::node::Health;
use crate::view::{self, View};

mod secure;
mod session;

/// A server without a socket, and what was written by it.
pub(crate) struct Setting {
    /// What is served, with the console.
    pub router: Router,
    written: Arc<List>,
    tokens: Vec<(Role, Token)>,
    folder: tempfile::TempDir,
    stop: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
}

impl Drop for Setting {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.follower.take().map(JoinHandle::join);
        assert!(ended.is_some_and(|ended| ended.is_ok()), "the view ends well");
    }
}

#[derive(Default)]
struct List(Mutex<Vec<Outgoing>>);

impl Outbox for List {
    fn write(&self, message: &Outgoing) -> Result<(), String> {
        self.0.lock().expect("no test panics inside").push(message.clone());
        Ok(())
    }

    fn write_raw(&self, record: &RawRecord) -> Result<(), String> {
        Err(format!("nothing is replayed here to {}", record.topic))
    }
}

/// How a server is set up.
#[derive(Clone, Copy)]
pub(crate) struct How {
    tokens: bool,
    requests_max: u32,
    /// Whether an engine runs in the same process.
    health: bool,
}

pub(crate) const OPEN: How = How { tokens: false, requests_max: 100_000, health: false };
pub(crate) const CLOSED: How = How { tokens: true, ..OPEN };

/// Everything that is served, as a node serves it.
fn pages(service: Service, door: Door) -> Router {
    let pages = crate::console::PAGES;
    (pages.dress)(router(service, door, (pages.routes)()))
}

impl Setting {
    pub fn new(how: How) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tokens = Vec::new();
        let mut file = String::new();
        for (word, role) in Role::WORDS {
            let token = Token::draw().expect("randomness");
            let line = token.line(&format!("the-{word}"), role).expect("a line");
            file.push_str(&line);
            file.push('\n');
            tokens.push((role, token));
        }
        let path: PathBuf = folder.path().join("tokens");
        std::fs::write(&path, file).expect("written");
        let owners = how.tokens.then(|| Owners::open(&path).expect("the file"));
        let door = Door {
            owners,
            issuer: None,
            sessions: Sessions::default(),
            is_secure: false,
            rates: Rates::new(how.requests_max),
            begun: guard::now(),
        };
        let written = Arc::new(List::default());
        let (_, stopped) = watch::channel(false);
        let outbox: Arc<dyn Outbox> = Arc::<List>::clone(&written);
        // A view of a cluster that is not there.
        let config = Config { view_path: folder.path().join("view"), ..Config::default() };
        let settings = view::Settings::of(&config, Connection::plain("127.0.0.1:1"));
        let stop = Arc::new(AtomicBool::new(false));
        let (view, follower) = View::start(&settings, Arc::clone(&stop)).expect("a view");
        let (app, readers) = ("shop".to_owned(), Readers::default());
        let (connection, health) = (settings.connection.clone(), how.health.then(Health::default));
        let service = Service {
            app,
            view,
            outbox,
            readers,
            stopped,
            connection,
            health,
            runs: Runs::default(),
        };
        let follower = Some(follower);
        Self { router: pages(service, door), written, tokens, folder, stop, follower }
    }

    pub fn token(&self, role: Role) -> &str {
        let found = self.tokens.iter().find(|(of, _)| *of == role);
        found.expect("each has one").1.reveal()
    }

    /// What a request is answered with: the status, and the body as JSON.
    pub fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let answer = self.router.clone().call(request).await.expect("it always answers");
            let status = answer.status();
            let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
            (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
        })
    }
}

pub(crate) fn request(method: &Method, path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::empty()).expect("a request")
}

/// Every endpoint of the description: its method and its path.
fn described() -> Vec<(Method, String)> {
    let (_, document) = endpoints();
    let document = serde_json::to_value(document).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").clone();
    let mut all = Vec::new();
    for (path, methods) in paths {
        for method in methods.as_object().expect("methods").keys() {
            all.push((method.to_uppercase().parse().expect("a method"), path.clone()));
        }
    }
    all
}

#[test]
fn every_endpoint_has_a_rule_and_every_rule_an_endpoint() {
    let mut described = described();
    described.sort_by_key(|(method, path)| (path.clone(), method.to_string()));
    let mut ruled: Vec<_> =
        RULES.iter().map(|(method, path, _)| (method.clone(), (*path).to_owned())).collect();
    ruled.sort_by_key(|(method, path)| (path.clone(), method.to_string()));
    assert_eq!(described, ruled);
}

#[test]
fn each_endpoint_lets_in_whom_its_rule_names_and_nobody_else() {
    let closed = Setting::new(CLOSED);
    let pages = PAGES.iter().map(|(method, path, _)| (method.clone(), (*path).to_owned()));
    for (method, path) in described().into_iter().chain(pages) {
        let rule = super::rules::find(&method, &path).expect("every endpoint has one");
        let place = path.replace("{partition}", "0").replace("{offset}", "0");
        let place = place.replace("{saga}", "order").replace("{key}", "o-1").replace("{id}", "b-1");
        let place = place.replace("{file}", "console.css");
        let status = |token: Option<&str>| closed.ask(request(&method, &place, token)).0;
        let is_let_in = |status: StatusCode| {
            status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN
        };
        let needed = match rule {
            Rule::Anybody => {
                assert!(is_let_in(status(None)), "{method} {path} is for anybody");
                continue;
            }
            Rule::OwnPage => {
                let from = |origin: Option<&str>| {
                    let mut asked = request(&method, &place, None);
                    asked.headers_mut().insert(header::HOST, "segue.example".parse().expect("one"));
                    if let Some(origin) = origin {
                        asked.headers_mut().insert(header::ORIGIN, origin.parse().expect("one"));
                    }
                    closed.ask(asked).0
                };
                for foreign in [None, Some("https://evil.example"), Some("null")] {
                    assert_eq!(from(foreign), StatusCode::FORBIDDEN, "{method} {path}");
                }
                let own = from(Some("https://segue.example"));
                assert!(is_let_in(own), "{method} {path}: {own}");
                continue;
            }
            Rule::Of(role) => role,
        };
        let wrong = Token::draw().expect("randomness");
        for token in [None, Some(""), Some("nobody's"), Some(wrong.reveal())] {
            assert_eq!(status(token), StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        for (_, role) in Role::WORDS {
            let status = status(Some(closed.token(role)));
            if role < needed {
                assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} as {role}");
            } else {
                assert!(is_let_in(status), "{method} {path} as {role}: {status}");
            }
        }
    }
}

#[test]
fn who_asks_is_who_owns_the_token_whatever_the_request_says() {
    let closed = Setting::new(CLOSED);
    let mut asked = request(&Method::GET, "/api/v1/whoami", Some(closed.token(Role::Operator)));
    asked.headers_mut().insert("segue-by", "somebody".parse().expect("a value"));
    let own = json!({"name": "the-operator", "role": "operator"});
    assert_eq!(closed.ask(asked), (StatusCode::OK, own));
    let open = Setting::new(OPEN);
    let mut asked = request(&Method::GET, "/api/v1/whoami", None);
    let local = json!({"name": "local", "role": "admin"});
    assert_eq!(open.ask(request(&Method::GET, "/api/v1/whoami", None)), (StatusCode::OK, local));
    asked.headers_mut().insert("segue-by", "ana".parse().expect("a value"));
    assert_eq!(open.ask(asked).1["name"], "local/ana", "nobody has proved that it is ana");
}

#[test]
fn only_an_admin_sees_data_without_masks() {
    let closed = Setting::new(CLOSED);
    for path in [
        "/api/v1/instances/order/o-1",
        "/api/v1/instances/order/o-1/messages",
        "/api/v1/dead-letters/0/7",
    ] {
        for (_, role) in Role::WORDS {
            let unmasked = format!("{path}?masks=off");
            let (status, problem) =
                closed.ask(request(&Method::GET, &unmasked, Some(closed.token(role))));
            // Nothing is there, so that whoever may look is told so.
            let expected = if role == Role::Admin { "not-found" } else { "forbidden" };
            assert_eq!(problem["code"], expected, "{path} as {role}: {status}");
            let masked = closed.ask(request(&Method::GET, path, Some(closed.token(role)))).1;
            assert_eq!(masked["code"], "not-found", "{path} as {role}");
        }
    }
}

#[test]
fn a_token_that_is_taken_out_of_the_file_is_let_in_no_more() {
    let closed = Setting::new(CLOSED);
    let viewer = closed.token(Role::Viewer);
    let ask = || closed.ask(request(&Method::GET, "/api/v1/whoami", Some(viewer))).0;
    assert_eq!(ask(), StatusCode::OK);
    std::fs::write(closed.folder.path().join("tokens"), "# nobody\n").expect("written");
    assert_eq!(ask(), StatusCode::UNAUTHORIZED);
    std::fs::write(closed.folder.path().join("tokens"), "damaged").expect("written");
    assert_eq!(ask(), StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn a_page_of_another_origin_cannot_act_on_this_machine() {
    let open = Setting::new(OPEN);
    let status = |method: &Method, headers: &[(&'static str, &str)]| {
        let mut asked = request(method, "/api/v1/instances/order/o-1/acts", None);
        if *method == Method::GET {
            asked = request(method, "/api/v1/whoami", None);
        }
        for (name, value) in headers {
            asked.headers_mut().insert(*name, value.parse().expect("a value"));
        }
        open.ask(asked).0
    };
    let rebound = [("host", "evil.example:8900")];
    assert_eq!(status(&Method::GET, &rebound), StatusCode::FORBIDDEN);
    assert_eq!(status(&Method::GET, &[("host", "localhost:8900")]), StatusCode::OK);
    let foreign = [("host", "127.0.0.1:8900"), ("origin", "https://evil.example")];
    assert_eq!(status(&Method::POST, &foreign), StatusCode::FORBIDDEN);
    let own = [("host", "127.0.0.1:8900"), ("origin", "http://127.0.0.1:8900")];
    let (form, refused) = (status(&Method::POST, &own), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(form, refused, "a form is no JSON, so that browsers ask before they send it");
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again() {
    let closed = Setting::new(How { requests_max: 1, ..CLOSED });
    let ask = |role| closed.ask(request(&Method::GET, "/api/v1/whoami", Some(closed.token(role))));
    assert_eq!(ask(Role::Viewer).0, StatusCode::OK);
    // On a machine that is slow enough, the second one comes a second later.
    let refused = (0..100).map(|_| ask(Role::Viewer)).find(|(status, _)| *status != StatusCode::OK);
    let (status, problem) = refused.expect("one of them comes too soon");
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(problem["detail"], "the-viewer asks too often");
    assert_eq!(ask(Role::Admin).0, StatusCode::OK, "others are not held up");
}

/// Every one of them is read, also beside other parameters.
const MANY_TESTS: &str = "/api/v1/instances?where=a&where=b&limit=1&where=c&where=d&where=e&\
                          where=f&where=g&sort=newest&where=h&where=i";

#[test]
fn what_is_wrong_is_told_as_a_problem_with_its_mend() {
    let open = Setting::new(OPEN);
    for (method, path, status, detail) in [
        (Method::GET, "/api/v2", 404, "there is nothing at /api/v2"),
        (Method::DELETE, "/api/v1/flow", 405, "/api/v1/flow does not take this method"),
        (Method::GET, "/api/v1/instances?state=lost", 422, "`state`: `lost` is not one of "),
        (Method::GET, "/api/v1/instances?color=red", 422, "unknown field `color`"),
        (Method::GET, "/api/v1/instances?limit=501", 422, "`limit` is 501; it is 1 to 500"),
        (Method::GET, "/api/v1/instances?limit=0", 422, "`limit` is 0; it is 1 to 500"),
        (
            Method::GET,
            "/api/v1/instances?sort=size",
            422,
            "`sort`: `size` is no order; write newest",
        ),
        (Method::GET, "/api/v1/instances?sort=-data.a", 422, "no saga is searched by `data.a`"),
        (Method::GET, "/api/v1/instances?where=data.a", 422, "`data.a` is no test of a field"),
        (Method::GET, "/api/v1/instances?where=data.a%3D1", 422, "no saga is searched by `data.a`"),
        (Method::GET, MANY_TESTS, 422, "`where` stands 9 times; 8 at most"),
        (Method::GET, "/api/v1/instances?error=1", 422, "`1` is no error group"),
        (Method::GET, "/api/v1/instances?started_from=now", 422, "`started_from`: `now` is no RFC"),
        (Method::GET, "/api/v1/instances/Not%20A%20Name/k", 422, "`Not A Name` is not a name"),
        (Method::GET, "/api/v1/instances/order/k?wait=2m", 422, "`wait` is 2m; 1m at most"),
        (Method::GET, "/api/v1/instances/order/k?masks=some", 422, "`masks`: `some` is not on or"),
        (Method::GET, "/api/v1/dead-letters/zero/0", 422, "Invalid URL"),
        (Method::GET, "/api/v1/dead-letters?state=shut", 422, "`state`: `shut` is not open, "),
        (Method::GET, "/api/v1/dead-letters/0/7", 404, "there is no dead letter at 0/7"),
        (Method::GET, "/api/v1/instances/order/o-1", 404, "there is no order/o-1"),
        (Method::GET, "/api/v1/instances/order/o-1/history", 404, "there is no order/o-1"),
        (Method::GET, "/api/v1/instances/order/o-1/messages", 404, "there is no order/o-1"),
        (Method::GET, "/api/v1/instances/order/o-1/drawing", 404, "there is no order/o-1"),
        (Method::GET, "/api/v1/instances/order/k/drawing?format=png", 422, "`format`: `png` is"),
        (Method::GET, "/api/v1/sagas/order/definition", 404, "there is no order"),
        (Method::GET, "/api/v1/sagas/order/drawing?version=3", 404, "there is no order version 3"),
        (Method::GET, "/api/v1/sagas/order/drawing?format=png", 422, "`format`: `png` is not svg"),
        (Method::GET, "/readyz", 503, "records are left"),
    ] {
        let (answered, problem) = open.ask(request(&method, path, None));
        assert_eq!(answered.as_u16(), status, "{method} {path}: {problem}");
        assert_eq!(problem["status"], status, "{method} {path}");
        let said = problem["detail"].as_str().unwrap_or_default();
        assert!(said.contains(detail), "{method} {path}: {said}");
        assert_ne!(problem["mend"], "", "{method} {path} says what to do");
        assert!(
            problem["type"].as_str().is_some_and(|kind| kind.starts_with("urn:segue:problem:"))
        );
    }
}

#[test]
fn an_act_that_is_none_is_refused_before_it_is_written() {
    let open = Setting::new(OPEN);
    for (body, detail) in [
        (json!({"verb": "retry", "why": "w", "by": "ben"}), "`by` stands in the body"),
        (json!({"verb": "retry"}), "`why` is missing; say the reason"),
        (json!({"verb": "dance", "why": "w"}), "unknown variant `dance`"),
        (json!({"verb": "retry", "why": "w", "data": 1}), "`data` is no JSON object"),
        (json!({"verb": "retry", "why": "w", "step": "a["}), "names no step"),
        (json!({"verb": "answer"}), "`choice` is missing; say which"),
        (json!({"verb": "retry", "why": "w", "colour": 1}), "unknown field `colour`"),
        (json!({"why": "w"}), "missing field `verb`"),
        (json!([]), "an act is a JSON object"),
    ] {
        let (status, problem) = open.ask(posted("/api/v1/instances/order/o-1/acts", &body));
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        let said = problem["detail"].as_str().unwrap_or_default();
        assert!(said.contains(detail), "{body}: {said}");
    }
    let acts = "/api/v1/instances/order/o-1/acts";
    let retry = json!({"verb": "retry", "why": "w"});
    let asked = |query: &str| open.ask(posted(&format!("{acts}{query}"), &retry));
    assert_eq!(asked("?dry-run").1["detail"], "there is no order/o-1");
    assert_eq!(asked("?dry-run=maybe").1["detail"], "`dry-run`: `maybe` is not true or false");
    assert!(open.written.0.lock().expect("no test panics inside").is_empty());
}

#[test]
fn beside_an_engine_it_is_ready_when_the_shards_are_restored() {
    let beside = Setting::new(How { health: true, ..OPEN });
    let (status, problem) = beside.ask(request(&Method::GET, "/readyz", None));
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        problem["detail"].as_str().is_some_and(|why| why.starts_with("the engine is starting"))
    );
    assert_eq!(beside.ask(request(&Method::GET, "/livez", None)).0, StatusCode::OK, "it is alive");
}

#[test]
fn what_cannot_be_done_with_a_dead_letter_is_refused_before_anything_is_written() {
    let open = Setting::new(OPEN);
    for (verb, body, status, detail) in [
        ("discard", json!({"why": "a test"}), 404, "there is no dead letter at 0/7"),
        ("replay", json!({"why": "mended"}), 404, "there is no dead letter at 0/7"),
        ("discard", json!({}), 422, "missing field `why`"),
        ("discard", json!({"why": " "}), 422, "`why` is missing; say the reason"),
        ("discard", json!({"why": "w".repeat(10_001)}), 422, "`why` has 10001 bytes"),
        ("replay", json!({"edit": {}}), 422, "missing field `why`"),
        ("replay", json!({"why": "w", "by": "ben"}), 422, "unknown field `by`"),
        ("replay", json!({"why": "w", "edit": {"boby": 1}}), 422, "unknown field `boby`"),
        ("replay", json!([]), 422, "a replay is a JSON object"),
    ] {
        let (answered, problem) =
            open.ask(posted(&format!("/api/v1/dead-letters/0/7/{verb}"), &body));
        let said = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(answered.as_u16(), status, "{verb} {body}: {problem}");
        assert!(said.contains(detail), "{verb} {body}: {said}");
    }
    assert!(open.written.0.lock().expect("no test panics inside").is_empty());
}

#[test]
fn a_word_about_starts_names_a_saga_and_a_reason() {
    let open = Setting::new(OPEN);
    for (body, status, detail) in [
        (json!({"why": "they are down"}), 404, "there is no order"),
        (json!({}), 422, "missing field `why`"),
        (json!({"why": " "}), 422, "`why` is missing; say the reason"),
        (json!({"why": "w", "by": "ben"}), 422, "unknown field `by`"),
    ] {
        for verb in ["pause", "resume"] {
            let path = format!("/api/v1/sagas/order/{verb}");
            let (answered, problem) = open.ask(posted(&path, &body));
            let said = problem["detail"].as_str().unwrap_or_default();
            assert_eq!(answered.as_u16(), status, "{verb} {body}: {problem}");
            assert!(said.contains(detail), "{verb} {body}: {said}");
        }
    }
}

fn posted(path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).expect("a request")
}

#[test]
fn a_server_answers_its_client_and_closes_when_it_is_dropped() {
    let open = Setting::new(OPEN);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let (stop, _) = watch::channel(false);
    let server = Server::start(listener, None, open.router.clone(), stop).expect("a server");
    let client = Client::new(&address, None, "ana").expect("a client");
    let who = client.get(&Endpoint::at(&["whoami"])).expect("an answer");
    assert_eq!(who, json!({"name": "local/ana", "role": "admin"}));
    match client.get(&Endpoint::at(&["nothing"])) {
        Err(NoAnswer::Problem(told)) => {
            assert_eq!((told.status, told.code.as_str()), (404, "not-found"));
        }
        other => panic!("{other:?}"),
    }
    drop(server);
    match client.get(&Endpoint::at(&["whoami"])) {
        Err(failure @ NoAnswer::Silent { .. }) => {
            assert!(failure.to_string().contains("`segue dev`"), "it says how to start one");
        }
        other => panic!("{other:?}"),
    }
}
