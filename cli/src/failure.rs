//! Why a command did not do what was asked, in words for a person and a code for a program.

use std::path::Path;

use annals_core::access_log::AccessLogError;
use annals_core::answers::AnswersError;
pub use annals_core::code::ErrorCode as Code;
use annals_core::compliance::{ReportError, TemplateError};
use annals_core::dashboard::DashboardError;
use annals_core::evidence::make::EvidenceError;
use annals_core::evidence::verify::VerifyFileError;
use annals_core::export::ExportError;
use annals_core::export::fixture::FixtureError;
use annals_core::import::ImportError;
use annals_core::model::SaveError;
use annals_core::privacy::PrivacyError;
use annals_core::projection::{self, ProjectionError};
use annals_core::question::QuestionError;
use annals_core::question::saved::SavedError;
use annals_core::sample::SampleError;
use annals_core::signing::SigningError;
use annals_core::signing::keyfile::KeyFileError;
use annals_core::snapshot::SnapshotError;
use annals_core::sql::SqlError;
use annals_core::store::{AppendError, BackupError, OpenError, ReadError};
use annals_core::temporal::TemporalError;
use annals_core::verify::VerifyError;

use crate::text::visible;

/// How a command ended: the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; findings in a state included.
    Done = 0,
    /// The request could not be done.
    NotDone = 1,
    /// The command line was wrong.
    Usage = 2,
    /// Done, and problems were found: an import with rejects or of a changed source, an `import --explain` of files
    /// that cannot be imported as they are, a `model check` or a `verify` that found some.
    Problems = 3,
    /// What was to be verified cannot be read as such.
    Unreadable = 4,
    /// A fault in Annals itself.
    Internal = 70,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// For programs.
    pub code: Code,
    /// What went wrong: one sentence, ids and values in it.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Exit code of the process.
    pub exit: Exit,
    broken_pipe: bool,
}

impl Failure {
    /// The request could not be done.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            hint: None,
            exit: Exit::NotDone,
            broken_pipe: false,
        }
    }

    /// The command line was wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            exit: Exit::Usage,
            ..Failure::new(Code::BadInput, message)
        }
    }

    /// Says what to do about it.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Whether standard output was closed by its reader.
    pub fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }

    /// Writes the failure to standard error: `error:` and `hint:` lines, or with `--json` the document
    /// `{"error":{"code","message","hint"}}`.
    pub fn report(&self, json: bool) {
        if json {
            let document = serde_json::json!({
                "error": {"code": self.code, "message": self.message, "hint": self.hint}
            });
            crate::output::complain(&document.to_string());
            return;
        }
        crate::output::complain(&format!("error: {}", visible(&self.message)));
        if let Some(hint) = &self.hint {
            crate::output::complain(&format!("hint: {}", visible(hint)));
        }
    }

    /// A file could not be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Failure {
        let failure = Failure::from_io(error);
        Failure {
            message: format!("{}: {error}", path.display()),
            ..failure
        }
    }

    fn from_io(error: &std::io::Error) -> Failure {
        Failure {
            broken_pipe: error.kind() == std::io::ErrorKind::BrokenPipe,
            ..Failure::of(error)
        }
    }

    /// An error of core's, without a hint.
    pub fn of<'e, E: std::fmt::Display>(error: &'e E) -> Failure
    where
        Code: From<&'e E>,
    {
        Failure::new(error.into(), error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::from_io(&error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let hint = match &error {
            OpenError::NotFound { path } if !in_a_folder(path) => {
                "its folder does not exist either; make that first".to_owned()
            }
            OpenError::NotFound { path } => {
                format!("annals init {} makes a new store", path.display())
            }
            OpenError::Exists { .. } => {
                "choose another name; an existing file is never overwritten".to_owned()
            }
            OpenError::NotAStore { .. } => "annals init makes a store, annals import brings events from JSON Lines, JSON, XES and CSV files into one".to_owned(),
            OpenError::NewerFormat { .. } => {
                "open it with the version of Annals that wrote it, or a newer one".to_owned()
            }
            OpenError::Locked { .. } => {
                "close the program that writes to it, then try again".to_owned()
            }
            OpenError::Damaged { .. } => {
                "restore the file from a backup; Annals has not changed it".to_owned()
            }
            OpenError::ReadOnly { .. } => {
                "exploring works; to write, copy the store to where you may write".to_owned()
            }
            OpenError::DiskFull { .. } => "make room on the disk, then try again".to_owned(),
            OpenError::Engine { .. } | OpenError::Io { .. } => return Failure::of(&error),
        };
        Failure::of(&error).hint(hint)
    }
}

/// Whether the folder that the file is to lie in exists.
fn in_a_folder(file: &Path) -> bool {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.is_dir(),
        _ => true,
    }
}

