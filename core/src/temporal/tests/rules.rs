//! Rules over history.

use super::*;

const ORDER: &str = r#"
category = "order"

[on.OrderPlaced]
status = "'Placed'"
total  = "data.total"

[on.OrderShipped]
status = "'Shipped'"

[[rules]]
name    = "no-change-after-shipped"
on      = "ItemAdded"
require = "state.status != 'Shipped'"
message = "Too late."

[[rules]]
name    = "positive"
require = "!has(data, 'total') || data.total > 0"
"#;

fn models(text: &str) -> ModelSet {
    let mut models = ModelSet::default();
    models.add(Model::parse("order", text).unwrap()).unwrap();
    models
}

fn log() -> (TestLog, Log) {
    let test = TestLog::new();
    let at = |day: u32| time(&format!("2024-01-{day:02}"));
    let placed = |total: &str| ("OrderPlaced", at(1), format!(r#"{{"total":{total}}}"#));
    let plain = |event_type: &'static str, day| (event_type, at(day), "{}".to_owned());
    let shipped = plain("OrderShipped", 3);
    let added = plain("ItemAdded", 4);
    test.add(
        "order-1",
        &[placed("5"), plain("ItemAdded", 2), shipped, added],
    );
    test.add("order-2", &[placed("0"), plain("ItemAdded", 2)]);
    // Nothing says what its status is.
    test.add("order-3", &[plain("ItemAdded", 2)]);
    test.add("other-1", &[placed("-1")]);
    let log = test.writer.log();
    (test, log)
}

#[test]
fn a_violation_names_the_rule_what_it_saw_and_the_event_that_made_it_so() {
    let (_test, log) = log();
    let view = check_rules(&log, &models(ORDER), None, 10, &mut |_| true).unwrap();
    let told: Vec<(&str, u64, &str)> = view
        .violations
        .iter()
        .map(|v| (v.rule.as_str(), v.event.position.0, v.stream.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("no-change-after-shipped", 4, "order-1"),
            ("positive", 5, "order-2")
        ]
    );
    let late = &view.violations[0];
    assert_eq!(late.message.as_deref(), Some("Too late."));
    let [status] = &late.looked_at[..] else {
        panic!("{late:?}");
    };
    assert_eq!(status.path, "status");
    assert_eq!(status.value.as_ref().unwrap().get(), r#""Shipped""#);
    assert_eq!(status.set_by.as_ref().unwrap().position, Position(3));
    assert_eq!((view.streams, view.events, view.known), (3, 7, Position(8)));
    let counts: Vec<(u64, u64, u64)> = view
        .rules
        .iter()
        .map(|rule| (rule.asked, rule.violations, rule.untold))
        .collect();
    assert_eq!(counts, [(4, 1, 1), (7, 1, 0)]);
}

#[test]
fn what_cannot_be_told_is_a_finding_with_its_place_and_no_kept_rule() {
    let (_test, log) = log();
    let name = Some("no-change-after-shipped");
    let view = check_rules(&log, &models(ORDER), name, 10, &mut |_| true).unwrap();
    assert_eq!(view.rules.len(), 1);
    let [untold] = &view.findings[..] else {
        panic!("{:?}", view.findings);
    };
    assert_eq!(untold.kind, FindingKind::ExpressionFailed);
    assert_eq!(untold.severity, Severity::Warning);
    assert_eq!(untold.place.position, Some(Position(7)));
    assert!(
        untold.detail.contains("no-change-after-shipped"),
        "{untold:?}"
    );
    assert!(view.problems);
}

#[test]
fn the_first_violations_by_position_are_listed_whatever_the_order_of_streams() {
    let (_test, log) = log();
    let view = check_rules(&log, &models(ORDER), None, 1, &mut |_| true).unwrap();
    assert_eq!(view.violations_count, 2);
    assert_eq!(view.violations[0].event.position, Position(4));
    assert_eq!(view.violations.len(), 1);
    let stopped = check_rules(&log, &models(ORDER), None, 1, &mut |_| false);
    assert!(matches!(
        stopped,
        Err(TemporalError::Read(ReadError::Cancelled))
    ));
}

#[test]
fn a_rule_that_is_none_is_refused_with_line_and_column() {
    let model = |rule: &str| format!("category = 'order'\n[[rules]]\n{rule}");
    for (rule, line, says) in [
        ("name = 'a'", 2, "rule a requires nothing"),
        ("require = 'true'", 2, "a rule needs a name"),
        (
            "name = 'a'\nrequire = 'sta.x'",
            4,
            "there is no variable `sta`",
        ),
        (
            "name = 'a'\nrequire = 'item > 0'",
            4,
            "`require` reads state",
        ),
        (
            "name = 'a'\nrequire = 'true'\nif = 'x'",
            5,
            "unknown key `if`",
        ),
        (
            "name = 'a'\nrequire = 'true'\non = 7",
            5,
            "an event type is text",
        ),
        (
            "name = 'a'\nrequire = 'true'\n[[rules]]\nname = 'a'\nrequire = 'true'",
            5,
            "there is a rule a already",
        ),
    ] {
        let error = Model::parse("m", &model(rule)).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.contains(says), "{error}");
    }
    let error = Model::parse("m", "category = 'order'\nrules = 7").unwrap_err();
    assert!(error.message.contains("write [[rules]]"), "{error}");
}

#[test]
fn a_rule_about_a_state_with_a_hole_is_untold_and_accuses_nobody() {
    let test = TestLog::new();
    let at = |day: u32| time(&format!("2024-01-{day:02}"));
    // The total is not there, so the fold of the first event fails.
    let placed = ("OrderPlaced", at(1), "{}".to_owned());
    let shipped = ("OrderShipped", at(2), "{}".to_owned());
    let added = ("ItemAdded", at(3), "{}".to_owned());
    test.add("order-1", &[placed, shipped, added]);
    let log = test.writer.log();
    let view = check_rules(&log, &models(ORDER), None, 10, &mut |_| true).unwrap();
    let rule = &view.rules[0];
    assert_eq!((rule.asked, rule.violations, rule.untold), (1, 0, 1));
}
