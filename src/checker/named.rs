use crate::message::InstanceId;

/// A lock or another saga, by the expressions that make its key.
pub(super) fn named(id: &InstanceId) -> String {
    let key = id.key.as_str();
    // What a value was taken from stands behind the bar.
    let key = key.split(" | ").next().unwrap_or(key);
    if id.saga.is_lock() { format!("the lock `{key}`") } else { format!("{}/{key}", id.saga) }
}
