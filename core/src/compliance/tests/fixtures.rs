//! For each template one small log that violates it and one that is clean.

use super::*;
use crate::finding::FindingKind;
use crate::position::Position;

const NONE: &str = "{}";

/// The number of exceptions of each check.
fn exceptions(made: &MadeReport) -> Vec<(&str, u64)> {
    let results = made.report.checks().iter();
    results
        .map(|result| (result.id.as_str(), result.exceptions))
        .collect()
}

/// That every check passes or has nothing to look at, and at least `passed` passed.
fn assert_clean(made: &MadeReport, passed: usize) {
    for result in made.report.checks() {
        assert_ne!(
            result.outcome,
            CheckOutcome::Exceptions,
            "{result:?}: {:?}",
            printed(made, "exceptions")
        );
    }
    let all = made.report.checks().iter();
    let count = all
        .filter(|result| result.outcome == CheckOutcome::Passed)
        .count();
    assert!(
        count >= passed,
        "{count} of {passed} checks had something to look at"
    );
    assert_eq!(printed(made, "exceptions"), Vec::<Vec<String>>::new());
}

/// What is wrong, and at which position, of the exceptions of a check.
fn found(made: &MadeReport, check: &str) -> Vec<(String, String)> {
    let rows = printed(made, "exceptions").into_iter();
    rows.filter(|row| row[0] == check)
        .map(|row| (row[1].clone(), row[6].clone()))
        .collect()
}

const WHO: &str = r#"{"userId":"alice","reason":"asked for"}"#;

#[test]
fn audit_trail() {
    let clean = Store::of(&[
        (
            "order-1",
            "OrderPlaced",
            "2024-01-01T10:00:00Z",
            r#"{"total":10.00}"#,
            WHO,
        ),
        (
            "order-1",
            "OrderChanged",
            "2024-01-02T10:00:00Z",
            r#"{"total":12.50}"#,
            WHO,
        ),
    ]);
    let made = clean.report("audit-trail", None);
    assert_clean(&made, 4);
    let changes = printed(&made, "changes");
    assert_eq!(changes[1][6..10], ["total", "10.00", "12.50", "asked for"]);
    assert_eq!(changes[0][6..10], ["total", "none", "10.00", "asked for"]);

    let violating = Store::of(&[
        (
            "order-1",
            "OrderPlaced",
            "2024-01-02T10:00:00Z",
            r#"{"total":10.00}"#,
            NONE,
        ),
        (
            "order-1",
            "OrderChanged",
            "2024-01-01T10:00:00Z",
            r#"{"total":12.50}"#,
            WHO,
        ),
    ]);
    let made = violating.report("audit-trail", None);
    assert_eq!(
        exceptions(&made),
        [
            ("who_recorded", 1),
            ("why_recorded", 1),
            ("order", 1),
            ("erased", 0)
        ]
    );
    assert_eq!(
        printed(&made, "changes")[0][2],
        "not recorded",
        "never blank"
    );
}

#[test]
fn sox_change_register() {
    let by = |who: &'static str| match who {
        "alice" => r#"{"userId":"alice","reason":"CR-7","ticket":"CR-7"}"#,
        _ => r#"{"userId":"bob","reason":"reviewed"}"#,
    };
    let clean = Store::of(&[
        (
            "config-1",
            "LimitChanged",
            "2024-01-01T10:00:00Z",
            r#"{"limit":100}"#,
            by("alice"),
        ),
        (
            "config-1",
            "LimitApproved",
            "2024-01-01T11:00:00Z",
            r#"{"ok":true}"#,
            by("bob"),
        ),
        (
            "config-2",
            "RateChanged",
            "2024-01-02T10:00:00Z",
            r#"{"rate":"1.5","approvedBy":"bob"}"#,
            by("alice"),
        ),
    ]);
    assert_clean(&clean.report("sox-change-register", None), 4);

    let violating = Store::of(&[
        (
            "config-1",
            "LimitChanged",
            "2024-01-01T10:00:00Z",
            r#"{"limit":100}"#,
            by("alice"),
        ),
        (
            "config-1",
            "LimitApproved",
            "2024-01-01T11:00:00Z",
            r#"{"ok":true}"#,
            by("alice"),
        ),
        (
            "config-2",
            "RateChanged",
            "2024-01-02T10:00:00Z",
            r#"{"rate":"1.5"}"#,
            by("alice"),
        ),
        (
            "config-3",
            "RateChanged",
            "2024-01-03T10:00:00Z",
            r#"{"rate":"2","approvedBy":"alice"}"#,
            by("alice"),
        ),
        (
            "config-4",
            "RoleGranted",
            "2024-01-04T10:00:00Z",
            r#"{"role":"admin","approvedBy":"bob"}"#,
            NONE,
        ),
    ]);
    let made = violating.report("sox-change-register", None);
    assert_eq!(
        exceptions(&made),
        [
            ("segregation", 2),
            ("approved", 1),
            ("who_and_why", 1),
            ("erased", 0)
        ]
    );
    assert_eq!(
        found(&made, "segregation"),
        [
            (
                "2".into(),
                "alice approved what alice prepared (position 1)".into()
            ),
            (
                "4".into(),
                "alice made the change and is named as its approver".into()
            ),
        ]
    );
    assert_eq!(
        found(&made, "approved"),
        [("3".into(), "no approval is recorded for it".into())]
    );
}

