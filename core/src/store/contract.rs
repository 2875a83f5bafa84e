//! What every store must do, whatever engine is under it. Each engine's tests call [`suite`] with a way to
//! make an empty log.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::event::{Event, NewLink, Payload};
use crate::id::{Actor, EventId, EventType};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

mod model;

/// An empty log and the folder that holds it.
pub(super) struct Fresh {
    pub(super) writer: LogWriter,
    /// Removed with everything in it when the test ends.
    pub(super) _folder: tempfile::TempDir,
}

/// Makes an empty log.
pub(super) type Make<'m> = &'m dyn Fn(Surroundings) -> Fresh;

/// Runs the whole suite.
pub(super) fn suite(make: Make) {
    for test in [
        versions_and_positions_are_dense,
        a_wrong_expectation_names_expected_and_actual,
        one_append_touches_several_streams_or_none,
        a_retry_with_the_same_ids_writes_nothing,
        an_id_with_other_content_is_refused,
        an_id_taken_in_one_append_is_told_with_its_position,
        the_first_event_fixes_the_category,
        one_append_gives_a_stream_one_category,
        each_stream_may_be_a_category_of_its_own,
        a_linked_event_stands_in_both_streams,
        every_field_comes_back_as_it_was_given,
        uuids_and_times_come_back_as_they_were_given,
        recording_times_never_decrease,
        what_was_known_at_a_time,
        a_subscription_catches_up_then_follows,
        writers_with_expected_versions_lose_no_update,
        a_bulk_append_is_all_or_nothing,
        a_bulk_append_again_adds_nothing,
        a_bulk_append_keeps_reused_ids_apart,
        one_event_whole_shows_its_neighbours,
        payloads_over_the_limit_are_refused,
        the_tree_is_over_the_leaves,
        questions_to_an_empty_log_have_answers,
    ] {
        test(make);
    }
    model::answers_agree_with_a_plain_list(make);
}

pub(super) fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

pub(super) fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

pub(super) fn event(event_type: &str, data: &str) -> NewEvent {
    NewEvent::json(event_type, data).unwrap()
}

pub(super) fn with_id(id: &str, event_type: &str, data: &str) -> NewEvent {
    NewEvent {
        id: Some(EventId::new(id).unwrap()),
        ..event(event_type, data)
    }
}

pub(super) fn batch(name: &str, expected: ExpectedVersion, events: Vec<NewEvent>) -> StreamAppend {
    StreamAppend {
        stream: stream(name),
        category: None,
        expected,
        events,
    }
}

/// A clock and random source that come out the same every time.
pub(super) fn fixed() -> Surroundings {
    Surroundings::fixed(at("2024-01-15T00:00:00Z"), 1)
}

fn places(appended: &Appended) -> Vec<(u64, u64, bool)> {
    let each = appended.events.iter();
    each.map(|e| (e.position.0, e.version.0, e.duplicate))
        .collect()
}

fn size(log: &Log) -> u64 {
    log.head().unwrap().size.0
}

