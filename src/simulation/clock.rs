use std::time::Duration;

use super::world::World;
use crate::message::Timestamp;
use crate::runtime::Clock;

/// A node's clocks: the wall's may jump, the steady one only goes on.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    pub(super) world: World,
    pub(super) name: String,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let mut state = self.world.state();
        state.reading();
        state.wall(&self.name)
    }

    fn elapsed(&self) -> Duration {
        self.world.state().reading()
    }
}
