use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{Frame, Section, page};
use super::overview::{SagaLine, lines};
use crate::api::{Problem, Service, Who};
use crate::view::View;

/// The sagas that run or have run.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "sagas.html")]
pub(super) struct SagasPage {
    pub frame: Frame,
    pub sagas: Vec<SagaLine>,
}

/// Answers the list of sagas.
pub(super) async fn list(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let sagas = service.look(View::sagas).await?.found;
    let frame = Frame::of(&service, &who, Section::Sagas, "Sagas").await?;
    page(&SagasPage { frame, sagas: lines(&sagas) })
}
