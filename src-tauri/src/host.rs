//! What the host holds between calls: the open store, running work, recent stores.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use annals_core::access_log::{AccessLog, AccessState, Look, LookKind};
use annals_core::export::ExportProgress;
use annals_core::id::StreamId;
use annals_core::import::Progress;
use annals_core::model::{ModelError, ModelSet};
use annals_core::pages::Pages;
use annals_core::position::Position;
use annals_core::progress::WorkProgress;
use annals_core::projection::{ProjectionSet, Projections, ReadCache};
use annals_core::question::IntervalIndex;
use annals_core::search::{IndexProgress, TextIndex};
use annals_core::snapshot::Snapshots;
use annals_core::store::Log;
use annals_core::surroundings::{OsUser, Surroundings, data_folder};
use annals_core::temporal::{self, StateCache};
use serde::Serialize;
use serde_json::value::RawValue;
use tauri::Manager as _;
use tauri::ipc::{Channel, Response};

use crate::error::{ErrorCode, HostError, io_error};
use crate::launch::Launch;
use crate::preview::Preview;
use crate::wire::{DropView, PageArgs, PagesView, RecentReport, RecentStore, Settings};
use crate::{made, recent, settings, window};

/// What a command gives back: JSON text as raw bytes, or an error for the window.
pub type Answer = Result<Response, HostError>;

/// How often the text index looks whether its store was closed.
const INDEX_PACE_MS: u64 = 500;

/// A hand that moves asks again before this time has passed since the last answer.
const MOVING: Duration = Duration::from_millis(80);

/// For so long the text index rests at once.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// The store that the window looks at: read-only.
#[derive(Debug)]
pub struct OpenStore {
    /// Its file.
    pub path: PathBuf,
    /// The log.
    pub log: Log,
    /// Models of its categories: a saved model changes them, while the store stays open and is followed.
    models: RwLock<Arc<OpenModels>>,
    /// Text index of the log, kept up with it in the background.
    pub index: Arc<TextIndex>,
    /// Values of fields over time, for questions; what they first ask for is put in then.
    pub intervals: Arc<IntervalIndex>,
    /// Answers of projections that were worked out.
    read_cache: Arc<ReadCache>,
    /// How far the text index is; ends with the store.
    indexing: Arc<IndexProgress>,
    /// Who is asking.
    asking: Arc<Mutex<Asking>>,
    /// Where caches lie whose store cannot be written to.
    cache_folder: PathBuf,
}

/// The models beside the open store, as they were read last.
#[derive(Debug)]
pub struct OpenModels {
    /// Those that can be folded with.
    pub set: Arc<ModelSet>,
    /// Those that are wrong.
    pub errors: Vec<ModelError>,
    /// Folds, by these models, of the streams looked at last.
    pub cache: StateCache,
}

impl OpenModels {
    fn load(log: &Log, store: &Path, cache_folder: &Path) -> Result<OpenModels, HostError> {
        let (set, errors) = ModelSet::load(store).map_err(|error| {
            let message = format!(
                "the models beside {} could not be read: {error}",
                store.display()
            );
            crate::error::io_error(&error, message)
        })?;
        Ok(OpenModels {
            set: Arc::new(set),
            errors,
            cache: StateCache::default().with_snapshots(Snapshots::open_for_reading(
                log,
                Some(cache_folder),
                Surroundings::system().clock,
            )),
        })
    }
}

impl OpenStore {
    /// Opens a store; `cache_folder` is for caches of stores that cannot be written to.
    pub(crate) fn open(path: PathBuf, cache_folder: &Path) -> Result<OpenStore, HostError> {
        let log = Log::explore(&path)?;
        Ok(OpenStore {
            models: RwLock::new(Arc::new(OpenModels::load(&log, &path, cache_folder)?)),
            path,
            cache_folder: cache_folder.to_owned(),
            index: Arc::new(TextIndex::open(&log, Some(cache_folder))),
            intervals: Arc::new(IntervalIndex::open(&log, Some(cache_folder))),
            read_cache: Arc::default(),
            indexing: Arc::default(),
            asking: Arc::default(),
            log,
        })
    }

    /// The models as they were read last; an answer uses one reading of them throughout.
    #[must_use]
    pub fn models(&self) -> Arc<OpenModels> {
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        models.clone()
    }

