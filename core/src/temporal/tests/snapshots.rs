//! Snapshots serve what a whole fold gives, or nothing.

use std::sync::Mutex;

use super::*;
use crate::progress::WorkProgress;
use crate::snapshot::{Policies, SnapshotPolicy, SnapshotStrategy, Snapshots, claimed, fold_key};
use crate::surroundings::Clock;

/// A clock that goes on by so many microseconds each time it is asked.
fn ticking(us: i64) -> Clock {
    let now = Mutex::new(1_700_000_000_000_000);
    Arc::new(move || {
        let mut now = now.lock().unwrap();
        *now += us;
        Time::from_parts(*now, 0).unwrap()
    })
}

fn open(log: &Log) -> Snapshots {
    Snapshots::open(log, None, ticking(1)).unwrap()
}

fn write_policy(log: &Log, text: &str) {
    let file = Policies::file(log.path());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// Many deposits of 1.00, one a day.
fn deposits(test: &TestLog, name: &str, count: i64) {
    let events: Vec<_> = (0..count)
        .map(|n| {
            (
                "DepositMade",
                second(n * 86_400),
                r#"{"amount":1.00}"#.to_owned(),
            )
        })
        .collect();
    test.add(name, &events);
}

fn versions(snapshots: &Snapshots, name: &str) -> Vec<u64> {
    let kept = snapshots.list(Some(&stream(name))).unwrap();
    kept.iter().map(|row| row.version.0).collect()
}

fn take(log: &Log, models: &ModelSet, snapshots: &Snapshots) -> SnapshotsTakenView {
    take_snapshots(log, models, snapshots, &TakeScope::Policies, &mut |_| true).unwrap()
}

fn verify(log: &Log, models: &ModelSet, snapshots: &Snapshots) -> SnapshotVerifyView {
    verify_snapshots(log, models, snapshots, None, 100, &mut |_| true).unwrap()
}

fn text(view: &impl serde::Serialize) -> String {
    serde_json::to_string(view).unwrap()
}

/// Changes the bytes of what is kept, as a bad disk would.
fn spoil(snapshots: &Snapshots, sql: &str) {
    let conn = rusqlite::Connection::open(snapshots.cache().file()).unwrap();
    assert!(conn.execute(sql, []).unwrap() > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_schedule_of_snapshots_gives_the_states_of_whole_folds(
        history in histories(),
        more in histories(),
        schedule in prop::collection::vec(1u64..30, 0..8),
        asked in moments(),
        declared in any::<bool>(),
    ) {
        let test = TestLog::new();
        let names = if declared { ["account-1", "account-2"] } else { ["user-1", "user-2"] };
        let (models, log, name) = (models(), test.log(), stream(names[0]));
        let snapshots = open(&log);
        for part in [&history, &more] {
            for (n, (first, seconds, kind)) in part.iter().enumerate() {
                let (event_type, data) = random_event(*kind, n);
                test.add(names[usize::from(!first)], &[(event_type, second(*seconds), data)]);
            }
            for version in &schedule {
                let scope = TakeScope::Stream { stream: name.clone(), version: Some(Version(*version)) };
                // A version that is not there yet is refused, and takes nothing.
                let _ = take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true);
            }
            for (at, known, version) in &asked {
                let moment = match version {
                    Some(version) => Moment::Version(Version(*version)),
                    None => Moment::AsOf(AsOf { at: at.map(second), known: known.map(Position) }),
                };
                let plain = state(&log, &models, &name, &moment);
                let served = state_with(&log, &models, Some(&snapshots), &name, &moment);
                match (plain, served) {
                    (Ok(plain), Ok(served)) => prop_assert_eq!(text(&plain), text(&served)),
                    (Err(plain), Err(served)) => prop_assert_eq!(plain.to_string(), served.to_string()),
                    (plain, served) => panic!("{plain:?} {served:?}"),
                }
            }
            let view = verify(&log, &models, &snapshots);
            prop_assert_eq!((view.same, view.problems), (view.checked, false), "{:?}", view.wrong);
        }
    }
}

#[test]
fn periodic_snapshots_are_taken_once_and_go_on_from_the_last() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 25);
    let log = test.log();
    write_policy(
        &log,
        "[policies.account]\nstrategy='periodic'\nevery_events=10",
    );
    let snapshots = open(&log);
    let view = take(&log, &models, &snapshots);
    assert_eq!((view.taken_count, view.events), (2, 25));
    assert_eq!(versions(&snapshots, "account-1"), [10, 20]);
    assert_eq!(take(&log, &models, &snapshots).events, 0, "nothing is due");
    deposits(&test, "account-1", 10);
    assert_eq!(take(&log, &models, &snapshots).events, 15);
    assert_eq!(versions(&snapshots, "account-1"), [10, 20, 30]);
}

