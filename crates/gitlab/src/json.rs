//! What GitLab's JSON may be where its documents say otherwise.

use serde::{Deserialize, Deserializer};

/// `null` as if it were not there. For fields that have a default.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
