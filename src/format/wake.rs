use super::wire;
use crate::engine::Wake;
use crate::message::Timestamp;

impl wire::Inbox {
    /// A wake-up of instances.
    #[must_use]
    pub fn of_wake(targets: Vec<wire::Target>, wake: Wake) -> Self {
        Self {
            targets,
            input: Some(wire::inbox::Input::WakeMs(wake.until.0)),
            away_until_ms: Some(wake.away_until.0),
            ..Self::default()
        }
    }

    /// What a wake-up says: `until_ms` is its time. One that was written before there were
    /// absences tells none.
    #[must_use]
    pub fn wake(&self, until_ms: i64) -> Wake {
        let away_until = self.away_until_ms.map_or(Wake::DUE.away_until, Timestamp);
        Wake { until: Timestamp(until_ms), away_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_is_read_as_it_was_written_and_an_old_one_without_absence() {
        let wake = Wake { until: Timestamp(7), away_until: Timestamp(5) };
        let written = wire::Inbox::of_wake(Vec::new(), wake);
        assert_eq!(written.wake(7), wake);
        let old = wire::Inbox { away_until_ms: None, ..written };
        assert_eq!(old.wake(7), Wake { away_until: Timestamp(i64::MIN), ..wake });
    }
}
