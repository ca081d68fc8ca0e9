use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::frame::{Frame, Section, page};
use super::query::instance_link;
use super::times::{Shown, now};
use crate::api::{self, Problem, Role, Service, Who};
use crate::message::Timestamp;
use crate::view::OpenQuestion;

/// So many questions are shown; answering some shows the next.
const QUESTIONS_MAX: usize = 200;

/// The questions that nobody has answered.
#[derive(Debug, Template)]
#[template(config = "src/console/askama.toml", path = "questions.html")]
pub(super) struct QuestionsPage {
    pub frame: Frame,
    pub roles: Vec<RoleAsked>,
    pub may_answer: bool,
    /// Tells this showing of the forms from all others.
    pub form_id: String,
}

/// The questions to one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleAsked {
    pub who: String,
    pub questions: Vec<QuestionTold>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuestionTold {
    pub link: String,
    pub saga: String,
    pub key: String,
    pub step: String,
    pub choices: Vec<String>,
    pub since: Option<Shown>,
    pub until: Option<Shown>,
}

/// Answers the list of questions.
pub(super) async fn show(State(service): State<Service>, who: Who) -> Result<Response, Problem> {
    let open = service.look(|view| view.questions(None, None, QUESTIONS_MAX)).await?;
    let frame = Frame::of(&service, &who, Section::Questions, "Questions").await?;
    let may_answer = who.role >= Role::Operator;
    let form_id = api::draw().map_err(|e| Problem::defect(format!("no randomness: {e}")))?;
    page(&QuestionsPage {
        frame,
        roles: by_role(&open.found.questions, now()),
        may_answer,
        form_id,
    })
}

/// The questions by whom they ask.
pub(super) fn by_role(open: &[OpenQuestion], now: Timestamp) -> Vec<RoleAsked> {
    let mut roles: BTreeMap<&str, Vec<QuestionTold>> = BTreeMap::new();
    for question in open {
        roles.entry(&question.who).or_default().push(QuestionTold {
            link: instance_link(&question.saga, &question.key),
            saga: question.saga.clone(),
            key: question.key.clone(),
            step: question.step.clone(),
            choices: question.choices.clone(),
            since: Shown::maybe(question.since, now),
            until: Shown::maybe(question.until, now),
        });
    }
    let told = |(who, questions): (&str, _)| RoleAsked { who: who.to_owned(), questions };
    roles.into_iter().map(told).collect()
}
