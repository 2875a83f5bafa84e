//! A slice of a stream as a test fixture: its events, the model, the state they fold to, and a test that loads
//! them. For reproducing a bug of the system that wrote the log, or of a model.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use ts_rs::TS;

use crate::id::{Category, StreamId};
use crate::import::{Format, ImportError, ImportRequest, Progress, import};
use crate::model::{Model, ModelSet, folder as folder_beside};
use crate::position::Version;
use crate::store::{AppendError, Log, LogWriter, OpenError, ReadError};
use crate::surroundings::Surroundings;
use crate::temporal::{self, AsOf, Moment, TemporalError};
use crate::time::Time;

/// When the fixture's test says that its log took the events.
const RECORDED_AT: &str = "2000-01-01T00:00:00Z";

/// Which events.
#[derive(Debug, Clone)]
pub struct FixtureRequest {
    /// The stream.
    pub stream: StreamId,
    /// First version.
    pub from: Version,
    /// Last version; the stream's last where `None`.
    pub to: Option<Version>,
}

/// What a fixture holds: `annals export --fixture --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct FixtureReport {
    /// The folder that was made.
    pub folder: String,
    /// The stream.
    pub stream: String,
    /// First version in it.
    pub first: Version,
    /// Last version in it.
    pub last: Version,
    /// Number of events written.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of events that were not written, because their data was erased.
    #[ts(type = "number")]
    pub erased: u64,
    /// Name of the model used; `null` for the inferred fold.
    pub model: Option<String>,
    /// The slice folds to the state that the log has after its last event; never so where it begins later than
    /// the stream, or the model looks at places that a slice does not keep.
    pub as_in_log: bool,
    /// Files written.
    pub files: Vec<String>,
}

/// Why a fixture was not made.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// Something is there already.
    #[error("{path} exists already")]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// No event of the stream is in the slice.
    #[error("{stream} has no event from version {from} on (its last is {last})")]
    Empty {
        /// The stream.
        stream: StreamId,
        /// First version asked for.
        from: Version,
        /// The stream's last version.
        last: Version,
    },
    /// A file could not be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The state could not be computed.
    #[error(transparent)]
    State(#[from] TemporalError),
    /// The slice does not load again.
    #[error("the slice does not load again: {0}")]
    Load(String),
}

impl From<ImportError> for FixtureError {
    fn from(error: ImportError) -> FixtureError {
        FixtureError::Load(error.to_string())
    }
}

impl From<OpenError> for FixtureError {
    fn from(error: OpenError) -> FixtureError {
        FixtureError::Load(error.to_string())
    }
}

impl From<AppendError> for FixtureError {
    fn from(error: AppendError) -> FixtureError {
        FixtureError::Load(error.to_string())
    }
}

/// Writes a slice of a stream into a new folder: `events.jsonl`, `expected.json`, the model where one is
/// declared, `fixture.rs` (a test) and a `README.md`. The slice is loaded once to see that it does.
///
/// An event that is linked into the stream stands in the slice as one of its own.
///
/// # Errors
/// [`FixtureError`]; no folder is left behind.
///
/// ```
/// use annals_core::export::fixture::{FixtureRequest, fixture};
/// use annals_core::{id::StreamId, position::Version, store::Log};
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store).unwrap();
/// let request = FixtureRequest { stream: StreamId::new("account-12345").unwrap(), from: Version(1), to: None };
/// let out = folder.path().join("account");
/// let report = fixture(&Log::explore(&store).unwrap(), &request, &out).unwrap();
/// assert!(report.as_in_log);
/// assert_eq!(std::fs::read_to_string(out.join("expected.json")).unwrap(), "{\"balance\":1247.83}\n");
/// ```
pub fn fixture(
    log: &Log,
    request: &FixtureRequest,
    folder: &Path,
) -> Result<FixtureReport, FixtureError> {
    let slice = Slice::read(log, request)?;
    let (models, model) = model_of(log, &slice.category)?;
    let state = slice.load(models)?;
    let in_log = temporal::state(
        log,
        &ModelSet::load(log.path()).map_err(|e| io(log.path(), e))?.0,
        &request.stream,
        &Moment::Version(slice.last),
    )?;
    let mut files = vec![
        ("README.md", slice.readme(log, model.as_ref())),
        ("events.jsonl", slice.lines.clone()),
        ("expected.json", format!("{state}\n")),
        ("fixture.rs", slice.test(model.is_some())),
    ];
    if let Some((_, text)) = &model {
        files.push(("model.toml", text.clone()));
    }
    write_all(folder, &files)?;
    Ok(FixtureReport {
        folder: folder.display().to_string(),
        stream: request.stream.to_string(),
        first: slice.first,
        last: slice.last,
        events: slice.events,
        erased: slice.erased,
        model: model.map(|(name, _)| name),
        as_in_log: slice.first == Version(1) && in_log.state.get() == state,
        files: files.iter().map(|(name, _)| (*name).to_owned()).collect(),
    })
}