#[test]
fn exceptions_are_summed_up_by_check_and_type() {
    let bare = |n: usize, event_type| {
        let times = [
            "2024-01-03T00:00:00Z",
            "2024-01-02T00:00:00Z",
            "2024-01-04T00:00:00Z",
        ];
        ("price-1", event_type, times[n], "{}", NONE)
    };
    let store = Store::of(&[
        bare(0, "PriceChanged"),
        bare(1, "PriceChanged"),
        bare(2, "PriceSeen"),
    ]);
    let made = store.report("sox-change-register", None);
    let sums = printed(&made, "exceptions_by_check");
    let (first, last) = ("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z");
    let told = "not recorded: Who, Why";
    assert_eq!(
        sums,
        [
            [
                "approved",
                "PriceChanged",
                "2",
                first,
                last,
                "1",
                "no approval is recorded for it"
            ],
            ["who_and_why", "PriceChanged", "2", first, last, "1", told],
            [
                "who_and_why",
                "PriceSeen",
                "1",
                "2024-01-04T00:00:00Z",
                "2024-01-04T00:00:00Z",
                "3",
                told
            ],
        ]
    );
    let counts = made.report.checks().iter().map(|check| check.exceptions);
    assert_eq!(
        counts.sum::<u64>(),
        printed(&made, "exceptions").len() as u64
    );
    let nothing = Store::of(&[]).report("sox-change-register", None).report;
    assert!(
        nothing
            .tables()
            .all(|table| table.id != "exceptions_by_check")
    );
}

#[test]
fn a_sample_can_be_drawn_again_by_anybody() {
    use sha2::{Digest, Sha256};
    let events: Vec<Written> = (0..60)
        .map(|_| {
            (
                "config-1",
                "LimitChanged",
                "2024-01-01T10:00:00Z",
                r#"{"limit":1}"#,
                WHO,
            )
        })
        .collect();
    let store = Store::of(&events);
    for (seed, size) in [("1", 5), ("42", 25), ("1", 0), ("1", 100)] {
        let mut request = whole("sox-change-register", None);
        request.settings.insert("seed".into(), seed.into());
        request.settings.insert("sample".into(), size.to_string());
        let picked: Vec<String> = printed(&store.make(&request).unwrap(), "sample")
            .into_iter()
            .map(|row| row[0].clone())
            .collect();
        let mut want: Vec<u64> = (1..=60).collect();
        want.sort_by_key(|position| Sha256::digest(format!("{seed}/{position}")).to_vec());
        want.truncate(size);
        want.sort_unstable();
        assert_eq!(
            picked,
            want.iter().map(u64::to_string).collect::<Vec<_>>(),
            "{seed} {size}"
        );
    }
}

#[test]
fn hipaa_access() {
    let who = r#"{"userId":"dr-lee","reason":"treatment","role":"physician"}"#;
    let clean = Store::of(&[
        (
            "chart-1",
            "ChartViewed",
            "2024-01-01T10:00:00Z",
            r#"{"patientId":"p-1"}"#,
            who,
        ),
        (
            "chart-1",
            "ChartUpdated",
            "2024-01-01T10:05:00Z",
            r#"{"patientId":"p-1","note":"x"}"#,
            who,
        ),
    ]);
    let made = clean.report("hipaa-access", Some("p-1"));
    assert_clean(&made, 4);
    assert_eq!(printed(&made, "accesses").len(), 2);
    assert_eq!(
        clean
            .report("hipaa-access", Some("p-2"))
            .report
            .first_page
            .completeness
            .events_in_scope,
        0
    );

    let violating = Store::of(&[
        (
            "chart-1",
            "ChartViewed",
            "2024-01-01T10:00:00Z",
            r#"{"patientId":"p-1"}"#,
            r#"{"userId":"x"}"#,
        ),
        (
            "chart-1",
            "ChartPrinted",
            "2024-01-01T09:00:00Z",
            r#"{"pages":3}"#,
            NONE,
        ),
    ]);
    assert_eq!(
        exceptions(&violating.report("hipaa-access", None)),
        [
            ("who_recorded", 1),
            ("patient_recorded", 1),
            ("purpose_recorded", 2),
            ("order", 1)
        ]
    );
}

