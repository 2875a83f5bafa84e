//! Errors as the window gets them: a code that it acts on, a message, and a hint on what to do.

use annals_core::access_log::AccessLogError;
pub use annals_core::code::ErrorCode;
use annals_core::compliance::{ReportError, TemplateError};
use annals_core::dashboard::DashboardError;
use annals_core::evidence::make::EvidenceError;
use annals_core::evidence::verify::VerifyFileError;
use annals_core::export::ExportError;
use annals_core::id::NameError;
use annals_core::import::ImportError;
use annals_core::model::{PathError, SaveError};
use annals_core::privacy::PrivacyError;
use annals_core::projection::ProjectionError;
use annals_core::question::QuestionError;
use annals_core::question::saved::SavedError;
use annals_core::sample::SampleError;
use annals_core::search::{QueryError, SearchError};
use annals_core::signing::SigningError;
use annals_core::signing::keyfile::KeyFileError;
use annals_core::sql::SqlError;
use annals_core::store::{AppendError, BackupError, OpenError, ReadError};
use annals_core::temporal::TemporalError;
use annals_core::time::TimeError;
use annals_core::verify::VerifyError;
use serde::Serialize;
use ts_rs::TS;

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

    /// An error of core's, without a hint.
    pub(crate) fn of<'e, E: std::fmt::Display>(error: &'e E) -> HostError
    where
        ErrorCode: From<&'e E>,
    {
        HostError::new(error.into(), error.to_string())
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
        let hint = match &error {
            OpenError::NotFound { .. } => "It may have been moved, renamed or deleted.",
            OpenError::Exists { .. } => "Choose another name, or open the store that is there.",
            OpenError::NotAStore { .. } => {
                "To look into a file of events (JSON, JSON Lines, XES), make a new store and import the file into it."
            }
            OpenError::NewerFormat { .. } => {
                "Open it with a newer version of Annals. Nothing was changed."
            }
            OpenError::Locked { .. } => "Close the other program, or wait until it is done.",
            OpenError::Damaged { .. } => {
                "Copy the file before you do anything else with it; then open a backup."
            }
            OpenError::ReadOnly { .. } => {
                "Exploring works; to add events, copy the store to a place that can be written."
            }
            OpenError::DiskFull { .. } => "Make room on the disk and try again.",
            OpenError::Io { source, .. } => return io_error(source, error.to_string()),
            OpenError::Engine { .. } => return HostError::of(&error),
        };
        HostError::of(&error).hint(hint)
    }
}

impl From<AccessLogError> for HostError {
    fn from(error: AccessLogError) -> HostError {
        HostError::of(&error).hint(
            "Nothing is shown that cannot be written down first. The settings can do without an access log; reports then say so.",
        )
    }
}

impl From<PrivacyError> for HostError {
    fn from(error: PrivacyError) -> HostError {
        match error {
            PrivacyError::Read(error) => error.into(),
            PrivacyError::Append(error) => error.into(),
            PrivacyError::BadText { .. }
            | PrivacyError::NoHold { .. }
            | PrivacyError::Cancelled => HostError::of(&error),
        }
    }
}

impl From<DashboardError> for HostError {
    fn from(error: DashboardError) -> HostError {
        let told = HostError::of(&error);
        match error {
            DashboardError::Projection(_)
            | DashboardError::Answers(_)
            | DashboardError::NothingBehind(_) => told,
            DashboardError::NoDashboard { .. } => {
                told.hint("Its file may have been renamed or removed. Choose another one.")
            }
            DashboardError::Broken(fault) => told.hint(fault.hint),
        }
    }
}

