use crate::definition::diagnostic::Code;
use crate::definition::{LockStep, Release, StepKind};

use super::place::{Around, Place};
use super::position::Position;
use super::reader::{Fields, Reader};
use super::steps::Outline;
use super::verdict::Comes;

/// The most keys of one lock.
const KEYS_MAX: usize = 32;

impl Reader<'_> {
    /// Steps that nobody else does at the same time with the same keys.
    pub fn lock(&mut self, fields: &mut Fields<'_>, position: Position) -> Option<StepKind> {
        let (key, node) = fields.entry("lock")?;
        if self.around.contains(&Around::Lock) {
            let message = "a lock stands inside a lock: two sagas could wait for each other";
            let help = "take all keys at once in the outer one: `lock: [ …, … ]`";
            self.error::<()>(Code::LockInLock, key.span.clone(), message, help);
        }
        let nodes = self.one_or_more(node, "lock");
        if let Some(first) = nodes.get(KEYS_MAX) {
            let message = format!("a lock takes at most {KEYS_MAX} keys");
            let help = "lock something larger, such as the whole account";
            self.error::<()>(Code::Limit, first.span.clone(), message, help);
        }
        let keys: Vec<_> = nodes.iter().map(|n| self.text_value(n, "lock", Place::Alone)).collect();
        let within = self.within(fields);
        let releases =
            [("block", Release::Block), ("pivot", Release::Pivot), ("end", Release::End)];
        let release = fields.take("release").map(|n| self.choice(n, "release", &releases));
        let failed = self.verdict(fields, position, Place::Alone, Comes::InTime);
        let steps = fields.need(self, "steps", "[ … ]");
        self.around.push(Around::Lock);
        let outline = Outline { key: "steps", owner: self.step, name: String::new() };
        let block = steps.map(|n| self.block(n, &outline, position));
        self.around.pop();
        let keys: Vec<_> = keys.into_iter().collect::<Option<_>>()?;
        if keys.is_empty() {
            return None;
        }
        Some(StepKind::Lock(LockStep {
            keys,
            within,
            release: release.unwrap_or(Some(Release::Block))?,
            block: block?,
            failed: failed?,
        }))
    }
}
