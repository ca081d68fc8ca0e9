//! What the engine is told.

use super::model::{KEY, NOW, State};
use super::moves::Move;
use super::symmetry::Symmetry;
use super::value::body;
use crate::engine::{Act, CallOutcome, Called, Input, Instance, Letter, Say, Wake};
use crate::message::{Address, Coordinate, Event, EventSource, InstanceId, Key, LifeId, SagaName};

/// What the engine is told when a move is made.
pub(super) fn input(id: &InstanceId, symmetry: &Symmetry, state: &State, next: &Move) -> Input {
    let life = state.instance.as_ref().and_then(Instance::newest);
    match next {
        Move::Start(address) => Input::Event(event(address, "start")),
        Move::StartChild => Input::Letter(start_of_child()),
        Move::Reply { asked, address } => {
            let life = life.expect("only an instance asks");
            let command = asked.id(id, life).to_string();
            let id = format!("{command}:{}", address.event_type);
            let told = symmetry.told(life, &asked.spot);
            Input::Event(answer(&told, address, id, command))
        }
        Move::Again { asked, address } => {
            let life = life.expect("only an instance asks");
            let command = asked.id(id, life).to_string();
            let told = symmetry.told(life, &asked.spot);
            Input::Event(answer(&told, address, format!("{command}:again"), command))
        }
        Move::Called { asked, status } => {
            let life = life.expect("only an instance calls");
            let command = asked.id(id, life).to_string();
            let body = body(&format!("{} {status}", symmetry.told(life, &asked.spot)));
            let outcome = CallOutcome::Answered { status: *status, headers: Vec::new(), body };
            Input::Called(Called { command, outcome })
        }
        Move::Unsent(asked) => {
            let life = life.expect("only an instance calls");
            let command = asked.id(id, life).to_string();
            let reason = "nobody listens".to_owned();
            let outcome = CallOutcome::Failed { reason, unsent: true };
            Input::Called(Called { command, outcome })
        }
        Move::Fact(address) => Input::Event(event(address, &format!("fact:{address}"))),
        Move::Cancel(address) => Input::Event(event(address, "cancel")),
        Move::Act { step, verb } => Input::Act(Act {
            id: format!("act:{}", Coordinate::text(step.as_ref())),
            by: "somebody".to_owned(),
            why: "they say so".to_owned(),
            step: step.clone(),
            verb: verb.clone(),
            signed: None,
        }),
        Move::Letter { from, say, .. } => {
            let asked = &state.around.partners[from].letter;
            Input::Letter(Letter {
                id: format!("{}/{}", asked.id, say.text()),
                from: from.clone(),
                life: asked.life,
                step: asked.step.clone(),
                round: asked.round,
                say: say.clone(),
            })
        }
        Move::Exhausted(_) | Move::Due(_) | Move::Remind(_) | Move::Deadline => {
            Input::Wake(Wake::DUE)
        }
    }
}

/// How a parent begins a child.
fn start_of_child() -> Letter {
    let saga = SagaName::new("the-parent").expect("it is a name");
    let key = Key::new("p").expect("it is a key");
    Letter {
        id: "the-parent/p/1/child/1/start".to_owned(),
        from: InstanceId { saga, key },
        life: LifeId::unmarked(1),
        step: "child".parse().expect("it is a step"),
        round: 1,
        say: Say::Start { body: body("the parent"), trace_parent: String::new() },
    }
}

fn event(address: &Address, id: &str) -> Event {
    Event {
        address: address.clone(),
        source: EventSource::Unnamed,
        id: id.to_owned(),
        key: Some(KEY.to_owned()),
        body: body(&format!("{address} {id}")),
        command: None,
        trace_parent: None,
        timestamp: NOW,
    }
}

/// What answers any attempt of one request says the same.
fn answer(told: &str, address: &Address, id: String, command: String) -> Event {
    let body = body(&format!("{} to {told}", address.event_type));
    Event { id, body, command: Some(command), ..event(address, "") }
}
