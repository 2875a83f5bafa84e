//! Search against the slow truth: every event of the log held against the rule, one by one.

mod erased;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::event::{Event, NewEvent, Payload};
use crate::id::{Actor, Category, EventType, StreamId};
use crate::position::Position;
use crate::store::{Direction, EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

const WORDS: [&str; 14] = [
    "Alice",
    "alice@example.com",
    "SKU-48213",
    "sku",
    "48213",
    "OrderShipped",
    "shipped",
    "Order",
    "café",
    "日本語",
    "日本",
    "12.50",
    "order-1",
    "Über",
];

struct Store {
    _folder: tempfile::TempDir,
    path: PathBuf,
    writer: LogWriter,
}

impl Store {
    fn new() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, Surroundings::system()).unwrap();
        Store {
            _folder: folder,
            path,
            writer,
        }
    }

    fn append(&self, stream: &str, event_type: &str, data: &str) -> Position {
        self.append_event(stream, NewEvent::json(event_type, data).unwrap())
    }

    fn append_event(&self, stream: &str, event: NewEvent) -> Position {
        let append = StreamAppend {
            stream: StreamId::new(stream).unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        self.writer.append(vec![append]).unwrap().head.size
    }

    /// All in one commit: stream, type, data.
    fn append_all(&self, events: &[(String, String, String)]) {
        if events.is_empty() {
            return;
        }
        let mut streams: Vec<StreamAppend> = Vec::new();
        for (name, kind, data) in events {
            let event = NewEvent::json(kind, data).unwrap();
            match streams.iter_mut().find(|s| s.stream.as_str() == name) {
                Some(append) => append.events.push(event),
                None => streams.push(StreamAppend {
                    stream: StreamId::new(name.as_str()).unwrap(),
                    category: None,
                    expected: ExpectedVersion::Any,
                    events: vec![event],
                }),
            }
        }
        self.writer.append(streams).unwrap();
    }

    fn log(&self) -> Log {
        Log::explore(&self.path).unwrap()
    }

    fn index(&self) -> TextIndex {
        TextIndex::open(&self.log(), None)
    }
}

fn parse(text: &str) -> TextQuery {
    TextQuery::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn backwards() -> EventQuery {
    EventQuery {
        direction: Direction::Backwards,
        ..EventQuery::default()
    }
}

/// Every hit of a search, page by page.
fn all_hits(index: &TextIndex, text: &TextQuery, query: &EventQuery, limit: usize) -> Vec<u64> {
    let mut query = query.clone();
    let mut hits = Vec::new();
    loop {
        let page = index.search(text, &query, limit).unwrap();
        assert!(page.hits.len() <= limit, "no page is longer than asked for");
        hits.extend(page.hits.iter().map(|hit| hit.event.position.0));
        query.after = page.next;
        if page.next.is_none() {
            return hits;
        }
    }
}

fn found(index: &TextIndex, text: &str) -> Vec<u64> {
    all_hits(index, &parse(text), &EventQuery::default(), 10)
}

/// The same, by looking at every event that the query matches.
fn by_scan(log: &Log, text: &TextQuery, query: &EventQuery) -> Vec<u64> {
    let events = log.events(query, usize::MAX).unwrap().events;
    let matching = events.iter().filter(|event| text.matches(event));
    matching.map(|event| event.position.0).collect()
}

fn word() -> impl Strategy<Value = String> {
    (0..WORDS.len()).prop_map(|i| WORDS[i].to_owned())
}

fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => word(),
        2 => word().prop_map(|w| format!("{w}*")),
        2 => (word(), word()).prop_map(|(a, b)| format!("\"{a} {b}\"")),
        3 => ("(type|stream|actor|data|metadata|key|id)", word()).prop_map(|(f, w)| format!("{f}:{w}")),
    ]
}

fn text_query() -> impl Strategy<Value = String> {
    term().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} -({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} NOT {b})")),
            inner.prop_map(|a| format!("NOT NOT ({a})")),
        ]
    })
}

