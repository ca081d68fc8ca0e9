use std::fmt;
use std::str::FromStr;

use super::Timestamp;

/// Where a topic is begun that was not read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFrom {
    /// With the oldest record that is there.
    Earliest,
    /// Behind the last record that is there now.
    Latest,
    /// With the first record that is as young as this.
    Time(Timestamp),
}

impl FromStr for StartFrom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            _ => Timestamp::parse(text).map(Self::Time).ok_or_else(|| {
                format!(
                    "`{text}` is not where a topic can start; write earliest, latest or a moment \
                     such as 2026-11-01T00:00:00Z"
                )
            }),
        }
    }
}

impl fmt::Display for StartFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Earliest => f.write_str("earliest"),
            Self::Latest => f.write_str("latest"),
            Self::Time(moment) => moment.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_start_reads_as_it_prints() {
        for text in ["earliest", "latest", "2026-11-01T00:00:00.000Z"] {
            let from: StartFrom = text.parse().expect(text);
            assert_eq!(from.to_string(), text);
        }
        for text in ["", "newest", "2026-11-01", "5"] {
            let refused = text.parse::<StartFrom>().expect_err(text);
            assert!(refused.starts_with(&format!("`{text}` is not where")), "{refused}");
        }
    }
}
