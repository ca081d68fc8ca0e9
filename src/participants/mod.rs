//! Simulates the services that obey commands, from a definition's participants.yaml.
