use axum::http::Method;

use super::Role;

/// Who may ask for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Anybody, without a token.
    Anybody,
    /// Anybody who sends a form of a page that is served here: a page of another origin must not
    /// log somebody in or out.
    OwnPage,
    /// Whoever has that role, or one that may do more.
    Of(Role),
}

/// The rule of every endpoint. One without a rule answers nobody, and a test fails.
pub(super) const RULES: [(Method, &str, Rule); 34] = [
    (Method::GET, "/livez", Rule::Anybody),
    (Method::GET, "/readyz", Rule::Anybody),
    (Method::GET, "/openapi.json", Rule::Anybody),
    (Method::GET, "/api/v1/instances", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/counts", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/instances/{saga}/{key}", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/instances/{saga}/{key}/history", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/instances/{saga}/{key}/messages", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/instances/{saga}/{key}/drawing", Rule::Of(Role::Viewer)),
    (Method::POST, "/api/v1/instances/{saga}/{key}/acts", Rule::Of(Role::Operator)),
    (Method::POST, "/api/v1/bulk", Rule::Of(Role::Operator)),
    (Method::GET, "/api/v1/bulk", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/bulk/{id}", Rule::Of(Role::Viewer)),
    (Method::POST, "/api/v1/bulk/{id}/stop", Rule::Of(Role::Operator)),
    (Method::GET, "/api/v1/attention", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/owed", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/questions", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/dead-letters", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/dead-letters/{partition}/{offset}", Rule::Of(Role::Viewer)),
    (Method::POST, "/api/v1/dead-letters/bulk", Rule::Of(Role::Operator)),
    (Method::POST, "/api/v1/dead-letters/{partition}/{offset}/replay", Rule::Of(Role::Operator)),
    (Method::POST, "/api/v1/dead-letters/{partition}/{offset}/discard", Rule::Of(Role::Operator)),
    (Method::GET, "/api/v1/sagas", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/sagas/{saga}/definition", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/sagas/{saga}/drawing", Rule::Of(Role::Viewer)),
    (Method::POST, "/api/v1/sagas/{saga}/pause", Rule::Of(Role::Operator)),
    (Method::POST, "/api/v1/sagas/{saga}/resume", Rule::Of(Role::Operator)),
    (Method::POST, "/api/v1/sagas/{saga}/start", Rule::Of(Role::Operator)),
    (Method::GET, "/api/v1/flow", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/live", Rule::Of(Role::Viewer)),
    (Method::GET, "/api/v1/whoami", Rule::Of(Role::Viewer)),
    (Method::POST, "/api/v1/sql", Rule::Of(Role::Operator)),
    (Method::POST, "/api/v1/session", Rule::Of(Role::Viewer)),
    (Method::DELETE, "/api/v1/session", Rule::Of(Role::Viewer)),
];

/// The rule of every page of the console; the tests of that room compare it with what is routed.
pub(crate) const PAGES: [(Method, &str, Rule); 23] = [
    (Method::GET, "/", Rule::Of(Role::Viewer)),
    (Method::GET, "/attention", Rule::Of(Role::Viewer)),
    (Method::GET, "/instances", Rule::Of(Role::Viewer)),
    (Method::GET, "/instances/{saga}/{key}", Rule::Of(Role::Viewer)),
    (Method::POST, "/instances/{saga}/{key}/acts", Rule::Of(Role::Operator)),
    (Method::GET, "/instances/acts", Rule::Of(Role::Operator)),
    (Method::POST, "/instances/acts", Rule::Of(Role::Operator)),
    (Method::GET, "/acts", Rule::Of(Role::Viewer)),
    (Method::GET, "/acts/{id}", Rule::Of(Role::Viewer)),
    (Method::POST, "/acts/{id}/stop", Rule::Of(Role::Operator)),
    (Method::GET, "/questions", Rule::Of(Role::Viewer)),
    (Method::GET, "/owed", Rule::Of(Role::Viewer)),
    (Method::GET, "/sagas", Rule::Of(Role::Viewer)),
    (Method::GET, "/sagas/{saga}", Rule::Of(Role::Viewer)),
    (Method::GET, "/dead-letters", Rule::Of(Role::Viewer)),
    (Method::GET, "/dead-letters/{partition}/{offset}", Rule::Of(Role::Viewer)),
    (Method::GET, "/dead-letters/acts", Rule::Of(Role::Operator)),
    (Method::POST, "/dead-letters/acts", Rule::Of(Role::Operator)),
    (Method::GET, "/flow", Rule::Of(Role::Viewer)),
    (Method::GET, "/login", Rule::Anybody),
    (Method::POST, "/login", Rule::OwnPage),
    (Method::POST, "/logout", Rule::OwnPage),
    (Method::GET, "/assets/{file}", Rule::Anybody),
];

/// The rule of an endpoint or a page, by its method and its path as it is routed.
pub(super) fn find(method: &Method, path: &str) -> Option<Rule> {
    // A `HEAD` is a `GET` without its body.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let found = RULES.iter().chain(&PAGES).find(|(of, place, _)| of == method && *place == path);
    found.map(|(_, _, rule)| *rule)
}
