//! The rows of a report are the answers of the API to the same question.

use proptest::prelude::*;

use super::*;
use crate::position::Position;
use crate::store::EventQuery;
use crate::temporal::{AsOf, Moment, diff, why};

/// A shop of 300 events, made once.
fn shop() -> &'static Store {
    static SHOP: std::sync::OnceLock<Store> = std::sync::OnceLock::new();
    SHOP.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.annals");
        let request = crate::sample::ShopRequest {
            events: 300,
            seed: 5,
        };
        crate::sample::shop(&path, &request, &WorkProgress::default()).unwrap();
        let log = Log::explore(&path).unwrap();
        Store { folder, path, log }
    })
}

fn all() -> Vec<crate::event::Event> {
    let page = shop().log.events(&EventQuery::default(), 1_000).unwrap();
    page.events
}

prop_compose! {
    /// A scope taken from an event of the shop, each of its parts or not.
    fn scope()(
        at in 0..300usize, other in 0..300usize,
        stream in prop::bool::weighted(0.3), category in any::<bool>(),
        event_type in prop::bool::weighted(0.2), actor in prop::bool::weighted(0.3),
        from in any::<bool>(), to in any::<bool>(), known in any::<bool>(), as_of in any::<bool>(),
    ) -> ReportRequest {
        let events = all();
        let (one, two) = (&events[at], &events[other]);
        let mut request = ReportRequest::of("audit-trail");
        request.query = EventQuery {
            stream: one.stream.clone().filter(|_| stream),
            category: one.category.clone().filter(|_| category && !stream),
            event_type: Some(one.event_type.clone()).filter(|_| event_type),
            actor: one.actor.clone().filter(|_| actor),
            from: Some(one.time.time.min(two.time.time)).filter(|_| from),
            to: Some(one.time.time.max(two.time.time)).filter(|_| to),
            known: Some(two.position).filter(|_| known),
            ..EventQuery::default()
        };
        request.at = Some(two.time.time).filter(|_| as_of);
        request
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn changes_are_the_differences_of_states(request in scope()) {
        let store = shop();
        let models = store.models();
        let made = store.make(&request).unwrap();
        let query = EventQuery {
            to: [request.query.to, request.at].into_iter().flatten().min(),
            ..request.query.clone()
        };
        let events = store.log.events(&query, 1_000).unwrap().events;
        prop_assert_eq!(made.report.first_page.completeness.events_in_scope, events.len() as u64);
        let mut want = Vec::new();
        for event in &events {
            let stream = request.query.stream.clone().or(event.stream.clone()).unwrap();
            let moment = |known: u64| Moment::AsOf(AsOf { at: request.at, known: Some(Position(known)) });
            let position = event.position.0;
            let view = diff(&store.log, &models, &stream, &moment(position - 1), &moment(position)).unwrap();
            let mut changes: Vec<String> = view.changes.iter().map(|change| {
                let text = |raw: &Option<Box<serde_json::value::RawValue>>| match raw {
                    Some(raw) => raw.get().to_owned(),
                    None => "none".to_owned(),
                };
                format!("{position} {} {} {}", change.path, text(&change.before), text(&change.after))
            }).collect();
            if changes.is_empty() {
                changes.push(format!("{position} none none none"));
            }
            changes.sort();
            want.extend(changes);
        }
        let mut got: Vec<(u64, String)> = held(&made, "changes").into_iter().map(|row| {
            let position = row.event.unwrap().position.0;
            let cells = &row.cells;
            (position, format!("{position} {} {} {}", cells[6].text(), cells[7].text(), cells[8].text()))
        }).collect();
        prop_assert!(got.is_sorted_by_key(|(position, _)| *position), "rows are in the order of the log");
        got.sort();
        let got: Vec<String> = got.into_iter().map(|(_, text)| text).collect();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn every_value_is_what_the_listed_steps_lead_to(mut request in scope()) {
        request.template = "basel-position".into();
        request.at.get_or_insert(Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap());
        steps_lead_to_the_values(shop(), &request);
    }

    #[test]
    fn events_are_those_of_the_query(mut request in scope()) {
        let store = shop();
        request.template = "hipaa-access".into();
        let made = store.make(&request).unwrap();
        let query = EventQuery {
            to: [request.query.to, request.at].into_iter().flatten().min(),
            ..request.query.clone()
        };
        let want: Vec<Row> = store.log.events(&query, 1_000).unwrap().events.into_iter().map(|event| {
            let row = |cells| Row { event: Some(RowEvent {
                position: event.position, stream: event.stream.as_ref().map(ToString::to_string), version: event.version,
            }), cells };
            let text = |text: String| Cell::Value(text);
            row(vec![text(event.position.to_string()), text(event.time.time.to_string()), text(event.event_type.to_string())])
        }).collect();
        let got: Vec<Row> = held(&made, "accesses").into_iter().map(|row| Row {
            cells: vec![row.cells[0].clone(), row.cells[1].clone(), row.cells[4].clone()], ..row
        }).collect();
        prop_assert_eq!(got, want);
    }
}

/// Replays the steps that a report lists and compares with the values that it tells; gives how many steps came from
/// outside the scope, and how many from other streams.
fn steps_lead_to_the_values(store: &Store, request: &ReportRequest) -> (usize, usize) {
    use crate::temporal::{Change, ChangeKind, apply_changes};
    let made = store.make(request).unwrap();
    let mut states: std::collections::BTreeMap<String, serde_json::Value> = Default::default();
    let mut sums: std::collections::BTreeMap<(String, String), crate::model::Exact> =
        Default::default();
    let (mut outside, mut linked) = (0, 0);
    let mut told: Vec<Position> = Vec::new();
    for row in held(&made, "lineage") {
        let event = row.event.unwrap();
        told.push(event.position);
        let stream = event.stream.unwrap();
        assert_eq!(row.cells[0].text(), stream, "a step is told for its stream");
        let raw = |cell: &Cell| {
            let text = cell.value()?.to_owned();
            Some(serde_json::value::RawValue::from_string(text).unwrap())
        };
        outside += usize::from(row.cells[10].text().starts_with("outside the scope"));
        linked += usize::from(row.cells[10].text().contains("linked from"));
        let (before, after) = (raw(&row.cells[7]), raw(&row.cells[8]));
        if before.is_none() && after.is_none() {
            continue;
        }
        let path = row.cells[6].text().to_owned();
        if let Some(added) = row.cells[9].value().or(row.cells[8].value())
            && let Ok(added) = crate::model::Exact::read(added)
        {
            let sum = sums.entry((stream.clone(), path.clone()));
            let sum = sum.or_insert(crate::model::Exact::Int(0));
            *sum = sum.add(added).unwrap();
        }
        let change = Change {
            kind: match (&before, &after) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Removed,
                _ => ChangeKind::Changed,
            },
            path,
            before,
            after,
        };
        apply_changes(states.entry(stream).or_default(), &[change]).unwrap();
    }
    for row in held(&made, "positions") {
        let (stream, path) = (row.cells[0].text(), row.cells[1].text());
        let parsed: crate::model::FieldPath = path.parse().unwrap();
        let value = states.get(stream).and_then(|state| parsed.get(state));
        let value = value.map(ToString::to_string);
        assert_eq!(value.as_deref(), row.cells[2].value(), "{stream} {path}");
        if let Some(sum) = sums.get(&(stream.to_owned(), path.to_owned()))
            && let Ok(value) = crate::model::Exact::read(row.cells[2].text())
        {
            assert_eq!(*sum, value, "{stream} {path}: its differences add up");
        }
    }
    told.sort_unstable();
    told.dedup();
    let lineage = made.report.first_page.completeness.lineage.unwrap();
    assert_eq!(
        lineage.events,
        told.len() as u64,
        "all are counted, each once"
    );
    (outside, linked)
}

#[test]
fn what_other_streams_did_to_a_value_is_among_its_steps() {
    let request = ReportRequest {
        at: Some(Time::parse_rfc3339("2030-01-01T00:00:00Z").unwrap()),
        ..ReportRequest::of("basel-position")
    };
    let (outside, linked) = steps_lead_to_the_values(shop(), &request);
    assert!(outside == 0 && linked > 20, "{outside} {linked}");
    let mut narrow = request.clone();
    narrow.query.category = Some("customer".parse().unwrap());
    let (outside, _) = steps_lead_to_the_values(shop(), &narrow);
    assert!(outside > 10, "{outside}");
    let page = |request: &ReportRequest| shop().make(request).unwrap().report.first_page;
    let all = page(&request).completeness.lineage.unwrap();
    let narrow = page(&narrow);
    let some = narrow.completeness.lineage.unwrap();
    assert!(
        all.sha256 != some.sha256 && some.events < all.events,
        "{some:?}"
    );
    assert_eq!((all.outside_scope, all.events), (0, 300));
    let (checked, not_checked) = (&narrow.checked[0], &narrow.not_checked[2]);
    let outside = plural(some.outside_scope, "event");
    assert!(
        checked.contains(&format!(
            "and of {outside} outside it that values are made of"
        )),
        "{checked}"
    );
    assert!(not_checked.contains(&outside), "{not_checked}");
}

#[test]
fn lineage_names_the_event_that_why_names() {
    for store in [&Store::guide(), shop()] {
        let models = store.models();
        let made = store.report("basel-position", None);
        let rows = held(&made, "positions");
        assert!(rows.len() > 20, "{}", rows.len());
        for row in rows {
            let set_by = row.event.unwrap();
            let stream = set_by.stream.unwrap().parse().unwrap();
            let (path, now) = (row.cells[1].text(), Moment::AsOf(AsOf::default()));
            let path = path.parse().unwrap();
            let told = why(&store.log, &models, &stream, &path, &now, 10).unwrap();
            assert_eq!(
                told.set_by.unwrap().position,
                set_by.position,
                "{stream} {path}"
            );
        }
    }
}

#[test]
fn a_report_over_an_unknown_position_is_refused() {
    let mut request = ReportRequest::of("audit-trail");
    request.query.known = Some(Position(301));
    let error = shop().make(&request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the log has 300 positions, there is no position 301"
    );
}
