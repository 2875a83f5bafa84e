//! What a projection makes of a log, whatever way it is asked.

use super::*;
use crate::event::NewEvent;
use crate::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::temporal::AsOf;
use crate::time::{SourceTime, Time};

/// A store of a few events: stream, type, time, payload.
pub(super) fn store(
    folder: &std::path::Path,
    events: &[(&str, &str, &str, &str)],
) -> (LogWriter, Log) {
    let now = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap();
    let writer = LogWriter::create(&folder.join("x.annals"), Surroundings::fixed(now, 7)).unwrap();
    append(&writer, events);
    let log = writer.log().clone();
    (writer, log)
}

pub(super) fn append(writer: &LogWriter, events: &[(&str, &str, &str, &str)]) {
    for (stream, event_type, time, data) in events {
        let mut event = NewEvent::json(event_type, data).unwrap();
        event.time = Some(SourceTime::parse(time, chrono_tz::UTC).unwrap());
        writer
            .append(vec![StreamAppend {
                stream: stream.parse().unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            }])
            .unwrap();
    }
}

pub(super) fn set(texts: &[(&str, &str)]) -> ProjectionSet {
    let mut set = ProjectionSet::default();
    for (name, text) in texts {
        set.add(Projection::parse(name, text).unwrap()).unwrap();
    }
    set
}

const SALES: &str = r#"
key = "day(event.time)"
show = ["date", "revenue", "average", "top"]

[on.OrderPlaced]
date          = "event.key"
"orders.add"  = "1"
"revenue.add" = "data.total"

[on.ItemSold]
each = "data.items"
when = "item.n > 0"
"products[item.sku].sku"     = "item.sku"
"products[item.sku].n.add"   = "item.n"
"sold.add"                   = "1"

[derived]
average = "round(state.revenue / state.orders, 2)"
top     = "values(get(state, 'products', #{})).order_by(|p| -p.n).extract(0, 2)"
"#;

fn sales_events() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        (
            "order-1",
            "OrderPlaced",
            "2024-01-15T10:00:00Z",
            r#"{"total": 10.10}"#,
        ),
        (
            "order-2",
            "OrderPlaced",
            "2024-01-15T11:00:00Z",
            r#"{"total": 0.20}"#,
        ),
        (
            "order-3",
            "OrderPlaced",
            "2024-01-16T11:00:00Z",
            r#"{"total": 5}"#,
        ),
        (
            "order-1",
            "ItemSold",
            "2024-01-15T12:00:00Z",
            r#"{"items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 3}, {"sku": "c", "n": 2}, {"sku": "a", "n": 4}, {"sku": "d", "n": 0}]}"#,
        ),
        (
            "order-4",
            "OrderPlaced",
            "2024-01-15T09:00:00Z",
            r#"{"total": "x"}"#,
        ),
        ("order-5", "Unrelated", "2024-01-15T09:00:00Z", "{}"),
    ]
}

#[test]
fn events_go_to_the_documents_that_their_key_names() {
    let home = tempfile::tempdir().unwrap();
    let (_writer, log) = store(home.path(), &sales_events());
    let set = set(&[("sales", SALES)]);
    let view = documents(
        &log,
        &set,
        "sales",
        &AsOf::default(),
        &DocumentQuery::default(),
    )
    .unwrap();
    let rows: Vec<(&str, &str, u64, u64)> = view
        .documents
        .iter()
        .map(|row| {
            (
                row.key.as_str(),
                row.state.get(),
                row.inputs,
                row.last_position.0,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "2024-01-15",
                r#"{"date":"2024-01-15","revenue":10.30,"average":5.15,"top":[{"sku":"a","n":5},{"sku":"b","n":3}]}"#,
                4,
                5
            ),
            (
                "2024-01-16",
                r#"{"date":"2024-01-16","revenue":5,"average":5,"top":[]}"#,
                1,
                3
            ),
        ]
    );
    assert_eq!((view.events_examined, view.documents_count), (6, 2));
    assert!(view.incomplete && view.documents[0].incomplete && !view.documents[1].incomplete);
    let details: Vec<&str> = view.findings.iter().map(|f| f.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "OrderPlaced: revenue: add data.total: text cannot be added (number(text) reads a number from text)"
        ]
    );

    let at = |at: &str, known: Option<u64>| {
        let as_of = AsOf {
            at: Some(Time::parse_rfc3339(at).unwrap()),
            known: known.map(Position),
        };
        let query = DocumentQuery {
            key: Some("2024-01-15".into()),
            ..DocumentQuery::default()
        };
        let view = documents(&log, &set, "sales", &as_of, &query).unwrap();
        view.documents.first().map(|row| row.state.get().to_owned())
    };
    assert_eq!(
        at("2024-01-15T10:30:00Z", None).unwrap(),
        r#"{"date":"2024-01-15","revenue":10.10,"average":10.10,"top":[]}"#
    );
    assert_eq!(at("2024-01-15T10:30:00Z", Some(0)), None);
    assert_eq!(at("2024-01-15T08:00:00Z", None), None);
    let page = DocumentQuery {
        limit: Some(1),
        ..DocumentQuery::default()
    };
    let view = documents(&log, &set, "sales", &AsOf::default(), &page).unwrap();
    assert_eq!(
        (
            view.documents.len(),
            view.documents_count,
            view.next.as_deref()
        ),
        (1, 2, Some("2024-01-15"))
    );
}

