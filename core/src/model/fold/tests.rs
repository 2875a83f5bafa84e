use super::*;
use crate::event::SourceFields;
use crate::id::{EventId, EventType, StreamId};
use crate::integrity::Hash;
use crate::model::Step;
use crate::position::{Position, Version};
use crate::time::{SourceTime, Time};

/// An event by hand, without a log.
fn event(version: u64, event_type: &str, data: &str) -> StreamEvent {
    let time = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
    let stream = StreamId::new("order-789").unwrap();
    StreamEvent {
        version: Version(version),
        qualifier: String::new(),
        event: Event {
            position: Position(version),
            category: Some(stream.default_category()),
            stream: Some(stream),
            version: Version(version),
            event_type: EventType::new(event_type).unwrap(),
            time: SourceTime::unwritten(time),
            recorded_at: time,
            id: Some(EventId::new(format!("evt-{version}")).unwrap()),
            actor: None,
            correlation: None,
            causation: None,
            schema_version: None,
            source: SourceFields::default(),
            data: Some(Payload {
                content_type: crate::event::JSON.into(),
                bytes: data.as_bytes().to_vec(),
            }),
            metadata: None,
            erased: Vec::new(),
            leaf: Hash([0; 32]),
        },
    }
}

fn order(handlers: &str) -> Arc<Model> {
    Arc::new(Model::parse("order", &format!("category = \"order\"\n{handlers}")).unwrap())
}

/// Folds events and returns the state after each, and the findings.
fn fold(
    model: &Arc<Model>,
    events: &[(&str, &str)],
) -> (Vec<String>, Vec<crate::finding::Finding>) {
    let mut fold = Fold::new(Arc::clone(model));
    let mut findings = Findings::default();
    let mut states = Vec::new();
    for (i, (event_type, data)) in events.iter().enumerate() {
        let before = fold.state().clone();
        fold.apply(&event(i as u64 + 1, event_type, data), &mut findings);
        // What the trail says was before is what was before.
        for touch in fold.last_touches() {
            if touch
                .path
                .0
                .last()
                .is_some_and(|last| matches!(last, Step::Key(_)))
            {
                assert_eq!(
                    touch.before.as_deref(),
                    touch.path.get(&before),
                    "{}",
                    touch.path
                );
                assert_eq!(touch.after.as_deref(), touch.path.get(fold.state()));
            }
        }
        let mut undone = fold.state().clone();
        fold.trail.clone().undo(&mut undone);
        let empty = Value::Object(Map::new());
        let real = if before.is_null() { &empty } else { &before };
        assert_eq!(undone.to_string(), real.to_string());
        states.push(fold.state().to_string());
    }
    (states, findings.into_vec())
}

