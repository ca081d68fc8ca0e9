use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::instances::detail;
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At, Body, idempotency_key, saga_name, wait};
use super::service::{Answer, Service};
use crate::correlation::{Index, decode, heading};
use crate::definition::{self, Catalog, Definition};
use crate::message::{
    Address, Headers, InstanceId, LifeId, Offset, Origin, Outgoing, SagaName, Timestamp, header,
};
use crate::node::MachineClock;
use crate::runtime::Clock as _;
use crate::status::{LifeState, Masks, Standing};

/// How an instance is started.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Placing {
    /// The event as `topic/type`, for a saga that several events start.
    on: Option<String>,
    /// The record's key; by default it is the instance's.
    key: Option<String>,
    /// Waits so long for the end, such as `30s`; a minute at most.
    wait: Option<String>,
}

/// A start event that was written to Kafka, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Placed {
    /// The event's id: the same id starts once.
    id: String,
    /// The event, as `topic/type`.
    event: String,
    /// The instance that it starts, as `saga/key`.
    instance: String,
    /// The life that it started; none if it was not waited for, or has not ended in time.
    life: Option<Standing>,
}

/// Starts an instance: writes the start event, which is the body, to the saga's start topic. The
/// same `Idempotency-Key` starts once; `?wait=30s` answers with the end.
#[utoipa::path(
    post, path = "/api/v1/sagas/{saga}/start", tag = "sagas",
    request_body(content = Value, description = "The body of the start event"),
    params(
        ("saga" = String, Path, description = "The saga"),
        ("idempotency-key" = Option<String>, Header, description = "The event's own id"),
        ("traceparent" = Option<String>, Header, description = "W3C trace context, passed on"),
        Placing,
    ),
    responses(
        (status = 200, body = Answer<Placed>, description = "It has ended"),
        (status = 202, body = Answer<Placed>, description = "It is written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn start(
    State(service): State<Service>,
    At(saga): At<String>,
    Asked(placing): Asked<Placing>,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Answer<Placed>>), Problem> {
    let saga = saga_name(&saga)?;
    let wait = wait(placing.wait.as_deref())?;
    let event_id = idempotency_key(&headers)?;
    let catalog = service.look(|view| Ok(view.catalog())).await?;
    let definition = starting(&catalog, &saga)?;
    let on = event(definition, placing.on.as_deref())?;
    let trace = headers.get(header::TRACE_PARENT).and_then(|context| context.to_str().ok());
    let event = Event {
        source: format!("/segue/{}/api", service.app),
        id: event_id,
        trace: trace.map(str::to_owned),
        key: placing.key,
        on,
        body,
    };
    let (id, message) = event.message(&catalog, &saga)?;
    service.write(message).await?;
    let mut placed = Placed {
        id: event.id.clone(),
        event: event.on.to_string(),
        instance: id.to_string(),
        life: None,
    };
    tracing::info!(instance = %id, by = who.name, id = placed.id, "start.written");
    if let Some(wait) = wait {
        let ended = || async { ended(&service, &id, event.mark()).await };
        placed.life = service.until(wait, ended).await?;
    }
    let status = if placed.life.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let freshness = service.look(|view| Ok(view.freshness())).await?;
    Ok((status, Json(Answer { found: placed, freshness })))
}

/// The definition that events start.
fn starting<'c>(catalog: &'c Catalog, saga: &SagaName) -> Result<&'c Definition, Problem> {
    let Some((definition, state)) = catalog.starting(saga) else {
        let near = catalog.sagas().map(|other| other.saga.to_string()).collect();
        let mend = "start one of those under `near`, or deploy its definition";
        return Err(Problem::new(Code::NotFound, format!("there is no {saga}"), mend).near(near));
    };
    let refused =
        |words: &str, mend: &str| Err(Problem::new(Code::Refused, format!("{saga} {words}"), mend));
    match state {
        definition::State::Retired => refused("is retired", "start another saga"),
        definition::State::Removed => refused("is removed", "deploy its definition again"),
        // While it is paused, starts are kept in their order.
        definition::State::Active | definition::State::Paused if definition.starts.is_empty() => {
            refused("is started by its parents alone", "start a parent")
        }
        definition::State::Active | definition::State::Paused => Ok(definition),
    }
}

