//! The form of answers: problems as pages for browsers, and what a browser must refuse.

use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use super::frame::{Frame, page};
use super::login::Asking;
use crate::api::{Problem, WaysIn};

/// What pages may load and do: what is served here, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The headers of every page. The referrer stays within, for with `no-referrer` a browser would
/// send forms without their origin.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// What went wrong, as a page.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "problem.html")]
pub(super) struct ProblemPage {
    pub frame: Frame,
    pub title: String,
    pub detail: String,
    pub mend: String,
    pub near: Vec<NearLink>,
}

/// Something that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NearLink {
    pub name: String,
    pub link: String,
}

/// Gives answers their form.
pub(super) fn dress(router: Router) -> Router {
    router.layer(middleware::from_fn(dressed))
}

async fn dressed(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && path != "/openapi.json";
    let reads_pages = is_page && accepts_pages(request.headers());
    let asking = reads_pages.then(|| Asking::of(&request));
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let ways = response.extensions_mut().remove::<WaysIn>();
    if let (Some(problem), Some(asking)) = (problem, asking) {
        // Whoever is not known gets the form that asks in the place of what was wanted.
        response = match ways {
            Some(ways) => page_answer(&asking.form(ways), response),
            None => page_answer(&ProblemPage::of(&problem), response),
        };
    }
    if is_page {
        for (name, value) in HEADERS {
            response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
        }
    }
    response
}

/// Whether whoever asks is a browser that shows a page.
fn accepts_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// The problem as a page, with the status and the headers that it has without.
fn page_answer(template: &impl Template, plain: Response) -> Response {
    let Ok(mut answer) = page(template) else { return plain };
    *answer.status_mut() = plain.status();
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = plain.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

impl ProblemPage {
    pub fn of(problem: &Problem) -> Self {
        let near = problem.near_by().iter().map(|name| NearLink {
            name: name.clone(),
            link: match name.split_once('/') {
                Some((saga, key)) => super::query::instance_link(saga, key),
                None => format!("/sagas/{}", crate::api::escaped(name)),
            },
        });
        let title = problem.title().to_owned();
        let frame = Frame::of_nobody(title.clone());
        let (detail, mend) = (problem.detail().to_owned(), problem.mend().to_owned());
        Self { frame, title, detail, mend, near: near.collect() }
    }
}
