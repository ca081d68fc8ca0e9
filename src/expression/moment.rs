use chrono::{DateTime, Datelike, FixedOffset, TimeDelta, TimeZone, Timelike};

use super::number::{Arithmetic, Number};
use crate::message::Timestamp;

/// The first second of the year 1 and the first of the year 10000: CEL's times lie between.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// A part of a point in time, or of a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    FullYear,
    Hours,
    Milliseconds,
    Minutes,
    Month,
    Seconds,
}

impl Part {
    /// Its value in a point in time.
    pub fn of(self, moment: &DateTime<FixedOffset>) -> i64 {
        match self {
            Self::Date => i64::from(moment.day()),
            Self::DayOfMonth => i64::from(moment.day0()),
            Self::DayOfWeek => i64::from(moment.weekday().num_days_from_sunday()),
            Self::DayOfYear => i64::from(moment.ordinal0()),
            Self::FullYear => i64::from(moment.year()),
            Self::Hours => i64::from(moment.hour()),
            Self::Milliseconds => i64::from(moment.timestamp_subsec_millis()),
            Self::Minutes => i64::from(moment.minute()),
            Self::Month => i64::from(moment.month0()),
            Self::Seconds => i64::from(moment.second()),
        }
    }

    /// How often it goes into a length of time; none if that cannot be asked.
    pub fn within(self, duration: TimeDelta) -> Option<i64> {
        match self {
            Self::Hours => Some(duration.num_hours()),
            Self::Minutes => Some(duration.num_minutes()),
            Self::Seconds => Some(duration.num_seconds()),
            Self::Milliseconds => Some(duration.num_milliseconds()),
            Self::Date
            | Self::DayOfMonth
            | Self::DayOfWeek
            | Self::DayOfYear
            | Self::FullYear
            | Self::Month => None,
        }
    }
}

/// The input's time.
pub(super) fn now(now: Timestamp) -> Result<DateTime<FixedOffset>, String> {
    let moment = DateTime::from_timestamp_millis(now.0).map(|moment| moment.fixed_offset());
    moment.ok_or_else(|| format!("{now} is no time that can be computed with"))
}

/// A point in time that CEL can hold.
pub(super) fn held(moment: DateTime<FixedOffset>) -> Option<DateTime<FixedOffset>> {
    SECONDS.contains(&moment.timestamp()).then_some(moment)
}

/// A length of time that CEL can hold.
pub(super) fn held_duration(duration: TimeDelta) -> Option<TimeDelta> {
    duration.num_nanoseconds().is_some().then_some(duration)
}

/// The point in time that a text spells in RFC 3339.
pub(super) fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    held(DateTime::parse_from_rfc3339(text).ok()?)
}

/// So many seconds after 1970 began.
pub(super) fn of_seconds(seconds: i64) -> Option<DateTime<FixedOffset>> {
    held(DateTime::from_timestamp(seconds, 0)?.fixed_offset())
}

/// The same point in time as a zone's clocks show it: an IANA name, or an offset such as `-08:00`.
pub(super) fn in_zone(moment: &DateTime<FixedOffset>, zone: &str) -> Option<DateTime<FixedOffset>> {
    let Some((hours, minutes)) = zone.split_once(':') else {
        let zone = if zone.is_empty() { chrono_tz::UTC } else { zone.parse().ok()? };
        return Some(moment.with_timezone::<chrono_tz::Tz>(&zone).fixed_offset());
    };
    let size = hours.strip_prefix(['+', '-']).unwrap_or(hours);
    let in_range = |text: &str, most: i32| -> Option<i32> {
        let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number| is_digits && *number <= most)
    };
    let (size, minutes) = (in_range(size, 23)?, in_range(minutes, 59)?);
    let east = (size * 60 + minutes) * 60;
    let offset = FixedOffset::east_opt(if hours.starts_with('-') { -east } else { east })?;
    Some(offset.from_utc_datetime(&moment.naive_utc()))
}

/// The units of a length of time, with their nanoseconds; what begins like another comes first.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3600 * 1_000_000_000),
    ("d", 24 * 3600 * 1_000_000_000),
    ("w", 7 * 24 * 3600 * 1_000_000_000),
];

/// The length of time that a text spells, such as `1h30m`, `1.5s` or `-2d`.
pub(super) fn parse_duration(text: &str) -> Option<TimeDelta> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut nanos = 0_i64;
    if rest == "0" {
        return Some(TimeDelta::zero());
    }
    let is_empty = rest.is_empty();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let (unit, size) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        let number = Number::parse(number)?;
        let part = number.computed(Arithmetic::Multiply, &Number::from(*size)).ok()?;
        nanos = nanos.checked_add(part.truncated().ok()?.whole()?)?;
        rest = &behind[unit.len()..];
    }
    (!is_empty).then(|| TimeDelta::nanoseconds(if is_negative { -nanos } else { nanos }))
}

/// RFC 3339, as `now` reads outside an expression.
pub(super) fn json_text(moment: &DateTime<FixedOffset>) -> String {
    let whole_millis = moment.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    if whole_millis {
        return Timestamp(moment.timestamp_millis()).to_string();
    }
    moment.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}

/// RFC 3339 with no more digits of the second than there are, as `string(…)` writes it.
pub(super) fn string(moment: &DateTime<FixedOffset>) -> String {
    let fraction = format!("{:09}", moment.timestamp_subsec_nanos() % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}Z", moment.to_utc().format("%Y-%m-%dT%H:%M:%S"))
}

/// Seconds, as `duration(…)` reads them back.
pub(super) fn duration_text(duration: TimeDelta) -> String {
    let nanos =
        i128::from(duration.num_seconds()) * 1_000_000_000 + i128::from(duration.subsec_nanos());
    let (sign, nanos) = if nanos < 0 { ("-", -nanos) } else { ("", nanos) };
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}s", nanos / 1_000_000_000)
}
