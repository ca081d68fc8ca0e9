/// Kafka's numbers for the requests that are meddled with.
pub const PRODUCE: i16 = 0;
pub const OFFSET_COMMIT: i16 = 8;
pub const HEARTBEAT: i16 = 12;
pub const INIT_PRODUCER_ID: i16 = 22;
pub const ADD_PARTITIONS: i16 = 24;
pub const END_TRANSACTION: i16 = 26;
pub const TRANSACTION_OFFSETS: i16 = 28;

/// The error by which a coordinator asks for the same again.
const CONCURRENT_TRANSACTIONS: i16 = 51;
/// The first version of the end of a transaction whose fields are written another way.
const FLEXIBLE_END: i16 = 3;
/// How far into a request names of topics are looked for.
const HEAD_BYTES: usize = 512;

/// As much of a request as must be known of it.
pub struct Request<'a> {
    pub frame: &'a [u8],
    pub api: i16,
    version: i16,
}

impl<'a> Request<'a> {
    /// Reads the head: the kind, its version, then a number by which the answer is known.
    pub fn of(frame: &'a [u8]) -> Self {
        let number = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
        Self { frame, api: number(0), version: number(2) }
    }

    /// The number by which its answer is known.
    pub fn number(&self) -> [u8; 4] {
        self.frame[4..8].try_into().expect("four bytes")
    }

    /// Whether it commits a transaction.
    pub fn commits(&self) -> bool {
        if self.api != END_TRANSACTION {
            return false;
        }
        assert!(self.version < FLEXIBLE_END, "the client speaks a newer version: read it as well");
        // The last field says whether to commit or to abort.
        self.frame.last() == Some(&1)
    }

    /// Whether it writes records to a topic whose name ends so.
    pub fn writes_to(&self, name: &str) -> bool {
        let head = &self.frame[..self.frame.len().min(HEAD_BYTES)];
        self.api == PRODUCE && head.windows(name.len()).any(|part| part == name.as_bytes())
    }
}

/// The answer to the end of a transaction that asks for the same again.
pub fn ask_again(request: &Request<'_>) -> Vec<u8> {
    let mut answer = request.number().to_vec();
    answer.extend(0_i32.to_be_bytes());
    answer.extend(CONCURRENT_TRANSACTIONS.to_be_bytes());
    answer
}

/// The error code in the answer to the end of a transaction: behind the answer's number and the
/// time for which the client is to wait.
pub fn error_of_end(answer: &[u8]) -> i16 {
    i16::from_be_bytes([answer[8], answer[9]])
}