#[test]
fn the_account_of_the_guide_has_its_balance_to_the_digit() {
    let model = order(
        "[on.AccountOpened]\nbalance = \"0.00\"\n[on.DepositMade]\n\"balance.add\" = \"data.amount\"\n\
         [on.WithdrawalMade]\n\"balance.sub\" = \"data.amount\"\n",
    );
    let (states, findings) = fold(
        &model,
        &[
            ("AccountOpened", r#"{"amount":0.00}"#),
            ("DepositMade", r#"{"amount":1000.00}"#),
            ("WithdrawalMade", r#"{"amount":50.00}"#),
            ("DepositMade", r#"{"amount":500.00}"#),
            ("WithdrawalMade", r#"{"amount":202.17}"#),
        ],
    );
    assert_eq!(
        states,
        ["0.00", "1000.00", "950.00", "1450.00", "1247.83"]
            .map(|b| format!(r#"{{"balance":{b}}}"#))
    );
    assert_eq!(findings, []);
}

#[test]
fn the_order_of_the_design_folds() {
    let model = order(
        r#"
[on.OrderPlaced]
status     = "'Placed'"
customerId = "data.customerId"
items      = "data.items"
total      = "data.totalAmount"

[on.ItemAdded]
"items.push" = "data"
"total.add"  = "data.price * data.quantity"

[on.OrderShipped]
status = "'Shipped'"
"#,
    );
    let (states, findings) = fold(
        &model,
        &[
            (
                "OrderPlaced",
                r#"{"customerId":"cust-456","items":[],"totalAmount":109.970}"#,
            ),
            (
                "ItemAdded",
                r#"{"price":1.10,"quantity":3,"big":12345678901234567890123,"e":1e2}"#,
            ),
            ("OrderShipped", "not even json"),
        ],
    );
    assert_eq!(
        states[2],
        r#"{"status":"Shipped","customerId":"cust-456","items":[{"price":1.10,"quantity":3,"big":12345678901234567890123,"e":1e2}],"total":113.270}"#
    );
    assert_eq!(findings, [], "a handler that reads no data needs none");
}

#[test]
fn every_operation_does_what_it_says() {
    let model = order(
        r##"
[on.Start]
tags = "['a', 'b', 'a']"
prices = "#{}"
lines = "[#{id: 1, n: 2}, #{id: 2, n: 3}]"
note = "'x'"
[on.Edit]
"tags.push" = "data.tag"
"prices.put" = "[data.sku, data.price]"
"address.city" = "data.city"
"lines[0].n.add" = "10"
"count.add" = "1"
[on.Drop]
"tags.remove" = "'a'"
"prices.remove" = "'s2'"
"lines.remove" = "item.id == data.id"
"note.unset" = "data.id == 2"
[on.Guarded]
when = "state.count > 1"
note = "'guarded'"
"##,
    );
    let (states, findings) = fold(
        &model,
        &[
            ("Start", "{}"),
            ("Guarded", "{}"),
            ("Edit", r#"{"tag":"c","sku":"s1","price":1.50,"city":"X"}"#),
            ("Edit", r#"{"tag":"a","sku":"s2","price":2,"city":"Y"}"#),
            ("Drop", r#"{"id":2}"#),
            ("Guarded", "{}"),
        ],
    );
    assert_eq!(
        states[5],
        r#"{"tags":["b","c"],"prices":{"s1":1.50},"lines":[{"id":1,"n":22}],"address":{"city":"Y"},"count":2,"note":"guarded"}"#
    );
    assert_eq!(
        findings.len(),
        1,
        "the guard failed while there was no count: {findings:?}"
    );
    assert_eq!(findings[0].kind, FindingKind::ExpressionFailed);
}

#[test]
fn a_handler_that_fails_leaves_no_trace_and_a_finding() {
    let model = order(
        "[on.A]\nx = \"1\"\nlist = \"[1]\"\ndeep.a = \"1\"\n[on.B]\n\"x.add\" = \"1\"\n\"list.push\" = \"2\"\ndeep.b = \"2\"\n\"list.put\" = \"[1, 2]\"\n",
    );
    let (states, findings) = fold(
        &model,
        &[("A", "{}"), ("B", "{}"), ("C", "{}"), ("C", "{}")],
    );
    assert_eq!(states[1], states[0]);
    assert_eq!(states[3], r#"{"x":1,"list":[1],"deep":{"a":1}}"#);
    let [failed, none] = &findings[..] else {
        panic!("{findings:?}")
    };
    assert_eq!(
        failed.detail,
        "B: list: put [1, 2]: `list` is a list, only into an object can be put"
    );
    assert_eq!(
        failed.place,
        Place {
            stream: Some("order-789".into()),
            version: Some(Version(2)),
            position: Some(Position(2)),
            path: Some("list".into()),
            ..Place::default()
        }
    );
    assert_eq!(
        (none.kind, none.count, none.severity),
        (FindingKind::NoHandler, 2, Severity::Notice)
    );
}

#[test]
fn expressions_of_a_handler_see_the_state_before_the_event() {
    let model =
        order("[on.A]\na = \"1\"\nb = \"2\"\n[on.Swap]\na = \"state.b\"\nb = \"state.a\"\n");
    let (states, _) = fold(&model, &[("A", "{}"), ("Swap", "{}")]);
    assert_eq!(states[1], r#"{"a":2,"b":1}"#);
}

#[test]
fn numbers_that_do_not_fit_are_findings_where_they_are_needed() {
    let model = order("[on.A]\ntotal.add = \"data.n\"\nid = \"data.n\"\n[on.B]\nid = \"data.n\"\n");
    let n = r#"{"n":123456789012345678901234567890}"#;
    let (states, findings) = fold(&model, &[("A", n), ("B", n)]);
    assert_eq!(states, ["{}", r#"{"id":123456789012345678901234567890}"#]);
    assert_eq!(
        (findings.len(), findings[0].kind),
        (1, FindingKind::NumberTooLarge)
    );
}

#[test]
fn payloads_that_cannot_be_read_are_findings() {
    let inferred = Arc::new(Model::inferred());
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let (states, findings) = fold(
        &inferred,
        &[("A", r#"{"a":1,"a":2}"#), ("A", "{"), ("A", &deep)],
    );
    assert_eq!(states[2], r#"{"a":2}"#);
    let kinds: Vec<_> = findings.iter().map(|f| (f.kind, f.count)).collect();
    assert_eq!(
        kinds,
        [
            (FindingKind::DuplicateKey, 1),
            (FindingKind::NotJson, 1),
            (FindingKind::NotJson, 1)
        ]
    );

    let mut gone = event(1, "A", "{}");
    gone.event.data = None;
    gone.event.erased = vec![Part::Data];
    let mut fold = Fold::new(inferred);
    let mut findings = Findings::default();
    fold.apply(&gone, &mut findings);
    assert!(fold.incomplete());
    assert_eq!(findings.count(FindingKind::Erased), 1);
}

#[test]
fn trace_attributes_stand_under_case() {
    let mut first = event(1, "register", r#"{"org:resource":"Pete"}"#);
    first.event.metadata = Some(Payload::json(r#"{"case":{"concept:name":"3"}}"#).unwrap());
    let mut fold = Fold::new(Arc::new(Model::inferred()));
    fold.apply(&first, &mut Findings::default());
    assert_eq!(
        fold.state().to_string(),
        r#"{"case":{"concept:name":"3"},"org:resource":"Pete"}"#
    );
}

#[test]
fn a_state_cannot_explode() {
    let model = order(
        "[on.A]\na.push = \"1\"\n[on.B]\n\"a.push\" = \"state\"\n[on.C]\na = \"#{a: state}\"\n",
    );
    let bursts: Vec<_> = std::iter::once(("A", "{}"))
        .chain(std::iter::repeat_n(("B", "{}"), 22))
        .collect();
    let mut fold = Fold::new(Arc::clone(&model));
    let mut findings = Findings::default();
    for (i, (event_type, data)) in bursts.iter().enumerate() {
        fold.apply(&event(i as u64 + 1, event_type, data), &mut findings);
    }
    assert!(findings.count(FindingKind::ExpressionFailed) > 0);
    let mut fold = Fold::new(model);
    let mut findings = Findings::default();
    for i in 0..500 {
        fold.apply(&event(i + 1, "C", "{}"), &mut findings);
    }
    assert!(findings.count(FindingKind::ExpressionFailed) > 300);
    assert!(serde_json::from_str::<Value>(&fold.state().to_string()).is_ok());
}

#[test]
fn the_event_itself_can_be_read() {
    let model = order(
        "[on.A]\nlast = \"[event.id, event.type, event.time, event.version, event.position, event.actor, meta]\"\n",
    );
    let (states, _) = fold(&model, &[("A", "{}")]);
    assert_eq!(
        states[0],
        r#"{"last":["evt-1","A","2024-01-15T10:30:00Z",1,1,null,{}]}"#
    );
}
