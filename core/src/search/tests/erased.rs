//! What was erased from the log is not in the cache either: not where it would be found, and not as a byte of its
//! file that somebody could read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::cache::Purged;

/// Says in the log that the data of an event was erased, and erases it.
fn erase(store: &Store, position: Position) {
    let erasure = store.append("user-1", "Erased", "{}");
    let conn = rusqlite::Connection::open(&store.path).unwrap();
    conn.execute(
        "INSERT INTO erasures(position, part, hash, event_position) VALUES (?1, 'data', zeroblob(32), ?2)",
        [position.0, erasure.0],
    )
    .unwrap();
    conn.execute(
        "UPDATE events SET data = NULL, salts = zeroblob(48) WHERE position = ?1",
        [position.0],
    )
    .unwrap();
}

/// How often a word stands in the file and in its write-ahead log.
fn bytes_of(file: &Path, word: &str) -> usize {
    let mut wal = file.as_os_str().to_owned();
    wal.push("-wal");
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    let count = |bytes: Vec<u8>| {
        let found = bytes.windows(word.len());
        found.filter(|found| *found == word.as_bytes()).count()
    };
    count(read(file)) + count(read(Path::new(&wal)))
}

/// Some hundred events in batches of their own, so that the engine merges what it wrote before; the word stands in
/// the third. Returns its position.
fn grown(store: &Store, index: &TextIndex) -> Position {
    let mut position = Position::ZERO;
    for batch in 0..48 {
        if batch == 3 {
            position = store.append("user-1", "Registered", r#"{"name":"zyzzyva"}"#);
        }
        let events: Vec<(String, String, String)> = (0..40)
            .map(|n| {
                let words = format!(r#"{{"w":"w{} v{n} u{}"}}"#, n * batch, batch + n);
                (format!("order-{n}"), "OrderPlaced".to_owned(), words)
            })
            .collect();
        store.append_all(&events);
        index.catch_up(&IndexProgress::default()).unwrap();
    }
    position
}

#[test]
fn what_was_erased_is_found_no_more() {
    let store = Store::new();
    store.append("user-1", "UserRegistered", r#"{"name":"Alice"}"#);
    store.append("user-2", "UserRegistered", r#"{"name":"Bob"}"#);
    let file = cache_of(&store.path);
    erase(&store, Position(1));
    let index = store.index();
    assert_eq!(found(&index, "alice"), [] as [u64; 0]);
    index.catch_up(&IndexProgress::default()).unwrap();
    assert_eq!(found(&index, "alice"), [] as [u64; 0]);
    assert_eq!(found(&index, "registered"), [1, 2]);
    assert_eq!(bytes_of(&file, "alice"), 0);
}

#[test]
fn a_word_that_was_erased_is_in_no_byte_of_the_cache() {
    let store = Store::new();
    let index = store.index();
    let position = grown(&store, &index);
    let file = index.view().unwrap().file.map(PathBuf::from).unwrap();
    assert!(
        bytes_of(&file, "zyzzyva") > 1,
        "copies are left behind, or this test says nothing"
    );
    erase(&store, position);
    index.catch_up(&IndexProgress::default()).unwrap();
    assert_eq!(bytes_of(&file, "zyzzyva"), 0, "while the cache is open");
    assert_eq!(found(&index, "u30").len(), 31);
    drop(index);
    assert_eq!(bytes_of(&file, "zyzzyva"), 0, "and when it is closed");
}

#[test]
fn a_purge_that_was_cut_short_is_finished_by_the_next() {
    let store = Store::new();
    let index = store.index();
    let position = grown(&store, &index);
    let file = index.view().unwrap().file.map(PathBuf::from).unwrap();
    erase(&store, position);
    let stopped = IndexProgress {
        cancel: AtomicBool::new(true),
        ..IndexProgress::default()
    };
    assert!(matches!(
        index.catch_up(&stopped),
        Err(SearchError::Cancelled)
    ));
    drop(index);
    let conn = rusqlite::Connection::open(&file).unwrap();
    let marks: u64 = conn
        .query_row("SELECT count(*) FROM purges", [], |row| row.get(0))
        .unwrap();
    assert!(marks > 0, "its words are deleted, their bytes may be there");
    drop(conn);
    let index = store.index();
    index.catch_up(&IndexProgress::default()).unwrap();
    assert_eq!(bytes_of(&file, "zyzzyva"), 0);
    let cache = index.cache.as_ref().unwrap();
    let purged = cache.purge(&AtomicBool::new(false)).unwrap();
    assert_eq!(purged, Purged::Clean, "the mark is gone");
}

#[test]
fn a_purge_that_is_kept_waiting_says_so_and_is_done_later() {
    let store = Store::new();
    let index = store.index();
    let position = grown(&store, &index);
    let file = index.view().unwrap().file.map(PathBuf::from).unwrap();
    erase(&store, position);
    let cache = index.cache.as_ref().unwrap();
    let progress = IndexProgress::default();
    progress.cancel.store(true, Ordering::Relaxed);
    let _ = index.catch_up(&progress);
    // A reader that never ends: the write-ahead log cannot be emptied under it.
    let reader = rusqlite::Connection::open(&file).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = |conn: &rusqlite::Connection| {
        let sql = "SELECT count(*) FROM parts";
        conn.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap()
    };
    count(&reader);
    let kept = cache.purge(&AtomicBool::new(false));
    assert!(kept.unwrap_err().is_busy());
    assert!(index.view().unwrap().notes[0].starts_with("what was erased may still be in"));
    drop(reader);
    assert_eq!(cache.purge(&AtomicBool::new(false)).unwrap(), Purged::Done);
    assert_eq!(bytes_of(&file, "zyzzyva"), 0);
    assert_eq!(index.view().unwrap().notes, [] as [&str; 0]);
}

#[test]
fn an_index_that_is_thrown_away_leaves_no_byte_either() {
    let store = Store::new();
    let index = store.index();
    grown(&store, &index);
    let file = index.view().unwrap().file.map(PathBuf::from).unwrap();
    let cache = index.cache.as_ref().unwrap();
    cache
        .write(|transaction| cache.clear(transaction, &crate::search::candidates::PART))
        .unwrap();
    assert_eq!(cache.purge(&AtomicBool::new(false)).unwrap(), Purged::Done);
    assert_eq!(bytes_of(&file, "zyzzyva"), 0);
}
