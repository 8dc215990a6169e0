//! `chaffinch excerpt`: the lines that a triage would send, each with its reason. Nothing is sent.

mod gather;
mod leaving;
mod show;
mod truth;

use std::{process::ExitCode, sync::Arc};

use anyhow::bail;
use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, O200k, Step};
use chaffinch_core::{Excerpt, Finding, ForgeError, RepoPath, TokenCount};

use crate::{
    args,
    local::Checkout,
    progress::{self, YELLOW},
};
use leaving::Leaving;

/// What became of a file that cannot be had.
const NOT_THERE: &str = "not there";

/// How excerpts are cut.
struct Cutter {
    extractor: Extractor,
    limits: Limits,
    changed: Vec<RepoPath>,
    needs: Vec<String>,
}

/// What came of one finding.
struct Cut<Why = String> {
    /// The lines, or why there are none.
    excerpt: Result<Excerpt, Why>,
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
    match (&options.truth, options.jsonl) {
        (Some(set), true) => return truth::print(set, &options.root, &cutter, options.explain),
        (Some(_), false) => bail!("--truth prints one JSON object a record: give --jsonl too"),
        (None, true) => bail!("--jsonl is for the records of a truth set: give --truth FILE too"),
        (None, false) => {}
    }
    let leaving = Leaving::new(&limits, Arc::clone(&tokens))?;
    let checkout = Checkout::open(&options.root)?;
    let gathered = gather::findings(&options.report, &checkout)?;
    let mut unmet = options.finding.clone();
    for finding in &gathered.findings {
        let id = finding.fingerprint.to_string();
        if !options.finding.is_empty() && !options.finding.iter().any(|w| id.starts_with(w)) {
            continue;
        }
        unmet.retain(|wanted| !id.starts_with(wanted));
        let cut = cutter.cut(finding, &checkout);
        let shown = show::finding(finding, &cut, &leaving, &*tokens, options.explain);
        progress::print(&shown)?;
    }
    for gap in gathered.gaps(&options.root) {
        progress::say(&format!("{YELLOW}{gap}{YELLOW:#}"));
    }
    if !unmet.is_empty() {
        let ids = unmet.join(" or ");
        bail!("no finding's id begins with {ids}; leave --finding out to see them all");
    }
    let code = if gathered.has_gaps() { crate::USAGE } else { 0 };
    Ok(ExitCode::from(code))
}

impl Cutter {
    /// The lines for one finding, and what was asked for to choose them.
    fn cut(&self, finding: &Finding, checkout: &Checkout) -> Cut {
        let Cut { excerpt, files, folders } = self.ask(finding, checkout, self.limits);
        let own = files.first().filter(|(_, word)| *word == NOT_THERE);
        let excerpt = excerpt.map_err(|none| match own {
            Some((path, _)) => checkout.absence(path),
            None => self.why(finding, checkout, &none),
        });
        Cut { excerpt, files, folders }
    }

    /// Why nothing can be sent, in the words of who has a checkout and a command line.
    fn why(&self, finding: &Finding, checkout: &Checkout, none: &NoExcerpt) -> String {
        let fits = |budget| {
            let limits = Limits { budget, content_requests: 1, listing: false, ..self.limits };
            self.ask(finding, checkout, limits).excerpt.is_ok()
        };
        if !fits(args::MAX_BUDGET) {
            return none.to_string().replace(" at this commit", "");
        }
        let (mut low, mut high) = (self.limits.budget, args::MAX_BUDGET);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(middle) { high = middle } else { low = middle }
        }
        format!("{none}: it takes {high} tokens, raise --budget")
    }

    /// The dialogue with the extractor over files that are at hand.
    fn ask(&self, finding: &Finding, checkout: &Checkout, limits: Limits) -> Cut<NoExcerpt> {
        let extraction = self.extractor.start(finding, limits);
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
                        Err(_) => (Answer::Missing, NOT_THERE),
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
