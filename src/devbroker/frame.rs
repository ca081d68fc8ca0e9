//! One entry of the journal: the changes of one request, all of them or none.
//!
//! ```text
//!  length (4) │ checksum of the body (4) │ checksum of these eight bytes (4) │ body: changes
//! ```
//!
//! A head that is whole and wrong means damage; a head or body that is cut means a torn tail.

use std::io::{self, Read};

use bytes::Bytes;

use super::change::Change;
use super::stored::Stored;

const HEAD_BYTES: usize = 12;
/// Memory that an empty frame may hold on to.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Changes that are about to be written, behind the room for their head.
#[derive(Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    pub fn push(&mut self, change: &Change) {
        change.put(&mut self.bytes);
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEAD_BYTES
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes to write, with the head filled in.
    pub fn sealed(&mut self) -> &[u8] {
        let (head, body) = self.bytes.split_at_mut(HEAD_BYTES);
        let length = u32::try_from(body.len()).expect("a request is far smaller than 4 GiB");
        head[0..4].copy_from_slice(&length.to_be_bytes());
        head[4..8].copy_from_slice(&crc32fast::hash(body).to_be_bytes());
        let checksum = crc32fast::hash(&head[0..8]);
        head[8..12].copy_from_slice(&checksum.to_be_bytes());
        &self.bytes
    }

    pub fn clear(&mut self) {
        self.bytes.truncate(HEAD_BYTES);
        self.bytes.shrink_to(HELD_BYTES_MAX);
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self { bytes: vec![0; HEAD_BYTES] }
    }
}

/// Where the cluster notes its changes; one that lives in memory only drops them.
#[derive(Debug, Default)]
pub(super) struct Changes {
    frame: Option<Frame>,
}

impl Changes {
    pub fn kept() -> Self {
        Self { frame: Some(Frame::default()) }
    }

    pub fn note(&mut self, change: impl FnOnce() -> Change) {
        if let Some(frame) = &mut self.frame {
            frame.push(&change());
        }
    }

    pub fn frame(&mut self) -> Option<&mut Frame> {
        self.frame.as_mut()
    }
}

/// What stands next in a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Body(Bytes),
    End,
    /// What follows was never written in full.
    Torn,
    Damaged(&'static str),
}

/// Reads the next frame of a source of which this much is left.
pub(super) fn next(source: &mut impl Read, left: u64) -> io::Result<Next> {
    if left == 0 {
        return Ok(Next::End);
    }
    if left < HEAD_BYTES as u64 {
        return Ok(Next::Torn);
    }
    let mut head = [0; HEAD_BYTES];
    source.read_exact(&mut head)?;
    let [length, body_checksum, head_checksum] = [0, 4, 8]
        .map(|at| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    if crc32fast::hash(&head[0..8]) != head_checksum {
        // A file system that lost power may leave room that nothing was written to.
        let blank = head == [0; HEAD_BYTES] && is_blank(source)?;
        let damaged = Next::Damaged("the head of an entry does not match its checksum");
        return Ok(if blank { Next::Torn } else { damaged });
    }
    let left = left - HEAD_BYTES as u64;
    if u64::from(length) > left {
        return Ok(Next::Torn);
    }
    let mut body = vec![0; length as usize];
    source.read_exact(&mut body)?;
    if crc32fast::hash(&body) == body_checksum {
        return Ok(Next::Body(body.into()));
    }
    let last = u64::from(length) == left;
    Ok(if last { Next::Torn } else { Next::Damaged("an entry does not match its checksum") })
}

/// Says how long a frame with this body is.
pub(super) fn frame_bytes(body: &Bytes) -> u64 {
    (HEAD_BYTES + body.len()) as u64
}

fn is_blank(source: &mut impl Read) -> io::Result<bool> {
    let mut chunk = [0; 4096];
    loop {
        let count = source.read(&mut chunk)?;
        if count == 0 {
            return Ok(true);
        }
        if chunk[..count].iter().any(|b| *b != 0) {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(next: i64) -> Vec<u8> {
        let mut frame = Frame::default();
        frame.push(&Change::ProducersNumbered { next });
        frame.sealed().to_vec()
    }

    fn second(bytes: &[u8]) -> Next {
        let mut source = bytes;
        let first = next(&mut source, bytes.len() as u64).expect("memory does not fail");
        let Next::Body(body) = first else { return first };
        let left = bytes.len() as u64 - frame_bytes(&body);
        next(&mut source, left).expect("memory does not fail")
    }

    #[test]
    fn a_frame_that_is_cut_anywhere_is_torn() {
        let (first, last) = (frame(1), frame(2));
        let both = [first.as_slice(), last.as_slice()].concat();
        assert!(matches!(second(&both), Next::Body(_)));
        assert_eq!(second(&first), Next::End);
        for length in first.len() + 1..both.len() {
            assert_eq!(second(&both[..length]), Next::Torn, "cut at {length}");
        }
        let blank = [first.as_slice(), &[0; 9_000]].concat();
        assert_eq!(second(&blank), Next::Torn);
    }

    #[test]
    fn a_changed_byte_in_front_of_another_frame_is_damage() {
        let both = [frame(1), frame(2)].concat();
        for at in 0..frame(1).len() {
            let mut changed = both.clone();
            changed[at] ^= 1;
            assert!(matches!(second(&changed), Next::Damaged(_)), "byte {at}");
        }
    }
}
