//! Pages made of values, and pages that are asked for.

mod columns;
mod login;
mod many;
mod saga;

use askama::Template;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::attention::{AttentionPage, concerns};
use super::dead_letters::{LetterPage, LetterTold};
use super::diff::side_by_side;
use super::frame::{Frame, Fresh, Section};
use super::instance::{Acted, InstancePage, InstanceTold, Known};
use super::instances::{InstanceList, InstancesPage};
use super::login::LoginPage;
use super::overview::{line, lines, verdict};
use super::query::Query;
use super::questions::{QuestionsPage, by_role};
use super::saga::{SagaPage, SagaTold};
use super::{assets, router};
use crate::api::tests::{CLOSED, OPEN, Setting, request};
use crate::api::{PAGES, Role, WaysIn};
use crate::definition::{Catalog, parse};
use crate::message::Timestamp;
use crate::status::{LifeState, Moment, Overview};
use crate::view::{
    AttentionGroup, Coordinates, Detail, Entry, Freshness, OpenQuestion, Page, SagaRow,
};

const SAGA: &str = include_str!("../../sagas/order-fulfilment/saga.yaml");
/// What must never reach a page as it is.
const HOSTILE: &str = "\"><script>alert('1')</script><img src=x onerror=alert(2)>&\u{202e}evil";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-30T18:00:00Z").expect("a moment")
}

fn frame(section: Section) -> Frame {
    Frame {
        title: "A page".to_owned(),
        section,
        who: "local/ana".to_owned(),
        role: "admin".to_owned(),
        can_log_out: false,
        fresh: Fresh { class: "is-well", words: "up to date".to_owned() },
        stuck: 2,
    }
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    let definition = parse("saga.yaml", SAGA).expect("it is shipped");
    catalog.add(definition).expect("the only one");
    catalog
}

