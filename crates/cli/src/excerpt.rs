//! `chaffinch excerpt`: the lines that a triage would send, each with its reason. Nothing is sent.

mod show;
mod truth;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::bail;
use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, O200k, Step};
use chaffinch_core::{Excerpt, Finding, ForgeError, RepoPath, SourceText, TokenCount};
use chaffinch_reports::{Options, combine, identify, parse};

use crate::{args, local::Checkout, progress, report};

/// How excerpts are cut.
struct Cutter {
    extractor: Extractor,
    limits: Limits,
    changed: Vec<RepoPath>,
    needs: Vec<String>,
}

/// What came of one finding.
struct Cut {
    excerpt: Result<Excerpt, NoExcerpt>,
    /// Files that were asked for, and what became of each.
    files: Vec<(RepoPath, &'static str)>,
    /// Folders whose names were asked for.
    folders: Vec<String>,
}

pub(crate) fn run(options: &args::Excerpt) -> anyhow::Result<ExitCode> {
    let tokens: Arc<dyn TokenCount> = Arc::new(O200k::load());
    let limits = Limits {
        budget: options.budget,
        ceiling: options.ceiling.into(),
        content_requests: options.requests,
        listing: options.listing,
        ..Limits::default()
    };
    let cutter = Cutter {
        extractor: Extractor::new(Arc::clone(&tokens)),
        limits,
        changed: options.changed.clone(),
        needs: options.need.clone(),
    };
    if let Some(set) = &options.truth {
        progress::print(&truth::lines(set, &options.root, &cutter, options.explain)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let checkout = Checkout::open(&options.root)?;
    let mut shown = 0;
    for finding in findings(&options.report, &checkout)? {
        let id = finding.fingerprint.to_string();
        if options.finding.as_ref().is_some_and(|wanted| !id.starts_with(wanted.as_str())) {
            continue;
        }
        shown += 1;
        let cut = cutter.cut(&finding, &checkout);
        progress::print(&show::finding(&finding, &cut, &*tokens, options.explain))?;
    }
    match &options.finding {
        Some(wanted) if shown == 0 => {
            bail!("no finding's id begins with {wanted}; leave --finding out to see them all")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The findings of all reports, each once, identified as a triage would.
fn findings(reports: &[PathBuf], checkout: &Checkout) -> anyhow::Result<Vec<Finding>> {
    let paths = checkout.paths();
    let mut results = Vec::new();
    for path in reports {
        let bytes = report::read(path)?;
        let options = Options { known_paths: &paths, ..Options::default() };
        match parse(bytes.expose(), &options) {
            Ok(report) => results.push(report.results),
            Err(error) => bail!("{}: {error}", path.display()),
        }
    }
    let results = combine(results);
    let mut texts: BTreeMap<RepoPath, SourceText> = BTreeMap::new();
    for result in &results {
        let path = &result.location.path;
        if !texts.contains_key(path)
            && let Ok(bytes) = checkout.bytes(path)
        {
            texts.insert(path.clone(), SourceText::new(bytes.text()));
        }
    }
    let mut findings = identify(results, &|path| texts.get(path).map(SourceText::expose));
    findings.retain(|finding| !finding.suppressed);
    Ok(findings)
}

impl Cutter {
    /// The dialogue with the extractor over files that are at hand.
    fn cut(&self, finding: &Finding, checkout: &Checkout) -> Cut {
        let extraction = self.extractor.start(finding, self.limits);
        let changed = self.changed.iter().cloned();
        let mut extraction = extraction.changing(changed).needing(self.needs.iter().cloned());
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        loop {
            match extraction.next() {
                Step::Want(path) => {
                    let bytes = checkout.bytes(&path);
                    let (answer, word) = match &bytes {
                        Ok(bytes) => (Answer::Found(bytes.expose()), "read"),
                        Err(ForgeError::Truncated { .. }) => (Answer::TooLarge, "too large"),
                        Err(_) => (Answer::Missing, "not there"),
                    };
                    extraction.give(&path, answer);
                    files.push((path, word));
                }
                Step::List(folder) => {
                    let names = checkout.names(&folder);
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    extraction.give_names(&folder, &names);
                    folders.push(folder);
                }
                Step::Done(excerpt) => return Cut { excerpt: *excerpt, files, folders },
            }
        }
    }
}
