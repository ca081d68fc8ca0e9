//! Offsets in few bytes: the first, then the differences, each as a varint (seven bits a byte, the
//! lowest first).

use crate::message::Offset;

/// The most bytes of one instance: some 5,000 entries. The oldest half goes when they are full.
const PACKED_BYTES_MAX: usize = 16 * 1024;

/// Adds offsets behind those that are there; one that is not greater than the last is there.
pub(super) fn add(packed: &mut Vec<u8>, offsets: &[Offset]) {
    let mut last = unpacked(packed).last();
    for offset in offsets {
        let difference = match last {
            Some(last) if *offset <= last => continue,
            Some(last) => offset.0 - last.0,
            None => offset.0,
        };
        push(packed, difference);
        last = Some(*offset);
    }
    if packed.len() > PACKED_BYTES_MAX {
        drop_oldest(packed);
    }
}

/// Keeps what fits into half of the room.
fn drop_oldest(packed: &mut Vec<u8>) {
    let offsets: Vec<Offset> = unpacked(packed).collect();
    let excess = packed.len().saturating_sub(PACKED_BYTES_MAX / 2);
    // Each has about the same size.
    let dropped = offsets.len() * excess / packed.len().max(1);
    packed.clear();
    let mut before = 0;
    for offset in &offsets[dropped..] {
        push(packed, offset.0 - before);
        before = offset.0;
    }
}

fn push(packed: &mut Vec<u8>, difference: i64) {
    let mut rest = difference.max(0).cast_unsigned();
    loop {
        let low = u8::try_from(rest & 0x7f).expect("seven bits");
        rest >>= 7;
        if rest == 0 {
            packed.push(low);
            return;
        }
        packed.push(low | 0x80);
    }
}

/// The offsets, in their order.
pub(super) fn unpacked(packed: &[u8]) -> impl Iterator<Item = Offset> + '_ {
    let mut rest = packed;
    let mut last = 0_i64;
    std::iter::from_fn(move || {
        let end = rest.iter().position(|byte| byte & 0x80 == 0)?;
        let (number, behind) = rest.split_at(end + 1);
        rest = behind;
        let value =
            number.iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
        last = last.saturating_add_unsigned(value);
        Some(Offset(last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(offsets: &[i64]) -> Vec<u8> {
        let offsets: Vec<Offset> = offsets.iter().map(|offset| Offset(*offset)).collect();
        let mut packed = Vec::new();
        add(&mut packed, &offsets);
        packed
    }

    fn read(packed: &[u8]) -> Vec<i64> {
        unpacked(packed).map(|offset| offset.0).collect()
    }

    #[test]
    fn offsets_read_back_as_they_were_added() {
        for offsets in [&[][..], &[0], &[0, 1, 127, 128, 300], &[i64::MAX - 1, i64::MAX]] {
            assert_eq!(read(&packed(offsets)), offsets);
        }
        assert_eq!(packed(&[1_000_000, 1_000_100, 1_000_200]).len(), 5);
    }

    #[test]
    fn of_very_many_the_newest_are_kept() {
        let many: Vec<i64> = (0..20_000).map(|number| number * 1_000).collect();
        let packed = packed(&many);
        assert!(packed.len() <= PACKED_BYTES_MAX);
        let kept = read(&packed);
        assert!(kept.len() > 3_000 && many.ends_with(&kept), "{}", kept.len());
    }

    #[test]
    fn what_is_read_again_is_not_added_again() {
        let mut packed = packed(&[5, 9, 5, 9, 12]);
        add(&mut packed, &[Offset(9), Offset(12), Offset(13)]);
        assert_eq!(read(&packed), [5, 9, 12, 13]);
    }
}
