//! The two calls that rust-rdkafka does not offer as the engine needs them; all `unsafe` is here.
#![allow(unsafe_code, reason = "the crate does not expose these calls of librdkafka")]

use std::time::{Duration, Instant};

use rdkafka::bindings::{
    rd_kafka_consumer_group_metadata, rd_kafka_consumer_group_metadata_destroy,
    rd_kafka_consumer_group_metadata_generation_id, rd_kafka_flush,
};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;

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
