//! Codes of errors: what kind each is, for programs. Both hosts print these; what to do about it each says in its
//! own words, since one speaks of commands and the other of windows.

use serde::Serialize;
use ts_rs::TS;

use crate::access_log::AccessLogError;
use crate::answers::AnswersError;
use crate::cache::CacheError;
use crate::command::CommandError;
use crate::compliance::ReportError;
use crate::dashboard::DashboardError;
use crate::evidence::make::EvidenceError;
use crate::evidence::verify::VerifyFileError;
use crate::export::ExportError;
use crate::export::fixture::FixtureError;
use crate::id::NameError;
use crate::import::ImportError;
use crate::model::PathError;
use crate::privacy::PrivacyError;
use crate::projection::{ProjectionError, TheirsError};
use crate::question::QuestionError;
use crate::question::saved::SavedError;
use crate::sample::{ConsoleError, SampleError};
use crate::search::{QueryError, SearchError};
use crate::signing::SigningError;
use crate::signing::keyfile::KeyFileError;
use crate::snapshot::SnapshotError;
use crate::snapshot::claimed::ClaimError;
use crate::sql::SqlError;
use crate::store::{AppendError, BackupError, OpenError, ReadError};
use crate::temporal::TemporalError;
use crate::time::TimeError;
use crate::verify::VerifyError;

/// What kind of error it is. A code exists only where a host acts on it.
///
/// ```
/// use annals_core::code::ErrorCode;
/// use annals_core::store::AppendError;
/// assert_eq!(ErrorCode::from(&AppendError::DiskFull), ErrorCode::DiskFull);
/// ```
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
    /// The file, the store or its medium cannot be written.
    ReadOnly,
    /// No store is open.
    NoStoreOpen,
    /// No such stream.
    NoStream,
    /// No such event, version or position.
    NoEvent,
    /// The input makes no sense: a time, a name, a question.
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
    /// A private key needs a passphrase, or another one.
    Passphrase,
    /// A fault of Annals itself.
    Internal,
}

impl From<&std::io::Error> for ErrorCode {
    fn from(error: &std::io::Error) -> ErrorCode {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound => ErrorCode::NotFound,
            ErrorKind::AlreadyExists => ErrorCode::Exists,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
            _ => ErrorCode::Io,
        }
    }
}

impl From<&AccessLogError> for ErrorCode {
    fn from(error: &AccessLogError) -> ErrorCode {
        match error {
            AccessLogError::Io { source, .. } => source.into(),
            AccessLogError::Locked { .. } => ErrorCode::Locked,
        }
    }
}

impl From<&OpenError> for ErrorCode {
    fn from(error: &OpenError) -> ErrorCode {
        match error {
            OpenError::NotFound { .. } => ErrorCode::NotFound,
            OpenError::Exists { .. } => ErrorCode::Exists,
            OpenError::NotAStore { .. } => ErrorCode::NotAStore,
            OpenError::NewerFormat { .. } => ErrorCode::NewerFormat,
            OpenError::Locked { .. } => ErrorCode::Locked,
            OpenError::Damaged { .. } => ErrorCode::Damaged,
            OpenError::ReadOnly { .. } => ErrorCode::ReadOnly,
            OpenError::Io { source, .. } => source.into(),
            OpenError::DiskFull { .. } => ErrorCode::DiskFull,
            OpenError::Engine { .. } => ErrorCode::Io,
        }
    }
}

impl From<&AppendError> for ErrorCode {
    fn from(error: &AppendError) -> ErrorCode {
        match error {
            AppendError::VersionConflict { .. }
            | AppendError::IdTaken { .. }
            | AppendError::CategoryConflict { .. } => ErrorCode::Conflict,
            AppendError::LinkedTwice { .. } | AppendError::TooLarge { .. } => ErrorCode::BadInput,
            AppendError::CannotErase { .. } => ErrorCode::NoEvent,
            AppendError::DiskFull => ErrorCode::DiskFull,
            AppendError::Locked => ErrorCode::Locked,
            AppendError::Closed => ErrorCode::Internal,
            AppendError::Cancelled => ErrorCode::Cancelled,
            AppendError::Engine(_) => ErrorCode::Io,
        }
    }
}

