//! `chaffinch config check`

use std::{path::Path, process::ExitCode};

use chaffinch_server::Config;

use crate::progress;

/// Checks all that `serve` needs, short of opening a connection.
pub(crate) fn run(
    file: Option<&Path>,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    if file.is_none() {
        progress::say("No --config FILE: checking the defaults and the environment alone.");
    }
    chaffinch_server::check(&Config::load(file, environment)?)?;
    progress::print("The configuration is complete.\n")?;
    Ok(ExitCode::SUCCESS)
}
