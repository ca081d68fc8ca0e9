//! What pages load beside their text: all of it is built in.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::api::{At, Code, Problem};
use crate::graph;

const STYLE: &str = include_str!("assets/console.css");
const ICON: &str = include_str!("assets/icon.svg");
const CONSOLE: &str = include_str!("assets/console.js");
const LIVE: &str = include_str!("assets/live.js");
const KEYS: &str = include_str!("assets/keys.js");

/// Every file by its name, with its kind.
pub(super) const FILES: [(&str, &str, &str); 6] = [
    ("console.css", "text/css; charset=utf-8", STYLE),
    ("graph.css", "text/css; charset=utf-8", graph::STYLE_SHEET),
    ("icon.svg", "image/svg+xml", ICON),
    ("console.js", "text/javascript; charset=utf-8", CONSOLE),
    ("live.js", "text/javascript; charset=utf-8", LIVE),
    ("keys.js", "text/javascript; charset=utf-8", KEYS),
];

/// One of the files. A browser asks each time whether it is still the same, and gets no more than
/// that word if it is.
pub(super) async fn file(At(name): At<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let Some((_, kind, text)) = FILES.iter().find(|(known, _, _)| *known == name) else {
        let detail = format!("there is no file `{name}`");
        return Err(Problem::new(Code::NotFound, detail, "load the page again"));
    };
    let tag = format!("\"{}\"", &blake3::hash(text.as_bytes()).to_hex()[..16]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let about = [
        (header::CONTENT_TYPE, (*kind).to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag.clone()),
    ];
    if known == Some(tag.as_str()) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    Ok((about, *text).into_response())
}