impl From<&SnapshotError> for ErrorCode {
    fn from(error: &SnapshotError) -> ErrorCode {
        match error {
            SnapshotError::Read(error) => error.into(),
            SnapshotError::Cache(_) => ErrorCode::Io,
            SnapshotError::Policy(_) | SnapshotError::OwnTime { .. } => ErrorCode::BadInput,
            SnapshotError::Claimed(ClaimError::Io { source, .. }) => source.into(),
            SnapshotError::Claimed(ClaimError::Malformed { .. }) => ErrorCode::MalformedFile,
            SnapshotError::Claimed(ClaimError::Name { .. } | ClaimError::Exists { .. }) => {
                ErrorCode::BadInput
            }
            SnapshotError::NoVersion { .. } => ErrorCode::NoEvent,
            SnapshotError::Io(error) => error.into(),
        }
    }
}

impl From<&ReadError> for ErrorCode {
    fn from(error: &ReadError) -> ErrorCode {
        match error {
            ReadError::NoStream(_) => ErrorCode::NoStream,
            ReadError::NoEvent(_) => ErrorCode::NoEvent,
            ReadError::Damaged { .. } => ErrorCode::Damaged,
            ReadError::Cancelled => ErrorCode::Cancelled,
            ReadError::Engine(error) if crate::store::is_full(error) => ErrorCode::DiskFull,
            ReadError::Engine(_) => ErrorCode::Io,
            ReadError::Io(source) => source.into(),
        }
    }
}

