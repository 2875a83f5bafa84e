//! Arguments and answers that core has no type for. Everything else that crosses is a core view type.

use annals_core::answers::PicturedAnswer;
use annals_core::compliance::ReportRequest;
use annals_core::dashboard::SourceKind;
use annals_core::evidence::manifest::Others;
use annals_core::export::ExportFormat;
use annals_core::id::{Category, EventId, StreamId};
use annals_core::import::{Encoding, Format, Mapping, Phase};
use annals_core::integrity::Hash;
use annals_core::position::{Position, Version};
use annals_core::snapshot::SnapshotPolicy;
use annals_core::sql::SqlView;
use annals_core::store::{ActorRow, EventQuery, InfoView, StreamQuery};
use annals_core::time::Time;
use serde::{Deserialize, Serialize};
use tauri::ipc::JavaScriptChannelId;
use ts_rs::TS;

/// What the window needs to know first.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct StartView {
    /// Version of Annals.
    pub version: String,
    /// Stores opened before: pinned ones first, then newest first.
    pub recent: Vec<RecentStore>,
    /// The store that is open already (the page was loaded again).
    pub open: Option<InfoView>,
    /// Path of the open store; else of the store that the command line names, for the window to open.
    pub open_path: Option<String>,
    /// Folder for new stores.
    pub default_folder: String,
    /// The user's home folder.
    pub home: String,
    /// Address of the view to show, where the command line names one.
    pub hash: Option<String>,
    /// What the reader has chosen.
    pub settings: Settings,
}

/// What the reader has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct Settings {
    /// Zone in which times are shown: `UTC`, `local`, or a name such as `Europe/Berlin`.
    pub zone: String,
    /// Light or dark.
    pub theme: Theme,
    /// What the reader looks at logs for; empty if they do not say.
    pub purpose: String,
    /// The command console is there, for the logs of sample worlds.
    pub console: bool,
    /// Looks go into the log's access log.
    pub access_log: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            zone: "UTC".to_owned(),
            theme: Theme::default(),
            purpose: String::new(),
            console: false,
            access_log: true,
        }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Paper.
    Light,
    /// Ink.
    Dark,
}

/// A store that was opened before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RecentStore {
    /// Its file.
    pub path: String,
    /// The file's name without the ending.
    pub name: String,
    /// When it was opened last.
    pub last_opened: Time,
    /// The file is still there.
    pub exists: bool,
    /// Kept at the head of the list.
    pub pinned: bool,
}

/// The stores opened before.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RecentView {
    /// Pinned ones first, then newest first.
    pub recent: Vec<RecentStore>,
}

/// What happens to files that are dragged with the mouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DropView {
    /// They came over the window.
    Over,
    /// They left it again.
    Left,
    /// They were dropped on it.
    Dropped {
        /// The files and folders.
        paths: Vec<String>,
    },
}

/// A store that was opened.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct OpenView {
    /// Its file.
    pub path: String,
    /// What it holds.
    pub info: InfoView,
    /// Categories that a model is declared for.
    pub models: Vec<String>,
    /// Models that are wrong and were left out: file, line, column and what is wrong.
    pub model_errors: Vec<String>,
}

/// Who acted, most events first.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ActorsView {
    /// The actors.
    pub actors: Vec<ActorRow>,
}

/// The distinct instants around one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct NeighboursView {
    /// The last before it.
    pub before: Option<Time>,
    /// The first after it.
    pub after: Option<Time>,
}

