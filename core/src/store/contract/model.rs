//! Random logs and random questions, answered by the store and by a plain list.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const STREAMS: [&str; 5] = ["a-1", "a-2", "b-1", "c_%", "C_%-x"];
const TYPES: [&str; 3] = ["Opened", "Changed", "Closed"];
const ACTORS: [&str; 3] = ["ann", "bob", "cy"];

/// One event to append: stream, links, type, actor, correlation, time in microseconds, nanoseconds on top.
type Spec = (
    &'static str,
    Vec<&'static str>,
    &'static str,
    Option<&'static str>,
    Option<u8>,
    i64,
    u16,
);

fn spec() -> impl Strategy<Value = Spec> {
    (
        select(&STREAMS[..]),
        proptest::collection::vec(select(&STREAMS[..]), 0..2),
        select(&TYPES[..]),
        proptest::option::of(select(&ACTORS[..])),
        proptest::option::of(0u8..2),
        0i64..6,
        select(&[0u16, 1, 999][..]),
    )
}

fn time() -> impl Strategy<Value = Option<Time>> {
    let some = (-1i64..8, select(&[0u16, 1, 999][..]));
    proptest::option::of(some.prop_map(|(us, ns)| Time::from_parts(us, ns).unwrap()))
}

fn question() -> impl Strategy<Value = EventQuery> {
    let names = (
        proptest::option::weighted(0.3, select(&STREAMS[..])),
        proptest::option::weighted(0.3, select(&["a", "b", "c_%", "none"][..])),
        proptest::option::weighted(0.3, select(&["Opened", "Changed", "Never"][..])),
        proptest::option::weighted(0.3, select(&ACTORS[..])),
        proptest::option::weighted(0.2, 0u8..2),
    );
    let range = (time(), time(), proptest::option::weighted(0.3, 0u64..40));
    (names, range, any::<bool>()).prop_map(|((s, c, t, a, x), (from, to, known), back)| {
        EventQuery {
            stream: s.map(stream),
            category: c.map(|c| Category::new(c).unwrap()),
            event_type: t.map(|t| EventType::new(t).unwrap()),
            actor: a.map(|a| Actor::new(a).unwrap()),
            correlation: x.map(correlation_of),
            from,
            to,
            known: known.map(Position),
            direction: if back {
                Direction::Backwards
            } else {
                Direction::Forwards
            },
            after: None,
        }
    })
}

/// Of two correlations one is a UUID, which a log may keep in another form than other texts.
fn correlation_of(number: u8) -> String {
    match number {
        0 => "018d0c2a-7e1f-7abc-8def-0123456789ab".to_owned(),
        other => other.to_string(),
    }
}

fn new_event(spec: &Spec) -> NewEvent {
    let (home, links, event_type, actor, correlation, us, ns) = spec;
    let mut metadata = serde_json::Map::new();
    if let Some(actor) = actor {
        metadata.insert("userId".into(), (*actor).into());
    }
    if let Some(correlation) = correlation {
        let text = correlation_of(*correlation);
        metadata.insert("correlationId".into(), text.into());
    }
    NewEvent {
        time: Some(SourceTime::unwritten(Time::from_parts(*us, *ns).unwrap())),
        metadata: Some(Payload::json(serde_json::Value::Object(metadata).to_string()).unwrap()),
        links: links
            .iter()
            .filter(|link| *link != home)
            .map(|link| NewLink {
                stream: stream(link),
                qualifier: "to".into(),
            })
            .collect(),
        ..event(event_type, "{}")
    }
}

/// Whether an event answers a question, `after` and `direction` left aside.
fn matches(position: u64, spec: &Spec, query: &EventQuery) -> bool {
    let (home, links, event_type, actor, correlation, us, ns) = spec;
    let time = Time::from_parts(*us, *ns).unwrap();
    query
        .stream
        .as_ref()
        .is_none_or(|s| s.as_str() == *home || links.contains(&s.as_str()))
        && query
            .category
            .as_ref()
            .is_none_or(|c| *c == stream(home).default_category())
        && query
            .event_type
            .as_ref()
            .is_none_or(|t| t.as_str() == *event_type)
        && query
            .actor
            .as_ref()
            .is_none_or(|a| Some(a.as_str()) == *actor)
        && query
            .correlation
            .as_ref()
            .is_none_or(|x| Some(x.clone()) == correlation.map(correlation_of))
        && query.from.is_none_or(|from| time >= from)
        && query.to.is_none_or(|to| time <= to)
        && query.known.is_none_or(|known| position <= known.0)
}

