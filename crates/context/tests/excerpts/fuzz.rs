//! The fuzz target over its committed corpus: once on each part that a driver may choose.

#[path = "../../fuzz/target.rs"]
mod target;

use std::fs;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/excerpt");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

#[test]
fn the_odd_files_of_the_corpus_keep_every_promise() {
    let corpus = corpus();
    assert!(corpus.len() >= 33, "{}", corpus.len());
    for (_, data) in &corpus {
        target::run(data);
    }
}

#[test]
fn the_odd_files_keep_every_promise_on_any_rung_and_with_any_flow() {
    for (name, data) in corpus().iter().filter(|(_, data)| data.len() < 3_000) {
        for choice in 0..12_u8 {
            let mut data = data.clone();
            data[3] = choice;
            data[4] = choice.wrapping_mul(23);
            if !name.contains("two_files") {
                data.extend_from_slice(b"\n\0\0\ndef run(x):\n    return x\n");
            }
            data.extend_from_slice(b"\n\0\0\n");
            data.extend(
                (0..40_u8).map(|at| choice.wrapping_mul(31).wrapping_add(at.wrapping_mul(7))),
            );
            target::run(&data);
        }
    }
}
