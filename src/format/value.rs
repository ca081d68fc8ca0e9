use prost::Message;

use crate::message::NotJson;

/// The format that this build writes.
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 5;

/// Why stored bytes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too short to hold even the head.
    #[error("{0} bytes are too short for a stored value")]
    Short(usize),
    /// Written by another format, most likely a newer build.
    #[error("format {0} is not known here; a newer segue wrote it")]
    Format(u8),
    /// The checksum does not fit: the bytes are damaged.
    #[error("the checksum does not fit; the value is damaged")]
    Checksum,
    /// The message inside does not decode.
    #[error("the value does not decode: {0}")]
    Message(String),
    /// A field holds what it may not.
    #[error("the value holds an unknown {0}")]
    Field(&'static str),
    /// The body of an event is not JSON; whoever sent it must mend it.
    #[error(transparent)]
    Body(NotJson),
}

/// Wraps a message for storage: format, CRC-32, protobuf.
#[must_use]
pub fn seal(message: &impl Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + message.encoded_len());
    bytes.extend([FORMAT, 0, 0, 0, 0]);
    message.encode(&mut bytes).expect("a vector grows as far as it must");
    let checksum = crc32fast::hash(&bytes[HEAD_BYTES..]);
    bytes[1..HEAD_BYTES].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Reads a stored message.
///
/// # Errors
/// When the bytes are damaged or of another format.
pub fn open<M: Message + Default>(bytes: &[u8]) -> Result<M, Error> {
    let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(Error::Short(bytes.len()))?;
    if head[0] != FORMAT {
        return Err(Error::Format(head[0]));
    }
    if crc32fast::hash(body).to_be_bytes() != head[1..] {
        return Err(Error::Checksum);
    }
    M::decode(body).map_err(|e| Error::Message(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::wire::Target;

    #[test]
    fn any_flipped_bit_is_noticed() {
        let target = Target { saga: "order".to_owned(), key: "o-1".to_owned() };
        let sealed = seal(&target);
        assert_eq!(open(&sealed), Ok(target));
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open::<Target>(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open::<Target>(&sealed[..length]).is_err(), "{length} bytes");
        }
    }
}
