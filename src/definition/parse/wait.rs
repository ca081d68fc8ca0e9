use crate::definition::diagnostic::Code;
use crate::definition::{Done, Failed, Sleep, StepKind, WaitStep};

use super::place::Place;
use super::position::Position;
use super::reader::{Fields, Reader};

impl Reader<'_> {
    /// A wait for a fact.
    pub fn wait(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, node) = fields.entry("wait")?;
        let says_no = fields.entry("failed").map_or(&key.span, |(failed, _)| &failed.span);
        let on = self.dones(node, "wait", Place::Reply);
        let failed = fields.take("failed");
        let failed = failed.map(|n| self.faileds(n, position)).unwrap_or_default();
        let within = self.within(fields);
        let late = self.late(fields, position);
        let remind = fields.take("remind").map(|n| self.remind(n));
        self.check_facts(&on, &failed, says_no);
        let remind = remind.map_or(Some(None), |remind| remind.map(Some));
        Some(StepKind::Wait(WaitStep { on, failed, within, late: late?, remind: remind? }))
    }

    /// An event that is waited for whatever it says cannot say no as well.
    fn check_facts(&mut self, on: &[Done], failed: &[Failed], span: &std::ops::Range<usize>) {
        let mut always = on.iter().filter(|on| on.condition.is_none());
        if let Some(both) = always.find(|on| failed.iter().any(|f| f.on == on.on)) {
            let message = format!("`{}` says `wait` and `failed` at once", both.on);
            let help = "tell them apart by a `where` on `wait`";
            self.error::<()>(Code::Contradiction, span.clone(), message, help);
        }
    }

    /// A wait for a time.
    pub fn sleep(&mut self, fields: &mut Fields<'_>) -> Option<StepKind> {
        if let Some(span) = fields.take("sleep") {
            return self.duration(span, "sleep").map(|span| StepKind::Sleep(Sleep::For(span)));
        }
        let until = self.optional(fields, "until", Place::Alone);
        until.map(|until| StepKind::Sleep(Sleep::Until(until)))
    }
}