fn io(path: &Path, source: std::io::Error) -> FixtureError {
    FixtureError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Makes the folder and its files, or nothing.
fn write_all(folder: &Path, files: &[(&str, String)]) -> Result<(), FixtureError> {
    std::fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => FixtureError::Exists {
            path: folder.to_owned(),
        },
        _ => io(folder, error),
    })?;
    for (name, text) in files {
        let path = folder.join(name);
        let written = std::fs::File::create_new(&path).and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        });
        if let Err(error) = written {
            // What cannot be removed stays; the error that matters came first.
            let _ = std::fs::remove_dir_all(folder);
            return Err(io(&path, error));
        }
    }
    Ok(())
}

/// The declared model of a category as a set of its own, with its name and text.
fn model_of(
    log: &Log,
    category: &str,
) -> Result<(ModelSet, Option<(String, String)>), FixtureError> {
    let beside = folder_beside(log.path()).join("models");
    let (models, _) = ModelSet::load(log.path()).map_err(|e| io(&beside, e))?;
    let used = models.for_category(category);
    let mut own = ModelSet::default();
    if used.category().is_none() {
        return Ok((own, None));
    }
    for entry in std::fs::read_dir(&beside).map_err(|e| io(&beside, e))? {
        let path = entry.map_err(|e| io(&beside, e))?.path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match Model::parse(&stem, &text) {
            Ok(model) if model.reference() == used.reference() => {
                let name = model.reference().name;
                let added = own.add(model);
                added.map_err(|e| FixtureError::Load(e.to_string()))?;
                return Ok((own, Some((name, text))));
            }
            _ => {}
        }
    }
    Err(FixtureError::Load(format!(
        "the model of {category} changed meanwhile"
    )))
}

/// A slice of a stream, as it is written.
struct Slice {
    stream: StreamId,
    category: String,
    first: Version,
    last: Version,
    events: u64,
    erased: u64,
    linked: u64,
    lines: String,
}