/// Paths that the user picked; none if they cancelled.
#[derive(Debug, Clone, Default, Serialize, TS)]
#[ts(export)]
pub struct PathsView {
    /// The paths.
    pub paths: Vec<String>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ImportProgressView {
    /// Bytes of the files in all.
    #[ts(type = "number")]
    pub bytes_total: u64,
    /// Bytes read.
    #[ts(type = "number")]
    pub bytes_read: u64,
    /// Records read.
    #[ts(type = "number")]
    pub records_read: u64,
    /// What is being done: reading counts bytes, storing events.
    pub phase: Phase,
    /// Events in all, known when storing begins.
    #[ts(type = "number")]
    pub events_total: u64,
    /// Events stored or found to be duplicates.
    #[ts(type = "number")]
    pub events_done: u64,
    /// Events stored, not yet for good.
    #[ts(type = "number")]
    pub events_stored: u64,
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ExportProgressView {
    /// Events written.
    #[ts(type = "number")]
    pub events: u64,
}

/// Which file.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PathArgs {
    /// As the user typed it; `~/` is the home folder.
    pub path: String,
}

/// How many.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct LimitArgs {
    /// At most so many.
    pub limit: u32,
}

/// A page of streams.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StreamsArgs {
    /// Which.
    pub query: StreamQuery,
    /// At most so many.
    pub limit: u32,
}

/// An object as of an instant, and a page of its events.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ObjectArgs {
    /// Its id: a stream.
    pub object: StreamId,
    /// What had happened: a time, or a date for the end of that day.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
    /// Events behind this version; 0 for the first page.
    pub after: Version,
    /// At most so many.
    pub limit: u32,
}

/// Which streams to count.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StreamsCountArgs {
    /// Which.
    pub query: StreamQuery,
}

/// Which stream.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StreamArgs {
    /// Its name.
    pub stream: StreamId,
}

/// Events of one stream, in one line each.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StreamLinesArgs {
    /// The stream.
    pub stream: StreamId,
    /// The first version.
    pub from: Version,
    /// So many versions.
    pub limit: u32,
}

/// A page of events.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EventsArgs {
    /// Which.
    pub query: EventQuery,
    /// At most so many.
    pub limit: u32,
    /// Begins so many events further on.
    #[serde(default)]
    #[ts(as = "Option<u32>", optional)]
    pub skip: u64,
}

/// Which event of a list.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EventRowArgs {
    /// The list.
    pub query: EventQuery,
    /// The event's place in the log.
    pub position: Position,
}

/// Which events to count.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EventsCountArgs {
    /// Which.
    pub query: EventQuery,
}

/// Which event.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EventArgs {
    /// Its place in the log.
    pub position: Position,
}

/// Which event.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EventByIdArgs {
    /// Its id.
    pub id: EventId,
}

/// Which histogram.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DensityArgs {
    /// Events to count.
    pub query: EventQuery,
    /// Number of slices of time.
    pub slices: u32,
}

/// Which instant to look around.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct NeighboursArgs {
    /// The instant.
    pub time: Time,
    /// Events that count.
    pub query: EventQuery,
}

/// A page of a search, newest first unless the query says otherwise.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SearchArgs {
    /// What to look for, as the user wrote it.
    pub text: String,
    /// Further conditions; `direction` and `after` page through what is found.
    pub query: EventQuery,
    /// At most so many hits.
    pub limit: u32,
}

/// Which hits to count.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SearchCountArgs {
    /// What to look for, as the user wrote it.
    pub text: String,
    /// Further conditions.
    pub query: EventQuery,
}

/// Following the open store.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct FollowArgs {
    /// Takes a [`FollowView`] at the start, and whenever the log has grown or the text index has gone on; at
    /// most four a second.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// Where the log stands: what the window shows is behind if it was asked for at a lower head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FollowView {
    /// The last position of the log: the number of its events.
    pub head: Position,
    /// Earliest time; `null` in an empty log.
    pub first_time: Option<Time>,
    /// Latest time; `null` in an empty log.
    pub last_time: Option<Time>,
    /// When the log took its last event; `null` in an empty log.
    pub last_recorded_at: Option<Time>,
    /// How many events have come since the following began.
    #[ts(type = "number")]
    pub arrived: u64,
    /// Events a second over the last five seconds, rounded.
    #[ts(type = "number")]
    pub events_per_second: u64,
    /// What other programs append is seen. `false` where the file is read as one that does not change, or from a
    /// temporary copy.
    pub live: bool,
    /// Every event at or before this position is in the text index.
    pub indexed: Position,
    /// The text index is being brought to the head.
    pub indexing: bool,
    /// What is worth saying about the text index.
    pub notes: Vec<String>,
}