pub(super) fn answers_agree_with_a_plain_list(make: Make) {
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let log = (
        proptest::collection::vec(proptest::collection::vec(spec(), 1..6), 0..8),
        proptest::collection::vec(question(), 12),
        1usize..5,
        any::<bool>(),
    );
    runner
        .run(&log, |(batches, questions, limit, in_bulk)| {
            let fresh = make(fixed());
            let list = write(&fresh.writer, &batches, in_bulk)?;
            for query in &questions {
                check_events(&fresh.writer.log(), &list, query, limit)?;
                check_times(&fresh.writer.log(), &list, query)?;
            }
            check_streams(&fresh.writer.log(), &list, limit)
        })
        .unwrap();
}

fn write(
    writer: &LogWriter,
    batches: &[Vec<Spec>],
    in_bulk: bool,
) -> Result<Vec<Spec>, TestCaseError> {
    let mut list: Vec<Spec> = Vec::new();
    let mut bulk = match in_bulk {
        true => Some(writer.bulk("list", &Extraction::standard()).unwrap()),
        false => None,
    };
    for batch_of in batches {
        let mut appends = Vec::new();
        for spec in batch_of {
            list.push(spec.clone());
            match &mut bulk {
                Some(bulk) => {
                    let outcome = bulk.add(&stream(spec.0), None, new_event(spec)).unwrap();
                    let BulkOutcome::Stored(place) = outcome else {
                        return Err(TestCaseError::fail("not stored"));
                    };
                    prop_assert_eq!(place.position.0, list.len() as u64);
                    prop_assert_eq!(place.version.0, version(&list, list.len()));
                }
                None => {
                    appends.push(batch(spec.0, ExpectedVersion::Any, vec![new_event(spec)]));
                }
            }
        }
        if bulk.is_none() {
            let first = list.len() - batch_of.len();
            let appended = writer.append(appends).unwrap();
            for (n, place) in appended.events.iter().enumerate() {
                prop_assert_eq!(place.position.0, (first + n + 1) as u64);
                prop_assert_eq!(place.version.0, version(&list, first + n + 1));
            }
        }
    }
    if let Some(bulk) = bulk {
        bulk.commit().unwrap();
    }
    Ok(list)
}

/// Version of an event in its home stream: events of that stream up to it, linked ones included.
fn version(list: &[Spec], position: usize) -> u64 {
    let home = list[position - 1].0;
    let in_stream = list[..position]
        .iter()
        .filter(|s| s.0 == home || s.1.contains(&home));
    in_stream.count() as u64
}

fn matching(list: &[Spec], query: &EventQuery) -> Vec<u64> {
    let numbered = list
        .iter()
        .enumerate()
        .map(|(n, spec)| (n as u64 + 1, spec));
    numbered
        .filter(|(p, spec)| matches(*p, spec, query))
        .map(|(p, _)| p)
        .collect()
}

fn check_events(
    log: &Log,
    list: &[Spec],
    query: &EventQuery,
    limit: usize,
) -> Result<(), TestCaseError> {
    let mut want = matching(list, query);
    prop_assert_eq!(
        log.count(query).unwrap(),
        want.len() as u64,
        "count of {:?}",
        query
    );
    if query.direction == Direction::Backwards {
        want.reverse();
    }
    let mut got = Vec::new();
    let mut page_query = query.clone();
    loop {
        let page = log.events(&page_query, limit).unwrap();
        for event in &page.events {
            prop_assert_eq!(event.version.0, version(list, event.position.0 as usize));
        }
        got.extend(page.events.iter().map(|e| e.position.0));
        match page.next {
            Some(next) => page_query.after = Some(next),
            None => break,
        }
    }
    for skip in 0..=want.len() + 1 {
        let page = log.events_from(query, skip as u64, limit).unwrap();
        let got: Vec<u64> = page.events.iter().map(|e| e.position.0).collect();
        let here = &want[skip.min(want.len())..];
        prop_assert_eq!(
            &got,
            &here[..limit.min(here.len())],
            "{} of {:?}",
            skip,
            query
        );
        prop_assert_eq!(page.next.is_some(), here.len() > limit);
    }
    for position in 0..=list.len() as u64 + 1 {
        let row = want
            .iter()
            .position(|p| *p == position)
            .map(|row| row as u64);
        let got_row = log.row_of(query, Position(position)).unwrap();
        prop_assert_eq!(got_row, row, "row of {} in {:?}", position, query);
    }
    prop_assert_eq!(got, want, "events of {:?}", query);
    Ok(())
}

