//! `Source`: reading one repository.

use chaffinch_core::{ChangedFile, FileStatus, ForgeError, ForgeKind, LineRange, RepoPath};
use chrono::TimeDelta;

use super::{Difference, Opened, sha};
use crate::harness::{REPOSITORY, SQLI, Step, on_both_forges, sarif};

on_both_forges! {
    a_change_says_its_commits_and_its_state,
    a_change_that_is_not_there_is_not_found,
    changes_are_found_by_the_head_that_they_propose,
    the_lines_of_a_change_are_those_of_its_diff,
    a_large_change_is_read_to_its_last_file,
    a_file_is_read_at_its_commit,
    a_path_of_any_characters_is_one_file,
    what_is_no_file_is_not_found,
    a_link_reads_as_the_forge_has_it,
    a_file_that_is_too_large_is_not_read,
    the_names_of_a_folder_are_those_of_its_files,
    reports_are_those_of_the_head,
    a_report_that_is_gone_is_not_silence,
    a_limit_says_until_when,
    a_forge_that_fails_is_asked_again_and_then_unavailable,
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

async fn a_change_says_its_commits_and_its_state(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    let read = it.change(7).await;
    assert_eq!((read.id.number, &read.id.repo), (7, &it.fake.repo_id(REPOSITORY)));
    assert_eq!((read.head.as_str(), read.base.as_str()), (&*change.head(), &*change.base()));
    assert_eq!((read.open, read.draft, read.fork), (true, false, false));
    change.draft();
    assert!(it.change(7).await.draft);
    change.ready().close();
    assert!(!it.change(7).await.open);
    change.reopen().in_fork();
    assert!(it.change(7).await.fork);
    change.fork_deleted();
    assert!(it.change(7).await.fork);
    let pushed = change.push(&[("a.py", "x = 2\n")]);
    assert_eq!(it.change(7).await.head.as_str(), pushed);
}

async fn a_change_that_is_not_there_is_not_found(on: ForgeKind) {
    let it = Opened::on(on).await;
    let error = it.access.source.change(404).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound), "{error}");
}

async fn changes_are_found_by_the_head_that_they_propose(on: ForgeKind) {
    let it = Opened::on(on).await;
    let repo = it.fake.repo(REPOSITORY);
    let one = repo.file("a.py", "x = 1\n").change(7);
    let two = repo.file("a.py", "x = 2\n").change(8);
    let source = &it.access.source;
    let head = sha(&one.head());
    assert_eq!(source.changes_at(&head).await.unwrap(), [7]);
    two.same_head_as(&one);
    let mut found = source.changes_at(&head).await.unwrap();
    found.sort_unstable();
    assert_eq!(found, [7, 8]);
    one.close();
    assert_eq!(source.changes_at(&head).await.unwrap(), [8], "only open ones");
    two.push(&[("a.py", "x = 3\n")]);
    assert!(source.changes_at(&head).await.unwrap().is_empty(), "only as their head");
    assert!(source.changes_at(&sha(&"e".repeat(40))).await.unwrap().is_empty());
}