impl From<ProjectionError> for HostError {
    fn from(error: ProjectionError) -> HostError {
        let told = HostError::of(&error);
        match error {
            ProjectionError::Read(error) => error.into(),
            ProjectionError::NoProjection { .. } => {
                told.hint("Its file may have been renamed or removed.")
            }
            ProjectionError::NoDocument { .. } | ProjectionError::NoPath { .. } => {
                told.hint("It is not there at this instant; the Time bar leads to another.")
            }
            ProjectionError::Broken(_) => {
                told.hint("The file lies in the store's folder, under projections.")
            }
            ProjectionError::NoPosition { .. }
            | ProjectionError::NoCache(_)
            | ProjectionError::Cache(_) => told,
        }
    }
}

impl From<AppendError> for HostError {
    fn from(error: AppendError) -> HostError {
        let told = HostError::of(&error);
        match error {
            AppendError::VersionConflict { .. }
            | AppendError::IdTaken { .. }
            | AppendError::CategoryConflict { .. }
            | AppendError::LinkedTwice { .. }
            | AppendError::TooLarge { .. }
            | AppendError::CannotErase { .. }
            | AppendError::Cancelled
            | AppendError::Engine(_) => told,
            AppendError::DiskFull => told.hint("Make room on the disk and try again."),
            AppendError::Locked => told.hint("Close the other program, or wait until it is done."),
            AppendError::Closed => HostError::internal(told.message),
        }
    }
}

impl From<ReadError> for HostError {
    fn from(error: ReadError) -> HostError {
        let told = HostError::of(&error);
        match error {
            ReadError::NoStream(_) => told.hint("Names are exact, upper and lower case included."),
            ReadError::NoEvent(_) | ReadError::Cancelled | ReadError::Engine(_) => told,
            ReadError::Damaged { .. } => {
                told.hint("Copy the file before you do anything else with it; then open a backup.")
            }
            ReadError::Io(source) => io_error(&source, told.message),
        }
    }
}

impl From<ReportError> for HostError {
    fn from(error: ReportError) -> HostError {
        let told = HostError::of(&error);
        match error {
            ReportError::Read(error) => error.into(),
            ReportError::State(error) => error.into(),
            ReportError::Io(source) => io_error(&source, told.message),
            ReportError::Answer { .. } => told,
            ReportError::NoTemplate { .. } => told.hint("Choose a template at the left."),
            ReportError::Needs { .. } => told.hint("Say it in the scope of the report."),
            ReportError::NoSubject { .. } => told.hint("Take the subject away."),
            ReportError::BadSetting { .. } | ReportError::Zone(_) | ReportError::Cancelled => told,
        }
    }
}

impl From<annals_report::Error> for HostError {
    fn from(error: annals_report::Error) -> HostError {
        match error {
            annals_report::Error::Report(error) => error.into(),
            annals_report::Error::Layout(TemplateError { ref hint, .. }) => {
                HostError::new(ErrorCode::BadInput, error.to_string()).hint(hint.clone())
            }
            annals_report::Error::Typeset(_) => HostError::internal(error),
        }
    }
}

impl From<QueryError> for HostError {
    fn from(error: QueryError) -> HostError {
        HostError::of(&error).hint(error.hint)
    }
}

impl From<SearchError> for HostError {
    fn from(error: SearchError) -> HostError {
        match error {
            SearchError::Read(error) => error.into(),
            SearchError::Cancelled => HostError::of(&error),
        }
    }
}

impl From<TemporalError> for HostError {
    fn from(error: TemporalError) -> HostError {
        let told = HostError::of(&error);
        match error {
            TemporalError::Read(error) => error.into(),
            TemporalError::NoVersion { last, .. } => {
                told.hint(format!("Versions of this stream go from 0 to {last}."))
            }
            TemporalError::NoPosition { last, .. } => {
                told.hint(format!("Positions of this log go from 0 to {last}."))
            }
            TemporalError::NotThere { .. } | TemporalError::NoPath { .. } => told,
        }
    }
}

impl From<SavedError> for HostError {
    fn from(error: SavedError) -> HostError {
        match error {
            SavedError::Parse(error) => QuestionError::Parse(error).into(),
            SavedError::Exists { .. } => HostError::of(&error).hint("Choose another name."),
            SavedError::Name { .. } | SavedError::NotFound { .. } | SavedError::Io { .. } => {
                HostError::of(&error)
            }
        }
    }
}