/// A life that is stuck at the second step, with changes.
fn detail(changes: &Value) -> Detail {
    let at = "2026-11-30T17:55:00.000Z";
    let place = json!({"topic": "shop.changelog", "partition": 2, "offset": 8123});
    let mut life = json!({
        "life": "1-3f09ac52d7", "version": 1, "definition": "ab", "title": "A sale",
        "state": "stuck", "since": at, "started": "2026-11-30T17:50:00.000Z", "ended": null,
        "paused": null, "deadline": "2026-11-30T18:20:00.000Z", "forgotten_at": null,
        "next_due": null,
        "steps": [{"step": "charge-card", "kind": "command", "title": "Take the money",
            "undoing": false, "waits": {"for": "person"}, "attempt": 5, "attempts_max": 5,
            "attempts": 5, "since": at, "due": null, "until": null}],
        "reached": [{"step": "reserve-stock", "mark": "done"},
            {"step": "charge-card", "mark": "stuck"}],
        "stuck": [{"step": "charge-card", "undoing": false, "since": at,
            "reason": "payments.commands/ChargeCard has not answered"}],
        "owed": [], "failure": null, "pending": null, "error": null, "trace": "4bf9",
        "parent": null, "children": [], "transitions": 7, "pivoted": false,
        "data": {"order_id": "o-1", "total": 149.90, "card": "***"}, "is_masked": true,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        life[name] = value.clone();
    }
    let state = life["state"].clone();
    serde_json::from_value(json!({
        "overview": {"saga": "order-fulfilment", "key": "o-1", "state": state, "lives": [life],
            "queued": [], "paused": false, "early": [], "lock": null},
        "stored": place, "changed": at, "entries": 3,
    }))
    .expect("a detail")
}

fn entry(transition: u64, second: u64, notes: &Value) -> Entry {
    let place = json!({"topic": "shop.history", "partition": 2, "offset": 100 + transition});
    serde_json::from_value(json!({
        "saga": "order-fulfilment", "key": "o-1", "life": "1-3f09ac52d7",
        "transition": transition, "status": "running",
        "at": format!("2026-11-30T17:50:{second:02}.000Z"), "stored": place, "input": place,
        "notes": notes,
    }))
    .expect("an entry")
}

fn note(kind: &str, step: &str, words: &str) -> Value {
    json!({"kind": kind, "step": step, "words": words, "data": {}})
}

fn entries() -> Vec<Entry> {
    vec![
        entry(1, 0, &json!([note("sent", "reserve-stock", "inventory.commands/ReserveStock")])),
        entry(
            2,
            2,
            &json!([
                note("succeeded", "reserve-stock", "inventory.events/StockReserved"),
                note("sent", "charge-card", "payments.commands/ChargeCard"),
            ]),
        ),
        entry(3, 9, &json!([note("stuck", "charge-card", "it has not answered")])),
    ]
}

fn told(detail: &Detail, entries: &[Entry], role: Role) -> InstanceTold {
    let known = Known { detail, entries, catalog: &catalog() };
    InstanceTold::of(&known, &Query::default(), role, now())
}

/// That there is a page of whatever the engine can make, and that it says where that stands.
pub(crate) fn is_shown(overview: &Overview) {
    let place = Coordinates { topic: "t".to_owned(), partition: 0, offset: 0 };
    let changed = Moment(now());
    let detail = Detail { overview: overview.clone(), stored: place, changed, entries: 0 };
    let known = Known { detail: &detail, entries: &[], catalog: &Catalog::default() };
    let told = InstanceTold::of(&known, &Query::default(), Role::Admin, now());
    assert!(told.sentence.now.ends_with('.'), "{}", told.sentence.now);
    let page = instance_page(told);
    assert!(page.contains(&format!("state is-{}", overview.state)), "{page}");
}

fn instance_page(told: InstanceTold) -> String {
    let form_id = "f00d".to_owned();
    let page = InstancePage { frame: frame(Section::Instances), told, acted: None, form_id };
    page.render().expect("a page")
}

/// A page without what is drawn, for a snapshot that people can read.
fn without_drawings(page: &str) -> String {
    let mut text = String::new();
    for (index, part) in page.split("<svg").enumerate() {
        let rest = if index == 0 { part } else { part.split_once("</svg>").map_or("", |p| p.1) };
        text.push_str(rest);
    }
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn list(rows: &Value, query: &str) -> InstanceList {
    let page: Page =
        serde_json::from_value(json!({"instances": rows, "next": "1f-2"})).expect("a page");
    let counts = serde_json::from_value::<Vec<_>>(json!([
        {"saga": "order-fulfilment", "state": "stuck", "instances": 2},
        {"saga": "order-fulfilment", "state": "completed", "instances": 98_311},
        {"saga": "segue-lock", "state": "held", "instances": 5},
        {"saga": "transfer", "state": "running", "instances": 1},
    ]));
    InstanceList::of(&Query::read(query), &page, &counts.expect("counts"), Role::Operator, now())
}

fn row(key: &str, reason: &str) -> Value {
    json!({
        "saga": "order-fulfilment", "key": key, "state": "stuck", "version": 1,
        "step": "charge-card", "reason": reason, "error": null,
        "started": "2026-11-30T17:50:00.000Z", "changed": "2026-11-30T17:55:00.000Z",
        "ended": null, "due": null, "fields": {},
    })
}

#[test]
fn the_list_of_instances_looks_as_it_should() {
    let list = list(&json!([row("o-1", "it has not answered")]), "state=stuck&key=o-&sort=oldest");
    let page = InstancesPage { frame: frame(Section::Instances), list };
    insta::assert_snapshot!(without_drawings(&page.render().expect("a page")));
}

#[test]
fn an_instance_that_is_stuck_looks_as_it_should() {
    let told = told(&detail(&json!({})), &entries(), Role::Admin);
    insta::assert_snapshot!(without_drawings(&instance_page(told)));
}

#[test]
fn each_filter_is_a_chip_that_leads_to_the_list_without_it() {
    let list = list(&json!([]), "state=stuck&saga=order-fulfilment&error=3f&after=1-2");
    let chips: Vec<_> = list.chips.iter().map(|chip| chip.without.as_str()).collect();
    assert_eq!(
        chips,
        ["/instances?state=stuck&error=3f", "/instances?state=stuck&saga=order-fulfilment"]
    );
    assert_eq!(
        list.first.as_deref(),
        Some("/instances?state=stuck&saga=order-fulfilment&error=3f")
    );
    let counted = |word: &str| {
        let of = |chip: &&super::instances::StateChip| {
            chip.state.map_or("all", |state| state.word) == word
        };
        list.states.iter().find(of).map(|chip| (chip.instances.as_str(), chip.is_on))
    };
    assert_eq!(counted("completed"), Some(("98,311", false)), "of the saga that is chosen");
    assert_eq!(counted("running"), Some(("0", false)));
    assert_eq!(counted("stuck"), Some(("2", true)));
    assert_eq!(counted("all"), Some(("98,313", false)));
}

#[test]
fn locks_are_counted_only_where_they_are_asked_for() {
    let all = list(&json!([]), "");
    assert_eq!(all.states[0].instances, "98,314");
    assert_eq!(all.sagas, ["order-fulfilment", "transfer"]);
    let locks = list(&json!([]), "saga=segue-lock");
    assert_eq!(locks.states.iter().map(|chip| chip.instances.as_str()).max(), Some("5"));
}

#[test]
fn what_others_wrote_is_text_on_every_page() {
    let hostile = |field: &str| json!({ field: HOSTILE });
    let mut detail = detail(&json!({
        "title": HOSTILE, "data": {HOSTILE: HOSTILE, "list": [HOSTILE]},
        "parent": {"saga": "s", "key": HOSTILE, "life": "1", "step": HOSTILE},
        "failure": {"kind": "rejected", "step": null, "reason": HOSTILE},
        "stuck": [{"step": HOSTILE, "undoing": true, "since": "2026-11-30T17:55:00.000Z",
            "reason": HOSTILE}],
        "owed": [{"step": HOSTILE, "to": HOSTILE, "since": "2026-11-30T17:55:00.000Z",
            "attempts": 1, "due": null, "parked": true}],
    }));
    detail.overview.key = HOSTILE.to_owned();
    let entries = [entry(1, 0, &json!([note(HOSTILE, HOSTILE, HOSTILE)]))];
    let group: AttentionGroup = serde_json::from_value(json!({
        "concern": "stuck", "saga": "s", "step": HOSTILE, "reason": HOSTILE, "error": null,
        "instances": 1, "oldest": "2026-11-30T17:55:00.000Z", "key": HOSTILE,
    }))
    .expect("a group");
    let question: OpenQuestion = serde_json::from_value(json!({
        "who": HOSTILE, "saga": "s", "key": HOSTILE, "step": HOSTILE, "choices": [HOSTILE],
        "since": null, "until": null,
    }))
    .expect("a question");
    let letter = serde_json::from_value(json!({
        "row": {"partition": 0, "offset": 1, "at": "2026-11-30T17:55:00.000Z", "reason": HOSTILE,
            "origin": HOSTILE, "instance": format!("s/{HOSTILE}"), "event_type": HOSTILE},
        "key": HOSTILE, "headers": [[HOSTILE, HOSTILE]], "body": hostile("a"), "is_masked": true,
    }))
    .expect("a letter");
    let list = list(&json!([row(HOSTILE, HOSTILE)]), "key=%22%3E%3Cscript%3E&color=%3Cimg%3E");
    let pages = [
        instance_page(told(&detail, &entries, Role::Admin)),
        InstancesPage { frame: frame(Section::Instances), list }.render().expect("a page"),
        AttentionPage {
            frame: frame(Section::Attention),
            concerns: concerns(&[group], Role::Admin, now()),
        }
        .render()
        .expect("a page"),
        QuestionsPage {
            frame: frame(Section::Questions),
            roles: by_role(&[question], now()),
            may_answer: true,
            form_id: "f".to_owned(),
        }
        .render()
        .expect("a page"),
        LetterPage {
            frame: frame(Section::DeadLetters),
            told: LetterTold::of(&letter, Role::Admin, now()),
        }
        .render()
        .expect("a page"),
    ];
    for page in pages {
        assert_eq!(page.matches("<script").count(), 1, "only our own:\n{page}");
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("onerror=alert(2)>"), "{page}");
        for attribute in [" style=", " onclick=", " onload="] {
            assert!(!page.contains(attribute), "{attribute} is refused by browsers:\n{page}");
        }
    }
}

#[test]
fn every_state_has_a_sentence_and_a_page() {
    for (word, state) in LifeState::WORDS {
        let ended = state.has_ended().then_some("2026-11-30T17:59:00.000Z");
        let detail = detail(&json!({ "state": word, "ended": ended }));
        let told = told(&detail, &entries(), Role::Admin);
        assert_eq!(told.state.word, word);
        assert!(told.sentence.now.ends_with('.'), "{word}: {}", told.sentence.now);
        assert_eq!(told.offers.is_empty(), state.has_ended(), "{word}");
        assert!(instance_page(told).contains(&format!("is-{word}")), "{word}");
    }
}

#[test]
fn each_kind_of_wait_is_told_in_a_sentence() {
    let at = "2026-11-30T18:00:10.000Z";
    for (waits, words) in [
        (json!({"for": "reply", "from": "t/Charge"}), "was asked of t/Charge; there is no answer"),
        (json!({"for": "attempt", "of": "t/Charge"}), "is asked of t/Charge again soon"),
        (json!({"for": "probe", "of": "t/Ask"}), "may have happened; t/Ask is asked whether"),
        (json!({"for": "event", "any_of": ["t/A", "t/B"]}), "waits for t/A or t/B"),
        (json!({"for": "answer", "who": "sales", "choices": ["a", "b"]}), "asks sales: a, b"),
        (json!({"for": "time"}), "lets time pass"),
        (json!({"for": "child", "saga": "c", "key": "k"}), "waits for the end of c/k"),
        (json!({"for": "lock", "keys": ["l"], "held": 0, "behind": "x of s/k"}), "that x of s/k"),
        (json!({"for": "person"}), "waits for a person"),
        (json!({"for": "unknown"}), "is under way"),
    ] {
        let mut step = json!({"step": "charge-card", "kind": "command", "title": "",
            "undoing": false, "attempt": null, "attempts_max": null, "attempts": null,
            "since": null, "due": at, "until": null});
        step["waits"] = waits;
        let changes = json!({"state": "running", "steps": [step], "stuck": []});
        let told = told(&detail(&changes), &[], Role::Viewer);
        assert!(told.sentence.now.starts_with("“Take the money” "), "{}", told.sentence.now);
        assert!(told.sentence.now.contains(words), "{}", told.sentence.now);
        assert!(told.sentence.next.contains("in 10 s"), "{}", told.sentence.next);
    }
}

#[test]
fn acts_are_offered_to_those_who_may_do_them() {
    let verbs = |changes: &Value, role| {
        let told = told(&detail(changes), &[], role);
        told.offers.iter().map(|offer| offer.verb).collect::<Vec<_>>()
    };
    let stuck = json!({});
    assert!(verbs(&stuck, Role::Viewer).is_empty());
    let operator =
        ["retry", "resolve-done", "resolve-not-done", "skip", "go-back", "pause", "cancel"];
    assert_eq!(verbs(&stuck, Role::Operator), operator);
    assert_eq!(verbs(&stuck, Role::Admin), [&operator[..], &["set-data"]].concat());
    let pivoted = json!({ "pivoted": true });
    let forward = ["retry", "resolve-done", "resolve-not-done", "skip", "pause"];
    assert_eq!(verbs(&pivoted, Role::Operator), forward);
    let paused = json!({"state": "paused", "stuck": []});
    assert_eq!(verbs(&paused, Role::Operator), ["resume", "cancel"]);
}

#[test]
fn a_drawing_marks_how_far_each_step_is() {
    let drawing = told(&detail(&json!({})), &[], Role::Viewer).drawing;
    for mark in ["at-done", "at-stuck", "✓ done", "! stuck", "edge taken"] {
        assert!(drawing.contains(mark), "{mark} in\n{drawing}");
    }
    assert!(!drawing.contains("<style"), "the page has the style sheet");
    roxmltree::Document::parse(&drawing).expect("XML");
}

#[test]
fn a_lifeline_mirrors_what_undoes_below() {
    let back = entry(4, 12, &json!([note("undoing", "reserve-stock", "release")]));
    let entries: Vec<Entry> = entries().into_iter().chain([back]).collect();
    let line = told(&detail(&json!({})), &entries, Role::Viewer).line.expect("it ran");
    let names = |bars: &[super::lifeline::Bar]| {
        bars.iter().map(|bar| format!("{} {}", bar.name, bar.class)).collect::<Vec<_>>()
    };
    assert_eq!(names(&line.forward), ["“Put the goods aside” is-done", "“Take the money” is-open"]);
    assert_eq!(names(&line.back), ["“Put the goods aside” is-open"]);
    let place = |bar: &super::lifeline::Bar| bar.x.trim_end_matches('%').parse::<f64>().ok();
    assert_eq!(place(&line.forward[0]), Some(0.0));
    assert!(place(&line.forward[1]) < place(&line.back[0]));
}

#[test]
fn a_long_history_is_told_in_part_and_says_so() {
    let mut detail = detail(&json!({}));
    detail.entries = 10_000;
    let notes = json!([note("sent", "charge-card", "again")]);
    let entries: Vec<Entry> = (0..200).map(|n| entry(n, n % 60, &notes)).collect();
    let told = told(&detail, &entries, Role::Viewer);
    assert_eq!((told.story.len(), told.earlier.as_str()), (200, "9,800"));
    let more = "/instances/order-fulfilment/o-1?entries=all";
    assert_eq!(told.more.as_deref(), Some(more));
    let page = instance_page(told);
    assert!(page.len() < 150_000, "{} bytes", page.len());
}

#[test]
fn what_came_of_an_act_is_read_from_the_history_alone() {
    let known = Acted::of("103", &entries());
    assert_eq!((known.is_known, known.words.as_str()), (true, "it has not answered"));
    let unknown = Acted::of(HOSTILE, &entries());
    assert!(!unknown.is_known && !unknown.words.contains('<'));
}

fn saga_row() -> SagaRow {
    serde_json::from_value(json!({
        "saga": "s", "version": 1, "starts": "active", "title": "t", "versions": [1],
        "counts": [{"saga": "s", "state": "running", "instances": 1_200}],
        "p50_ms": 900, "p99_ms": null,
    }))
    .expect("a saga")
}

#[test]
fn two_versions_of_a_saga_stand_side_by_side() {
    let told = SagaTold {
        saga: line(&saga_row()),
        version: 2,
        versions: Vec::new(),
        steps: Vec::new(),
        drawing: String::new(),
        source: vec!["title: <b>".to_owned()],
        against: Some(1),
        diff: side_by_side("saga: s\ntitle: a", "saga: s\ntitle: <b>"),
    };
    let page = SagaPage { frame: frame(Section::Sagas), told }.render().expect("a page");
    assert!(page.contains("Version 1 and version 2"), "{page}");
    assert!(page.contains("<tr class=\"is-same\">") && page.contains("<tr class=\"is-changed\">"));
    assert!(page.contains("<code>title: &#60;b&#62;</code>"), "{page}");
}

#[test]
fn the_first_page_says_in_a_sentence_whether_all_is_well() {
    let fresh = Freshness {
        unread_records: 0,
        behind_records: 0,
        behind_ms: Some(1),
        heard: None,
        is_whole: true,
        trouble: None,
    };
    let group = |concern: &str, instances: u64| -> AttentionGroup {
        serde_json::from_value(json!({
            "concern": concern, "saga": "s", "step": null, "reason": null, "error": null,
            "instances": instances, "oldest": "2026-11-30T17:55:00.000Z", "key": "k",
        }))
        .expect("a group")
    };
    let sagas = [saga_row()];
    let told = |groups: &[AttentionGroup]| verdict(groups, &sagas, &fresh).words;
    assert!(told(&[]).starts_with("All is well"));
    assert_eq!(
        told(&[group("stuck", 1), group("retrying", 9)]),
        "1 saga is stuck and waits for a person."
    );
    assert_eq!(
        told(&[group("unanswered", 2)]),
        "2 questions wait for an answer; nothing is stuck."
    );
    assert_eq!(told(&[group("retrying", 2)]), "2 sagas have to ask again; nothing is stuck.");
    assert!(told(&[group("overdue", 2)]).contains("does an engine run?"));
    assert!(verdict(&[], &sagas, &fresh).more.starts_with("1,200 on their way"));
    let broken = Freshness { trouble: Some("no disk".to_owned()), ..fresh.clone() };
    assert_eq!(verdict(&[], &sagas, &broken).class, "is-wrong");
    let [line] = &lines(&sagas)[..] else { panic!("one saga") };
    assert_eq!((line.p50.as_str(), line.cells[0].instances.as_str()), ("900 ms", "1,200"));
}

#[test]
fn every_page_has_a_rule_and_every_rule_a_page() {
    let routed: Vec<&str> = router::routed().iter().map(|(path, _)| *path).collect();
    let mut ruled: Vec<&str> = PAGES.iter().map(|(_, path, _)| *path).collect();
    ruled.dedup();
    assert_eq!(routed, ruled);
    let open = Setting::new(OPEN);
    for (method, path, _) in PAGES {
        let answered = open.ask(request(&method, &filled(path), None)).0;
        assert_ne!(answered, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_ne!(answered, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
    }
}

fn filled(path: &str) -> String {
    let path = path.replace("{partition}", "0").replace("{offset}", "0");
    let path = path.replace("{id}", "b-1").replace("{file}", "console.css");
    path.replace("{saga}", "order").replace("{key}", "o-1")
}

/// What a browser gets: the status, the header of that name, and the text.
fn browsed(setting: &Setting, path: &str, named: &str) -> (StatusCode, String, String) {
    let asked = Request::get(path).header(header::ACCEPT, "text/html,*/*");
    let asked = asked.body(Body::empty()).expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let answer = setting.router.clone().call(asked).await.expect("it always answers");
        let status = answer.status();
        let value = answer.headers().get(named).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default().to_owned();
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        (status, value, String::from_utf8_lossy(&body).into_owned())
    })
}

#[test]
fn a_browser_gets_problems_as_pages_and_programs_as_json() {
    let closed = Setting::new(CLOSED);
    let (status, kind, page) = browsed(&closed, "/instances", "content-type");
    assert_eq!((status, kind.as_str()), (StatusCode::UNAUTHORIZED, "text/html; charset=utf-8"));
    assert!(page.contains("<h1>Log in</h1>") && page.contains("segue token new"), "{page}");
    let (status, kind, _) = browsed(&closed, "/api/v1/instances", "content-type");
    let json = (StatusCode::UNAUTHORIZED, "application/problem+json");
    assert_eq!((status, kind.as_str()), json, "the API is for programs");
    let open = Setting::new(OPEN);
    let (status, _, page) = browsed(&open, "/nowhere", "content-type");
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(page.contains("there is nothing at /nowhere"), "{page}");
    let (status, _, page) = browsed(&open, "/instances?state=lost", "content-type");
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("`lost` is not one of"), "{page}");
}

