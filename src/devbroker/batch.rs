//! Record batches of the wire format, version 2: read where they lie, stamped with their offset.

use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::records::{
    Compression, NO_SEQUENCE, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions,
    TimestampType,
};

const HEADER_BYTES: usize = 61;
/// Base offset and length stand in front of what the length counts.
const PREFIX_BYTES: usize = 12;
const MAGIC: u8 = 2;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
/// One broker leads every partition for ever.
pub(super) const LEADER_EPOCH: i32 = 0;

/// One batch with the fields of its header that the broker acts on.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub bytes: Bytes,
    pub base_offset: i64,
    pub last_offset: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    attributes: i16,
}

impl Batch {
    /// Cuts what a producer sent into its batches.
    pub fn split(records: &Bytes) -> Result<Vec<Self>, ResponseError> {
        let mut rest = records.clone();
        let mut batches = Vec::new();
        while !rest.is_empty() {
            if rest.len() < HEADER_BYTES {
                return Err(ResponseError::CorruptMessage);
            }
            let counted = usize::try_from(i32_at(&rest, 8)).unwrap_or(0);
            let length = counted + PREFIX_BYTES;
            if length < HEADER_BYTES || length > rest.len() {
                return Err(ResponseError::CorruptMessage);
            }
            batches.push(Self::parse(rest.split_to(length))?);
        }
        Ok(batches)
    }

    fn parse(bytes: Bytes) -> Result<Self, ResponseError> {
        if bytes[16] != MAGIC {
            return Err(ResponseError::UnsupportedForMessageFormat);
        }
        let base_offset = i64_at(&bytes, 0);
        let last_delta = i32_at(&bytes, 23);
        if last_delta < 0 {
            return Err(ResponseError::InvalidRecord);
        }
        Ok(Self {
            base_offset,
            last_offset: base_offset + i64::from(last_delta),
            attributes: i16_at(&bytes, 21),
            max_timestamp: i64_at(&bytes, 35),
            producer_id: i64_at(&bytes, 43),
            producer_epoch: i16_at(&bytes, 51),
            base_sequence: i32_at(&bytes, 53),
            bytes,
        })
    }

    /// Builds the marker that ends a transaction in a partition.
    pub fn marker(producer_id: i64, producer_epoch: i16, committed: bool, now_ms: i64) -> Self {
        let key = [0, 0, 0, u8::from(committed)];
        let record = Record {
            transactional: true,
            control: true,
            delete_horizon: false,
            partition_leader_epoch: LEADER_EPOCH,
            producer_id,
            producer_epoch,
            timestamp_type: TimestampType::Creation,
            offset: 0,
            sequence: NO_SEQUENCE,
            timestamp: now_ms,
            key: Some(Bytes::copy_from_slice(&key)),
            value: Some(Bytes::from_static(&[0, 0, 0, 0, 0, 0])),
            headers: IndexMap::new(),
        };
        let bytes = encode(&[record], Compression::None).expect("a marker always encodes");
        Self::parse(bytes).expect("an encoded marker parses")
    }

    /// Writes the offset that the log gives it into a batch; the checksum does not cover it.
    #[must_use]
    pub fn stamped(mut self, base_offset: i64) -> Self {
        let mut bytes = BytesMut::from(&self.bytes[..]);
        bytes[0..8].copy_from_slice(&base_offset.to_be_bytes());
        bytes[12..16].copy_from_slice(&LEADER_EPOCH.to_be_bytes());
        self.last_offset = base_offset + (self.last_offset - self.base_offset);
        self.base_offset = base_offset;
        self.bytes = bytes.freeze();
        self
    }

    /// The records in a batch, unpacked.
    pub fn records(&self) -> Result<Vec<Record>, ResponseError> {
        let mut bytes = self.bytes.clone();
        let set = RecordBatchDecoder::decode(&mut bytes);
        set.map(|s| s.records).map_err(|_| ResponseError::CorruptMessage)
    }

    /// What remains of a batch when only these of its records do.
    pub fn keep(&self, records: &[Record]) -> Result<Vec<Self>, ResponseError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let compression = match self.attributes & 7 {
            1 => Compression::Gzip,
            2 => Compression::Snappy,
            3 => Compression::Lz4,
            4 => Compression::Zstd,
            _ => Compression::None,
        };
        Self::split(&encode(records, compression)?)
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    pub fn last_sequence(&self) -> i32 {
        advance(self.base_sequence, self.last_offset - self.base_offset)
    }
}

/// A sequence number some records further; after the largest comes zero.
pub(super) fn advance(sequence: i32, records: i64) -> i32 {
    let next = (i64::from(sequence) + records) % (i64::from(i32::MAX) + 1);
    i32::try_from(next).unwrap_or(0)
}

fn encode(records: &[Record], compression: Compression) -> Result<Bytes, ResponseError> {
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression };
    RecordBatchEncoder::encode(&mut bytes, records, &options)
        .map_err(|_| ResponseError::CorruptMessage)?;
    Ok(bytes.freeze())
}

fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    let mut array = [0; 8];
    array.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(array)
}
