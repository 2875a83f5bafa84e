//! A subject's data from the scan to the erasure, holds, and every question on what is left.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use super::*;
use crate::event::{NewEvent, NewLink, Part, Payload};
use crate::export::{ExportFormat, ExportProgress, export};
use crate::id::StreamId;
use crate::model::{FieldPath, Model, ModelSet};
use crate::position::Position;
use crate::search::{IndexProgress, TextIndex, TextQuery};
use crate::snapshot::Snapshots;
use crate::store::{EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::{OsUser, Surroundings};
use crate::temporal::{self, AsOf, Moment};

const CUSTOMER: &str = r#"
category = "customer"
[personal]
subject = "data.customerId"
data = ["name", "email"]
metadata = ["ip"]
[on.Registered]
name = "data.name"
email = "data.email"
[on.EmailChanged]
email = "data.email"
[on.PointsAdded]
"points.add" = "data.points"
"#;

struct Shop {
    folder: tempfile::TempDir,
    models: ModelSet,
}

fn jo() -> OsUser {
    OsUser {
        name: "jo".into(),
        uid: Some(1000),
    }
}

impl Shop {
    fn new() -> Shop {
        let mut models = ModelSet::default();
        models
            .add(Model::parse("customer", CUSTOMER).unwrap())
            .unwrap();
        let shop = Shop {
            folder: tempfile::tempdir().unwrap(),
            models,
        };
        let writer = LogWriter::create(&shop.path(), Surroundings::system()).unwrap();
        let put =
            |stream: &str, kind: &str, data: &str, metadata: Option<&str>, link: Option<&str>| {
                let mut event = NewEvent::json(kind, data).unwrap();
                event.metadata = metadata.map(|text| Payload::json(text).unwrap());
                event.links = link
                    .map(|stream| NewLink {
                        stream: StreamId::new(stream).unwrap(),
                        qualifier: "buyer".into(),
                    })
                    .into_iter()
                    .collect();
                let append = StreamAppend {
                    stream: StreamId::new(stream).unwrap(),
                    category: None,
                    expected: ExpectedVersion::Any,
                    events: vec![event],
                };
                writer.append(vec![append]).unwrap();
            };
        let meta = Some(r#"{"userId":"clerk-1","correlationId":"corr-1","ip":"192.0.2.7"}"#);
        put(
            "customer-7",
            "Registered",
            r#"{"customerId":"7","name":"Ada Zyzzyva","email":"ada@zyzzyva.example"}"#,
            meta,
            None,
        );
        put(
            "customer-8",
            "Registered",
            r#"{"customerId":"8","name":"Bob","email":"bob@mail.example"}"#,
            meta,
            None,
        );
        put(
            "customer-7",
            "EmailChanged",
            r#"{"customerId":"7","email":"ada2@zyzzyva.example"}"#,
            meta,
            None,
        );
        put(
            "customer-7",
            "PointsAdded",
            r#"{"customerId":"7","points":5}"#,
            None,
            None,
        );
        put(
            "order-1",
            "Placed",
            r#"{"customerId":"7","total":10,"note":"for Ada Zyzzyva"}"#,
            None,
            Some("customer-7"),
        );
        put(
            "order-2",
            "Placed",
            r#"{"customerId":"8","total":12}"#,
            None,
            None,
        );
        writer.close().unwrap();
        shop
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.annals")
    }

    fn log(&self) -> Log {
        Log::explore(&self.path()).unwrap()
    }

    fn writer(&self) -> LogWriter {
        LogWriter::open(&self.path(), Surroundings::system()).unwrap()
    }

    fn plan(&self, request: EraseRequest) -> ErasurePlan {
        plan(&self.log(), &self.models, &request, &mut |_| true).unwrap()
    }

    fn erase(&self, plan: &ErasurePlan) -> ErasureReport {
        let writer = self.writer();
        let report = erase(&writer, plan, &jo(), None, &IndexProgress::default()).unwrap();
        writer.close().unwrap();
        report
    }

    /// How often a text stands in any file of the folder.
    fn found(&self, text: &str) -> usize {
        fn go(folder: &Path, text: &str) -> usize {
            let entries = std::fs::read_dir(folder).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            paths
                .map(|path| match path.is_dir() {
                    true => go(&path, text),
                    false => {
                        let bytes = std::fs::read(path).unwrap();
                        let windows = bytes.windows(text.len());
                        windows
                            .filter(|found| found.eq_ignore_ascii_case(text.as_bytes()))
                            .count()
                    }
                })
                .sum()
        }
        go(self.folder.path(), text)
    }
}

fn of(subject: &str) -> EraseRequest {
    EraseRequest {
        subject: subject.into(),
        mentions: false,
        reason: Some("request of 2024-05-01".into()),
    }
}

#[test]
fn what_is_likely_personal_is_found_and_masked() {
    let shop = Shop::new();
    let view = scan(&shop.log(), &shop.models, &mut |_| true).unwrap();
    assert_eq!((view.events, view.events_with), (6, 3));
    let email = view
        .rows
        .iter()
        .find(|row| row.event_type == "Registered" && row.path == "email")
        .unwrap();
    assert_eq!(
        (email.kind, email.events, email.marked, email.by_value),
        (PersonalKind::Email, 2, true, true)
    );
    assert!(
        email
            .examples
            .iter()
            .all(|example| !example.contains("ada")),
        "{email:?}"
    );
    let ip = view
        .rows
        .iter()
        .find(|row| row.kind == PersonalKind::IpAddress)
        .unwrap();
    assert_eq!(
        (ip.part, ip.path.as_str(), ip.marked),
        (Part::Metadata, "ip", true)
    );
}

#[test]
fn a_subject_is_found_by_its_model_and_by_its_name() {
    let shop = Shop::new();
    let view = subject(&shop.log(), &shop.models, "7", &mut |_| true).unwrap();
    let theirs: Vec<u64> = view
        .events
        .iter()
        .filter(|e| e.theirs)
        .map(|e| e.position.0)
        .collect();
    assert_eq!(theirs, [1, 3, 4]);
    assert_eq!(view.named, 1, "the order names them: {:?}", view.events);
    assert_eq!(view.unmarked, ["order"]);
    let order = view
        .events
        .iter()
        .find(|event| event.position.0 == 5)
        .unwrap();
    let hows: Vec<How> = order.mentions.iter().map(|mention| mention.how).collect();
    assert_eq!(hows, [How::Stream, How::Value]);
    assert!(matches!(
        subject(&shop.log(), &shop.models, "  ", &mut |_| true),
        Err(PrivacyError::BadText { .. })
    ));
}

#[test]
fn an_erased_subject_is_in_no_file_and_every_question_is_answered() {
    let shop = Shop::new();
    let log = shop.log();
    let index = TextIndex::open(&log, None);
    index.catch_up(&IndexProgress::default()).unwrap();
    let roots: Vec<_> = (0..=6).map(|n| log.root_at(Position(n)).unwrap()).collect();
    let before = shop.found("zyzzyva");
    let snapshots = Snapshots::open(&log, None, Surroundings::system().clock).unwrap();
    let scope = temporal::TakeScope::Stream {
        stream: StreamId::new("customer-7").unwrap(),
        version: None,
    };
    temporal::take_snapshots(&log, &shop.models, &snapshots, &scope, &mut |_| true).unwrap();
    drop((log, index, snapshots));
    assert!(shop.found("zyzzyva") > before, "in a snapshot");
    assert!(shop.found("zyzzyva") > 4, "in the log and in the cache");

    let asked = shop.plan(EraseRequest {
        mentions: true,
        ..of("7")
    });
    assert_eq!(asked.events.len(), 4);
    assert_eq!(asked.identity_stays, ["stream customer-7"]);
    let report = shop.erase(&asked);
    assert!(report.finished, "{report:?}");
    assert_eq!((report.events, report.left.as_slice()), (4, &[][..]));
    assert_eq!(shop.found("zyzzyva"), 0);
    assert_eq!(shop.found("192.0.2.7"), 1, "the other customer's stays");

    let log = shop.log();
    for (n, root) in roots.into_iter().enumerate() {
        assert_eq!(log.root_at(Position(n as u64)).unwrap(), root);
    }
    let customer = StreamId::new("customer-7").unwrap();
    let now = Moment::AsOf(AsOf::default());
    let state = temporal::state(&log, &shop.models, &customer, &now).unwrap();
    let kinds: Vec<_> = state.findings.iter().map(|finding| finding.kind).collect();
    assert!(
        kinds.contains(&crate::finding::FindingKind::Erased),
        "{kinds:?}"
    );
    let points: FieldPath = "points".parse().unwrap();
    assert!(
        temporal::why(
            &log,
            &shop.models,
            &customer,
            &FieldPath::default(),
            &now,
            10
        )
        .is_ok()
    );
    // The value was only in what was erased: it has no provenance, and says so rather than failing otherwise.
    let why = temporal::why(&log, &shop.models, &customer, &points, &now, 10);
    assert!(
        matches!(why, Ok(_) | Err(temporal::TemporalError::NoPath { .. })),
        "{why:?}"
    );
    let index = TextIndex::open(&log, None);
    index.catch_up(&IndexProgress::default()).unwrap();
    let found = index
        .search(
            &TextQuery::parse("zyzzyva").unwrap(),
            &EventQuery::default(),
            10,
        )
        .unwrap();
    assert_eq!(found.hits.len(), 0);
    let mut out = Vec::new();
    for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
        export(
            &log,
            &EventQuery::default(),
            format,
            &mut out,
            &ExportProgress::default(),
        )
        .unwrap();
    }
    assert!(!String::from_utf8(out).unwrap().contains("Zyzzyva"));
    // Nothing of theirs is left to be found, except where they are named in the identity.
    let left = subject(&log, &shop.models, "7", &mut |_| true).unwrap();
    assert_eq!(left.theirs, 0);
    assert!(
        left.events
            .iter()
            .flat_map(|e| &e.mentions)
            .all(|m| m.part == Part::Identity),
        "{left:?}"
    );
    assert_eq!(left.erased, 4);
    // The erasure says who, why and the old hashes, and not whose.
    let event = log.event(report.erasures[0]).unwrap().unwrap();
    assert_eq!(event.actor.unwrap().as_str(), "jo");
    let data = event.data.unwrap();
    let text = data.json_text().unwrap();
    assert!(
        text.contains("request of 2024-05-01")
            && text.contains("\"hash\"")
            && !text.contains("\"7\""),
        "{text}"
    );
}

#[test]
fn only_what_is_theirs_goes_unless_mentions_are_asked_for() {
    let shop = Shop::new();
    let asked = shop.plan(of("7"));
    let positions: Vec<u64> = asked.events.iter().map(|event| event.position.0).collect();
    assert_eq!((positions, asked.named_and_stay), (vec![1, 3, 4], 1));
    assert_eq!(asked.events[0].parts, [Part::Data, Part::Metadata]);
    shop.erase(&asked);
    let log = shop.log();
    assert!(log.event(Position(5)).unwrap().unwrap().data.is_some());
    assert!(log.event(Position(2)).unwrap().unwrap().data.is_some());
    assert_eq!(shop.plan(of("7")).events, [], "it is done once");
}

#[test]
fn a_held_event_is_not_erased_and_says_by_which_matter() {
    let shop = Shop::new();
    let writer = shop.writer();
    hold(
        &writer,
        "case 12",
        HoldScope::Stream("customer-7".into()),
        Some("dispute"),
        &jo(),
    )
    .unwrap();
    hold(
        &writer,
        "audit",
        HoldScope::Positions(Position(3), Position(3)),
        None,
        &jo(),
    )
    .unwrap();
    writer.close().unwrap();
    let asked = shop.plan(of("7"));
    assert_eq!(asked.events, []);
    let held: Vec<_> = asked
        .held
        .iter()
        .map(|held| (held.position.0, held.matters.join("+")))
        .collect();
    assert_eq!(
        held,
        [
            (1, "case 12".into()),
            (3, "audit+case 12".to_owned()),
            (4, "case 12".into())
        ]
    );

    let writer = shop.writer();
    assert_eq!(release(&writer, "case 12", None, &jo()).unwrap(), 1);
    assert!(matches!(
        release(&writer, "case 12", None, &jo()),
        Err(PrivacyError::NoHold { .. })
    ));
    writer.close().unwrap();
    let asked = shop.plan(of("7"));
    assert_eq!((asked.events.len(), asked.held.len()), (2, 1));
    shop.erase(&asked);
    assert!(
        shop.log()
            .event(Position(3))
            .unwrap()
            .unwrap()
            .data
            .is_some(),
        "held by the audit"
    );
    let holds = holds(&shop.log()).unwrap().holds;
    assert_eq!(
        (holds[0].released_by.as_deref(), holds[1].released_at),
        (Some("jo"), None)
    );
}

#[test]
fn an_import_lifts_no_hold() {
    let shop = Shop::new();
    let writer = shop.writer();
    hold(&writer, "m", HoldScope::Everything, None, &jo()).unwrap();
    let mut event = NewEvent::json(HOLD_RELEASED, r#"{"matter":"m"}"#).unwrap();
    event.source.source = Some("elsewhere.jsonl".into());
    let stream = StreamId::new(HOLDS).unwrap();
    let append = StreamAppend {
        stream,
        category: None,
        expected: ExpectedVersion::Any,
        events: vec![event],
    };
    writer.append(vec![append]).unwrap();
    let holds = holds(&writer.log()).unwrap().holds;
    assert_eq!((holds.len(), holds[0].released_at), (1, None));
}

#[test]
fn every_scope_of_a_hold_holds() {
    for scope in [
        HoldScope::Subject("7".into()),
        HoldScope::Category("customer".into()),
        HoldScope::Everything,
        HoldScope::Positions(Position(1), Position(4)),
    ] {
        let shop = Shop::new();
        let writer = shop.writer();
        hold(&writer, "m", scope.clone(), None, &jo()).unwrap();
        writer.close().unwrap();
        let asked = shop.plan(of("7"));
        assert_eq!((asked.events.len(), asked.held.len()), (0, 3), "{scope}");
    }
}

#[test]
fn a_hold_that_names_the_subject_is_not_erased_while_it_is_in_force() {
    let shop = Shop::new();
    let writer = shop.writer();
    let placed = hold(&writer, "m", HoldScope::Subject("Bob".into()), None, &jo()).unwrap();
    writer.close().unwrap();
    let asked = shop.plan(EraseRequest {
        mentions: true,
        ..of("Bob")
    });
    assert!(
        asked
            .held
            .iter()
            .any(|held| held.position == placed.position),
        "{asked:?}"
    );
    assert_eq!(asked.events, []);
}

#[test]
fn a_retry_of_an_erased_event_does_not_bring_it_back() {
    let shop = Shop::new();
    shop.erase(&shop.plan(of("8")));
    let writer = shop.writer();
    let id = writer.log().event(Position(2)).unwrap().unwrap().id;
    let mut again = NewEvent::json(
        "Registered",
        r#"{"customerId":"8","name":"Bob","email":"bob@mail.example"}"#,
    )
    .unwrap();
    again.id = id;
    again.metadata = Some(Payload::json("{}").unwrap());
    let done = writer
        .append(vec![StreamAppend {
            stream: StreamId::new("customer-8").unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![again],
        }])
        .unwrap();
    assert!(done.events[0].duplicate);
    assert!(
        writer
            .log()
            .event(Position(2))
            .unwrap()
            .unwrap()
            .data
            .is_none()
    );
}

#[test]
fn personal_tables_that_are_wrong_say_where() {
    for (table, says) in [
        ("[personal]\ndata = ['name']", "whose data"),
        ("[personal]\nsubject = 'data.id'", "names no field"),
        (
            "[personal]\nsubject = 'state.id'\ndata = ['a']",
            "reads the event alone",
        ),
        ("[personal]\nsubject = 'data.id'\ndata = 'a'", "is a list"),
        ("[personal]\nsubjct = 'data.id'", "unknown key"),
        ("personal = 1", "is a table"),
    ] {
        let error = Model::parse("m", &format!("category = 'm'\n{table}\n")).unwrap_err();
        assert!(error.message.contains(says), "{table}: {error}");
    }
    let model = Model::parse(
        "m",
        "category = 'm'\n[personal]\nsubject = 'data.id'\ndata = ['name']",
    )
    .unwrap();
    assert!(model.reference().inferred, "it folds as without a model");
}

#[test]
fn a_value_that_stays_in_an_event_of_somebody_else_is_told() {
    let shop = Shop::new();
    let writer = LogWriter::open(&shop.path(), Surroundings::system()).unwrap();
    let put = |stream: &str, data: &str| {
        let append = StreamAppend {
            stream: StreamId::new(stream).unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::json("Registered", data).unwrap()],
        };
        writer.append(vec![append]).unwrap().events[0].position
    };
    let other = put(
        "customer-8",
        r#"{"customerId":"8","name":"Bo","email":"ada@zyzzyva.example"}"#,
    );
    let note = put(
        "note-1",
        r#"{"text":"call Ada Zyzzyva (ada@zyzzyva.example)"}"#,
    );
    put("email-ada@zyzzyva.example", r#"{"n":1}"#);
    let request = EraseRequest {
        subject: "7".into(),
        ..EraseRequest::default()
    };
    let plan = plan(&writer.log(), &shop.models, &request, &mut |_| true).unwrap();
    let email = |values: &[StayingValue]| {
        let of = |value: &&StayingValue| value.field == "data.email";
        values.iter().find(of).cloned().unwrap()
    };
    let told = email(&plan.values_stay);
    assert_eq!((told.events, told.first), (3, other), "{told:?}");
    assert_eq!(
        told.places,
        [
            "Registered data.email",
            "Registered data.text",
            "name of a stream"
        ]
    );
    assert!(!told.masked.contains("zyzzyva"), "{told:?}");
    let name = plan.values_stay.iter().find(|v| v.field == "data.name");
    // The shop has a text that names her, too.
    let name = name.unwrap();
    assert!(name.first < note && name.events == 2, "{name:?}");

    let progress = IndexProgress::default();
    let done = erase(&writer, &plan, &jo(), None, &progress).unwrap();
    assert_eq!(email(&done.values_stay), told, "the result says it, too");
    // What was said to stay is there, and nothing else was said to.
    let log = writer.log();
    let stays = crate::privacy::subject(&log, &shop.models, "ada@zyzzyva.example", &mut |_| true);
    assert_eq!(stays.unwrap().events.len(), 3);
}

#[test]
fn a_hold_on_what_is_not_there_says_that_it_holds_nothing() {
    let shop = Shop::new();
    let writer = LogWriter::open(&shop.path(), Surroundings::system()).unwrap();
    let size = writer.log().head().unwrap().size;
    for (scope, wanted) in [
        (HoldScope::Stream("customer-7".into()), 2..=9),
        (HoldScope::Stream("customer-77".into()), 0..=0),
        (HoldScope::Stream(String::new()), 0..=0),
        (HoldScope::Category("customr".into()), 0..=0),
        (HoldScope::Positions(Position(1), Position(2)), 2..=2),
        (HoldScope::Positions(Position(900), Position(901)), 0..=0),
        (
            HoldScope::Positions(Position(0), Position(u64::MAX)),
            size.0..=99,
        ),
    ] {
        let placed = hold(&writer, "case 1", scope.clone(), None, &jo()).unwrap();
        let now = placed.holds_now.unwrap();
        assert!(wanted.contains(&now), "{scope}: {now}");
    }
}
