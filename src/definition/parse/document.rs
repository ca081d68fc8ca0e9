use std::ops::Range;
use std::sync::Arc;

use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::places::Keys;
use crate::definition::rules;
use crate::definition::{Assignment, Assumption, Definition, Ends, State, Step};
use crate::message::{Address, Hash, Span, Version};

use super::begun::Begun;
use super::place::Place;
use super::reader::{Fields, Reader, nearest};

/// How long an ended instance is remembered if the author does not say.
const LATE: Span = Span::hours(7 * 24);

/// How long an event is kept whose instance has not started yet if the author does not say.
const EARLY: Span = Span::seconds(10 * 60);

/// The whole file.
pub(super) fn document(reader: &mut Reader<'_>, root: &Node) -> Option<Definition> {
    let mut fields = reader.fields(root, "the saga")?;
    reader.places.file = Keys::of(root);
    let saga = fields.need(reader, "saga", "order-fulfilment");
    let saga = saga.and_then(|n| reader.saga_name(n, "saga"));
    let version = fields.need(reader, "version", "1");
    let version = version.and_then(|n| reader.integer(n, "version", 1..1 << 32)).map(Version);
    let title = fields.take("title").and_then(|n| reader.title(n, "title"));
    let state = fields.take("state").map(|n| (n, reader.choice(n, "state", &State::WORDS)));
    let starts = fields.need(reader, "start", "{ on: shop.orders/OrderPlaced }");
    let (starts, by_parent) = starts.map(|n| reader.starts(n)).unwrap_or_default();
    if let Some((node, _)) = state.filter(|_| by_parent && starts.is_empty()) {
        let help = "leave it out: only parents that run begin this saga; say it of the parents";
        let message = "`state` says what becomes of events that start a saga, and none starts this";
        reader.error::<()>(Code::Contradiction, node.span.clone(), message, help);
    }
    let events = fields.take("events").map(|n| reader.event_rules(n)).unwrap_or_default();
    let data = data(reader, &mut fields);
    reader.begun = Begun::of(&starts, by_parent, &data);
    let sensitive = fields.take("sensitive").map(|n| reader.sensitive(n)).unwrap_or_default();
    let search = fields.take("search").map(|n| reader.search(n)).unwrap_or_default();
    let within = fields.take("within").and_then(|n| reader.duration(n, "within"));
    let late = fields.take("late").and_then(|n| reader.duration(n, "late")).unwrap_or(LATE);
    let early = fields.take("early").and_then(|n| reader.duration(n, "early")).unwrap_or(EARLY);
    let cancel = fields.take("cancel").map(|n| reader.cancels(n)).unwrap_or_default();
    let assume = fields.take("assume").map(|n| reader.assumptions(n)).unwrap_or_default();
    if let Some(steps) = fields.need(reader, "steps", "[ … ]") {
        reader.steps(steps);
    }
    let ends = fields.take("ends").map(|n| ends(reader, n)).unwrap_or_default();
    fields.finish(reader);
    reader.check_reads();
    let search = reader.searched(search);
    let (steps, blocks) = reader.drafts.finish()?;
    check_assumed(reader, &assume, &steps);
    let saga = saga?;
    let definition = Definition {
        title: title.unwrap_or_else(|| saga.as_str().to_owned()),
        saga,
        version: version?,
        state: state.and_then(|(_, state)| state).unwrap_or(State::Active),
        file: Arc::from(reader.file()),
        hash: Hash::of(reader.text()),
        source: Arc::from(reader.text()),
        starts,
        by_parent,
        events,
        data,
        sensitive,
        search,
        within,
        late,
        early,
        cancel,
        steps,
        blocks,
        assume: assume.into_iter().map(|(assumption, _)| assumption).collect(),
        ends,
    };
    reader.is_whole = !reader.has_wrong_part();
    if reader.is_whole {
        rules::apply(reader, &definition);
    }
    Some(definition.discreet())
}

/// What the start event puts into the data.
fn data(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<Assignment> {
    let data = fields.take("data");
    if let (None, Some(Content::Map(meant))) = (data, fields.meant("data").map(|n| &n.content)) {
        for (field, _) in meant {
            reader.fill(&field.text);
        }
    }
    data.map(|n| reader.assignments(n, "data", Place::Data)).unwrap_or_default()
}

/// Refuses what is assumed of a command that nobody sends.
fn check_assumed(reader: &mut Reader<'_>, all: &[(Assumption, Range<usize>)], steps: &[Step]) {
    let sent: Vec<&Address> = steps.iter().flat_map(Step::sends).collect();
    for (assumption, span) in all {
        if sent.contains(&&assumption.command) {
            continue;
        }
        let text = assumption.command.to_string();
        let known: Vec<String> = sent.iter().map(ToString::to_string).collect();
        let message = format!("no step sends `{text}`");
        let help = match nearest(&text, known.iter().map(String::as_str)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => String::from("name a command of this saga, or leave the line out"),
        };
        reader.error::<()>(Code::UnknownCommand, span.clone(), message, help);
    }
}

/// The facts told at the end.
fn ends(reader: &mut Reader<'_>, node: &Node) -> Ends {
    let Some(mut fields) = reader.fields(node, "`ends`") else {
        return Ends::default();
    };
    let mut fact = |reader: &mut Reader<'_>, key, place| {
        fields.take(key).and_then(|n| reader.lone_fact(n, "this end", place))
    };
    let ends = Ends {
        completed: fact(reader, "completed", Place::Completed),
        compensated: fact(reader, "compensated", Place::Ended),
        stuck: fact(reader, "stuck", Place::Ended),
    };
    fields.finish(reader);
    ends
}
