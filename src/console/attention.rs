use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{Frame, Section, grouped, page};
use super::query::{Query, instance_link};
use super::times::{Shown, now};
use crate::api::{Problem, Role, Service, Who};
use crate::message::Timestamp;
use crate::status::LifeState;
use crate::view::{AttentionGroup, Concern, View};

/// The inbox of whoever looks after the sagas.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "attention.html")]
pub(super) struct AttentionPage {
    pub frame: Frame,
    pub concerns: Vec<ConcernTold>,
}

/// Everything that needs attention for one kind of reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConcernTold {
    pub name: &'static str,
    /// What can be done about it.
    pub help: &'static str,
    pub class: &'static str,
    pub instances: String,
    pub groups: Vec<GroupTold>,
}

/// Instances that need attention for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupTold {
    pub saga: String,
    pub step: String,
    pub reason: String,
    pub instances: String,
    pub oldest: Shown,
    pub key: String,
    /// The oldest of them.
    pub first: String,
    /// All of them.
    pub list: String,
    /// The form that retries all of them, where that mends them and whoever looks may.
    pub retry: Option<String>,
}

/// Answers the inbox.
pub(super) async fn show(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let groups = service.look(View::attention).await?.found;
    let frame = Frame::of(&service, &who, Section::Attention, "Attention").await?;
    page(&AttentionPage { frame, concerns: concerns(&groups, who.role, now()) })
}

/// The groups by their concern, the worst first.
pub(super) fn concerns(groups: &[AttentionGroup], role: Role, now: Timestamp) -> Vec<ConcernTold> {
    let all = [Concern::Stuck, Concern::Overdue, Concern::Retrying, Concern::Unanswered];
    let told = |concern: Concern| {
        let own: Vec<_> = groups.iter().filter(|group| group.concern == concern).collect();
        let (name, help, class) = words(concern);
        let instances = own.iter().map(|group| group.instances).sum();
        ConcernTold {
            name,
            help,
            class,
            instances: grouped(instances),
            groups: own.into_iter().map(|group| GroupTold::of(group, role, now)).collect(),
        }
    };
    all.into_iter().map(told).filter(|told| !told.groups.is_empty()).collect()
}

fn words(concern: Concern) -> (&'static str, &'static str, &'static str) {
    match concern {
        Concern::Stuck => (
            "Stuck",
            "Nothing goes on until a person acts. Open one, mend the cause, and retry.",
            "is-stuck",
        ),
        Concern::Overdue => (
            "Overdue",
            "A timer should have struck and has not: see under Flow whether an engine runs.",
            "is-stuck",
        ),
        Concern::Retrying => (
            "Retrying",
            "These mend themselves when their participant answers again.",
            "is-retrying",
        ),
        Concern::Unanswered => {
            ("Unanswered", "A person was asked; the answers stand under Questions.", "is-waiting")
        }
    }
}

impl GroupTold {
    fn of(group: &AttentionGroup, role: Role, now: Timestamp) -> Self {
        let query = query(group);
        let is_offered = group.concern == Concern::Stuck && role >= Role::Operator;
        Self {
            saga: group.saga.clone(),
            step: group.step.clone().unwrap_or_default(),
            reason: group.reason.clone().unwrap_or_default(),
            instances: grouped(group.instances),
            oldest: Shown::new(group.oldest, now),
            key: group.key.clone(),
            first: instance_link(&group.saga, &group.key),
            retry: is_offered.then(|| query.with("verb", "retry").link("/instances/acts")),
            list: query.link("/instances"),
        }
    }
}

/// Which instances a group is of.
fn query(group: &AttentionGroup) -> Query {
    let mut query = Query::default().with("saga", &group.saga);
    match group.concern {
        Concern::Stuck => query = query.with("state", LifeState::Stuck.text()),
        Concern::Retrying => query = query.with("state", LifeState::Retrying.text()),
        Concern::Overdue => {}
        Concern::Unanswered => query = query.with("state", LifeState::Waiting.text()),
    }
    if let Some(step) = &group.step {
        query = query.with("step", step.split('[').next().unwrap_or_default());
    }
    if let Some(error) = group.error {
        query = query.with("error", &error.to_string());
    }
    query
}
