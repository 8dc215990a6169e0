#![doc = include_str!("../README.md")]

mod args;
mod audit;
mod check;
mod connect;
mod consent;
mod demo;
mod doctor;
mod excerpt;
mod export;
mod local;
mod memory;
mod plain;
mod policy;
mod progress;
mod prove;
mod purge;
mod receipts;
mod replay;
mod report;
mod sandbox;
mod secret;
mod serve;
mod triage;

use std::process::ExitCode;

use args::{Args, Audit, Command, ConfigCommand, Connect, Rotate, Sandbox};
use clap::Parser;

/// Something is wrong with how we were called, or with the configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(args)),
        Err(e) => Err(anyhow::anyhow!("cannot start: {e}")),
    };
    match ended {
        Ok(code) => code,
        Err(e) => {
            progress::error(&format!("{e:#}"));
            ExitCode::from(USAGE)
        }
    }
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let environment = environment();
    match args.command {
        Command::Serve { config } => serve::run(config.as_deref(), environment).await,
        Command::Triage(options) => triage::run(options, environment).await,
        Command::Excerpt(options) => excerpt::run(&options),
        Command::Demo(options) => demo::run(options, environment).await,
        Command::Connect { forge: Connect::Gitlab(options) } => {
            connect::run(options, environment).await
        }
        Command::Rotate { forge: Rotate::Gitlab(options) } => {
            connect::rotate(options, environment).await
        }
        Command::Audit { what: Audit::Store(options) } => audit::store(options, environment).await,
        Command::Receipts(options) => receipts::run(options, environment).await,
        Command::Enable(options) => consent::enable(options, environment).await,
        Command::Disable(options) => consent::disable(options, environment).await,
        Command::Prove(options) => prove::run(options, environment).await,
        Command::Consents(options) => consent::list(options, environment).await,
        Command::Purge(options) => purge::run(options, environment).await,
        Command::Export(options) => export::run(options, environment).await,
        Command::Policy(options) => policy::run(options, environment).await,
        Command::Doctor(options) => doctor::run(options, environment).await,
        Command::Sandbox { forge: Sandbox::Gitlab(options) } => sandbox::gitlab(options).await,
        Command::Config { command: ConfigCommand::Check { config } } => {
            check::run(config.as_deref(), environment)
        }
        Command::Config { command: ConfigCommand::Example } => {
            progress::print(chaffinch_server::config::EXAMPLE)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Replay(options) => replay::run(options, environment).await,
    }
}

/// The only place that reads the environment.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment comes in")]
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .collect()
}
