//! Errors as the window gets them: a code that it acts on, a message, and a hint on what to do.

use annals_core::export::ExportError;
use annals_core::id::NameError;
use annals_core::import::ImportError;
use annals_core::model::PathError;
use annals_core::sample::SampleError;
use annals_core::search::{QueryError, SearchError};
use annals_core::store::{AppendError, OpenError, ReadError};
use annals_core::temporal::TemporalError;
use annals_core::time::TimeError;
use serde::Serialize;
use ts_rs::TS;

/// What kind of error it is. A code exists only where the window acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The file is not there.
    NotFound,
    /// A file is there already.
    Exists,
    /// The file is not an Annals store.
    NotAStore,
    /// The store was written by a newer Annals.
    NewerFormat,
    /// Another program holds the store.
    Locked,
    /// The store is damaged.
    Damaged,
    /// The store or its medium cannot be written.
    ReadOnly,
    /// No store is open.
    NoStoreOpen,
    /// No such stream.
    NoStream,
    /// No such event.
    NoEvent,
    /// The input makes no sense: a time, a name, a version.
    BadInput,
    /// A file to be imported is not of its format.
    MalformedFile,
    /// The user cancelled.
    Cancelled,
    /// The disk is full.
    DiskFull,
    /// Something else was there first: a version, an id, a running import.
    Conflict,
    /// The system refused to read or write.
    Io,
    /// A fault of Annals itself.
    Internal,
}

/// An error as the window gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct HostError {
    /// What kind.
    pub code: ErrorCode,
    /// What happened, with the names and values that matter.
    pub message: String,
    /// What to do about it; `null` where there is nothing to say.
    pub hint: Option<String>,
}