impl From<AccessLogError> for Failure {
    fn from(error: AccessLogError) -> Failure {
        Failure::of(&error).hint(
            "nothing was answered, because it could not be written down first; ANNALS_DATA_DIR names another folder for it, and --no-access-log answers without, which reports then say",
        )
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Failure {
        let hint = match &error {
            AppendError::VersionConflict { actual, .. } => {
                let expected = match actual.0 {
                    0 => "none".to_owned(),
                    actual => actual.to_string(),
                };
                format!(
                    "somebody appended in between, or the expectation is wrong; read the stream again, and if the event still holds append it with --expect {expected}"
                )
            }
            AppendError::IdTaken { position, .. } => format!(
                "see the event that holds it with: annals show STORE {position}; leave --id out to have a new one made"
            ),
            AppendError::CategoryConflict { .. } => {
                "a stream's category is fixed by its first event".to_owned()
            }
            AppendError::DiskFull => "make room on the disk, then try again".to_owned(),
            AppendError::Locked => "close the program that writes to it, then try again".to_owned(),
            AppendError::LinkedTwice { .. }
            | AppendError::TooLarge { .. }
            | AppendError::CannotErase { .. }
            | AppendError::Cancelled
            | AppendError::Closed
            | AppendError::Engine(_) => return Failure::of(&error),
        };
        Failure::of(&error).hint(hint)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        Failure::of(&error)
    }
}

impl From<TemporalError> for Failure {
    fn from(error: TemporalError) -> Failure {
        match error {
            TemporalError::Read(error) => error.into(),
            TemporalError::NoVersion { .. } | TemporalError::NoPosition { .. } => {
                Failure::of(&error)
            }
            TemporalError::NotThere { .. } => Failure::of(&error)
                .hint("annals events STORE --stream STREAM lists the stream's events with their positions"),
            TemporalError::NoPath { .. } => Failure::of(&error)
                .hint("annals state STORE STREAM prints the state; a path in it is written items[0].price"),
        }
    }
}

impl From<QuestionError> for Failure {
    fn from(error: QuestionError) -> Failure {
        let told = Failure::of(&error);
        match error {
            QuestionError::Temporal(error) => error.into(),
            QuestionError::Parse(error) => told.hint(format!("did you mean: {}", error.nearest)),
            QuestionError::NoCategory { .. } => {
                told.hint("annals info STORE lists the categories of a store")
            }
            QuestionError::EmptyPeriod { .. } => told.hint("turn its two ends round"),
        }
    }
}

impl From<SavedError> for Failure {
    fn from(error: SavedError) -> Failure {
        match error {
            SavedError::Parse(error) => QuestionError::Parse(error).into(),
            SavedError::Io { path, source } => Failure::file(Path::new(&path), &source),
            SavedError::Exists { .. } => {
                Failure::of(&error).hint("--replace takes its place, --save takes another name")
            }
            SavedError::NotFound { .. } => {
                Failure::of(&error).hint("annals ask STORE --list lists the questions")
            }
            SavedError::Name { .. } => Failure::of(&error),
        }
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Failure {
        match error {
            SnapshotError::Read(error) => error.into(),
            SnapshotError::Io(error) => error.into(),
            SnapshotError::Policy(_) => {
                Failure::of(&error).hint("docs/snapshots.md shows what a policy may say")
            }
            SnapshotError::Cache(_)
            | SnapshotError::Claimed(_)
            | SnapshotError::NoVersion { .. }
            | SnapshotError::OwnTime { .. } => Failure::of(&error),
        }
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Failure {
        match error {
            SaveError::Io { path, source } => Failure::file(Path::new(&path), &source),
            SaveError::Exists { .. } => Failure::new(Code::Exists, error.to_string())
                .hint("--replace takes its place, --name gives another name"),
            SaveError::Category { .. } => Failure::new(Code::Conflict, error.to_string())
                .hint("replace that file with --name and --replace"),
            SaveError::Model(_) => Failure::new(Code::BadInput, error.to_string())
                .hint("annals model check STORE FILE tries a model without adding it"),
            SaveError::Name { .. } => Failure::new(Code::BadInput, error.to_string()),
        }
    }
}

impl From<DashboardError> for Failure {
    fn from(error: DashboardError) -> Failure {
        let told = Failure::of(&error);
        match error {
            DashboardError::Projection(error) => error.into(),
            DashboardError::NoDashboard { .. } => told.hint(
                "annals dashboard STORE lists them; they are X.annals.d/dashboards/NAME.toml",
            ),
            DashboardError::Answers(error) => error.into(),
            DashboardError::NothingBehind(_) => told,
            DashboardError::Broken(fault) => told.hint(fault.hint),
        }
    }
}

impl From<AnswersError> for Failure {
    fn from(error: AnswersError) -> Failure {
        match error {
            AnswersError::Saved(error) => error.into(),
            AnswersError::Question(error) => error.into(),
            AnswersError::Sql(error) => error.into(),
            AnswersError::Zone(_) => Failure::of(&error),
        }
    }
}

impl From<projection::SaveError> for Failure {
    fn from(error: projection::SaveError) -> Failure {
        use projection::SaveError as Error;
        match error {
            Error::Io { path, source } => Failure::file(Path::new(&path), &source),
            Error::Exists { .. } => Failure::new(Code::Exists, error.to_string())
                .hint("--replace takes its place, --name gives another name"),
            Error::Taken { .. } => Failure::new(Code::Conflict, error.to_string())
                .hint("replace that file with --name and --replace"),
            Error::Definition(_) | Error::Name { .. } => {
                Failure::new(Code::BadInput, error.to_string())
            }
        }
    }
}

impl From<projection::TheirsError> for Failure {
    fn from(error: projection::TheirsError) -> Failure {
        use projection::TheirsError as Error;
        let told = Failure::of(&error);
        match error {
            Error::Io { path, source } => Failure::file(Path::new(&path), &source),
            Error::Malformed { .. } => {
                told.hint("it takes FILE.csv, FILE.json or FILE.sqlite:TABLE")
            }
            Error::NoKey { .. } => told.hint("--key COLUMN names the column that holds the key"),
        }
    }
}

impl From<ProjectionError> for Failure {
    fn from(error: ProjectionError) -> Failure {
        let told = Failure::of(&error);
        match error {
            ProjectionError::Read(error) => error.into(),
            ProjectionError::NoProjection { .. } => told.hint(
                "annals projection list STORE lists them; they are X.annals.d/projections/NAME.toml",
            ),
            ProjectionError::NoDocument { .. } => told.hint(
                "annals projection show STORE NAME lists the documents; --prefix TEXT those whose key begins so",
            ),
            ProjectionError::NoPath { .. } => told.hint(
                "annals projection show STORE NAME --key KEY shows the document; '' is the whole of it",
            ),
            ProjectionError::Broken(_)
            | ProjectionError::NoPosition { .. }
            | ProjectionError::NoCache(_)
            | ProjectionError::Cache(_) => told,
        }
    }
}

impl From<PrivacyError> for Failure {
    fn from(error: PrivacyError) -> Failure {
        match error {
            PrivacyError::Read(error) => error.into(),
            PrivacyError::Append(error) => error.into(),
            PrivacyError::NoHold { .. } => {
                Failure::of(&error).hint("annals privacy hold list STORE lists the holds")
            }
            PrivacyError::BadText { .. } | PrivacyError::Cancelled => Failure::of(&error),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        match error {
            ImportError::Append(error) => error.into(),
            ImportError::Open(error) => error.into(),
            ImportError::Io { source, file } => Failure::file(Path::new(&file), &source),
            ImportError::Cancelled | ImportError::Preset(_) => Failure::of(&error),
            ImportError::UnknownFormat(_) => Failure::of(&error).hint("annals formats lists them."),
            ImportError::Malformed { .. } => Failure::of(&error)
                .hint("nothing was stored; correct the file, or say its format with --format"),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        match error {
            ExportError::Read(error) => error.into(),
            ExportError::Io(error) => error.into(),
            ExportError::Cancelled => Failure::of(&error),
            ExportError::NoParquet => Failure::of(&error)
                .hint("build it with `cargo build -p annals-cli --features parquet`"),
        }
    }
}

impl From<VerifyFileError> for Failure {
    fn from(error: VerifyFileError) -> Failure {
        Failure::of(&error)
    }
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Failure {
        let hint = match &error {
            EvidenceError::Read(ReadError::Damaged { .. })
            | EvidenceError::TablesDiffer { .. }
            | EvidenceError::NotTied(_) => {
                "nothing was written; annals verify STORE says what is wrong with the log"
            }
            EvidenceError::TooManyOthers => {
                "--others identity names them all, --others none leaves them closed (the package then says that it cannot show that none of them matches), --first and --known narrow the range"
            }
            EvidenceError::OtherKey { .. } => "sign with the key of this log",
            EvidenceError::TooLarge(_) => "narrow the filter or the range, or say --others none",
            EvidenceError::Earlier { .. } => {
                "the checkpoint is of another log or was forked from this one"
            }
            EvidenceError::Read(_)
            | EvidenceError::Io(_)
            | EvidenceError::Note(_)
            | EvidenceError::NoRange { .. }
            | EvidenceError::Path(_)
            | EvidenceError::Name(_)
            | EvidenceError::Cancelled => return Failure::of(&error),
        };
        Failure::of(&error).hint(hint)
    }
}

impl From<annals_report::Error> for Failure {
    fn from(error: annals_report::Error) -> Failure {
        match error {
            annals_report::Error::Report(error) => error.into(),
            annals_report::Error::Layout(TemplateError { ref hint, .. }) => {
                Failure::new(Code::BadInput, error.to_string()).hint(hint.clone())
            }
            annals_report::Error::Typeset(_) => Failure::new(Code::Internal, error.to_string()),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Failure {
        let told = Failure::of(&error);
        match error {
            ReportError::Read(error) => error.into(),
            ReportError::Io(error) => {
                let failure = Failure::from_io(&error);
                Failure {
                    message: told.message,
                    ..failure
                }
            }
            ReportError::State(error) => error.into(),
            ReportError::Answer { error, .. } => Failure {
                message: told.message,
                ..(*error).into()
            },
            ReportError::NoTemplate { .. } => told.hint(
                "annals report list STORE lists the templates; one's own are X.annals.d/reports/NAME.toml",
            ),
            ReportError::Needs { what, .. } => told.hint(match what {
                "subject" => "name it with --subject",
                "actor" => "name one with --actor",
                "stream" => "name one with --stream",
                "period" => "name it with --from and --to",
                _ => "name it with --at",
            }),
            ReportError::NoSubject { .. } => told.hint("leave --subject out, or filter with --stream or --actor"),
            ReportError::BadSetting { .. } => told.hint("settings are given as --set NAME=VALUE"),
            ReportError::Zone(_) | ReportError::Cancelled => told,
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        let told = Failure::of(&error);
        match error {
            SqlError::Read(error) => error.into(),
            SqlError::State(error) => error.into(),
            SqlError::Io(error) => Failure::from_io(&error),
            SqlError::Text { near, .. } if !near.is_empty() => {
                told.hint(format!("did you mean {}?", near.join(", ")))
            }
            SqlError::Text { message, .. } if message.contains("no such column: \"") => {
                told.hint("texts stand in single quotes: 'Shipped'")
            }
            SqlError::Text { .. } | SqlError::Failed { .. } | SqlError::Empty => {
                told.hint("annals sql STORE --schema lists tables, columns and functions")
            }
            SqlError::Refused { .. } => told.hint("begin with SELECT or WITH"),
            SqlError::TimeUp { .. } => {
                told.hint("--timeout gives it more time; a condition on stream, type, time or position reads less")
            }
            SqlError::TooManyRows { .. } => told.hint("write .csv or .jsonl"),
            SqlError::NoQuery { .. } => told.hint("annals sql STORE --list lists them"),
            SqlError::Exists { .. } => told.hint("--replace puts this one in its place"),
            SqlError::Several { .. } | SqlError::Cancelled | SqlError::Name { .. } => told,
        }
    }
}

impl From<SampleError> for Failure {
    fn from(error: SampleError) -> Failure {
        match error {
            SampleError::Open(error) => error.into(),
            SampleError::Append(error) => error.into(),
            SampleError::Io(error) => error.into(),
            SampleError::TooLarge { .. } | SampleError::Cancelled => Failure::of(&error),
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Failure {
        let told = Failure::of(&error);
        match error {
            BackupError::Open(error) => error.into(),
            BackupError::Read(ReadError::Damaged { position, .. }) => {
                match position.0.saturating_sub(1) {
                    0 => told.hint("no event before it can be saved; look for another backup"),
                    before => told.hint(format!(
                        "nothing was kept; annals restore … --to {before} saves the events before it, a backup the rest"
                    )),
                }
            }
            BackupError::Read(error) => error.into(),
            BackupError::RootDiffers { .. } => told.hint(
                "nothing was kept; copy the file before you do anything else with it, and look for another backup",
            ),
            BackupError::BeyondEnd { size, .. } => {
                told.hint(format!("--to takes 0 to {size}, or a time of recording"))
            }
            BackupError::DiskFull => told.hint("make room on the disk and try again"),
            BackupError::Beside { .. } => told.hint("nothing was kept"),
            BackupError::Cancelled => told,
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        match error {
            VerifyError::Open(error) => error.into(),
            VerifyError::Read(error) => error.into(),
        }
    }
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Failure {
        let told = Failure::of(&error);
        match error {
            SigningError::Open(error) => error.into(),
            SigningError::Read(error) => error.into(),
            SigningError::Write(error) => error.into(),
            SigningError::Key(KeyFileError::NotFound { .. }) => told.hint(
                "the log has signed before, and only its key can go on: copy the file from where the log was signed; ANNALS_DATA_DIR names the folder above keys",
            ),
            SigningError::Key(KeyFileError::NeedsPassphrase { .. } | KeyFileError::WrongPassphrase { .. }) => {
                told.hint("--passphrase-file FILE or ANNALS_PASSPHRASE says it; --key-store has the key store of this system remember it")
            }
            SigningError::Key(_) => told,
            SigningError::Unprotected { .. } => told.hint(
                "--key-store keeps its passphrase in the key store of this system; --passphrase-file FILE or ANNALS_PASSPHRASE protects it; --unprotected makes it without",
            ),
            SigningError::KeyStore(_) => told.hint(
                "--passphrase-file FILE or ANNALS_PASSPHRASE does without it: keep the passphrase yourself",
            ),
            SigningError::NotKept(_) => told.hint(
                "give the passphrase once with --passphrase-file FILE beside --key-store: it is put there",
            ),
            SigningError::OtherKey { .. } => told.hint(
                "annals key rotate brings a new key into force by the signature of the old one",
            ),
            SigningError::Inconsistent(_) => {
                told.hint("annals verify STORE says more; nothing was written")
            }
            SigningError::NoCheckpoint(_) => told.hint("annals checkpoint STORE signs what the log is now"),
            SigningError::Checkpoint(_) => told,
            SigningError::TimeStamp(_) => told.hint(
                "annals timestamp request STORE writes what to send; nothing was kept",
            ),
        }
    }
}

impl From<FixtureError> for Failure {
    fn from(error: FixtureError) -> Failure {
        let told = Failure::of(&error);
        match error {
            FixtureError::Exists { .. } => {
                told.hint("choose another name; an existing folder is never written into")
            }
            FixtureError::Empty { .. } | FixtureError::Load(_) => told,
            FixtureError::Io { path, source } => Failure::file(&path, &source),
            FixtureError::Read(error) => error.into(),
            FixtureError::State(error) => error.into(),
        }
    }
}
