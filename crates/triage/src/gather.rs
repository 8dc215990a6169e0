//! Reports → the findings that touch the change.

use std::{collections::BTreeMap, sync::Arc};

use chaffinch_core::{
    ChangedLines, Finding, Fingerprint, RawReport, RepoPath, SourceBytes, SourceText,
};
use chaffinch_reports::{Options, Unidentified};
use futures::{StreamExt, stream};

use crate::{
    JobError, Scope, Touch, Unfinished,
    error::passes,
    files::Files,
    scans::{self, Scans},
    scope::touch,
};

/// The most files that are read to tell findings apart; findings in others are told apart without
/// their source.
const MAX_FILES: usize = 1_000;

/// What the reports say.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The findings that touch the change, each once.
    pub(crate) findings: Vec<(Finding, Touch)>,
    pub(crate) tools: Vec<String>,
    /// By the keys of the tools.
    pub(crate) scans: BTreeMap<String, Scans>,
    pub(crate) reports: usize,
    pub(crate) unreadable: Vec<String>,
    pub(crate) unfinished: Vec<Unfinished>,
    pub(crate) skipped: usize,
    pub(crate) suppressed: usize,
    pub(crate) elsewhere: usize,
    /// Whether every finding has the fingerprint that it would have on another day.
    pub(crate) certain: bool,
}

/// How reports are read for one change.
pub(crate) struct Reading<'a> {
    pub(crate) changed: Option<&'a ChangedLines>,
    pub(crate) known_paths: &'a [RepoPath],
    pub(crate) scope: Scope,
    pub(crate) files: &'a Files<'a>,
    pub(crate) concurrency: usize,
    pub(crate) last: bool,
}

impl Reading<'_> {
    /// Reads `reports`. One that cannot be read is said so, and the others are still read.
    ///
    /// # Errors
    /// [`JobError::Retry`] where a file cannot be had now: never on the last attempt.
    pub(crate) async fn gather(&self, reports: Vec<RawReport>) -> Result<Gathered, JobError> {
        let mut out = Gathered { certain: true, ..Gathered::default() };
        let mut results: Vec<Vec<Unidentified>> = Vec::new();
        for report in reports {
            let options = Options { known_paths: self.known_paths, ..Options::default() };
            let id = report.id;
            match chaffinch_reports::parse(report.bytes.expose(), &options) {
                Ok(report) => {
                    out.reports += 1;
                    scans::add(&mut out.scans, &id, &report);
                    out.tools.extend(report.tools);
                    let skipped = report.skipped;
                    // Of what names no place, nobody can say that it does not touch the change.
                    out.skipped +=
                        skipped.malformed + skipped.locations_past_bound + skipped.without_location;
                    out.elsewhere += skipped.outside;
                    for scan in report.unfinished {
                        // Whose scan it was is not known, so nobody's silence proves anything.
                        out.certain &= scan.tool.is_some();
                        let sign = scan.sign.to_string();
                        out.unfinished.push(Unfinished { tool: scan.tool, sign });
                    }
                    results.push(report.results);
                }
                Err(error) => {
                    out.certain = false;
                    // What should be there and is not is handed on empty; its name tells more.
                    let none = report.bytes.is_empty();
                    let why = if none { "there is none".to_owned() } else { error.to_string() };
                    out.unreadable.push(format!("{why} ({})", id.as_str()));
                }
            }
        }
        out.tools.sort();
        out.tools.dedup();
        out.unfinished.sort();
        out.unfinished.dedup();
        self.identify(chaffinch_reports::combine(results), &mut out).await?;
        Ok(out)
    }

    async fn identify(
        &self,
        results: Vec<Unidentified>,
        out: &mut Gathered,
    ) -> Result<(), JobError> {
        let wanted = self.wanted(&results);
        let files = self.read(&wanted, out).await?;
        let texts: BTreeMap<&RepoPath, Text<'_>> =
            files.iter().map(|(path, bytes)| (path, Text::of(bytes))).collect();
        let mut found: BTreeMap<Fingerprint, (Finding, Touch)> = BTreeMap::new();
        let identified =
            chaffinch_reports::identify(results, &|path| texts.get(path).map(Text::as_str));
        for finding in identified {
            let at = finding.location.as_ref();
            let Some(touch) = touch(at, &finding.flow, self.changed, self.scope) else {
                out.elsewhere += 1;
                continue;
            };
            if finding.suppressed {
                out.suppressed += 1;
                continue;
            }
            found.insert(finding.fingerprint, (finding, touch));
        }
        out.findings = found.into_values().collect();
        Ok(())
    }

    /// The files whose source tells findings of this change apart.
    fn wanted(&self, results: &[Unidentified]) -> Vec<RepoPath> {
        let ours = results.iter().filter(|result| {
            let at = Some(&result.location);
            !result.suppressed && touch(at, &result.flow, self.changed, self.scope).is_some()
        });
        let mut paths: Vec<RepoPath> = ours.map(|result| result.location.path.clone()).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    async fn read(
        &self,
        paths: &[RepoPath],
        out: &mut Gathered,
    ) -> Result<Vec<(RepoPath, Arc<SourceBytes>)>, JobError> {
        out.certain &= paths.len() <= MAX_FILES;
        // Made before the stream, so that the compiler sees futures of one lifetime.
        let fetching: Vec<_> = paths
            .iter()
            .take(MAX_FILES)
            .map(|path| async move { (path, self.files.get(path).await) })
            .collect();
        let fetched: Vec<_> =
            stream::iter(fetching).buffered(self.concurrency.max(1)).collect().await;
        let mut files = Vec::new();
        for (path, fetched) in fetched {
            match fetched {
                Ok(bytes) => files.push((path.clone(), bytes)),
                Err(error) if passes(&error) && !self.last => return Err(error.into()),
                Err(_) => out.certain = false,
            }
        }
        Ok(files)
    }
}

/// A file as text; copied only where it is not UTF-8.
enum Text<'a> {
    Lent(&'a str),
    Own(SourceText),
}

impl<'a> Text<'a> {
    fn of(bytes: &'a SourceBytes) -> Self {
        match std::str::from_utf8(bytes.expose()) {
            Ok(text) => Self::Lent(text),
            Err(_) => Self::Own(SourceText::new(bytes.text())),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Own(text) => text.expose(),
        }
    }
}
