use std::fmt::Debug;

use serde_json::Value;

use super::{Error, Expression, Scope};

/// Says what expressions are worth in place of the expressions themselves; see
/// [`Expression::judged`].
///
/// There are two kinds of worlds: one in which the data is known and expressions are computed, and
/// one in which it is not, where a condition may hold or not and both must be looked at.
pub trait Judge: Debug + Send + Sync {
    /// Whether a condition holds.
    ///
    /// # Errors
    /// When something that it reads cannot be there.
    fn holds(&self, condition: &Expression, scope: &Scope<'_>) -> Result<bool, Error>;

    /// What a value is.
    ///
    /// # Errors
    /// When something that it reads cannot be there.
    fn value(&self, of: &Expression, scope: &Scope<'_>) -> Result<Value, Error>;
}