impl Slice {
    fn read(log: &Log, request: &FixtureRequest) -> Result<Slice, FixtureError> {
        let FixtureRequest { stream, from, to } = request;
        let from = Version(from.0.max(1));
        let mut slice = Slice {
            stream: stream.clone(),
            category: String::new(),
            first: from,
            last: Version::NONE,
            events: 0,
            erased: 0,
            linked: 0,
            lines: String::new(),
        };
        let row = log.stream(stream)?;
        let row = row.ok_or_else(|| ReadError::NoStream(stream.clone()))?;
        slice.category = row.category;
        let category = Category::new(slice.category.as_str()).ok();
        let mut lines = Vec::new();
        let mut failed = None;
        log.for_each_in_stream(stream, from, None, &mut |found| {
            if to.is_some_and(|to| found.version > to) {
                return false;
            }
            slice.last = found.version;
            let mut event = found.event;
            if event.data.is_none() {
                slice.erased += 1;
                return true;
            }
            slice.linked += u64::from(event.stream.as_ref() != Some(stream));
            event.stream = Some(stream.clone());
            event.category = category.clone();
            event.version = found.version;
            slice.events += 1;
            match super::jsonl::write(&mut lines, event, &[]) {
                Ok(()) => true,
                Err(error) => {
                    failed = Some(error);
                    false
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(ReadError::Io(error).into());
        }
        if slice.events == 0 {
            return Err(FixtureError::Empty {
                stream: stream.clone(),
                from,
                last: Version(row.events),
            });
        }
        slice.lines = String::from_utf8(lines)
            .map_err(|_| FixtureError::Load("an event is not UTF-8".to_owned()))?;
        Ok(slice)
    }

    /// Loads the slice as its test will, and returns the state that it folds to.
    fn load(&self, models: ModelSet) -> Result<String, FixtureError> {
        let folder = tempfile::tempdir().map_err(|e| io(Path::new("."), e))?;
        let file = folder.path().join("events.jsonl");
        std::fs::write(&file, &self.lines).map_err(|e| io(&file, e))?;
        let now = Time::parse_rfc3339(RECORDED_AT).expect("the constant is a time");
        let surroundings = Surroundings::fixed(now, 0);
        let store = folder.path().join("fixture.annals");
        let writer = LogWriter::create(&store, surroundings.clone())?;
        let request = ImportRequest {
            format: Format::Jsonl,
            ..ImportRequest::of(vec![file])
        };
        let report = import(&writer, &request, &surroundings, &Progress::default())?;
        if report.stored != self.events {
            let reason = report.rejects.first().map_or("", |reject| &reject.reason);
            return Err(FixtureError::Load(format!(
                "{} of {} events were stored; {reason}",
                report.stored, self.events
            )));
        }
        let moment = Moment::AsOf(AsOf::default());
        let state = temporal::state(&writer.log(), &models, &self.stream, &moment)?;
        Ok(state.state.get().to_owned())
    }

    /// The stream's name as a Rust name.
    fn rust_name(&self) -> String {
        let mut name = String::new();
        for c in self.stream.as_str().chars() {
            match c.is_ascii_alphanumeric() {
                true => name.push(c.to_ascii_lowercase()),
                false if name.ends_with('_') || name.is_empty() => {}
                false => name.push('_'),
            }
        }
        name.trim_end_matches('_').to_owned()
    }

    fn readme(&self, log: &Log, model: Option<&(String, String)>) -> String {
        let Slice {
            stream,
            category: _,
            first,
            last,
            events,
            erased,
            linked,
            lines: _,
        } = self;
        // A name may hold anything; in text it stands as Rust writes it.
        let mut text = format!(
            "# A slice of {:?}\n\nVersions {first} to {last} ({events} events) of the log {}, as a test fixture.\n\n",
            stream.as_str(),
            log.id().origin()
        );
        let model = match model {
            Some((name, _)) => format!("`model.toml` (the model {name:?})"),
            None => "the inferred fold, since no model is declared".to_owned(),
        };
        write!(
            text,
            "- `events.jsonl`: the events, one a line, payloads as recorded.\n\
             - `expected.json`: the state that they fold to, with {model}.\n\
             - `fixture.rs`: a test that loads the events and compares.\n\n\
             In a Rust project, put the folder under `tests/`, add `annals-core` to its `[dev-dependencies]`,\n\
             and name the test in a file of `tests/`:\n\n\
             ```rust\n#[path = \"FOLDER/fixture.rs\"]\nmod fixture;\n```\n\n\
             `annals import events.jsonl --into fixture.annals` loads the events into a store.\n"
        )
        .expect("text takes all that is written");
        if first.0 > 1 {
            text += "\nThe slice begins after the stream does, so its state is that of the slice alone.\n";
        }
        if *linked > 0 {
            text += &format!(
                "\n{linked} events have their home in other streams and are linked into this one; here they stand as its own.\n"
            );
        }
        if *erased > 0 {
            text += &format!("\n{erased} events are left out, because their data was erased.\n");
        }
        text
    }

    fn test(&self, declared: bool) -> String {
        let stream = format!("{:?}", self.stream.as_str());
        let name = self.rust_name();
        let name = if name.is_empty() { "the_stream" } else { &name };
        let (models, model_import) = match declared {
            true => (
                "let mut models = ModelSet::default();\n    let model = Model::parse(\"model\", include_str!(\"model.toml\")).expect(\"model.toml is a model\");\n    models.add(model).expect(\"it is for a category\");",
                "Model, ModelSet",
            ),
            false => ("let models = ModelSet::default();", "ModelSet"),
        };
        let model_import = match declared {
            true => format!("{{{model_import}}}"),
            false => model_import.to_owned(),
        };
        format!(
            r#"//! Loads `events.jsonl` and compares the state with `expected.json`; made by `annals export --fixture`.

use annals_core::id::StreamId;
use annals_core::import::{{Format, ImportRequest, Progress, import}};
use annals_core::model::{model_import};
use annals_core::store::LogWriter;
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{{self, AsOf, Moment}};
use annals_core::time::Time;

#[test]
fn {prefix}{name}_folds_to_the_expected_state() {{
    let folder = std::env::temp_dir().join(format!("annals-fixture-{name}-{{}}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let file = folder.join("events.jsonl");
    std::fs::write(&file, include_str!("events.jsonl")).expect("a file in it");

    let now = Time::parse_rfc3339("{RECORDED_AT}").expect("a time");
    let surroundings = Surroundings::fixed(now, 0);
    let writer = LogWriter::create(&folder.join("fixture.annals"), surroundings.clone()).expect("a new store");
    let request = ImportRequest {{
        format: Format::Jsonl,
        ..ImportRequest::of(vec![file])
    }};
    let report = import(&writer, &request, &surroundings, &Progress::default()).expect("the events import");
    assert_eq!((report.stored, report.rejected), ({events}, 0));

    {models}
    let stream = StreamId::new({stream}).expect("a name");
    let moment = Moment::AsOf(AsOf::default());
    let view = temporal::state(&writer.log(), &models, &stream, &moment).expect("the stream has a state");
    assert_eq!(view.state.get(), include_str!("expected.json").trim_end());

    drop(writer);
    std::fs::remove_dir_all(&folder).expect("the temporary folder goes");
}}
"#,
            prefix = if name.starts_with(|c: char| c.is_ascii_digit()) {
                "stream_"
            } else {
                ""
            },
            events = self.events,
        )
    }
}
