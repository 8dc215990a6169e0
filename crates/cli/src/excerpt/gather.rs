//! Reports → findings, and what of the reports is no finding here.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::bail;
use chaffinch_core::{Finding, RepoPath, SourceText};
use chaffinch_reports::{Options, combine, identify, parse};

use crate::{local::Checkout, report};

/// What the reports hold.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) findings: Vec<Finding>,
    /// Results of no file in the checkout.
    elsewhere: usize,
    /// Results that could not be read as findings.
    unread: usize,
    suppressed: usize,
    /// Scans that did not come to their end.
    unfinished: Vec<String>,
}

/// The findings of all reports, each once, identified as a triage would.
pub(super) fn findings(reports: &[PathBuf], checkout: &Checkout) -> anyhow::Result<Gathered> {
    let paths = checkout.paths();
    let mut out = Gathered::default();
    let mut results = Vec::new();
    for path in reports {
        let bytes = report::read(path)?;
        let options = Options { known_paths: &paths, ..Options::default() };
        match parse(bytes.expose(), &options) {
            Ok(report) => {
                let skipped = report.skipped;
                out.elsewhere += skipped.outside;
                out.unread +=
                    skipped.malformed + skipped.locations_past_bound + skipped.without_location;
                out.unfinished.extend(report.unfinished.iter().map(|scan| scan.sign.to_string()));
                results.push(report.results);
            }
            Err(error) => bail!(report::unreadable(path, &bytes, &error)),
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
    let all = findings.len();
    findings.retain(|finding| !finding.suppressed);
    out.suppressed = all - findings.len();
    out.findings = findings;
    Ok(out)
}

impl Gathered {
    /// Whether results of the reports are not shown, though they may be real.
    pub(super) fn has_gaps(&self) -> bool {
        self.elsewhere + self.unread > 0
    }

    /// What is not shown, and why; in the words of `chaffinch triage`.
    pub(super) fn gaps(&self, root: &Path) -> Vec<String> {
        let mut out = Vec::new();
        if self.elsewhere > 0 {
            out.push(report::elsewhere(self.elsewhere, root));
        }
        if self.unread > 0 {
            let results = if self.unread == 1 { "result" } else { "results" };
            out.push(format!(
                "{} {results} of the reports could not be read as findings.",
                self.unread
            ));
        }
        for sign in &self.unfinished {
            out.push(format!("A scan did not come to its end: {sign}."));
        }
        if self.suppressed > 0 {
            let findings = if self.suppressed == 1 { "finding is" } else { "findings are" };
            out.push(format!(
                "{} {findings} suppressed in the source or in the report.",
                self.suppressed
            ));
        }
        if self.findings.is_empty() && !self.has_gaps() && self.suppressed == 0 {
            out.push("no findings in the report".into());
        }
        out
    }
}
