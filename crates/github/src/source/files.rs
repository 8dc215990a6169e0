//! The lines that a pull request changes.

use chaffinch_core::{
    ChangedFile, ChangedLines, FileStatus, ForgeError, Hunk, LineKind, RepoPath, parse_patch,
};
use serde::Deserialize;

use super::PULL_REQUESTS;
use crate::handle::Handle;

/// GitHub lists 3,000 files of a pull request and no more.
const MOST_PAGES: usize = 30;
/// A hundred patches can be long.
const PAGE_LIMIT: u64 = 64 << 20;

#[derive(Deserialize)]
struct File {
    filename: String,
    previous_filename: Option<String>,
    #[serde(default)]
    status: String,
    additions: Option<u64>,
    deletions: Option<u64>,
    changes: Option<u64>,
    patch: Option<String>,
}

/// The listing is of the present head; a head that moves meanwhile has an event of its own.
pub(super) async fn changed(handle: &Handle, number: u64) -> Result<ChangedLines, ForgeError> {
    let route = "/repos/{owner}/{repo}/pulls/{number}/files";
    let mut call = handle.get(route, &format!("/pulls/{number}/files"), PULL_REQUESTS)?;
    call.limit = PAGE_LIMIT;
    let listed = handle.list::<File>(call, MOST_PAGES).await?;
    let all = listed.items.len();
    let files: Vec<ChangedFile> = listed.items.into_iter().filter_map(changed_file).collect();
    // Whether a full last page was the last one is not known; and a pull request without a single
    // file is one whose files the forge does not list (yet).
    let complete = listed.complete && (1..MOST_PAGES * 100).contains(&all) && files.len() == all;
    Ok(ChangedLines { files, complete })
}

/// `None` for a name that we cannot hold.
fn changed_file(file: File) -> Option<ChangedFile> {
    let status = match file.status.as_str() {
        "added" => FileStatus::Added,
        "modified" => FileStatus::Modified,
        "removed" => FileStatus::Removed,
        "renamed" => FileStatus::Renamed,
        _ => FileStatus::Other,
    };
    let hunks = match &file.patch {
        Some(patch) => parse_patch(patch).ok().filter(|hunks| agrees(&file, hunks)),
        // Moved as it was. Anything else without a patch is binary, or too large to be shown.
        None if status == FileStatus::Renamed && file.changes == Some(0) => Some(Vec::new()),
        None => None,
    };
    if hunks.is_none() {
        tracing::debug!(patch = file.patch.is_some(), "a changed file without readable hunks");
    }
    Some(ChangedFile {
        path: RepoPath::new(file.filename).ok()?,
        previous: file.previous_filename.and_then(|name| RepoPath::new(name).ok()),
        status,
        hunks,
    })
}

/// A patch can be cut off without a word; then its lines are fewer than GitHub counted.
fn agrees(file: &File, hunks: &[Hunk]) -> bool {
    let count =
        |kind| hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == kind).count() as u64;
    file.additions.is_none_or(|n| n == count(LineKind::Added))
        && file.deletions.is_none_or(|n| n == count(LineKind::Removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> ChangedFile {
        changed_file(serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn a_patch_becomes_hunks_on_both_sides() {
        let file = read(
            r#"{"filename":"a.py","status":"modified","additions":1,"deletions":1,"patch":"@@ -1,2 +1,2 @@\n a\n-b\n+c"}"#,
        );
        let lines = &file.hunks.unwrap()[0].lines;
        assert_eq!(
            lines.iter().map(|l| (l.old, l.new)).collect::<Vec<_>>(),
            [(Some(1), Some(1)), (Some(2), None), (None, Some(2))]
        );
    }

    #[test]
    fn hunks_that_are_withheld_cut_or_damaged_are_unknown() {
        for json in [
            r#"{"filename":"a.png","status":"added","additions":0,"deletions":0,"changes":0}"#,
            r#"{"filename":"a.py","status":"modified","additions":2,"deletions":0,"patch":"@@ -1 +1,3 @@\n a\n+b"}"#,
            r#"{"filename":"a.py","status":"modified","additions":1,"deletions":0,"patch":"@@ -1 +1 @@n+b"}"#,
            r#"{"filename":"a.py","patch":"@@ damaged @@"}"#,
        ] {
            assert_eq!(read(json).hunks, None, "{json}");
        }
    }

    #[test]
    fn a_file_that_only_moved_has_no_changed_lines() {
        let file = read(
            r#"{"filename":"b/a.py","previous_filename":"a.py","status":"renamed","changes":0,"sha":null}"#,
        );
        assert_eq!(file.status, FileStatus::Renamed);
        assert_eq!(file.previous.unwrap().as_str(), "a.py");
        assert_eq!(file.hunks, Some(Vec::new()));
    }

    #[test]
    fn testdata_recorded_listings_are_read() {
        let Some(folder) = crate::testdata::folder("protocol/github/rest-samples") else { return };
        let mut read = Vec::new();
        for page in ["pull-files.page1.json", "pull-files.page2.json"] {
            let text = std::fs::read(folder.join(page)).unwrap();
            for file in serde_json::from_slice::<Vec<File>>(&text).unwrap() {
                let file = changed_file(file).unwrap();
                let hunks = file.hunks.map(|h| h.len());
                read.push(format!("{} {:?} {hunks:?}", file.path, file.status));
            }
        }
        insta::assert_snapshot!(read.join("\n"), @"
        asda2 Modified None
        remove_me Added None
        tp Renamed Some(0)
        upsert Removed None
        late_file.go Modified None
        ");
    }
}
