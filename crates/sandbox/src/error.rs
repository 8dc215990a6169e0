//! Why a sandbox does not start.

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No port could be had on the loopback, or the traffic file could not be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The App's key could not be made.
    #[error("cannot make the app's private key")]
    Key,
    /// The schema folder cannot be used.
    #[error("cannot check against schemas: {0}")]
    Schemas(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
