/// Something that a participant did, once for each idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deed {
    /// The idempotency key.
    pub key: String,
    /// The idempotency key of what it undid.
    pub undoes: Option<String>,
}
