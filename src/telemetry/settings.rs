/// How to write the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// What is written; the variable `SEGUE_LOG` says it in more detail.
    pub level: Level,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object of JSON a line, for machines.
    Json,
}

/// The least important kind of line that is still written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// What went wrong.
    Error,
    /// What may go wrong.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Why it happens.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Export {
    /// The OTLP receiver (HTTP, protobuf), such as `http://127.0.0.1:4318`; none exports nothing.
    pub endpoint: Option<String>,
    /// The engine's name, told as `service.name`.
    pub service: String,
    /// The node's name, told as `service.instance.id`.
    pub node: String,
}