#[test]
fn daily_snapshots_stand_at_the_last_event_of_a_day_that_is_over() {
    let (test, models) = (TestLog::new(), models());
    let at = |text: &str| ("DepositMade", time(text), r#"{"amount":1}"#.to_owned());
    let times = [
        "2024-01-01T08:00Z",
        "2024-01-01T09:00Z",
        "2024-01-02T08:00Z",
        "2024-01-04T08:00Z",
    ];
    test.add("account-1", &times.map(at));
    let log = test.log();
    write_policy(
        &log,
        "[policies.account]\nstrategy='periodic'\nevery_day=true",
    );
    let snapshots = open(&log);
    take(&log, &models, &snapshots);
    assert_eq!(versions(&snapshots, "account-1"), [2, 3]);
}

#[test]
fn rolling_snapshots_keep_the_newest_the_first_and_month_ends() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 95);
    let log = test.log();
    write_policy(
        &log,
        "[policies.account]\nstrategy='rolling'\nevery_events=10\nkeep=2\nkeep_first=true\nkeep_month_ends=true",
    );
    let snapshots = open(&log);
    let view = take(&log, &models, &snapshots);
    // Day 1 is 2024-01-01: version 30 is January's last, 60 (29 February) that month's, 90 March's.
    assert_eq!(versions(&snapshots, "account-1"), [10, 30, 60, 80, 90]);
    assert_eq!(
        (view.taken_count, view.gone_count),
        (5, 0),
        "what goes at once is not written"
    );
    deposits(&test, "account-1", 10);
    let scope = TakeScope::Since(Position(95));
    let view = take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true).unwrap();
    assert_eq!(view.streams, 1);
    assert_eq!((view.taken_count, view.gone_count), (1, 1));
    assert_eq!(versions(&snapshots, "account-1"), [10, 30, 60, 90, 100]);
}

#[test]
fn policies_that_cannot_be_read_are_said_by_a_state() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 3);
    let log = test.log();
    write_policy(&log, "[policies.account]\nstrategy='sometimes'\n");
    let snapshots = Snapshots::open_for_reading(&log, None, ticking(1)).unwrap();
    let now = Moment::AsOf(AsOf::default());
    let view = state_with(&log, &models, Some(&snapshots), &stream("account-1"), &now).unwrap();
    let [finding] = &view.findings[..] else {
        panic!("{:?}", view.findings)
    };
    assert_eq!(finding.kind, FindingKind::PoliciesUnread);
    assert!(finding.detail.contains("sometimes"), "{}", finding.detail);
    let cache = StateCache::default().with_snapshots(Some(snapshots));
    for _ in 0..2 {
        let view = cache
            .state(&log, &models, &stream("account-1"), &now)
            .unwrap();
        assert_eq!(view.findings.len(), 1, "the app says it, too, each time");
    }
}

#[test]
fn a_demand_is_met_when_a_state_is_asked_for_and_serves_the_next() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 60);
    let log = test.log();
    write_policy(
        &log,
        "[policies.account]\nstrategy='on_demand'\nreplay_ms=5",
    );
    let (name, now) = (stream("account-1"), Moment::AsOf(AsOf::default()));
    let fast = Snapshots::open(&log, None, ticking(4_000)).unwrap();
    state_with(&log, &models, Some(&fast), &name, &now).unwrap();
    assert_eq!(versions(&fast, "account-1"), [] as [u64; 0]);
    let slow = Snapshots::open(&log, None, ticking(6_000)).unwrap();
    let first = state_with(&log, &models, Some(&slow), &name, &now).unwrap();
    assert_eq!(versions(&slow, "account-1"), [60]);
    let again = state_with(&log, &models, Some(&slow), &name, &now).unwrap();
    assert_eq!(text(&first), text(&again));
    let measured = slow
        .measured(&name, fold_key(&models.for_category("account")))
        .unwrap();
    assert_eq!(
        (measured.reads, measured.served, measured.events),
        (3, 1, 0)
    );
}

