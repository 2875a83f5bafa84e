use super::*;
use crate::model::ModelSet;
use crate::position::Version;
use crate::store::{Direction, Log};
use crate::temporal::{self, AsOf, Moment};

/// Root of the guide sample's tree. It changes only if the events, their times or the leaf format change.
const ROOT: &str = "1b9ea74cadea6f0f332030afeca436748c767664bfa6dc93742f7f74f6849f74";

fn made() -> (tempfile::TempDir, Log, ModelSet) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("guide.annals");
    guide(&store).unwrap();
    let (models, errors) = ModelSet::load(&store).unwrap();
    assert_eq!(errors, [], "the sample's models are right");
    (folder, Log::explore(&store).unwrap(), models)
}

fn state(log: &Log, models: &ModelSet, stream: &str, moment: Moment) -> String {
    let view = temporal::state(log, models, &StreamId::new(stream).unwrap(), &moment).unwrap();
    assert!(
        !view.incomplete,
        "{stream} at {moment:?}: {:?}",
        view.findings
    );
    assert_eq!(view.findings, [], "{stream} at {moment:?}");
    view.state.get().to_owned()
}

fn at(text: &str) -> Moment {
    Moment::AsOf(AsOf {
        at: Some(Time::parse_rfc3339(text).unwrap()),
        known: None,
    })
}

#[test]
fn the_same_bytes_come_out_every_time() {
    let (_one, one, _) = made();
    let (_two, two, _) = made();
    assert_eq!(one.head().unwrap(), two.head().unwrap());
    assert_eq!(one.head().unwrap().root.to_string(), ROOT);
}

#[test]
fn the_account_has_the_guides_balance_after_each_event() {
    let (_folder, log, models) = made();
    let after = |n| state(&log, &models, "account-12345", Moment::Version(Version(n)));
    assert_eq!(after(0), "null");
    for (n, balance) in ["0.00", "1000.00", "950.00", "1450.00", "1247.83"]
        .iter()
        .enumerate()
    {
        assert_eq!(after(n as u64 + 1), format!(r#"{{"balance":{balance}}}"#));
    }
}

#[test]
fn the_account_has_two_balances_on_january_10th() {
    let (_folder, log, models) = made();
    let balance = |time| state(&log, &models, "account-12345", at(time));
    assert_eq!(
        balance("2024-01-09T23:59:59.999999999Z"),
        r#"{"balance":950.00}"#
    );
    assert_eq!(
        balance("2024-01-10T23:59:59.999999999Z"),
        r#"{"balance":1450.00}"#
    );
}

#[test]
fn user_123_is_as_the_guide_tells_before_and_after_each_event() {
    let (_folder, log, models) = made();
    let after = |n| state(&log, &models, "user-123", Moment::Version(Version(n)));
    assert_eq!(after(0), "null");
    assert_eq!(
        after(1),
        r#"{"name":"John Smith","email":"john@oldcompany.com","department":"Engineering"}"#
    );
    assert_eq!(
        after(2),
        r#"{"name":"John Smith","email":"john@newcompany.com","department":"Engineering"}"#
    );
    assert_eq!(
        after(3),
        r#"{"name":"John Smith","email":"john@newcompany.com","department":"Marketing","departmentEffectiveFrom":"2024-02-01"}"#
    );
    assert_eq!(
        state(&log, &models, "user-123", at("2024-01-15T14:29:59Z")),
        after(1)
    );
}

#[test]
fn the_overviews_user_1_is_created_then_changed_twice() {
    let (_folder, log, models) = made();
    let after = |n| state(&log, &models, "user-1", Moment::Version(Version(n)));
    assert_eq!(after(1), r#"{"name":"Jane","email":"jane@"}"#);
    assert_eq!(after(2), r#"{"name":"Jane","email":"j@new"}"#);
    assert_eq!(after(3), r#"{"name":"John","email":"j@new"}"#);
}

#[test]
fn order_789_comes_to_the_guides_total_and_is_then_shipped() {
    let (_folder, log, models) = made();
    let placed = state(&log, &models, "order-789", Moment::Version(Version(1)));
    let placed: serde_json::Value = serde_json::from_str(&placed).unwrap();
    assert_eq!(placed["status"], "Placed");
    assert_eq!(placed["total"].to_string(), "109.97");
    assert_eq!(placed["itemsTotal"].to_string(), "109.97");
    let shipped = state(&log, &models, "order-789", Moment::Version(Version(2)));
    let shipped: serde_json::Value = serde_json::from_str(&shipped).unwrap();
    assert_eq!(shipped["status"], "Shipped");
    assert_eq!(shipped["trackingNumber"], "1Z999AA1234567890");
    assert_eq!(shipped["total"].to_string(), "109.97");
}

#[test]
fn every_stream_folds_without_a_fault() {
    let (_folder, log, models) = made();
    let page = log.streams(&Default::default(), 1000).unwrap();
    assert_eq!(page.streams.len(), 15);
    for row in page.streams {
        state(&log, &models, &row.stream, Moment::AsOf(AsOf::default()));
    }
}

#[test]
fn ids_texts_and_actors_are_the_guides() {
    let (_folder, log, _) = made();
    let event = |id| {
        log.event_by_id(&EventId::new(id).unwrap())
            .unwrap()
            .unwrap()
    };
    let placed = event("evt-12345");
    assert_eq!(placed.actor.unwrap().as_str(), "user-789");
    assert_eq!(placed.correlation.as_deref(), Some("corr-abc123"));
    assert_eq!(placed.causation.as_deref(), Some("cmd-def456"));
    assert_eq!(
        placed.source.source.as_deref(),
        Some("guide: Event Structure")
    );
    let moved = event("evt-003");
    assert_eq!(moved.actor.unwrap().as_str(), "hr@company.com");
    assert_eq!(moved.time.text.as_deref(), Some("2024-01-15T14:35:00Z"));
    let shipped = log
        .read_stream(
            &StreamId::new("order-789").unwrap(),
            Version(2)..=Version(2),
            Direction::Forwards,
            1,
        )
        .unwrap();
    assert_eq!(shipped[0].event.source.source_version.as_deref(), Some("5"));
}

#[test]
fn assumed_times_have_no_text_and_say_so() {
    for append in streams(EVENTS) {
        for event in append.events {
            let note = event
                .metadata
                .is_some_and(|m| m.json_text().unwrap().contains("\"note\""));
            let written = event.time.unwrap().text.is_some();
            assert_eq!(note, !written, "{} {}", append.stream, event.event_type);
        }
    }
}

#[test]
fn models_are_right() {
    for (name, text) in MODELS {
        if let Err(error) = crate::model::Model::parse(name, text) {
            panic!("{error}");
        }
    }
}