#[test]
fn a_check_that_finds_nothing_of_its_types_names_them() {
    let store = Store::of(&[(
        "chart-1",
        "ChartUpdated",
        "2024-01-01T10:05:00Z",
        r#"{"patientId":"p-1"}"#,
        NONE,
    )]);
    let made = store.report("hipaa-access", None);
    let check = &made.report.checks()[1];
    assert_eq!(check.outcome, CheckOutcome::NothingToCheck);
    assert!(
        check
            .detail
            .starts_with("no event that it looks at is in scope: *Viewed, *Accessed"),
        "{check:?}"
    );
}

#[test]
fn a_dossier_says_what_an_erasure_left_unattributed() {
    let store = Store::of(&[
        (
            "customer-7",
            "CustomerRegistered",
            "2024-01-01T10:00:00Z",
            r#"{"email":"ann@example.org"}"#,
            NONE,
        ),
        (
            "order-1",
            "OrderPlaced",
            "2024-01-02T10:00:00Z",
            r#"{"customerId":"customer-7"}"#,
            NONE,
        ),
    ]);
    let before = store.report("gdpr-subject", Some("customer-7")).report;
    assert_eq!(before.first_page.completeness.events_in_scope, 2);
    assert_eq!(before.first_page.findings, []);
    let Store { folder, path, log } = store;
    drop(log);
    let now = Time::parse_rfc3339("2025-02-01T00:00:00Z").unwrap();
    let writer = LogWriter::open(&path, Surroundings::fixed(now, 8)).unwrap();
    let erasures = StreamId::new("annals-erasures").unwrap();
    let parts = [(Position(2), crate::event::Part::Data)];
    let describe = |_: &[_]| NewEvent::json("PartsErased", "{}").unwrap();
    writer.erase(&parts, &erasures, &describe).unwrap();
    drop(writer);
    let log = Log::explore(&path).unwrap();
    let after = Store { folder, path, log };
    let page = after
        .report("gdpr-subject", Some("customer-7"))
        .report
        .first_page;
    assert_eq!(page.completeness.events_in_scope, 1);
    let finding = &page.findings[0];
    assert_eq!(
        (finding.kind, finding.count),
        (FindingKind::Unattributed, 1)
    );
    assert_eq!(finding.place.position, Some(Position(2)));
    assert!(
        finding
            .detail
            .starts_with("1 event of which a part was erased cannot be attributed")
            && finding
                .detail
                .ends_with("erased by the events at position 3"),
        "{finding:?}"
    );
    let nobody = after.report("gdpr-subject", Some("customer-9")).report;
    let table = nobody.tables().find(|table| table.id == "copy").unwrap();
    assert_eq!(
        table.empty,
        "The log holds nothing about this subject. What was erased cannot be attributed: see the findings on the first page."
    );
}

#[test]
fn an_access_log_that_is_not_whole_is_a_finding() {
    use crate::access_log::{AccessLog, Look, LookKind};
    let store = Store::guide();
    let data = tempfile::tempdir().unwrap();
    let file = AccessLog::of(store.log.id(), data.path());
    let now = Time::parse_rfc3339("2025-02-01T00:00:00Z").unwrap();
    let clock = Surroundings::fixed(now, 8).clock;
    let look = || Look {
        user: crate::surroundings::OsUser::system(),
        purpose: None,
        program: "test".into(),
        kind: LookKind::Report,
        action: "report make".into(),
        asked: Vec::new(),
        size: Position(52),
    };
    let mut request = ReportRequest::of("audit-trail");
    for _ in 0..2 {
        let state = file.write(look(), &clock).unwrap();
        request.access_log = AccessLogState::of(&state, &file).unwrap();
    }
    let page = store.make(&request).unwrap().report.first_page;
    assert!(
        page.findings
            .iter()
            .all(|f| f.kind != FindingKind::AccessLogBroken)
    );
    let text = std::fs::read_to_string(file.path()).unwrap();
    std::fs::write(file.path(), text.replacen("report make", "report list", 1)).unwrap();
    let state = file.write(look(), &clock).unwrap();
    request.access_log = AccessLogState::of(&state, &file).unwrap();
    let made = store.make(&request).unwrap();
    let broken = made.report.first_page.findings.iter();
    let broken = broken
        .clone()
        .find(|f| f.kind == FindingKind::AccessLogBroken);
    let detail = &broken.unwrap().detail;
    assert!(
        detail.contains("is not whole: 1 fault, the first: "),
        "{detail}"
    );
    let page = first_page(&made.report);
    assert!(
        page[0]
            .entries
            .iter()
            .any(|entry| entry.value.ends_with("see the findings"))
    );
}

