//! Real reports of real scanners, through the whole path.

use std::{collections::BTreeSet, fs, path::Path};

use chaffinch_core::{Source, VaultKind};
use chaffinch_triage::{Assessment, Standing};

use crate::double::{World, answer};

fn read_all(folder: &Path, base: &Path, world: &World) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, base, world);
        } else if let Ok(text) = fs::read_to_string(&path) {
            world.forge.file(path.strip_prefix(base).unwrap().to_str().unwrap(), &text);
        }
    }
}

async fn assess(world: &World, reports: &[&str], outputs: &Path) -> Assessment {
    for report in reports {
        world.forge.report(fs::read(outputs.join(report)).unwrap());
    }
    let change = world.forge.change(7).await.unwrap();
    let reports = world.forge.reports(&change).await.unwrap();
    world.engine().assess(&*world.forge, &change, None, &[], reports).await.unwrap()
}

#[tokio::test]
async fn testdata_real_reports_of_one_scan_in_two_formats_are_one_set_of_findings() {
    let fallback = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    #[expect(
        clippy::disallowed_methods,
        reason = "where test data lies is told by the environment"
    )]
    let root = std::env::var("CHAFFINCH_TESTDATA").unwrap_or_else(|_| fallback.into());
    let (corpus, outputs) =
        (Path::new(&root).join("findings/corpus"), Path::new(&root).join("findings/outputs"));
    if !corpus.is_dir() {
        println!("skipped: no test data at {root}");
        return;
    }
    let mut counts = BTreeSet::new();
    for reports in [
        &["corpus.semgrep-1.182.0.json"] as &[&str],
        &["corpus.semgrep-1.99.0.json", "corpus.semgrep-1.99.0.sarif"],
        &["corpus.semgrep-1.182.0.sarif"],
        &["corpus.semgrep-1.182.0.json", "corpus.semgrep-1.182.0.sarif"],
    ] {
        let world = World::new();
        read_all(&corpus, &corpus, &world);
        world.model.does(|prompt| {
            let line = &prompt.excerpt.lines()[0];
            let evidence = [(line.path.as_str(), line.number, line.text.expose())];
            Ok(answer("true_positive", "It is so.", &evidence))
        });
        let assessment = assess(&world, reports, &outputs).await;
        let real = assessment.count(Standing::Real);
        let failed: Vec<_> =
            assessment.outcomes.iter().filter_map(|o| o.triage.cause.as_ref()).collect();
        assert_eq!(real, assessment.outcomes.len(), "{reports:?}: {failed:?}");
        assert!(assessment.is_whole(), "{reports:?}: {assessment:?}");
        assert_eq!(world.vault.all(VaultKind::Answer).len(), world.model.asked());
        let found = assessment.outcomes.iter().map(|o| o.finding.fingerprint);
        let found: BTreeSet<_> = found.collect();
        assert_eq!(found.len(), assessment.outcomes.len());
        // The older version writes fingerprints of its own into one of the two formats.
        if !reports.concat().contains("1.99.0") {
            assert_eq!(found.len(), 28, "{reports:?}");
            counts.insert(found);
        }
    }
    assert_eq!(counts.len(), 1, "one scan, one set of fingerprints");
}
