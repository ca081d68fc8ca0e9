use std::collections::{BTreeMap, BTreeSet};

use segue::message::{CommandId, Part, Timestamp, header};

use crate::world::World;

/// What the stays that were undone for silence had heard from the services.
#[derive(Debug, Default)]
pub struct Silence {
    /// Those to which an attempt of the step was answered in time, by the times of the records.
    pub answered: usize,
    /// Those to which none was.
    pub silent: usize,
    /// The longest that any answer has taken, in milliseconds.
    pub slowest_ms: i64,
}

impl Silence {
    /// Compares the times of requests and answers; each request had so many milliseconds.
    pub fn of(world: &World, within_ms: i64) -> Self {
        let topic = |name: &str| world.topic(name);
        let mut asked: BTreeMap<String, (String, Timestamp)> = BTreeMap::new();
        world.read(&[topic("rooms.commands"), topic("cars.commands")], |record| {
            let id = record.headers.text(header::ID).unwrap_or_default();
            let parsed: Option<CommandId> = id.parse().ok();
            if let Some(command) = parsed.filter(|command| command.part == Part::Action) {
                let step = format!("{}/{}", command.instance, command.subject);
                asked.insert(id.to_owned(), (step, record.timestamp));
            }
        });
        let (mut silence, mut in_time) = (Self::default(), BTreeSet::new());
        world.read(&[topic("rooms.events"), topic("cars.events")], |record| {
            let id = record.headers.text(header::COMMAND).unwrap_or_default();
            if let Some((step, at)) = asked.get(id) {
                let took = record.timestamp.0 - at.0;
                silence.slowest_ms = silence.slowest_ms.max(took);
                if took <= within_ms {
                    in_time.insert(step.clone());
                }
            }
        });
        world.read(&[topic("stays.ends")], |record| {
            let body = record.body.clone().unwrap_or_default();
            let body = String::from_utf8_lossy(&body).into_owned();
            let stay = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default());
            let step = ["book-room", "book-car"]
                .into_iter()
                .find(|step| body.contains(&format!("{step} has not answered")));
            match step.map(|step| in_time.contains(&format!("stay/{stay}/{step}"))) {
                Some(true) => silence.answered += 1,
                Some(false) => silence.silent += 1,
                None => {}
            }
        });
        silence
    }
}