fn event() -> impl Strategy<Value = (String, String, String)> {
    let value = prop_oneof![
        3 => prop::collection::vec(word(), 1..4).prop_map(|words| format!("{:?}", words.join(" "))),
        1 => Just("12.50".to_owned()),
        1 => Just("true".to_owned()),
    ];
    let fields = prop::collection::vec((word(), value), 0..4);
    let types = prop_oneof![Just("OrderShipped"), Just("OrderPlaced"), Just("Alice")];
    (0..4u8, types, fields).prop_map(|(stream, kind, fields)| {
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(key, value)| format!("{key:?}:{value}"))
            .collect();
        (
            format!("order-{stream}"),
            kind.to_owned(),
            format!("{{{}}}", fields.join(",")),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_search_finds_what_a_scan_finds(
        events in prop::collection::vec(event(), 1..40),
        later in prop::collection::vec(event(), 0..6),
        texts in prop::collection::vec(text_query(), 6),
        limit in 1usize..8,
        reverse: bool,
        filter in 0..5u8,
        known in 0u64..60,
    ) {
        let store = Store::new();
        store.append_all(&events);
        let index = store.index();
        index.catch_up(&IndexProgress::default()).unwrap();
        // Not in the index yet, and found all the same.
        store.append_all(&later);
        let query = EventQuery {
            direction: if reverse { Direction::Backwards } else { Direction::Forwards },
            stream: (filter == 1).then(|| StreamId::new("order-1").unwrap()),
            event_type: (filter == 2).then(|| EventType::new("OrderShipped").unwrap()),
            category: (filter == 3).then(|| Category::new("order").unwrap()),
            actor: (filter == 4).then(|| Actor::new("nobody").unwrap()),
            known: (known < 50).then_some(Position(known)),
            ..EventQuery::default()
        };
        for text in &texts {
            // Some only say what not to find.
            let Ok(text) = TextQuery::parse(text) else { continue };
            let want = by_scan(&store.log(), &text, &query);
            prop_assert_eq!(&all_hits(&index, &text, &query, limit), &want, "{}", text);
            let count = index.count(&text, &query).unwrap();
            prop_assert_eq!(count.count, want.len() as u64, "{}", text);
            prop_assert!(count.reach.complete);
            let positions = index.positions(&text, &query).unwrap();
            prop_assert_eq!(positions.into_iter().map(|p| p.0).collect::<Vec<_>>(), want);
        }
    }
}

#[test]
fn names_values_and_digits_are_found() {
    let store = Store::new();
    store.append(
        "order-789",
        "OrderShipped",
        r#"{"to":"Zo\u00eb O'Brien","total":1234.50,"id":9007199254740993}"#,
    );
    store.append(
        "user-1",
        "UserRegistered",
        r#"{"email":"john.doe@example.com","tags":["a b","c"],"vip":true}"#,
    );
    let text = NewEvent {
        data: Payload {
            content_type: "text/plain".into(),
            bytes: "a plain text, 日本語も".into(),
        },
        ..NewEvent::json("NoteTaken", "{}").unwrap()
    };
    store.append_event("note-1", text);
    let index = store.index();
    index.catch_up(&IndexProgress::default()).unwrap();
    for (text, want) in [
        ("zoe", &[1][..]),
        ("o'brien", &[1]),
        ("order-789", &[1]),
        ("shipped", &[1]),
        ("ordershipped", &[1]),
        ("9007199254740993", &[1]),
        ("1234.50", &[1]),
        ("1234.5", &[]),
        ("123*", &[1]),
        ("john.doe@example.com", &[2]),
        ("example", &[2]),
        ("xample", &[]),
        ("true", &[2]),
        ("email", &[]),
        ("key:email", &[2]),
        ("key:tot*", &[1]),
        ("\"a b\"", &[2]),
        ("\"b c\"", &[]),
        ("plain", &[3]),
        ("日本", &[3]),
        ("本日", &[]),
        ("type:user*", &[2]),
        ("stream:user", &[2]),
        ("a OR zoe", &[1, 2, 3]),
        ("a -plain", &[2]),
        ("data:user", &[]),
    ] {
        assert_eq!(found(&index, text), want, "{text}");
    }
}

#[test]
fn marks_stand_where_the_words_stand() {
    let store = Store::new();
    let long = format!(
        "{} shipped to ALICE Smith {}",
        "x ".repeat(200),
        "y ".repeat(200)
    );
    store.append(
        "order-1",
        "OrderShipped",
        &format!(r#"{{"a":{{"b c":["SKU-48213 and sku 48213"]}},"note":"{long}"}}"#),
    );
    let index = store.index();
    let view = index
        .search(&parse("SKU-48213 alice shipped"), &backwards(), 5)
        .unwrap();
    let hit = &view.hits[0];
    let shown: Vec<String> = hit
        .matches
        .iter()
        .map(|found| {
            let pieces: String = found
                .snippet
                .iter()
                .map(|piece| {
                    if piece.marked {
                        format!("[{}]", piece.text)
                    } else {
                        piece.text.clone()
                    }
                })
                .collect();
            format!(
                "{:?} {} {pieces} {} {}",
                found.part, found.path, found.cut_before, found.cut_after
            )
        })
        .collect();
    assert_eq!(shown[0], "Type  Order[Shipped] false false");
    assert_eq!(
        shown[1],
        "Data a[\"b c\"][0] [SKU-48213] and [sku 48213] false false"
    );
    assert!(shown[2].starts_with("Data note x x"), "{}", shown[2]);
    assert!(
        shown[2].contains("[shipped] to [ALICE] Smith y"),
        "{}",
        shown[2]
    );
    assert!(shown[2].ends_with("true true"), "{}", shown[2]);
}

#[test]
fn a_long_tail_that_is_not_indexed_is_told() {
    let store = Store::new();
    let events: Vec<NewEvent> = (0..6_000)
        .map(|_| NewEvent::json("Ticked", r#"{"w":"tick"}"#).unwrap())
        .collect();
    store.append("clock-1", "Ticked", r#"{"w":"tick"}"#);
    let index = store.index();
    index.catch_up(&IndexProgress::default()).unwrap();
    let append = StreamAppend {
        stream: StreamId::new("clock-1").unwrap(),
        category: None,
        expected: ExpectedVersion::Any,
        events,
    };
    store.writer.append(vec![append]).unwrap();
    let view = index.search(&parse("tick"), &backwards(), 5).unwrap();
    assert_eq!(
        (view.reach.searched_to, view.reach.head, view.reach.complete),
        (Position(1), Position(6_001), false)
    );
    assert_eq!(
        index
            .count(&parse("tick"), &EventQuery::default())
            .unwrap()
            .count,
        1
    );
    // An export leaves nothing out.
    let everything = index
        .positions(&parse("tick"), &EventQuery::default())
        .unwrap();
    assert_eq!(everything.len(), 6_001);
    index.catch_up(&IndexProgress::default()).unwrap();
    let view = index.search(&parse("tick"), &backwards(), 5).unwrap();
    assert!(view.reach.complete);
    assert_eq!(
        index
            .count(&parse("tick"), &EventQuery::default())
            .unwrap()
            .count,
        6_001
    );
}

#[test]
fn a_cancelled_build_goes_on_where_it_was() {
    let store = Store::new();
    for i in 0..50 {
        store.append("a-1", "T", &format!(r#"{{"n":{i}}}"#));
    }
    let index = store.index();
    let progress = IndexProgress::default();
    progress
        .cancel
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(
        index.catch_up(&progress),
        Err(SearchError::Cancelled)
    ));
    assert_eq!(found(&index, "49"), [50]);
    index.catch_up(&IndexProgress::default()).unwrap();
    assert_eq!(index.view().unwrap().covered, Position(50));
    assert_eq!(found(&index, "49"), [50]);
}

#[test]
fn a_build_asks_before_it_goes_on() {
    let store = Store::new();
    store.append("order-1", "OrderPlaced", r#"{"sku":"48213"}"#);
    let log = Log::explore(&store.path).unwrap();
    let index = TextIndex::open(&log, None);
    let asked = std::cell::Cell::new(0);
    let between = || {
        assert_eq!(index.view().unwrap().covered, Position::ZERO);
        // While it rests others write to the cache.
        let file = index.view().unwrap().file.unwrap();
        let conn = rusqlite::Connection::open(file).unwrap();
        conn.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
        asked.set(asked.get() + 1);
    };
    let progress = IndexProgress::default();
    index.catch_up_between(&progress, &between).unwrap();
    assert_eq!((asked.get(), found(&index, "48213").len()), (1, 1));
    index.catch_up_between(&progress, &between).unwrap();
    assert_eq!(asked.get(), 1, "nothing was to be done");
}

#[test]
fn two_builders_share_the_work_and_lose_nothing() {
    let store = Store::new();
    let events: Vec<NewEvent> = (0..3_000)
        .map(|i| NewEvent::json("T", &format!(r#"{{"n":"n{i}"}}"#)).unwrap())
        .collect();
    let append = StreamAppend {
        stream: StreamId::new("a-1").unwrap(),
        category: None,
        expected: ExpectedVersion::Any,
        events,
    };
    store.writer.append(vec![append]).unwrap();
    let indexes: Vec<TextIndex> = (0..3).map(|_| store.index()).collect();
    std::thread::scope(|scope| {
        for index in &indexes {
            scope.spawn(|| index.catch_up(&IndexProgress::default()).unwrap());
        }
    });
    for index in &indexes {
        assert_eq!(index.view().unwrap().covered, Position(3_000));
        assert_eq!(
            index
                .count(&parse("n*"), &EventQuery::default())
                .unwrap()
                .count,
            3_000
        );
        assert_eq!(found(index, "n2999"), [3_000]);
    }
}

/// The cache file of a store, closed.
fn cache_of(path: &Path) -> PathBuf {
    let index = TextIndex::open(&Log::explore(path).unwrap(), None);
    index.catch_up(&IndexProgress::default()).unwrap();
    PathBuf::from(index.view().unwrap().file.unwrap())
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let store = Store::new();
    store.append("a-1", "T", r#"{"w":"needle"}"#);
    let file = cache_of(&store.path);
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[4096..].iter_mut().for_each(|byte| *byte = !*byte);
    for (what, bytes) in [
        ("no database", b"not a database at all".to_vec()),
        ("empty", Vec::new()),
        ("cut off", whole[..whole.len() / 2].to_vec()),
        ("every byte after the first page flipped", flipped),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let index = store.index();
        index.catch_up(&IndexProgress::default()).unwrap();
        assert_eq!(found(&index, "needle"), [1], "{what}");
        assert_eq!(index.view().unwrap().covered, Position(1), "{what}");
        if what != "empty" {
            assert!(!index.view().unwrap().notes.is_empty(), "{what} is told");
        }
    }
}

/// Whatever lies there under the cache's name may be somebody's work.
#[test]
fn a_database_of_another_program_is_left_and_the_cache_lies_elsewhere() {
    for mark in ["", "PRAGMA application_id = 7;"] {
        let store = Store::new();
        store.append("a-1", "T", r#"{"w":"needle"}"#);
        let file = cache_of(&store.path);
        std::fs::remove_file(&file).unwrap();
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(&format!(
            "{mark} CREATE TABLE t(x); INSERT INTO t VALUES (1)"
        ))
        .unwrap();
        drop(conn);
        let before = std::fs::read(&file).unwrap();
        let index = store.index();
        index.catch_up(&IndexProgress::default()).unwrap();
        assert_eq!(found(&index, "needle"), [1]);
        let view = index.view().unwrap();
        assert_ne!(view.file.as_deref(), file.to_str());
        let told = view.notes.iter().any(|n| n.contains("another program"));
        assert!(told, "{:?}", view.notes);
        assert!(
            std::fs::read(&file).unwrap() == before,
            "not a byte changed"
        );
    }
}

#[test]
fn a_cache_damaged_under_a_search_is_replaced() {
    let store = Store::new();
    for i in 0..200 {
        store.append("a-1", "T", &format!(r#"{{"w":"needle n{i}"}}"#));
    }
    let file = cache_of(&store.path);
    let index = store.index();
    assert_eq!(
        index
            .count(&parse("needle"), &EventQuery::default())
            .unwrap()
            .count,
        200
    );
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096..].iter_mut().for_each(|byte| *byte = 0xA5);
    std::fs::write(&file, bytes).unwrap();
    let fresh = store.index();
    assert_eq!(found(&fresh, "n199"), [200]);
    // Thrown away by hand, while it is open.
    std::fs::remove_file(&file).unwrap();
    assert_eq!(found(&index, "n199"), [200]);
    assert_eq!(found(&fresh, "n199"), [200]);
}

#[test]
fn another_log_under_the_same_id_is_not_believed() {
    let store = Store::new();
    for i in 0..300 {
        store.append("a-1", "T", &format!(r#"{{"w":"common n{i}"}}"#));
    }
    store.writer.close().unwrap();
    let copy = store.path.with_extension("copy");
    std::fs::copy(&store.path, &copy).unwrap();
    let older = std::fs::read(&copy).unwrap();
    let surroundings = Surroundings::system;
    let write = |path: &Path, word: &str| {
        let writer = LogWriter::open(path, surroundings()).unwrap();
        let append = StreamAppend {
            stream: StreamId::new("a-1").unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::json("T", &format!(r#"{{"w":"{word}"}}"#)).unwrap()],
        };
        writer.append(vec![append]).unwrap();
        writer.close().unwrap();
    };
    write(&store.path, "apple");
    cache_of(&store.path);
    // The copy went another way from position 301 on.
    write(&copy, "pear");
    write(&copy, "plum");
    std::fs::copy(&copy, &store.path).unwrap();
    let index = TextIndex::open(&Log::explore(&store.path).unwrap(), None);
    assert_eq!(index.view().unwrap().covered, Position::ZERO);
    assert!(index.view().unwrap().notes[0].contains("did not fit the log"));
    index.catch_up(&IndexProgress::default()).unwrap();
    assert_eq!(found(&index, "apple"), [] as [u64; 0]);
    assert_eq!(found(&index, "pear OR plum"), [301, 302]);
    drop(index);
    // An older copy, shorter than what the cache reaches.
    std::fs::write(&store.path, &older).unwrap();
    let index = TextIndex::open(&Log::explore(&store.path).unwrap(), None);
    assert!(index.view().unwrap().notes[0].contains("did not fit the log"));
    assert_eq!(found(&index, "plum"), [] as [u64; 0]);
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_to_has_its_cache_elsewhere() {
    use std::os::unix::fs::PermissionsExt;
    let store = Store::new();
    store.append("a-1", "T", r#"{"w":"needle"}"#);
    // In place of the folder lies a file, so that nobody can make the folder, root included.
    std::fs::write(format!("{}.d", store.path.display()), "").unwrap();
    let caches = tempfile::tempdir().unwrap();
    let index = TextIndex::open(&store.log(), Some(caches.path()));
    index.catch_up(&IndexProgress::default()).unwrap();
    let view = index.view().unwrap();
    let folder = caches.path().join(store.log().id().0.to_string());
    assert_eq!(
        view.file,
        Some(folder.join("cache.sqlite").display().to_string())
    );
    assert!(view.notes[0].contains("cannot be used"));
    assert_eq!(found(&index, "needle"), [1]);
    // Neither of the two.
    let file = caches.path().join("file");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    let index = TextIndex::open(&store.log(), Some(&file));
    index.catch_up(&IndexProgress::default()).unwrap();
    assert_eq!(found(&index, "needle"), [1]);
    let temporary = PathBuf::from(index.view().unwrap().file.unwrap());
    drop(index);
    assert!(!temporary.exists(), "a temporary cache goes with its index");
}

#[test]
fn ranges_of_time_and_of_positions_hold_for_hits() {
    let store = Store::new();
    for day in 1..=20 {
        let mut event = NewEvent::json("T", r#"{"w":"needle"}"#).unwrap();
        let time = Time::parse_rfc3339(&format!("2024-01-{day:02}T00:00:00Z")).unwrap();
        event.time = Some(SourceTime::unwritten(time));
        store.append_event("a-1", event);
    }
    let index = store.index();
    index.catch_up(&IndexProgress::default()).unwrap();
    let query = EventQuery {
        from: Time::parse_rfc3339("2024-01-05T00:00:00Z").ok(),
        to: Time::parse_rfc3339("2024-01-09T00:00:00Z").ok(),
        known: Some(Position(8)),
        ..backwards()
    };
    let view = index.search(&parse("needle"), &query, 2).unwrap();
    assert_eq!(
        view.hits
            .iter()
            .map(|h| h.event.position.0)
            .collect::<Vec<_>>(),
        [8, 7]
    );
    assert_eq!(
        (view.next, view.reach.head),
        (Some(Position(7)), Position(8))
    );
    assert_eq!(index.count(&parse("needle"), &query).unwrap().count, 4);
}

#[test]
fn a_subscription_holds_back_what_does_not_match() {
    let store = Store::new();
    let mut coming = store.log().subscribe_to(EventQuery {
        event_type: Some(EventType::new("B").unwrap()),
        ..EventQuery::default()
    });
    for kind in ["A", "B", "A", "B", "A"] {
        store.append("a-1", kind, "{}");
    }
    let taken: Vec<Event> = std::iter::from_fn(|| {
        let events = coming.next(1, 0).unwrap();
        (!events.is_empty()).then_some(events)
    })
    .flatten()
    .collect();
    assert_eq!(
        taken.iter().map(|e| e.position.0).collect::<Vec<_>>(),
        [2, 4]
    );
}
