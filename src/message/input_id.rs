use super::Event;

/// Which input an instance took: an event, an act, a letter or a call.
///
/// The id of an event is unique among events of one address and one source only: `ce_id` 1 of two
/// warehouses are two events. So what is remembered of an event is its id and, in 64 bits, the
/// namespace of that id; address and source may be long, and are kept with every step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct InputId {
    /// The input's own id; empty for none.
    pub text: String,
    /// [`Event::namespace`]. 0 for acts, letters and calls, whose ids are unique by themselves, and
    /// for an event that was taken by a build that did not read sources: its id alone counts.
    pub namespace: u64,
}

impl InputId {
    /// The id of an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self { text: event.id.clone(), namespace: event.namespace().unwrap_or(0) }
    }

    /// The id of an act, a letter or a call.
    #[must_use]
    pub fn named(text: &str) -> Self {
        Self { text: text.to_owned(), namespace: 0 }
    }

    /// Whether it is the id of this very event.
    ///
    /// Where one side was stored before sources were read, the ids alone decide: an instance must
    /// not obey a second time what it took then, though it may take another source's event of
    /// the same id for a repetition, as it would have then.
    #[must_use]
    pub fn is(&self, event: &Event) -> bool {
        self.text == event.id
            && (self.namespace == 0 || event.namespace().is_none_or(|own| own == self.namespace))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::message::{EventSource, Timestamp};

    fn event(address: &str, source: EventSource, id: &str) -> Event {
        Event {
            address: address.parse().expect("an address"),
            source,
            id: id.to_owned(),
            key: None,
            body: Value::Null,
            command: None,
            trace_parent: None,
            timestamp: Timestamp(0),
        }
    }

    fn named(source: &str) -> EventSource {
        EventSource::Named(source.to_owned())
    }

    #[test]
    fn an_event_is_its_address_its_source_and_its_id() {
        let counted = event("stock/Counted", named("/north"), "1");
        let taken = InputId::of(&counted);
        assert!(taken.is(&counted));
        assert!(counted.is(&counted));
        for other in [
            event("stock/Counted", named("/north"), "2"),
            event("stock/Counted", named("/south"), "1"),
            event("stock/Counted", EventSource::Unnamed, "1"),
            event("stock/Missed", named("/north"), "1"),
            event("other/Counted", named("/north"), "1"),
            event("stock/Counte", named("d/north"), "1"),
        ] {
            assert!(!taken.is(&other), "{other:?}");
            assert!(!InputId::of(&other).is(&counted), "{other:?}");
            assert!(!counted.is(&other) && !other.is(&counted), "{other:?}");
        }
    }

    #[test]
    fn what_was_taken_before_sources_were_read_is_known_by_its_id_alone() {
        let unread = event("stock/Counted", EventSource::Unread, "1");
        let old = InputId::of(&unread);
        assert_eq!(old, InputId::named("1"));
        for source in [named("/north"), named("/south"), EventSource::Unnamed, EventSource::Unread]
        {
            let event = event("stock/Counted", source, "1");
            assert!(old.is(&event), "{event:?}");
            assert!(event.is(&unread) && unread.is(&event), "{event:?}");
            // As when an older node of the same application still reads the topic.
            assert!(InputId::of(&event).is(&unread), "{event:?}");
        }
        assert!(!old.is(&event("stock/Counted", named("/north"), "2")));
    }

    #[test]
    fn a_namespace_is_the_same_on_every_machine() {
        let namespace = |source| event("stock/Counted", source, "1").namespace();
        // Written down: other values would make repetitions of what is stored unknown.
        assert_eq!(namespace(named("/north")), Some(NORTH));
        assert_eq!(namespace(EventSource::Unnamed), Some(UNNAMED));
        assert_eq!(namespace(EventSource::Unread), None);
    }

    const NORTH: u64 = 2_152_013_893_706_589_362;
    const UNNAMED: u64 = 3_251_412_950_038_857_756;
}
