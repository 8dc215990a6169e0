//! Over the reference programs, which hold no secret.

use std::path::PathBuf;

use chaffinch_core::RepoPath;
use chaffinch_egress::{Redactor, Segment};

#[expect(clippy::disallowed_methods, reason = "where the reference data is, only the runner knows")]
fn folder() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    std::env::var_os("CHAFFINCH_TESTDATA").map_or_else(|| default.into(), PathBuf::from)
}

#[test]
fn testdata_nothing_is_redacted_in_the_corpus() {
    let folder = folder();
    let corpus = folder.join("findings/corpus");
    if !corpus.is_dir() {
        println!("skipped: no test data at {}", folder.display());
        return;
    }
    let redactor = Redactor::new().unwrap();
    let (mut waiting, mut read) = (vec![corpus.clone()], 0);
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file: PathBuf = entry.unwrap().path();
            if file.is_dir() {
                waiting.push(file);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let name = file.strip_prefix(&corpus).unwrap().to_str().unwrap();
            let path = RepoPath::new(name).unwrap();
            let redacted = redactor.redact(&[Segment { path: Some(&path), text: &text }]).unwrap();
            assert!(redacted.counts.is_empty(), "{name}: {:?}", redacted.counts);
            read += 1;
        }
    }
    assert!(read >= 25, "only {read} files");
}