impl From<&BackupError> for ErrorCode {
    fn from(error: &BackupError) -> ErrorCode {
        match error {
            BackupError::Open(error) => error.into(),
            BackupError::Read(error) => error.into(),
            BackupError::RootDiffers { .. } => ErrorCode::Damaged,
            BackupError::BeyondEnd { .. } => ErrorCode::NoEvent,
            BackupError::DiskFull => ErrorCode::DiskFull,
            BackupError::Beside { source, .. } => source.into(),
            BackupError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&FixtureError> for ErrorCode {
    fn from(error: &FixtureError) -> ErrorCode {
        match error {
            FixtureError::Exists { .. } => ErrorCode::Exists,
            FixtureError::Empty { .. } => ErrorCode::NoEvent,
            FixtureError::Io { source, .. } => source.into(),
            FixtureError::Read(error) => error.into(),
            FixtureError::State(error) => error.into(),
            FixtureError::Load(_) => ErrorCode::BadInput,
        }
    }
}

impl From<&TemporalError> for ErrorCode {
    fn from(error: &TemporalError) -> ErrorCode {
        match error {
            TemporalError::Read(error) => error.into(),
            TemporalError::NoVersion { .. }
            | TemporalError::NoPosition { .. }
            | TemporalError::NotThere { .. } => ErrorCode::NoEvent,
            TemporalError::NoPath { .. } => ErrorCode::BadInput,
        }
    }
}

impl From<&CacheError> for ErrorCode {
    fn from(error: &CacheError) -> ErrorCode {
        match error {
            CacheError::Read(error) => error.into(),
            CacheError::Io(source) => source.into(),
            CacheError::Engine(_) if error.is_full() => ErrorCode::DiskFull,
            CacheError::Engine(_) if error.is_busy() => ErrorCode::Locked,
            CacheError::Engine(_) => ErrorCode::Io,
        }
    }
}

impl From<&DashboardError> for ErrorCode {
    fn from(error: &DashboardError) -> ErrorCode {
        match error {
            DashboardError::Projection(error) => error.into(),
            DashboardError::Answers(error) => error.into(),
            DashboardError::NoDashboard { .. } | DashboardError::NothingBehind(_) => {
                ErrorCode::NotFound
            }
            DashboardError::Broken(_) => ErrorCode::BadInput,
        }
    }
}

impl From<&TheirsError> for ErrorCode {
    fn from(error: &TheirsError) -> ErrorCode {
        match error {
            TheirsError::Io { source, .. } => source.into(),
            TheirsError::Malformed { .. } => ErrorCode::MalformedFile,
            TheirsError::NoKey { .. } => ErrorCode::BadInput,
        }
    }
}

impl From<&ProjectionError> for ErrorCode {
    fn from(error: &ProjectionError) -> ErrorCode {
        match error {
            ProjectionError::Read(error) => error.into(),
            ProjectionError::NoProjection { .. }
            | ProjectionError::NoDocument { .. }
            | ProjectionError::NoPath { .. } => ErrorCode::NotFound,
            ProjectionError::Broken(_) => ErrorCode::BadInput,
            ProjectionError::NoPosition { .. } => ErrorCode::NoEvent,
            ProjectionError::NoCache(_) => ErrorCode::Io,
            ProjectionError::Cache(error) => error.into(),
        }
    }
}

impl From<&AnswersError> for ErrorCode {
    fn from(error: &AnswersError) -> ErrorCode {
        match error {
            AnswersError::Saved(error) => error.into(),
            AnswersError::Zone(_) => ErrorCode::BadInput,
            AnswersError::Question(error) => error.into(),
            AnswersError::Sql(error) => error.into(),
        }
    }
}

impl From<&SqlError> for ErrorCode {
    fn from(error: &SqlError) -> ErrorCode {
        match error {
            SqlError::Read(error) => error.into(),
            SqlError::State(error) => error.into(),
            SqlError::Io(error) => error.into(),
            SqlError::Cancelled => ErrorCode::Cancelled,
            SqlError::NoQuery { .. } => ErrorCode::NotFound,
            SqlError::Exists { .. } => ErrorCode::Exists,
            SqlError::Text { .. }
            | SqlError::Failed { .. }
            | SqlError::Empty
            | SqlError::Several { .. }
            | SqlError::Refused { .. }
            | SqlError::TimeUp { .. }
            | SqlError::TooManyRows { .. }
            | SqlError::Name { .. } => ErrorCode::BadInput,
        }
    }
}

impl From<&SavedError> for ErrorCode {
    fn from(error: &SavedError) -> ErrorCode {
        match error {
            SavedError::Parse(_) | SavedError::Name { .. } => ErrorCode::BadInput,
            SavedError::Exists { .. } => ErrorCode::Exists,
            SavedError::NotFound { .. } => ErrorCode::NotFound,
            SavedError::Io { source, .. } => source.into(),
        }
    }
}

impl From<&QuestionError> for ErrorCode {
    fn from(error: &QuestionError) -> ErrorCode {
        match error {
            QuestionError::Parse(_)
            | QuestionError::NoCategory { .. }
            | QuestionError::EmptyPeriod { .. } => ErrorCode::BadInput,
            QuestionError::Temporal(error) => error.into(),
        }
    }
}

impl From<&ImportError> for ErrorCode {
    fn from(error: &ImportError) -> ErrorCode {
        match error {
            ImportError::Io { source, .. } => source.into(),
            ImportError::Malformed { .. } => ErrorCode::MalformedFile,
            ImportError::UnknownFormat(_) | ImportError::Preset(_) => ErrorCode::BadInput,
            ImportError::Append(error) => error.into(),
            ImportError::Open(error) => error.into(),
            ImportError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&ExportError> for ErrorCode {
    fn from(error: &ExportError) -> ErrorCode {
        match error {
            ExportError::Read(error) => error.into(),
            ExportError::Io(source) => source.into(),
            ExportError::Cancelled => ErrorCode::Cancelled,
            ExportError::NoParquet => ErrorCode::BadInput,
        }
    }
}

impl From<&VerifyFileError> for ErrorCode {
    fn from(error: &VerifyFileError) -> ErrorCode {
        match error {
            VerifyFileError::Io { source, .. } => source.into(),
            VerifyFileError::Cancelled(_) => ErrorCode::Cancelled,
        }
    }
}

impl From<&EvidenceError> for ErrorCode {
    fn from(error: &EvidenceError) -> ErrorCode {
        match error {
            EvidenceError::Read(error) => error.into(),
            EvidenceError::Io(source) => source.into(),
            EvidenceError::TablesDiffer { .. } | EvidenceError::NotTied(_) => ErrorCode::Damaged,
            EvidenceError::Earlier { .. } => ErrorCode::Conflict,
            EvidenceError::NoRange { .. } => ErrorCode::NoEvent,
            EvidenceError::OtherKey { .. }
            | EvidenceError::Note(_)
            | EvidenceError::TooManyOthers
            | EvidenceError::Path(_)
            | EvidenceError::Name(_)
            | EvidenceError::TooLarge(_) => ErrorCode::BadInput,
            EvidenceError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&ReportError> for ErrorCode {
    fn from(error: &ReportError) -> ErrorCode {
        match error {
            ReportError::Read(error) => error.into(),
            ReportError::Io(source) => source.into(),
            ReportError::State(error) => error.into(),
            ReportError::Zone(error) => error.into(),
            ReportError::Answer { error, .. } => (&**error).into(),
            ReportError::NoTemplate { .. }
            | ReportError::Needs { .. }
            | ReportError::NoSubject { .. }
            | ReportError::BadSetting { .. } => ErrorCode::BadInput,
            ReportError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&SampleError> for ErrorCode {
    fn from(error: &SampleError) -> ErrorCode {
        match error {
            SampleError::Open(error) => error.into(),
            SampleError::Append(error) => error.into(),
            SampleError::Io(source) => source.into(),
            SampleError::TooLarge { .. } => ErrorCode::BadInput,
            SampleError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&PrivacyError> for ErrorCode {
    fn from(error: &PrivacyError) -> ErrorCode {
        match error {
            PrivacyError::Read(error) => error.into(),
            PrivacyError::Append(error) => error.into(),
            PrivacyError::BadText { .. } => ErrorCode::BadInput,
            PrivacyError::NoHold { .. } => ErrorCode::NoEvent,
            PrivacyError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&CommandError> for ErrorCode {
    fn from(error: &CommandError) -> ErrorCode {
        match error {
            CommandError::Conflict { .. } => ErrorCode::Conflict,
            CommandError::Rejected(_)
            | CommandError::Unreadable { .. }
            | CommandError::Unwritable { .. }
            | CommandError::TwoKinds(_) => ErrorCode::BadInput,
            CommandError::Read(error) => error.into(),
            CommandError::Append(error) => error.into(),
        }
    }
}

impl From<&ConsoleError> for ErrorCode {
    fn from(error: &ConsoleError) -> ErrorCode {
        match error {
            ConsoleError::NotOwned | ConsoleError::Foreign { .. } => ErrorCode::ReadOnly,
            ConsoleError::Unknown { .. } | ConsoleError::BadPayload { .. } => ErrorCode::BadInput,
            ConsoleError::Command(error) => error.into(),
            ConsoleError::Temporal(error) => error.into(),
            ConsoleError::Read(error) => error.into(),
        }
    }
}

impl From<&SearchError> for ErrorCode {
    fn from(error: &SearchError) -> ErrorCode {
        match error {
            SearchError::Read(error) => error.into(),
            SearchError::Cancelled => ErrorCode::Cancelled,
        }
    }
}

impl From<&KeyFileError> for ErrorCode {
    fn from(error: &KeyFileError) -> ErrorCode {
        match error {
            KeyFileError::NotFound { .. } => ErrorCode::NotFound,
            KeyFileError::Exists { .. } => ErrorCode::Exists,
            KeyFileError::Malformed { .. } => ErrorCode::BadInput,
            KeyFileError::NeedsPassphrase { .. } | KeyFileError::WrongPassphrase { .. } => {
                ErrorCode::Passphrase
            }
            KeyFileError::Io { source, .. } => source.into(),
        }
    }
}

impl From<&SigningError> for ErrorCode {
    fn from(error: &SigningError) -> ErrorCode {
        match error {
            SigningError::Open(error) => error.into(),
            SigningError::Read(error) => error.into(),
            SigningError::Write(error) => error.into(),
            SigningError::Key(error) => error.into(),
            SigningError::Unprotected { .. }
            | SigningError::KeyStore(_)
            | SigningError::NotKept(_) => ErrorCode::Passphrase,
            SigningError::OtherKey { .. } => ErrorCode::Conflict,
            SigningError::Inconsistent(_) => ErrorCode::Damaged,
            SigningError::NoCheckpoint(_) => ErrorCode::NotFound,
            SigningError::Checkpoint(_) | SigningError::TimeStamp(_) => ErrorCode::BadInput,
        }
    }
}

impl From<&VerifyError> for ErrorCode {
    fn from(error: &VerifyError) -> ErrorCode {
        match error {
            VerifyError::Open(error) => error.into(),
            VerifyError::Read(error) => error.into(),
        }
    }
}

impl From<&QueryError> for ErrorCode {
    fn from(_: &QueryError) -> ErrorCode {
        ErrorCode::BadInput
    }
}

impl From<&PathError> for ErrorCode {
    fn from(_: &PathError) -> ErrorCode {
        ErrorCode::BadInput
    }
}

impl From<&TimeError> for ErrorCode {
    fn from(_: &TimeError) -> ErrorCode {
        ErrorCode::BadInput
    }
}

impl From<&NameError> for ErrorCode {
    fn from(_: &NameError) -> ErrorCode {
        ErrorCode::BadInput
    }
}
