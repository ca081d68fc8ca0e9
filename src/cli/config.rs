use std::path::Path;
use std::process::ExitCode;

use super::say;
use crate::config::Config;

/// Prints every key, its value and where it comes from; secrets are masked.
pub(super) fn show(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, std::env::vars())?;
    for setting in config.origins() {
        say(&format!("{}: {}  # {}", setting.key.path, setting.value, setting.origin));
    }
    Ok(ExitCode::SUCCESS)
}
