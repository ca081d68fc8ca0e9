//! Definitions made by hand.

use serde_json::json;

use crate::definition::{
    Arm, AskStep, Assignment, Block, BlockId, Budget, CallDone, CallFailed, CallRequest, CallStep,
    Choice, ChooseStep, CommandStep, Compensation, Definition, Done, EachStep, EmitStep, Fact,
    Failed, Join, Late, LockStep, Method, OnFailed, ParallelStep, Probe, Release, Remind, Request,
    Retry, SagaStep, Scheme, Sleep, Step, StepId, StepKind, Then, Unknown, Verdict, WaitStep,
    parse,
};
use crate::expression::{Expression, Template};
use crate::message::{Address, SagaName, Span, StepName};

pub(super) const ORDER: &str = include_str!("../../../sagas/order-fulfilment/saga.yaml");

/// What a step is made from.
pub(super) struct Part {
    name: String,
    title: Option<String>,
    when: Option<String>,
    pivot: bool,
    blocks: Vec<(String, Vec<Part>)>,
    kind: StepKind,
}

impl Part {
    fn single(name: &str, kind: StepKind) -> Self {
        Self::composite(name, Vec::new(), kind)
    }

    /// A step with lists of steps in it; its kind learns their ids when the saga is made.
    fn composite(name: &str, blocks: Vec<(String, Vec<Part>)>, kind: StepKind) -> Self {
        let (title, when, pivot) = (None, None, false);
        Self { name: name.to_owned(), title, when, pivot, blocks, kind }
    }

    pub fn title(self, title: &str) -> Self {
        Self { title: Some(title.to_owned()), ..self }
    }

    pub fn when(self, when: &str) -> Self {
        Self { when: Some(when.to_owned()), ..self }
    }

    pub fn pivot(self) -> Self {
        Self { pivot: true, ..self }
    }
}

/// A definition of these steps; those behind a pivot of the main line know it.
pub(super) fn saga(name: &str, parts: Vec<Part>) -> Definition {
    let mut definition = parse("saga.yaml", ORDER).expect("a definition");
    definition.saga = SagaName::new(name).expect("a name");
    definition.steps.clear();
    definition.blocks.clear();
    block(&mut definition, None, "", parts, false);
    definition
}

fn block(
    definition: &mut Definition,
    owner: Option<StepId>,
    name: &str,
    parts: Vec<Part>,
    mut after_pivot: bool,
) -> BlockId {
    let id = BlockId(u32::try_from(definition.blocks.len()).expect("few"));
    definition.blocks.push(Block { steps: Vec::new(), owner, name: name.to_owned() });
    for part in parts {
        let pivot = part.pivot;
        let step = step(definition, id, part, after_pivot);
        definition.blocks[id.0 as usize].steps.push(step);
        after_pivot |= pivot;
    }
    id
}

fn step(definition: &mut Definition, block_id: BlockId, part: Part, after_pivot: bool) -> StepId {
    let id = StepId(u32::try_from(definition.steps.len()).expect("few"));
    definition.steps.push(Step {
        id,
        block: block_id,
        name: StepName::new(&part.name).expect("a name"),
        title: part.title,
        when: part.when.as_deref().map(cel),
        set: vec![Assignment { field: "total".to_owned(), value: cel("data.total + 1") }],
        pivot: part.pivot,
        after_pivot,
        kind: StepKind::Set,
        line: 1,
    });
    let inside = part.blocks.into_iter();
    let blocks: Vec<BlockId> = inside
        .map(|(name, parts)| block(definition, Some(id), &name, parts, after_pivot))
        .collect();
    definition.steps[id.0 as usize].kind = filled(part.kind, &blocks);
    id
}

