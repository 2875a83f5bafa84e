//! Why a command did not do what was asked, in words for a person and a code for a program.

use std::path::Path;

use annals_core::export::ExportError;
use annals_core::import::ImportError;
use annals_core::sample::SampleError;
use annals_core::store::{AppendError, OpenError, ReadError};
use annals_core::temporal::TemporalError;
use serde::Serialize;

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
    /// Done, and problems were found: an import with rejects.
    Problems = 3,
    /// A fault in Annals itself.
    Internal = 70,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit as u8)
    }
}

/// What kind of failure, for programs. The desktop host uses the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No file is there.
    NotFound,
    /// A file is there already.
    Exists,
    /// The file is no store.
    NotAStore,
    /// The store is of a newer format.
    NewerFormat,
    /// Another program holds the store.
    Locked,
    /// The store is damaged.
    Damaged,
    /// The store cannot be written.
    ReadOnly,
    /// No such stream.
    NoStream,
    /// No such event, version or position.
    NoEvent,
    /// What the user wrote cannot be taken.
    BadInput,
    /// A file is not of its format.
    MalformedFile,
    /// The user cancelled.
    Cancelled,
    /// The disk is full.
    DiskFull,
    /// The stream is at another version, or the id is taken.
    Conflict,
    /// The operating system refused.
    Io,
    /// A fault in Annals itself.
    Internal,
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
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => Code::NotFound,
            std::io::ErrorKind::StorageFull => Code::DiskFull,
            _ => Code::Io,
        };
        Failure {
            broken_pipe: error.kind() == std::io::ErrorKind::BrokenPipe,
            ..Failure::new(code, error.to_string())
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::from_io(&error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let (code, hint) = match &error {
            OpenError::NotFound { path } if !in_a_folder(path) => (
                Code::NotFound,
                Some("its folder does not exist either; make that first".to_owned()),
            ),
            OpenError::NotFound { path } => (
                Code::NotFound,
                Some(format!("annals init {} makes a new store", path.display())),
            ),
            OpenError::Exists { .. } => (
                Code::Exists,
                Some("choose another name; an existing file is never overwritten".to_owned()),
            ),
            OpenError::NotAStore { .. } => (
                Code::NotAStore,
                Some("annals init makes a store, annals import brings events from JSON Lines, JSON and XES files into one".to_owned()),
            ),
            OpenError::NewerFormat { .. } => (
                Code::NewerFormat,
                Some("open it with the version of Annals that wrote it, or a newer one".to_owned()),
            ),
            OpenError::Locked { .. } => (
                Code::Locked,
                Some("close the program that writes to it, then try again".to_owned()),
            ),
            OpenError::Damaged { .. } => (
                Code::Damaged,
                Some("restore the file from a backup; Annals has not changed it".to_owned()),
            ),
            OpenError::ReadOnly { .. } => (
                Code::ReadOnly,
                Some("exploring works; to write, copy the store to where you may write".to_owned()),
            ),
            OpenError::Engine { .. } | OpenError::Io { .. } => (Code::Io, None),
        };
        Failure {
            hint,
            ..Failure::new(code, error.to_string())
        }
    }
}

/// Whether the folder that the file is to lie in exists.
fn in_a_folder(file: &Path) -> bool {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.is_dir(),
        _ => true,
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Failure {
        let (code, hint) = match &error {
            AppendError::VersionConflict { actual, .. } => (
                Code::Conflict,
                Some(format!(
                    "somebody appended in between, or the expectation is wrong; read the stream again, and if the event still holds append it with --expect {}",
                    if actual.0 == 0 {
                        "none".to_owned()
                    } else {
                        actual.to_string()
                    }
                )),
            ),
            AppendError::IdTaken { position, .. } => (
                Code::Conflict,
                Some(format!(
                    "see the event that holds it with: annals show STORE {position}; leave --id out to have a new one made"
                )),
            ),
            AppendError::CategoryConflict { .. } => (
                Code::Conflict,
                Some("a stream's category is fixed by its first event".to_owned()),
            ),
            AppendError::LinkedTwice { .. } | AppendError::TooLarge { .. } => {
                (Code::BadInput, None)
            }
            AppendError::DiskFull => (
                Code::DiskFull,
                Some("make room on the disk, then try again".to_owned()),
            ),
            AppendError::Locked => (
                Code::Locked,
                Some("close the program that writes to it, then try again".to_owned()),
            ),
            AppendError::Cancelled => (Code::Cancelled, None),
            AppendError::Closed => (Code::Internal, None),
            AppendError::Engine(_) => (Code::Io, None),
        };
        Failure {
            hint,
            ..Failure::new(code, error.to_string())
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        let code = match &error {
            ReadError::NoStream(_) => Code::NoStream,
            ReadError::NoEvent(_) => Code::NoEvent,
            ReadError::Damaged { .. } => Code::Damaged,
            ReadError::Cancelled => Code::Cancelled,
            ReadError::Engine(_) | ReadError::Io(_) => Code::Io,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<TemporalError> for Failure {
    fn from(error: TemporalError) -> Failure {
        match error {
            TemporalError::Read(error) => error.into(),
            TemporalError::NoVersion { .. } | TemporalError::NoPosition { .. } => {
                Failure::new(Code::NoEvent, error.to_string())
            }
            TemporalError::NotThere { .. } => Failure::new(Code::NoEvent, error.to_string())
                .hint("annals events STORE --stream STREAM lists the stream's events with their positions"),
            TemporalError::NoPath { .. } => Failure::new(Code::BadInput, error.to_string())
                .hint("annals state STORE STREAM prints the state; a path in it is written items[0].price"),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        match error {
            ImportError::Append(error) => error.into(),
            ImportError::Io { source, file } => Failure::file(Path::new(&file), &source),
            ImportError::Cancelled => Failure::new(Code::Cancelled, error.to_string()),
            ImportError::Malformed { .. } => Failure::new(Code::MalformedFile, error.to_string())
                .hint("nothing was stored; correct the file, or say its format with --format"),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        match error {
            ExportError::Read(error) => error.into(),
            ExportError::Io(error) => error.into(),
            ExportError::Cancelled => Failure::new(Code::Cancelled, error.to_string()),
        }
    }
}

impl From<SampleError> for Failure {
    fn from(error: SampleError) -> Failure {
        match error {
            SampleError::Open(error) => error.into(),
            SampleError::Append(error) => error.into(),
            SampleError::Io(error) => error.into(),
            SampleError::TooLarge { .. } => Failure::new(Code::BadInput, error.to_string()),
            SampleError::Cancelled => Failure::new(Code::Cancelled, error.to_string()),
        }
    }
}
