use crate::definition::diagnostic::Code;
use crate::definition::node::Node;
use crate::definition::{SagaStep, StepKind};
use crate::message::SagaName;

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};
use super::verdict::Comes;

/// What rejects a step that starts a child.
const SAYS_NO: &str = "the child is compensated, or its key is taken";

impl Reader<'_> {
    /// Another saga as a child.
    pub fn child(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, node) = fields.entry("saga")?;
        let saga = self.saga_name(node, "saga");
        let id = self.optional(fields, "key", Place::Alone);
        let with = fields.take("with").and_then(|n| self.template(n, Place::Alone));
        let within = self.within(fields);
        let failed = self.verdict(fields, position, Place::Child, Comes::Always(SAYS_NO));
        let compensate = self.compensate(fields, position, &key.span);
        Some(StepKind::Saga(SagaStep {
            saga: saga?,
            key: id,
            with,
            within,
            failed: failed?,
            compensate: compensate?,
        }))
    }

    /// A saga's name.
    pub fn saga_name(&mut self, node: &Node, key: &str) -> Option<SagaName> {
        let text = self.scalar(node, key)?;
        match SagaName::new(text) {
            Ok(name) if name.is_lock() => {
                let message = format!("`{name}` is the engine's own: locks are its instances");
                let help = "give the saga another name";
                self.error(Code::Reserved, node.span.clone(), message, help)
            }
            Ok(name) => Some(name),
            Err(e) => {
                let help = "write such as `order-fulfilment`";
                self.told(Code::Name, node.span.clone(), &e.to_string(), help)
            }
        }
    }
}
