//! Tells consumers which partitions to read.

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use crate::message::{Offset, Topic};

/// Reads these partitions and no others.
pub(super) fn assign<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    settle(consumer)?;
    consumer.assign(partitions)
}

/// Reads nothing.
pub(super) fn unassign<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> KafkaResult<()> {
    settle(consumer)?;
    consumer.unassign()
}

/// Begins to read one partition at an offset.
pub(super) fn read_from<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &Topic,
    partition: i32,
    at: Offset,
) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic.as_str(), partition, Place::Offset(at.0))?;
    assign(consumer, &list)
}

/// Waits until what the last assignment took away has stopped: librdkafka ends the process when
/// a partition is stopped a second time while it still stops (#5573, up to 2.15). Its thread
/// serves requests in their order; a stop takes two of them, the second asked for by the first.
fn settle<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> KafkaResult<()> {
    for _ in 0..2 {
        consumer.assignment()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::reader::made;
    use crate::broker::{Connection, Isolation, TopicSpec, create_topics};
    use crate::devbroker::{DevBroker, Options};

    #[test]
    fn what_stops_is_waited_for_before_it_is_stopped_again() {
        let cluster = DevBroker::start(Options::default()).expect("a free port");
        let connection = Connection::plain(&cluster.address());
        let config = connection.consumer("test", "test", Isolation::Committed).expect("settings");
        let consumer = made(&config).expect("a client");
        // So many that the next change is asked for while they stop.
        let users = Topic::new("users").expect("a name");
        let spec = TopicSpec { name: users, partitions: 500, replication: 1, settings: Vec::new() };
        create_topics(&connection, &[spec]).expect("a topic");
        let mut many = TopicPartitionList::new();
        for partition in 0..500 {
            many.add_partition_offset("users", partition, Place::Beginning).expect("a place");
        }
        for _ in 0..20 {
            assign(&consumer, &many).expect("assigned");
            assign(&consumer, &many).expect("assigned");
            unassign(&consumer).expect("nothing is read");
        }
    }
}
