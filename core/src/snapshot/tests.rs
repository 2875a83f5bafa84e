//! Policies that are right and wrong, what stays, and what a file of another system may hold.

use super::claimed::{self, ClaimError};
use super::policy::ReplayCost;
use super::*;

fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

fn policy(text: &str) -> SnapshotPolicy {
    let text = format!("[policies.x]\n{text}");
    Policies::parse(&text).unwrap().of("x")
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_with_its_place() {
    for (text, says) in [
        ("strategy = 'sometimes'", "unknown variant `sometimes`"),
        (
            "strategy = 'none'\nkeep = 1",
            "strategy none makes no snapshots",
        ),
        ("strategy = 'periodic'", "say how often"),
        ("strategy = 'periodic'\nevery_events = 0", "at least 1"),
        (
            "strategy = 'periodic'\nevery_day = true\nreplay_ms = 1",
            "belong to on_demand",
        ),
        (
            "strategy = 'periodic'\nevery_day = true\nkeep_first = true",
            "beside keep = N",
        ),
        ("strategy = 'on_demand'", "say when"),
        (
            "strategy = 'on_demand'\nreplay_ms = 1\nevery_day = true",
            "belong to periodic",
        ),
        (
            "strategy = 'rolling'\nevery_events = 5",
            "say how many stay",
        ),
        (
            "strategy = 'rolling'\nevery_events = 5\nkeep = 0",
            "keep is at least 1",
        ),
        ("every = 5", "unknown field `every`"),
        ("every_events = -5", "invalid value"),
    ] {
        let text = format!("# of orders\n[policies.order]\n{text}");
        let error = Policies::parse(&text).unwrap_err();
        assert!(error.message.contains(says), "{text}: {error}");
        assert!(error.line >= 2, "{text}: {error}");
    }
    assert_eq!(Policies::parse("[order]").unwrap_err().line, 1);
}

#[test]
fn a_category_has_its_own_policy_or_that_of_all_others() {
    let text = "[policies.order]\nstrategy='periodic'\nevery_events=5\n[policies.'*']\nstrategy='on_demand'\nreplay_ms=5";
    let policies = Policies::parse(text).unwrap();
    assert_eq!(policies.of("order").strategy, SnapshotStrategy::Periodic);
    assert_eq!(policies.of("cart").strategy, SnapshotStrategy::OnDemand);
    assert_eq!(Policies::default().of("cart"), SnapshotPolicy::default());
}

#[test]
fn periodic_snapshots_are_due_by_count_and_at_the_end_of_a_day() {
    let both = policy("strategy='periodic'\nevery_events=10\nevery_day=true");
    let (noon, late) = (at("2024-01-15T12:00:00Z"), at("2024-01-15T23:59:59Z"));
    let next = at("2024-01-16T00:00:00Z");
    assert!(both.is_due(20, noon, None));
    assert!(!both.is_due(21, noon, Some(late)));
    assert!(both.is_due(21, late, Some(next)));
    assert!(!both.is_due(21, late, None), "the day may go on");
    // A late event does not end the day before it.
    assert!(!both.is_due(21, next, Some(late)));
}

#[test]
fn a_demand_says_what_was_over_its_budget() {
    let cost = ReplayCost {
        events: 100,
        us: 5_000,
        bytes: 1_000,
        best_us: Some(20_000),
    };
    let demand = |text: &str, cost: &ReplayCost| {
        policy(&format!("strategy='on_demand'\n{text}")).demand("order-1", cost)
    };
    for (text, says) in [
        ("replay_ms=4", Some("4 ms")),
        ("replay_ms=5", None),
        ("state_bytes=999", Some("999 bytes")),
        ("state_bytes=1000", None),
        // 50,000 microseconds for 1,000 events, 20,000 at best.
        ("slower_percent=249", Some("249 %")),
        ("slower_percent=250", None),
        ("critical=['order-1']", Some("critical")),
        ("critical=['order-2']", None),
    ] {
        let reason = demand(text, &cost);
        assert_eq!(reason.is_some(), says.is_some(), "{text}: {reason:?}");
        if let (Some(reason), Some(says)) = (reason, says) {
            assert!(reason.contains(says), "{reason}");
        }
    }
    let few = ReplayCost { events: 10, ..cost };
    assert_eq!(demand("slower_percent=100", &few), None, "too few to tell");
    let nothing = ReplayCost { events: 0, ..cost };
    assert_eq!(
        demand("critical=['order-1']", &nothing),
        None,
        "it is there already"
    );
}

#[test]
fn the_newest_the_first_and_the_last_of_each_month_stay() {
    let times = ["01-05", "01-20", "02-01", "02-28", "03-01", "03-02"];
    let kept: Vec<(u64, Time)> = (1..)
        .zip(times.map(|day| at(&format!("2024-{day}T00:00:00Z"))))
        .collect();
    let stay = |text: &str| {
        let policy = policy(&format!("strategy='rolling'\nevery_events=1\n{text}"));
        let stay = policy.stay(&kept);
        let numbered = (1..).zip(stay).filter(|(_, stays)| *stays);
        numbered.map(|(n, _)| n).collect::<Vec<u64>>()
    };
    assert_eq!(stay("keep=1"), [6]);
    assert_eq!(stay("keep=2\nkeep_first=true"), [1, 5, 6]);
    assert_eq!(stay("keep=1\nkeep_month_ends=true"), [2, 4, 6]);
    assert_eq!(stay("keep=9"), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_policy_is_written_and_read_back_but_never_over_comments() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.annals");
    let rolling = policy("strategy='rolling'\nevery_events=100\nkeep=3\nkeep_first=true");
    Policies::set(&store, "order", rolling.clone()).unwrap();
    Policies::set(&store, "*", SnapshotPolicy::default()).unwrap();
    assert_eq!(Policies::load(&store).unwrap().of("order"), rolling);
    let file = Policies::file(&store);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("# mine\n{text}")).unwrap();
    let error = Policies::set(&store, "cart", rolling.clone()).unwrap_err();
    assert!(error.to_string().contains("comments"), "{error}");
    let wrong = SnapshotPolicy {
        keep: None,
        ..rolling
    };
    assert!(Policies::set(&store, "cart", wrong).is_err());
}

const GUIDE: &str = r#"{
  "aggregateId": "order-789",
  "version": 1500,
  "timestamp": "2024-01-15T10:00:00Z",
  "snapshotData": {"orderId": "order-789", "status": "Shipped", "totalAmount": 299.970}
}"#;

