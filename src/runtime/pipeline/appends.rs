//! What a pipeline tells its own shards through the inbox: timers that are due, answers to calls.

use prost::Message as _;

use super::Pipeline;
use crate::format::wire;
use crate::message::{CommandId, shard_of};
use crate::runtime::ports::{Append, Broker, Clock, Lost, Store, Waker};

/// The most instances that one wake record names.
const WAKE_TARGETS_MAX: usize = 16;
/// The most timers of a shard that one turn obeys.
const WAKES_MAX: usize = 256;

impl<B: Broker + Waker, S: Store, C: Clock> Pipeline<B, S, C> {
    /// Appends what came of calls to the inbox of whoever made them.
    pub(super) fn hear(&mut self) -> Result<(), Lost> {
        let now = self.clock.now();
        for called in self.caller.finished() {
            let id: CommandId = called.command.parse().expect("a call has its command's id");
            let shard = shard_of(&id.instance, self.settings.shards);
            let (saga, key) = (id.instance.saga.to_string(), id.instance.key.to_string());
            let input = Some(wire::inbox::Input::Called(wire::Called::new(&called)));
            let targets = vec![wire::Target { saga, key }];
            let inbox = wire::Inbox { targets, shared: false, input };
            let append = Append { shard, value: inbox.encode_to_vec().into() };
            self.broker.append(append, now)?;
        }
        Ok(())
    }

    /// Appends the timers that are due to the inbox.
    pub(super) fn wake(&mut self) -> Result<(), Lost> {
        let now = self.clock.now();
        for (shard, state) in &mut self.shards {
            let mut targets = Vec::new();
            for _ in 0..WAKES_MAX {
                let Some((_, key)) = state.schedule.pop_due(now) else {
                    break;
                };
                targets.push(target(&key));
            }
            self.counts.wakes += targets.len() as u64;
            for some in targets.chunks(WAKE_TARGETS_MAX) {
                let input = Some(wire::inbox::Input::WakeMs(now.0));
                let inbox = wire::Inbox { targets: some.to_vec(), shared: false, input };
                let append = Append { shard: *shard, value: inbox.encode_to_vec().into() };
                self.broker.append(append, now)?;
            }
        }
        Ok(())
    }
}

/// The instance that a changelog key `i/<saga>/<key>` names.
fn target(key: &[u8]) -> wire::Target {
    let text = String::from_utf8_lossy(key);
    let mut parts = text.splitn(3, '/').skip(1);
    let mut part = || parts.next().unwrap_or_default().to_owned();
    wire::Target { saga: part(), key: part() }
}