#[test]
fn browsers_are_told_to_load_and_run_nothing_else() {
    let open = Setting::new(OPEN);
    for (_, path, _) in PAGES.iter().filter(|(method, _, _)| *method == Method::GET) {
        let policy = browsed(&open, &filled(path), "content-security-policy").1;
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    let referrer = browsed(&open, "/", "referrer-policy").1;
    assert_eq!(referrer, "same-origin", "or forms would come without their origin");
}

#[test]
fn the_files_of_the_pages_are_small_and_ask_nobody_else() {
    let is_script = |kind: &str| kind.starts_with("text/javascript");
    let scripts = assets::FILES.iter().filter(|(_, kind, _)| is_script(kind));
    assert!(scripts.map(|(_, _, text)| text.len()).sum::<usize>() <= 40 * 1024);
    for (name, _, text) in assets::FILES {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for word in ["http://", "https://", "//cdn", "@import", "eval(", "innerHTML = "] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn inks_have_the_contrast_that_eyes_need() {
    let (_, _, style) = assets::FILES[0];
    let (light, dark) = style.split_once("prefers-color-scheme: dark").expect("two schemes");
    for (scheme, text) in [("light", light), ("dark", dark)] {
        let tone = |name: &str| {
            let at = text.find(&format!("--{name}: #")).expect("a token") + name.len() + 5;
            luminance(&text[at..at + 6])
        };
        let inks = [
            "ink", "ink-2", "ink-3", "accent", "run", "retry", "wait", "back", "stuck", "done",
            "undone", "rest",
        ];
        for paper in ["paper", "rail", "raised", "sunk"] {
            for ink in inks {
                let contrast = contrast(tone(ink), tone(paper));
                assert!(contrast >= 4.5, "{scheme}: {ink} on {paper} is {contrast:.2}");
            }
        }
        for (ink, paper) in [
            ("accent-ink", "accent"),
            ("paper", "stuck"),
            ("paper", "done"),
            ("paper", "run"),
            ("paper", "back"),
            ("paper", "retry"),
            ("paper", "rest"),
            ("ink", "stuck-wash"),
            ("ink-2", "stuck-wash"),
            ("ink-2", "done-wash"),
            ("ink-2", "busy-wash"),
            ("ink-2", "accent-wash"),
            ("accent", "accent-wash"),
        ] {
            let contrast = contrast(tone(ink), tone(paper));
            assert!(contrast >= 4.5, "{scheme}: {ink} on {paper} is {contrast:.2}");
        }
    }
}

fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The relative luminance of a colour, as WCAG defines it.
fn luminance(hex: &str) -> f64 {
    let part = |at: usize| {
        let value = u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}
