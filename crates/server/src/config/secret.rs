//! A secret is in the configuration or in a file, never in both.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// The largest secret, in bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// Where a secret is.
#[derive(Debug, Clone, Default)]
pub struct Secret {
    /// Given in place.
    pub value: Option<SecretString>,
    /// In this file.
    pub file: Option<PathBuf>,
}

impl Secret {
    pub(crate) fn of(value: &Option<SecretString>, file: &Option<PathBuf>) -> Self {
        let value = value.clone().filter(|v| !v.expose_secret().is_empty());
        Self { value, file: file.clone().filter(|f| !f.as_os_str().is_empty()) }
    }

    /// Whether it is given at all.
    pub fn is_given(&self) -> bool {
        self.value.is_some() || self.file.is_some()
    }

    pub(crate) fn validate(&self, name: &str, required: bool, problems: &mut Vec<String>) {
        match (&self.value, &self.file) {
            (Some(_), Some(_)) => {
                problems.push(format!("{name}: give it, or {name}_file, not both"))
            }
            (None, None) if required => {
                // A setting of a list has no name in the environment.
                let or = match name.contains(' ') {
                    true => String::new(),
                    false => format!(", or set {}", variable(name)),
                };
                problems.push(format!("{name} is missing: give {name}_file{or}"));
            }
            _ => {}
        }
    }
}

/// What a setting is called in the environment.
pub(crate) fn variable(name: &str) -> String {
    format!("CHAFFINCH__{}", name.to_uppercase().replace('.', "__"))
}

/// Reads a secret, wherever it is; `None` if it is not given. White space around it is not part of it.
///
/// # Errors
/// A sentence that names the setting and the file.
pub fn read_secret(name: &str, secret: &Secret) -> Result<Option<SecretString>, String> {
    match (&secret.value, &secret.file) {
        (Some(value), _) => Ok(Some(value.expose_secret().trim().to_owned().into())),
        (None, Some(file)) => read(file).map(Some).map_err(|e| format!("{name}, its file: {e}")),
        (None, None) => Ok(None),
    }
}

fn read(file: &Path) -> Result<SecretString, String> {
    let shown = file.display();
    let size = std::fs::metadata(file).map_err(|e| format!("cannot read {shown}: {e}"))?.len();
    if size > MAX_SECRET {
        return Err(format!("{shown} is larger than 64 KiB"));
    }
    let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {shown}: {e}"))?;
    if text.trim().is_empty() {
        return Err(format!("{shown} is empty"));
    }
    Ok(text.trim().to_owned().into())
}
