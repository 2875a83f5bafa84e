mod models;
mod provenance;
mod related;
mod rules;
mod snapshots;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::event::NewEvent;
use crate::finding::{FindingKind, Findings, Severity};
use crate::model::{Fold, Model, json};
use crate::search::TextIndex;
use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

const ACCOUNT: &str = "category = \"account\"\n[on.AccountOpened]\nbalance = \"0.00\"\n\
    [on.DepositMade]\nbalance.add = \"data.amount\"\n[on.WithdrawalMade]\nbalance.sub = \"data.amount\"\n\
    [on.Noted]\nnotes.push = \"data.n\"\n\"by.put\" = \"[data.n % 3, #{n: data.n}]\"\nlast.note.n = \"data.n\"\n\
    [on.Tidied]\nnotes.remove = \"item % 2 == data.n % 2\"\n\"by.remove\" = \"data.n % 3\"\n\"last.unset\" = \"data.n > 3\"\n\
    [on.Muddled]\nnotes.push = \"data.n\"\n\"notes.remove\" = \"2\"\n\"notes[0]\" = \"7\"\nlast = \"state\"\n";

fn time(text: &str) -> Time {
    SourceTime::parse(text, chrono_tz::UTC).unwrap().time
}

fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

struct TestLog {
    _folder: tempfile::TempDir,
    writer: LogWriter,
}

impl TestLog {
    fn new() -> TestLog {
        let folder = tempfile::tempdir().unwrap();
        let now = time("2024-06-01");
        let writer =
            LogWriter::create(&folder.path().join("t.annals"), Surroundings::fixed(now, 1))
                .unwrap();
        TestLog {
            _folder: folder,
            writer,
        }
    }

    /// Appends events to one stream: type, time, data.
    fn add(&self, name: &str, events: &[(&str, Time, String)]) -> &TestLog {
        let events = events
            .iter()
            .map(|(event_type, time, data)| {
                let mut event = NewEvent::json(event_type, data).unwrap();
                event.time = Some(SourceTime::unwritten(*time));
                event
            })
            .collect();
        let append = StreamAppend {
            stream: stream(name),
            category: None,
            expected: ExpectedVersion::Any,
            events,
        };
        self.writer.append(vec![append]).unwrap();
        self
    }

    fn told(&self, name: &str, events: &[(&str, &str, &str)]) -> &TestLog {
        let events: Vec<_> = events
            .iter()
            .map(|(event_type, at, data)| (*event_type, time(at), (*data).to_owned()))
            .collect();
        self.add(name, &events)
    }

    fn index(&self) -> TextIndex {
        TextIndex::open(&self.log(), None)
    }

    fn log(&self) -> Log {
        self.writer.log()
    }

    /// Erases the payload of an event.
    fn erase(&self, position: Position) {
        let parts = [(position, crate::event::Part::Data)];
        let describe = |_: &[_]| NewEvent::json("PartsErased", "{}").unwrap();
        let erased = self
            .writer
            .erase(&parts, &stream("annals-erasures"), &describe);
        assert!(erased.unwrap().is_some());
        self.writer.finish_erasures().unwrap();
    }
}

fn models() -> ModelSet {
    let mut models = ModelSet::default();
    models
        .add(Model::parse("account", ACCOUNT).unwrap())
        .unwrap();
    models
}

