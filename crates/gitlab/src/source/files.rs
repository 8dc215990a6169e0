//! The lines that a merge request changes.

use std::sync::{Arc, Mutex, PoisonError};

use chaffinch_core::{
    Change, ChangedFile, ChangedLines, FileStatus, ForgeError, Hunk, RepoPath, parse_patch,
};
use serde::Deserialize;

use super::{DiffRefs, READ, changes::merge_request};
use crate::handle::Handle;
use crate::json::nullable;

/// GitLab lists 3,000 files of a merge request and no more.
const MOST_PAGES: usize = 31;
/// A hundred patches can be long.
const PAGE_LIMIT: u64 = 64 << 20;

#[derive(Deserialize)]
struct File {
    old_path: String,
    new_path: String,
    #[serde(default)]
    a_mode: Option<String>,
    #[serde(default)]
    b_mode: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    diff: String,
    #[serde(default, deserialize_with = "nullable")]
    new_file: bool,
    #[serde(default, deserialize_with = "nullable")]
    renamed_file: bool,
    #[serde(default, deserialize_with = "nullable")]
    deleted_file: bool,
    #[serde(default)]
    collapsed: Option<bool>,
    #[serde(default)]
    too_large: Option<bool>,
}

/// The diff of one head: between which commits, and its lines.
#[derive(Clone)]
pub(crate) struct Diff {
    pub(crate) refs: DiffRefs,
    pub(crate) changed: Arc<ChangedLines>,
}

/// The changed lines of merge requests, through the token that reads. Kept, without any text, because
/// a comment on a line that did not change is placed by its numbers on both sides.
pub(crate) struct Lines {
    handle: Arc<Handle>,
    kept: Mutex<Option<(u64, Diff)>>,
}

impl Lines {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        Self { handle, kept: Mutex::default() }
    }

    /// The diff of `change` as it is now. [`ForgeError::Unavailable`] where GitLab has not made it
    /// yet, or shows that of another head.
    pub(crate) async fn of(&self, change: &Change) -> Result<Diff, ForgeError> {
        let number = change.id.number;
        let found = merge_request(&self.handle, number).await?;
        let not_ready = |why: &str| ForgeError::Unavailable { why: format!("gitlab: {why}") };
        let refs = found.diff_refs.ok_or_else(|| not_ready("the diff is not made yet"))?;
        if refs.head_sha != change.head.as_str() {
            return Err(not_ready("the diff is of another head"));
        }
        if let Some(diff) = self.kept(number, &refs) {
            return Ok(diff);
        }
        let count = found.changes_count.unwrap_or_default();
        let changed = Arc::new(changed(&self.handle, number, &count).await?);
        let diff = Diff { refs, changed };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, diff.clone()));
        Ok(diff)
    }

    fn kept(&self, number: u64, refs: &DiffRefs) -> Option<Diff> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, diff) = kept.as_ref().filter(|(n, diff)| *n == number && diff.refs == *refs)?;
        Some(diff.clone())
    }
}

/// `count` is what the merge request says of its changed files: `35`, or `1000+`.
async fn changed(handle: &Handle, number: u64, count: &str) -> Result<ChangedLines, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}/diffs";
    let mut call = handle.get(route, &format!("/merge_requests/{number}/diffs"), READ)?;
    call.limit = PAGE_LIMIT;
    let listed = handle.list::<File>(call, MOST_PAGES).await?;
    let all = listed.items.len();
    let files: Vec<ChangedFile> = listed.items.into_iter().filter_map(changed_file).collect();
    // GitLab ends the list without a word where its limits on a diff are reached; and a merge request
    // without a single file is one whose files it does not list (yet).
    let counted = count.parse().is_ok_and(|count: usize| count == all);
    let complete = listed.complete && counted && all > 0 && files.len() == all;
    Ok(ChangedLines { files, complete })
}

/// `None` for a name that we cannot hold.
fn changed_file(file: File) -> Option<ChangedFile> {
    let status = match &file {
        File { new_file: true, .. } => FileStatus::Added,
        File { deleted_file: true, .. } => FileStatus::Removed,
        File { renamed_file: true, .. } => FileStatus::Renamed,
        _ => FileStatus::Modified,
    };
    let withheld = file.too_large == Some(true) || file.collapsed == Some(true);
    let hunks = match file.diff.as_str() {
        // Only its name or its mode changed. Anything else without a diff is withheld.
        "" if !withheld && moved_only(&file, status) => Some(Vec::new()),
        "" => None,
        // A binary file has a sentence for a diff, and no hunk.
        diff => parse_patch(diff).ok().filter(|hunks| is_whole(diff, hunks)),
    };
    if hunks.is_none() {
        tracing::debug!(withheld, "a changed file without readable hunks");
    }
    let path = if status == FileStatus::Removed { &file.old_path } else { &file.new_path };
    let previous = (file.old_path != file.new_path).then(|| RepoPath::new(&*file.old_path).ok());
    Some(ChangedFile {
        path: RepoPath::new(path.as_str()).ok()?,
        previous: previous.flatten(),
        status,
        hunks,
    })
}