#[test]
fn a_projection_that_stops_takes_all_of_an_event_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    let events = [
        ("a-1", "Counted", "2024-01-01", r#"{"to": ["x"], "n": 1}"#),
        (
            "a-1",
            "Counted",
            "2024-01-02",
            r#"{"to": ["y", "z"], "n": 2}"#,
        ),
        ("a-1", "Named", "2024-01-03", r#"{"to": ["z"]}"#),
        (
            "a-1",
            "Counted",
            "2024-01-04",
            r#"{"to": ["x", "z", "new"], "n": 5}"#,
        ),
        ("a-1", "Counted", "2024-01-05", r#"{"to": ["x"], "n": 7}"#),
    ];
    let (_writer, log) = store(home.path(), &events);
    let text = "key = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\n[on.Named]\nn = \"'many'\"\n";
    let stop = format!("on_fault = 'stop'\n{text}");
    let set = set(&[("goes-on", text), ("stops", &stop)]);
    let of = |name: &str| {
        let view = documents(
            &log,
            &set,
            name,
            &AsOf::default(),
            &DocumentQuery::default(),
        )
        .unwrap();
        let rows: Vec<String> = view
            .documents
            .iter()
            .map(|row| format!("{} {}", row.key, row.state.get()))
            .collect();
        (rows.join(", "), view.position.0, view.stopped_at)
    };
    assert_eq!(
        of("stops"),
        (
            r#"x {"n":1}, y {"n":2}, z {"n":"many"}"#.into(),
            3,
            Some(Position(4))
        )
    );
    assert_eq!(
        of("goes-on"),
        (
            r#"new {"n":5}, x {"n":13}, y {"n":2}, z {"n":"many"}"#.into(),
            5,
            None
        )
    );
}

#[test]
fn what_no_projection_says_is_an_error_with_its_place() {
    let on = "[on.A]\nx = \"1\"";
    for (text, place, message) in [
        (
            format!("key = \"dta\"\n{on}"),
            (1, 8),
            "there is no variable `dta`",
        ),
        (
            format!("key = \"state.x\"\n{on}"),
            (1, 7),
            "`key` reads the event alone",
        ),
        (on.to_owned(), (1, 1), "the key is missing for A"),
        (
            format!("key = {{ B = \"1\" }}\n{on}"),
            (1, 1),
            "the key is missing for A",
        ),
        (
            format!("key = {{ A = \"1\", B = \"1\" }}\n{on}"),
            (1, 1),
            "key names B, and there is no [on.B]",
        ),
        (
            format!("category = \"a\"\nkey = \"1\"\n{on}"),
            (1, 1),
            "unknown key `category`",
        ),
        (
            format!("key = \"1\"\nstrategy = \"fast\"\n{on}"),
            (2, 12),
            "there is no strategy \"fast\"",
        ),
        (
            format!("key = \"1\"\nevery = \"1h\"\n{on}"),
            (2, 9),
            "`every` is for strategy = \"batch\"",
        ),
        (
            format!("key = \"1\"\nstrategy = 'batch'\nevery = \"1 hour\"\n{on}"),
            (3, 9),
            "`every` is a time such as",
        ),
        (
            format!("key = \"1\"\n{on}\n[derived]\ny = \"data.x\""),
            (5, 5),
            "a derived field reads `state` alone",
        ),
        ("key = \"1\"".to_owned(), (1, 1), "there is no handler"),
        (
            "key = \"1\"\n[on.A]\n\"x[item.sku]\" = \"1\"".to_owned(),
            (3, 1),
            "`item` is an element",
        ),
        (
            "key = \"1\"\n[on.A]\n\"x[itm.sku]\" = \"1\"".to_owned(),
            (3, 1),
            "in the name [itm.sku]: there is no variable `itm`",
        ),
        (
            "key = \"1\"\n[on.A]\neach = \"item.x\"\nx = \"item\"".to_owned(),
            (3, 8),
            "`item` is an element of the list that `each` names",
        ),
    ] {
        let error = Projection::parse("p", &text).unwrap_err();
        assert_eq!((error.line, error.column), place, "{text}: {error}");
        assert!(error.message.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn inputs_go_through_the_upcasters_of_their_category_first() {
    let home = tempfile::tempdir().unwrap();
    let (_writer, log) = store(
        home.path(),
        &[("order-1", "OrderPlaced", "2024-01-15", r#"{"amount": 5}"#)],
    );
    let models = home.path().join("x.annals.d/models");
    let projections = home.path().join("x.annals.d/projections");
    for folder in [&models, &projections] {
        std::fs::create_dir_all(folder).unwrap();
    }
    let text = "key = \"'all'\"\n[on.OrderPlaced]\n\"sum.add\" = 'data.total'\ncurrency = 'data.currency'\n";
    std::fs::write(projections.join("sums.toml"), text).unwrap();
    let load = || ProjectionSet::load(log.path()).unwrap().0;
    let clock = Surroundings::system().clock;
    let ask = |set: ProjectionSet| {
        let all = Projections::open(&log, set, None, std::sync::Arc::clone(&clock));
        let notes = all.catch_up(&[]).unwrap().remove(0).notes;
        let (as_of, everything) = (AsOf::default(), DocumentQuery::default());
        let view = all.documents("sums", &as_of, &everything).unwrap();
        let state = view.documents.first().map(|row| row.state.get().to_owned());
        (state, view.incomplete, notes)
    };
    let (_, incomplete, _) = ask(load());
    assert!(incomplete, "the field has another name in the payload");
    let model = |currency: &str| {
        format!(
            "category = 'order'\n[on.OrderPlaced]\ntotal = 'data.total'\n[[upcast.OrderPlaced]]\nto = '2'\nrename = {{ amount = 'total' }}\n[upcast.OrderPlaced.default]\ncurrency = \"'{currency}'\"\n"
        )
    };
    std::fs::write(models.join("order.toml"), model("EUR")).unwrap();
    let (state, incomplete, notes) = ask(load());
    assert_eq!(state.as_deref(), Some(r#"{"sum":5,"currency":"EUR"}"#));
    assert!(
        !incomplete,
        "what had to be assumed is no part that is missing"
    );
    assert!(
        notes[0].contains("definition"),
        "other documents: {notes:?}"
    );
    std::fs::write(models.join("order.toml"), model("USD")).unwrap();
    assert_eq!(
        ask(load()).0.as_deref(),
        Some(r#"{"sum":5,"currency":"USD"}"#)
    );
}

#[test]
fn a_projection_reads_from_categories_and_types() {
    let home = tempfile::tempdir().unwrap();
    let (_writer, log) = store(
        home.path(),
        &[
            ("a-1", "Counted", "2024-01-15", "{}"),
            ("b-1", "Counted", "2024-01-15", "{}"),
            ("b-1", "Named", "2024-01-15", "{}"),
        ],
    );
    let count = |from: &str| {
        let text = format!(
            "{from}key = \"'all'\"\n[on.Counted]\n\"n.add\" = '1'\n[on.Named]\n\"n.add\" = '1'\n"
        );
        let set = set(&[("p", &text)]);
        let view = documents(&log, &set, "p", &AsOf::default(), &DocumentQuery::default());
        view.unwrap().documents.first().map_or(0, |row| row.inputs)
    };
    assert_eq!(count(""), 3);
    assert_eq!(count("from = 'a'\n"), 1);
    assert_eq!(count("from = 'Named'\n"), 1);
    assert_eq!(count("from = ['a', 'Named']\n"), 2);
}

#[test]
fn files_are_read_by_name_and_wrong_ones_are_listed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("x.annals");
    let text = "key = '1'\n[on.A]\nx = '1'";
    assert_eq!(save(&path, "b", text, false).unwrap().file, "b.toml");
    assert!(matches!(
        save(&path, "b", text, false),
        Err(SaveError::Exists { .. })
    ));
    assert!(matches!(
        save(&path, "../b", text, false),
        Err(SaveError::Name { .. })
    ));
    assert!(matches!(
        save(&path, "c", "", false),
        Err(SaveError::Definition(_))
    ));
    let named = format!("name = 'b'\n{text}");
    assert!(matches!(
        save(&path, "c", &named, false),
        Err(SaveError::Taken { .. })
    ));
    let folder = set::projections_folder(&path);
    std::fs::write(folder.join("a.toml"), &named).unwrap();
    std::fs::write(folder.join("z.toml"), "key = ").unwrap();
    let (set, errors) = ProjectionSet::load(&path).unwrap();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0], "b.toml:1:1: there is a projection b already");
    assert!(
        errors[1].starts_with("z.toml:1:7: this is not TOML"),
        "{}",
        errors[1]
    );
    assert_eq!(set.get("b").unwrap().name(), "b");
    assert!(matches!(set.get("z"), Err(ProjectionError::Broken(_))));
    assert!(matches!(
        set.get("y"),
        Err(ProjectionError::NoProjection { .. })
    ));
    assert_eq!(list(&path).unwrap().projections.len(), 3);
    assert!(show(&path, "z").unwrap().unwrap().row.error.is_some());
}

mod kept {
    //! What is kept between answers against the plain fold.

    use proptest::prelude::{
        ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
    };

    use super::*;

    const TEXTS: [(&str, &str); 4] = [
        (
            "many",
            "key = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\n\"last\" = 'event.position'\n[on.Named]\nn = \"data.name\"\n",
        ),
        (
            "days",
            "key = 'day(event.time)'\n[on.Counted]\ncount.add = '1'\n\"of[data.to[0]].add\" = 'data.n'\n[on.Named]\n\"names.push\" = 'data.name'\n[derived]\nhas = \"state.count > 2\"\n",
        ),
        (
            "stops",
            "on_fault = 'stop'\nkey = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\nlate = 'if has(state, \"name\") && data.n < 0 { 1 / 0 } else { 1 }'\n[on.Named]\nname = 'data.name'\n",
        ),
        (
            "one",
            "key = \"'all'\"\n[on.Counted]\n\"n.add\" = 'data.n'\n\"list.push\" = 'data.n'\n",
        ),
    ];

    #[derive(Debug, Clone)]
    enum Made {
        Counted(Vec<u8>, i8, u16),
        Named(u8, bool, u16),
        Broken(u16),
    }

    fn made() -> impl Strategy<Value = Made> {
        prop_oneof![
            8 => (proptest::collection::vec(0u8..5, 0..3), any::<i8>(), 0u16..400)
                .prop_map(|(to, n, hour)| Made::Counted(to, n, hour)),
            2 => (0u8..5, any::<bool>(), 0u16..400).prop_map(|(to, text, hour)| Made::Named(to, text, hour)),
            1 => (0u16..400).prop_map(Made::Broken),
        ]
    }

    fn put(writer: &LogWriter, made: &[Made]) {
        let mut events = Vec::new();
        for one in made {
            let (event_type, data, hour) = match one {
                Made::Counted(to, n, hour) => {
                    let to: Vec<String> = to.iter().map(|to| format!("\"d{to}\"")).collect();
                    (
                        "Counted",
                        format!("{{\"to\": [{}], \"n\": {n}}}", to.join(",")),
                        hour,
                    )
                }
                Made::Named(to, text, hour) => {
                    let name = if *text {
                        "\"x\"".to_owned()
                    } else {
                        "7".to_owned()
                    };
                    (
                        "Named",
                        format!("{{\"to\": \"d{to}\", \"name\": {name}}}"),
                        hour,
                    )
                }
                Made::Broken(hour) => ("Counted", "{\"to\": {}}".to_owned(), hour),
            };
            let time = format!("2024-01-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24);
            let mut event = NewEvent::json(event_type, &data).unwrap();
            event.time = Some(SourceTime::parse(&time, chrono_tz::UTC).unwrap());
            events.push(event);
        }
        writer
            .append(vec![StreamAppend {
                stream: "a-1".parse().unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events,
            }])
            .unwrap();
    }

    pub(super) fn clock() -> crate::surroundings::Clock {
        Surroundings::fixed(Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap(), 1).clock
    }

    fn rows(view: &DocumentsView) -> Vec<String> {
        let rows = view.documents.iter().map(|row| {
            format!(
                "{} {} {} {} {} {}",
                row.key, row.state, row.inputs, row.last_position, row.last_time, row.incomplete
            )
        });
        rows.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

        #[test]
        fn any_batches_and_any_instant_give_the_documents_of_a_plain_fold(
            made in proptest::collection::vec(made(), 1..260),
            cuts in proptest::collection::vec(0usize..260, 0..5),
            instants in proptest::collection::vec((proptest::option::of(0u16..400), proptest::option::of(0u64..260)), 6),
        ) {
            let home = tempfile::tempdir().unwrap();
            let (writer, log) = store(home.path(), &[]);
            let set = set(&TEXTS);
            let mut kept = Projections::open(&log, set.clone(), None, clock());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(made.len())).collect();
            cuts.sort_unstable();
            let mut at = 0;
            for (n, cut) in cuts.into_iter().enumerate() {
                put(&writer, &made[at..cut]);
                at = cut;
                kept.catch_up(if n % 2 == 0 { &[] } else { &["one", "days"] }).unwrap();
                if n % 2 == 1 {
                    // Another process goes on from what is kept.
                    kept = Projections::open(&log, set.clone(), None, clock());
                }
            }
            put(&writer, &made[at..]);
            for (n, (hour, known)) in instants.into_iter().enumerate() {
                if n == 3 {
                    kept.catch_up(&[]).unwrap();
                    // Nothing comes again.
                    prop_assert!(kept.catch_up(&[]).unwrap().iter().all(|done| done.changed.is_empty()));
                }
                let as_of = AsOf {
                    at: hour.map(|hour| Time::parse_rfc3339(&format!("2024-01-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24)).unwrap()),
                    known: known.map(|known| Position(known.min(made.len() as u64))),
                };
                for (name, _) in TEXTS {
                    for query in [DocumentQuery::default(), DocumentQuery { key: Some("d1".into()), ..DocumentQuery::default() }] {
                        let plain = documents(&log, &set, name, &as_of, &query).unwrap();
                        let fast = kept.documents(name, &as_of, &query).unwrap();
                        prop_assert_eq!(rows(&plain), rows(&fast), "{} {:?}", name, as_of);
                        if query.key.is_none() {
                            prop_assert_eq!(plain.incomplete, fast.incomplete);
                            prop_assert_eq!(plain.findings.iter().map(|f| f.count).sum::<u64>(), fast.findings.iter().map(|f| f.count).sum::<u64>());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_question_is_answered_from_memory_and_an_old_one_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &[]);
        put(&writer, &[Made::Counted(vec![1], 1, 1)]);
        let kept = Projections::open(&log, set(&TEXTS), None, clock());
        let ask = |as_of: AsOf| {
            let view = kept
                .remembered("one", &as_of, &DocumentQuery::default())
                .unwrap();
            (view.documents[0].state.get().to_owned(), view.as_of.known)
        };
        let one = r#"{"n":1,"list":[1]}"#.to_owned();
        assert_eq!(ask(AsOf::default()), (one.clone(), None));
        let first = AsOf {
            at: None,
            known: Some(Position(1)),
        };
        assert_eq!(ask(first), (one.clone(), Some(Position(1))));
        put(&writer, &[Made::Counted(vec![1], 1, 1)]);
        assert_eq!(ask(AsOf::default()).0, r#"{"n":2,"list":[1,1]}"#);
        assert_eq!(ask(first).0, one);
        let reads = kept.status().unwrap().reads;
        assert_eq!(
            (reads.hits, reads.misses, reads.hit_percent, reads.answers),
            (2, 2, 50, 2)
        );
        let part = (Position(1), crate::event::Part::Data);
        let event = |_: &[crate::store::ErasedPart]| NewEvent::json("Erased", "{}").unwrap();
        writer
            .erase(&[part], &"erasures-1".parse().unwrap(), &event)
            .unwrap();
        let view = kept
            .remembered("one", &first, &DocumentQuery::default())
            .unwrap();
        assert_eq!(view.documents.len(), 0, "what was erased is in no answer");
    }

    #[test]
    fn openings_that_share_a_memory_answer_from_it_and_each_projection_for_itself() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &[]);
        put(&writer, &[Made::Counted(vec![1], 1, 1)]);
        let text = TEXTS[0].1;
        let memory = std::sync::Arc::new(crate::projection::ReadCache::default());
        let ask = |text: &str, name: &str| {
            let set = set(&[("one", text), ("same", text)]);
            let all = Projections::open(&log, set, None, clock()).with_read_cache(&memory);
            let view = all.remembered(name, &AsOf::default(), &DocumentQuery::default());
            let reads = all.status().unwrap().reads;
            (view.unwrap().projection.clone(), reads.hits, reads.misses)
        };
        assert_eq!(ask(text, "one"), ("one".to_owned(), 0, 1));
        assert_eq!(ask(text, "one"), ("one".to_owned(), 1, 1));
        assert_eq!(ask(text, "same"), ("same".to_owned(), 1, 2));
        let other = format!("{text}\n# another text\n");
        assert_eq!(ask(&other, "one"), ("one".to_owned(), 1, 3));
    }

    #[test]
    fn a_question_about_what_is_kept_reads_no_event() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &[]);
        let made: Vec<Made> = (0..500)
            .map(|n| Made::Counted(vec![1], 1, n % 400))
            .collect();
        put(&writer, &made);
        let kept = Projections::open(&log, set(&TEXTS), None, clock());
        kept.catch_up(&[]).unwrap();
        let examined = |as_of: AsOf| {
            kept.documents("many", &as_of, &DocumentQuery::default())
                .unwrap()
                .events_examined
        };
        assert_eq!(examined(AsOf::default()), 0);
        let known = |known| AsOf {
            at: None,
            known: Some(Position(known)),
        };
        // A state is kept every 16 inputs.
        assert_eq!(examined(known(129)), 1);
        assert_eq!(examined(known(127)), 15);
        put(&writer, &made[..3]);
        assert_eq!(examined(AsOf::default()), 3);
    }

    #[test]
    fn documents_of_a_log_that_is_an_older_copy_now_are_made_anew_and_it_is_said() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &[]);
        let made: Vec<Made> = (0..20).map(|n| Made::Counted(vec![1], 1, n)).collect();
        put(&writer, &made[..10]);
        let copy = home.path().join("copy.annals");
        let restored = home.path().join("restored");
        crate::store::backup(&log, &copy, &crate::progress::WorkProgress::default()).unwrap();
        put(&writer, &made[10..]);
        let text = set(&TEXTS);
        let kept = Projections::open(&log, text.clone(), None, clock());
        kept.catch_up(&["one"]).unwrap();
        drop((kept, writer, log));
        std::fs::create_dir(&restored).unwrap();
        std::fs::rename(&copy, restored.join("x.annals")).unwrap();
        std::fs::rename(home.path().join("x.annals.d"), restored.join("x.annals.d")).unwrap();
        let log = Log::explore(&restored.join("x.annals")).unwrap();
        let kept = Projections::open(&log, text.clone(), None, clock());
        let now = AsOf::default();
        let all = DocumentQuery::default();
        let plain = documents(&log, &text, "one", &now, &all).unwrap();
        assert_eq!(
            rows(&kept.documents("one", &now, &all).unwrap()),
            rows(&plain)
        );
        let done = kept.catch_up(&["one"]).unwrap();
        assert_eq!((done[0].from.0, done[0].to.0), (0, 10));
        assert_eq!(
            done[0].notes,
            [
                "the projection stood at position 20 and the log ends at 10: an older copy of the log stands there now; the documents are made anew"
            ]
        );
        assert_eq!(
            rows(&kept.documents("one", &now, &all).unwrap()),
            rows(&plain)
        );
    }
}

mod control {
    //! What can be done about a projection, and how it says it stands.

    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::progress::WorkProgress;

    const SUM: &str = "key = \"'all'\"\n[on.Counted]\n\"n.add\" = 'data.n'\n";

    /// A clock that is set by hand, in seconds after the log's own.
    fn clock() -> (Arc<AtomicI64>, crate::surroundings::Clock) {
        let seconds = Arc::new(AtomicI64::new(0));
        let own = Arc::clone(&seconds);
        let start = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap().us();
        let clock =
            move || Time::from_parts(start + own.load(Ordering::Relaxed) * 1_000_000, 0).unwrap();
        (seconds, Arc::new(clock))
    }

    fn counted(n: &str) -> [(&str, &'static str, &'static str, &str); 1] {
        [("a-1", "Counted", "2024-01-01", n)]
    }

    fn sum(all: &Projections) -> String {
        let view = all
            .documents("p", &AsOf::default(), &DocumentQuery::default())
            .unwrap();
        view.documents
            .first()
            .map_or("none".into(), |row| row.state.get().to_owned())
    }

    #[test]
    fn a_runner_that_died_says_dead_and_never_lag_zero() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &counted(r#"{"n": 1}"#));
        let (seconds, clock) = clock();
        let all = Projections::open(&log, set(&[("p", SUM)]), None, clock);
        let status = || all.status().unwrap().projections.remove(0);
        let told = |status: ProjectionStatus| {
            (
                status.state,
                status.checkpoint.0,
                status.lag_events,
                status.stale_for_ms,
            )
        };
        seconds.store(7, Ordering::Relaxed);
        assert_eq!(told(status()), (RunState::Idle, 0, Some(1), Some(7_000)));
        all.catch_up(&[]).unwrap();
        assert_eq!(told(status()), (RunState::Idle, 1, None, None));

        let beat = |id: &str| {
            let now_us = (all.clock)().us();
            all.cache()
                .unwrap()
                .write(|transaction| {
                    super::super::kept::beat(transaction, id, 7, &["p".into()], now_us)
                })
                .unwrap();
        };
        beat("one");
        assert_eq!(told(status()), (RunState::Running, 1, Some(0), None));
        seconds.store(20, Ordering::Relaxed);
        assert_eq!(told(status()), (RunState::Dead, 1, None, Some(13_000)));
        append(&writer, &counted(r#"{"n": 2}"#));
        assert_eq!(told(status()), (RunState::Dead, 1, Some(1), Some(20_000)));
        // Another that lives takes its place.
        beat("two");
        assert_eq!(status().state, RunState::Running);
    }

    #[test]
    fn a_runner_follows_until_it_is_told_to_stop_and_says_goodbye() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &counted(r#"{"n": 1}"#));
        let all = Projections::open(&log, set(&[("p", SUM)]), None, Surroundings::system().clock);
        let runner = Runner {
            id: "one".into(),
            pid: 7,
            names: Vec::new(),
        };
        let progress = WorkProgress::default();
        let mut seen = Vec::new();
        all.run(&runner, &progress, &mut |done| {
            seen.push((done.from.0, done.to.0, done.changed.clone()));
            match seen.len() {
                1 => append(&writer, &counted(r#"{"n": 2}"#)),
                _ => {
                    progress.cancel();
                }
            }
        })
        .unwrap();
        assert_eq!(
            seen,
            [(0, 1, vec!["all".into()]), (1, 2, vec!["all".into()])]
        );
        assert_eq!(sum(&all), r#"{"n":3}"#);
        assert_eq!(all.status().unwrap().projections[0].state, RunState::Idle);
    }

    #[test]
    fn a_paused_projection_stays_and_its_answers_are_complete_all_the_same() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &counted(r#"{"n": 1}"#));
        let all = Projections::open(&log, set(&[("p", SUM)]), None, clock().1);
        all.catch_up(&[]).unwrap();
        assert!(all.set_paused("p", true).unwrap() && !all.set_paused("p", true).unwrap());
        append(&writer, &counted(r#"{"n": 2}"#));
        let done = all.catch_up(&[]).unwrap();
        assert_eq!((done[0].to.0, done[0].is_paused), (1, true));
        let status = all.status().unwrap().projections.remove(0);
        assert_eq!(
            (status.state, status.lag_events),
            (RunState::Paused, Some(1))
        );
        assert_eq!(sum(&all), r#"{"n":3}"#);
        assert!(all.set_paused("p", false).unwrap());
        assert_eq!(all.catch_up(&[]).unwrap()[0].to.0, 2);
    }

    #[test]
    fn a_projection_that_stopped_goes_on_only_when_it_is_told() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &counted(r#"{"n": 1}"#));
        append(&writer, &counted(r#"{"n": "x"}"#));
        append(&writer, &counted(r#"{"n": 5}"#));
        let text = format!("on_fault = 'stop'\n{SUM}");
        let all = Projections::open(&log, set(&[("p", &text)]), None, clock().1);
        let done = all.catch_up(&[]).unwrap();
        assert_eq!(
            (done[0].to.0, done[0].stopped_at, done[0].faults),
            (1, Some(Position(2)), 1)
        );
        let status = all.status().unwrap().projections.remove(0);
        assert_eq!(
            (status.state, status.lag_events, status.faults),
            (RunState::Stopped, Some(2), 1)
        );
        assert_eq!(status.fault_list[0].position, Position(2));
        assert_eq!(sum(&all), r#"{"n":1}"#);
        assert!(all.catch_up(&[]).unwrap()[0].changed.is_empty());
        // It fails again: nothing is counted twice.
        assert!(all.retry("p").unwrap());
        assert_eq!(all.catch_up(&[]).unwrap()[0].stopped_at, Some(Position(2)));
        assert_eq!(all.status().unwrap().projections[0].faults, 1);
        // With a definition that can read it, it goes on.
        let mended = text.replace("'data.n'", "'number(text(data.n).replace(\"x\", \"2\"))'");
        let all = Projections::open(&log, set(&[("p", &mended)]), None, clock().1);
        assert_eq!(all.status().unwrap().projections[0].state, RunState::Stale);
        assert_eq!(all.catch_up(&[]).unwrap()[0].to.0, 3);
        assert_eq!(sum(&all), r#"{"n":8}"#);
    }

    #[test]
    fn a_rebuild_finds_what_differs_and_can_be_taken_back() {
        let home = tempfile::tempdir().unwrap();
        let (_writer, log) = store(home.path(), &counted(r#"{"n": 1}"#));
        let all = Projections::open(&log, set(&[("p", SUM)]), None, clock().1);
        all.catch_up(&[]).unwrap();
        all.cache()
            .unwrap()
            .write(|transaction| {
                Ok(transaction
                    .execute("UPDATE projection_documents SET state = '{\"n\":7}'", [])?)
            })
            .unwrap();
        let view = all.rebuild("p", false).unwrap();
        assert_eq!((view.differences_count, view.switched), (1, false));
        let state =
            |state: &Option<Box<serde_json::value::RawValue>>| state.as_ref().unwrap().to_string();
        assert_eq!(state(&view.differences[0].before), r#"{"n":7}"#);
        assert_eq!(state(&view.differences[0].after), r#"{"n":1}"#);
        assert_eq!(sum(&all), r#"{"n":7}"#);
        assert!(all.rebuild("p", true).unwrap().switched);
        assert_eq!(sum(&all), r#"{"n":1}"#);
        assert!(all.roll_back("p").unwrap());
        assert_eq!(sum(&all), r#"{"n":7}"#);
        assert!(all.reset("p").unwrap() && !all.roll_back("p").unwrap());
        assert_eq!(sum(&all), r#"{"n":1}"#);
    }

    #[test]
    fn a_synchronous_projection_holds_what_was_acknowledged() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &[]);
        let text = format!("strategy = 'sync'\n{SUM}");
        let all = Projections::open(&log, set(&[("p", &text)]), None, clock().1);
        let append = |n: u32| {
            let event = NewEvent::json("Counted", &format!("{{\"n\": {n}}}")).unwrap();
            all.append(
                &writer,
                vec![StreamAppend {
                    stream: "a-1".parse().unwrap(),
                    category: None,
                    expected: ExpectedVersion::Any,
                    events: vec![event],
                }],
            )
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let at = append(1).unwrap().head.size;
                        let status = all.status().unwrap().projections.remove(0);
                        assert!(status.checkpoint >= at, "it was acknowledged before");
                    }
                });
            }
        });
        assert_eq!(sum(&all), r#"{"n":40}"#);
    }

    #[test]
    fn a_full_disk_leaves_a_projection_as_of_its_checkpoint() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &counted(r#"{"n": 1}"#));
        let text = "key = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\nlong = 'get(data, \"long\", \"\")'\n";
        let set = set(&[(
            "p",
            &text.replace("'data.to'", "\"get(data, 'to', 'all')\""),
        )]);
        let all = Projections::open(&log, set.clone(), None, clock().1);
        all.catch_up(&[]).unwrap();
        let cache = all.cache().unwrap();
        let pages = |most: u32| {
            let limit = |conn: &rusqlite::Connection| {
                conn.query_row(&format!("PRAGMA max_page_count = {most}"), [], |row| {
                    row.get::<_, u32>(0)
                })
            };
            cache.read(|conn| Ok(limit(conn)?)).unwrap()
        };
        let long = "x".repeat(40_000);
        for n in 0..4 {
            append(
                &writer,
                &counted(&format!(
                    "{{\"n\": {n}, \"to\": \"d{n}\", \"long\": \"{long}\"}}"
                )),
            );
        }
        // No page more than there are.
        pages(1);
        let error = all.catch_up(&[]).unwrap_err();
        assert!(
            matches!(&error, ProjectionError::Cache(error) if error.is_full()),
            "{error}"
        );
        assert_eq!(all.status().unwrap().projections[0].checkpoint.0, 1);
        let everything = DocumentQuery::default();
        let plain = documents(&log, &set, "p", &AsOf::default(), &everything).unwrap();
        let text = |view: &DocumentsView| serde_json::to_string(&view.documents).unwrap();
        let view = all.documents("p", &AsOf::default(), &everything).unwrap();
        assert_eq!(text(&view), text(&plain), "what is not kept is folded on");
        pages(1_000_000);
        assert_eq!(all.catch_up(&[]).unwrap()[0].to.0, 5);
        let view = all.documents("p", &AsOf::default(), &everything).unwrap();
        assert_eq!(text(&view), text(&plain));
    }

    #[test]
    fn two_processes_share_the_work_and_take_no_event_twice() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = store(home.path(), &[]);
        let open = || Projections::open(&log, set(&[("p", SUM)]), None, clock().1);
        let (a, b) = (open(), open());
        for _ in 0..20 {
            append(&writer, &counted(r#"{"n": 1}"#));
            std::thread::scope(|scope| {
                scope.spawn(|| a.catch_up(&[]).unwrap());
                scope.spawn(|| b.catch_up(&[]).unwrap());
            });
        }
        assert_eq!(sum(&a), r#"{"n":20}"#);
        assert_eq!(sum(&b), r#"{"n":20}"#);
        assert_eq!(a.status().unwrap().projections[0].checkpoint.0, 20);
    }
}

mod compared {
    //! The user's own rows against the documents, and what an erasure leaves of them.

    use super::*;

    const SUM: &str = "key = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\nwho = 'data.who'\nflag = 'data.n > 2'\n";

    fn made(folder: &std::path::Path) -> (LogWriter, Log) {
        store(
            folder,
            &[
                (
                    "a-1",
                    "Counted",
                    "2024-01-01",
                    r#"{"to": "a", "n": 1.50, "who": "x"}"#,
                ),
                (
                    "a-1",
                    "Counted",
                    "2024-01-02",
                    r#"{"to": "b", "n": 2, "who": "x"}"#,
                ),
                (
                    "a-1",
                    "Counted",
                    "2024-01-03",
                    r#"{"to": "a", "n": 1, "who": "zyzzyva"}"#,
                ),
                (
                    "a-1",
                    "Counted",
                    "2024-01-04",
                    r#"{"to": "c", "n": 9, "who": ""}"#,
                ),
            ],
        )
    }

    fn told(view: &CompareView) -> Vec<String> {
        let differences = view.differences.iter().flat_map(|difference| {
            let since = |event: &Option<crate::store::EventBrief>| {
                event
                    .as_ref()
                    .map_or("never".to_owned(), |event| event.position.to_string())
            };
            let whole = format!(
                "{} {:?} {}",
                difference.key,
                difference.kind,
                since(&difference.since)
            );
            let fields = difference.fields.iter().map(move |field| {
                format!(
                    "{} {} {} {} {}",
                    difference.key,
                    field.field,
                    field.theirs,
                    field.ours,
                    since(&field.since)
                )
            });
            std::iter::once(whole).chain(fields)
        });
        differences.collect()
    }

    #[test]
    fn rows_that_differ_are_told_since_the_event_that_made_them_so() {
        let home = tempfile::tempdir().unwrap();
        let (_writer, log) = made(home.path());
        let set = set(&[("p", SUM)]);
        let compared = |from: &str, key: Option<&str>| {
            let theirs = Theirs::read(from, key).unwrap();
            compare(&log, &set, "p", &AsOf::default(), &theirs, DIFFERENCES).unwrap()
        };
        let csv = home.path().join("theirs.csv");
        std::fs::write(
            &csv,
            "id,n,who,flag,other\na,1.5,x,false,1\nb,3.00,x,0,\nd,1,,,\n",
        )
        .unwrap();
        let csv = csv.display().to_string();
        let view = compared(&csv, None);
        let want = [
            "a Differs never",
            r#"a n "1.5" 2.50 3"#,
            r#"a who "x" "zyzzyva" 3"#,
            r#"b Differs never"#,
            r#"b n "3.00" 2 never"#,
            "c Missing 4",
            "d Extra never",
        ];
        assert_eq!(told(&view), want);
        assert_eq!(
            (view.rows, view.documents, view.same, view.differences_count),
            (3, 3, 0, 4)
        );
        assert_eq!(
            (view.compared.join(","), view.not_compared.join(",")),
            ("n,who,flag".into(), "other".into())
        );

        let file = home.path().join("theirs.sqlite");
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(
            "CREATE TABLE \"my sums\"(n REAL, id TEXT, flag INTEGER); INSERT INTO \"my sums\" VALUES (2.5, 'a', 0), (2, 'b', 0), (9, 'c', 1)",
        )
        .unwrap();
        let view = compared(&format!("{}:my sums", file.display()), Some("id"));
        assert_eq!((view.same, told(&view)), (3, Vec::new()));

        let json = home.path().join("theirs.json");
        std::fs::write(
            &json,
            "{\"id\":\"a\",\"n\":2.5}\n{\"id\":\"a\",\"n\":2.500}\n",
        )
        .unwrap();
        let view = compared(&json.display().to_string(), None);
        assert_eq!(
            (view.same, view.repeated, view.differences_count),
            (1, 1, 2)
        );

        for (text, wrong) in [
            ("id,n\n,1\n", "row 1 has no key in column id"),
            ("id,n\na\n", "CSV error"),
            ("\u{0}", "has no column key"),
        ] {
            std::fs::write(&csv, text).unwrap();
            let key = text.starts_with('\u{0}').then_some("key");
            let error = Theirs::read(&csv, key).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
        assert!(Theirs::read("nothing.sqlite:t", None).is_err());
        assert!(!std::path::Path::new("nothing.sqlite").exists());
    }

    #[test]
    fn what_was_erased_is_in_no_document_and_in_no_byte_of_the_cache() {
        let home = tempfile::tempdir().unwrap();
        let (writer, log) = made(home.path());
        let set = set(&[("p", SUM)]);
        let clock = super::kept::clock();
        let all = Projections::open(&log, set.clone(), None, clock.clone());
        all.catch_up(&[]).unwrap();
        let file = all.cache().unwrap().file();
        let bytes = || {
            let mut wal = file.as_os_str().to_owned();
            wal.push("-wal");
            let read = |path: &std::path::Path| std::fs::read(path).unwrap_or_default();
            let all = [read(&file), read(std::path::Path::new(&wal))].concat();
            all.windows(7).filter(|word| *word == b"zyzzyva").count()
        };
        assert!(bytes() > 0);
        let part = (Position(3), crate::event::Part::Data);
        writer
            .erase(&[part], &"erasures-1".parse().unwrap(), &|_| {
                NewEvent::json("Erased", "{}").unwrap()
            })
            .unwrap();
        let all_of_it = DocumentQuery::default();
        let plain = documents(&log, &set, "p", &AsOf::default(), &all_of_it).unwrap();
        let fast = all.documents("p", &AsOf::default(), &all_of_it).unwrap();
        let text = |view: &DocumentsView| serde_json::to_string(&view.documents).unwrap();
        assert_eq!(text(&plain), text(&fast));
        assert!(!text(&fast).contains("zyzzyva"));
        drop(all);
        forget_erased(&log, None, &std::sync::atomic::AtomicBool::new(false)).unwrap();
        assert_eq!(bytes(), 0);
        let all = Projections::open(&log, set, None, clock);
        all.catch_up(&[]).unwrap();
        assert_eq!(
            text(&all.documents("p", &AsOf::default(), &all_of_it).unwrap()),
            text(&plain)
        );
    }
}
