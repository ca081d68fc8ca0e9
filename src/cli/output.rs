//! What the verbs print, and the exit codes that they share.

use std::io::Write as _;

/// Something failed.
pub(super) const FAILED: u8 = 1;
/// What is asked for is not there.
pub(super) const NOT_FOUND: u8 = 3;
/// A check or a test found something.
pub(super) const FINDINGS: u8 = 4;
/// A check found a mistake of Segue's own, and none of the definition's.
pub(super) const OWN_MISTAKE: u8 = 5;
/// It has not come in time.
pub(super) const OUT_OF_TIME: u8 = 6;
/// The state of an instance does not allow it.
pub(super) const REFUSED: u8 = 7;

/// Writes a line of data; a reader that has gone is no failure.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Writes a line of talk.
pub(super) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
