use std::ops::{Range, RangeInclusive};

use bytes::Bytes;

use crate::message::{Offset, Timestamp};

/// Where a tree keeps how far it reaches.
pub(super) const META_KEY: &[u8] = b"c";
const TIMER: u8 = b't';
const VALUE: u8 = b'v';
const CRC_BYTES: usize = 4;
const DUE_BYTES: usize = 9;
const META_BYTES: usize = 44;

/// The tree's key of a changelog key.
pub(super) fn value_key(key: &[u8]) -> Vec<u8> {
    [&[VALUE], key].concat()
}

/// The changelog key of a value's key in the tree.
pub(super) fn read_value_key(entry: &[u8]) -> Option<&[u8]> {
    entry.strip_prefix(&[VALUE])
}

/// The tree's key of a timer: its order is the order of the moments.
pub(super) fn timer_key(due: Timestamp, key: &[u8]) -> Vec<u8> {
    [&[TIMER], &ordered(due)[..], key].concat()
}

/// The range of timers that are due within two moments.
pub(super) fn timers_within(moments: &RangeInclusive<Timestamp>) -> Range<Vec<u8>> {
    let end = match moments.end().0.checked_add(1) {
        Some(after) => timer_key(Timestamp(after), b""),
        None => vec![TIMER + 1],
    };
    timer_key(*moments.start(), b"")..end
}

/// Reads what [`timer_key`] wrote.
pub(super) fn read_timer(entry: &[u8]) -> Option<(Timestamp, Bytes)> {
    let (due, key) = entry.strip_prefix(&[TIMER])?.split_at_checked(8)?;
    let due = u64::from_be_bytes(due.try_into().ok()?) ^ (1 << 63);
    Some((Timestamp(due.cast_signed()), Bytes::copy_from_slice(key)))
}

/// Big endian with the sign turned over, so that bytes compare as the moments do.
fn ordered(moment: Timestamp) -> [u8; 8] {
    (moment.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// A stored value and when its instance wants to be woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) due: Option<Due>,
    pub(super) value: Bytes,
}

/// When an instance wants to be woken, and how that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// By an entry of its own in the tree.
    Indexed(Timestamp),
    /// Only by reading the value: whoever has the shard open watches it.
    Watched(Timestamp),
}

impl Record {
    /// Checksum, due, value; the checksum covers the key as well.
    pub(super) fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CRC_BYTES + DUE_BYTES + self.value.len());
        bytes.extend([0; CRC_BYTES]);
        let (tag, due) = match self.due {
            None => (0, Timestamp::default()),
            Some(Due::Indexed(due)) => (1, due),
            Some(Due::Watched(due)) => (2, due),
        };
        bytes.push(tag);
        bytes.extend(due.0.to_be_bytes());
        bytes.extend(&self.value);
        let crc = checksum(key, &bytes[CRC_BYTES..]);
        bytes[..CRC_BYTES].copy_from_slice(&crc);
        bytes
    }

    /// Reads what [`Record::encode`] wrote; none if it is damaged.
    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Option<Self> {
        let (crc, rest) = bytes.split_at_checked(CRC_BYTES)?;
        let (_, value) = rest.split_at_checked(DUE_BYTES)?;
        if crc != checksum(key, rest) {
            return None;
        }
        Some(Self { due: Self::due(bytes), value: Bytes::copy_from_slice(value) })
    }

    /// Only the due moment, without a look at the checksum.
    pub(super) fn due(bytes: &[u8]) -> Option<Due> {
        let (tag, due) = bytes.get(CRC_BYTES..CRC_BYTES + DUE_BYTES)?.split_first()?;
        let due = Timestamp(i64::from_be_bytes(due.try_into().ok()?));
        match tag {
            1 => Some(Due::Indexed(due)),
            2 => Some(Due::Watched(due)),
            _ => None,
        }
    }
}

fn checksum(key: &[u8], rest: &[u8]) -> [u8; CRC_BYTES] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key);
    crc.update(rest);
    crc.finalize().to_be_bytes()
}

