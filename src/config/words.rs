/// How a connection is secured, in Kafka's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Not at all.
    Plaintext,
    /// Encrypted.
    Ssl,
    /// With a login.
    SaslPlaintext,
    /// Encrypted and with a login.
    SaslSsl,
}

impl Protocol {
    /// Every one of them with its word.
    pub const WORDS: &[(&str, Self)] = &[
        ("plaintext", Self::Plaintext),
        ("ssl", Self::Ssl),
        ("sasl-plaintext", Self::SaslPlaintext),
        ("sasl-ssl", Self::SaslSsl),
    ];

    /// Whether it needs a login.
    #[must_use]
    pub fn has_login(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }
}

/// How a login is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The password is sent.
    Plain,
    /// It is not; SHA-256.
    ScramSha256,
    /// It is not; SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// Every one of them with its word.
    pub const WORDS: &[(&str, Self)] = &[
        ("plain", Self::Plain),
        ("scram-sha-256", Self::ScramSha256),
        ("scram-sha-512", Self::ScramSha512),
    ];
}

/// What to do about engine topics that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicMode {
    /// Make them.
    Create,
    /// Refuse to start.
    Require,
}

impl TopicMode {
    /// Every one of them with its word.
    pub const WORDS: &[(&str, Self)] = &[("create", Self::Create), ("require", Self::Require)];
}

/// How often a command may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Once: a transaction for every batch.
    ExactlyOnce,
    /// Again with the same id after a crash: no transactions.
    AtLeastOnce,
}

impl Delivery {
    /// Every one of them with its word.
    pub const WORDS: &[(&str, Self)] =
        &[("exactly-once", Self::ExactlyOnce), ("at-least-once", Self::AtLeastOnce)];
}

/// What becomes of an event that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnmatched {
    /// It goes to the dead letters with the reason.
    DeadLetter,
    /// It is counted.
    Count,
}

impl OnUnmatched {
    /// Every one of them with its word.
    pub const WORDS: &[(&str, Self)] = &[("dead-letter", Self::DeadLetter), ("count", Self::Count)];
}
