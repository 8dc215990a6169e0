//! The edges between crates, as `ARCHITECTURE.md` draws them.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Who may depend on whom. What is not here may not be.
const EDGES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("reports", &["core"]),
    ("context", &["core"]),
    ("egress", &["core"]),
    ("triage", &["core", "reports", "context", "egress"]),
    ("github", &["core"]),
    ("gitlab", &["core"]),
    ("openai", &["core", "egress"]),
    ("store", &["core"]),
    ("sandbox", &["core"]),
    (
        "server",
        &["core", "reports", "context", "egress", "triage", "github", "gitlab", "openai", "store"],
    ),
    (
        "cli",
        &[
            "core", "reports", "context", "egress", "triage", "github", "gitlab", "openai",
            "store", "server", "sandbox",
        ],
    ),
];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Crates that do no I/O, and what would let them.
const PURE: &[&str] = &["core", "reports", "context"];
const IMPURE: &[&str] = &["tokio", "reqwest", "redis", "rusqlite", "axum", "hyper", "octocrab"];

fn packages() -> Vec<Package> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    metadata.packages
}

fn dependencies(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
    normal.map(|d| d.name.clone()).collect()
}

#[test]
fn edges_between_crates_run_downwards_only() {
    let allowed: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let mut looked_at = 0;
    for package in packages() {
        let Some(name) = package.name.strip_prefix("chaffinch-") else { continue };
        if matches!(name, "tests" | "benches") {
            continue;
        }
        let allowed = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in EDGES; add it, and to ARCHITECTURE.md"));
        for dependency in dependencies(&package) {
            if let Some(dependency) = dependency.strip_prefix("chaffinch-") {
                assert!(allowed.contains(&dependency), "{name} may not depend on {dependency}");
            }
        }
        looked_at += 1;
    }
    assert_eq!(looked_at, EDGES.len(), "EDGES has a crate that is none");
}

#[test]
fn core_reports_and_context_do_no_io() {
    let mut looked_at = 0;
    for package in packages() {
        let Some(name) = package.name.strip_prefix("chaffinch-") else { continue };
        if PURE.contains(&name) {
            let found: Vec<_> = dependencies(&package)
                .into_iter()
                .filter(|d| IMPURE.contains(&d.as_str()))
                .collect();
            assert!(found.is_empty(), "{name} does no I/O, but depends on {found:?}");
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, PURE.len(), "PURE has a crate that is none");
}

#[test]
fn tests_named_in_the_architecture_exist() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md"))
        .unwrap();
    let sources = sources();
    let named: BTreeSet<_> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| {
            name.matches('_').count() >= 3
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
        .collect();
    assert!(named.len() >= 10, "ARCHITECTURE.md names the test of each invariant; found {named:?}");
    for name in named {
        assert!(
            sources.contains(&format!("fn {name}(")),
            "ARCHITECTURE.md names a test `{name}` that does not exist"
        );
    }
}

fn sources() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders = vec![root.join("crates"), root.join("tests")];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                all.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    all
}

#[test]
fn each_promise_names_its_test_and_the_files_that_keep_it() {
    let page = std::fs::read_to_string(ROOT.to_owned() + "/docs/privacy.md").unwrap();
    let folder = ROOT.to_owned() + "/tests/promises";
    let files = std::fs::read_dir(folder).unwrap();
    let tests: String =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| P")).collect();
    assert_eq!(rows.len(), 18);
    for (i, row) in rows.iter().enumerate() {
        let number = i + 1;
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, _, _, files, test, check] = cells[..] else { panic!("{row}") };
        assert_eq!(id, format!("P{number}"));
        assert!(!check.is_empty(), "{row}");
        let test = test.trim_matches('`');
        assert!(test.starts_with(&format!("p{number:02}_")), "{row}");
        assert!(tests.contains(&format!("async fn {test}(")), "{test} is not there");
        for file in files.split(", ").map(|file| file.trim_matches('`')) {
            let there = std::path::Path::new(ROOT).join("crates").join(file).exists();
            let module = format!("{}.rs", file.trim_end_matches('/'));
            let module = std::path::Path::new(ROOT).join("crates").join(module).exists();
            assert!(there || module, "{file} of {row}");
        }
    }
}