/// How far a tree reaches, when that was written, and what must be in the tree then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Meta {
    pub(super) changelog: Offset,
    pub(super) written: Timestamp,
    pub(super) entries: u64,
    pub(super) digest: u128,
}

impl Meta {
    /// Counts an entry in. The digest is a sum of hashes: it needs no order and takes back.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.digest = self.digest.wrapping_add(hash(key, value));
    }

    /// Counts an entry out again.
    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        self.digest = self.digest.wrapping_sub(hash(key, value));
    }

    /// Whether both speak of the same entries.
    pub(super) fn fits(&self, other: &Self) -> bool {
        (self.entries, self.digest) == (other.entries, other.digest)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; CRC_BYTES];
        bytes.extend(self.changelog.0.to_be_bytes());
        bytes.extend(self.written.0.to_be_bytes());
        bytes.extend(self.entries.to_be_bytes());
        bytes.extend(self.digest.to_be_bytes());
        let crc = checksum(META_KEY, &bytes[CRC_BYTES..]);
        bytes[..CRC_BYTES].copy_from_slice(&crc);
        bytes
    }

    /// Reads what [`Meta::encode`] wrote; none if it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; META_BYTES] = bytes.try_into().ok()?;
        if bytes[..CRC_BYTES] != checksum(META_KEY, &bytes[CRC_BYTES..]) {
            return None;
        }
        Some(Self {
            changelog: Offset(i64::from_be_bytes(bytes[4..12].try_into().ok()?)),
            written: Timestamp(i64::from_be_bytes(bytes[12..20].try_into().ok()?)),
            entries: u64::from_be_bytes(bytes[20..28].try_into().ok()?),
            digest: u128::from_be_bytes(bytes[28..44].try_into().ok()?),
        })
    }
}

fn hash(key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes()).update(key).update(value);
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    u128::from_be_bytes(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_any_flipped_bit_is_noticed() {
        let value = Bytes::from_static(b"sealed");
        let moment = Timestamp(-5);
        for due in [None, Some(Due::Watched(moment)), Some(Due::Indexed(moment))] {
            let record = Record { due, value: value.clone() };
            assert_eq!(Record::decode(b"i/a/b", &record.encode(b"i/a/b")), Some(record));
        }
        let bytes = Record { due: Some(Due::Indexed(moment)), value }.encode(b"i/a/b");
        assert_eq!(Record::decode(b"i/a/c", &bytes), None);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::decode(b"i/a/b", &damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_meta_reads_back_and_any_flipped_bit_is_noticed() {
        let mut meta = Meta { changelog: Offset(7), written: Timestamp(9), ..Meta::default() };
        meta.add(b"k", b"v");
        let bytes = meta.encode();
        assert_eq!(Meta::decode(&bytes), Some(meta));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Meta::decode(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn the_digest_needs_no_order_and_takes_back() {
        let (mut one, mut two) = (Meta::default(), Meta::default());
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        two.add(b"b", b"2");
        two.add(b"c", b"3");
        two.add(b"a", b"1");
        assert!(!one.fits(&two));
        two.take(b"c", b"3");
        assert!(one.fits(&two));
    }

    #[test]
    fn timers_sort_as_their_moments_do() {
        let moments = [i64::MIN, -1, 0, 1, 255, 256, i64::MAX].map(Timestamp);
        let keys: Vec<_> = moments.iter().map(|m| timer_key(*m, b"k")).collect();
        assert!(keys.is_sorted());
        for (moment, key) in moments.into_iter().zip(&keys) {
            assert_eq!(read_timer(key), Some((moment, Bytes::from_static(b"k"))));
            assert!(timers_within(&(moment..=moment)).contains(key), "{moment:?}");
        }
        let early = Timestamp(i64::MIN)..=Timestamp(0);
        assert!(!timers_within(&early).contains(&timer_key(Timestamp(1), b"")));
        let late = Timestamp(1)..=Timestamp(i64::MAX);
        assert!(!timers_within(&late).contains(&timer_key(Timestamp(0), b"")));
    }
}