async fn the_lines_of_a_change_are_those_of_its_diff(on: ForgeKind) {
    let it = Opened::on(on).await;
    let repo = it.fake.repo(REPOSITORY);
    let long: String = (1..=40).map(|n| format!("line {n}\n")).collect();
    repo.base_file("long.txt", long.clone()).base_file("gone.txt", "x\ny\n");
    repo.base_file("before.txt", "one\ntwo\nthree\n").file("new.py", SQLI);
    repo.file("long.txt", long.replace("line 20\n", "line twenty\n"));
    repo.file("blob.bin", b"\0\x01\x02\xff".to_vec());
    let change = repo.change(7);
    change.remove(&["gone.txt"]);
    change.rename("before.txt", "after.txt");
    let lines = it.access.source.changed_lines(&it.change(7).await).await.unwrap();
    assert!(lines.complete);
    let of = |name: &str| -> &ChangedFile {
        lines.files.iter().find(|file| file.path == path(name)).unwrap_or_else(|| panic!("{name}"))
    };
    let line = |n| LineRange::new(n, n);
    assert_eq!(of("new.py").status, FileStatus::Added);
    assert!((1..=6).all(|n| of("new.py").touches(line(n))));
    let long = of("long.txt");
    assert_eq!(long.status, FileStatus::Modified);
    assert!(long.touches(line(20)) && !long.touches(line(19)), "only what was altered");
    assert!(long.accepts_comment(line(18)), "beside it, a comment is taken");
    assert!(!long.accepts_comment(line(2)), "far from it, none is");
    assert_eq!(of("gone.txt").status, FileStatus::Removed);
    assert!(lines.file(&path("gone.txt")).is_none(), "it is not at the head");
    let renamed = of("after.txt");
    assert_eq!(
        (renamed.status, &renamed.previous),
        (FileStatus::Renamed, &Some(path("before.txt")))
    );
    let blob = of("blob.bin");
    assert!(blob.touches(line(1)), "what is not shown is not known to be untouched");
}

async fn a_large_change_is_read_to_its_last_file(on: ForgeKind) {
    let it = Opened::on(on).await;
    let repo = it.fake.repo(REPOSITORY);
    for n in 0..230 {
        repo.file(&format!("src/f{n:03}.py"), "import os\n");
    }
    repo.change(7);
    let lines = it.access.source.changed_lines(&it.change(7).await).await.unwrap();
    assert_eq!((lines.files.len(), lines.complete), (230, true));
}

async fn a_file_is_read_at_its_commit(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = it.fake.repo(REPOSITORY).file("a/b.py", "x = 1\n").change(7);
    let first = sha(&change.head());
    let second = sha(&change.push(&[("a/b.py", "x = 2\n")]));
    for (at, want) in [(&first, "x = 1\n"), (&second, "x = 2\n")] {
        let read = it.access.source.file(&path("a/b.py"), at).await.unwrap();
        assert_eq!(read.expose(), want.as_bytes());
    }
}

async fn a_path_of_any_characters_is_one_file(on: ForgeKind) {
    let it = Opened::on(on).await;
    let repo = it.fake.repo(REPOSITORY);
    let names =
        ["a b#c?.py", "ü/ñandú.py", "100%/@x&y=z+w.py", "[id]/(group)/page.tsx", "a%2Fb.py"];
    for name in names {
        repo.file(name, name);
    }
    let head = sha(&repo.change(7).head());
    for name in names {
        let read = it.access.source.file(&path(name), &head).await.unwrap();
        assert_eq!(read.expose(), name.as_bytes(), "{name}");
    }
}

async fn what_is_no_file_is_not_found(on: ForgeKind) {
    let it = Opened::on(on).await;
    // Who asks GitHub for a folder's name as for a file's is shown what is in it.
    it.fake.allow_listing();
    let repo = it.fake.repo(REPOSITORY);
    repo.file("a/b.py", "x\n").submodule("lib", "https://git.example/lib.git");
    let head = sha(&repo.change(7).head());
    for name in ["absent.py", "a", "a/b.py/c", "lib"] {
        let error = it.access.source.file(&path(name), &head).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotFound), "{name}: {error}");
    }
    let gone = it.access.source.file(&path("a/b.py"), &sha(&"e".repeat(40))).await.unwrap_err();
    assert!(matches!(gone, ForgeError::NotFound), "{gone}");
}

async fn a_link_reads_as_the_forge_has_it(on: ForgeKind) {
    let it = Opened::on(on).await;
    let repo = it.fake.repo(REPOSITORY);
    repo.file("real.py", "x = 1\n").symlink("link.py", "real.py");
    let head = sha(&repo.change(7).head());
    let read = it.access.source.file(&path("link.py"), &head).await.unwrap();
    let follows = Difference::FollowsLinks.holds_on(on);
    assert_eq!(read.text(), if follows { "x = 1\n" } else { "real.py" });
}