/// Where on a stream to stand, as the user writes it. Nothing: at its end.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct MomentArgs {
    /// What had happened: a time, or a date for the end of that day.
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[ts(optional)]
    pub known: Option<String>,
    /// A version; excludes the other two.
    #[ts(optional)]
    pub version: Option<Version>,
}

/// Which state.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StateArgs {
    /// Stream.
    pub stream: StreamId,
    /// What had happened: a time, or a date for the end of that day.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
    /// A version; excludes the other two.
    #[serde(default)]
    #[ts(optional)]
    pub version: Option<Version>,
}

/// Which difference.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DiffArgs {
    /// Stream.
    pub stream: StreamId,
    /// One side.
    pub from: MomentArgs,
    /// The other side.
    pub to: MomentArgs,
}

/// Which value to explain.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct WhyArgs {
    /// Stream.
    pub stream: StreamId,
    /// Path in its state, as a change names it; empty for the whole.
    pub path: String,
    /// Where on the stream to stand.
    pub moment: MomentArgs,
    /// At most so many contributions, the newest; the host's own number if absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Whose values to list.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct HistoryArgs {
    /// Stream.
    pub stream: StreamId,
    /// Path in its state, as a change names it; empty for the whole.
    pub path: String,
    /// Where on the stream to stand.
    pub moment: MomentArgs,
    /// At most so many values, the newest; the host's own number if absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// What to try on a stream.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct WhatIfArgs {
    /// Stream.
    pub stream: StreamId,
    /// Where on the stream to stand.
    pub moment: MomentArgs,
    /// Positions of events to leave out.
    pub without: Vec<Position>,
    /// Events to give another payload.
    pub edits: Vec<EditArgs>,
}

/// An event and another payload for it.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EditArgs {
    /// Its place in the log.
    pub position: Position,
    /// The payload as JSON text, so that no digit is lost.
    pub json: String,
}

/// Where to start looking for what belongs together: a stream, or an event.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct RelatedArgs {
    /// Stream.
    #[serde(default)]
    #[ts(optional)]
    pub stream: Option<StreamId>,
    /// Position of an event; wins over the stream.
    #[serde(default)]
    #[ts(optional)]
    pub position: Option<Position>,
    /// What had happened: a time, or a date for the end of that day.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
}

/// A question over time.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct AskArgs {
    /// The question.
    pub text: String,
    /// As of when it is asked: what happened later is not there. All if absent.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known when it is asked: a position, or a time of recording. All if absent.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
    /// Zone of days and of times that name none: `UTC`, or an IANA name.
    pub zone: String,
    /// The picture in light on dark.
    #[serde(default)]
    pub dark: bool,
    /// At most so many rows; the host's own number if absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Rows that are read page by page.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[ts(export)]
pub struct PagesView {
    /// Names them for [`PageArgs`]; the rows of the answer before are gone.
    #[ts(type = "number")]
    pub id: u64,
    /// Number of rows.
    #[ts(type = "number")]
    pub rows_count: u64,
}

/// An answer to a question, all of whose rows can be read page by page.
#[derive(Debug, Serialize, TS)]
#[ts(export)]
pub struct PagedAnswer {
    /// The answer with its first rows.
    pub answer: PicturedAnswer,
    /// All rows.
    pub pages: PagesView,
}

/// An answer in SQL, all of whose rows can be read page by page.
#[derive(Debug, Serialize, TS)]
#[ts(export)]
pub struct PagedSql {
    /// The answer with its first rows.
    pub answer: SqlView,
    /// All rows.
    pub pages: PagesView,
}

/// A page of rows.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PageArgs {
    /// Which rows.
    #[ts(type = "number")]
    pub id: u64,
    /// The first, from 0.
    #[ts(type = "number")]
    pub first: u64,
    /// How many.
    pub count: u32,
}

