//! `chaffinch serve`

use std::{io::IsTerminal, path::Path, process::ExitCode, sync::Arc};

use chaffinch_server::{App, Config, SystemClock, SystemEntropy};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) async fn run(
    file: Option<&Path>,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let no_colour = environment.iter().any(|(k, v)| k == "NO_COLOR" && !v.is_empty());
    let config = Config::load(file, environment)?;
    config.validate()?;
    chaffinch_server::install_logs(&config.log, std::io::stderr().is_terminal() && !no_colour);
    let app = App::build(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let (term, int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let signals = Arc::new(tokio::sync::Mutex::new((term, int)));
    let (first, second) = (Arc::clone(&signals), signals);
    chaffinch_server::serve(
        Arc::new(app),
        config.server.listen,
        async move { next(&mut *first.lock().await).await },
        async move { next(&mut *second.lock().await).await },
    )
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn next((term, int): &mut (Signal, Signal)) {
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
}
