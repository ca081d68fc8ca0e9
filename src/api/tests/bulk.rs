//! Acts on many instances that are refused before anything is written.

use axum::http::{Method, header};
use serde_json::json;

use super::{CLOSED, OPEN, Role, Setting, posted, request};

#[test]
fn an_act_on_many_that_is_none_is_refused_before_it_is_written() {
    let open = Setting::new(OPEN);
    let retry = json!({"verb": "retry", "why": "w"});
    for (query, body, status, detail) in [
        ("?state=stuck", retry.clone(), 404, "no instance is like that"),
        ("?state=stuck", json!({"verb": "retry", "expect": 0}), 404, "no instance is like that"),
        ("", retry.clone(), 422, "say which instances: "),
        ("?key=", retry.clone(), 422, "say which instances: "),
        ("?where=data.a%3D1", retry.clone(), 422, "no saga is searched by `data.a`"),
        ("?state=stuck&limit=3", retry.clone(), 422, "`limit` has no meaning for all instances"),
        ("?state=lost", retry, 422, "`state`: `lost` is not one of "),
        ("?state=stuck", json!({"verb": "retry", "rate": 0}), 422, "`rate` is 0; it is 1 to 100"),
        ("?state=stuck", json!({"verb": "retry", "by": "ben"}), 422, "`by` stands in the body"),
        ("?state=stuck", json!([]), 422, "an act is a JSON object"),
    ] {
        let (answered, problem) = open.ask(posted(&format!("/api/v1/bulk{query}"), &body));
        let said = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(answered.as_u16(), status, "{query} {body}: {problem}");
        assert!(said.contains(detail), "{query} {body}: {said}");
    }
    let unknown = "there is no act on many instances with the id b-1";
    let shown = open.ask(request(&Method::GET, "/api/v1/bulk/b-1", None)).1;
    assert_eq!(shown["detail"], unknown);
    let stopped = open.ask(posted("/api/v1/bulk/b-1/stop", &json!({}))).1;
    assert_eq!(stopped["detail"], unknown);
    assert!(open.written.0.lock().expect("no test panics inside").is_empty());
}

#[test]
fn only_an_admin_sets_data_of_one_or_of_many() {
    let closed = Setting::new(CLOSED);
    let body = json!({"verb": "set-data", "why": "w", "data": {"fee": 1}});
    for path in ["/api/v1/bulk?state=stuck", "/api/v1/instances/order/o-1/acts"] {
        for (role, code) in [(Role::Operator, "forbidden"), (Role::Admin, "not-found")] {
            let mut asked = posted(path, &body);
            let bearer = format!("Bearer {}", closed.token(role)).parse().expect("a value");
            asked.headers_mut().insert(header::AUTHORIZATION, bearer);
            let (status, problem) = closed.ask(asked);
            assert_eq!(problem["code"], code, "{path} as {role}: {status} {problem}");
        }
    }
    assert!(closed.written.0.lock().expect("no test panics inside").is_empty());
}

#[test]
fn what_is_asked_of_many_dead_letters_is_refused_before_anything_is_written() {
    let open = Setting::new(OPEN);
    let discard = || json!({"how": "discard", "why": "w"});
    for (query, body, status, detail) in [
        ("", discard(), 422, "say which dead letters: "),
        ("?topic=", discard(), 422, "say which dead letters: "),
        ("?topic=t&state=any", discard(), 422, "only open dead letters"),
        ("?topic=t&limit=2", discard(), 422, "`limit` has no meaning for all dead letters"),
        ("?topic=a%20b", discard(), 422, "`topic`: "),
        ("?before=now", discard(), 422, "`before`: `now` is no RFC 3339 moment"),
        ("?topic=t", json!({"how": "burn", "why": "w"}), 422, "`how`: `burn` is not replay or"),
        ("?topic=t", json!({"how": "discard", "why": " "}), 422, "`why` is missing"),
        ("?topic=t", json!({"how": "discard"}), 422, "missing field `why`"),
        ("?topic=t", json!({"how": "discard", "why": "w", "rate": 101}), 422, "`rate` is 101"),
        ("?topic=t", discard(), 404, "no dead letter is like that"),
    ] {
        let path = format!("/api/v1/dead-letters/bulk{query}");
        let (answered, problem) = open.ask(posted(&path, &body));
        let said = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(answered.as_u16(), status, "{query} {body}: {problem}");
        assert!(said.contains(detail), "{query} {body}: {said}");
    }
    assert!(open.written.0.lock().expect("no test panics inside").is_empty());
}