impl HostError {
    /// An error without a hint.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> HostError {
        HostError {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> HostError {
        HostError {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// No store is open.
    #[must_use]
    pub fn no_store_open() -> HostError {
        HostError::new(ErrorCode::NoStoreOpen, "no store is open")
            .hint("Open a store, or begin with the sample.")
    }

    /// A fault of Annals itself.
    #[must_use]
    pub fn internal(error: impl std::fmt::Display) -> HostError {
        HostError::new(ErrorCode::Internal, error.to_string())
            .hint("This is a fault in Annals, not in your data. The store is as it was.")
    }
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

impl From<OpenError> for HostError {
    fn from(error: OpenError) -> HostError {
        let (code, hint) = match &error {
            OpenError::NotFound { .. } => (
                ErrorCode::NotFound,
                "It may have been moved, renamed or deleted.",
            ),
            OpenError::Exists { .. } => (
                ErrorCode::Exists,
                "Choose another name, or open the store that is there.",
            ),
            OpenError::NotAStore { .. } => (
                ErrorCode::NotAStore,
                "To look into a file of events (JSON, JSON Lines, XES), make a new store and import the file into it.",
            ),
            OpenError::NewerFormat { .. } => (
                ErrorCode::NewerFormat,
                "Open it with a newer version of Annals. Nothing was changed.",
            ),
            OpenError::Locked { .. } => (
                ErrorCode::Locked,
                "Close the other program, or wait until it is done.",
            ),
            OpenError::Damaged { .. } => (
                ErrorCode::Damaged,
                "Copy the file before you do anything else with it; then open a backup.",
            ),
            OpenError::ReadOnly { .. } => (
                ErrorCode::ReadOnly,
                "Exploring works; to add events, copy the store to a place that can be written.",
            ),
            OpenError::Io { source, .. } => return io_error(source, error.to_string()),
            OpenError::Engine { .. } => return HostError::new(ErrorCode::Io, error.to_string()),
        };
        HostError::new(code, error.to_string()).hint(hint)
    }
}

impl From<AppendError> for HostError {
    fn from(error: AppendError) -> HostError {
        let message = error.to_string();
        match error {
            AppendError::VersionConflict { .. }
            | AppendError::IdTaken { .. }
            | AppendError::CategoryConflict { .. } => HostError::new(ErrorCode::Conflict, message),
            AppendError::LinkedTwice { .. } | AppendError::TooLarge { .. } => {
                HostError::new(ErrorCode::BadInput, message)
            }
            AppendError::DiskFull => HostError::new(ErrorCode::DiskFull, message)
                .hint("Make room on the disk and try again."),
            AppendError::Locked => HostError::new(ErrorCode::Locked, message)
                .hint("Close the other program, or wait until it is done."),
            AppendError::Closed => HostError::internal(message),
            AppendError::Cancelled => HostError::new(ErrorCode::Cancelled, message),
            AppendError::Engine(_) => HostError::new(ErrorCode::Io, message),
        }
    }
}

impl From<ReadError> for HostError {
    fn from(error: ReadError) -> HostError {
        let message = error.to_string();
        match error {
            ReadError::NoStream(_) => HostError::new(ErrorCode::NoStream, message)
                .hint("Names are exact, upper and lower case included."),
            ReadError::NoEvent(_) => HostError::new(ErrorCode::NoEvent, message),
            ReadError::Damaged { .. } => HostError::new(ErrorCode::Damaged, message)
                .hint("Copy the file before you do anything else with it; then open a backup."),
            ReadError::Cancelled => HostError::new(ErrorCode::Cancelled, message),
            ReadError::Engine(_) => HostError::new(ErrorCode::Io, message),
            ReadError::Io(source) => io_error(&source, message),
        }
    }
}

impl From<QueryError> for HostError {
    fn from(error: QueryError) -> HostError {
        HostError::new(ErrorCode::BadInput, error.to_string()).hint(error.hint)
    }
}

impl From<SearchError> for HostError {
    fn from(error: SearchError) -> HostError {
        match error {
            SearchError::Read(error) => error.into(),
            SearchError::Cancelled => HostError::new(ErrorCode::Cancelled, error.to_string()),
        }
    }
}

impl From<TemporalError> for HostError {
    fn from(error: TemporalError) -> HostError {
        match error {
            TemporalError::Read(error) => error.into(),
            TemporalError::NoVersion { last, .. } => {
                HostError::new(ErrorCode::BadInput, error.to_string())
                    .hint(format!("Versions of this stream go from 0 to {last}."))
            }
            TemporalError::NoPosition { last, .. } => {
                HostError::new(ErrorCode::BadInput, error.to_string())
                    .hint(format!("Positions of this log go from 0 to {last}."))
            }
            TemporalError::NotThere { .. } => HostError::new(ErrorCode::NoEvent, error.to_string()),
            TemporalError::NoPath { .. } => HostError::new(ErrorCode::BadInput, error.to_string()),
        }
    }
}

impl From<ImportError> for HostError {
    fn from(error: ImportError) -> HostError {
        match error {
            ImportError::Io { ref source, .. } => io_error(source, error.to_string()),
            ImportError::Malformed { .. } => {
                HostError::new(ErrorCode::MalformedFile, error.to_string())
                    .hint("Nothing was stored. Mend the file, or name its format yourself.")
            }
            ImportError::Append(error) => error.into(),
            ImportError::Cancelled => HostError::new(ErrorCode::Cancelled, error.to_string()),
        }
    }
}

impl From<ExportError> for HostError {
    fn from(error: ExportError) -> HostError {
        match error {
            ExportError::Read(error) => error.into(),
            ExportError::Io(ref source) => io_error(source, error.to_string()),
            ExportError::Cancelled => HostError::new(ErrorCode::Cancelled, error.to_string()),
        }
    }
}

impl From<SampleError> for HostError {
    fn from(error: SampleError) -> HostError {
        match error {
            SampleError::Open(error) => error.into(),
            SampleError::Append(error) => error.into(),
            SampleError::TooLarge { .. } => HostError::new(ErrorCode::BadInput, error.to_string()),
            SampleError::Cancelled => HostError::new(ErrorCode::Cancelled, error.to_string()),
            SampleError::Io(ref source) => io_error(source, error.to_string()),
        }
    }
}

impl From<TimeError> for HostError {
    fn from(error: TimeError) -> HostError {
        HostError::new(ErrorCode::BadInput, error.to_string())
    }
}

impl From<PathError> for HostError {
    fn from(error: PathError) -> HostError {
        HostError::new(ErrorCode::BadInput, error.to_string())
    }
}

impl From<NameError> for HostError {
    fn from(error: NameError) -> HostError {
        HostError::new(ErrorCode::BadInput, error.to_string())
    }
}

/// An error of the operating system; `message` says what was tried.
pub(crate) fn io_error(source: &std::io::Error, message: String) -> HostError {
    use std::io::ErrorKind;
    let (code, hint) = match source.kind() {
        ErrorKind::NotFound => (ErrorCode::NotFound, "Look at the path again."),
        ErrorKind::AlreadyExists => (ErrorCode::Exists, "Choose another name."),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            ErrorCode::ReadOnly,
            "The system does not let you at it: choose another place, or change its permissions.",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (ErrorCode::DiskFull, "Make room on the disk and try again.")
        }
        _ => return HostError::new(ErrorCode::Io, message),
    };
    HostError::new(code, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_crosses_as_code_message_and_hint() {
        let error = HostError::from(OpenError::NotFound {
            path: "a.annals".into(),
        });
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"code":"not_found","message":"there is no file a.annals","hint":"It may have been moved, renamed or deleted."}"#
        );
    }

    #[test]
    fn a_full_disk_is_told_from_other_faults() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(
            HostError::from(ExportError::Io(full)).code,
            ErrorCode::DiskFull
        );
        let other = std::io::Error::other("cable");
        assert_eq!(HostError::from(ExportError::Io(other)).code, ErrorCode::Io);
    }

    #[test]
    fn the_error_inside_decides_the_code() {
        let inner = ImportError::Append(AppendError::Locked);
        assert_eq!(HostError::from(inner).code, ErrorCode::Locked);
    }
}
