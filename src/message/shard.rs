use std::fmt;

use super::InstanceId;

/// One partition of the inbox and its instances, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u32);

impl Shard {
    /// Shards in words, neighbours together: `0-3,7`; they come in their order.
    pub fn listed(shards: impl Iterator<Item = Self>) -> String {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for Self(shard) in shards {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == shard => *last = shard,
                _ => runs.push((shard, shard)),
            }
        }
        let mut text = String::new();
        for (first, last) in runs {
            let comma = if text.is_empty() { "" } else { "," };
            let run = if first == last { format!("{first}") } else { format!("{first}-{last}") };
            text.push_str(comma);
            text.push_str(&run);
        }
        text
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A record's place in its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub i64);

impl Offset {
    /// The place behind this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The shard that an instance lives in: murmur2 over saga and key, as Kafka's own partitioner
/// computes it (the sign bit dropped), modulo the number of shards.
#[must_use]
pub fn shard_of(id: &InstanceId, shards: u32) -> Shard {
    let text = [id.saga.as_str(), id.key.as_str()].concat();
    Shard((murmur2(text.as_bytes()) & 0x7fff_ffff) % shards.max(1))
}

/// Kafka's murmur2 (`org.apache.kafka.common.utils.Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).expect("keys are shorter than 4 GiB");
    let mut hash = 0x9747_b28c ^ length;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]).wrapping_mul(M);
        let word = (word ^ (word >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = chunks.remainder();
    for (place, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * place);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from Apache Kafka's own `UtilsTest.testMurmur2`.
    #[test]
    fn murmur2_is_kafkas() {
        for (text, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }
}
