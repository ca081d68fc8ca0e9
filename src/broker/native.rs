//! The three questions that rust-rdkafka does not offer as the engine needs them; all `unsafe` is
//! here.
#![allow(unsafe_code, reason = "the crate does not expose these calls of librdkafka")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, c_char};
use std::time::{Duration, Instant};

use rdkafka::bindings::{
    rd_kafka_DescribeTopics, rd_kafka_DescribeTopics_result_topics,
    rd_kafka_TopicCollection_destroy, rd_kafka_TopicCollection_of_topic_names,
    rd_kafka_TopicDescription_error, rd_kafka_TopicDescription_t,
    rd_kafka_TopicDescription_topic_id, rd_kafka_Uuid_least_significant_bits,
    rd_kafka_Uuid_most_significant_bits, rd_kafka_consumer_group_metadata,
    rd_kafka_consumer_group_metadata_destroy, rd_kafka_consumer_group_metadata_generation_id,
    rd_kafka_error_code, rd_kafka_event_DescribeTopics_result, rd_kafka_event_destroy,
    rd_kafka_event_error, rd_kafka_event_t, rd_kafka_flush, rd_kafka_queue_destroy,
    rd_kafka_queue_new, rd_kafka_queue_poll,
};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;

use crate::message::{Topic, TopicId};

/// Waits until a producer's queue is empty; answers whether it is.
///
/// rust-rdkafka's own flush polls in steps of 100 ms, which would be the time that a commit
/// takes; librdkafka's wakes up with the last acknowledgement.
pub(super) fn flush<C: ProducerContext + 'static>(
    producer: &ThreadedProducer<C>,
    wait: Duration,
) -> bool {
    let until = Instant::now() + wait;
    loop {
        let rest = until.saturating_duration_since(Instant::now()).as_millis();
        let rest = i32::try_from(rest).unwrap_or(i32::MAX);
        // SAFETY: the pointer is that of a live producer, which `producer` keeps alive for the
        // call, and rd_kafka_flush may be called from any thread.
        let answer = unsafe { rd_kafka_flush(producer.client().native_ptr(), rest) };
        if answer == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return true;
        }
        if rest == 0 {
            return false;
        }
    }
}

/// The generation in which a consumer belongs to its group; none while it does not.
pub(super) fn generation<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<i32> {
    // SAFETY: the consumer is alive for the calls; what the first returns is ours, is checked for
    // null, and is destroyed once.
    let generation = unsafe {
        let metadata = rd_kafka_consumer_group_metadata(consumer.client().native_ptr());
        if metadata.is_null() {
            return None;
        }
        let generation = rd_kafka_consumer_group_metadata_generation_id(metadata);
        rd_kafka_consumer_group_metadata_destroy(metadata);
        generation
    };
    (generation >= 0).then_some(generation)
}

/// A topic as the cluster describes it: its id, none from a cluster that has no ids, or why it
/// does not describe it.
pub(super) type Described = Result<Option<TopicId>, RDKafkaErrorCode>;

/// Asks the cluster for the ids of topics; a topic that it says nothing of is left out.
///
/// Before that it is asked for one topic as any client asks: while no broker is there, librdkafka
/// waits for an answer to this, but for the other it connects without a pause (830 times a second,
/// for most of a core).
///
/// # Errors
/// When the whole question is not answered within `wait`.
pub(super) fn topic_ids<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topics: &BTreeSet<Topic>,
    wait: Duration,
) -> Result<BTreeMap<Topic, Described>, RDKafkaErrorCode> {
    let Some(any) = topics.first() else { return Ok(BTreeMap::new()) };
    let until = Instant::now() + wait;
    let there = client.fetch_metadata(Some(any.as_str()), wait);
    there.map_err(|e| e.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::OperationTimedOut))?;
    let wait = until.saturating_duration_since(Instant::now());
    let name = |t: &Topic| CString::new(t.as_str()).expect("a topic's name has no zero byte");
    let names: Vec<CString> = topics.iter().map(name).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    let native = client.client().native_ptr();
    // SAFETY: the client outlives the calls. The names are copied by the first of them. The queue
    // and the collection are ours, are made without fail and destroyed once; the event is ours if
    // it is not null, is read while it lives, and destroyed once. An answer that comes after the
    // queue is destroyed is dropped by librdkafka.
    unsafe {
        let collection =
            rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let queue = rd_kafka_queue_new(native);
        rd_kafka_DescribeTopics(native, collection, std::ptr::null(), queue);
        rd_kafka_TopicCollection_destroy(collection);
        let event = rd_kafka_queue_poll(queue, wait);
        let found = if event.is_null() {
            Err(RDKafkaErrorCode::OperationTimedOut)
        } else {
            let found = described(event, topics);
            rd_kafka_event_destroy(event);
            found
        };
        rd_kafka_queue_destroy(queue);
        found
    }
}

/// # Safety
/// The event must be alive and the answer to a question for these topics, in their order.
unsafe fn described(
    event: *mut rd_kafka_event_t,
    topics: &BTreeSet<Topic>,
) -> Result<BTreeMap<Topic, Described>, RDKafkaErrorCode> {
    // SAFETY: the caller vouches for the event; what is read belongs to it. librdkafka gives the
    // descriptions in the order of the question, and a null pointer where there is none.
    unsafe {
        let error = rd_kafka_event_error(event);
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(error.into());
        }
        let result = rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err(RDKafkaErrorCode::BadMessage);
        }
        let mut count = 0;
        let descriptions = rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let mut found = BTreeMap::new();
        for (place, topic) in topics.iter().enumerate().take(count) {
            let description = *descriptions.add(place);
            if !description.is_null() {
                found.insert(topic.clone(), id_of(description));
            }
        }
        Ok(found)
    }
}

/// # Safety
/// The description must be alive.
unsafe fn id_of(description: *const rd_kafka_TopicDescription_t) -> Described {
    // SAFETY: the caller vouches for the description; error and id belong to it.
    unsafe {
        let error = rd_kafka_TopicDescription_error(description);
        if !error.is_null() {
            return Err(rd_kafka_error_code(error).into());
        }
        let id = rd_kafka_TopicDescription_topic_id(description);
        let high = rd_kafka_Uuid_most_significant_bits(id).to_be_bytes();
        let low = rd_kafka_Uuid_least_significant_bits(id).to_be_bytes();
        Ok(TopicId::of_bytes(&[high, low].concat()))
    }
}
