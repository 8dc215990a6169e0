//! A scanner's report from a file, and what is said of what is not taken from it.

use std::{fmt::Display, io::Read, path::Path};

use anyhow::{Context, bail};
use chaffinch_core::SourceBytes;
use chaffinch_reports::{MAX_BYTES, ReportError};

/// How packed files begin: gzip, zip, zstd, xz, bzip2.
const PACKED: [&[u8]; 5] = [b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh"];

pub(crate) fn read(path: &Path) -> anyhow::Result<SourceBytes> {
    let shown = path.display();
    if path.as_os_str() == "-" {
        bail!("standard input is not read: write the report to a file, and give that as --report");
    }
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read the report {shown}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read the report {shown}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("the report {shown} is larger than 100 MB");
    }
    Ok(SourceBytes::new(bytes))
}

/// Why a report cannot be read, and what to do.
pub(crate) fn unreadable(path: &Path, bytes: &SourceBytes, error: &ReportError) -> String {
    let shown = path.display();
    let bytes = bytes.expose();
    // UTF-16 is text, and begins with its mark.
    let text = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let packed = PACKED.iter().any(|magic| bytes.starts_with(magic));
    if packed || !text && bytes.contains(&0) {
        return format!("{shown} is not text; if it is packed, unpack it first");
    }
    match error {
        ReportError::CutOff => format!("{shown}: {error}; run the scanner again"),
        error => format!("{shown}: {error}"),
    }
}

/// What is said of results whose files are not in the checkout.
pub(crate) fn elsewhere(count: usize, root: &Path) -> String {
    let results = if count == 1 { "result is" } else { "results are" };
    let root: &dyn Display = &root.display();
    format!(
        "{count} {results} of no file in {root}: look at the paths in the report, and at --root."
    )
}