impl From<QuestionError> for HostError {
    fn from(error: QuestionError) -> HostError {
        let told = HostError::of(&error);
        match error {
            QuestionError::Parse(error) => told.hint(format!("Did you mean: {}", error.nearest)),
            QuestionError::NoCategory { .. } => {
                told.hint("The overview lists the categories of this store.")
            }
            QuestionError::EmptyPeriod { .. } => told.hint("Turn its two ends round."),
            QuestionError::Temporal(error) => error.into(),
        }
    }
}

impl From<ImportError> for HostError {
    fn from(error: ImportError) -> HostError {
        match error {
            ImportError::Io { ref source, .. } => io_error(source, error.to_string()),
            ImportError::Malformed { .. } => HostError::of(&error)
                .hint("Nothing was stored. Mend the file, or name its format yourself."),
            ImportError::Append(error) => error.into(),
            ImportError::Open(error) => error.into(),
            ImportError::UnknownFormat(_) | ImportError::Preset(_) | ImportError::Cancelled => {
                HostError::of(&error)
            }
        }
    }
}

impl From<ExportError> for HostError {
    fn from(error: ExportError) -> HostError {
        match error {
            ExportError::Read(error) => error.into(),
            ExportError::Io(ref source) => io_error(source, error.to_string()),
            ExportError::Cancelled | ExportError::NoParquet => HostError::of(&error),
        }
    }
}

impl From<SampleError> for HostError {
    fn from(error: SampleError) -> HostError {
        match error {
            SampleError::Open(error) => error.into(),
            SampleError::Append(error) => error.into(),
            SampleError::TooLarge { .. } | SampleError::Cancelled => HostError::of(&error),
            SampleError::Io(ref source) => io_error(source, error.to_string()),
        }
    }
}

impl From<VerifyFileError> for HostError {
    fn from(error: VerifyFileError) -> HostError {
        HostError::of(&error)
    }
}

impl From<BackupError> for HostError {
    fn from(error: BackupError) -> HostError {
        let told = HostError::of(&error);
        match error {
            BackupError::Open(error) => error.into(),
            BackupError::Read(ReadError::Damaged { position, .. }) => told.hint(format!(
                "Nothing was kept. Restore up to position {} to save the events before it.",
                position.0.saturating_sub(1)
            )),
            BackupError::Read(error) => error.into(),
            BackupError::RootDiffers { .. } => {
                told.hint("Nothing was kept. Copy the file before you do anything else with it.")
            }
            BackupError::BeyondEnd { size, .. } => {
                told.hint(format!("Positions of this log go from 0 to {size}."))
            }
            BackupError::DiskFull => told.hint("Make room on the disk and try again."),
            BackupError::Beside { ref source, .. } => io_error(source, told.message),
            BackupError::Cancelled => told,
        }
    }
}

impl From<TimeError> for HostError {
    fn from(error: TimeError) -> HostError {
        HostError::of(&error)
    }
}

impl From<SaveError> for HostError {
    fn from(error: SaveError) -> HostError {
        match error {
            SaveError::Io { ref source, .. } => io_error(source, error.to_string()),
            SaveError::Exists { .. } | SaveError::Category { .. } => {
                HostError::new(ErrorCode::Exists, error.to_string())
            }
            SaveError::Model(_) | SaveError::Name { .. } => {
                HostError::new(ErrorCode::BadInput, error.to_string())
            }
        }
    }
}

