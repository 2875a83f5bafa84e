//! What the typesetter may read: the layouts, the files handed in, the bundled fonts. No disk, no clock, no network.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use typst::diag::{FileError, FileResult, SourceResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;

use crate::fonts::FONTS;

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// One document's files.
pub struct Desk {
    main: FileId,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
    /// How often a font was asked for, which tells how much was set.
    looks: AtomicU64,
    broom: Option<SyncSender<()>>,
}

/// After so many looks for a font the typesetter's memory is swept.
const LOOKS: u64 = 4_000;

impl Desk {
    /// A desk whose main layout is `main`; the others are layouts that it may import, by name.
    pub fn new(main: &str, layouts: &[(&str, &str)]) -> Desk {
        let sources = layouts.iter().map(|(name, text)| {
            let id = id(name);
            (id, Source::new(id, (*text).to_owned()))
        });
        Desk {
            main: id(main),
            sources: sources.collect(),
            files: HashMap::new(),
            looks: AtomicU64::new(0),
            broom: None,
        }
    }

    /// Makes another of the layouts the main one.
    pub fn turn_to(&mut self, main: &str) {
        self.main = id(main);
    }

    /// Where a fault is: its file below the folder, with line and column in characters, first is 1; `None` where it is
    /// in none of the files there.
    pub fn place(&self, span: DiagSpan, folder: &str) -> Option<(String, usize, usize)> {
        let file = span.id()?;
        let path = file.vpath().get_without_slash();
        let name = path.strip_prefix(folder)?.to_owned();
        let start = self.range(span)?.start;
        let (line, column) = self
            .sources
            .get(&file)
            .and_then(|source| source.lines().byte_to_line_column(start))
            .unwrap_or((0, 0));
        Some((name, line + 1, column + 1))
    }

    /// Sets the document.
    ///
    /// The typesetter remembers what it laid out, in case it is asked for again: of a table with 100,000 cells that is
    /// most of its memory, and nothing of it is. So the memory is swept meanwhile, by a thread of its own, since the
    /// typesetter may hold a lock on it where it asks for a font. What was forgotten is laid out anew: sweeping costs
    /// time, and changes nothing.
    pub fn compile(&mut self) -> SourceResult<PagedDocument> {
        let (broom, wishes) = sync_channel(1);
        let done = std::thread::scope(|scope| {
            scope.spawn(move || wishes.iter().for_each(|()| typst::comemo::evict(0)));
            self.broom = Some(broom);
            let done = typst::compile::<PagedDocument>(self).output;
            self.broom = None;
            done
        });
        typst::comemo::evict(0);
        done
    }

    /// Lays a file on the desk, or one in place of another of the same name. One that ends in `.typ` can be imported.
    pub fn put(&mut self, name: &str, bytes: Vec<u8>) {
        if name.ends_with(".typ")
            && let Ok(text) = std::str::from_utf8(&bytes)
        {
            let id = id(name);
            self.sources.insert(id, Source::new(id, text.to_owned()));
        }
        self.files.insert(id(name), Bytes::new(bytes));
    }
}

/// The typesetter's name for a file. Names are few, since each is kept for good: those of Annals, and of the files of a
/// layout of the user's own.
fn id(name: &str) -> FileId {
    let path =
        VirtualPath::new(name).expect("a name that does not lead out of its folder is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.get(&id).cloned().ok_or_else(|| missing(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| missing(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        if looks.is_multiple_of(LOOKS)
            && let Some(broom) = &self.broom
        {
            // Full: a sweep is due already.
            let _ = broom.try_send(());
        }
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn missing(id: FileId) -> FileError {
    match id.root() {
        VirtualRoot::Project => FileError::NotFound(id.vpath().get_without_slash().into()),
        VirtualRoot::Package(_) => FileError::Other(Some(
            "a layout can use no packages, since nothing is fetched from a network".into(),
        )),
    }
}