#[test]
fn a_critical_stream_has_one_at_its_end_after_each_take() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 3);
    deposits(&test, "account-2", 3);
    let log = test.log();
    write_policy(
        &log,
        "[policies.account]\nstrategy='on_demand'\ncritical=['account-2']\nkeep=1",
    );
    let snapshots = open(&log);
    take(&log, &models, &snapshots);
    assert_eq!(versions(&snapshots, "account-1"), [] as [u64; 0]);
    assert_eq!(versions(&snapshots, "account-2"), [3]);
    deposits(&test, "account-2", 1);
    take(&log, &models, &snapshots);
    assert_eq!(versions(&snapshots, "account-2"), [4]);
}

#[test]
fn flipped_bytes_are_found_dropped_replayed_and_said() {
    for spoilt in [
        "UPDATE snapshots SET state = CAST(replace(CAST(state AS TEXT), '10.00', '99.00') AS BLOB) WHERE version = 10",
        "UPDATE snapshots SET version = 11 WHERE version = 10",
        "UPDATE snapshots SET latest_us = 0 WHERE version = 10",
        "UPDATE snapshots SET course = x'00ff' WHERE version = 10",
    ] {
        let (test, models) = (TestLog::new(), models());
        deposits(&test, "account-1", 12);
        let (log, name) = (test.log(), stream("account-1"));
        let snapshots = open(&log);
        let ask = |version| TakeScope::Stream {
            stream: name.clone(),
            version: Some(Version(version)),
        };
        for version in [5, 10] {
            take_snapshots(&log, &models, &snapshots, &ask(version), &mut |_| true).unwrap();
        }
        spoil(&snapshots, spoilt);
        let now = Moment::AsOf(AsOf::default());
        let plain = state(&log, &models, &name, &now).unwrap();
        let mut served = state_with(&log, &models, Some(&snapshots), &name, &now).unwrap();
        let finding = served.findings.pop().unwrap();
        assert_eq!(finding.kind, FindingKind::SnapshotDropped, "{spoilt}");
        assert_eq!(text(&plain), text(&served), "{spoilt}");
        assert_eq!(versions(&snapshots, "account-1"), [5], "{spoilt}");
    }
}

#[test]
fn verification_shows_what_differs_and_drops_it() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 12);
    let (log, name) = (test.log(), stream("account-1"));
    let snapshots = open(&log);
    write_policy(
        &log,
        "[policies.account]\nstrategy='periodic'\nevery_events=3",
    );
    let snapshots_with_policy = open(&log);
    take(&log, &models, &snapshots_with_policy);
    // One that was made wrong, and knows it not: its hash fits.
    let key = fold_key(&models.for_category("account"));
    let kept = snapshots.all_of(&name, key).unwrap();
    let mut wrong = kept[1].as_ref().unwrap().clone();
    wrong.state =
        serde_json::value::RawValue::from_string(r#"{"balance":7.00}"#.to_owned()).unwrap();
    snapshots.keep(&[wrong], log.head().unwrap().size).unwrap();
    spoil(
        &snapshots,
        "UPDATE snapshots SET state = x'7b7d' WHERE version = 9",
    );
    let view = verify(&log, &models, &snapshots);
    assert_eq!(
        (view.checked, view.same, view.differs, view.damaged),
        (4, 2, 1, 1)
    );
    assert!(view.problems);
    let differs = view
        .wrong
        .iter()
        .find(|w| w.outcome == SnapshotOutcome::Differs)
        .unwrap();
    assert_eq!(
        (differs.version, differs.changes[0].path.as_str()),
        (6, "balance")
    );
    assert_eq!(differs.changes[0].after.as_ref().unwrap().get(), "6.00");
    let again = verify(&log, &models, &snapshots);
    assert_eq!(
        (again.checked, again.problems),
        (2, false),
        "they were dropped"
    );
}

