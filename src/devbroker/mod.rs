//! Serves the Kafka protocol in memory, for development and hermetic tests only.
