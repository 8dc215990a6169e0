//! `chaffinch triage`

use std::{collections::BTreeSet, path::Path, process::ExitCode, sync::Arc};

use anyhow::bail;
use chaffinch_core::{
    Change, ChangeId, Clock, CommitSha, Entropy, ForgeKind, RawReport, Receipt, RepoId, ReportId,
};
use chaffinch_server::{Config, SystemClock, SystemEntropy};
use chaffinch_triage::{Assessment, JobError, Outcome, Reached, Standing, render};

use crate::{
    args::{Format, Triage},
    local::Checkout,
    memory::Memory,
    progress::{self, DIM, GREEN, RED, YELLOW},
    report,
};

/// A checkout is no repository on a forge; it gets a name that none can have.
pub(crate) const CHECKOUT: &str = "local/checkout";

/// A finding stands.
const STANDS: u8 = 1;
/// A finding needs a human's look.
const NEEDS_REVIEW: u8 = 3;

pub(crate) async fn run(
    options: Triage,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let checkout = Checkout::open(&options.root)?;
    let reports = options.report.iter().enumerate().map(|(i, path)| raw(i, path));
    let reports = reports.collect::<anyhow::Result<Vec<_>>>()?;
    let mut config = Config::load(options.config.as_deref(), environment)?;
    // Who runs this has chosen the checkout; the allow-list is for what others deliver.
    config.policy.repositories = vec![CHECKOUT.to_owned()];
    chaffinch_server::check_for_triage(&config)?;
    let memory = Arc::new(Memory::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let (engine, door) =
        chaffinch_server::engine(&config, memory.clone(), memory.clone(), &clock, &entropy)?;
    let endpoint = door.endpoint();
    progress::say(&format!(
        "{DIM}Triaging with {} at {} …{DIM:#}",
        endpoint.model, endpoint.base_url
    ));
    let assessed =
        engine.assess(&checkout, &the_checkout()?, None, &checkout.paths(), reports).await;
    let assessment = match assessed {
        Ok(assessment) => assessment,
        Err(JobError::Retry { why, .. } | JobError::Fail { why }) => bail!(why),
        Err(other) => bail!(other),
    };
    progress::print(&shown(&assessment, options.format)?)?;
    if assessment.elsewhere > 0 {
        let said = report::elsewhere(assessment.elsewhere, &options.root);
        progress::say(&format!("{YELLOW}{said}{YELLOW:#}"));
    }
    progress::say(&format!(
        "{DIM}{}{DIM:#}",
        disclosed(&assessment, &memory.receipts(), &endpoint.base_url)
    ));
    Ok(code(&assessment))
}

/// What the receipts add up to.
fn disclosed(assessment: &Assessment, receipts: &[Receipt], endpoint: &str) -> String {
    let kept = |outcome: &&Outcome| outcome.reached == Reached::No;
    let kept = assessment.outcomes.iter().filter(kept).filter_map(|o| o.receipts.last());
    let kept: BTreeSet<&str> = kept.map(|receipt| receipt.id.as_str()).collect();
    let sent: Vec<_> = receipts.iter().filter(|r| !kept.contains(r.id.as_str())).collect();
    let lines: u32 = sent.iter().map(|r| r.lines).sum();
    let unsure = assessment.outcomes.iter().any(|outcome| outcome.reached == Reached::Maybe);
    let were = if unsure { "were, or may have been," } else { "were" };
    let unit = if lines == 1 { "line" } else { "lines" };
    let mut out = match sent.len() {
        0 => "No source was sent.".to_owned(),
        1 => format!("{lines} {unit} of source {were} sent to {endpoint}, in one prompt."),
        n => format!("{lines} {unit} of source {were} sent to {endpoint}, in {n} prompts."),
    };
    if !kept.is_empty() {
        out.push_str(&format!(" {endpoint} was not reached."));
    }
    out
}

fn shown(assessment: &Assessment, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Terminal => coloured(&render::terminal(assessment)),
        Format::Markdown => render::markdown(assessment),
        Format::Json => serde_json::to_string_pretty(&render::json(assessment))? + "\n",
        Format::Sarif => serde_json::to_string_pretty(&render::sarif(assessment))? + "\n",
    })
}

/// Paints the word that a finding's block begins with; everything of other people's is indented.
fn coloured(text: &str) -> String {
    let words = [("REAL", RED), ("LOOK", YELLOW), ("NOT TRIAGED", YELLOW), ("LIKELY FALSE", GREEN)];
    let paint = |line: &str| {
        let word = words.iter().find(|(word, _)| line.starts_with(&format!("{word}  ")));
        match word {
            Some((word, style)) => format!("{style}{word}{style:#}{}\n", &line[word.len()..]),
            None => format!("{line}\n"),
        }
    };
    text.lines().map(paint).collect()
}

fn code(assessment: &Assessment) -> ExitCode {
    if assessment.count(Standing::Real) > 0 {
        ExitCode::from(STANDS)
    } else if assessment.is_whole()
        && assessment.count(Standing::Review) == 0
        // There is no change here: what is elsewhere could not be found in the checkout.
        && assessment.elsewhere == 0
    {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NEEDS_REVIEW)
    }
}

/// A report, named after its file.
pub(crate) fn raw(index: usize, path: &Path) -> anyhow::Result<RawReport> {
    let name = path.display().to_string();
    let id = ReportId::new(name).or_else(|_| ReportId::new(format!("file {}", index + 1)))?;
    Ok(RawReport { id, bytes: report::read(path)?, to_come: false })
}

pub(crate) fn the_checkout() -> anyhow::Result<Change> {
    let repo = RepoId { forge: ForgeKind::GitHub, installation: 0, id: 0, name: CHECKOUT.parse()? };
    let commit = CommitSha::new("0".repeat(40))?;
    Ok(Change {
        id: ChangeId { repo, number: 0 },
        base: commit.clone(),
        head: commit,
        open: true,
        draft: false,
        fork: false,
    })
}