#[test]
fn a_snapshot_of_another_model_serves_nothing() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 12);
    let (log, name) = (test.log(), stream("account-1"));
    let snapshots = open(&log);
    let scope = TakeScope::Stream {
        stream: name.clone(),
        version: None,
    };
    take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true).unwrap();
    let mut doubled = ModelSet::default();
    let model = "category='account'\n[on.DepositMade]\n\"balance.add\" = 'data.amount * 2'";
    doubled
        .add(Model::parse("account", model).unwrap())
        .unwrap();
    let now = Moment::AsOf(AsOf::default());
    let served = state_with(&log, &doubled, Some(&snapshots), &name, &now).unwrap();
    assert_eq!(served.state.get(), r#"{"balance":24.00}"#);
    let listed = list_snapshots(&log, &doubled, &snapshots, None, 10).unwrap();
    assert!(!listed.snapshots[0].current);
    let view = verify(&log, &doubled, &snapshots);
    assert_eq!((view.stale, view.problems), (1, false));
    assert_eq!(versions(&snapshots, "account-1"), [] as [u64; 0]);
}

#[test]
fn a_model_with_a_time_of_its_own_has_no_snapshots() {
    let test = TestLog::new();
    deposits(&test, "account-1", 12);
    let (log, name) = (test.log(), stream("account-1"));
    let mut models = ModelSet::default();
    let model =
        "category='account'\ntime='data.at'\n[on.DepositMade]\n\"balance.add\" = 'data.amount'";
    models.add(Model::parse("account", model).unwrap()).unwrap();
    write_policy(
        &log,
        "[policies.account]\nstrategy='periodic'\nevery_events=3",
    );
    let snapshots = open(&log);
    assert_eq!(take(&log, &models, &snapshots).own_time, ["account"]);
    let scope = TakeScope::Stream {
        stream: name,
        version: None,
    };
    let refused = take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true);
    assert!(refused.unwrap_err().to_string().contains("time of its own"));
}

#[test]
fn an_erasure_takes_the_folds_that_may_hold_it_along() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 12);
    let (log, name) = (test.log(), stream("account-1"));
    let snapshots = open(&log);
    let scope = TakeScope::Stream {
        stream: name.clone(),
        version: None,
    };
    take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true).unwrap();
    test.erase(Position(5));
    let now = Moment::AsOf(AsOf::default());
    let plain = state(&log, &models, &name, &now).unwrap();
    assert_eq!(plain.state.get(), r#"{"balance":11.00}"#);
    let served = state_with(&log, &models, Some(&snapshots), &name, &now).unwrap();
    assert_eq!(text(&plain), text(&served));
    assert_eq!(versions(&snapshots, "account-1"), [] as [u64; 0]);
    // New ones are kept again.
    take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true).unwrap();
    assert_eq!(versions(&snapshots, "account-1"), [12]);
}

#[test]
fn a_replay_that_is_stopped_keeps_what_it_kept() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 2_500);
    let log = test.log();
    write_policy(
        &log,
        "[policies.account]\nstrategy='periodic'\nevery_events=10",
    );
    let snapshots = open(&log);
    let stopped = take_snapshots(&log, &models, &snapshots, &TakeScope::Policies, &mut |_| {
        false
    });
    assert!(matches!(
        stopped,
        Err(crate::snapshot::SnapshotError::Read(ReadError::Cancelled))
    ));
    take(&log, &models, &snapshots);
    assert_eq!(versions(&snapshots, "account-1").len(), 250);
    assert!(!verify(&log, &models, &snapshots).problems);
}