/// The event that is meant.
fn event(definition: &Definition, on: Option<&str>) -> Result<Address, Problem> {
    let all: Vec<&Address> = definition.starts.iter().map(|start| &start.on).collect();
    let found = match on {
        None => all.first().filter(|first| all.iter().all(|other| other == *first)),
        Some(on) => all.iter().find(|address| address.to_string() == on),
    };
    found.map(|address| (*address).clone()).ok_or_else(|| {
        let words: Vec<String> = all.iter().map(ToString::to_string).collect();
        Problem::wrong(format!("say by `on` which event it is: {}", words.join(", ")))
    })
}

/// A start event that is about to be written.
struct Event {
    on: Address,
    source: String,
    id: String,
    trace: Option<String>,
    key: Option<String>,
    body: Value,
}

impl Event {
    /// The record, and the instance that it starts.
    fn message(
        &self,
        catalog: &Catalog,
        saga: &SagaName,
    ) -> Result<(InstanceId, Outgoing), Problem> {
        let now = MachineClock::default().now();
        let headers = self.headers(now);
        let body = self.body.to_string();
        let topic = self.on.topic.clone();
        let origin = Origin { topic: topic.clone(), partition: 0, offset: Offset(0) };
        let key = self.key.as_deref().map(str::as_bytes);
        let max = catalog.limits.event_bytes_max;
        let heading = heading(&origin, key, &headers, Some(body.as_bytes()), max);
        let heading = heading.map_err(|e| Problem::wrong(e.to_string()))?;
        let event = decode(&heading, body.as_bytes(), now);
        let event = event.map_err(|e| Problem::wrong(e.to_string()))?;
        let route = Index::new(catalog).route(&heading, &event, now);
        let Some(id) = route.targets.into_iter().find(|id| id.saga == *saga) else {
            let own = format!("{saga}: ");
            let why = route.complaints.iter().find_map(|words| words.strip_prefix(&own));
            let why = why.unwrap_or("its `where` does not take this event");
            return Err(Problem::wrong(format!("{saga} does not start on this: {why}")));
        };
        let key = self.key.clone().unwrap_or_else(|| id.key.to_string());
        Ok((id, Outgoing { topic, key, headers, body: body.into() }))
    }

    fn headers(&self, now: Timestamp) -> Headers {
        let mut headers = Headers::default();
        headers.push(header::SPEC_VERSION, "1.0");
        headers.push(header::ID, self.id.clone());
        headers.push(header::SOURCE, self.source.clone());
        headers.push(header::TYPE, self.on.event_type.to_string());
        headers.push(header::TIME, now.to_string());
        headers.push(header::CONTENT_TYPE, "application/json");
        if let Some(trace) = &self.trace {
            headers.push(header::TRACE_PARENT, trace.clone());
        }
        headers
    }

    /// What marks the life that this event starts.
    fn mark(&self) -> u64 {
        LifeId::begun(1, &self.on.to_string(), Some(&self.source), &self.id).mark
    }
}

/// The life with that mark, once it has ended.
async fn ended(service: &Service, id: &InstanceId, mark: u64) -> Result<Option<Standing>, Problem> {
    let lives = detail(service, id, Masks::On).await?.found.map(|detail| detail.overview.lives);
    let is_meant = |life: &Standing| {
        let id: Result<LifeId, _> = life.life.parse();
        LifeState::has_ended(life.state) && id.is_ok_and(|id| id.mark == mark)
    };
    Ok(lives.unwrap_or_default().into_iter().find(is_meant))
}
