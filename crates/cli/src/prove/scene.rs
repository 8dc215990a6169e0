//! A change in which there is a marked word wherever nothing should leave from.

use chaffinch_sandbox::{Delivered, GitHub, GitLab};
use serde_json::json;

use super::planted::Words;

pub(super) const REPOSITORY: &str = "orchard/shop";
const NUMBER: u64 = 7;
/// The job that keeps the report on GitLab, and its file.
pub(super) const REPORT: (&str, &str) = ("scan", "scan.sarif");

const FILE: &str = "app/search.py";
/// What the model asks to see: another function of the file, which the policy may let it have.
pub(super) const ASKED_FOR: &str = "tidied";
/// So many lines lie between the finding and its neighbours.
const FAR: usize = 60;

/// The files of the change, and of the repository around it.
fn files(words: &Words) -> Vec<(&'static str, String)> {
    let far = "# nothing to see here\n".repeat(FAR);
    let (near, control) = (words.of("neighbouring lines"), &words.control);
    let (key, mail) = (words.of("a secret in the line"), words.of("an e-mail address in the line"));
    // Of two findings one holds what is redacted: where the policy blocks that, the other is sent.
    let beside = words.of("beside what the model asks for");
    let found = format!(
        "def unrelated_before():\n    return \"{near}\"\n\n\n{far}\n\n\
         def search(cursor, request):\n    name = request.args[\"q\"]\n    \
         cursor.execute(\"SELECT * FROM {control} WHERE n = '\" + name + \"'\")\n    \
         return cursor\n\n\n{far}\n\n\
         def {ASKED_FOR}(text):\n    return text.strip()\n\n\n\
         def beside():\n    return \"{beside}\"\n\n\n{far}\n\n\
         def export(cursor, request):\n    name = request.args[\"q\"]\n    \
         cursor.execute(\"SELECT '{key}' WHERE n = '\" + name + \"'\")  # ask {mail}@example.org\n    \
         return cursor\n\n\n{far}\n\ndef unrelated_after():\n    return \"{near}\"\n"
    );
    vec![
        (FILE, found),
        (
            "app/other.py",
            format!("def other():\n    return \"{}\"\n", words.of("another changed file")),
        ),
    ]
}

/// The lines of the two findings, in the file of now.
fn lines(files: &[(&str, String)]) -> Vec<usize> {
    let found = files.iter().filter(|(path, _)| *path == FILE).flat_map(|(_, text)| text.lines());
    let execute = |(i, line): (usize, &str)| line.contains("cursor.execute").then_some(i + 1);
    found.enumerate().filter_map(execute).collect()
}

fn report(words: &Words, lines: &[usize]) -> String {
    let other = words.of("the report's other fields");
    let results: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "ruleId": "python.sqli",
                "message": { "text": "User input reaches a query." },
                "properties": { "author": other, "commit": other },
                "fixes": [{ "description": { "text": other } }],
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": FILE },
                    "region": { "startLine": line },
                } }],
            })
        })
        .collect();
    let run = json!({
        "tool": { "driver": { "name": "Scanner", "organization": other, "rules": [{ "id": "python.sqli" }] } },
        "versionControlProvenance": [{ "repositoryUri": "https://example.org/x", "branch": other }],
        "invocations": [{ "executionSuccessful": true, "account": other, "commandLine": other }],
        "results": results,
    });
    json!({ "version": "2.1.0", "runs": [run] }).to_string()
}

/// What the base has: the changed files are new.
fn base(words: &Words) -> [(&'static str, String); 2] {
    [
        ("README", "a shop\n".to_owned()),
        ("app/config.py", format!("VALUE = \"{}\"\n", words.of("another file"))),
    ]
}

pub(super) fn on_github(github: &GitHub, words: &Words) {
    let repo = github.repo(REPOSITORY);
    for (path, text) in base(words) {
        repo.base_file(path, text);
    }
    let change = repo.change(NUMBER);
    let files = files(words);
    let at = lines(&files);
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    change.push(&files);
    change.title(words.of("title")).author(words.of("author")).branch(words.of("branch"));
    change.description(words.of("description"));
    change.comment(words.of("commenter"), words.of("comment"));
    change.report(report(words, &at));
}

pub(super) async fn deliver_on_github(github: &GitHub) -> Delivered {
    github.deliver("pull_request.opened", NUMBER).await
}

pub(super) fn on_gitlab(gitlab: &GitLab, words: &Words) {
    let project = gitlab.project(REPOSITORY);
    for (path, text) in base(words) {
        project.base_file(path, text);
    }
    let change = project.merge_request(NUMBER);
    let files = files(words);
    let at = lines(&files);
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    change.push(&files);
    change.title(words.of("title")).author(words.of("author")).branch(words.of("branch"));
    change.description(words.of("description"));
    change.comment(words.of("commenter"), words.of("comment"));
    let (job, file) = REPORT;
    change.job(job).artifact(file, report(words, &at));
}

pub(super) async fn deliver_on_gitlab(gitlab: &GitLab) -> Delivered {
    gitlab.deliver("pipeline.success", NUMBER).await
}