/// A question to keep.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct QuestionSaveArgs {
    /// Its name: the file's without `.toml`, after its folders.
    pub name: String,
    /// The question.
    pub text: String,
    /// Zone that it is asked in; `null`: the zone of whoever asks.
    pub zone: Option<String>,
    /// In place of a question of that name.
    pub replace: bool,
}

/// Which dashboard, as of when, and how it is to look.
#[derive(Debug, Clone, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DashboardArgs {
    /// Its name.
    pub name: String,
    /// What had happened: a time, or a date for the end of that day.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
    /// Light on dark.
    pub dark: bool,
    /// Width of a panel, in pixels.
    pub width_px: u32,
}

/// A dashboard as a file.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DashboardWriteArgs {
    /// Which, and how.
    pub dashboard: DashboardArgs,
    /// The file; its ending says what is written: `.svg`, `.png`, `.csv`.
    pub file: String,
}

/// A value of a document.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct BehindArgs {
    /// What the panel reads.
    pub kind: SourceKind,
    /// Name of the projection, question or query.
    pub name: String,
    /// Zone of the dashboard.
    pub zone: String,
    /// Key of the document.
    pub document: String,
    /// Path in it; empty: the whole of it.
    pub path: String,
    /// What had happened: a time, or a date for the end of that day.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
}

/// What can be done about a projection.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ProjectionDeed {
    /// Bring it to the head of the log.
    CatchUp,
    /// Let it stay where it is.
    Pause,
    /// Let it go on.
    Resume,
    /// Try the event again that it stopped at.
    Retry,
    /// Take away what is kept of it.
    Reset,
    /// Put the documents from before the last rebuild in use again.
    RollBack,
}

/// A projection, and what to do about it.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ProjectionDoArgs {
    /// Its name.
    pub name: String,
    /// What to do.
    pub deed: ProjectionDeed,
}

/// A projection to make anew beside the documents in use.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct RebuildArgs {
    /// Its name.
    pub name: String,
    /// Whether the new documents take the place of those in use.
    pub switch: bool,
}

/// Whose late events to list.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct LateArgs {
    /// Stream; the whole log if absent.
    #[serde(default)]
    #[ts(optional)]
    pub stream: Option<StreamId>,
    /// At most so many; the host's own number if absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// A view that stayed.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct LookArgs {
    /// Name of the view.
    pub view: String,
    /// What it shows: names and values of its address.
    pub asked: Vec<(String, Vec<String>)>,
}

/// How much of the access log.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct AccessLogArgs {
    /// At most so many entries, the last ones.
    pub last: u32,
}

/// Whose data an erasure would take.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ErasurePlanArgs {
    /// The subject, as the models give it.
    pub subject: String,
    /// Also payloads that only name them.
    pub mentions: bool,
}

/// What is erased, and that the user means it.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EraseArgs {
    /// The subject, as the models give it.
    pub subject: String,
    /// Also payloads that only name them.
    pub mentions: bool,
    /// Why; stands in the log for good.
    pub reason: Option<String>,
    /// The subject once more, as the user typed it.
    pub confirmed: String,
    /// Size of the log that the plan which the user saw was made of.
    pub planned_at: Position,
    /// Takes a [`WorkProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// Which states, all at one instant.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StatesArgs {
    /// Streams.
    pub streams: Vec<StreamId>,
    /// What had happened: a time, or a date for the end of that day.
    #[serde(default)]
    #[ts(optional)]
    pub at: Option<String>,
    /// What was known: a position, or a time of recording.
    #[serde(default)]
    #[ts(optional)]
    pub known: Option<String>,
}

/// Which model file.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ModelNameArgs {
    /// Name of the model, its file or its category.
    pub name: String,
}

/// A model to put beside the store.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ModelSaveArgs {
    /// Name of its file, without `.toml`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Take the place of a file of that name.
    pub replace: bool,
}

