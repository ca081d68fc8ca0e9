//! Connects the runtime's ports to Kafka by librdkafka.
