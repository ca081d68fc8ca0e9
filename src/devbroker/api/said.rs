//! What requests and answers of all kinds have in common.

use kafka_protocol::ResponseError;
use kafka_protocol::protocol::StrBytes;

/// The one broker.
pub(super) const BROKER: i32 = 1;
pub(super) const CLUSTER: &str = "segue-development-only";
/// Answers carry no permissions unless asked for, and here everything is allowed.
pub(super) const NO_AUTHORIZATION: i32 = i32::MIN;

/// Who asks, and in which version.
#[derive(Debug)]
pub struct Client {
    pub id: String,
    pub host: String,
    pub version: i16,
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}