#[test]
fn the_guides_snapshot_of_version_1500_is_confirmed_by_replay_or_shown_to_differ() {
    let test = TestLog::new();
    let mut events: Vec<(&str, Time, String)> = (0..1_498)
        .map(|n| ("ItemMoved", second(n), format!(r#"{{"n":{n}}}"#)))
        .collect();
    let placed = r#"{"orderId":"order-789","customerId":"cust-456","totalAmount":299.97}"#;
    events.insert(0, ("OrderPlaced", second(0), placed.to_owned()));
    events.push(("OrderShipped", second(1_500), "{}".to_owned()));
    events.push(("OrderClosed", second(1_501), "{}".to_owned()));
    test.add("order-789", &events);
    let log = test.log();
    let mut models = ModelSet::default();
    let model = "category='order'\n[on.OrderPlaced]\norderId='data.orderId'\ncustomerId='data.customerId'\n\
        status=\"'Placed'\"\ntotalAmount='data.totalAmount'\n[on.OrderShipped]\nstatus=\"'Shipped'\"\n\
        [on.OrderClosed]\nstatus=\"'Closed'\"";
    models.add(Model::parse("order", model).unwrap()).unwrap();
    let claim = |version: u64, status: &str| {
        claimed::Claim {
        aggregate: "order-789".to_owned(),
        version,
        timestamp: None,
        data: json::parse(&format!(
            r#"{{"status":"{status}","orderId":"order-789","customerId":"cust-456","totalAmount":299.970}}"#
        ))
        .unwrap()
        .value,
        record: 1,
    }
    };
    let check = |claims: &[claimed::Claim]| {
        let claims = claimed::Claims {
            claims: claims.to_vec(),
            refused: Vec::new(),
        };
        verify_claims(&log, &models, "s.json", &claims, 10, &mut |_| true).unwrap()
    };
    let right = check(&[claim(1_500, "Shipped"), claim(1_501, "Closed")]);
    assert_eq!(
        (right.same, right.problems),
        (2, false),
        "{:?}",
        right.wrong
    );
    let wrong = check(&[claim(1_500, "Delivered"), claim(1_600, "Shipped")]);
    assert_eq!((wrong.differs, wrong.untold, wrong.problems), (1, 1, true));
    let differs = &wrong.wrong[0];
    assert_eq!(
        (differs.version, differs.changes[0].path.as_str()),
        (1_500, "status")
    );
    assert_eq!(differs.changes.len(), 1, "the total is the same by value");
    let detail = wrong.wrong[1].detail.as_deref().unwrap();
    assert!(detail.contains("the stream ends at 1501"), "{detail}");

    // The guide's JSON, imported: it stays, is looked at whenever snapshots are, and serves no state.
    let file = log.path().with_file_name("theirs.json");
    let guide = r#"{"aggregateId": "order-789", "version": 1500, "timestamp": "2024-01-15T10:00:00Z",
        "snapshotData": {"orderId": "order-789", "customerId": "cust-456", "status": "Shipped", "totalAmount": 299.97}}"#;
    std::fs::write(&file, guide).unwrap();
    let import = |replace| import_snapshots(&log, &models, &file, None, replace, 10, &mut |_| true);
    let imported = import(false).unwrap();
    assert_eq!((imported.name.as_str(), imported.imported), ("theirs", 1));
    assert_eq!((imported.check.same, imported.check.problems), (1, false));
    assert!(import(false).is_err(), "nothing is written over unasked");
    let snapshots = open(&log);
    let verify = |only: Option<&str>| {
        let only = only.map(stream);
        verify_snapshots(&log, &models, &snapshots, only.as_ref(), 10, &mut |_| true).unwrap()
    };
    let both = verify(None);
    assert_eq!((both.checked, both.claimed, both.same), (1, 1, 1));
    std::fs::write(&file, guide.replace("Shipped", "Delivered")).unwrap();
    assert!(import(true).unwrap().check.problems);
    let differs = verify(Some("order-789"));
    assert_eq!((differs.differs, differs.dropped), (1, 0));
    assert_eq!(differs.wrong[0].claimant.as_deref(), Some("theirs"));
    assert_eq!(differs.wrong[0].changes[0].path, "status");
    assert_eq!(verify(Some("order-1")).checked, 0);
    assert_eq!(verify(None).differs, 1, "it was not dropped");
    let listed = list_snapshots(&log, &models, &snapshots, None, 10).unwrap();
    assert_eq!((listed.snapshots_count, listed.foreign.len()), (0, 1));
}

#[test]
fn the_advice_follows_measured_cost_and_the_thresholds_of_the_guide() {
    let (test, models) = (TestLog::new(), models());
    for (name, count) in [
        ("few-1", 100),
        ("some-1", 101),
        ("many-1", 1_001),
        ("most-1", 10_001),
    ] {
        deposits(&test, name, count);
    }
    let log = test.log();
    let advise = |us| {
        let snapshots = Snapshots::open(&log, None, ticking(us)).unwrap();
        let view = advise_snapshots(&log, &models, &snapshots, &mut |_| true).unwrap();
        let rows = view.categories.into_iter();
        rows.map(|row| (row.category, row.advised))
            .collect::<Vec<(String, SnapshotPolicy)>>()
    };
    let snapshots = Snapshots::open(&log, None, ticking(1)).unwrap();
    let view = advise_snapshots(&log, &models, &snapshots, &mut |_| true).unwrap();
    // A deposit a day, in the one stream of each category.
    assert!(
        view.categories.iter().all(|row| row.events_per_day == 1),
        "{view:?}"
    );
    let strategies = |us| {
        let advised = advise(us).into_iter();
        advised
            .map(|(name, policy)| (name, policy.strategy))
            .collect::<Vec<_>>()
    };
    use SnapshotStrategy::{None as Never, OnDemand, Periodic, Rolling};
    let named = |of: [SnapshotStrategy; 4]| {
        ["most", "many", "some", "few"]
            .map(str::to_owned)
            .into_iter()
            .zip(of)
            .collect::<Vec<_>>()
    };
    assert_eq!(strategies(1_000), named([Rolling, OnDemand, Never, Never]));
    assert_eq!(
        strategies(50_000),
        named([Rolling, Periodic, OnDemand, Never])
    );
}

#[test]
fn looks_at_a_long_stream_are_served_by_snapshots_until_it_is_read_and_later_ones_agree() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 200);
    let (log, name) = (test.log(), stream("account-1"));
    write_policy(
        &log,
        "[policies.account]\nstrategy='periodic'\nevery_events=50",
    );
    let snapshots = open(&log);
    take(&log, &models, &snapshots);
    let cache = StateCache::with_spacing(4).with_snapshots(Some(open(&log)));
    let key = fold_key(&models.for_category("account"));
    let served = || {
        for (nth, version) in [170, 60, 200, 149].into_iter().enumerate() {
            let moment = Moment::Version(Version(version));
            let plain = state(&log, &models, &name, &moment).unwrap();
            let cached = cache.state(&log, &models, &name, &moment).unwrap();
            assert_eq!(text(&plain), text(&cached), "question {nth}");
        }
        let measured = snapshots.measured(&name, key).unwrap();
        (measured.reads, measured.served, measured.events)
    };
    assert_eq!(served(), (4, 4, 49));
    cache.read_whole(&log, &models, &name).unwrap();
    assert_eq!(served(), (4, 4, 49), "none was asked");
}