/// A diff can be cut off without a word; then a hunk has fewer lines than its header says. Every line
/// but a header has a prefix of its own.
fn is_whole(diff: &str, hunks: &[Hunk]) -> bool {
    let counted = |header: &str, side: char| -> Option<usize> {
        let range = header.split(' ').find_map(|part| part.strip_prefix(side))?;
        range.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok())
    };
    let headers: Vec<&str> = diff.lines().filter_map(|line| line.strip_prefix("@@ ")).collect();
    !hunks.is_empty()
        && headers.len() == hunks.len()
        && headers.iter().zip(hunks).all(|(header, hunk)| {
            let old = hunk.lines.iter().filter(|line| line.old.is_some()).count();
            let new = hunk.lines.iter().filter(|line| line.new.is_some()).count();
            counted(header, '-') == Some(old) && counted(header, '+') == Some(new)
        })
}

fn moved_only(file: &File, status: FileStatus) -> bool {
    let modes = file.a_mode.as_ref().zip(file.b_mode.as_ref());
    status == FileStatus::Renamed
        || (status == FileStatus::Modified && modes.is_some_and(|(a, b)| a != b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> ChangedFile {
        changed_file(serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn a_diff_becomes_hunks_on_both_sides() {
        let file = read(
            r#"{"old_path":"a.py","new_path":"a.py","diff":"@@ -1,2 +1,2 @@\n a\n-b\n+c\n","collapsed":false}"#,
        );
        let lines = &file.hunks.unwrap()[0].lines;
        assert_eq!(
            lines.iter().map(|l| (l.old, l.new)).collect::<Vec<_>>(),
            [(Some(1), Some(1)), (Some(2), None), (None, Some(2))]
        );
        assert_eq!((file.status, file.previous), (FileStatus::Modified, None));
    }

    #[test]
    fn hunks_that_are_withheld_or_damaged_are_unknown() {
        for json in [
            r#"{"old_path":"a","new_path":"a","diff":"","collapsed":true}"#,
            r#"{"old_path":"a","new_path":"a","diff":"","too_large":true}"#,
            r#"{"old_path":"a","new_path":"a","diff":""}"#,
            r#"{"old_path":"a","new_path":"a","diff":"","new_file":true,"a_mode":"0","b_mode":"100644"}"#,
            r#"{"old_path":"b","new_path":"a","diff":"","renamed_file":true,"collapsed":true}"#,
            r#"{"old_path":"a","new_path":"a","diff":"","a_mode":"100644","b_mode":"100755","too_large":true}"#,
            r#"{"old_path":"a","new_path":"a","diff":"Binary files a/a and b/a differ\n"}"#,
            r#"{"old_path":"a","new_path":"a","diff":"@@ damaged @@"}"#,
            r#"{"old_path":"a","new_path":"a","diff":"@@ -1,2 +1,3 @@\n a\n+b\n"}"#,
            r#"{"old_path":"a","new_path":"a","diff":"@@ -1 +1 @@\n-a\n+b\n@@ -9 +9 @@\n-a\n"}"#,
        ] {
            assert_eq!(read(json).hunks, None, "{json}");
        }
    }

    #[test]
    fn a_file_that_only_moved_or_changed_its_mode_has_no_changed_lines() {
        let file = read(r#"{"old_path":"a.py","new_path":"b/a.py","diff":"","renamed_file":true}"#);
        assert_eq!(file.status, FileStatus::Renamed);
        assert_eq!(file.previous.unwrap().as_str(), "a.py");
        assert_eq!(file.hunks, Some(Vec::new()));
        let file = read(
            r#"{"old_path":"a","new_path":"a","diff":"","a_mode":"100644","b_mode":"100755"}"#,
        );
        assert_eq!(file.hunks, Some(Vec::new()));
    }

    #[test]
    fn a_file_that_is_gone_is_named_as_it_was() {
        let file = read(
            r#"{"old_path":"old.py","new_path":"old.py","diff":"@@ -1 +0,0 @@\n-x\n","deleted_file":true}"#,
        );
        assert_eq!((file.path.as_str(), file.status), ("old.py", FileStatus::Removed));
    }

    #[test]
    fn testdata_recorded_listings_are_read() {
        let Some(folder) = crate::testdata::folder("protocol/gitlab/rest-samples") else { return };
        let text = std::fs::read(folder.join("merge-request-diffs.json")).unwrap();
        let files: Vec<File> = serde_json::from_slice(&text).unwrap();
        assert_eq!(files.len(), 2);
        // Their diffs have lost their line breaks, and so say nothing.
        assert!(files.into_iter().all(|file| changed_file(file).unwrap().hunks.is_none()));
    }
}