fn check_times(log: &Log, list: &[Spec], query: &EventQuery) -> Result<(), TestCaseError> {
    let of = |p: &u64| Time::from_parts(list[*p as usize - 1].5, list[*p as usize - 1].6).unwrap();
    let mut times: Vec<Time> = matching(list, query).iter().map(of).collect();
    times.sort();
    for slices in [1, 3, 50] {
        let density = log.density(query, slices).unwrap();
        prop_assert_eq!(density.counts.len(), slices);
        prop_assert_eq!(
            density.counts.iter().sum::<u64>(),
            times.len() as u64,
            "{:?}",
            query
        );
        prop_assert_eq!(density.events, times.len() as u64);
        if let (Some(first), Some(last)) = (times.first(), times.last()) {
            let (from, to) = (density.from.unwrap(), density.to.unwrap());
            prop_assert_eq!(
                (from, to),
                (query.from.unwrap_or(*first), query.to.unwrap_or(*last))
            );
            let ns = |t: Time| i128::from(t.us()) * 1000 + i128::from(t.sub_ns());
            let mut counts = vec![0u64; slices];
            for time in &times {
                let slice = (ns(*time) - ns(from)) * slices as i128 / (ns(to) - ns(from) + 1);
                counts[slice as usize] += 1;
            }
            prop_assert_eq!(&density.counts, &counts, "{:?}", query);
        }
    }
    for us in -1..7 {
        let time = Time::from_parts(us, 1).unwrap();
        let before = times.iter().rev().find(|t| **t < time).copied();
        let after = times.iter().find(|t| **t > time).copied();
        prop_assert_eq!(
            log.neighbours(time, query).unwrap(),
            (before, after),
            "{:?}",
            query
        );
    }
    Ok(())
}

fn check_streams(log: &Log, list: &[Spec], limit: usize) -> Result<(), TestCaseError> {
    let mut names: Vec<&str> = STREAMS.into();
    names.sort_unstable();
    for category in [None, Some("a"), Some("c_%")] {
        for contains in [None, Some("A-"), Some("_%")] {
            let then = Time::from_parts(2, 1).unwrap();
            for (at, known) in [
                (None, None),
                (Some(then), None),
                (None, Some(7)),
                (Some(then), Some(7)),
            ] {
                let query = StreamQuery {
                    category: category.map(|c| Category::new(c).unwrap()),
                    contains: contains.map(str::to_owned),
                    at,
                    known: known.map(Position),
                    after: None,
                };
                let want: Vec<StreamRow> =
                    names.iter().filter_map(|n| row(list, n, &query)).collect();
                prop_assert_eq!(log.count_streams(&query).unwrap(), want.len() as u64);
                let mut got = Vec::new();
                let mut page_query = query.clone();
                loop {
                    let page = log.streams(&page_query, limit).unwrap();
                    got.extend(page.streams);
                    match page.next {
                        Some(next) => page_query.after = Some(next),
                        None => break,
                    }
                }
                prop_assert_eq!(got, want, "{:?}", query);
            }
        }
    }
    Ok(())
}

fn row(list: &[Spec], name: &str, query: &StreamQuery) -> Option<StreamRow> {
    let known = query.known.map_or(list.len(), |known| known.0 as usize);
    let times: Vec<Time> = list
        .iter()
        .take(known)
        .filter(|s| s.0 == name || s.1.contains(&name))
        .map(|s| Time::from_parts(s.5, s.6).unwrap())
        .collect();
    let category = stream(name).default_category();
    let (first, last) = (*times.iter().min()?, *times.iter().max()?);
    let matches = query.category.as_ref().is_none_or(|c| *c == category)
        && query.contains.as_ref().is_none_or(|text| {
            name.to_ascii_lowercase()
                .contains(&text.to_ascii_lowercase())
        })
        && query.at.is_none_or(|at| first <= at);
    matches.then(|| StreamRow {
        stream: name.into(),
        category: category.to_string(),
        events: times
            .iter()
            .filter(|time| query.at.is_none_or(|at| **time <= at))
            .count() as u64,
        first_time: first,
        last_time: last,
    })
}
