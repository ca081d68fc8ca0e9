//! What `/openapi.json` says is what a running server answers: every endpoint is asked, well and
//! badly, and each answer has a status, a kind and a body that stand in the document.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use segue::api::Endpoint;
use serde_json::{Map, Value, json};

use super::asking::Asking;
use super::dev::Dev;

const BULK: &str = "described";

/// The document, as the server tells it.
struct Document(Value);

/// What a server answers.
struct Answered {
    status: u16,
    kind: String,
    body: String,
}

/// What is asked of an endpoint, and whether that is understood.
struct Asked {
    query: &'static str,
    body: Option<Value>,
    status: u16,
}

fn well(query: &'static str) -> Asked {
    Asked { query, body: None, status: 200 }
}

fn with(query: &'static str, status: u16, body: Value) -> Asked {
    Asked { query, body: Some(body), status }
}

/// What each endpoint is asked; one that is not named here fails the test.
fn asked(method: &str, path: &str) -> Vec<Asked> {
    let done = || json!({"verb": "retry", "why": "it is back"});
    let why = || json!({"why": "it is broken"});
    match (method, path) {
        ("get", "/api/v1/instances") => vec![
            well(""),
            well("?state=stuck,retrying&saga=parcel&version=1&key=o&sort=oldest&limit=3"),
            well("?where=data.order%3Do-1&sort=-data.order"),
            Asked { status: 422, ..well("?limit=0") },
        ],
        ("get", "/api/v1/instances/{saga}/{key}") => {
            vec![well(""), well("?masks=off"), Asked { status: 422, ..well("?wait=1h") }]
        }
        ("post", "/api/v1/instances/{saga}/{key}/acts") => vec![
            with("?dry-run", 200, done()),
            with("", 202, json!({"verb": "pause", "why": "they move"})),
            with("?dry-run", 409, json!({"verb": "answer", "choice": "yes"})),
            with("", 422, json!({"verb": "dance"})),
        ],
        ("post", "/api/v1/bulk") => vec![
            with("?saga=parcel&key=o-1", 200, done()),
            with("", 422, done()),
            with("?saga=nobody", 404, done()),
        ],
        ("post", "/api/v1/bulk/{id}/stop") => vec![with("", 409, json!({}))],
        ("post", "/api/v1/dead-letters/bulk") => vec![
            with("?topic=shop.orders", 200, json!({"how": "replay", "why": "it is mended"})),
            with("?reason=nobody", 404, json!({"how": "discard", "why": "they are old"})),
            with("", 422, json!({"how": "discard", "why": "they are old"})),
        ],
        ("post", "/api/v1/dead-letters/{partition}/{offset}/replay") => {
            vec![with("?dry-run", 200, why()), with("", 422, json!({"why": " "}))]
        }
        ("post", "/api/v1/dead-letters/{partition}/{offset}/discard") => {
            vec![with("?dry-run", 200, why()), with("?wait=30s", 200, why()), with("", 409, why())]
        }
        ("get", "/api/v1/instances/{saga}/{key}/messages") => {
            vec![well(""), well("?limit=3&masks=off"), Asked { status: 422, ..well("?limit=201") }]
        }
        ("get", "/api/v1/instances/{saga}/{key}/drawing") => vec![
            well(""),
            well("?format=json"),
            well("?format=mermaid&lanes=true"),
            Asked { status: 404, ..well("?life=7") },
            Asked { status: 422, ..well("?format=png") },
        ],
        ("get", "/api/v1/sagas/{saga}/drawing") => vec![
            well(""),
            well("?format=mermaid"),
            well("?format=text&lanes=true"),
            Asked { status: 404, ..well("?version=7") },
        ],
        ("post", "/api/v1/sagas/{saga}/pause") => vec![
            with("?wait=30s", 200, why()),
            with("", 409, why()),
            with("", 422, json!({"why": " "})),
        ],
        ("post", "/api/v1/sagas/{saga}/resume") => {
            vec![with("?wait=30s", 200, why()), with("", 409, why())]
        }
        ("post", "/api/v1/sagas/{saga}/start") => {
            vec![
                with("", 202, json!({"order": "described", "card": "4111"})),
                with("", 422, json!({})),
            ]
        }
        ("post", "/api/v1/sql") => vec![
            with("", 200, json!({"sql": "SELECT saga, key, state FROM instances"})),
            with("", 422, json!({"sql": "DROP TABLE instances"})),
        ],
        ("post", "/api/v1/session") => vec![with("", 204, json!({}))],
        ("delete", "/api/v1/session") => vec![Asked { status: 204, ..well("") }],
        ("get", "/api/v1/owed" | "/api/v1/questions") => {
            vec![
                well("?limit=1"),
                Asked { status: 422, ..well("?limit=501") },
                Asked { status: 422, ..well("?after=x") },
            ]
        }
        (
            "get",
            "/livez"
            | "/readyz"
            | "/openapi.json"
            | "/api/v1/counts"
            | "/api/v1/instances/{saga}/{key}/history"
            | "/api/v1/bulk"
            | "/api/v1/bulk/{id}"
            | "/api/v1/attention"
            | "/api/v1/dead-letters"
            | "/api/v1/dead-letters/{partition}/{offset}"
            | "/api/v1/sagas"
            | "/api/v1/sagas/{saga}/definition"
            | "/api/v1/flow"
            | "/api/v1/whoami",
        ) => vec![well("")],
        // It never ends; another test reads it.
        ("get", "/api/v1/live") => vec![],
        (method, path) => panic!("{method} {path} is described, and nobody asks it here"),
    }
}