/// A kind of step that knows the lists of steps in it.
fn filled(kind: StepKind, blocks: &[BlockId]) -> StepKind {
    match kind {
        StepKind::Parallel(step) => {
            StepKind::Parallel(ParallelStep { branches: blocks.to_vec(), ..step })
        }
        StepKind::Each(step) => StepKind::Each(EachStep { block: blocks[0], ..step }),
        StepKind::Lock(step) => StepKind::Lock(LockStep { block: blocks[0], ..step }),
        StepKind::Choose(mut step) => {
            for (arm, block) in step.arms.iter_mut().zip(blocks) {
                arm.block = *block;
            }
            StepKind::Choose(step)
        }
        single => single,
    }
}

pub(super) fn cel(text: &str) -> Expression {
    Expression::parse(text).expect(text)
}

fn template(text: &str) -> Template {
    Template::parse(text).expect(text)
}

fn address(text: &str) -> Address {
    text.parse().expect(text)
}

fn done(on: &str) -> Vec<Done> {
    vec![Done { on: address(on), condition: None, set: None }]
}

fn failed(on: &str, then: Then) -> Failed {
    Failed { on: address(on), condition: None, reason: None, set: Vec::new(), then }
}

fn back() -> Verdict {
    Verdict { set: Vec::new(), then: Then::GoBack }
}

fn retry(budget: Budget) -> Retry {
    Retry { budget, first: Span::millis(200), factor: 2.0, most: Span::seconds(10) }
}

fn request(command: &str, answer: &str, budget: Budget) -> Request {
    Request {
        command: address(command),
        key: None,
        with: None,
        headers: Vec::new(),
        done: done(answer),
        within: Span::seconds(10),
        retry: retry(budget),
    }
}

fn fact(to: &str) -> Fact {
    Fact { to: address(to), key: None, with: None, headers: Vec::new() }
}

/// A command of a service, undone by another if there is one.
pub(super) fn command(name: &str, service: &str, does: &str, undone: Option<&str>) -> Part {
    let compensate = undone.map_or(Compensation::Nothing, |undone| Compensation::Command {
        request: request(
            &format!("{service}.commands/{undone}"),
            &format!("{service}.events/{undone}Done"),
            Budget::For(Span::hours(24)),
        ),
        set: Vec::new(),
    });
    let (done, no) = (format!("{service}.events/{does}Done"), format!("{service}.events/{does}No"));
    let step = CommandStep {
        request: request(&format!("{service}.commands/{does}"), &done, Budget::Attempts(5)),
        failed: vec![failed(&no, Then::GoBack)],
        unknown: Unknown::Compensate,
        probe: None,
        compensate,
    };
    Part::single(name, StepKind::Command(step))
}

/// A command that asks whether it happened.
pub(super) fn probed(name: &str, service: &str, does: &str, undone: &str) -> Part {
    let part = command(name, service, does, Some(undone));
    let StepKind::Command(mut step) = part.kind else { return part };
    step.unknown = Unknown::Probe;
    step.probe = Some(Probe {
        request: request(
            &format!("{service}.commands/Get{does}"),
            &format!("{service}.events/{does}Found"),
            Budget::Attempts(5),
        ),
        absent: done(&format!("{service}.events/{does}Absent")),
    });
    Part::single(name, StepKind::Command(step))
}

pub(super) fn emit(name: &str, to: &str) -> Part {
    let step = EmitStep { fact: fact(to), compensate: Compensation::Unsaid };
    Part::single(name, StepKind::Emit(step))
}

pub(super) fn wait(name: &str, on: &str, no: &str) -> Part {
    let step = WaitStep {
        on: done(on),
        failed: vec![failed(no, Then::GoBack)],
        within: Some(Span::hours(72)),
        late: Late::Fail(back()),
        remind: Some(Remind {
            after: Span::hours(24),
            every: Some(Span::hours(24)),
            fact: fact("offers.reminders/Remind"),
        }),
    };
    Part::single(name, StepKind::Wait(step))
}

pub(super) fn sleep(name: &str, hours: u64) -> Part {
    Part::single(name, StepKind::Sleep(Sleep::For(Span::hours(hours))))
}