#[test]
fn hipaa_disclosures_sum_up_what_repeats() {
    let lab = r#"{"patientId":"p-1","recipientName":"State lab","recipientAddress":"1 Main St","description":"test results","purpose":"public health"}"#;
    let court = r#"{"patientId":"p-1","recipientName":"County court","recipientAddress":"2 Main St","description":"chart","purpose":"subpoena 17"}"#;
    let clean = Store::of(&[
        (
            "chart-1",
            "RecordDisclosed",
            "2024-01-01T10:00:00Z",
            lab,
            WHO,
        ),
        (
            "chart-1",
            "RecordDisclosed",
            "2024-01-11T10:00:00Z",
            lab,
            WHO,
        ),
        (
            "chart-1",
            "ChartViewed",
            "2024-01-12T10:00:00Z",
            r#"{"patientId":"p-1"}"#,
            WHO,
        ),
        (
            "chart-1",
            "RecordDisclosed",
            "2024-01-20T10:00:00Z",
            court,
            WHO,
        ),
        (
            "chart-1",
            "RecordDisclosed",
            "2024-01-31T10:00:00Z",
            lab,
            WHO,
        ),
        (
            "chart-2",
            "RecordDisclosed",
            "2024-01-31T10:00:00Z",
            r#"{"patientId":"p-2"}"#,
            WHO,
        ),
    ]);
    let made = clean.report("hipaa-disclosures", Some("p-1"));
    assert_clean(&made, 3);
    assert_eq!(
        printed(&made, "accounting"),
        [
            vec![
                "2024-01-20T10:00:00Z",
                "County court",
                "2 Main St",
                "chart",
                "subpoena 17",
                "1",
                "once",
                "2024-01-20T10:00:00Z"
            ],
            vec![
                "2024-01-01T10:00:00Z",
                "State lab",
                "1 Main St",
                "test results",
                "public health",
                "3",
                "3 times in 30 days",
                "2024-01-31T10:00:00Z"
            ],
        ]
    );
    assert_eq!(printed(&made, "disclosures").len(), 4);
    let not_checked = made.report.first_page.not_checked.join("\n");
    assert!(not_checked.contains("ChartViewed (1)"), "{not_checked}");

    let violating = Store::of(&[(
        "chart-1",
        "RecordDisclosed",
        "2024-01-01",
        r#"{"patientId":"p-1","recipientName":"State lab"}"#,
        NONE,
    )]);
    assert_eq!(
        exceptions(&violating.report("hipaa-disclosures", Some("p-1"))),
        [("content", 1), ("date", 1), ("erased", 0)]
    );
    let error = violating
        .make(&ReportRequest::of("hipaa-disclosures"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a report by hipaa-disclosures needs a subject: whom it is about"
    );
}

#[test]
fn gdpr_subject() {
    let told = r#"{"userId":"web","purpose":"contract","retentionUntil":"2030-01-01","legalBasis":"6(1)(b)"}"#;
    let clean = Store::of(&[
        (
            "customer-7",
            "CustomerRegistered",
            "2024-01-01T10:00:00Z",
            r#"{"customerId":"customer-7","email":"ann@example.org"}"#,
            told,
        ),
        (
            "share-1",
            "DataShared",
            "2024-01-02T10:00:00Z",
            r#"{"customerId":"customer-7","sharedWith":"Carrier Ltd"}"#,
            told,
        ),
        (
            "customer-8",
            "CustomerRegistered",
            "2024-01-03T10:00:00Z",
            r#"{"email":"other@example.org"}"#,
            told,
        ),
    ]);
    let made = clean.report("gdpr-subject", Some("customer-7"));
    assert_clean(&made, 3);
    assert_eq!(made.report.first_page.completeness.events_in_scope, 2);
    assert_eq!(printed(&made, "recipients")[0][0], "Carrier Ltd");
    let classes = printed(&made, "categories");
    assert!(
        classes
            .iter()
            .any(|row| row[..2] == ["Contact", "data.email"]),
        "{classes:?}"
    );

    let violating = Store::of(&[
        (
            "customer-7",
            "CustomerRegistered",
            "2024-01-01T10:00:00Z",
            r#"{"email":"ann@example.org"}"#,
            NONE,
        ),
        (
            "share-1",
            "DataShared",
            "2024-01-02T10:00:00Z",
            r#"{"customerId":"customer-7"}"#,
            NONE,
        ),
    ]);
    assert_eq!(
        exceptions(&violating.report("gdpr-subject", Some("customer-7"))),
        [("purpose", 2), ("recipient", 1), ("period", 2)]
    );
}

#[test]
fn gdpr_portable_leaves_technical_traces_out() {
    let store = Store::of(&[(
        "customer-7",
        "CustomerRegistered",
        "2024-01-01T10:00:00Z",
        r#"{"email":"ann@example.org","device":{"ip_address":"10.0.0.1","score":7},"list":[{"sessionId":"s"}]}"#,
        r#"{"ipAddress":"10.0.0.1"}"#,
    )]);
    let made = store.report("gdpr-portable", Some("customer-7"));
    assert_clean(&made, 1);
    let mut lines = Vec::new();
    write_jsonl(&made, &mut lines, &WorkProgress::default()).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert!(
        lines.contains("ann@example.org") && !lines.contains("10.0.0.1"),
        "{lines}"
    );
    let data: Vec<String> = printed(&made, "data")
        .iter()
        .map(|row| row[1..3].join(" "))
        .collect();
    assert_eq!(data, ["email ann@example.org", "list [{}]"]);
    assert_eq!(
        printed(&made, "records")[0][4],
        r#"{"email":"ann@example.org","device":{},"list":[{}]}"#
    );
    let checked = made.report.first_page.checked.join("\n");
    assert!(checked.ends_with("4 were there"), "{checked}");
}

#[test]
fn gdpr_processing() {
    let told = r#"{"userId":"web","purpose":"contract","retention":"P6Y"}"#;
    let clean = Store::of(&[
        (
            "customer-7",
            "CustomerRegistered",
            "2024-01-01T10:00:00Z",
            r#"{"email":"a@example.org"}"#,
            told,
        ),
        (
            "customer-7",
            "DataShared",
            "2024-01-01T10:00:00Z",
            r#"{"recipient":{"name":"Carrier","country":"NO"}}"#,
            told,
        ),
    ]);
    let made = clean.report("gdpr-processing", None);
    assert_clean(&made, 3);
    assert_eq!(printed(&made, "recipients")[0][..2], ["Carrier", "NO"]);
    let violating = Store::of(&[(
        "customer-7",
        "DataShared",
        "2024-01-01T10:00:00Z",
        r#"{"email":"a@example.org"}"#,
        NONE,
    )]);
    let made = violating.report("gdpr-processing", None);
    assert_eq!(
        exceptions(&made),
        [("purpose", 1), ("recipient", 1), ("limit", 1)]
    );
    assert_eq!(printed(&made, "activities")[0][2], "not recorded");
}

#[test]
fn mifid_order_lifecycle() {
    let placed = r#"{"clientId":"c","investmentDecisionMaker":"algo-1","trader":"t","isin":"DE0001","side":"buy","quantity":100,"sequenceNumber":1}"#;
    let filled = r#"{"isin":"DE0001","quantity":100,"price":12.50,"currency":"EUR","venue":"XETR","tradingCapacity":"DEAL","sequenceNumber":2}"#;
    let clean = Store::of(&[
        (
            "order-1",
            "OrderPlaced",
            "2024-01-01T10:00:00.123456Z",
            placed,
            WHO,
        ),
        (
            "order-1",
            "OrderFilled",
            "2024-01-01T10:00:00.223456Z",
            filled,
            WHO,
        ),
    ]);
    let mut request = whole("mifid-order-lifecycle", None);
    request.settings.insert("tier".into(), "hft".into());
    let made = clean.make(&request).unwrap();
    assert_clean(&made, 7);
    assert_eq!(
        made.report.first_page.completeness.totals[0].sum.as_deref(),
        Some("200")
    );

    let violating = Store::of(&[
        (
            "order-1",
            "OrderChanged",
            "2024-01-01T10:00:00.120Z",
            r#"{"sequenceNumber":1}"#,
            WHO,
        ),
        (
            "order-1",
            "OrderCancelled",
            "2024-01-01 10:00:00",
            r#"{"sequenceNumber":3}"#,
            WHO,
        ),
        (
            "order-1",
            "OrderFilled",
            "2024-01-01T10:00:01.1Z",
            r#"{"sequenceNumber":4}"#,
            WHO,
        ),
        (
            "order-2",
            "OrderPlaced",
            "2024-01-01T10:00:00.123Z",
            r#"{"sequenceNumber":1}"#,
            WHO,
        ),
    ]);
    let made = violating.report("mifid-order-lifecycle", None);
    assert_eq!(
        exceptions(&made),
        [
            ("lifecycle", 2),
            ("granularity", 2),
            ("utc", 1),
            ("order", 1),
            ("sequence", 1),
            ("placed", 1),
            ("executed", 1)
        ]
    );
    let lifecycle = made.report.checks()[0].detail.clone();
    assert!(
        lifecycle.ends_with("1 of 2 streams not closed at the as-of"),
        "{lifecycle}"
    );
    let digits: Vec<String> = printed(&made, "granularity")
        .iter()
        .map(|r| r[..4].join(" "))
        .collect();
    assert!(
        digits.contains(&"OrderChanged 3 1 1".to_owned()),
        "{digits:?}"
    );
    request.settings.insert("tier".into(), "voice".into());
    assert_eq!(
        exceptions(&violating.make(&request).unwrap())[1],
        ("granularity", 0)
    );
    request.settings.insert("tier".into(), "none".into());
    let error = violating.make(&request).unwrap_err();
    assert!(
        error.to_string().contains("one of hft, other, voice"),
        "{error}"
    );
}

#[test]
fn a_partial_fill_closes_no_order() {
    let placed = r#"{"quantity":100}"#;
    let day = "2024-01-01T10:00:00.123Z";
    let of = |stream, event_type, data| (stream, event_type, day, data, WHO);
    let store = Store::of(&[
        // What remains is told.
        of("order-1", "OrderPlaced", placed),
        of(
            "order-1",
            "OrderExecuted",
            r#"{"quantity":40,"remaining":60}"#,
        ),
        of(
            "order-1",
            "OrderExecuted",
            r#"{"quantity":60,"remaining":0}"#,
        ),
        of(
            "order-1",
            "OrderExecuted",
            r#"{"quantity":1,"remaining":0}"#,
        ),
        // It follows from the quantities, of which one was amended.
        of("order-2", "OrderPlaced", placed),
        of("order-2", "OrderExecuted", r#"{"quantity":40.5}"#),
        of("order-2", "OrderAmended", r#"{"quantity":80.5}"#),
        of("order-2", "OrderExecuted", r#"{"quantity":40}"#),
        of("order-2", "OrderCancelled", "{}"),
        // It is told by nothing: a name that says so closes, another does not.
        of("order-3", "OrderPlaced", "{}"),
        of("order-3", "OrderExecuted", r#"{"price":1}"#),
        of("order-3", "OrderPartiallyFilled", r#"{"price":1}"#),
        of("order-3", "OrderFilled", r#"{"price":1}"#),
        of("order-3", "OrderExecuted", r#"{"price":1}"#),
        of("order-4", "OrderPlaced", placed),
    ]);
    let made = store.report("mifid-order-lifecycle", None);
    let late = |version: u64| format!("it comes after the stream was closed by version {version}");
    assert_eq!(
        found(&made, "lifecycle"),
        [
            ("4".to_owned(), late(3)),
            ("9".to_owned(), late(4)),
            ("14".to_owned(), late(4))
        ]
    );
    let detail = &made.report.checks()[0].detail;
    assert_eq!(
        detail,
        "15 events looked at, 3 exceptions; 1 of 4 streams not closed at the as-of; 2 fills taken for no end: neither what remains nor the quantities are recorded"
    );
}

#[test]
fn a_time_without_its_text_is_not_judged_and_that_is_said() {
    let (folder, path) = (tempfile::tempdir().unwrap(), "instants.annals");
    let path = folder.path().join(path);
    let now = Time::parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
    let writer = LogWriter::create(&path, Surroundings::fixed(now, 7)).unwrap();
    let mut event = NewEvent::json("OrderPlaced", "{}").unwrap();
    event.time = Some(SourceTime::unwritten(now));
    writer
        .append(vec![StreamAppend {
            stream: StreamId::new("order-1").unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        }])
        .unwrap();
    drop(writer);
    let log = Log::explore(&path).unwrap();
    let made = Store { folder, path, log }.report("mifid-order-lifecycle", None);
    for id in ["granularity", "utc"] {
        let mut checks = made.report.checks().iter();
        let check = checks.find(|check| check.id == id).unwrap();
        assert_eq!(check.outcome, CheckOutcome::NothingToCheck);
        assert_eq!((check.checked, check.not_looked_at), (0, 1));
        assert_eq!(
            check.detail,
            "none looked at: 1 event without a text of their time in the log"
        );
    }
    let not_checked = made.report.first_page.not_checked.join("\n");
    assert!(
        not_checked
            .contains("1 event without a text of their time in the log: \"Times are written"),
        "{not_checked}"
    );
    let digits = &printed(&made, "granularity")[0];
    assert_eq!(digits[1..4], ["not recorded", "1", "none"]);
}

#[test]
fn trade_reconstruction() {
    let clean = Store::of(&[
        (
            "trade-1",
            "TradeExecuted",
            "2024-01-01T10:00:00Z",
            r#"{"symbol":"X","price":1.10}"#,
            WHO,
        ),
        (
            "trade-1",
            "TradeAmended",
            "2024-01-01T11:00:00Z",
            r#"{"price":1.20}"#,
            WHO,
        ),
    ]);
    let made = clean.report("trade-reconstruction", None);
    assert_clean(&made, 4);
    let versions: Vec<String> = printed(&made, "versions")
        .into_iter()
        .map(|r| r[6].clone())
        .collect();
    assert_eq!(
        versions,
        [
            r#"{"symbol":"X","price":1.10}"#,
            r#"{"symbol":"X","price":1.20}"#
        ]
    );
    let violating = Store::of(&[
        (
            "trade-1",
            "TradeExecuted",
            "2024-01-02",
            r#"{"symbol":"X"}"#,
            NONE,
        ),
        (
            "trade-1",
            "TradeAmended",
            "2024-01-01T11:00:00Z",
            r#"{"price":1.20}"#,
            WHO,
        ),
    ]);
    assert_eq!(
        exceptions(&violating.report("trade-reconstruction", None)),
        [("identity", 1), ("time", 1), ("erased", 0), ("order", 1)]
    );
}

#[test]
fn basel_position_differences_add_up() {
    let clean = Store::guide();
    let mut request = whole("basel-position", None);
    request.query.stream = Some("account-12345".parse().unwrap());
    let made = clean.make(&request).unwrap();
    let balance = |rows: Vec<Vec<String>>| {
        rows.into_iter()
            .filter(|row| row.contains(&"balance".to_owned()))
            .collect::<Vec<_>>()
    };
    let position = balance(printed(&made, "positions"));
    assert_eq!(
        position[0][..5],
        ["account-12345", "balance", "1247.83", "8", "5"]
    );
    let mut sum = crate::model::Exact::Int(0);
    for row in balance(printed(&made, "lineage")) {
        let added = if row[9] == "none" { &row[8] } else { &row[9] };
        sum = sum.add(crate::model::Exact::read(added).unwrap()).unwrap();
    }
    assert_eq!(sum.to_json().to_string(), "1247.83");
    assert!(
        made.report.checks()[0].exceptions > 0,
        "the guide's bank statement names no actor"
    );

    let named = Store::of(&[(
        "account-1",
        "DepositMade",
        "2024-01-01T10:00:00Z",
        r#"{"amount":1}"#,
        WHO,
    )]);
    assert_clean(&named.report("basel-position", None), 3);
    let error = named
        .make(&ReportRequest::of("basel-position"))
        .unwrap_err();
    assert!(
        error.to_string().ends_with("needs an instant: as of when"),
        "{error}"
    );
}

#[test]
fn part11_record() {
    let signed = r#"{"signerName":"Ann Lee","meaning":"review","signedAt":"2024-01-02T10:00:00Z"}"#;
    let clean = Store::of(&[
        (
            "batch-1",
            "BatchStarted",
            "2024-01-01T10:00:00Z",
            r#"{"temperature":20}"#,
            WHO,
        ),
        (
            "batch-1",
            "TemperatureCorrected",
            "2024-01-01T11:00:00Z",
            r#"{"temperature":21}"#,
            WHO,
        ),
        (
            "batch-1",
            "BatchReviewed",
            "2024-01-02T10:00:00Z",
            signed,
            WHO,
        ),
    ]);
    let made = clean.report("part11-record", None);
    assert_clean(&made, 6);
    assert_eq!(printed(&made, "signatures")[0][3..5], ["Ann Lee", "review"]);
    let violating = Store::of(&[
        (
            "batch-1",
            "TemperatureCorrected",
            "2024-01-03 10:00",
            r#"{"temperature":21}"#,
            NONE,
        ),
        (
            "batch-1",
            "BatchReviewed",
            "2024-01-02T10:00:00Z",
            r#"{"signerName":"Ann Lee"}"#,
            WHO,
        ),
    ]);
    assert_eq!(
        exceptions(&violating.report("part11-record", None)),
        [
            ("trail", 1),
            ("reason", 1),
            ("stamp", 1),
            ("signatures", 1),
            ("obscured", 0),
            ("order", 1)
        ]
    );
}

#[test]
fn actor_activity() {
    let who = r#"{"userId":"mallory","reason":"asked for"}"#;
    let clean = Store::of(&[
        (
            "order-1",
            "OrderPlaced",
            "2024-01-01T10:00:00Z",
            r#"{"total":1}"#,
            who,
        ),
        (
            "order-1",
            "OrderChanged",
            "2024-01-01T11:00:00Z",
            r#"{"total":2}"#,
            WHO,
        ),
    ]);
    let made = clean.report("actor-activity", None);
    assert_clean(&made, 2);
    assert_eq!(
        printed(&made, "activity").len(),
        1,
        "others' events are not in scope"
    );
    let violating = Store::of(&[
        (
            "order-1",
            "OrderPlaced",
            "2024-01-02T10:00:00Z",
            r#"{"total":1}"#,
            r#"{"userId":"mallory"}"#,
        ),
        (
            "order-1",
            "OrderApproved",
            "2024-01-01T11:00:00Z",
            r#"{"ok":1}"#,
            who,
        ),
    ]);
    assert_eq!(
        exceptions(&violating.report("actor-activity", None)),
        [("why_recorded", 1), ("own_approvals", 1), ("order", 1)]
    );
}

#[test]
fn an_altered_event_is_a_finding_and_is_counted() {
    let store = Store::of(&[(
        "order-1",
        "OrderPlaced",
        "2024-01-01T10:00:00Z",
        r#"{"total":10}"#,
        WHO,
    )]);
    let Store {
        folder: _folder,
        path,
        log,
    } = store;
    drop(log);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let triggers: Vec<String> = {
        let mut all = conn
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .unwrap();
        let names = all.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    for name in triggers {
        conn.execute_batch(&format!("DROP TRIGGER \"{name}\""))
            .unwrap();
    }
    conn.execute(
        "UPDATE events SET data = CAST('{\"total\":99}' AS BLOB)",
        [],
    )
    .unwrap();
    drop(conn);
    let log = Log::explore(&path).unwrap();
    let set = TemplateSet::shipped();
    let request = ReportRequest::of("audit-trail");
    let made = make(
        &log,
        &ModelSet::default(),
        &set,
        &request,
        &WorkProgress::default(),
    )
    .unwrap();
    let page = &made.report.first_page;
    assert!(
        page.checked[0].contains("1 do not give the leaf hash"),
        "{:?}",
        page.checked
    );
    assert_eq!(
        page.findings[0].kind,
        crate::finding::FindingKind::HashMismatch
    );
}

#[test]
fn a_model_tells_whom_an_event_is_about() {
    let store = Store::of(&[
        (
            "visit-1",
            "VisitBooked",
            "2024-01-01T10:00:00Z",
            r#"{"guest":"ann"}"#,
            WHO,
        ),
        (
            "visit-2",
            "VisitBooked",
            "2024-01-01T10:00:00Z",
            r#"{"guest":"ben"}"#,
            WHO,
        ),
    ]);
    let scope = |store: &Store| {
        let made = store.report("gdpr-subject", Some("ann"));
        made.report.first_page.completeness.events_in_scope
    };
    assert_eq!(scope(&store), 0, "no usual field names her");
    let models = crate::model::folder(&store.path).join("models");
    std::fs::create_dir_all(&models).unwrap();
    let model = "category = 'visit'\n[personal]\nsubject = 'data.guest'\ndata = ['guest']\n[on.VisitBooked]\nguest = 'data.guest'\n";
    std::fs::write(models.join("visit.toml"), model).unwrap();
    assert_eq!(
        store.models().for_category("visit").reference().name,
        "visit"
    );
    assert_eq!(scope(&store), 1);
}

#[test]
fn an_event_that_counts_later_is_listed_all_the_same() {
    let store = Store::of(&[
        (
            "user-1",
            "Hired",
            "2024-01-01T10:00:00Z",
            r#"{"department":"A","from":"2024-01-01T00:00:00Z"}"#,
            WHO,
        ),
        (
            "user-1",
            "Moved",
            "2024-01-02T10:00:00Z",
            r#"{"department":"B","from":"2024-06-01T00:00:00Z"}"#,
            WHO,
        ),
    ]);
    let models = crate::model::folder(&store.path).join("models");
    std::fs::create_dir_all(&models).unwrap();
    let model = "category = 'user'\ntime = 'data.from'\n[on.Hired]\ndepartment = 'data.department'\n[on.Moved]\ndepartment = 'data.department'\n";
    std::fs::write(models.join("user.toml"), model).unwrap();
    let mut request = whole("trade-reconstruction", None);
    let rows = |request: &ReportRequest| -> Vec<String> {
        let made = store.make(request).unwrap();
        let rows = printed(&made, "actions").into_iter();
        rows.map(|row| {
            [&row[0], &row[8], &row[9], &row[10]]
                .map(String::as_str)
                .join(" ")
        })
        .collect()
    };
    assert_eq!(rows(&request), ["1 department none A", "2 department A B"]);
    request.at = Some(Time::parse_rfc3339("2024-02-01T00:00:00Z").unwrap());
    assert_eq!(rows(&request), ["1 department none A", "2 none none none"]);
}
