//! Shows people in a browser where sagas stand, and lets them act.
//!
//! ```text
//!   browser ──▶ api (guard, rules) ──▶ a page's handler ──▶ Service ──▶ View
//!                                          │
//!                                          └──▶ a page as a value ──▶ template ──▶ HTML
//! ```
//!
//! Each page is a value that is made of what the view answers, of who asks and of the time, and a
//! template that says how it looks: tests look at pages without a server. It needs no script; the
//! few that there are bring up to date what is open, copy and take keys. Nothing is loaded from
//! elsewhere, and the browser is told to refuse it.

mod act;
mod assets;
mod attention;
mod bulks;
mod columns;
mod data;
mod dead_letters;
mod diff;
mod drawing;
mod dress;
mod flow;
mod foreseen;
mod frame;
mod icons;
mod instance;
mod instances;
mod lifeline;
mod login;
mod many;
mod offers;
mod overview;
mod owed;
mod query;
mod questions;
mod router;
mod saga;
mod sagas;
mod sentence;
mod story;
#[cfg(test)]
pub(crate) mod tests;
mod times;

use crate::api::Pages;

/// The console, to be served beside the API.
pub const PAGES: Pages = Pages { routes: router::routes, dress: dress::dress };
