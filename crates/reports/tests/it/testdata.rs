//! The reference folders of reports. Each test prints a line and passes where they are absent.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
};

use chaffinch_core::{LineRange, RepoPath};
use chaffinch_reports::{Options, Report, ReportError, identify, parse};
use serde_json::Value;

/// Files of a change, for the reports that name theirs absolutely.
const KNOWN: [&str; 8] = [
    "app/routes/contributions.js",
    "bad/api_list.py",
    "code/file1.c",
    "docker/setEnv.sh",
    "dojo/tools/veracode/parser.py",
    "src/index.js",
    "src/templates/base.html.twig",
    "somefile.js",
];

/// The reference data, or a line that says that it is not there.
pub(crate) fn testdata() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "how the test runner names the folder")]
    let folder = std::env::var("CHAFFINCH_TESTDATA");
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = PathBuf::from(folder.unwrap_or(default.to_owned())).join("findings");
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stdout, reason = "so that the test runner can count what was skipped")]
    {
        println!("skipped: no test data at {}", folder.display());
    }
    None
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn known() -> Vec<RepoPath> {
    KNOWN.iter().map(|path| path.parse().unwrap()).collect()
}

fn read(path: &Path) -> Result<Report, ReportError> {
    let known = known();
    parse(&fs::read(path).unwrap(), &Options { known_paths: &known, ..Options::default() })
}

fn summary(path: &Path) -> String {
    let report = match read(path) {
        Ok(report) => report,
        Err(error) => return format!("{}: {error}\n", name(path)),
    };
    let count = report.results.len();
    let with_flow = report.results.iter().filter(|r| !r.flow.is_empty()).count();
    let own = report.results.iter().filter(|r| r.tool_fingerprint.is_some()).count();
    let suppressed = report.results.iter().filter(|r| r.suppressed).count();
    let findings = identify(report.results, &|_| None).len();
    format!(
        "{}: {}, {}: {count} results, {with_flow} with flow, {own} own fingerprints, \
         {suppressed} suppressed, {findings} findings; skipped: {}\n",
        name(path),
        report.format.as_str(),
        report.tools.join(" and "),
        report.skipped,
    )
}

fn summaries(folder: &str) -> Option<String> {
    Some(files(&testdata()?.join(folder)).iter().map(|path| summary(path)).collect())
}

