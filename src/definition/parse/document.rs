use std::sync::Arc;

use crate::definition::diagnostic::Code;
use crate::definition::model::{Definition, Ends};
use crate::definition::node::{Content, Node};
use crate::definition::step::Block;
use crate::message::{Hash, SagaName, Span, Version};

use super::place::Place;
use super::reader::Reader;

/// How long an ended instance is remembered if the author does not say.
const LATE: Span = Span::hours(7 * 24);

/// How long an event is kept whose instance has not started yet if the author does not say.
const EARLY: Span = Span::seconds(10 * 60);

/// The whole file.
pub(super) fn document(reader: &mut Reader<'_>, root: &Node) -> Option<Definition> {
    let mut fields = reader.fields(root, "the saga")?;
    let saga = fields.need(reader, "saga", "order-fulfilment").and_then(|n| name(reader, n));
    let version = fields.need(reader, "version", "1");
    let version = version.and_then(|n| reader.integer(n, "version", 1..1 << 32)).map(Version);
    let title = fields.take("title").and_then(|n| reader.title(n, "title"));
    let starts = fields.need(reader, "start", "{ on: shop.orders/OrderPlaced }");
    let starts = starts.map(|n| reader.starts(n)).unwrap_or_default();
    let events = fields.take("events").map(|n| reader.event_rules(n)).unwrap_or_default();
    let data = fields.take("data");
    if let (None, Some(Content::Map(meant))) = (data, fields.meant("data").map(|n| &n.content)) {
        reader.fills.extend(meant.iter().map(|(field, _)| field.text.clone()));
    }
    let data = data.map(|n| reader.assignments(n, "data", Place::Data)).unwrap_or_default();
    let sensitive = fields.take("sensitive").map(|n| reader.sensitive(n)).unwrap_or_default();
    let within = fields.take("within").and_then(|n| reader.duration(n, "within"));
    let late = fields.take("late").and_then(|n| reader.duration(n, "late")).unwrap_or(LATE);
    let cancel = fields.take("cancel").map(|n| reader.cancels(n)).unwrap_or_default();
    fields.not_yet(reader, &["early", "assume"]);
    let steps = fields.need(reader, "steps", "[ … ]");
    let steps = steps.map(|n| reader.steps(n)).unwrap_or_default();
    let ends = fields.take("ends").map(|n| ends(reader, n)).unwrap_or_default();
    fields.finish(reader);
    reader.check_reads();
    let saga = saga?;
    Some(Definition {
        title: title.unwrap_or_else(|| saga.as_str().to_owned()),
        saga,
        version: version?,
        hash: Hash::of(reader.text()),
        source: Arc::from(reader.text()),
        starts,
        events,
        data,
        sensitive,
        within,
        late,
        cancel,
        by_parent: false,
        early: EARLY,
        assume: Vec::new(),
        blocks: vec![Block { steps: steps.iter().map(|s| s.id).collect(), ..Block::default() }],
        steps,
        ends,
    })
}

fn name(reader: &mut Reader<'_>, node: &Node) -> Option<SagaName> {
    let text = reader.scalar(node, "saga")?;
    match SagaName::new(text) {
        Ok(name) => Some(name),
        Err(e) => {
            let help = "write such as `order-fulfilment`";
            reader.told(Code::Name, node.span.clone(), &e.to_string(), help)
        }
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
        completed: fact(reader, "completed", Place::Alone),
        compensated: fact(reader, "compensated", Place::Back),
        stuck: fact(reader, "stuck", Place::Back),
    };
    fields.finish(reader);
    ends
}
