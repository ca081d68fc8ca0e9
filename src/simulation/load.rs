use std::time::Duration;

use super::world::World;
use crate::message::Outgoing;
use crate::participants::{Script, Starts};

/// What comes from outside: some events in their order, then what the scripts place.
#[derive(Debug)]
pub(super) struct Load {
    events: Vec<Outgoing>,
    starts: Option<Starts>,
    starts_max: u64,
    placed: u64,
    /// What was posted.
    pub posted: Vec<Outgoing>,
}

impl Load {
    pub fn new(seed: u64, events: &[Outgoing], scripts: &[Script], starts: u64) -> Self {
        Self {
            events: events.to_vec(),
            starts: Starts::new(scripts, seed),
            starts_max: starts,
            placed: 0,
            posted: Vec::new(),
        }
    }

    /// Posts the next event; what follows it by itself, and when.
    pub fn post(&mut self, world: &World) -> Option<(Duration, Outgoing)> {
        if let Some(event) = self.events.get(self.posted.len()) {
            world.produce(event);
            self.posted.push(event.clone());
            return None;
        }
        let starts = self.starts.as_ref().filter(|_| self.placed < self.starts_max)?;
        self.placed += 1;
        let now = world.now();
        let event = starts.make(self.placed, now);
        let follow = starts.follow(self.placed, now);
        match (event, follow) {
            (Ok(event), Ok(follow)) => {
                world.produce(&event);
                self.posted.push(event);
                let after = |at| world.elapsed() + Duration::from_millis(at);
                follow.map(|follow| (after(follow.at.since(now).0), follow.message))
            }
            (Err(reason), _) | (_, Err(reason)) => {
                world.complain(reason.to_string());
                None
            }
        }
    }

    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        let events_over = self.posted.len() >= self.events.len();
        events_over && (self.starts.is_none() || self.placed >= self.starts_max)
    }
}