#[test]
fn a_long_stream_without_a_snapshot_nearby_is_read_once() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 200);
    let (log, name) = (test.log(), stream("account-1"));
    // A cache that holds no snapshot of it, as one does that was made for something else.
    let cache = StateCache::with_spacing(4).with_snapshots(Some(open(&log)));
    let read = |version| {
        let progress = Arc::new(WorkProgress::default());
        let watched = log.watched(Arc::clone(&progress));
        let moment = Moment::Version(Version(version));
        let plain = state(&log, &models, &name, &moment).unwrap();
        let cached = cache.state(&watched, &models, &name, &moment).unwrap();
        assert_eq!(text(&plain), text(&cached));
        progress.now().0
    };
    assert!(read(200) >= 200);
    assert!(!cache.is_unread(&log, &name));
    for version in [60, 170, 3] {
        assert!(read(version) < 10, "version {version}");
    }
}

#[test]
fn a_snapshot_answers_until_the_stream_has_been_read() {
    let (test, models) = (TestLog::new(), models());
    deposits(&test, "account-1", 200);
    let (log, name) = (test.log(), stream("account-1"));
    let snapshots = open(&log);
    let scope = TakeScope::Stream {
        stream: name.clone(),
        version: None,
    };
    take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true).unwrap();
    let cache = StateCache::with_spacing(4).with_snapshots(Some(snapshots));
    let now = Moment::AsOf(AsOf::default());
    let ask = |moment: &Moment| {
        let plain = state(&log, &models, &name, moment).unwrap();
        let cached = cache.state(&log, &models, &name, moment).unwrap();
        assert_eq!(text(&plain), text(&cached));
    };
    assert!(!cache.is_unread(&log, &name), "nobody has asked");
    ask(&now);
    assert!(cache.is_unread(&log, &name), "the snapshot answered");
    // Stopped half way it is as if it had not begun.
    let progress = Arc::new(WorkProgress::default());
    progress.cancel();
    let stopped = cache.read_whole(&log.watched(progress), &models, &name);
    assert!(stopped.is_err() && cache.is_unread(&log, &name));
    ask(&now);
    cache.read_whole(&log, &models, &name).unwrap();
    assert!(!cache.is_unread(&log, &name));
    ask(&now);
    ask(&Moment::Version(Version(77)));
    deposits(&test, "account-1", 3);
    ask(&now);
}