fn versions_and_positions_are_dense(make: Make) {
    let fresh = make(fixed());
    let append = |name: &str, count: usize| {
        let events = (0..count).map(|_| event("Happened", "{}")).collect();
        places(
            &fresh
                .writer
                .append(vec![batch(name, ExpectedVersion::Any, events)])
                .unwrap(),
        )
    };
    assert_eq!(append("a-1", 2), [(1, 1, false), (2, 2, false)]);
    assert_eq!(append("b-1", 1), [(3, 1, false)]);
    assert_eq!(append("a-1", 1), [(4, 3, false)]);
    assert_eq!(append("a-1", 0), []);
    let log = fresh.writer.log();
    let read = |direction| {
        let all = Version(1)..=Version(u64::MAX);
        let page = log.read_stream(&stream("a-1"), all, direction, 10).unwrap();
        page.iter()
            .map(|e| (e.version.0, e.event.position.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(read(Direction::Forwards), [(1, 1), (2, 2), (3, 4)]);
    assert_eq!(read(Direction::Backwards), [(3, 4), (2, 2), (1, 1)]);
    assert_eq!(size(&log), 4);
}

fn a_wrong_expectation_names_expected_and_actual(make: Make) {
    let fresh = make(fixed());
    let append = |expected| {
        let events = vec![event("Happened", "{}")];
        fresh.writer.append(vec![batch("a-1", expected, events)])
    };
    let conflict = |result: Result<Appended, AppendError>| match result {
        Err(AppendError::VersionConflict { actual, .. }) => actual.0,
        other => panic!("no conflict: {other:?}"),
    };
    assert_eq!(conflict(append(ExpectedVersion::Exact(Version(1)))), 0);
    append(ExpectedVersion::NoStream).unwrap();
    let refused = append(ExpectedVersion::NoStream);
    assert_eq!(
        refused.as_ref().unwrap_err().to_string(),
        "stream a-1 is at version 1, expected was no stream"
    );
    assert_eq!(conflict(refused), 1);
    append(ExpectedVersion::Exact(Version(1))).unwrap();
    assert_eq!(conflict(append(ExpectedVersion::Exact(Version(1)))), 2);
    assert_eq!(size(&fresh.writer.log()), 2);
}

fn one_append_touches_several_streams_or_none(make: Make) {
    let fresh = make(fixed());
    let both = |b| {
        fresh.writer.append(vec![
            batch("a-1", ExpectedVersion::NoStream, vec![event("Out", "{}")]),
            batch("b-1", b, vec![event("In", "{}")]),
        ])
    };
    assert!(both(ExpectedVersion::Exact(Version(7))).is_err());
    assert_eq!(fresh.writer.log().stream(&stream("a-1")).unwrap(), None);
    let done = both(ExpectedVersion::NoStream).unwrap();
    assert_eq!(places(&done), [(1, 1, false), (2, 1, false)]);
}

fn a_retry_with_the_same_ids_writes_nothing(make: Make) {
    let fresh = make(fixed());
    let first = || {
        let events = vec![with_id("e1", "A", r#"{"n":1}"#), with_id("e2", "B", "{}")];
        batch("a-1", ExpectedVersion::NoStream, events)
    };
    let done = fresh.writer.append(vec![first()]).unwrap();
    let again = fresh.writer.append(vec![first()]).unwrap();
    assert_eq!(places(&again), [(1, 1, true), (2, 2, true)]);
    assert_eq!(again.head, done.head);
    let mixed = batch(
        "a-1",
        ExpectedVersion::Exact(Version(2)),
        vec![
            with_id("e2", "B", "{}"),
            with_id("e3", "C", "{}"),
            with_id("e3", "C", "{}"),
        ],
    );
    let mixed = fresh.writer.append(vec![mixed]).unwrap();
    assert_eq!(places(&mixed), [(2, 2, true), (3, 3, false), (3, 3, true)]);
    assert_eq!(size(&fresh.writer.log()), 3);
}

fn an_id_with_other_content_is_refused(make: Make) {
    let fresh = make(fixed());
    let append = |name: &str, event: NewEvent| {
        fresh
            .writer
            .append(vec![batch(name, ExpectedVersion::Any, vec![event])])
    };
    append("a-0", event("Before", "{}")).unwrap();
    let held = NewEvent {
        time: Some(SourceTime::unwritten(at("2024-01-01T00:00:00Z"))),
        ..with_id("e1", "A", "{}")
    };
    append("a-1", held.clone()).unwrap();
    let others = [
        ("a-2", held.clone()),
        (
            "a-1",
            NewEvent {
                event_type: EventType::new("B").unwrap(),
                ..held.clone()
            },
        ),
        (
            "a-1",
            NewEvent {
                data: Payload::json("{ }").unwrap(),
                ..held.clone()
            },
        ),
        (
            "a-1",
            NewEvent {
                metadata: Some(Payload::json("{}").unwrap()),
                ..held.clone()
            },
        ),
        (
            "a-1",
            NewEvent {
                schema_version: Some("2".into()),
                ..held.clone()
            },
        ),
        (
            "a-1",
            NewEvent {
                time: Some(SourceTime::unwritten(at("2024-01-02T00:00:00Z"))),
                ..held.clone()
            },
        ),
        (
            "a-1",
            NewEvent {
                links: vec![NewLink {
                    stream: stream("b-1"),
                    qualifier: String::new(),
                }],
                ..held.clone()
            },
        ),
    ];
    for (name, other) in others {
        match append(name, other.clone()) {
            Err(AppendError::IdTaken { id, position }) => {
                assert_eq!((id.as_str(), position), ("e1", Position(2)));
            }
            result => panic!("{other:?} in {name}: {result:?}"),
        }
    }
    let twice = vec![with_id("x", "A", "{}"), with_id("x", "B", "{}")];
    let twice = fresh
        .writer
        .append(vec![batch("a-1", ExpectedVersion::Any, twice)]);
    assert!(matches!(twice, Err(AppendError::IdTaken { .. })));
    assert_eq!(size(&fresh.writer.log()), 2);
}

/// Events that stand in the log already, or twice in the append, were counted as new ones.
fn an_id_taken_in_one_append_is_told_with_its_position(make: Make) {
    let fresh = make(fixed());
    let append = |events| {
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events)])
    };
    let held = || with_id("held", "A", "{}");
    append(vec![held(), event("B", "{}")]).unwrap();
    let taken = |events| match append(events) {
        Err(AppendError::IdTaken { position, .. }) => position,
        other => panic!("not refused: {other:?}"),
    };
    let new = |data: &str| with_id("new", "C", data);
    assert_eq!(taken(vec![held(), new("{}"), new("[]")]), Position(3));
    assert_eq!(
        taken(vec![
            new("{}"),
            new("{}"),
            with_id("x", "D", "{}"),
            with_id("x", "E", "{}")
        ]),
        Position(4)
    );
    assert_eq!(
        taken(vec![event("F", "{}"), held(), with_id("held", "G", "{}")]),
        Position(1)
    );
}

/// The second of two categories for one new stream was ignored.
fn one_append_gives_a_stream_one_category(make: Make) {
    let fresh = make(fixed());
    let part = |name: &str, category: Option<&str>, events: Vec<NewEvent>| StreamAppend {
        category: category.map(|c| Category::new(c).unwrap()),
        ..batch(name, ExpectedVersion::Any, events)
    };
    let one = || vec![event("A", "{}")];
    let linked = NewEvent {
        links: vec![NewLink {
            stream: stream("item-1"),
            qualifier: "item".into(),
        }],
        ..event("A", "{}")
    };
    for (first, second) in [
        (part("s-1", Some("x"), one()), part("s-1", Some("y"), one())),
        (part("s-1", None, one()), part("s-1", Some("y"), one())),
        (
            part("o-1", None, vec![linked]),
            part("item-1", Some("y"), one()),
        ),
    ] {
        let refused = fresh.writer.append(vec![first, second]);
        assert!(
            matches!(refused, Err(AppendError::CategoryConflict { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(fresh.writer.log().head().unwrap().size, Position::ZERO);
    for (first, second) in [
        (part("s-1", Some("x"), one()), part("s-1", None, one())),
        (part("s-2", None, one()), part("s-2", Some("s"), one())),
        (
            part("s-3", Some("x"), vec![]),
            part("s-3", Some("y"), one()),
        ),
    ] {
        fresh.writer.append(vec![first, second]).unwrap();
    }
}

/// Streams that are named by random ids are that; their number must not decide whether they are counted right.
fn each_stream_may_be_a_category_of_its_own(make: Make) {
    let fresh = make(fixed());
    let name = |n: u32| format!("{n:04x}-{n}");
    let mut appended = std::collections::BTreeMap::new();
    for round in 0..9_u32 {
        // New ones, and one of each round before.
        let new = round * 20..round * 20 + 20;
        let parts = new.chain((0..round).map(|r| r * 20 + round)).map(|n| {
            *appended.entry(format!("{n:04x}")).or_insert(0) += 1;
            batch(&name(n), ExpectedVersion::Any, vec![event("A", "{}")])
        });
        fresh.writer.append(parts.collect()).unwrap();
    }
    let mut rows = fresh.writer.log().info().unwrap().categories;
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let expected = appended.into_iter().map(|(name, events)| CategoryRow {
        name,
        streams: 1,
        events,
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

fn the_first_event_fixes_the_category(make: Make) {
    let fresh = make(fixed());
    let append = |category: Option<&str>| {
        fresh.writer.append(vec![StreamAppend {
            category: category.map(|c| Category::new(c).unwrap()),
            ..batch("order-1", ExpectedVersion::Any, vec![event("A", "{}")])
        }])
    };
    append(Some("purchase")).unwrap();
    append(None).unwrap();
    let error = append(Some("order")).unwrap_err().to_string();
    assert_eq!(
        error,
        "stream order-1 belongs to category purchase, not order"
    );
    let info = fresh.writer.log().info().unwrap();
    assert_eq!(
        info.categories,
        [CategoryRow {
            name: "purchase".into(),
            streams: 1,
            events: 2
        }]
    );
}

fn a_linked_event_stands_in_both_streams(make: Make) {
    let fresh = make(fixed());
    let linked = |links: &[(&str, &str)]| NewEvent {
        links: links
            .iter()
            .map(|(name, qualifier)| NewLink {
                stream: stream(name),
                qualifier: (*qualifier).into(),
            })
            .collect(),
        ..event("Paid", "{}")
    };
    let append = |name: &str, event: NewEvent| {
        fresh
            .writer
            .append(vec![batch(name, ExpectedVersion::Any, vec![event])])
    };
    append("customer-1", event("Joined", "{}")).unwrap();
    append(
        "order-1",
        linked(&[("customer-1", "payer"), ("bank-9", "")]),
    )
    .unwrap();
    for twice in [&[("order-1", "")][..], &[("x", "a"), ("x", "b")]] {
        let refused = append("order-1", linked(twice));
        assert!(
            matches!(refused, Err(AppendError::LinkedTwice { .. })),
            "{refused:?}"
        );
    }
    let log = fresh.writer.log();
    let all = Version(1)..=Version(9);
    let history = log
        .read_stream(&stream("customer-1"), all, Direction::Forwards, 9)
        .unwrap();
    let linked = &history[1];
    assert_eq!(
        (linked.version, linked.qualifier.as_str()),
        (Version(2), "payer")
    );
    assert_eq!(linked.event.version, Version(1));
    assert_eq!(linked.event.stream, Some(stream("order-1")));
    let row = log.stream(&stream("customer-1")).unwrap().unwrap();
    assert_eq!(row.events, 2);
    let links = log.detail(Position(2)).unwrap().unwrap().links;
    let links: Vec<_> = links
        .iter()
        .map(|l| (l.stream.as_str(), l.version.0))
        .collect();
    assert_eq!(links, [("bank-9", 1), ("customer-1", 2)]);
    let query = EventQuery {
        stream: Some(stream("bank-9")),
        ..EventQuery::default()
    };
    assert_eq!(log.count(&query).unwrap(), 1);
    let orders = EventQuery {
        category: Some(Category::new("bank").unwrap()),
        ..EventQuery::default()
    };
    assert_eq!(
        log.count(&orders).unwrap(),
        0,
        "the category is that of the home stream"
    );
}

fn every_field_comes_back_as_it_was_given(make: Make) {
    let fresh = make(fixed());
    let full = NewEvent {
        id: Some(EventId::new("🦀\0\u{202e}").unwrap()),
        time: Some(SourceTime {
            time: Time::from_parts(-1, 999).unwrap(),
            text: Some(" 1969 ".into()),
            date_only: true,
            zone_assumed: true,
            ambiguous: true,
        }),
        schema_version: Some(String::new()),
        data: Payload {
            content_type: "text/plain".into(),
            bytes: vec![0xff, 0],
        },
        metadata: Some(
            Payload::json(r#"{"userId":"ünï","correlationId":"c","causationId":12.50}"#).unwrap(),
        ),
        source: crate::event::SourceFields {
            source: Some("s".into()),
            source_id: Some("i".into()),
            source_version: Some("007".into()),
            source_position: Some("p".into()),
            source_recorded_at: Some(at("2020-02-29T23:59:59.999999999Z")),
        },
        ..event("Größe geändert", "{}")
    };
    let appended = fresh
        .writer
        .append(vec![batch(
            "büro-☃",
            ExpectedVersion::Any,
            vec![full.clone()],
        )])
        .unwrap();
    let log = fresh.writer.log();
    let got = log.event(Position(1)).unwrap().unwrap();
    assert_eq!(
        log.event_by_id(full.id.as_ref().unwrap()).unwrap().as_ref(),
        Some(&got)
    );
    assert_eq!(appended.head.root, got.leaf, "a tree of one leaf");
    assert_eq!(got.id, full.id);
    assert_eq!(Some(got.time), full.time);
    assert_eq!(got.schema_version, full.schema_version);
    assert_eq!(got.data, Some(full.data));
    assert_eq!(got.metadata, full.metadata);
    assert_eq!(got.source, full.source);
    assert_eq!(got.event_type, full.event_type);
    assert_eq!(got.category.unwrap().as_str(), "büro");
    assert_eq!(got.actor, Some(Actor::new("ünï").unwrap()));
    assert_eq!(got.correlation.as_deref(), Some("c"));
    assert_eq!(got.causation.as_deref(), Some("12.50"));
    assert_eq!(got.erased, []);
}

fn uuids_and_times_come_back_as_they_were_given(make: Make) {
    let fresh = make(fixed());
    let id = |last: char| format!("018d0c2a-7e1f-7abc-8def-0123456789a{last}");
    let (a, b, c) = (id('a'), id('b'), id('c'));
    let texts = [
        (a.clone(), "2024-01-15T10:30:00Z"),
        (a.to_uppercase(), "2024-01-15T10:30:00+00:00"),
        (a.replace('-', ""), "2024-01-15T10:30:00.000000001Z"),
    ];
    let given = texts.map(|(own, time)| NewEvent {
        id: Some(EventId::new(own.clone()).unwrap()),
        time: Some(SourceTime::parse(time, chrono_tz::Tz::UTC).unwrap()),
        metadata: Some(
            Payload::json(format!(
                r#"{{"correlationId":"{own}","causationId":"{b}"}}"#
            ))
            .unwrap(),
        ),
        source: crate::event::SourceFields {
            source: Some("s".into()),
            source_id: Some(c.clone()),
            ..Default::default()
        },
        ..event("A", "{}")
    });
    let append = |events: &[NewEvent]| {
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events.to_vec())])
    };
    append(&given).unwrap();
    let log = fresh.writer.log();
    for (n, given) in given.iter().enumerate() {
        let id = given.id.as_ref().unwrap();
        let got = log.event_by_id(id).unwrap().unwrap();
        assert_eq!(got.position, Position(n as u64 + 1));
        assert_eq!((&got.id, &got.source), (&given.id, &given.source));
        assert_eq!(Some(&got.time), given.time.as_ref());
        assert_eq!(got.correlation.as_deref(), Some(id.as_str()));
        assert_eq!(got.causation.as_ref(), Some(&b));
        let query = EventQuery {
            correlation: Some(id.as_str().to_owned()),
            ..EventQuery::default()
        };
        assert_eq!(log.count(&query).unwrap(), 1);
        assert_eq!(log.events(&query, 9).unwrap().events, [got]);
    }
    // A retry is told by the id in whatever form it is kept, and so is another event under it.
    let again = append(&given).unwrap();
    assert!(again.events.iter().all(|event| event.duplicate));
    let other = NewEvent {
        data: Payload::json("[1]").unwrap(),
        ..given[0].clone()
    };
    assert!(matches!(
        append(&[other]),
        Err(AppendError::IdTaken {
            position: Position(1),
            ..
        })
    ));
    let mut bulk = fresh.writer.bulk("s", &Extraction::standard()).unwrap();
    for given in given {
        let added = bulk.add(&stream("a-1"), None, given).unwrap();
        assert!(matches!(added, BulkOutcome::Duplicate(_)));
    }
    bulk.commit().unwrap();
}

/// A clock that the test moves.
fn movable() -> (Arc<AtomicI64>, Surroundings) {
    let seconds = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&seconds);
    let surroundings = Surroundings {
        clock: Arc::new(move || {
            Time::from_parts(clock.load(Ordering::SeqCst) * 1_000_000, 0).unwrap()
        }),
        ..fixed()
    };
    (seconds, surroundings)
}

fn recording_times_never_decrease(make: Make) {
    let (seconds, surroundings) = movable();
    let fresh = make(surroundings);
    for now in [100, 50, 200] {
        seconds.store(now, Ordering::SeqCst);
        let events = vec![event("A", "{}")];
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events)])
            .unwrap();
    }
    let page = fresh
        .writer
        .log()
        .events(&EventQuery::default(), 10)
        .unwrap();
    let recorded = page.events.iter().map(|e| e.recorded_at.us() / 1_000_000);
    assert_eq!(recorded.collect::<Vec<_>>(), [100, 100, 200]);
    let times = page.events.iter().map(|e| e.time.time.us() / 1_000_000);
    assert_eq!(times.collect::<Vec<_>>(), [100, 50, 200]);
}

fn what_was_known_at_a_time(make: Make) {
    let (seconds, surroundings) = movable();
    let fresh = make(surroundings);
    for now in [10, 20, 20, 30] {
        seconds.store(now, Ordering::SeqCst);
        let events = vec![event("A", "{}")];
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events)])
            .unwrap();
    }
    let known = |second: i64| {
        let time = Time::from_parts(second * 1_000_000, 0).unwrap();
        fresh.writer.log().known_at(time).unwrap().0
    };
    let known: Vec<_> = [9, 10, 19, 20, 29, 30, 99].map(known).into();
    assert_eq!(known, [0, 1, 1, 3, 3, 4, 4]);
}

fn a_subscription_catches_up_then_follows(make: Make) {
    let fresh = make(fixed());
    let append = |count: usize| {
        let events = (0..count).map(|_| event("A", "{}")).collect();
        fresh
            .writer
            .append(vec![batch("a-1", ExpectedVersion::Any, events)])
            .unwrap();
    };
    append(3);
    let mut coming = fresh.writer.log().subscribe(Position(1));
    let positions = |events: Vec<Event>| events.iter().map(|e| e.position.0).collect::<Vec<_>>();
    assert_eq!(positions(coming.next(1, 0).unwrap()), [2]);
    assert_eq!(positions(coming.next(10, 0).unwrap()), [3]);
    assert_eq!(positions(coming.next(10, 0).unwrap()), [0; 0]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| coming.next(10, 60_000).unwrap());
        append(2);
        let got = positions(waiting.join().unwrap());
        assert!(got.starts_with(&[4]), "{got:?}");
    });
}

