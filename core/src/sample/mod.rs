//! Sample stores with known answers.

use std::path::Path;

use crate::store::{AppendError, OpenError};

/// Why a sample could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The store could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store did not take the events.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The models could not be written.
    #[error("the sample's models could not be written: {0}")]
    Io(#[from] std::io::Error),
}

/// Makes a new store with the guide's own examples and models for them. The same bytes every time.
pub fn guide(path: &Path) -> Result<(), SampleError> {
    let _ = path;
    todo!()
}