fn account() -> TestLog {
    let log = TestLog::new();
    log.told(
        "account-12345",
        &[
            ("AccountOpened", "2024-01-01", "{}"),
            ("DepositMade", "2024-01-02", r#"{"amount":1000.00}"#),
            ("WithdrawalMade", "2024-01-03", r#"{"amount":50.00}"#),
            ("DepositMade", "2024-01-10", r#"{"amount":500.00}"#),
            ("WithdrawalMade", "2024-01-15", r#"{"amount":202.17}"#),
        ],
    );
    log
}

fn at(text: &str) -> Moment {
    Moment::AsOf(AsOf {
        at: Some(parse_at(text, chrono_tz::UTC).unwrap().at),
        known: None,
    })
}

#[test]
fn the_balance_of_the_guide_is_exact_at_every_version_and_day() {
    let (log, models, name) = (account(), models(), stream("account-12345"));
    let balances = ["0.00", "1000.00", "950.00", "1450.00", "1247.83"];
    let days = [
        "2024-01-01",
        "2024-01-02",
        "2024-01-03",
        "2024-01-12",
        "2024-01-15",
    ];
    for (i, (balance, day)) in balances.into_iter().zip(days).enumerate() {
        let version = Version(i as u64 + 1);
        for moment in [Moment::Version(version), at(day)] {
            let view = state(&log.log(), &models, &name, &moment).unwrap();
            assert_eq!(view.state.get(), format!(r#"{{"balance":{balance}}}"#));
            assert_eq!((view.version, view.events_folded), (version, version.0));
            assert_eq!(view.events_in_stream, 5);
            assert_eq!(view.findings, []);
            let change = &view.changed[0];
            assert_eq!((change.path.as_str(), view.changed.len()), ("balance", 1));
            assert_eq!(change.after.as_ref().unwrap().get(), balance);
        }
    }
    let by_version = state(&log.log(), &models, &name, &Moment::Version(Version(2))).unwrap();
    assert_eq!(by_version.as_of.known, Some(Position(2)));
    assert_eq!(by_version.last_event.unwrap().event_type, "DepositMade");
    assert_eq!(
        (by_version.model.name.as_str(), by_version.model.inferred),
        ("account", false)
    );
}

#[test]
fn before_the_first_event_the_state_is_null() {
    let (log, models, name) = (account(), models(), stream("account-12345"));
    for moment in [
        at("2023-12-31"),
        Moment::Version(Version::NONE),
        Moment::AsOf(AsOf {
            at: None,
            known: Some(Position::ZERO),
        }),
    ] {
        let view = state(&log.log(), &models, &name, &moment).unwrap();
        assert_eq!(
            (view.state.get(), view.version, view.events_folded),
            ("null", Version::NONE, 0)
        );
        assert_eq!((view.changed.len(), view.left_out_count), (0, 0));
        assert!(view.last_event.is_none() && view.findings.is_empty());
    }
}

#[test]
fn moments_past_the_end_are_errors() {
    let (log, models, name) = (account(), models(), stream("account-12345"));
    let error = |moment: &Moment, name: &StreamId| {
        state(&log.log(), &models, name, moment)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(&Moment::Version(Version(6)), &name),
        "stream account-12345 has 5 versions, there is no version 6"
    );
    let known = Moment::AsOf(AsOf {
        at: None,
        known: Some(Position(6)),
    });
    assert_eq!(
        error(&known, &name),
        "the log has 5 positions, there is no position 6"
    );
    assert_eq!(
        error(&at("2024-01-01"), &stream("x")),
        "there is no stream x"
    );
}

#[test]
fn an_early_version_that_happened_late_is_left_out_and_said() {
    let log = TestLog::new();
    log.told(
        "user-1",
        &[
            ("Created", "2024-01-01", r#"{"a":1}"#),
            ("Late", "2024-03-01", r#"{"b":1}"#),
            ("Later", "2024-04-01", r#"{"c":1}"#),
            ("Back", "2024-02-01", r#"{"d":1}"#),
            ("Last", "2024-05-01", r#"{"e":1}"#),
        ],
    );
    let view = state(&log.log(), &models(), &stream("user-1"), &at("2024-02-15")).unwrap();
    assert_eq!(view.state.get(), r#"{"a":1,"d":1}"#);
    assert_eq!((view.version, view.events_folded), (Version(4), 2));
    assert_eq!(
        (view.left_out, view.left_out_count),
        (vec![Version(2), Version(3)], 2)
    );
    assert_eq!(view.findings.len(), 1);
    assert_eq!(
        (view.findings[0].kind, view.findings[0].count),
        (FindingKind::LeftOut, 2)
    );
    assert_eq!(view.findings[0].place.version, Some(Version(2)));
    let whole = state(&log.log(), &models(), &stream("user-1"), &at("2024-12-31")).unwrap();
    assert_eq!(whole.findings[0].kind, FindingKind::OrderDisagrees);
    assert_eq!(whole.findings[0].place.version, Some(Version(4)));
    assert!(whole.model.inferred);
}

#[test]
fn what_happened_and_what_was_known_are_independent() {
    let log = TestLog::new();
    log.told("user-1", &[("A", "2024-01-01", r#"{"x":1}"#)])
        .told("user-2", &[("A", "2024-01-01", r#"{"x":9}"#)])
        .told(
            "user-1",
            &[
                ("A", "2024-01-02", r#"{"x":2}"#),
                ("A", "2024-01-01", r#"{"x":3}"#),
            ],
        );
    let get = |at: Option<&str>, known: Option<u64>| {
        let as_of = AsOf {
            at: at.map(time),
            known: known.map(Position),
        };
        let view = state(
            &log.log(),
            &models(),
            &stream("user-1"),
            &Moment::AsOf(as_of),
        )
        .unwrap();
        view.state.get().to_owned()
    };
    assert_eq!(get(None, None), r#"{"x":3}"#);
    assert_eq!(get(None, Some(3)), r#"{"x":2}"#);
    assert_eq!(get(Some("2024-01-01"), Some(3)), r#"{"x":1}"#);
    assert_eq!(get(Some("2024-01-01"), None), r#"{"x":3}"#);
    assert_eq!(get(None, Some(2)), r#"{"x":1}"#);
}

#[test]
fn a_diff_applied_to_one_side_gives_the_other() {
    let (log, models, name) = (account(), models(), stream("account-12345"));
    let view = diff(
        &log.log(),
        &models,
        &name,
        &Moment::Version(Version(2)),
        &Moment::Version(Version(5)),
    )
    .unwrap();
    let [change] = &view.changes[..] else {
        panic!("{:?}", view.changes)
    };
    assert_eq!(change.path, "balance");
    let text =
        |value: &Option<Box<serde_json::value::RawValue>>| value.as_ref().unwrap().get().to_owned();
    assert_eq!(
        (text(&change.before), text(&change.after)),
        ("1000.00".into(), "1247.83".into())
    );
}

/// A slip in a model file gave the inferred state, and nothing in the answer said that it was not the one asked for.
#[test]
fn a_broken_model_file_is_in_every_answer_for_its_category() {
    let log = account();
    let store = log.log().path().to_owned();
    let folder = crate::model::folder(&store).join("models");
    std::fs::create_dir_all(&folder).unwrap();
    let text = ACCOUNT.replace("data.amount", "dta.amount");
    std::fs::write(folder.join("account.toml"), text).unwrap();
    log.told("user-1", &[("Created", "2024-01-01", r#"{"a":1}"#)]);
    let (models, _) = ModelSet::load(&store).unwrap();
    let name = stream("account-12345");
    let seen = |view: &StateView| {
        let [finding] = &view.findings[..] else {
            panic!("{:?}", view.findings)
        };
        assert_eq!(
            (finding.kind, finding.severity),
            (FindingKind::ModelBroken, Severity::Severe)
        );
        assert!(view.incomplete && view.model.inferred);
        finding.clone()
    };
    let now = Moment::AsOf(AsOf::default());
    let finding = seen(&state(&log.log(), &models, &name, &now).unwrap());
    assert_eq!(finding.place.file.as_deref(), Some("account.toml"));
    assert_eq!(finding.place.line, Some(5));
    assert_eq!(
        finding.detail,
        "a model was left out: account.toml:5:16: there is no variable `dta`; there is data, meta, state, event \
         (and item in remove); the state is inferred from the payloads instead"
    );
    let cache = StateCache::with_spacing(1);
    seen(&cache.state(&log.log(), &models, &name, &now).unwrap());
    let both = cache
        .diff(
            &log.log(),
            &models,
            &name,
            &Moment::Version(Version(1)),
            &now,
        )
        .unwrap();
    seen(&both.from);
    seen(&both.to);
    // The file names its category, so no other is affected.
    let other = state(&log.log(), &models, &stream("user-1"), &now).unwrap();
    assert!(!other.incomplete && other.findings.is_empty());
}

/// Of one kind only the first cause was told, and failed events were counted as folded.
#[test]
fn each_cause_of_failure_is_told_and_failed_events_are_not_counted_as_folded() {
    let log = TestLog::new();
    let mut events = vec![("AccountOpened", "2024-01-01", "{}")];
    events.extend([("DepositMade", "2024-01-02", r#"{"amount":"1"}"#); 2]);
    events.push(("WithdrawalMade", "2024-01-03", "{}"));
    events.push(("DepositMade", "2024-01-04", r#"{"amount":5}"#));
    log.told("account-1", &events);
    let many: Vec<(&str, Time, String)> = (0..50)
        .map(|n| ("DepositMade", time("2024-01-01"), format!("{{\"x{n}\":1}}")))
        .collect();
    log.add("account-2", &many);
    let now = Moment::AsOf(AsOf::default());
    let view = state(&log.log(), &models(), &stream("account-1"), &now).unwrap();
    assert_eq!((view.events_folded, view.events_failed), (2, 3));
    let told: Vec<_> = view
        .findings
        .iter()
        .map(|f| (f.count, f.place.version, f.detail.as_str()))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((told[0].0, told[0].1), (2, Some(Version(2))));
    assert_eq!((told[1].0, told[1].1), (1, Some(Version(4))));
    assert!(
        told[1]
            .2
            .starts_with("WithdrawalMade: balance: sub data.amount: there is no field")
    );

    let view = state(&log.log(), &models(), &stream("account-2"), &now).unwrap();
    assert_eq!((view.events_folded, view.events_failed), (0, 50));
    assert_eq!((view.version, view.state.get()), (Version(50), "{}"));
    assert_eq!(view.findings.len(), 21);
    let rest = &view.findings[20];
    assert_eq!((rest.count, rest.place.version), (30, Some(Version(21))));
    assert!(
        rest.detail
            .starts_with("more of this kind, whose causes differ from the 20 listed; the first: ")
    );
}

/// Whatever a state could be asked about a log of two streams, times out of order and equal among them.
fn moments() -> impl Strategy<Value = Vec<(Option<i64>, Option<u64>, Option<u64>)>> {
    let moment = (
        prop::option::of(-1i64..8),
        prop::option::of(0u64..60),
        prop::option::weighted(0.3, 0u64..40),
    );
    prop::collection::vec(moment, 1..12)
}

fn histories() -> impl Strategy<Value = Vec<(bool, i64, u8)>> {
    prop::collection::vec((prop::bool::weighted(0.8), 0i64..7, 0u8..11), 1..30)
}

fn second(n: i64) -> Time {
    Time::from_parts(1_704_067_200_000_000 + n * 1_000_000, 0).unwrap()
}

fn random_event(kind: u8, n: usize) -> (&'static str, String) {
    match kind {
        0 => ("AccountOpened", "{}".to_owned()),
        1 => ("DepositMade", format!(r#"{{"amount":{n}.50}}"#)),
        2 => ("WithdrawalMade", format!(r#"{{"amount":{n}.05}}"#)),
        3 => ("DepositMade", r#"{"amount":"text"}"#.to_owned()),
        4 => ("Unknown", format!(r#"{{"n":{n}}}"#)),
        5..=7 => ("Noted", format!(r#"{{"n":{n}}}"#)),
        8 => ("Tidied", format!(r#"{{"n":{n}}}"#)),
        9 => ("Muddled", format!(r#"{{"n":{n}}}"#)),
        _ => ("DepositMade", r#"{"amount":1e40}"#.to_owned()),
    }
}

/// The definition, taken at its word: read everything, keep what the moment includes, fold.
fn slow_truth(
    log: &Log,
    model: &Arc<Model>,
    name: &StreamId,
    as_of: AsOf,
    last: u64,
) -> (Value, Vec<u64>, u64) {
    let mut fold = Fold::new(Arc::clone(model));
    let mut findings = Findings::default();
    let mut versions = Vec::new();
    let mut failed = 0;
    log.for_each_in_stream(name, Version::FIRST, None, &mut |event| {
        let included = event.version.0 <= last
            && as_of
                .known
                .is_none_or(|known| event.event.position <= known)
            && as_of.at.is_none_or(|at| event.event.time.time <= at);
        if included {
            failed += u64::from(!fold.apply(&event, &mut findings));
            versions.push(event.version.0);
        }
        true
    })
    .unwrap();
    (fold.state().clone(), versions, failed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn states_are_folds_of_the_filtered_events_with_and_without_a_cache(
        history in histories(),
        more in histories(),
        asked in moments(),
        declared in any::<bool>(),
        spacing in 1u64..6,
    ) {
        let test = TestLog::new();
        let names = if declared { ["account-1", "account-2"] } else { ["user-1", "user-2"] };
        let models = models();
        let cache = StateCache::with_spacing(spacing);
        for part in [&history, &more] {
            for (n, (first, seconds, kind)) in part.iter().enumerate() {
                let (event_type, data) = random_event(*kind, n);
                test.add(names[usize::from(!first)], &[(event_type, second(*seconds), data)]);
            }
            let log = test.log();
            for (at, known, version) in &asked {
                let moment = match version {
                    Some(version) => Moment::Version(Version(*version)),
                    None => Moment::AsOf(AsOf { at: at.map(second), known: known.map(Position) }),
                };
                let name = stream(names[0]);
                let plain = state(&log, &models, &name, &moment);
                let cached = cache.state(&log, &models, &name, &moment);
                let (plain, cached) = match (plain, cached) {
                    (Ok(plain), Ok(cached)) => (plain, cached),
                    (Err(plain), Err(cached)) => {
                        prop_assert_eq!(plain.to_string(), cached.to_string());
                        continue;
                    }
                    (plain, cached) => panic!("{plain:?} {cached:?}"),
                };
                prop_assert_eq!(serde_json::to_string(&plain).unwrap(), serde_json::to_string(&cached).unwrap());
                let model = models.for_category(name.default_category().as_str());
                let (as_of, last) = match moment {
                    Moment::AsOf(as_of) => (as_of, u64::MAX),
                    Moment::Version(version) => (AsOf::default(), version.0),
                };
                let (truth, versions, failed) = slow_truth(&log, &model, &name, as_of, last);
                prop_assert_eq!(plain.state.get(), truth.to_string());
                let highest = versions.last().copied().unwrap_or(0);
                let taken = plain.events_folded + plain.events_failed;
                prop_assert_eq!((plain.version.0, taken), (highest, versions.len() as u64));
                prop_assert_eq!(plain.events_failed, failed);
                let left_out: Vec<u64> = (1..highest).filter(|v| !versions.contains(v)).collect();
                prop_assert_eq!(plain.left_out.iter().map(|v| v.0).collect::<Vec<_>>(), left_out);

                // What the last event changed is the difference to the state without it.
                let without = versions.iter().rev().nth(1).copied().unwrap_or(0);
                let (before, _, _) = slow_truth(&log, &model, &name, as_of, last.min(without));
                let mut redone = before;
                apply_changes(&mut redone, &plain.changed).unwrap();
                if !(redone.is_null() && plain.state.get() == "{}") {
                    prop_assert_eq!(redone, json::parse(plain.state.get()).unwrap().value);
                }
            }
        }
    }
}
