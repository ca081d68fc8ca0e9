//! A person's word about the starts of a saga: kept until another word, or begun again.
//!
//! It stands beside what files say, in `<app>.definitions`, and every node follows it; whoever
//! may write there may deploy definitions as well, so it needs no signature of its own.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::disposals::check_why;
use super::owners::Who;
use super::problem::{Code, Problem};
use super::request::{Asked, At, Body, idempotency_key, saga_name, wait};
use super::sagas::find;
use super::service::{Answer, Service};
use crate::broker::definitions;
use crate::definition::{StartsWord, State as Starting};
use crate::message::{Offset, SagaName, Span};
use crate::node::MachineClock;
use crate::runtime::Clock as _;
use crate::view::StartsWordTold;

/// How long it is waited for the view by default.
const WAIT_DEFAULT: Span = Span(5_000);

/// Why the starts of a saga are kept, or begin again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Saying {
    /// Why; everybody who looks at the saga reads it.
    why: String,
}

/// How long it is waited for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Waiting {
    /// Waits so long until the view says so, such as `30s`; 5 s by default, a minute at most.
    wait: Option<String>,
}

/// What starts a saga after a person's word.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct StartsTold {
    /// The saga.
    saga: String,
    /// Whether events start it: `active`, `paused`, `retired` or `removed`.
    starts: String,
    /// The last word that the view knows.
    word: Option<StartsWordTold>,
}

