//! Makes a record of a dead letter: its own headers, then why it is here and where it came from.

use bytes::Bytes;
use rdkafka::producer::BaseRecord;
use rdkafka::util::IntoOpaque;

use super::record::owned_headers;
use crate::message::Headers;
use crate::runtime::DeadLetter;

pub use crate::message::header::{INSTANCE, ORIGIN, REASON};

/// The record that a dead letter is.
pub(super) fn record<'l, O: IntoOpaque>(
    letter: &'l DeadLetter,
    topic: &'l str,
    opaque: O,
) -> BaseRecord<'l, [u8], [u8], O> {
    let record = BaseRecord::with_opaque_to(topic, opaque)
        .payload(letter.body.as_ref())
        .headers(owned_headers(&headers(letter)));
    match &letter.key {
        Some(key) => record.key(key.as_ref()),
        None => record,
    }
}

fn headers(letter: &DeadLetter) -> Headers {
    let mut headers = letter.headers.clone();
    headers.push(REASON, Bytes::copy_from_slice(letter.reason.as_bytes()));
    if let Some(origin) = &letter.origin {
        headers.push(ORIGIN, format!("{}[{}]@{}", origin.topic, origin.partition, origin.offset));
    }
    if let Some(instance) = &letter.instance {
        headers.push(INSTANCE, Bytes::copy_from_slice(instance.as_bytes()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Offset, Origin, Topic};

    #[test]
    fn a_dead_letter_says_why_and_whence() {
        let mut original = Headers::default();
        original.push("ce_type", "OrderPlaced");
        let topic = Topic::new("shop.orders").expect("a topic");
        let letter = DeadLetter {
            reason: "no key".to_owned(),
            origin: Some(Origin { topic, partition: 3, offset: Offset(17) }),
            instance: Some("order/o-1".to_owned()),
            key: None,
            headers: original,
            body: Bytes::new(),
        };
        let headers = headers(&letter);
        assert_eq!(headers.text("ce_type"), Some("OrderPlaced"));
        assert_eq!(headers.text(REASON), Some("no key"));
        assert_eq!(headers.text(ORIGIN), Some("shop.orders[3]@17"));
        assert_eq!(headers.text(INSTANCE), Some("order/o-1"));
    }
}
