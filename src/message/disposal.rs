use super::{Headers, Offset, header};

/// What a person has done with a dead letter: a record of `<app>.dead-letters` says so, beside the
/// letter and for as long.
///
/// It is no dead letter itself: those have a reason, which this has not. So whatever headers a
/// record had that was put aside, it disposes of nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposal {
    /// The partition of the letter.
    pub partition: i32,
    /// The letter's place there.
    pub offset: Offset,
    /// What was done with it.
    pub how: Disposed,
    /// Who has done it.
    pub by: String,
    /// Why.
    pub why: String,
    /// The act's own id.
    pub id: String,
}

/// What can be done with a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposed {
    /// It was written to the topic that it had been read from.
    Replayed,
    /// It was given up.
    Discarded,
}

impl Disposed {
    /// Every one of them with its word.
    pub const WORDS: [(&'static str, Self); 2] =
        [("replayed", Self::Replayed), ("discarded", Self::Discarded)];

    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }

    /// What a word stands for.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(own, _)| *own == word).map(|(_, how)| *how)
    }
}

impl Disposal {
    /// The key and the headers of the record that tells it; its body is empty.
    #[must_use]
    pub fn record(&self) -> (String, Headers) {
        let place = format!("{}/{}", self.partition, self.offset);
        let mut headers = Headers::default();
        headers.push(header::DISPOSES, place.clone());
        headers.push(header::DISPOSED, self.how.text());
        headers.push(header::DISPOSED_BY, self.by.clone());
        headers.push(header::DISPOSED_WHY, self.why.clone());
        headers.push(header::DISPOSED_ID, self.id.clone());
        (place, headers)
    }

    /// Whether a record with these headers is one, whatever it says.
    #[must_use]
    pub fn is_told_by(headers: &Headers) -> bool {
        let has = |name: &str| headers.0.iter().any(|(own, _)| own == name);
        has(header::DISPOSES) && !has(header::REASON)
    }

    /// What a record with these headers tells; nothing if it is none.
    #[must_use]
    pub fn read(headers: &Headers) -> Option<Self> {
        if !Self::is_told_by(headers) {
            return None;
        }
        let text = |name: &str| headers.text(name).unwrap_or_default().to_owned();
        let place = text(header::DISPOSES);
        let (partition, offset) = place.split_once('/')?;
        Some(Self {
            partition: partition.parse().ok()?,
            offset: Offset(offset.parse().ok()?),
            how: Disposed::named(&text(header::DISPOSED))?,
            by: text(header::DISPOSED_BY),
            why: text(header::DISPOSED_WHY),
            id: text(header::DISPOSED_ID),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discarded() -> Disposal {
        Disposal {
            partition: 2,
            offset: Offset(17),
            how: Disposed::Discarded,
            by: "ana".to_owned(),
            why: "a test order".to_owned(),
            id: "7".to_owned(),
        }
    }

    #[test]
    fn what_was_done_reads_back_as_it_was_written() {
        for (_, how) in Disposed::WORDS {
            let disposal = Disposal { how, ..discarded() };
            let (key, headers) = disposal.record();
            assert_eq!((key.as_str(), Disposal::read(&headers)), ("2/17", Some(disposal)));
        }
    }

    #[test]
    fn a_dead_letter_disposes_of_nothing_whatever_headers_it_had() {
        let (_, mut headers) = discarded().record();
        headers.push(header::REASON, "no key");
        assert!(!Disposal::is_told_by(&headers));
        assert_eq!(Disposal::read(&headers), None);
        assert_eq!(Disposal::read(&Headers::default()), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_dead_letter_either() {
        let mut headers = Headers::default();
        headers.push(header::DISPOSES, "somewhere");
        assert!(Disposal::is_told_by(&headers), "it is never listed");
        assert_eq!(Disposal::read(&headers), None);
    }
}
