//! What the verbs print, and the exit codes that they share.

use std::io::Write as _;

/// Something failed.
pub(super) const FAILED: u8 = 1;
/// A check or a test found something.
pub(super) const FINDINGS: u8 = 4;
/// A check found a mistake of Segue's own, and none of the definition's.
pub(super) const OWN_MISTAKE: u8 = 5;

/// Writes a line of data; a reader that has gone is no failure.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Writes a line of talk.
pub(super) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
