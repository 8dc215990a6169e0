//! A scanner's report from a file.

use std::{io::Read, path::Path};

use anyhow::{Context, bail};
use chaffinch_core::SourceBytes;
use chaffinch_reports::MAX_BYTES;

pub(crate) fn read(path: &Path) -> anyhow::Result<SourceBytes> {
    let shown = path.display();
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
