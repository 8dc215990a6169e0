//! A small vulnerable program, a change to it, and what Semgrep 1.99.0 says of it by the rules beside it.

use chaffinch_sandbox::{Change, GitHub, GitLab, MergeRequest, Model, false_positive};

pub(crate) const REPOSITORY: &str = "orchard/shop";
pub(crate) const NUMBER: u64 = 7;
/// The job that keeps the report, and the file.
pub(crate) const REPORT_JOB: (&str, &str) = ("semgrep", "semgrep.json");

/// `semgrep scan --config rules.yaml --json --dataflow-traces` over `demo/head`.
pub(crate) const REPORT: &str = include_str!("../../demo/report.json");

macro_rules! demo {
    ($side:literal, $path:literal) => {
        ($path, include_str!(concat!("../../demo/", $side, "/", $path)))
    };
}

const BASE: &[(&str, &str)] =
    &[demo!("base", "app/db.py"), demo!("base", "app/orders.py"), demo!("base", "web/login.js")];
const HEAD: &[(&str, &str)] = &[
    demo!("head", "app/db.py"),
    demo!("head", "app/orders.py"),
    demo!("head", "app/invoices.py"),
    demo!("head", "web/login.js"),
];

const TITLE: &str = "Search, sorting and printed invoices";

/// Opens the pull request on the sandbox.
pub(crate) fn open_change(github: &GitHub) -> Change {
    let repo = github.repo(REPOSITORY);
    for (path, text) in BASE {
        repo.base_file(path, *text);
    }
    let change = repo.change(NUMBER);
    change.title(TITLE).author("someone").branch("invoices");
    change.set_head_files(HEAD);
    change
}

/// Opens the same as a merge request; Semgrep has run in its pipeline.
pub(crate) fn open_merge_request(gitlab: &GitLab) -> MergeRequest {
    let project = gitlab.project(REPOSITORY);
    for (path, text) in BASE {
        project.base_file(path, *text);
    }
    let change = project.merge_request(NUMBER);
    change.title(TITLE).author("someone").branch("invoices");
    change.set_head_files(HEAD);
    let (job, file) = REPORT_JOB;
    change.job(job).artifact(file, REPORT);
    change
}

/// What a careful reader would say where the sandbox's judge, which knows only patterns, would not.
pub(crate) fn script(model: &Model) {
    let order = "Scripted answer, no model was asked. The caller's value only picks an entry of `COLUMNS`; \
                 none of its text reaches the query.";
    model.answer_to("ORDER BY {order}", false_positive(order, "app/orders.py:31"));
    let digits =
        "Scripted answer, no model was asked. The route takes digits only, so `number` is an int.";
    model.answer_to("WHERE number = {number}", false_positive(digits, "app/orders.py:12"));
    model.answer_to("count-pages {number}", false_positive(digits, "app/invoices.py:23"));
}