fn writers_with_expected_versions_lose_no_update(make: Make) {
    const WRITERS: usize = 8;
    const EACH: usize = 20;
    let fresh = make(fixed());
    let writer = &fresh.writer;
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(move || {
                let mut done = 0;
                let mut expected = Version::NONE;
                while done < EACH {
                    let append = StreamAppend {
                        expected: ExpectedVersion::Exact(expected),
                        ..batch(
                            "counter",
                            ExpectedVersion::Any,
                            vec![event("Counted", "{}")],
                        )
                    };
                    match writer.append(vec![append]) {
                        Ok(appended) => {
                            expected = appended.events[0].version;
                            done += 1;
                        }
                        Err(AppendError::VersionConflict { actual, .. }) => expected = actual,
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    let row = writer.log().stream(&stream("counter")).unwrap().unwrap();
    assert_eq!(row.events, (WRITERS * EACH) as u64);
    assert_eq!(size(&writer.log()), (WRITERS * EACH) as u64);
}

fn a_bulk_append_is_all_or_nothing(make: Make) {
    let fresh = make(fixed());
    let before = fresh.writer.log().head().unwrap();
    let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
    bulk.add(&stream("a-1"), None, event("A", "{}")).unwrap();
    drop(bulk);
    assert_eq!(fresh.writer.log().head().unwrap(), before);
    let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
    for n in 0..300 {
        let name = format!("a-{}", n % 7);
        bulk.add(&stream(&name), None, event("A", "{}")).unwrap();
    }
    let refused = bulk.add(
        &stream("a-1"),
        Some(&Category::new("other").unwrap()),
        event("A", "{}"),
    );
    assert!(matches!(refused, Err(AppendError::CategoryConflict { .. })));
    assert_eq!(
        fresh.writer.log().head().unwrap(),
        before,
        "nothing is seen before the commit"
    );
    let head = bulk.commit().unwrap();
    assert_eq!(fresh.writer.log().head().unwrap(), head);
    assert_eq!(head.size, Position(300));
    let one = vec![event("A", "{}")];
    fresh
        .writer
        .append(vec![batch("a-1", ExpectedVersion::Exact(Version(43)), one)])
        .unwrap();
}

fn a_bulk_append_again_adds_nothing(make: Make) {
    let fresh = make(fixed());
    let import = |rounds: usize| {
        let mut bulk = fresh.writer.bulk("file", &Extraction::standard()).unwrap();
        let mut stored = 0;
        for n in (0..rounds).flat_map(|_| 0..50) {
            let time = Some(SourceTime::unwritten(Time::from_parts(n, 0).unwrap()));
            let new = NewEvent {
                time,
                ..with_id(&format!("e{n}"), "A", "{}")
            };
            match bulk.add(&stream("a-1"), None, new).unwrap() {
                BulkOutcome::Stored(_) => stored += 1,
                BulkOutcome::Duplicate(held) => {
                    assert_eq!(held.version.0, n as u64 + 1);
                    assert!(held.duplicate);
                }
                BulkOutcome::StoredUnderNewId(_) => panic!("the same record is a duplicate"),
            }
        }
        bulk.commit().unwrap();
        stored
    };
    assert_eq!([import(2), import(1), import(1)], [50, 0, 0]);
    assert_eq!(size(&fresh.writer.log()), 50);
}

fn a_bulk_append_keeps_reused_ids_apart(make: Make) {
    let fresh = make(fixed());
    let import = |source: &str| {
        let mut bulk = fresh.writer.bulk(source, &Extraction::standard()).unwrap();
        let mut add = |data: &str| {
            let outcome = bulk
                .add(&stream("a-1"), None, with_id("e", "A", data))
                .unwrap();
            match outcome {
                BulkOutcome::Stored(_) => "stored",
                BulkOutcome::Duplicate(_) => "duplicate",
                BulkOutcome::StoredUnderNewId(_) => "new id",
            }
        };
        let outcomes = [add("1"), add("2"), add("3"), add("2"), add("1")];
        bulk.commit().unwrap();
        outcomes
    };
    assert_eq!(
        import("one"),
        ["stored", "new id", "new id", "duplicate", "duplicate"]
    );
    assert_eq!(import("one"), ["duplicate"; 5]);
    let other = ["new id", "new id", "new id", "duplicate", "duplicate"];
    assert_eq!(import("other"), other);
    assert_eq!(import("other"), ["duplicate"; 5]);
    let page = fresh
        .writer
        .log()
        .events(&EventQuery::default(), 10)
        .unwrap();
    let second = &page.events[1];
    assert_eq!(second.source.source_id.as_deref(), Some("e"));
    let id = second.id.as_ref().unwrap().as_str();
    assert!(id.starts_with("e#") && id.len() == 18, "{id}");
}

fn one_event_whole_shows_its_neighbours(make: Make) {
    let fresh = make(fixed());
    let with = |correlation: &str| NewEvent {
        metadata: Some(Payload::json(format!(r#"{{"correlationId":"{correlation}"}}"#)).unwrap()),
        ..event("A", "[1.50]")
    };
    let x = "018d0c2a-7e1f-7abc-8def-0123456789ab";
    for (name, correlation) in [("a-1", x), ("b-1", x), ("a-1", "y"), ("a-1", x)] {
        let events = vec![with(correlation)];
        fresh
            .writer
            .append(vec![batch(name, ExpectedVersion::Any, events)])
            .unwrap();
    }
    let log = fresh.writer.log();
    let detail = log.detail(Position(1)).unwrap().unwrap();
    assert!(detail.previous_in_stream.is_none());
    assert_eq!(detail.next_in_stream.unwrap().position, Position(3));
    let correlated = detail.correlated.iter().map(|e| e.position.0);
    assert_eq!(correlated.collect::<Vec<_>>(), [2, 4]);
    assert_eq!(detail.correlated_count, 3);
    assert_eq!(detail.data_text.as_deref(), Some("[1.50]"));
    assert_eq!(detail.data_len, 6);
    assert!(log.detail(Position(5)).unwrap().is_none());
    assert!(log.detail(Position(0)).unwrap().is_none());
}

fn payloads_over_the_limit_are_refused(make: Make) {
    let fresh = make(fixed());
    let big = NewEvent {
        data: Payload {
            content_type: "text/plain".into(),
            bytes: vec![b'x'; (64 << 20) + 1],
        },
        ..event("A", "{}")
    };
    let refused = fresh
        .writer
        .append(vec![batch("a-1", ExpectedVersion::Any, vec![big])]);
    assert!(
        matches!(refused, Err(AppendError::TooLarge { .. })),
        "{refused:?}"
    );
    assert_eq!(size(&fresh.writer.log()), 0);
}

fn the_tree_is_over_the_leaves(make: Make) {
    let fresh = make(fixed());
    let log = fresh.writer.log();
    let mut leaves = Vec::new();
    for count in [1, 2, 252, 1, 1, 700] {
        let events = (0..count).map(|_| event("A", "{}")).collect();
        let append = batch("a-1", ExpectedVersion::Any, events);
        let head = fresh.writer.append(vec![append]).unwrap().head;
        let query = EventQuery {
            after: Some(Position(leaves.len() as u64)),
            ..EventQuery::default()
        };
        let page = log.events(&query, 1000).unwrap();
        leaves.extend(page.events.iter().map(|e| e.leaf));
        assert_eq!(head.size.0, leaves.len() as u64);
        assert_eq!(head.root, crate::integrity::tree::root(&leaves));
        assert_eq!(log.head().unwrap(), head);
    }
}

fn questions_to_an_empty_log_have_answers(make: Make) {
    let fresh = make(fixed());
    let log = fresh.writer.log();
    let info = log.info().unwrap();
    assert_eq!(
        (info.events, info.streams, info.actors, info.first_time),
        (0, 0, 0, None)
    );
    assert_eq!(info.root, crate::integrity::tree::empty_root());
    assert_eq!(log.events(&EventQuery::default(), 10).unwrap().events, []);
    assert_eq!(log.count(&EventQuery::default()).unwrap(), 0);
    let density = log.density(&EventQuery::default(), 3).unwrap();
    assert_eq!(
        (density.from, density.events, density.counts),
        (None, 0, vec![0; 3])
    );
    let time = at("2024-01-01T00:00:00Z");
    assert_eq!(
        log.neighbours(time, &EventQuery::default()).unwrap(),
        (None, None)
    );
    assert_eq!(log.known_at(time).unwrap(), Position::ZERO);
    assert_eq!(
        log.streams(&StreamQuery::default(), 10).unwrap().streams,
        []
    );
    assert_eq!(log.stream(&stream("a-1")).unwrap(), None);
    assert_eq!(log.actors(10).unwrap(), []);
    let walked = log.for_each_in_stream(&stream("a-1"), Version(1), None, &mut |_| true);
    assert!(matches!(walked, Err(ReadError::NoStream(_))));
}