fn ask(dev: &Dev, method: &str, place: &str, body: Option<&Value>) -> Answered {
    let address = dev.server.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it lives");
    let body = body.map(Value::to_string).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let request = format!(
        "{} {place} HTTP/1.0\r\nhost: {address}\r\n{kind}content-length: {}\r\n\r\n{body}",
        method.to_uppercase(),
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("UTF-8 text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut words = head.split(' ').skip(1);
    let status = words.next().and_then(|word| word.parse().ok()).expect("a status");
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let kind = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map(|(_, kind)| kind.to_owned()).unwrap_or_default();
    Answered { status, kind, body: body.to_owned() }
}

impl Document {
    /// Every endpoint: its method, its path and what is said of it.
    fn endpoints(&self) -> Vec<(String, String, Value)> {
        let mut all = Vec::new();
        for (path, methods) in self.0["paths"].as_object().expect("paths") {
            for (method, about) in methods.as_object().expect("methods") {
                all.push((method.clone(), path.clone(), about.clone()));
            }
        }
        all
    }

    /// Whether an answer stands there.
    fn check(&self, about: &Value, answered: &Answered) -> Result<(), String> {
        let Answered { status, kind, body } = answered;
        let all = &about["responses"];
        let response = all.get(status.to_string()).or_else(|| all.get("default"));
        let response = response.ok_or_else(|| format!("status {status} is not described"))?;
        let Some(kinds) = response["content"].as_object() else { return Ok(()) };
        let own = kind.split(';').next().unwrap_or_default();
        let is_json = own.ends_with("json");
        match kinds.get(own) {
            Some(told) if is_json => {
                let body = serde_json::from_str(body).map_err(|e| format!("no JSON: {e}"))?;
                self.fits(&told["schema"], &body, "")
            }
            Some(_) => Ok(()),
            // A drawing has a kind for each format.
            None if own.starts_with("text/") => Ok(()),
            None => Err(format!("`{own}` is not described: {kinds:?}")),
        }
    }

    /// Whether a value is what a schema says.
    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches('#');
            let known = self.0.pointer(name).ok_or_else(|| format!("{name} is not there"))?;
            return self.fits(known, value, at);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(all) = schema[choice].as_array() {
                let fits = |schema| self.fits(schema, value, at).is_ok();
                let any = all.iter().any(fits);
                return if any { Ok(()) } else { Err(format!("{at}: {value} is none of {all:?}")) };
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fits(part, value, at)?;
        }
        if let Some(all) = schema["enum"].as_array()
            && !all.contains(value)
        {
            return Err(format!("{at}: {value} is none of {all:?}"));
        }
        let kinds = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => return Ok(()),
        };
        if !kinds.iter().any(|kind| is_of(kind, value)) {
            return Err(format!("{at}: {value} is no {kinds:?}"));
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, at),
            Value::Array(elements) => self.array(schema, elements, at),
            _ => Ok(()),
        }
    }

    fn object(&self, schema: &Value, fields: &Map<String, Value>, at: &str) -> Result<(), String> {
        let required = schema["required"].as_array().into_iter().flatten();
        if let Some(missing) = required.filter_map(Value::as_str).find(|n| !fields.contains_key(*n))
        {
            return Err(format!("{at}: `{missing}` is missing"));
        }
        let Some(known) = schema["properties"].as_object() else { return Ok(()) };
        for (name, value) in fields {
            let schema = known.get(name).ok_or_else(|| format!("{at}.{name} is not described"))?;
            self.fits(schema, value, &format!("{at}.{name}"))?;
        }
        Ok(())
    }

    fn array(&self, schema: &Value, elements: &[Value], at: &str) -> Result<(), String> {
        let parts = schema["prefixItems"].as_array();
        for (place, element) in elements.iter().enumerate() {
            let part = parts.and_then(|parts| parts.get(place)).unwrap_or(&schema["items"]);
            self.fits(part, element, &format!("{at}[{place}]"))?;
        }
        Ok(())
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// An act on many, which has ended.
fn act_on_many(api: &Asking) {
    let placed = json!({"order": "mine-1", "card": "4111"});
    api.done(&Endpoint::at(&["sagas", "parcel", "start"]), &placed, "mine-1");
    api.at_last("parcel", "mine-1", "stuck");
    let which = Endpoint::at(&["bulk"]).with("key", Some("mine-"));
    api.done(&which, &json!({"verb": "skip", "why": "all are lost", "expect": 1}), BULK);
    api.until(&Endpoint::at(&["bulk", BULK]), |shown| shown["state"] == "done");
}

#[test]
fn whatever_a_running_server_answers_stands_in_its_description() {
    let mut dev = Dev::start();
    dev.says("needs help");
    let api = Asking::at(&dev.server);
    api.at_last("parcel", "o-1", "stuck");
    let letters = super::letters::put_aside_two(&dev);
    act_on_many(&api);
    let document = ask(&dev, "get", "/openapi.json", None);
    let document = Document(serde_json::from_str(&document.body).expect("JSON"));
    let mut answers = 0;
    for (method, path, about) in document.endpoints() {
        let place = path.replace("{saga}", "parcel").replace("{key}", "o-1");
        let letter = &letters[usize::from(path.ends_with("/discard"))];
        let place = place.replace("{partition}/{offset}", letter).replace("{id}", BULK);
        for Asked { query, body, status } in asked(&method, &path) {
            let answered = ask(&dev, &method, &format!("{place}{query}"), body.as_ref());
            let told = &answered.body;
            assert_eq!(answered.status, status, "{method} {place}{query}: {told}");
            let fits = document.check(&about, &answered);
            assert_eq!(fits, Ok(()), "{method} {place}{query}: {told}");
            answers += 1;
        }
    }
    assert!(answers > 40, "{answers} answers were looked at");
}

#[test]
fn an_answer_that_is_not_described_is_seen() {
    let node = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": {"type": "string"}, "next": {"oneOf": [{"type": "null"}, {"$ref": "#/node"}]},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
            "word": {"type": ["string", "null"], "enum": ["a", null]},
        },
    });
    let document = Document(json!({"node": node}));
    let fits = |value: Value| document.fits(&json!({"$ref": "#/node"}), &value, "");
    for value in [
        json!({"name": "a", "next": null}),
        json!({"name": "a", "next": {"name": "b", "pair": ["c", 1]}, "word": "a"}),
    ] {
        assert_eq!(fits(value), Ok(()));
    }
    for value in [
        json!([]),
        json!({}),
        json!({"name": 1}),
        json!({"name": "a", "more": 1}),
        json!({"name": "a", "next": {"next": null}}),
        json!({"name": "a", "pair": [1, "c"]}),
        json!({"name": "a", "word": "b"}),
    ] {
        assert!(fits(value.clone()).is_err(), "{value}");
    }
}
