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
