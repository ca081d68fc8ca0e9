use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::{Extension, Router, middleware};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::guard::{Door, guard};
use super::problem::{Code, Problem};
use super::request::BODY_BYTES_MAX;
use super::service::Service;
use super::{
    acts, bulk, clearing, dead_letters, disposals, drawing, flow, health, instances, lists, live,
    pauses, sagas, session, sql, start,
};

/// What the description says beside the endpoints.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Segue", description = "Sagas over Kafka: looked at, acted on, started."),
    modifiers(&Bearer),
    security(("token" = []), ("session" = [])),
)]
struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(session::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// The endpoints and their description.
pub(super) fn endpoints() -> (Router<Service>, OpenApi) {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::document))
        .routes(routes!(health::whoami))
        .routes(routes!(session::begin, session::end))
        .routes(routes!(instances::list))
        .routes(routes!(instances::counts))
        .routes(routes!(instances::show))
        .routes(routes!(instances::history))
        .routes(routes!(instances::messages))
        .routes(routes!(drawing::of_instance))
        .routes(routes!(acts::act))
        .routes(routes!(bulk::begin))
        .routes(routes!(bulk::list))
        .routes(routes!(bulk::show))
        .routes(routes!(bulk::stop))
        .routes(routes!(lists::attention))
        .routes(routes!(lists::owed))
        .routes(routes!(lists::questions))
        .routes(routes!(sagas::list))
        .routes(routes!(sagas::definition))
        .routes(routes!(sagas::drawing))
        .routes(routes!(pauses::pause))
        .routes(routes!(pauses::resume))
        .routes(routes!(flow::flow))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::show))
        .routes(routes!(clearing::clear))
        .routes(routes!(disposals::replay))
        .routes(routes!(disposals::discard))
        .routes(routes!(start::start))
        .routes(routes!(live::live))
        .routes(routes!(sql::ask))
        .split_for_parts()
}

/// Everything that is served, behind its guard; the pages stand beside the endpoints.
pub(super) fn router(service: Service, door: Door, pages: Router<Service>) -> Router {
    let (endpoints, document) = endpoints();
    let document = serde_json::to_value(document).expect("it is made of texts");
    let door = Arc::new(door);
    endpoints
        .merge(pages)
        .route_layer(middleware::from_fn_with_state(Arc::clone(&door), guard))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(Extension(Arc::new(document)))
        .layer(Extension(door))
        .layer(Extension(sql::Room::default()))
        .with_state(service)
}

async fn unknown(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}", uri.path());
    Problem::new(Code::NotFound, detail, "/openapi.json lists what there is")
}

async fn wrong_method(uri: Uri) -> Problem {
    let detail = format!("{} does not take this method", uri.path());
    Problem::new(Code::WrongMethod, detail, "/openapi.json says which it takes")
}
