use axum::Router;

use super::service::Service;

/// What is served beside the API, behind the same guard.
#[derive(Clone, Copy)]
pub struct Pages {
    /// The pages, each with a line in the table of rules.
    pub(crate) routes: fn() -> Router<Service>,
    /// Gives every answer the form that whoever asks can read: a browser gets problems as pages.
    pub(crate) dress: fn(Router) -> Router,
}

impl Pages {
    /// The API alone.
    pub const NONE: Self = Self { routes: Router::new, dress: |router| router };
}
