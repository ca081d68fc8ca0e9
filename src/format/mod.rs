//! Keeps the stored bytes: protobuf messages of the engine's own topics, with version and checksum.