fn read(name: &str, bytes: &[u8]) -> Result<Vec<claimed::Claim>, ClaimError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    claimed::read(&file).map(|found| found.claims)
}

#[test]
fn the_guides_snapshot_is_read_alone_in_a_list_and_a_line_each() {
    let line = GUIDE.replace('\n', "");
    for text in [
        GUIDE.to_owned(),
        format!("[{GUIDE}]"),
        format!("{line}\n\n"),
        format!("\u{feff}{GUIDE}"),
    ] {
        let claims = read("s.json", text.as_bytes()).unwrap();
        assert_eq!(claims.len(), 1, "{text}");
        let claim = &claims[0];
        assert_eq!(
            (claim.aggregate.as_str(), claim.version),
            ("order-789", 1500)
        );
        assert_eq!(claim.timestamp.as_deref(), Some("2024-01-15T10:00:00Z"));
        // The number is as written.
        assert_eq!(claim.data["totalAmount"].to_string(), "299.970");
    }
    assert_eq!(
        read("s.jsonl", format!("{line}\n{line}").as_bytes())
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn the_guides_table_is_read_from_csv_and_from_sqlite() {
    let csv = "aggregate_id,version,snapshot_data,timestamp\norder-789,1500,\"{\"\"a\"\":1.10}\",2024-01-15T10:00:00Z\n";
    let from_csv = read("s.csv", csv.as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute_batch(
        "CREATE TABLE Snapshots(aggregate_id TEXT PRIMARY KEY, version INTEGER, snapshot_data TEXT, timestamp TEXT);
         INSERT INTO Snapshots VALUES ('order-789', 1500, '{\"a\":1.10}', '2024-01-15T10:00:00Z');",
    )
    .unwrap();
    drop(conn);
    assert_eq!(claimed::read(&file).unwrap().claims, from_csv);
    assert_eq!(from_csv[0].data["a"].to_string(), "1.10");
    assert_eq!(from_csv[0].version, 1500);
}

#[test]
fn a_file_that_is_none_of_snapshots_says_where_and_what_was_expected() {
    for (name, bytes, says) in [
        ("s.json", b"{".as_slice(), "record 1: it is no JSON"),
        ("s.json", b"[1]", "a snapshot is an object"),
        (
            "s.json",
            b"{\"aggregateId\":\"a\",\"version\":1}",
            "there is no snapshotData",
        ),
        (
            "s.json",
            b"{\"version\":1,\"snapshotData\":{}}",
            "there is no aggregateId",
        ),
        (
            "s.json",
            b"{\"aggregateId\":\"a\",\"version\":1.5,\"snapshotData\":{}}",
            "no whole number",
        ),
        (
            "s.json",
            b"{\"aggregateId\":\"a\",\"version\":-1,\"snapshotData\":{}}",
            "no whole number",
        ),
        ("s.json", b"\xff", "s.json: it is not UTF-8"),
        ("s.json", b"", "s.json: it holds no snapshot"),
        ("s.json", b" \n", "it holds no snapshot"),
        ("s.json", b"[]", "it holds no snapshot"),
        (
            "s.csv",
            b"aggregate_id,version,snapshot_data\n",
            "it holds no snapshot",
        ),
        ("s.csv", b"a,b\n1,2", "there is no column aggregate_id"),
        (
            "s.csv",
            b"aggregate_id,version,snapshot_data\na,1,nonsense",
            "snapshotData is no JSON",
        ),
        (
            "s.csv",
            b"aggregate_id,version,snapshot_data\na,1",
            "CSV error",
        ),
        (
            "s.db",
            b"SQLite format 3\0 and no more",
            "expected a table Snapshots",
        ),
    ] {
        let error = read(name, bytes).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let gone = claimed::read(std::path::Path::new("/no/such/file.json"));
    assert!(matches!(gone, Err(ClaimError::Io { .. })));
}

#[test]
fn records_that_are_no_snapshots_are_told_beside_those_that_are() {
    let line = GUIDE.replace('\n', "");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.jsonl");
    std::fs::write(&file, format!("{line}\n{{\"version\":1}}\n{{\n")).unwrap();
    let found = claimed::read(&file).unwrap();
    assert_eq!(found.claims.len(), 1);
    let refused: Vec<_> = found.refused.iter().map(|one| one.record).collect();
    assert_eq!(refused, [2, 3]);
    assert!(found.refused[0].reason.contains("there is no aggregateId"));
}

#[test]
fn imported_snapshots_come_back_as_they_were_and_are_never_written_over_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    assert!(claimed::imported(&store).unwrap().is_empty());
    let claims = read("s.json", GUIDE.as_bytes()).unwrap();
    let place = claimed::place(&store, "orders", false).unwrap();
    claimed::keep(&place, &claims).unwrap();
    std::fs::write(claimed::folder(&store).join("bad.jsonl"), b"{").unwrap();
    let imported = claimed::imported(&store).unwrap();
    let names: Vec<_> = imported.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["bad", "orders"]);
    assert!(imported[0].content.is_err());
    assert_eq!(imported[1].content.as_ref().unwrap().claims, claims);
    let again = claimed::place(&store, "orders", false);
    assert!(matches!(again, Err(ClaimError::Exists { .. })));
    assert_eq!(claimed::place(&store, "orders", true).unwrap(), place);
    let outside = claimed::place(&store, "../orders", true);
    assert!(matches!(outside, Err(ClaimError::Name { .. })));
}

#[test]
fn a_file_of_policies_that_is_no_text_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    let file = Policies::file(&store);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, b"\xff\xfe").unwrap();
    let error = Policies::load(&store).unwrap_err().to_string();
    assert!(
        error.contains("snapshots.toml") && error.contains("UTF-8"),
        "{error}"
    );
}