    /// The snapshots of the log, with the policies as they are now.
    ///
    /// # Errors
    /// If the policies are wrong or no cache can be used.
    pub fn snapshots(&self) -> Result<Snapshots, HostError> {
        let clock = Surroundings::system().clock;
        Ok(Snapshots::open(&self.log, Some(&self.cache_folder), clock)?)
    }

    /// The projections beside the store as they are now, with what is kept of them, for an answer from that log.
    ///
    /// # Errors
    /// `io` if they cannot be read. What is wrong with one is said where it is asked for.
    pub fn projections(&self, log: &Log) -> Result<Projections, HostError> {
        let (set, _) = ProjectionSet::load(&self.path)
            .map_err(|error| crate::error::io_error(&error, error.to_string()))?;
        let clock = Surroundings::system().clock;
        let all = Projections::open(log, set, Some(&self.cache_folder), clock);
        Ok(all.with_read_cache(&self.read_cache))
    }

    /// Takes the snapshots that the policies want of streams whose events came after a position.
    ///
    /// # Errors
    /// If the policies or the log cannot be read, or the cache not be written; the log holds the events all the same.
    pub fn snapshot_since(&self, since: Position) -> Result<(), HostError> {
        let (folder, clock) = (Some(&*self.cache_folder), Surroundings::system().clock);
        temporal::take_after(&self.log, since, folder, clock, &mut |_| true)?;
        Ok(())
    }

    /// Reads the models again; nothing else about the open store changes.
    ///
    /// # Errors
    /// `io` if they cannot be read; those read before stay.
    pub fn reload_models(&self) -> Result<(), HostError> {
        let models = Arc::new(OpenModels::load(&self.log, &self.path, &self.cache_folder)?);
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = models;
        Ok(())
    }

    /// Lets the text index rest until this is dropped, and for a moment more.
    fn resting(&self) -> Resting {
        lock(&self.asking).questions += 1;
        Resting(self.asking.clone())
    }

    /// Counts how events lie along time, unless that is kept. Brings the text index to the head of the log, and again
    /// whenever the log has grown, until the store is closed. Has a thread and connections of its own, so that nobody
    /// waits for it.
    pub(crate) fn keep_indexing(&self) {
        let (index, progress, log) = (self.index.clone(), self.indexing.clone(), self.log.clone());
        let (cache_folder, asking) = (self.cache_folder.clone(), self.asking.clone());
        // While a hand moves, all of the machine is for what it moves. A little gets done all the same.
        let rest = move |cancel: &AtomicBool| {
            let began = Instant::now();
            while lock(&asking).is_moving()
                && began.elapsed() < LONGEST_REST
                && !cancel.load(Ordering::Relaxed)
            {
                std::thread::sleep(MOVING / 8);
            }
        };
        std::thread::spawn(move || {
            // Until then the same questions are answered, and take longer.
            let _ = annals_core::times::know(&log, Some(&cache_folder));
            let _ = log.count_shares();
            let mut done = Position::ZERO;
            while !progress.cancel.load(Ordering::Relaxed) {
                // What cannot be read now is tried again when there is more; searches say how far they have looked.
                let _ = index.catch_up_between(&progress, &|| rest(&progress.cancel));
                while !progress.cancel.load(Ordering::Relaxed) {
                    match log.grown(done, INDEX_PACE_MS) {
                        Ok(head) if head > done => {
                            done = head;
                            break;
                        }
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            }
        });
    }
}

/// What is asked of the open store for itself, not of its text index.
#[derive(Debug, Default)]
struct Asking {
    /// Questions under way.
    questions: u32,
    /// When the last one was answered.
    answered: Option<Instant>,
}

impl Asking {
    fn is_moving(&self) -> bool {
        self.questions > 0 || self.answered.is_some_and(|last| last.elapsed() < MOVING)
    }
}

/// A question under way; a panic ends it, too.
struct Resting(Arc<Mutex<Asking>>);

impl Drop for Resting {
    fn drop(&mut self) {
        let mut asking = lock(&self.0);
        asking.questions -= 1;
        asking.answered = Some(Instant::now());
    }
}

impl Drop for OpenStore {
    fn drop(&mut self) {
        self.indexing.cancel.store(true, Ordering::Relaxed);
    }
}

/// The host's memory. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    app: tauri::AppHandle,
    launch: Launch,
    config_folder: PathBuf,
    cache_folder: PathBuf,
    default_folder: PathBuf,
    home: PathBuf,
    surroundings: Surroundings,
    open: RwLock<Option<Arc<OpenStore>>>,
    /// Counts followings; the last one goes on.
    following: AtomicU64,
    import: Slot<Progress>,
    export: Slot<ExportProgress>,
    work: Slot<WorkProgress>,
    /// How far each long question that is under way is.
    long: Mutex<Vec<Arc<WorkProgress>>>,
    report: Slot<WorkProgress>,
    preview: Preview,
    /// Rows of the last answer to a question and of the last statement, by number.
    pages: Mutex<VecDeque<(u64, Pages)>>,
    // X11 serves the clipboard from the program that filled it, so it lives as long as the app.
    clipboard: Mutex<Option<arboard::Clipboard>>,
    drops: Mutex<Option<Channel<DropView>>>,
}

impl Host {
    /// Finds the user's folders. `ANNALS_CONFIG_DIR` names another place for settings and the list of recent
    /// stores, `ANNALS_CACHE_DIR` one for caches of stores that cannot be written to.
    ///
    /// # Errors
    /// If the system names no home folder.
    pub fn new(app: &tauri::AppHandle, launch: Launch) -> tauri::Result<Host> {
        let home = app.path().home_dir()?;
        let documents = app.path().document_dir().unwrap_or_else(|_| home.clone());
        let config_folder = match std::env::var_os("ANNALS_CONFIG_DIR") {
            Some(folder) if !folder.is_empty() => PathBuf::from(folder),
            _ => app.path().app_config_dir()?,
        };
        Ok(Host(Arc::new(Inner {
            app: app.clone(),
            launch,
            config_folder,
            cache_folder: match std::env::var_os("ANNALS_CACHE_DIR") {
                Some(folder) if !folder.is_empty() => PathBuf::from(folder),
                _ => app.path().app_cache_dir()?,
            },
            default_folder: documents.join("Annals"),
            home,
            surroundings: Surroundings::system(),
            open: RwLock::new(None),
            following: AtomicU64::new(0),
            import: Slot::default(),
            export: Slot::default(),
            work: Slot::default(),
            long: Mutex::default(),
            report: Slot::default(),
            preview: Preview::default(),
            pages: Mutex::default(),
            clipboard: Mutex::new(None),
            drops: Mutex::new(None),
        })))
    }

