use crate::definition::diagnostic::Code;
use crate::definition::node::{Content, Node};
use crate::definition::{CommandStep, Failed, Probe, StepKind, Then, Unknown};

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};
use super::request::ACTION_RETRY;

/// What a rejection may mean.
const THEN: [(&str, Then); 3] =
    [("go-back", Then::GoBack), ("go-on", Then::GoOn), ("park", Then::Park)];

impl Reader<'_> {
    /// A request over Kafka.
    pub fn command(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, command) = fields.entry("command")?;
        let command = self.address(command, "command");
        let failed = fields.entry("failed");
        let says_no = failed.map_or_else(|| key.span.clone(), |(key, _)| key.span.clone());
        let failed = failed.map(|(_, n)| self.faileds(n, position)).unwrap_or_default();
        let unknown = fields.entry("unknown");
        let span = unknown.map(|(key, _)| key.span.clone());
        let unknown = unknown.map(|(_, n)| self.unknown(n, position));
        let probe = fields.take("probe");
        let probed = probe.map(|n| self.probe(n));
        if let (Some(Some(Unknown::Probe)), None, Some(span)) = (unknown, probe, span)
            && !fields.is_misspelt("probe")
        {
            let help = "add `probe: { command: …, done: …, absent: … }`, or write \
                        `unknown: compensate`";
            let message = "`unknown: probe` needs a `probe`";
            self.error::<()>(Code::MissingKey, span, message, help);
        }
        let compensate = self.compensate(fields, position, &key.span);
        let request = self.request(fields, command, Place::Alone, ACTION_RETRY);
        if let Some(request) = &request {
            self.check_replies(request, &failed, &says_no);
        }
        Some(StepKind::Command(CommandStep {
            request: request?,
            failed,
            unknown: unknown.unwrap_or(Some(position.unknown()))?,
            probe: probed.map_or(Some(None), |probe| probe.map(Some))?,
            compensate: compensate?,
        }))
    }

    /// What it means that the attempts are spent and it may have happened.
    fn unknown(&mut self, node: &Node, position: Position) -> Option<Unknown> {
        let choices = [
            ("compensate", Unknown::Compensate),
            ("probe", Unknown::Probe),
            ("retry", Unknown::Retry),
            ("park", Unknown::Park),
        ];
        let unknown = self.choice(node, "unknown", &choices)?;
        self.check_unknown(unknown, position, &node.span)
    }

    /// The question whether it happened; its own `set` stands for that of each of its replies.
    fn probe(&mut self, node: &Node) -> Option<Probe> {
        let mut fields = self.fields(node, "`probe`")?;
        let command = fields.need(self, "command", "inventory.commands/GetReservation");
        let command = command.and_then(|n| self.address(n, "command"));
        let set = fields.take("set").map(|n| self.assignments(n, "set", Place::Reply));
        let absent = fields.need(self, "absent", "inventory.events/ReservationAbsent");
        let absent = absent.map(|n| self.dones(n, "absent", Place::Reply)).unwrap_or_default();
        let request = self.request(&mut fields, command, Place::Alone, ACTION_RETRY);
        fields.finish(self);
        let mut request = request?;
        for done in &mut request.done {
            if done.set.is_none() {
                done.set.clone_from(&set);
            }
        }
        let both = request
            .done
            .iter()
            .find(|done| done.condition.is_none() && absent.iter().any(|a| a.on == done.on));
        if let Some(both) = both {
            let message = format!("`{}` says `done` and `absent` at once", both.on);
            let help = "tell them apart by a `where` on `done`";
            return self.error(Code::Contradiction, node.span.clone(), message, help);
        }
        Some(Probe { request, absent })
    }

    /// The business "no": one or a list, as text or mapping.
    pub fn faileds(&mut self, node: &Node, position: Position) -> Vec<Failed> {
        let nodes = self.one_or_more(node, "failed");
        nodes.iter().filter_map(|n| self.failed(n, position)).collect()
    }

    fn failed(&mut self, node: &Node, position: Position) -> Option<Failed> {
        if matches!(node.content, Content::Scalar { .. }) {
            let on = self.address(node, "failed")?;
            let then = self.then(None, position, &node.span)?;
            return Some(Failed { on, condition: None, reason: None, set: Vec::new(), then });
        }
        let mut fields = self.fields(node, "`failed`")?;
        let on = fields.need(self, "on", "inventory.events/StockRejected");
        let on = on.and_then(|n| self.address(n, "on"));
        let condition = self.optional(&mut fields, "where", Place::Reply);
        let reason = self.optional(&mut fields, "reason", Place::Reply);
        let verdict = self.then_and_set(&mut fields, position, Place::Reply);
        fields.finish(self);
        let verdict = verdict?;
        Some(Failed { on: on?, condition, reason, set: verdict.set, then: verdict.then })
    }

    /// The keys `then` and `set` of a rejection.
    pub fn then_and_set(
        &mut self,
        fields: &mut Fields<'_>,
        position: Position,
        place: Place,
    ) -> Option<crate::definition::Verdict> {
        let then = if let Some((_, node)) = fields.entry("then") {
            let then = self.choice(node, "then", &THEN);
            then.and_then(|then| self.then(Some(then), position, &node.span))
        } else {
            let head = fields.head(self);
            self.then(None, position, &head)
        };
        let set = fields.entry("set");
        if let (Some((key, _)), Some(Then::GoBack | Then::Park)) = (set, then) {
            let help = "say `then: go-on`, or leave `set` out";
            let message = "`set` has an effect only with `then: go-on`";
            self.error::<()>(Code::NoEffect, key.span.clone(), message, help);
        }
        let set = set.map(|(_, n)| self.assignments(n, "set", place)).unwrap_or_default();
        Some(crate::definition::Verdict { set, then: then? })
    }
}