#[test]
fn testdata_all_sarif_is_read() {
    let Some(summaries) = summaries("sarif") else { return };
    insta::assert_snapshot!(summaries, @r"
    appendix_k2.sarif: SARIF, CodeScanner: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    appendix_k3.sarif: SARIF, BinaryScanner: 0 results, 0 with flow, 0 own fingerprints, 0 suppressed, 0 findings; skipped: 1 result names no file
    bandit-1.9.4-vulpy.sarif: SARIF, Bandit: 51 results, 0 with flow, 0 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    blackduck_nested_fingerprints.sarif: SARIF, Example-Application: 5 results, 0 with flow, 5 own fingerprints, 0 suppressed, 5 findings; skipped: nothing
    checkov-3.3.30-juice-shop.sarif: SARIF, Checkov: 19 results, 0 with flow, 0 own fingerprints, 0 suppressed, 19 findings; skipped: nothing
    codeql-2.5.4-java.sarif: SARIF, CodeQL: 72 results, 5 with flow, 0 own fingerprints, 0 suppressed, 72 findings; skipped: nothing
    cppcheck-2.17.1.sarif: SARIF, Cppcheck: 10 results, 0 with flow, 0 own fingerprints, 0 suppressed, 9 findings; skipped: nothing
    dependency-check-6.1.2.sarif: SARIF, dependency-check: 0 results, 0 with flow, 0 own fingerprints, 0 suppressed, 0 findings; skipped: 13 results are outside of the repository
    devskim-1.0.90.sarif: SARIF, devskim: 7 results, 0 with flow, 0 own fingerprints, 0 suppressed, 7 findings; skipped: nothing
    dockle_0_3_15.sarif: SARIF, Dockle: 0 results, 0 with flow, 0 own fingerprints, 0 suppressed, 0 findings; skipped: 4 results name no file
    eslint-8.57.1-nodegoat.sarif: SARIF, ESLint: 9 results, 0 with flow, 0 own fingerprints, 0 suppressed, 9 findings; skipped: nothing
    flawfinder-2.0.19.sarif: SARIF, Flawfinder: 53 results, 0 with flow, 45 own fingerprints, 0 suppressed, 53 findings; skipped: 1 result says that all is well
    govulncheck.sarif: SARIF, govulncheck: 3 results, 1 with flow, 0 own fingerprints, 0 suppressed, 3 findings; skipped: 1 flow step is left out
    grype-0.34.7.sarif: SARIF, Grype: 22 results, 0 with flow, 0 own fingerprints, 0 suppressed, 22 findings; skipped: nothing
    lgtm-two-runs.sarif: SARIF, LGTM.com: 510 results, 0 with flow, 0 own fingerprints, 0 suppressed, 510 findings; skipped: nothing
    mayhem_api_many_vulns.sarif: SARIF, mAPI: 20 results, 3 with flow, 0 own fingerprints, 0 suppressed, 20 findings; skipped: nothing
    mayhem_code_many_vulns.sarif: SARIF, Mayhem Code Security: 8 results, 0 with flow, 0 own fingerprints, 0 suppressed, 8 findings; skipped: nothing
    mobsfscan-0.0.8.sarif: SARIF, mobsfscan: 12 results, 0 with flow, 0 own fingerprints, 0 suppressed, 12 findings; skipped: 6 results name no file
    njsscan-0.2.3-absolute-file-urls.sarif: SARIF, nodejsscan: 3 results, 0 with flow, 0 own fingerprints, 0 suppressed, 3 findings; skipped: nothing
    njsscan-1.0.2-nodegoat.sarif: SARIF, nodejsscan: 32 results, 0 with flow, 0 own fingerprints, 0 suppressed, 32 findings; skipped: nothing
    no_runs.sarif: SARIF, : 0 results, 0 with flow, 0 own fingerprints, 0 suppressed, 0 findings; skipped: nothing
    opengrep-code-flows.sarif: SARIF, Opengrep OSS: 1 results, 1 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    ruff-0.17.6-vulpy.sarif: SARIF, ruff: 48 results, 0 with flow, 0 own fingerprints, 0 suppressed, 48 findings; skipped: nothing
    semgrep-1.69.0.sarif: SARIF, Semgrep OSS: 77 results, 0 with flow, 77 own fingerprints, 0 suppressed, 77 findings; skipped: 1 text was cut
    shiftleft-python.sarif: SARIF, Python Security Analysis: 11 results, 0 with flow, 0 own fingerprints, 0 suppressed, 11 findings; skipped: nothing
    shiftleft-shell.sarif: SARIF, Shell Script Analysis: 27 results, 0 with flow, 0 own fingerprints, 0 suppressed, 12 findings; skipped: nothing
    snyk-code-with-flows.sarif: SARIF, SnykCode: 39 results, 39 with flow, 38 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    spec-appendix-k.sarif: SARIF, CodeScanner: 1 results, 1 with flow, 0 own fingerprints, 1 suppressed, 1 findings; skipped: nothing
    spotbugs-4.4.0.sarif: SARIF, SpotBugs: 56 results, 0 with flow, 0 own fingerprints, 0 suppressed, 56 findings; skipped: nothing
    suppression_test.sarif: SARIF, CodeScanner: 5 results, 0 with flow, 0 own fingerprints, 3 suppressed, 5 findings; skipped: nothing
    ");
}

#[test]
fn testdata_all_semgrep_json_is_read() {
    let Some(summaries) = summaries("semgrep-json") else { return };
    insta::assert_snapshot!(summaries, @r"
    close_old_findings_report_line31.json: Semgrep JSON, Semgrep OSS: 1 results, 1 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    cwe_list.json: Semgrep JSON, Semgrep: 1 results, 0 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    empty.json: Semgrep JSON, Semgrep: 0 results, 0 with flow, 0 own fingerprints, 0 suppressed, 0 findings; skipped: nothing
    fingerprint_test.json: Semgrep JSON, Semgrep: 2 results, 0 with flow, 0 own fingerprints, 0 suppressed, 2 findings; skipped: nothing
    high-medium-low-severities.json: Semgrep JSON, Semgrep OSS: 3 results, 0 with flow, 3 own fingerprints, 0 suppressed, 3 findings; skipped: nothing
    issue_8435.json: Semgrep JSON, Semgrep OSS: 1 results, 0 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    made-by-hand-call-trace.json: Semgrep JSON, Semgrep OSS: 1 results, 1 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    many_findings.json: Semgrep JSON, Semgrep: 3 results, 0 with flow, 0 own fingerprints, 0 suppressed, 3 findings; skipped: nothing
    many_vulns.json: Semgrep JSON, Semgrep: 48 results, 0 with flow, 0 own fingerprints, 0 suppressed, 48 findings; skipped: nothing
    one_finding.json: Semgrep JSON, Semgrep: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    opengrep-dataflow-traces.json: Semgrep JSON, Semgrep OSS: 1 results, 1 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    opengrep-trace-through-branch.json: Semgrep JSON, Semgrep OSS: 1 results, 1 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    repeated_findings.json: Semgrep JSON, Semgrep: 2 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    semgrep-platform-api-one.json: Semgrep JSON, Semgrep: 1 results, 0 with flow, 1 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    semgrep_version_1_30_0_line_26.json: Semgrep JSON, Semgrep OSS: 5 results, 0 with flow, 5 own fingerprints, 0 suppressed, 5 findings; skipped: nothing
    semgrep_version_1_30_0_line_27.json: Semgrep JSON, Semgrep OSS: 5 results, 0 with flow, 5 own fingerprints, 0 suppressed, 5 findings; skipped: nothing
    ");
}

#[test]
fn testdata_all_gitlab_reports_are_read() {
    let Some(summaries) = summaries("gitlab") else { return };
    insta::assert_snapshot!(summaries, @"
    gl-sast-report-0-vuln.json: GitLab SAST, GitLab SAST: 0 results, 0 with flow, 0 own fingerprints, 0 suppressed, 0 findings; skipped: nothing
    gl-sast-report-1-vuln_v14.json: GitLab SAST, TruffleHog: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    gl-sast-report-1-vuln_v15.json: GitLab SAST, GitLab SAST: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    gl-sast-report-confidence_v14.json: GitLab SAST, njsscan and NodeJsScan: 8 results, 0 with flow, 0 own fingerprints, 0 suppressed, 8 findings; skipped: nothing
    gl-sast-report-confidence_v15.json: GitLab SAST, njsscan: 8 results, 0 with flow, 0 own fingerprints, 0 suppressed, 8 findings; skipped: nothing
    gl-sast-report-cwe_v14.json: GitLab SAST, Find Security Bugs and NodeJsScan: 3 results, 0 with flow, 0 own fingerprints, 0 suppressed, 3 findings; skipped: nothing
    gl-sast-report-cwe_v15.json: GitLab SAST, Find Security Bugs: 3 results, 0 with flow, 0 own fingerprints, 0 suppressed, 3 findings; skipped: nothing
    gl-sast-report-many-vuln_v14.json: GitLab SAST, TruffleHog and Gitleaks and Bandit and ESLint: 467 results, 0 with flow, 0 own fingerprints, 0 suppressed, 467 findings; skipped: nothing
    gl-sast-report-many-vuln_v15.json: GitLab SAST, GitLab SAST: 467 results, 0 with flow, 0 own fingerprints, 0 suppressed, 467 findings; skipped: nothing
    gl-sast-report-multiple-cwe-fabricated_v15.json: GitLab SAST, Find Security Bugs: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    gl-sast-report_issue4344_v14.json: GitLab SAST, Security Code Scan: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    gl-sast-report_issue4344_v15.json: GitLab SAST, Security Code Scan: 1 results, 0 with flow, 0 own fingerprints, 0 suppressed, 1 findings; skipped: nothing
    ");
}

#[test]
fn testdata_all_outputs_are_read_or_named() {
    let Some(summaries) = summaries("outputs") else { return };
    insta::assert_snapshot!(summaries, @"
    corpus.semgrep-1.182.0.gitlab.json: GitLab SAST, Semgrep: 28 results, 0 with flow, 0 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    corpus.semgrep-1.182.0.json: Semgrep JSON, Semgrep OSS: 28 results, 0 with flow, 0 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    corpus.semgrep-1.182.0.sarif: SARIF, Semgrep OSS: 28 results, 0 with flow, 0 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    corpus.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 28 results, 0 with flow, 0 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    corpus.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 28 results, 9 with flow, 28 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    corpus.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 28 results, 9 with flow, 28 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    dvpwa.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 4 results, 0 with flow, 0 own fingerprints, 0 suppressed, 4 findings; skipped: nothing
    dvpwa.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 4 results, 1 with flow, 4 own fingerprints, 0 suppressed, 4 findings; skipped: nothing
    dvpwa.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 4 results, 1 with flow, 4 own fingerprints, 0 suppressed, 4 findings; skipped: nothing
    govwa.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 28 results, 0 with flow, 0 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    govwa.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 28 results, 3 with flow, 28 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    govwa.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 28 results, 3 with flow, 28 own fingerprints, 0 suppressed, 28 findings; skipped: nothing
    kanboard.semgrep-1.182.0.gitlab.json: GitLab SAST, Semgrep: 37 results, 0 with flow, 0 own fingerprints, 0 suppressed, 37 findings; skipped: nothing
    kanboard.semgrep-1.182.0.json: Semgrep JSON, Semgrep OSS: 37 results, 0 with flow, 0 own fingerprints, 0 suppressed, 37 findings; skipped: nothing
    kanboard.semgrep-1.182.0.sarif: SARIF, Semgrep OSS: 37 results, 0 with flow, 0 own fingerprints, 0 suppressed, 37 findings; skipped: nothing
    kanboard.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 35 results, 0 with flow, 0 own fingerprints, 0 suppressed, 35 findings; skipped: nothing
    kanboard.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 35 results, 0 with flow, 35 own fingerprints, 0 suppressed, 35 findings; skipped: nothing
    kanboard.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 35 results, 0 with flow, 35 own fingerprints, 0 suppressed, 35 findings; skipped: nothing
    nodegoat.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 15 results, 0 with flow, 0 own fingerprints, 0 suppressed, 15 findings; skipped: nothing
    nodegoat.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 15 results, 4 with flow, 15 own fingerprints, 0 suppressed, 15 findings; skipped: nothing
    nodegoat.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 15 results, 4 with flow, 15 own fingerprints, 0 suppressed, 15 findings; skipped: nothing
    railsgoat.semgrep-1.182.0.gitlab.json: GitLab SAST, Semgrep: 39 results, 0 with flow, 0 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    railsgoat.semgrep-1.182.0.json: Semgrep JSON, Semgrep OSS: 39 results, 0 with flow, 0 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    railsgoat.semgrep-1.182.0.sarif: SARIF, Semgrep OSS: 39 results, 0 with flow, 0 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    railsgoat.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 39 results, 0 with flow, 0 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    railsgoat.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 39 results, 11 with flow, 39 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    railsgoat.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 39 results, 11 with flow, 39 own fingerprints, 0 suppressed, 39 findings; skipped: nothing
    redash.semgrep-1.182.0.gitlab.json: GitLab SAST, Semgrep: 52 results, 0 with flow, 0 own fingerprints, 0 suppressed, 52 findings; skipped: nothing
    redash.semgrep-1.182.0.json: Semgrep JSON, Semgrep OSS: 52 results, 0 with flow, 0 own fingerprints, 0 suppressed, 52 findings; skipped: nothing
    redash.semgrep-1.182.0.sarif: SARIF, Semgrep OSS: 52 results, 0 with flow, 0 own fingerprints, 0 suppressed, 52 findings; skipped: nothing
    redash.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 52 results, 0 with flow, 0 own fingerprints, 0 suppressed, 52 findings; skipped: nothing
    redash.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 52 results, 2 with flow, 52 own fingerprints, 0 suppressed, 52 findings; skipped: nothing
    redash.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 52 results, 2 with flow, 52 own fingerprints, 0 suppressed, 52 findings; skipped: nothing
    vulpy.semgrep-1.182.0.gitlab.json: GitLab SAST, Semgrep: 51 results, 0 with flow, 0 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    vulpy.semgrep-1.182.0.json: Semgrep JSON, Semgrep OSS: 51 results, 0 with flow, 0 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    vulpy.semgrep-1.182.0.sarif: SARIF, Semgrep OSS: 51 results, 0 with flow, 0 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    vulpy.semgrep-1.99.0.gitlab.json: GitLab SAST, Semgrep: 51 results, 0 with flow, 0 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    vulpy.semgrep-1.99.0.json: Semgrep JSON, Semgrep OSS: 51 results, 5 with flow, 51 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    vulpy.semgrep-1.99.0.sarif: SARIF, Semgrep OSS: 51 results, 5 with flow, 51 own fingerprints, 0 suppressed, 51 findings; skipped: nothing
    ");
}

#[test]
fn testdata_other_formats_are_named() {
    let Some(summaries) = summaries("other-json") else { return };
    insta::assert_snapshot!(summaries, @"
    bandit.json: not a report that can be read: seen a JSON object with errors, generated_at, metrics, results, supported are SARIF 2.1.0, Semgrep JSON and GitLab SAST
    brakeman.json: not a report that can be read: seen a JSON object with scan_info, warnings, ignored_warnings, errors, obsolete, supported are SARIF 2.1.0, Semgrep JSON and GitLab SAST
    eslint.json: not a report that can be read: seen a JSON array, supported are SARIF 2.1.0, Semgrep JSON and GitLab SAST
    gosec.json: not a report that can be read: seen a JSON object with Issues, Stats, supported are SARIF 2.1.0, Semgrep JSON and GitLab SAST
    ");
}

/// How often each value comes, in its order: `low 2, high 1`.
fn histogram<T: Ord + std::fmt::Debug>(values: impl Iterator<Item = T>) -> String {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let shown = counts.iter().map(|(value, count)| format!("{value:?} {count}").to_lowercase());
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn testdata_severity_confidence_and_weaknesses_are_found() {
    let Some(folder) = testdata() else { return };
    let mut table = String::new();
    for path in ["sarif", "semgrep-json"].iter().flat_map(|f| files(&folder.join(f))) {
        let results = read(&path).unwrap().results;
        let rules = || results.iter().map(|r| &r.rule);
        table += &format!(
            "{}: {}; confidence {}; {} with weaknesses, {} with titles\n",
            name(&path),
            histogram(rules().map(|r| r.severity)),
            histogram(rules().map(|r| r.confidence)),
            rules().filter(|r| !r.cwe.is_empty()).count(),
            rules().filter(|r| r.title.is_some()).count(),
        );
    }
    insta::assert_snapshot!(table, @r"
    appendix_k2.sarif: medium 1; confidence unknown 1; 0 with weaknesses, 0 with titles
    appendix_k3.sarif: ; confidence ; 0 with weaknesses, 0 with titles
    bandit-1.9.4-vulpy.sarif: low 11, medium 36, high 4; confidence low 6, medium 39, high 6; 51 with weaknesses, 51 with titles
    blackduck_nested_fingerprints.sarif: low 1, medium 1, high 3; confidence unknown 5; 5 with weaknesses, 0 with titles
    checkov-3.3.30-juice-shop.sarif: high 19; confidence unknown 19; 0 with weaknesses, 19 with titles
    codeql-2.5.4-java.sarif: low 57, medium 4, high 11; confidence high 72; 25 with weaknesses, 72 with titles
    cppcheck-2.17.1.sarif: medium 5, critical 5; confidence high 10; 0 with weaknesses, 10 with titles
    dependency-check-6.1.2.sarif: ; confidence ; 0 with weaknesses, 0 with titles
    devskim-1.0.90.sarif: low 1, medium 1, high 5; confidence high 7; 0 with weaknesses, 7 with titles
    dockle_0_3_15.sarif: ; confidence ; 0 with weaknesses, 0 with titles
    eslint-8.57.1-nodegoat.sarif: medium 6, high 3; confidence unknown 9; 0 with weaknesses, 9 with titles
    flawfinder-2.0.19.sarif: low 50, medium 1, high 2; confidence unknown 53; 53 with weaknesses, 53 with titles
    govulncheck.sarif: low 1, medium 1, high 1; confidence unknown 3; 0 with weaknesses, 3 with titles
    grype-0.34.7.sarif: low 6, medium 4, high 11, critical 1; confidence unknown 22; 0 with weaknesses, 22 with titles
    lgtm-two-runs.sarif: low 357, medium 122, high 31; confidence high 510; 398 with weaknesses, 510 with titles
    mayhem_api_many_vulns.sarif: medium 17, high 3; confidence unknown 20; 20 with weaknesses, 20 with titles
    mayhem_code_many_vulns.sarif: high 8; confidence unknown 8; 8 with weaknesses, 8 with titles
    mobsfscan-0.0.8.sarif: low 8, medium 2, high 2; confidence unknown 12; 12 with weaknesses, 12 with titles
    njsscan-0.2.3-absolute-file-urls.sarif: medium 1, high 2; confidence unknown 3; 3 with weaknesses, 3 with titles
    njsscan-1.0.2-nodegoat.sarif: low 4, medium 20, high 8; confidence unknown 32; 32 with weaknesses, 32 with titles
    no_runs.sarif: ; confidence ; 0 with weaknesses, 0 with titles
    opengrep-code-flows.sarif: medium 1; confidence unknown 1; 0 with weaknesses, 0 with titles
    ruff-0.17.6-vulpy.sarif: high 48; confidence unknown 48; 0 with weaknesses, 48 with titles
    semgrep-1.69.0.sarif: medium 42, high 1, critical 34; confidence unknown 77; 77 with weaknesses, 77 with titles
    shiftleft-python.sarif: low 2, medium 1, high 8; confidence high 11; 0 with weaknesses, 11 with titles
    shiftleft-shell.sarif: low 27; confidence medium 27; 0 with weaknesses, 27 with titles
    snyk-code-with-flows.sarif: low 3, medium 24, high 12; confidence high 39; 39 with weaknesses, 39 with titles
    spec-appendix-k.sarif: high 1; confidence unknown 1; 0 with weaknesses, 1 with titles
    spotbugs-4.4.0.sarif: low 56; confidence unknown 56; 0 with weaknesses, 56 with titles
    suppression_test.sarif: medium 5; confidence unknown 5; 0 with weaknesses, 0 with titles
    close_old_findings_report_line31.json: high 1; confidence medium 1; 1 with weaknesses, 0 with titles
    cwe_list.json: low 1; confidence unknown 1; 1 with weaknesses, 0 with titles
    empty.json: ; confidence ; 0 with weaknesses, 0 with titles
    fingerprint_test.json: medium 1, high 1; confidence low 1, medium 1; 2 with weaknesses, 0 with titles
    high-medium-low-severities.json: low 3; confidence unknown 3; 0 with weaknesses, 0 with titles
    issue_8435.json: high 1; confidence low 1; 1 with weaknesses, 0 with titles
    made-by-hand-call-trace.json: high 1; confidence medium 1; 1 with weaknesses, 0 with titles
    many_findings.json: low 1, medium 2; confidence unknown 3; 3 with weaknesses, 0 with titles
    many_vulns.json: medium 35, high 13; confidence unknown 48; 44 with weaknesses, 0 with titles
    one_finding.json: medium 1; confidence unknown 1; 1 with weaknesses, 0 with titles
    opengrep-dataflow-traces.json: medium 1; confidence unknown 1; 0 with weaknesses, 0 with titles
    opengrep-trace-through-branch.json: medium 1; confidence unknown 1; 0 with weaknesses, 0 with titles
    repeated_findings.json: medium 2; confidence unknown 2; 2 with weaknesses, 0 with titles
    semgrep-platform-api-one.json: medium 1; confidence medium 1; 1 with weaknesses, 0 with titles
    semgrep_version_1_30_0_line_26.json: medium 5; confidence medium 5; 5 with weaknesses, 0 with titles
    semgrep_version_1_30_0_line_27.json: medium 5; confidence medium 5; 5 with weaknesses, 0 with titles
    ");
}

/// How many findings the results of a document would give, counted without our own reader.
fn expected(document: &Value) -> usize {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let of_run = |run: &Value| -> usize {
        list(&run["results"]).iter().map(|result| list(&result["locations"]).len().max(1)).sum()
    };
    let runs: usize = list(&document["runs"]).iter().map(of_run).sum();
    runs + if document["runs"].is_null() { list(&document["results"]).len() } else { 0 }
        + list(&document["findings"]).len()
        + list(&document["vulnerabilities"]).len()
}

#[test]
fn testdata_nothing_is_lost_without_being_counted() {
    let Some(folder) = testdata() else { return };
    for path in
        ["sarif", "semgrep-json", "gitlab", "outputs"].iter().flat_map(|f| files(&folder.join(f)))
    {
        let Ok(report) = read(&path) else { continue };
        let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
        let document = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        let counted = report.results.len() + report.skipped.results() + report.skipped.locations;
        assert_eq!(counted, expected(&document), "{}", name(&path));
    }
}

/// The pairs of reports of one scan: Semgrep JSON and SARIF.
fn pairs(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let sarif = files(&folder.join("outputs")).into_iter();
    let sarif = sarif.filter(|path| path.extension().is_some_and(|e| e == "sarif"));
    sarif.map(|path| (path.with_extension("json"), path)).collect()
}

fn fingerprints(report: &Report, files: &BTreeMap<RepoPath, String>) -> BTreeSet<String> {
    let file = |path: &RepoPath| files.get(path).map(String::as_str);
    let findings = identify(report.results.clone(), &file);
    findings
        .iter()
        .map(|f| format!("{} {} {}", f.rule.id, f.location.as_ref().unwrap().path, f.fingerprint))
        .collect()
}

fn without_tool_fingerprints(mut report: Report) -> Report {
    report.results.iter_mut().for_each(|r| r.tool_fingerprint = None);
    report
}

/// Files with the quoted lines at their places, and blank lines elsewhere.
fn files_from_quotations(report: &Report) -> BTreeMap<RepoPath, String> {
    let mut files: BTreeMap<RepoPath, Vec<String>> = BTreeMap::new();
    for result in &report.results {
        let lines = result.location.region.unwrap().lines;
        let file = files.entry(result.location.path.clone()).or_default();
        let quotation = result.snippet.as_ref().unwrap().expose();
        for (number, text) in (lines.start..=lines.end).zip(quotation.lines()) {
            file.resize(file.len().max(number as usize), String::new());
            file[number as usize - 1] = text.to_owned();
        }
    }
    files.into_iter().map(|(path, lines)| (path, lines.join("\n"))).collect()
}

#[test]
fn testdata_one_scan_has_the_same_fingerprints_in_both_formats() {
    let Some(folder) = testdata() else { return };
    let pairs = pairs(&folder);
    assert_eq!(pairs.len(), 13);
    for (json, sarif) in pairs {
        let (json, sarif) = (read(&json).unwrap(), read(&sarif).unwrap());
        let files = files_from_quotations(&sarif);
        assert_eq!(fingerprints(&json, &files), fingerprints(&sarif, &files));
        let (json, sarif) = (without_tool_fingerprints(json), without_tool_fingerprints(sarif));
        assert_eq!(fingerprints(&json, &files), fingerprints(&sarif, &files));
        if json.results.iter().all(|r| r.snippet.is_some()) {
            let none = BTreeMap::new();
            assert_eq!(fingerprints(&json, &none), fingerprints(&sarif, &none));
        }
    }
}

#[test]
fn testdata_fingerprints_are_unique_in_every_report() {
    let Some(folder) = testdata() else { return };
    for path in ["sarif", "semgrep-json", "outputs"].iter().flat_map(|f| files(&folder.join(f))) {
        let Ok(report) = read(&path) else { continue };
        for report in [report.clone(), without_tool_fingerprints(report)] {
            let findings = identify(report.results, &|_| None);
            let unique: HashSet<_> = findings.iter().map(|f| f.fingerprint).collect();
            assert_eq!(unique.len(), findings.len(), "{}", name(&path));
        }
    }
}

#[test]
fn testdata_the_encoding_of_a_real_report_does_not_matter() {
    let Some(folder) = testdata() else { return };
    for path in files(&folder.join("sarif")) {
        let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let known = known();
        let options = Options { known_paths: &known, ..Options::default() };
        assert_eq!(parse(&wide, &options).unwrap().results, read(&path).unwrap().results);
    }
}

#[test]
fn testdata_the_corpus_keeps_its_fingerprints_when_its_files_grow_at_the_top() {
    let Some(folder) = testdata() else { return };
    for report in ["corpus.semgrep-1.182.0.sarif", "corpus.semgrep-1.182.0.json"] {
        let report = read(&folder.join("outputs").join(report)).unwrap();
        let mut sources: BTreeMap<RepoPath, String> = BTreeMap::new();
        for result in &report.results {
            let path = &result.location.path;
            let text = fs::read_to_string(folder.join("corpus").join(path.as_str())).unwrap();
            let lines = result.location.region.unwrap().lines;
            assert!(lines.end as usize <= text.lines().count(), "{path}");
            sources.insert(path.clone(), text);
        }
        let before = fingerprints(&report, &sources);
        assert_eq!(before.len(), 28);
        let mut moved = report;
        for result in &mut moved.results {
            let region = result.location.region.as_mut().unwrap();
            region.lines = LineRange::new(region.lines.start + 3, region.lines.end + 3);
        }
        sources.values_mut().for_each(|text| *text = format!("\n# above\n\n{text}"));
        assert_eq!(fingerprints(&moved, &sources), before);
    }
}