    /// What the command line asked for.
    #[must_use]
    pub fn launch(&self) -> &Launch {
        &self.0.launch
    }

    /// Folder for new stores.
    #[must_use]
    pub fn default_folder(&self) -> &Path {
        &self.0.default_folder
    }

    /// The user's home folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.0.home
    }

    /// Clock and random source of this machine.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.0.surroundings
    }

    /// The import that is running.
    #[must_use]
    pub fn import(&self) -> &Slot<Progress> {
        &self.0.import
    }

    /// The export that is running.
    #[must_use]
    pub fn export(&self) -> &Slot<ExportProgress> {
        &self.0.export
    }

    /// The backup that is being made, the store that is being restored, or the verification that is running.
    #[must_use]
    pub fn work(&self) -> &Slot<WorkProgress> {
        &self.0.work
    }

    /// The report that is being made.
    #[must_use]
    pub fn report(&self) -> &Slot<WorkProgress> {
        &self.0.report
    }

    /// The pages that are looked at before a report is made.
    #[must_use]
    pub fn preview(&self) -> &Preview {
        &self.0.preview
    }

    /// Keeps the rows of an answer in place of those of the one before the last, and gives them a number.
    pub(crate) fn keep_pages(&self, pages: Pages) -> PagesView {
        /// One of a question and one of a statement, as the views are.
        const KEPT: usize = 2;
        let rows_count = pages.len();
        let mut kept = self.0.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let id = kept.back().map_or(1, |(last, _)| last + 1);
        kept.push_back((id, pages));
        let gone = kept.len().saturating_sub(KEPT);
        kept.drain(..gone);
        PagesView { id, rows_count }
    }

    /// Rows that were kept.
    ///
    /// # Errors
    /// `not_found` if another answer took their place; `io`.
    pub(crate) fn page(&self, args: &PageArgs) -> Result<Vec<Box<RawValue>>, HostError> {
        let mut kept = self.0.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter_mut().find(|(id, _)| *id == args.id);
        let (_, pages) = found.ok_or_else(|| {
            HostError::new(
                ErrorCode::NotFound,
                "another answer took the place of these rows",
            )
            .hint("Ask again.")
        })?;
        let rows = pages.read(args.first, args.count as usize);
        rows.map_err(|error| io_error(&error, format!("the rows could not be read: {error}")))
    }

    /// Reports made last, newest first.
    #[must_use]
    pub fn recent_reports(&self) -> Vec<RecentReport> {
        made::list(&self.0.config_folder)
    }

    /// Remembers a report that was made. The list is a convenience: a report is made even where it cannot be written.
    pub fn remember_report(&self, report: RecentReport) {
        let _ = made::add(&self.0.config_folder, report);
    }

    /// Stores opened before: pinned ones first, then newest first.
    #[must_use]
    pub fn recent(&self) -> Vec<RecentStore> {
        recent::list(&self.0.config_folder)
    }

    /// Takes a store off the list of recent ones.
    ///
    /// # Errors
    /// `io` if the list cannot be written.
    pub fn forget_recent(&self, path: &str) -> Result<(), HostError> {
        recent::remove(&self.0.config_folder, Path::new(path)).map_err(unwritten)
    }

    /// Pins a store of the list of recent ones, or lets go of it.
    ///
    /// # Errors
    /// `io` if the list cannot be written.
    pub fn pin_recent(&self, path: &str, pinned: bool) -> Result<(), HostError> {
        recent::pin(&self.0.config_folder, Path::new(path), pinned).map_err(unwritten)
    }

    /// What the reader has chosen.
    #[must_use]
    pub fn settings(&self) -> Settings {
        settings::read(&self.0.config_folder)
    }

    /// Keeps what the reader has chosen.
    ///
    /// # Errors
    /// `bad_input` if it makes no sense; else if it cannot be written.
    pub fn keep_settings(&self, chosen: &Settings) -> Result<(), HostError> {
        settings::write(&self.0.config_folder, chosen)
    }

    /// Tells of dragged files there from now on; a page that is loaded again takes the place of the one before.
    pub fn watch_drops(&self, channel: Channel<DropView>) {
        *lock(&self.0.drops) = Some(channel);
    }

    /// Tells the page of dragged files. A page that has gone away needs to know nothing.
    pub fn tell_drop(&self, drop: DropView) {
        if let Some(channel) = &*lock(&self.0.drops) {
            let _ = channel.send(drop);
        }
    }

    /// The open store.
    ///
    /// # Errors
    /// `no_store_open` if there is none.
    pub fn open_store(&self) -> Result<Arc<OpenStore>, HostError> {
        let open = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or_else(HostError::no_store_open)
    }

    /// Opens a store in place of the one that is open, and remembers it.
    ///
    /// # Errors
    /// If it cannot be opened; the one before stays open then.
    pub fn open(&self, path: PathBuf) -> Result<Arc<OpenStore>, HostError> {
        let store = Arc::new(OpenStore::open(path, &self.0.cache_folder)?);
        // Before anything of it is shown.
        let asked = vec![("store".to_owned(), vec![store.path.display().to_string()])];
        self.note_look(&store.log, LookKind::View, "open", asked)?;
        store.keep_indexing();
        *self.0.open.write().unwrap_or_else(PoisonError::into_inner) = Some(store.clone());
        // The list of recent stores is a convenience: a store opens even where it cannot be written.
        let now = (self.0.surroundings.clock)();
        let _ = recent::add(&self.0.config_folder, &store.path, now);
        window::name(&self.0.app, &store.path);
        Ok(store)
    }

    /// Folder for caches of stores that cannot be written to.
    #[must_use]
    pub fn cache_folder(&self) -> &Path {
        &self.0.cache_folder
    }

    /// The access log of a log.
    ///
    /// # Errors
    /// `not_found` if the environment names no home.
    pub fn access_log(&self, log: &Log) -> Result<AccessLog, HostError> {
        let folder = data_folder().ok_or_else(|| {
            let message = "there is no folder for the access log: the environment names no home";
            HostError::new(ErrorCode::NotFound, message)
        })?;
        Ok(AccessLog::of(log.id(), &folder))
    }

    /// Writes a look at a log down, for the user and the purpose of the settings, unless these say to keep none.
    ///
    /// # Errors
    /// If it cannot be written: the answer must not be given then.
    pub fn note_look(
        &self,
        log: &Log,
        kind: LookKind,
        action: &str,
        asked: Vec<(String, Vec<String>)>,
    ) -> Result<AccessState, HostError> {
        let settings = self.settings();
        if !settings.access_log {
            return Ok(AccessState::Off);
        }
        let look = Look {
            user: OsUser::system(),
            purpose: Some(settings.purpose).filter(|purpose| !purpose.trim().is_empty()),
            program: concat!("annals-desktop ", env!("CARGO_PKG_VERSION")).to_owned(),
            kind,
            action: action.to_owned(),
            asked,
            size: log.head()?.size,
        };
        Ok(self
            .access_log(log)?
            .write(look, &self.0.surroundings.clock)?)
    }

    /// Closes the open store.
    pub fn close(&self) {
        self.cancel_long();
        self.0.preview.end();
        *self.0.open.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Begins a following of the open store, and ends the one before; returns its number.
    #[must_use]
    pub fn begin_following(&self) -> u64 {
        self.0.following.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether this following goes on: it is the last one begun, and the store is still the open one.
    #[must_use]
    pub fn is_following(&self, turn: u64, store: &Arc<OpenStore>) -> bool {
        let open = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        self.0.following.load(Ordering::SeqCst) == turn
            && open.as_ref().is_some_and(|open| Arc::ptr_eq(open, store))
    }

    /// A path that a user typed: `~/` is their home folder.
    ///
    /// # Errors
    /// `bad_input` if nothing was typed.
    pub fn typed_path(&self, text: &str) -> Result<PathBuf, HostError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HostError::new(ErrorCode::BadInput, "no file is named"));
        }
        Ok(match text.strip_prefix("~/") {
            Some(rest) => self.0.home.join(rest),
            None => PathBuf::from(text),
        })
    }

    /// Puts text on the clipboard.
    ///
    /// # Errors
    /// `io` if the system has no clipboard to give.
    pub fn copy(&self, text: String) -> Result<(), HostError> {
        let refused = |error: arboard::Error| {
            HostError::new(
                ErrorCode::Io,
                format!("the clipboard is not to be had: {error}"),
            )
        };
        let mut clipboard = lock(&self.0.clipboard);
        let clipboard = match &mut *clipboard {
            Some(clipboard) => clipboard,
            none => none.insert(arboard::Clipboard::new().map_err(refused)?),
        };
        clipboard.set_text(text).map_err(refused)
    }

    /// Puts a question to the open store, off the main thread.
    ///
    /// # Errors
    /// `no_store_open`, or the question's own error.
    pub async fn ask<V, E, Q>(&self, question: Q) -> Answer
    where
        V: Serialize,
        E: Into<HostError>,
        Q: FnOnce(&OpenStore) -> Result<V, E> + Send + 'static,
    {
        let store = self.open_store()?;
        let resting = store.resting();
        blocking(move || {
            let _resting = resting;
            json(&question(&store).map_err(Into::into)?)
        })
        .await
    }

    /// As [`Host::ask`], a question to the text index: it is built on meanwhile, since that is what is waited for.
    ///
    /// # Errors
    /// As [`Host::ask`].
    pub async fn ask_index<V, E, Q>(&self, question: Q) -> Answer
    where
        V: Serialize,
        E: Into<HostError>,
        Q: FnOnce(&OpenStore) -> Result<V, E> + Send + 'static,
    {
        let store = self.open_store()?;
        blocking(move || json(&question(&store).map_err(Into::into)?)).await
    }

    /// As [`Host::ask`], a question that may go through a whole stream or the whole log: it is put to a log that is
    /// watched, so that [`Host::long_progress`] tells how far it is and [`Host::cancel_long`] stops it. `go_on` is for
    /// what takes long without reading.
    ///
    /// # Errors
    /// As [`Host::ask`]; `cancelled`.
    pub async fn ask_long<V, E, Q>(&self, question: Q) -> Answer
    where
        V: Serialize,
        E: Into<HostError>,
        Q: FnOnce(&OpenStore, &Log, &mut dyn FnMut(u64) -> bool) -> Result<V, E> + Send + 'static,
    {
        let host = self.clone();
        self.ask(move |store| {
            host.long(|progress| {
                let log = store.log.watched(Arc::clone(progress));
                question(store, &log, &mut |_| !progress.is_cancelled())
            })
        })
        .await
    }

    /// Reads a long stream in the background, of which a snapshot gave the first state: whoever looks at it will move
    /// along it.
    ///
    /// # Errors
    /// `no_store_open`.
    pub fn read_whole(&self, stream: StreamId) -> Result<(), HostError> {
        let store = self.open_store()?;
        let models = store.models();
        if models.cache.is_unread(&store.log, &stream) {
            let host = self.clone();
            tauri::async_runtime::spawn_blocking(move || {
                host.long(|progress| {
                    let log = store.log.watched(Arc::clone(progress));
                    // The next question tries again, and says what is wrong.
                    let _ = models.cache.read_whole(&log, &models.set, &stream);
                });
            });
        }
        Ok(())
    }

    /// Does long work that can be watched and stopped from the window.
    pub fn long<T>(&self, work: impl FnOnce(&Arc<WorkProgress>) -> T) -> T {
        /// Takes the work off the list when it ends, by a panic too.
        struct Under<'h>(&'h Inner, Arc<WorkProgress>);
        impl Drop for Under<'_> {
            fn drop(&mut self) {
                lock(&self.0.long).retain(|progress| !Arc::ptr_eq(progress, &self.1));
            }
        }
        let under = Under(&self.0, Arc::default());
        lock(&self.0.long).push(Arc::clone(&under.1));
        work(&under.1)
    }

    /// How far the long work that is under way is, all together: done, and of how much where that is known.
    #[must_use]
    pub fn long_progress(&self) -> (u64, u64) {
        let long = lock(&self.0.long);
        let all = long.iter().map(|progress| progress.now());
        all.fold((0, 0), |sum, now| (sum.0 + now.0, sum.1 + now.1))
    }

    /// Stops every long work that is under way.
    pub fn cancel_long(&self) {
        lock(&self.0.long).iter().for_each(|progress| {
            progress.cancel();
        });
    }
}