async fn a_file_that_is_too_large_is_not_read(on: ForgeKind) {
    let it = Opened::on(on).await;
    let repo = it.fake.repo(REPOSITORY);
    repo.huge_file("whole.txt", 1 << 20).huge_file("large.txt", (1 << 20) + 1);
    let head = sha(&repo.change(7).head());
    let source = &it.access.source;
    assert_eq!(source.file(&path("whole.txt"), &head).await.unwrap().len(), 1 << 20);
    let error = source.file(&path("large.txt"), &head).await.unwrap_err();
    assert!(matches!(error, ForgeError::Truncated { limit } if limit == 1 << 20), "{error}");
}

async fn the_names_of_a_folder_are_those_of_its_files(on: ForgeKind) {
    let it = Opened::on(on).await;
    it.fake.allow_listing();
    let repo = it.fake.repo(REPOSITORY);
    repo.file("a b/one.py", "x\n").file("a b/two.py", "x\n").file("a b/c/three.py", "x\n");
    let head = sha(&repo.change(7).head());
    let source = &it.access.source;
    let mut names = source.names("a b", &head).await.unwrap();
    names.sort();
    assert_eq!(names, ["one.py", "two.py"]);
    assert_eq!(source.names("", &head).await.unwrap(), ["README"]);
    let error = source.names("absent", &head).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound), "{error}");
}

async fn reports_are_those_of_the_head(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    let source = &it.access.source;
    assert!(source.reports(&it.change(7).await).await.unwrap().is_empty(), "none is no error");
    change.report(sarif("CodeQL", &[("one", "a.py", 1)]));
    change.report(sarif("Semgrep", &[("two", "a.py", 1)]));
    let reports = source.reports(&it.change(7).await).await.unwrap();
    let mut texts: Vec<_> = reports.iter().map(|report| report.bytes.text()).collect();
    texts.sort();
    assert_eq!(texts.len(), 2);
    assert!(texts[0].contains("CodeQL") && texts[1].contains("Semgrep"), "{texts:?}");
    change.push(&[("a.py", "x = 2\n")]);
    assert!(source.reports(&it.change(7).await).await.unwrap().is_empty(), "an older head's");
}

async fn a_report_that_is_gone_is_not_silence(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    change.report(sarif("CodeQL", &[("one", "a.py", 1)]));
    it.fake.faults().answers(Step::ReadReport, 404, "404 Not Found");
    let read = it.access.source.reports(&it.change(7).await).await;
    if Difference::KeepsReports.holds_on(on) {
        assert!(read.is_err(), "what was listed a moment ago must be there");
        return;
    }
    // Artifacts expire; whoever reads it finds that it cannot be read.
    let reports = read.unwrap();
    assert_eq!((reports.len(), reports[0].bytes.len()), (1, 0));
}

async fn a_limit_says_until_when(on: ForgeKind) {
    let it = Opened::on(on).await;
    it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    it.fake.faults().limits(Step::ReadChange, 120);
    let error = it.access.source.change(7).await.unwrap_err();
    let ForgeError::RateLimited { until } = error else { panic!("{error}") };
    let wait = until - chaffinch_core::Clock::now(&*it.clock);
    assert!((119..=121).contains(&wait.num_seconds()), "{wait}");
    it.clock.advance(TimeDelta::seconds(121));
    it.change(7).await;
}

async fn a_forge_that_fails_is_asked_again_and_then_unavailable(on: ForgeKind) {
    let it = Opened::on(on).await;
    it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    it.fake.faults().answers(Step::ReadChange, 502, "Bad Gateway");
    it.change(7).await;
    for _ in 0..3 {
        it.fake.faults().answers(Step::ReadChange, 502, "Bad Gateway");
    }
    let error = it.access.source.change(7).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
}
