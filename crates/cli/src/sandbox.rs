//! `chaffinch sandbox gitlab`: a GitLab of one's own, to try a set-up on.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use chaffinch_core::Clock;
use chaffinch_sandbox as sandbox;
use chaffinch_server::SystemClock;

use crate::{
    args::SandboxGitLab,
    demo::program::{self, REPOSITORY},
    progress::{self, BOLD, DIM},
    secret,
};

/// GitLab's number for a maintainer.
const MAINTAINER: u64 = 40;

pub(crate) async fn gitlab(options: SandboxGitLab) -> anyhow::Result<ExitCode> {
    if !options.listen.ip().is_loopback() {
        bail!("--listen takes an address on the loopback: the sandbox is for this machine alone");
    }
    chaffinch_server::install_crypto();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let port = options.listen.port();
    let next = if port == 0 { 0 } else { port + 1 };
    let taken = || format!("port {port} or {next} is taken; choose another with --listen");
    let gitlab = sandbox::GitLabOptions { port, ..sandbox::GitLabOptions::new(clock) };
    let gitlab = sandbox::GitLab::start(gitlab).await.with_context(taken)?;
    let model = sandbox::Model::start_on(next).await.with_context(taken)?;
    program::script(&model);
    let change = program::open_merge_request(&gitlab);
    let project = gitlab.project(REPOSITORY);
    let maintainer = project.token("maintainer", &["api"], MAINTAINER).value();
    let kept = match &options.token_file {
        Some(file) => {
            secret::write_file(file, &maintainer.into())?;
            format!("in {}", file.display())
        }
        None => maintainer,
    };
    progress::print(&format!(
        "{BOLD}GitLab{BOLD:#}              {}\n\
         {BOLD}Merge request{BOLD:#}       {}\n\
         {BOLD}Maintainer's token{BOLD:#}  {kept}\n\
         {BOLD}Model{BOLD:#}               {} (scripted answers)\n",
        gitlab.url(),
        change.page(),
        model.url(),
    ))?;
    progress::say(&format!("{DIM}Press Ctrl-C to stop.{DIM:#}"));
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}