/// Keeps what starts a saga, in its order, until `resume`: what runs goes on. It holds whatever
/// files of nodes say that start meanwhile. The same `Idempotency-Key` says it once.
#[utoipa::path(
    post, path = "/api/v1/sagas/{saga}/pause", tag = "sagas", request_body = Saying,
    params(
        ("saga" = String, Path, description = "The saga"),
        ("idempotency-key" = Option<String>, Header, description = "The word's own id"),
        Waiting,
    ),
    responses(
        (status = 200, body = Answer<StartsTold>, description = "The view knows it"),
        (status = 202, body = Answer<StartsTold>, description = "It is written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn pause(
    State(service): State<Service>,
    At(saga): At<String>,
    Asked(waiting): Asked<Waiting>,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Answer<StartsTold>>), Problem> {
    let said = Said { is_paused: true, id: idempotency_key(&headers)?, by: who.name };
    said.say(&service, &saga, waiting, body).await
}

/// Ends a person's pause: what was kept starts, in its order. What a file says of the saga's
/// starts is not changed.
#[utoipa::path(
    post, path = "/api/v1/sagas/{saga}/resume", tag = "sagas", request_body = Saying,
    params(
        ("saga" = String, Path, description = "The saga"),
        ("idempotency-key" = Option<String>, Header, description = "The word's own id"),
        Waiting,
    ),
    responses(
        (status = 200, body = Answer<StartsTold>, description = "The view knows it"),
        (status = 202, body = Answer<StartsTold>, description = "It is written"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn resume(
    State(service): State<Service>,
    At(saga): At<String>,
    Asked(waiting): Asked<Waiting>,
    who: Who,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<(StatusCode, Json<Answer<StartsTold>>), Problem> {
    let said = Said { is_paused: false, id: idempotency_key(&headers)?, by: who.name };
    said.say(&service, &saga, waiting, body).await
}

/// What somebody says.
struct Said {
    is_paused: bool,
    id: String,
    by: String,
}

impl Said {
    async fn say(
        self,
        service: &Service,
        saga: &str,
        waiting: Waiting,
        body: Value,
    ) -> Result<(StatusCode, Json<Answer<StartsTold>>), Problem> {
        let saying = serde_json::from_value(body).map_err(|e| Problem::wrong(e.to_string()))?;
        let Saying { why } = saying;
        check_why(&why)?;
        let (saga, limit) = (saga_name(saga)?, wait(waiting.wait.as_deref())?);
        let before = starts(service, &saga).await?;
        let is_known = |told: &StartsTold| told.word.as_ref().is_some_and(|w| w.id == self.id);
        if !is_known(&before) {
            refusal(&before, self.is_paused).map_or(Ok(()), Err)?;
            let (is_paused, id, by) = (self.is_paused, self.id.clone(), self.by.clone());
            let (at, offset) = (MachineClock::default().now(), Offset::default());
            let word = StartsWord { is_paused, id, by, why, at, offset };
            let (app, of) = (service.app.clone(), saga.clone());
            let write = move |to: &_| definitions::say(to, &app, &of, &word);
            service.ask(write).await?;
            tracing::warn!(%saga, is_paused, by = self.by, id = self.id, "starts.said");
        }
        let told = || async { Ok(Some(starts(service, &saga).await?).filter(is_known)) };
        let told = service.until(limit.unwrap_or(WAIT_DEFAULT), told).await?;
        let status = if told.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
        let found = told.unwrap_or(before);
        let freshness = service.look(|view| Ok(view.freshness())).await?;
        Ok((status, Json(Answer { found, freshness })))
    }
}

/// What the view says of the starts of a saga.
async fn starts(service: &Service, saga: &SagaName) -> Result<StartsTold, Problem> {
    let of = saga.clone();
    let looked = service.look(move |view| Ok((view.catalog(), view.starts_word(&of))));
    let (catalog, word) = looked.await?;
    find(&catalog, saga, None)?;
    let state = catalog.starting(saga).map_or(Starting::Removed, |(_, state)| state);
    Ok(StartsTold { saga: saga.to_string(), starts: state.text().to_owned(), word })
}

/// Why a word would say nothing.
fn refusal(told: &StartsTold, is_paused: bool) -> Option<Problem> {
    let StartsTold { saga, starts, word } = told;
    let pause = word.as_ref().filter(|word| word.is_paused);
    let refused = |detail: String, mend: &str| Some(Problem::new(Code::Refused, detail, mend));
    if let Some(StartsWordTold { by, why, at, .. }) = pause.filter(|_| is_paused) {
        let detail = format!("{by} has paused the starts of {saga} at {at}: {why}");
        return refused(detail, "resume them first if you want to say another reason");
    }
    let is_idle = [Starting::Retired, Starting::Removed].iter().any(|idle| idle.text() == starts);
    if is_paused && is_idle {
        let detail = format!("{saga} is {starts}: no event starts it");
        return refused(detail, "there is nothing to pause");
    }
    if !is_paused && pause.is_none() {
        let detail = format!("nobody has paused the starts of {saga}; it is {starts}");
        let mend = "what a file says of `state` is changed there, and a node is started with it";
        return refused(detail, mend);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Timestamp;
    use crate::status::Moment;

    fn told(starts: Starting, paused: Option<bool>) -> StartsTold {
        let word = paused.map(|is_paused| StartsWordTold {
            is_paused,
            by: "ana".to_owned(),
            why: "the bank is down".to_owned(),
            at: Moment(Timestamp(0)),
            id: "w-1".to_owned(),
        });
        StartsTold { saga: "order".to_owned(), starts: starts.text().to_owned(), word }
    }

    #[test]
    fn what_would_change_nothing_is_refused_and_says_why() {
        use Starting::{Active, Paused, Removed, Retired};
        for (starts, word, is_paused, detail) in [
            (Active, None, true, None),
            (Active, Some(false), true, None),
            // Its file says so too, and may be changed while the person's word holds.
            (Paused, None, true, None),
            (Paused, Some(true), true, Some("ana has paused the starts of order at ")),
            (Retired, None, true, Some("order is retired: no event starts it")),
            (Removed, Some(false), true, Some("order is removed: no event starts it")),
            (Paused, Some(true), false, None),
            (Retired, Some(true), false, None),
            (Active, None, false, Some("nobody has paused the starts of order; it is active")),
            (
                Paused,
                Some(false),
                false,
                Some("nobody has paused the starts of order; it is paused"),
            ),
        ] {
            let refused = refusal(&told(starts, word), is_paused);
            let said = refused.as_ref().map(Problem::detail);
            assert_eq!(said.is_some(), detail.is_some(), "{starts:?} {word:?} {is_paused}");
            assert!(said.zip(detail).is_none_or(|(said, d)| said.starts_with(d)), "{said:?}");
        }
    }
}
