//! The keys of the changelog: `i/<saga>/<key>` is an instance, `p/<shard>` a shard's position.

use bytes::Bytes;

use super::wire;
use crate::message::{InstanceId, Shard};

const INSTANCE: &[u8] = b"i/";

/// The key that an instance stands under.
#[must_use]
pub fn instance_key(id: &InstanceId) -> Bytes {
    format!("i/{}/{}", id.saga, id.key).into()
}

/// The key that a shard's position stands under.
#[must_use]
pub fn position_key(shard: Shard) -> Bytes {
    format!("p/{shard}").into()
}

/// Whether an instance stands under a key.
#[must_use]
pub fn is_instance(key: &[u8]) -> bool {
    key.starts_with(INSTANCE)
}

/// The saga of the instance that stands under a key; empty if none does.
#[must_use]
pub fn saga_of(key: &Bytes) -> Bytes {
    let Some(rest) = key.strip_prefix(INSTANCE) else {
        return Bytes::new();
    };
    let length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    key.slice(INSTANCE.len()..INSTANCE.len() + length)
}

/// The name of the instance that stands under a key.
#[must_use]
pub fn target_of(key: &Bytes) -> wire::Target {
    let saga = saga_of(key);
    let behind = (INSTANCE.len() + saga.len() + 1).min(key.len());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    wire::Target { saga: text(&saga), key: text(&key[behind..]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Key, SagaName};

    #[test]
    fn a_key_names_its_instance() {
        let saga = SagaName::new("order").expect("a name");
        let id = InstanceId { saga, key: Key::new("a/b/c").expect("a key") };
        let key = instance_key(&id);
        assert_eq!(key, "i/order/a/b/c");
        assert!(is_instance(&key));
        assert_eq!(saga_of(&key), "order");
        assert_eq!(target_of(&key).read(), Ok(id));
    }

    #[test]
    fn a_position_is_no_instance() {
        let key = position_key(Shard(7));
        assert_eq!(key, "p/7");
        assert!(!is_instance(&key));
        assert_eq!(saga_of(&key), "");
    }
}
