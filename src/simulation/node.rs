use super::broker::SimulatedBroker;
use super::caller::SimulatedCaller;
use super::clock::SimulatedClock;
use super::source::SimulatedSource;
use super::state::Caller;
use super::store::SimulatedStore;
use super::world::World;

/// One process: hands out its ports, a new set for each pipeline that it builds.
#[derive(Debug, Clone)]
pub struct Node {
    world: World,
    caller: Caller,
}

impl World {
    /// Starts a process of that name; the one before it is dead from now on.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        let process = self.state().start(name);
        Node { world: self.clone(), caller: Caller { name: name.to_owned(), process } }
    }
}

impl Node {
    /// Connects a pipeline: a new producer, which fences its predecessor, and a new member of the
    /// group, which takes its predecessor's place.
    #[must_use]
    pub fn broker(&self) -> SimulatedBroker {
        SimulatedBroker::new(self.world.clone(), self.caller.clone())
    }

    /// Connects a gateway.
    #[must_use]
    pub fn source(&self) -> SimulatedSource {
        SimulatedSource::new(self.world.clone(), self.caller.clone())
    }

    /// The store, as the node's last process left it.
    #[must_use]
    pub fn store(&self) -> SimulatedStore {
        SimulatedStore { world: self.world.clone(), caller: self.caller.clone() }
    }

    /// Makes a pipeline's calls.
    #[must_use]
    pub fn calls(&self) -> SimulatedCaller {
        SimulatedCaller::new(self.world.clone(), self.caller.clone())
    }

    /// The clocks.
    #[must_use]
    pub fn clock(&self) -> SimulatedClock {
        SimulatedClock { world: self.world.clone(), name: self.caller.name.clone() }
    }
}