/// A file of another system's snapshots.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SnapshotImportArgs {
    /// The file, as the user typed it; `~/` is the home folder.
    pub file: String,
    /// Their name; that of the file where it is `null`.
    pub name: Option<String>,
    /// Take the place of imported snapshots of that name.
    pub replace: bool,
}

/// A snapshot policy for a category.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PolicyArgs {
    /// The category; `*`: all that have none of their own.
    pub category: String,
    /// What is taken and kept.
    pub policy: SnapshotPolicy,
}

/// The snapshot policy of a category.
#[derive(Debug, Serialize, TS)]
#[ts(export)]
pub struct PolicyRow {
    /// The category; `*`: all that have none of their own.
    pub category: String,
    /// What is taken and kept.
    pub policy: SnapshotPolicy,
}

/// A model that is still being written, and a stream to try it on.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ModelPreviewArgs {
    /// Its text.
    pub text: String,
    /// Stream.
    pub stream: StreamId,
    /// Where on the stream to stand.
    pub moment: MomentArgs,
}

/// Which category.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CategoryArgs {
    /// Its name.
    pub category: Category,
}

/// Whose shapes.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ShapesArgs {
    /// Category; the whole log if `null`.
    pub category: Option<Category>,
}

/// A first model.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DraftView {
    /// Its text; `null` if the category has no event.
    pub text: Option<String>,
}

/// What to import, into which store, and how.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ImportArgs {
    /// A new store to make, as the user typed it; it has its name when the import has succeeded. The open store
    /// where absent.
    #[serde(default)]
    #[ts(optional)]
    pub into_new: Option<String>,
    /// Files and folders, as the user typed them.
    pub paths: Vec<String>,
    /// How to read them.
    pub format: Format,
    /// How their bytes spell text; by content where absent.
    #[serde(default)]
    #[ts(optional)]
    pub encoding: Option<Encoding>,
    /// How rows of tables become events; what it leaves open is guessed.
    #[serde(default)]
    #[ts(optional)]
    pub mapping: Option<Mapping>,
    /// The preset to read by; by content where absent.
    #[serde(default)]
    #[ts(optional)]
    pub preset: Option<String>,
    /// Category of all streams; by rule where `null`.
    pub category: Option<Category>,
    /// Zone of times that name none.
    pub zone: String,
    /// Read and report, but store nothing.
    pub dry_run: bool,
    /// Where to write rejected records; nowhere if `null`.
    pub rejects: Option<String>,
    /// Takes an [`ImportProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// What to look at before it is imported, and how it would be.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PreviewArgs {
    /// Files and folders, as the user typed them.
    pub paths: Vec<String>,
    /// How to read them.
    pub format: Format,
    /// How their bytes spell text; by content where absent.
    #[serde(default)]
    #[ts(optional)]
    pub encoding: Option<Encoding>,
    /// How rows of tables become events; what it leaves open is guessed.
    #[serde(default)]
    #[ts(optional)]
    pub mapping: Option<Mapping>,
    /// The preset to read by; by content where absent.
    #[serde(default)]
    #[ts(optional)]
    pub preset: Option<String>,
    /// The mapping as TOML, where it is not given as such: that of an earlier import.
    #[serde(default)]
    #[ts(optional)]
    pub mapping_toml: Option<String>,
    /// A new store that the files are meant for, whose folder may hold presets; the open one where absent.
    #[serde(default)]
    #[ts(optional)]
    pub into_new: Option<String>,
    /// Category of all streams; by rule where `null`.
    pub category: Option<Category>,
    /// Zone of times that name none.
    pub zone: String,
    /// Records of each file to look at, at most 1000.
    pub records: u32,
}

/// How a file is read, to be kept as a preset beside the store that it is meant for.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PresetSaveArgs {
    /// Name of the preset: small letters, digits and `-`.
    pub name: String,
    /// What it is called in sentences; its name where empty.
    pub title: String,
    /// Take the place of a preset of that name.
    pub replace: bool,
    /// The file, and how it is read.
    pub look: PreviewArgs,
}

