//! Describes what travels: topics, event types, headers, identities of instances and commands.
