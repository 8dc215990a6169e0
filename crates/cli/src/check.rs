//! `chaffinch config check`

use std::{path::Path, process::ExitCode};

use chaffinch_server::Config;

use crate::progress;

/// Checks the settings, the secrets' files, and the endpoint against the policy. Opens no connection.
pub(crate) fn run(
    file: Option<&Path>,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, environment)?;
    config.validate()?;
    config.secrets_readable()?;
    chaffinch_server::endpoint(&config).check(&chaffinch_server::policy(&config)?)?;
    progress::print("The configuration is complete.\n")?;
    Ok(ExitCode::SUCCESS)
}