/// Which lines of a file to show.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ImportLinesArgs {
    /// The file, as the import's report names it.
    pub file: String,
    /// The line, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// Lines before and after it, at most 100 each.
    pub context: u32,
    /// How its bytes spell text; by content where absent.
    #[serde(default)]
    #[ts(optional)]
    pub encoding: Option<Encoding>,
}

/// What to export from the open store, and where to.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ExportArgs {
    /// Which events: all that match.
    pub query: EventQuery,
    /// Only those that a search for this text finds.
    #[serde(default)]
    #[ts(optional)]
    pub text: Option<String>,
    /// Form of the file.
    pub format: ExportFormat,
    /// The file, as the user typed it.
    pub file: String,
    /// Takes an [`ExportProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// A statement in SQL.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SqlArgs {
    /// The statement.
    pub sql: String,
    /// What `:at` stands for in it.
    pub at: Option<String>,
    /// What `:known` stands for in it.
    pub known: Option<String>,
    /// Zone of times that name none.
    pub zone: String,
    /// Most rows to give; 1,000 where none is said.
    pub limit: Option<u32>,
}

/// A statement in SQL whose rows go to a file.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SqlExportArgs {
    /// The statement; all its rows are written.
    pub ask: SqlArgs,
    /// The file, as the user typed it; its ending says the form.
    pub file: String,
}

/// A query to be saved.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct QuerySaveArgs {
    /// Name of its file, without `.sql`.
    pub name: String,
    /// The statement.
    pub sql: String,
    /// Take the place of a file of that name.
    pub replace: bool,
}

/// A command to the open log.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CommandArgs {
    /// Its name.
    pub name: String,
    /// What it says: one JSON object, as typed.
    pub data: String,
    /// Identity: sent again with it, it changes nothing.
    pub id: String,
}

/// Which sample, and where to.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SampleArgs {
    /// Which.
    pub kind: SampleKind,
    /// Number of events of a world; its own default where `null`.
    #[ts(type = "number | null")]
    pub events: Option<u64>,
    /// As the user typed it; `null` for the default.
    pub path: Option<String>,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "kebab-case")]
pub enum SampleKind {
    /// The guide's own examples.
    Guide,
    /// The guide's examples, and fixed events for the temporal questions that it prints.
    Questions,
    /// Events for the guide's read models.
    ReadModels,
    /// A shop of any size.
    Shop,
    /// A broker of any size.
    Trading,
    /// A clinic of any size.
    Clinic,
}

/// Where to put a backup of the open store.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct BackupArgs {
    /// The file, as the user typed it.
    pub file: String,
    /// Takes a [`WorkProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// What to restore, and where to.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct RestoreArgs {
    /// The backup or store, as the user typed it; the open store where `null`.
    pub file: Option<String>,
    /// Last position, or a time of recording; everything where `null`.
    pub to: Option<String>,
    /// The new store, as the user typed it.
    pub store: String,
    /// Takes a [`WorkProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// What to compare the open store with.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct VerifyArgs {
    /// A checkpoint or proof that was kept elsewhere, as the user typed its file; nothing where `null`.
    pub against: Option<String>,
    /// Takes a [`WorkProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// How the key that signs is opened, or made.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SignArgs {
    /// The passphrase.
    pub passphrase: Option<String>,
    /// A key that is made needs none.
    pub unprotected: bool,
    /// The passphrase lies in the system's key store: one that is given goes there, else the one that it keeps is taken.
    pub key_store: bool,
}

/// A request for a time stamp to be written.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StampRequestArgs {
    /// Number of the checkpoint.
    #[ts(type = "number")]
    pub checkpoint: u64,
    /// File to write, which must not exist yet.
    pub file: String,
}

/// A time stamp that came back.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StampAttachArgs {
    /// File of the response, or of the token in it alone.
    pub response: String,
    /// File of the authority's certificates in PEM, up to its root.
    pub authority: String,
}

/// A checkpoint that witnesses cosigned.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CosignArgs {
    /// File of the checkpoint as it came back.
    pub cosigned: String,
    /// The witnesses' verifier keys, apart by blanks.
    pub witnesses: String,
}