pub(super) fn ask(name: &str, who: &str, question: &str) -> Part {
    let step = AskStep {
        who: who.to_owned(),
        question: template(question),
        choices: vec![
            Choice { name: "approve".to_owned(), failed: None },
            Choice { name: "refuse".to_owned(), failed: Some(back()) },
        ],
        within: Some(Span::hours(48)),
        late: Late::GoOn,
        remind: None,
    };
    Part::single(name, StepKind::Ask(step))
}

pub(super) fn call(name: &str, host: &str, path: &str) -> Part {
    let step = CallStep {
        request: CallRequest {
            method: Method::Post,
            scheme: Scheme::Https,
            authority: host.to_owned(),
            path: template(path),
            headers: Vec::new(),
            body: Some(Template::Literal(json!({}))),
            done: vec![CallDone { status: vec![200..=299], condition: None, set: None }],
            within: Span::seconds(2),
            retry: retry(Budget::Attempts(3)),
        },
        failed: vec![CallFailed {
            status: vec![409..=409, 422..=422],
            condition: None,
            reason: None,
            set: Vec::new(),
            then: Then::GoBack,
        }],
        unknown: Unknown::Compensate,
        compensate: Compensation::Nothing,
    };
    Part::single(name, StepKind::Call(step))
}

pub(super) fn set(name: &str) -> Part {
    Part::single(name, StepKind::Set)
}

pub(super) fn fail(name: &str, reason: &str) -> Part {
    Part::single(name, StepKind::Fail(template(reason)))
}

pub(super) fn child(name: &str, saga: &str, compensate: Compensation) -> Part {
    let step = SagaStep {
        saga: SagaName::new(saga).expect("a name"),
        key: None,
        with: None,
        within: None,
        failed: back(),
        compensate,
    };
    Part::single(name, StepKind::Saga(step))
}

/// A child that is taken back by a command.
pub(super) fn child_with_command(name: &str, saga: &str, service: &str, undone: &str) -> Part {
    let part = command("x", service, "Do", Some(undone));
    let StepKind::Command(step) = part.kind else { return part };
    child(name, saga, step.compensate)
}

pub(super) fn parallel(name: &str, join: Join, branches: Vec<(&str, Vec<Part>)>) -> Part {
    let blocks = branches.into_iter().map(|(name, parts)| (name.to_owned(), parts)).collect();
    let within = Some(Span::seconds(60));
    let step = ParallelStep { branches: Vec::new(), join, within, failed: back() };
    Part::composite(name, blocks, StepKind::Parallel(step))
}

pub(super) fn each(name: &str, items: &str, on_failed: OnFailed, parts: Vec<Part>) -> Part {
    let step = EachStep {
        items: cel(items),
        at_most: 100,
        at_once: 10,
        on_failed,
        block: BlockId::MAIN,
        collect: Vec::new(),
        within: None,
        failed: back(),
    };
    Part::composite(name, vec![(String::new(), parts)], StepKind::Each(step))
}

pub(super) fn choose(name: &str, arms: Vec<(Option<&str>, Vec<Part>)>) -> Part {
    let arm = |(when, _): &(Option<&str>, _)| Arm { when: when.map(cel), block: BlockId::MAIN };
    let step = ChooseStep {
        arms: arms.iter().map(arm).collect(),
        total: false,
        within: None,
        failed: back(),
    };
    let blocks = arms.into_iter().map(|(_, parts)| (String::new(), parts)).collect();
    Part::composite(name, blocks, StepKind::Choose(step))
}

pub(super) fn lock(name: &str, keys: &[&str], release: Release, parts: Vec<Part>) -> Part {
    let keys = keys.iter().map(|key| template(key)).collect();
    let (within, block) = (Some(Span::seconds(30)), BlockId::MAIN);
    let step = LockStep { keys, within, release, block, failed: back() };
    Part::composite(name, vec![(String::new(), parts)], StepKind::Lock(step))
}
