//! How values stand in the journal: big-endian numbers, and a length before what varies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Buf, Bytes};

/// A value that can be written to the journal and read back.
pub(super) trait Stored: Sized {
    fn put(&self, out: &mut Vec<u8>);

    /// Reads a value from the front; none if no such value stands there.
    fn take(from: &mut Bytes) -> Option<Self>;
}

impl Stored for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        match from.try_get_u8().ok()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Stored for i16 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        from.try_get_i16().ok()
    }
}

impl Stored for i32 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        from.try_get_i32().ok()
    }
}

impl Stored for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        from.try_get_i64().ok()
    }
}

impl Stored for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        out.extend_from_slice(self);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        let length = take_length(from)?;
        (length <= from.len()).then(|| from.split_to(length))
    }
}

impl Stored for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Self::from_utf8(<Bytes as Stored>::take(from)?.into()).ok()
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_all(self.len(), self, out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        take_all(from)
    }
}

impl<T: Stored> Stored for VecDeque<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_all(self.len(), self, out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        take_all(from)
    }
}

impl<T: Stored + Ord> Stored for BTreeSet<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_all(self.len(), self, out);
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        take_all(from)
    }
}

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(from: &mut Bytes) -> Option<Self> {
        take_all(from)
    }
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("a request is far smaller than 4 GiB");
    out.extend(length.to_be_bytes());
}

fn take_length(from: &mut Bytes) -> Option<usize> {
    usize::try_from(from.try_get_u32().ok()?).ok()
}

fn put_all<'a, T: Stored + 'a>(
    count: usize,
    items: impl IntoIterator<Item = &'a T>,
    out: &mut Vec<u8>,
) {
    put_length(count, out);
    for item in items {
        item.put(out);
    }
}

fn take_all<T: Stored, C: FromIterator<T>>(from: &mut Bytes) -> Option<C> {
    let count = take_length(from)?;
    (0..count).map(|_| T::take(from)).collect()
}
