//! Where the tests find the reference data.

use std::path::{Path, PathBuf};

/// A folder of the reference data; `None`, with a word about it, where there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "only tests are told by the environment where data is"
)]
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("CHAFFINCH_TESTDATA").map_or_else(default, PathBuf::from);
    let folder = root.join(name);
    if folder.exists() {
        return Some(folder);
    }
    println!("skipped: no test data at {}", folder.display());
    None
}