fn unwritten(error: std::io::Error) -> HostError {
    let message = format!("the list of recent stores could not be written: {error}");
    crate::error::io_error(&error, message)
}

/// Runs work on the pool of threads that may block.
///
/// # Errors
/// The work's own; `internal` if it panics.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HostError> + Send + 'static,
) -> Result<T, HostError> {
    tauri::async_runtime::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| Err(HostError::internal(panic)))
}

/// Writes an answer as JSON text.
///
/// # Errors
/// `internal` if the value is none that JSON has.
pub fn json(value: &impl Serialize) -> Answer {
    serde_json::to_vec(value)
        .map(Response::new)
        .map_err(HostError::internal)
}

/// A place for one piece of work at a time, and what tells how far it is.
#[derive(Debug)]
pub struct Slot<P>(Arc<Mutex<Option<Arc<P>>>>);

impl<P> Default for Slot<P> {
    fn default() -> Self {
        Slot(Arc::new(Mutex::new(None)))
    }
}

impl<P: Default> Slot<P> {
    /// Takes the place until the guard is dropped; `None` if it is taken.
    #[must_use]
    pub fn begin(&self) -> Option<Running<P>> {
        let mut slot = lock(&self.0);
        if slot.is_some() {
            return None;
        }
        let progress = Arc::new(P::default());
        *slot = Some(progress.clone());
        Some(Running {
            progress,
            slot: self.0.clone(),
        })
    }

    /// How far the running work is; `None` if none runs.
    #[must_use]
    pub fn running(&self) -> Option<Arc<P>> {
        lock(&self.0).clone()
    }
}

/// Work that runs; dropped when it has ended.
#[derive(Debug)]
pub struct Running<P> {
    /// How far it is.
    pub progress: Arc<P>,
    slot: Arc<Mutex<Option<Arc<P>>>>,
}

impl<P> Drop for Running<P> {
    fn drop(&mut self) {
        *lock(&self.slot) = None;
    }
}

/// What these locks guard is whole after each statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_of_work_runs_at_a_time() {
        let slot = Slot::<Progress>::default();
        let first = slot.begin().unwrap();
        assert!(slot.begin().is_none(), "the first still runs");
        drop(first);
        assert!(slot.begin().is_some(), "the first has ended");
    }

    #[test]
    fn the_place_is_free_again_after_a_panic() {
        let slot = Slot::<Progress>::default();
        let running = slot.begin().unwrap();
        let panicked = std::thread::spawn(move || {
            let _running = running;
            panic!("as a test");
        })
        .join();
        assert!(panicked.is_err() && slot.running().is_none());
    }
}
