//! Runs the shard loop and the gateway over ports: batch, commit, restore, assignment, schedule.
