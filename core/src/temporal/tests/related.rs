//! What belongs together, and the two clocks.

use super::*;
use crate::event::Payload;
use crate::id::EventId;

/// An event to append: stream, type, second, id, data, metadata.
type Told<'t> = (&'t str, &'t str, i64, &'t str, &'t str, &'t str);

fn shop() -> TestLog {
    let log = TestLog::new();
    let events: [Told<'_>; 7] = [
        (
            "customer-7",
            "Registered",
            0,
            "c1",
            r#"{"name":"Mia"}"#,
            "{}",
        ),
        (
            "order-1",
            "Placed",
            1,
            "o1",
            r#"{"customerId":"7","items":[{"sku":"item-3"}]}"#,
            r#"{"correlationId":"k","causationId":"cmd-1"}"#,
        ),
        (
            "item-3",
            "Reserved",
            2,
            "i1",
            r#"{"for":"order-1"}"#,
            r#"{"correlationId":"k","causationId":"o1"}"#,
        ),
        (
            "payment-9",
            "Taken",
            3,
            "p1",
            "{}",
            r#"{"correlationId":"k"}"#,
        ),
        (
            "order-1",
            "Shipped",
            4,
            "o2",
            "{}",
            r#"{"correlationId":"k","causationId":"p1"}"#,
        ),
        ("mail-5", "Sent", 5, "m1", "{}", r#"{"causationId":"o2"}"#),
        (
            "order-2",
            "Placed",
            6,
            "o3",
            r#"{"customerId":8}"#,
            r#"{"correlationId":"other"}"#,
        ),
    ];
    for (stream_name, event_type, at, id, data, metadata) in events {
        let mut event = NewEvent::json(event_type, data).unwrap();
        event.time = Some(SourceTime::unwritten(second(at)));
        event.id = Some(EventId::new(id).unwrap());
        event.metadata = Some(Payload::json(metadata).unwrap());
        let append = StreamAppend {
            stream: stream(stream_name),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        log.writer.append(vec![append]).unwrap();
    }
    log
}

fn ties(view: &RelatedView) -> Vec<String> {
    view.streams
        .iter()
        .map(|related| {
            let kinds: Vec<String> = related
                .ties
                .iter()
                .map(|t| format!("{:?}", t.kind))
                .collect();
            format!(
                "{} v{} {}",
                related.stream,
                related.version,
                kinds.join("+")
            )
        })
        .collect()
}

#[test]
fn streams_belong_together_by_correlation_cause_and_name() {
    let log = shop();
    let start = Start::Stream(stream("order-1"));
    let view = related(
        &log.log(),
        &log.index(),
        &ModelSet::default(),
        &start,
        AsOf::default(),
    )
    .unwrap();
    assert_eq!(
        ties(&view),
        [
            "item-3 v1 Correlation+Effect+RefersTo+ReferredBy",
            "payment-9 v1 Correlation+Cause",
            "customer-7 v1 RefersTo"
        ]
    );
    let [lanes] = &view.correlations[..] else {
        panic!("{:?}", view.correlations)
    };
    let streams: Vec<&str> = lanes.lanes.iter().map(|lane| &*lane.stream).collect();
    assert_eq!(
        (streams, lanes.events_count),
        (vec!["order-1", "item-3", "payment-9"], 4)
    );
    assert_eq!(
        (view.searched.own_events, view.searched.own_events_count),
        (2, 2)
    );
    assert_eq!(view.searched.not_searched.len(), 1);
    assert!(view.searched.naming_reach.complete);
    let early = AsOf {
        at: Some(second(2)),
        known: None,
    };
    let view = related(
        &log.log(),
        &log.index(),
        &ModelSet::default(),
        &start,
        early,
    )
    .unwrap();
    assert_eq!(
        ties(&view),
        [
            "item-3 v1 Correlation+Effect+RefersTo+ReferredBy",
            "customer-7 v1 RefersTo"
        ]
    );
    let nothing = AsOf {
        at: Some(second(-1)),
        known: None,
    };
    assert!(
        ties(
            &related(
                &log.log(),
                &log.index(),
                &ModelSet::default(),
                &start,
                nothing
            )
            .unwrap()
        )
        .is_empty()
    );
    assert!(
        related(
            &log.log(),
            &log.index(),
            &ModelSet::default(),
            &Start::Stream(stream("x")),
            early
        )
        .is_err()
    );
    assert!(
        related(
            &log.log(),
            &log.index(),
            &ModelSet::default(),
            &Start::Event(Position(99)),
            early
        )
        .is_err()
    );
}

#[test]
fn edges_of_a_tree_of_causes_say_how_sure_they_are() {
    let log = shop();
    let view = related(
        &log.log(),
        &log.index(),
        &ModelSet::default(),
        &Start::Event(Position(5)),
        AsOf::default(),
    )
    .unwrap();
    let nodes = view.causation.unwrap().nodes;
    let told: Vec<_> = nodes
        .iter()
        .map(|n| (n.event.position.0, n.cause.map(|c| c.0), n.edge, n.depth))
        .collect();
    use EdgeKind::*;
    assert_eq!(
        told,
        [
            (2, None, Some(Outside), -3),
            (3, Some(2), Some(Recorded), -2),
            (4, Some(3), Some(Inferred), -1),
            (5, Some(4), Some(Recorded), 0),
        ]
    );
    let view = related(
        &log.log(),
        &log.index(),
        &ModelSet::default(),
        &Start::Event(Position(2)),
        AsOf::default(),
    )
    .unwrap();
    let depths: Vec<_> = view
        .causation
        .unwrap()
        .nodes
        .iter()
        .map(|n| (n.event.position.0, n.depth))
        .collect();
    assert_eq!(depths, [(2, 0), (3, 1), (4, 2), (5, 3)]);
}

#[test]
fn late_and_back_dated_events_are_told() {
    let log = TestLog::new();
    log.told(
        "user-1",
        &[
            ("A", "2024-01-05", "{}"),
            ("B", "2024-01-03", "{}"),
            ("C", "2024-01-06", "{}"),
        ],
    );
    log.told("user-2", &[("A", "2024-01-01", "{}")]);
    let view = late(&log.log(), None, 10, &mut |_| true).unwrap();
    assert_eq!(
        (view.looked_at, view.events_count, view.back_dated_count),
        (4, 1, 0)
    );
    assert_eq!(view.events[0].event.version, Version(2));
    assert_eq!(view.events[0].before.version, Version(1));
    let one = late(&log.log(), Some(&stream("user-2")), 10, &mut |_| true).unwrap();
    assert_eq!((one.looked_at, one.events_count), (1, 0));
    assert_eq!(
        late(&log.log(), None, 0, &mut |_| true)
            .unwrap()
            .events_count,
        1
    );
}

#[test]
fn several_streams_stand_at_one_instant() {
    let log = shop();
    let as_of = AsOf {
        at: Some(second(2)),
        known: None,
    };
    let names = [stream("order-1"), stream("payment-9")];
    let view = states(&log.log(), &ModelSet::default(), &names, as_of).unwrap();
    let versions: Vec<u64> = view.states.iter().map(|state| state.version.0).collect();
    assert_eq!(versions, [1, 0]);
}

#[test]
fn an_event_is_back_dated_by_one_clock_not_by_two() {
    let recorded = |log: &TestLog, name: &str, at: i64, source: Option<i64>| {
        let mut event = NewEvent::json("A", "{}").unwrap();
        event.time = Some(SourceTime::unwritten(second(at)));
        event.source.source_recorded_at = source.map(second);
        let append = StreamAppend {
            stream: stream(name),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        log.writer.append(vec![append]).unwrap();
    };
    // The log's clock stands still, so only the source's own can tell one recording from another.
    let log = TestLog::new();
    let far = 60 * 60 * 24 * 365 * 60;
    recorded(&log, "one-1", 5, None);
    recorded(&log, "one-1", 3, Some(far));
    recorded(&log, "two-1", 5, Some(-far));
    recorded(&log, "two-1", 3, None);
    recorded(&log, "both-1", 5, Some(6));
    recorded(&log, "both-1", 3, Some(7));
    let view = late(&log.log(), None, 10, &mut |_| true).unwrap();
    let told: Vec<_> = view.events.iter().map(|event| event.back_dated).collect();
    assert_eq!((told, view.back_dated_count), (vec![false, false, true], 1));
    assert!(late(&log.log(), None, 10, &mut |_| false).is_err());
}

#[test]
fn causes_past_the_most_that_are_followed_are_said() {
    let log = TestLog::new();
    let events = (0..250).map(|n| {
        let mut event = NewEvent::json("A", "{}").unwrap();
        event.time = Some(SourceTime::unwritten(second(n)));
        event.id = Some(EventId::new(format!("e{n}")).unwrap());
        let metadata = format!(r#"{{"causationId":"e{}"}}"#, n - 1);
        event.metadata = Some(Payload::json(metadata.as_str()).unwrap());
        event
    });
    let append = StreamAppend {
        stream: stream("chain-1"),
        category: None,
        expected: ExpectedVersion::Any,
        events: events.collect(),
    };
    log.writer.append(vec![append]).unwrap();
    let models = ModelSet::default();
    let ask = |at| {
        related(
            &log.log(),
            &log.index(),
            &models,
            &Start::Event(Position(at)),
            AsOf::default(),
        )
        .unwrap()
    };
    let view = ask(250);
    assert_eq!(view.causation.unwrap().nodes.len(), 200);
    let said = view.searched.not_searched.join("\n");
    assert!(
        said.contains("what caused the event at position 51, from position 50 on: 200 causes are followed, itself counted"),
        "{said}"
    );
    assert!(
        !ask(100)
            .searched
            .not_searched
            .join("")
            .contains("are followed")
    );
}

#[test]
fn a_related_stream_has_the_version_that_its_state_has() {
    let log = shop();
    log.told(
        "item-3",
        &[
            ("Priced", "2024-01-01", r#"{"eff":"2024-05-01"}"#),
            ("Priced", "2024-03-01", r#"{"eff":"2024-02-01"}"#),
        ],
    );
    let mut models = ModelSet::default();
    let text = "category = 'item'\ntime = \"if 'eff' in data { data.eff } else { event.time }\"\n[on.Priced]\neff = 'data.eff'\n";
    models.add(Model::parse("item", text).unwrap()).unwrap();
    for day in ["2024-02-15", "2024-04-01", "2024-06-01"] {
        let as_of = AsOf {
            at: Some(time(day)),
            known: None,
        };
        let view = related(
            &log.log(),
            &log.index(),
            &models,
            &Start::Stream(stream("order-1")),
            as_of,
        )
        .unwrap();
        let item = view
            .streams
            .iter()
            .find(|row| row.stream == "item-3")
            .unwrap();
        let told = state(&log.log(), &models, &stream("item-3"), &Moment::AsOf(as_of)).unwrap();
        assert_eq!(item.version, told.version, "{day}");
    }
}

#[test]
fn what_names_a_stream_is_found_without_a_correlation() {
    let log = shop();
    log.told(
        "note-1",
        &[
            ("Written", "2024-03-01", r#"{"about":{"ref":"ORDER-2"}}"#),
            ("Written", "2024-03-02", r#"{"about":{"ref":"order-2"}}"#),
            ("Written", "2024-03-03", r#"{"about":{"ref":"order-2"}}"#),
        ],
    );
    log.told("parcel-1", &[("Sent", "2024-03-03", r#"{"orderId":2}"#)]);
    // Only the field says what a bare value is the id of.
    log.told("parcel-2", &[("Sent", "2024-03-03", r#"{"weight":2}"#)]);
    log.told(
        "parcel-3",
        &[("Sent", "2024-03-03", r#"{"orderId":22,"orderId2":2}"#)],
    );
    let start = Start::Stream(stream("order-2"));
    let ask = |index: &TextIndex, at: Option<Time>, known: Option<Position>| {
        related(
            &log.log(),
            index,
            &ModelSet::default(),
            &start,
            AsOf { at, known },
        )
        .unwrap()
    };
    let index = log.index();
    // Looked at one by one, then from the index: the same.
    let looked = ask(&index, None, None);
    index.catch_up(&Default::default()).unwrap();
    let asked = ask(&index, None, None);
    for view in [&looked, &asked] {
        assert_eq!(
            ties(view),
            ["note-1 v3 ReferredBy", "parcel-1 v1 ReferredBy"]
        );
        let note = &view.streams[0].ties[0];
        assert_eq!(
            (note.path.as_deref(), note.position),
            (Some("data.about.ref"), Position(9)),
            "the first event that names it, as it is written"
        );
        let reach = &view.searched.naming_reach;
        assert_eq!((reach.searched_to, reach.complete), (Position(13), true));
    }
    // Only events that may name it were read.
    assert_eq!(
        (looked.searched.naming_events, asked.searched.naming_events),
        (13, 5)
    );
    let early = ask(&index, Some(time("2024-03-01")), None);
    assert!(early.streams.is_empty(), "{:?}", early.streams);
    let known = ask(&index, None, Some(Position(9)));
    assert_eq!(ties(&known), ["note-1 v2 ReferredBy"]);
    assert_eq!(known.searched.naming_reach.head, Position(9));
}

#[test]
fn how_far_the_look_for_names_went_is_said() {
    let log = TestLog::new();
    log.told("order-1", &[("Placed", "2024-01-01", "{}")]);
    let many: Vec<_> = (0..6_000)
        .map(|_| ("Sent", "2024-01-02", r#"{"order":"order-1"}"#))
        .collect();
    log.told("mail-1", &many);
    let start = Start::Stream(stream("order-1"));
    let ask = |index: &TextIndex| {
        related(
            &log.log(),
            index,
            &ModelSet::default(),
            &start,
            AsOf::default(),
        )
        .unwrap()
        .searched
    };
    let index = log.index();
    let before = ask(&index);
    assert_eq!(
        (
            before.naming_events,
            before.naming_reach.searched_to,
            before.naming_reach.complete
        ),
        (0, Position::ZERO, false)
    );
    assert!(
        before.not_searched.contains(
            &"events after position 0 of 6001 that name the stream: the text index has got so far"
                .to_owned()
        ),
        "{:?}",
        before.not_searched
    );
    index.catch_up(&Default::default()).unwrap();
    let after = ask(&index);
    assert_eq!(
        (after.naming_events, after.naming_reach.complete),
        (5_000, true)
    );
    let said = after.not_searched.join("\n");
    assert!(
        said.contains("1000 more events that may name the stream, with order-1 as a value, from position 5002 on: 5000 are looked at"),
        "{said}"
    );
}

#[test]
fn a_stream_without_a_word_in_its_name_is_said_not_to_be_searched_for() {
    let log = TestLog::new();
    log.told("🚚", &[("A", "2024-01-01", "{}")]);
    let start = Start::Stream(stream("🚚"));
    let view = related(
        &log.log(),
        &log.index(),
        &ModelSet::default(),
        &start,
        AsOf::default(),
    )
    .unwrap();
    assert!(view.searched.not_searched[0].contains("no letter or digit"));
}