impl From<SqlError> for HostError {
    fn from(error: SqlError) -> HostError {
        let told = HostError::of(&error);
        match error {
            SqlError::Read(error) => error.into(),
            SqlError::State(error) => error.into(),
            SqlError::Io(ref source) => io_error(source, error.to_string()),
            SqlError::Text { near, .. } if !near.is_empty() => {
                told.hint(format!("Did you mean {}?", near.join(", ")))
            }
            SqlError::Text { message, .. } if message.contains("no such column: \"") => {
                told.hint("Texts stand in single quotes: 'Shipped'.")
            }
            SqlError::Refused { .. } => told.hint("Begin with SELECT or WITH."),
            SqlError::TimeUp { .. } => {
                told.hint("A condition on stream, type, time or position reads less.")
            }
            SqlError::TooManyRows { .. } => told.hint("Write .csv or .jsonl."),
            SqlError::Exists { .. } => told.hint("Choose another name, or replace it."),
            SqlError::Text { .. } | SqlError::Failed { .. } | SqlError::Empty => {
                told.hint("The list on the left names tables, columns and functions.")
            }
            SqlError::NoQuery { .. }
            | SqlError::Several { .. }
            | SqlError::Cancelled
            | SqlError::Name { .. } => told,
        }
    }
}

impl From<SigningError> for HostError {
    fn from(error: SigningError) -> HostError {
        let told = HostError::of(&error);
        match error {
            SigningError::Open(error) => error.into(),
            SigningError::Read(error) => error.into(),
            SigningError::Write(error) => error.into(),
            SigningError::Key(KeyFileError::NotFound { .. }) => told.hint(
                "The log has signed before, and only its key can go on: copy the file from where it was signed.",
            ),
            SigningError::Unprotected { .. } => {
                told.hint("Give a passphrase, or say that the key needs none.")
            }
            SigningError::KeyStore(_) => {
                told.hint("Give a passphrase, and keep it yourself: signing does without the key store.")
            }
            SigningError::NotKept(_) => {
                told.hint("Give the passphrase once: it is put into the key store.")
            }
            SigningError::Inconsistent(_) => told.hint("Verify the store; nothing was written."),
            SigningError::Key(_)
            | SigningError::OtherKey { .. }
            | SigningError::NoCheckpoint(_)
            | SigningError::Checkpoint(_)
            | SigningError::TimeStamp(_) => told,
        }
    }
}

impl From<EvidenceError> for HostError {
    fn from(error: EvidenceError) -> HostError {
        let told = HostError::of(&error);
        match error {
            EvidenceError::Read(error) => error.into(),
            EvidenceError::Io(source) => io_error(&source, told.message),
            EvidenceError::TooManyOthers => told.hint(
                "Say how much of the other events is shown, or narrow the range by a position known.",
            ),
            EvidenceError::TablesDiffer { .. } | EvidenceError::NotTied(_) => {
                told.hint("Verify the store; no package was written.")
            }
            EvidenceError::Path(_) => {
                told.hint("Paths are separated by commas, each like data.customer.email.")
            }
            EvidenceError::Note(_)
            | EvidenceError::OtherKey { .. }
            | EvidenceError::Earlier { .. }
            | EvidenceError::NoRange { .. }
            | EvidenceError::Name(_)
            | EvidenceError::TooLarge(_)
            | EvidenceError::Cancelled => told,
        }
    }
}

impl From<VerifyError> for HostError {
    fn from(error: VerifyError) -> HostError {
        match error {
            VerifyError::Open(error) => error.into(),
            VerifyError::Read(error) => error.into(),
        }
    }
}

impl From<PathError> for HostError {
    fn from(error: PathError) -> HostError {
        HostError::of(&error)
    }
}

impl From<NameError> for HostError {
    fn from(error: NameError) -> HostError {
        HostError::of(&error)
    }
}

/// An error of the operating system; `message` says what was tried.
pub(crate) fn io_error(source: &std::io::Error, message: String) -> HostError {
    let told = HostError::new(source.into(), message);
    match told.code {
        ErrorCode::NotFound => told.hint("Look at the path again."),
        ErrorCode::Exists => told.hint("Choose another name."),
        ErrorCode::ReadOnly => told.hint(
            "The system does not let you at it: choose another place, or change its permissions.",
        ),
        ErrorCode::DiskFull => told.hint("Make room on the disk and try again."),
        _ => told,
    }
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
