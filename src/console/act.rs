//! Forms by which people act; what they ask for goes the way of every act of the API.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::foreseen;
use super::frame::lead;
use super::query::{Query, instance_link};
use crate::api::{self, Answer, Asked, At, Body, Problem, Service, Who, Written};
use crate::message::read_json;

/// How long what comes of an act is waited for before the page is shown again.
const WAIT: &str = "8s";

/// Acts as a form says, and leads back to the page of the instance.
pub(super) async fn act(
    State(service): State<Service>,
    At((saga, key)): At<(String, String)>,
    who: Who,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Response, Problem> {
    let said = read(&headers, &form)?;
    if said.get("look").is_some() {
        return foreseen::look(service, (saga, key), who, &said).await;
    }
    let act = body(&said)?;
    let waiting = serde_json::from_value(json!({ "wait": WAIT }));
    let waiting = waiting.map_err(|e| Problem::defect(e.to_string()))?;
    let asked = id(&said)?;
    let at = At((saga.clone(), key.clone()));
    let acted = api::act(State(service), at, Asked(waiting), who, asked, Body(act)).await?;
    let (_, Json(Answer { found, .. })) = acted;
    Ok(back(&saga, &key, said.get("back"), &found))
}

/// Reads a form. Only a form: a script of another page can send other kinds only after it has
/// asked, and a form comes with its origin.
pub(super) fn read(headers: &HeaderMap, form: &[u8]) -> Result<Query, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::wrong("this is no form; programs act by /api/v1"));
    }
    let text = std::str::from_utf8(form);
    text.map(Query::read).map_err(|_| Problem::wrong("the form is no UTF-8 text"))
}

/// The id of one showing of a form, so that it acts once however often it is sent.
pub(super) fn id(said: &Query) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    if let Some(id) = said.get("id") {
        let id = HeaderValue::from_str(id);
        let id = id.map_err(|_| Problem::wrong("the id of the form holds odd signs"))?;
        headers.insert("idempotency-key", id);
    }
    Ok(headers)
}

/// Whether somebody has said to be sure of what cannot be taken back.
pub(super) fn check_sure(said: &Query) -> Result<(), Problem> {
    match said.get("sure") {
        Some(_) => Ok(()),
        None => Err(Problem::wrong("the box was not ticked that says that you are sure")),
    }
}

/// The act that a form asks for, as the API takes it.
pub(super) fn body(said: &Query) -> Result<Value, Problem> {
    if said.get("grave").is_some() {
        check_sure(said)?;
    }
    let mut act = Map::new();
    for name in ["verb", "step", "why", "choice", "note"] {
        if let Some(value) = said.get(name) {
            act.insert(name.to_owned(), value.into());
        }
    }
    if let Some(data) = said.get("data") {
        let data = read_json(data.as_bytes());
        let data = data.map_err(|e| Problem::wrong(format!("the data is no JSON: {e}")))?;
        act.insert("data".to_owned(), data);
    }
    Ok(Value::Object(act))
}

/// Leads to the page that the form came from, which says what came of it.
fn back(saga: &str, key: &str, list: Option<&str>, written: &Written) -> Response {
    let place = written.outcome.as_ref().map(|entry| entry.stored.offset.to_string());
    let acted = Query::default().with("acted", place.as_deref().unwrap_or("later"));
    let place = match list {
        Some("questions") => "/questions".to_owned(),
        Some(_) | None => acted.link(&instance_link(saga, key)),
    };
    lead(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))])
    }

    #[test]
    fn a_form_becomes_the_act_that_the_api_takes() {
        let kind = headers("application/x-www-form-urlencoded; charset=utf-8");
        let said = read(&kind, b"verb=retry&step=pay%5B2%5D&why=it+is+back&id=7&note=&by=ben");
        let act = body(&said.expect("a form")).expect("an act");
        assert_eq!(act, json!({"verb": "retry", "step": "pay[2]", "why": "it is back"}));
        let said = Query::read("verb=set-data&why=w&data={\"fee\": 1.10}");
        assert_eq!(body(&said).expect("an act")["data"].to_string(), r#"{"fee":1.10}"#);
    }

    #[test]
    fn what_is_no_form_or_not_meant_is_refused() {
        let refused = |kind, form: &[u8]| read(&headers(kind), form).is_err();
        assert!(refused("text/plain", b"verb=retry"));
        assert!(refused("application/json", b"{}"));
        assert!(refused("application/x-www-form-urlencoded", b"verb=\xff"));
        assert!(body(&Query::read("verb=cancel&why=w&grave=yes")).is_err());
        assert!(body(&Query::read("verb=cancel&why=w&grave=yes&sure=yes")).is_ok());
        assert!(body(&Query::read("verb=set-data&why=w&data={")).is_err());
    }
}
