//! What can be wrong with a definition whose every part is right.

use super::Definition;
use super::parse::Reader;

/// Says everything that is wrong with a definition as a whole.
pub(super) fn apply(_reader: &mut Reader<'_>, _definition: &Definition) {}