/// A package to be made.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EvidenceMakeArgs {
    /// Which events are rows; `known` ends the range.
    pub query: EventQuery,
    /// The report that goes along; none where `null`.
    pub report: Option<ReportRequest>,
    /// What is withheld of rows: `identity`, `data`, `metadata`, or a path such as `data.email`.
    pub withhold: Vec<String>,
    /// What is shown of other events; what the filter needs where `null`.
    pub others: Option<Others>,
    /// Who gets it.
    pub handed_to: Option<String>,
    /// File to write, as the user typed it.
    pub file: String,
    /// How the key that signs is opened, or made.
    pub sign: SignArgs,
    /// Takes a [`WorkProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// Which package to verify.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct EvidenceVerifyArgs {
    /// The file, as the user typed it.
    pub file: String,
    /// The log's verifier key, as the user has it from elsewhere.
    pub key: Option<String>,
    /// Takes a [`WorkProgressView`] every 100 ms.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// How far a piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WorkProgressView {
    /// Steps done.
    #[ts(type = "number")]
    pub done: u64,
    /// Steps in all; 0 until they are known.
    #[ts(type = "number")]
    pub total: u64,
}

/// A name: of what was kept, or to be offered for a file.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct NameArgs {
    /// The name.
    pub name: String,
}

/// What to copy.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct TextArgs {
    /// The text.
    pub text: String,
}

/// What the reader chooses.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SettingsArgs {
    /// All of it.
    pub settings: Settings,
}

/// Which store to pin.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PinArgs {
    /// Its file, as the list names it.
    pub path: String,
    /// At the head of the list, or where its time puts it.
    pub pinned: bool,
}

/// Where to tell of dropped files.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DropArgs {
    /// Takes a [`DropView`] each time.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// Which report to look at before it is made.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ReportPreviewArgs {
    /// The question.
    pub request: ReportRequest,
    /// Where progress goes.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// The pages of a report, before it is made: with the first rows only.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ReportPagesView {
    /// Names the preview, for [`ReportPageArgs`].
    #[ts(type = "number")]
    pub preview: u64,
    /// Title of the report.
    pub title: String,
    /// Names the report with all its rows.
    pub hash: Hash,
    /// Width and height of each page in points.
    pub pages: Vec<[f64; 2]>,
    /// Rows of all its tables.
    #[ts(type = "number")]
    pub rows: u64,
    /// Rows on these pages.
    #[ts(type = "number")]
    pub shown: u64,
    /// Events in its scope.
    #[ts(type = "number")]
    pub events: u64,
    /// Exceptions that its checks found.
    #[ts(type = "number")]
    pub exceptions: u64,
    /// Faults in the data that was read.
    #[ts(type = "number")]
    pub findings: u64,
}

/// Which page to draw.
#[derive(Debug, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ReportPageArgs {
    /// The preview.
    #[ts(type = "number")]
    pub preview: u64,
    /// The page, first is 0.
    #[ts(type = "number")]
    pub page: usize,
}

/// A page, drawn.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ReportPageView {
    /// As SVG, letters drawn; empty where the preview is another by now.
    pub svg: String,
}

/// A report to be made.
#[derive(Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ReportMakeArgs {
    /// The question.
    pub request: ReportRequest,
    /// File to write; its ending says the form: pdf, xlsx, csv, jsonl, html.
    pub file: String,
    /// Where progress goes.
    #[ts(type = "unknown")]
    pub channel: JavaScriptChannelId,
}

/// Reports made last, newest first.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RecentReportsView {
    /// At most twenty.
    pub reports: Vec<RecentReport>,
}

/// A report that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RecentReport {
    /// Its file.
    pub file: String,
    /// Title.
    pub title: String,
    /// Name of its template.
    pub template: String,
    /// Store that it is of.
    pub store: String,
    /// When it was made.
    pub made_at: Time,
    /// Whether the file is still there.
    pub exists: bool,
}
