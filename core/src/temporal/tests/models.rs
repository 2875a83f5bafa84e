//! Models with a time of their own, with upcasters; models tried before they are relied on.

use super::*;
use crate::id::Category;
use crate::model::FieldPath;

fn declared(text: &str) -> ModelSet {
    let mut models = ModelSet::default();
    models.add(Model::parse("m", text).unwrap()).unwrap();
    models
}

fn now() -> Moment {
    Moment::AsOf(AsOf::default())
}

/// The guide's user and its two schemas of an order; further payloads that are odd.
fn guide() -> (TestLog, Log) {
    let test = TestLog::new();
    test.told(
        "user-123",
        &[
            (
                "UserRegistered",
                "2024-01-01T10:00:00Z",
                r#"{"name":"John Smith","department":"Engineering"}"#,
            ),
            (
                "EmailChanged",
                "2024-01-15T14:30:00Z",
                r#"{"oldEmail":"john@oldcompany.com","newEmail":"john@newcompany.com"}"#,
            ),
            (
                "DepartmentChanged",
                "2024-01-15T14:35:00Z",
                r#"{"oldDepartment":"Engineering","newDepartment":"Marketing","effectiveDate":"2024-02-01"}"#,
            ),
        ],
    );
    let orders = [
        (
            Some("1"),
            r#"{"customerId":"cust-123","totalAmount":99.99}"#,
        ),
        (
            Some("2"),
            r#"{"customerId":"cust-123","totalAmount":99.99,"currency":"USD","taxAmount":8.99}"#,
        ),
        (None, r#"{"orderId":"order-123"}"#),
    ];
    for (n, (schema, data)) in orders.into_iter().enumerate() {
        let mut event = NewEvent::json("OrderPlaced", data).unwrap();
        event.time = Some(SourceTime::unwritten(time("2024-01-15")));
        event.schema_version = schema.map(str::to_owned);
        let append = StreamAppend {
            stream: stream(&format!("orderplaced-v{}", n + 1)),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        };
        test.writer.append(vec![append]).unwrap();
    }
    test.told(
        "odd-1",
        &[
            (
                "SRM: \"x\"",
                "2024-01-01",
                r#"{"when":1,"case":2,"a b":3,"add":4,"new":5,"":6}"#,
            ),
            ("No object", "2024-01-01", "[1]"),
            ("NameChanged", "2024-01-01", r#"{"old":1,"new":2,"by":"x"}"#),
        ],
    );
    let log = test.log();
    (test, log)
}

const EFFECTIVE: &str = "category = 'user'\nversion = '3'\ntime = 'data.effectiveDate'\n\
    [on.UserRegistered]\ndepartment = 'data.department'\n[on.DepartmentChanged]\ndepartment = 'data.newDepartment'\n";

#[test]
fn a_department_counts_from_its_effective_date() {
    let (_test, log) = guide();
    let (models, john) = (declared(EFFECTIVE), stream("user-123"));
    let department = |day: &str| {
        let view = state(&log, &models, &john, &at(day)).unwrap();
        let cached = StateCache::with_spacing(1);
        let again = cached.state(&log, &models, &john, &at(day)).unwrap();
        assert_eq!(again.state.get(), view.state.get());
        view.value().unwrap()["department"].clone()
    };
    assert_eq!(department("2024-01-20"), "Engineering");
    assert_eq!(department("2024-01-31"), "Engineering");
    assert_eq!(department("2024-02-01"), "Marketing");
    let both = diff(&log, &models, &john, &at("2024-01-20"), &at("2024-02-01")).unwrap();
    assert_eq!((both.changes.len(), both.to.version), (1, Version(3)));
    assert_eq!(both.to.model.time.as_deref(), Some("data.effectiveDate"));
    assert_eq!(both.to.model.version.as_deref(), Some("3"));
    let path: FieldPath = "department".parse().unwrap();
    let past = history(&log, &models, &john, &path, &now(), VALUES, &mut |_| true).unwrap();
    let from: Vec<Time> = past.values.iter().map(|span| span.from).collect();
    assert_eq!(from, [time("2024-01-01T10:00:00Z"), time("2024-02-01")]);
    let why = why(&log, &models, &john, &path, &now(), CONTRIBUTIONS).unwrap();
    assert_eq!(why.set_by.unwrap().counts_from, Some(time("2024-02-01")));
}

#[test]
fn a_models_own_time_orders_the_fold_and_says_what_it_cannot_read() {
    let models =
        declared("category = 'p'\ntime = 'data.from'\n[on.Set]\nx = 'data.x'\nn.add = '1'\n");
    let log = TestLog::new();
    log.told(
        "p-1",
        &[
            ("Set", "2024-01-01", r#"{"x":"late","from":"2024-05-01"}"#),
            ("Set", "2024-01-02", r#"{"x":"early","from":"2024-02-01"}"#),
            ("Set", "2024-01-03", r#"{"x":"soon"}"#),
            ("Set", "2024-01-04", r#"{"x":"odd","from":"whenever"}"#),
            ("Set", "2024-01-05", r#"{"x":"null","from":null}"#),
        ],
    );
    let view = |moment: &Moment| state(&log.log(), &models, &stream("p-1"), moment).unwrap();
    let whole = view(&now());
    assert_eq!(whole.state.get(), r#"{"x":"late","n":5}"#);
    assert_eq!((whole.version, whole.left_out_count), (Version(5), 0));
    let [bad] = &whole.findings[..] else {
        panic!("{:?}", whole.findings)
    };
    assert_eq!(
        (bad.kind, bad.place.version),
        (FindingKind::BadTime, Some(Version(4)))
    );
    let march = view(&at("2024-03-01"));
    assert_eq!(march.state.get(), r#"{"x":"early","n":4}"#);
    assert_eq!(
        (march.version, march.left_out.clone()),
        (Version(5), vec![Version(1)])
    );
    assert_eq!(
        view(&Moment::Version(Version(1))).state.get(),
        r#"{"x":"late","n":1}"#
    );
    assert_eq!(view(&at("2023-01-01")).state.get(), "null");
    // What is asked for by position is what was known.
    let known = Moment::AsOf(AsOf {
        at: None,
        known: Some(Position(2)),
    });
    assert_eq!(view(&known).state.get(), r#"{"x":"late","n":2}"#);
    let without = what_if(
        &log.log(),
        &models,
        &stream("p-1"),
        &now(),
        &Changes::default()
            .edit(Position(1), r#"{"x":"now","from":"2024-01-01"}"#)
            .unwrap(),
    );
    assert_eq!(
        without.unwrap().diff.to.state.get(),
        r#"{"x":"early","n":5}"#
    );
}

#[test]
fn the_guides_first_order_is_read_as_the_second_schema_and_says_what_is_assumed() {
    let (_test, log) = guide();
    let models = declared(
        "category = 'orderplaced'\n[upcast.OrderPlaced]\nfrom = 1\nto = 2\n\
         default = { currency = \"'USD'\", taxAmount = '0.00' }\n\
         [on.OrderPlaced]\ntotal = 'data.totalAmount + data.taxAmount'\ncurrency = 'data.currency'\n",
    );
    let first = state(&log, &models, &stream("orderplaced-v1"), &now()).unwrap();
    assert_eq!(first.state.get(), r#"{"total":99.99,"currency":"USD"}"#);
    let told: Vec<_> = first
        .findings
        .iter()
        .map(|f| (f.kind, f.place.path.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (FindingKind::Assumed, "data.currency"),
            (FindingKind::Assumed, "data.taxAmount")
        ]
    );
    let second = state(&log, &models, &stream("orderplaced-v2"), &now()).unwrap();
    assert_eq!(second.state.get(), r#"{"total":108.98,"currency":"USD"}"#);
    assert_eq!(second.findings, []);
    let ask = |name: &str| {
        let path = "currency".parse().unwrap();
        let view = why(&log, &models, &stream(name), &path, &now(), 1).unwrap();
        view.fields[0].assumed.clone()
    };
    assert_eq!(ask("orderplaced-v1").as_deref(), Some("upcast 1 -> 2"));
    assert_eq!(ask("orderplaced-v2"), None);
    // Recorded bytes stay what they are.
    let recorded = log
        .event(first.last_event.unwrap().position)
        .unwrap()
        .unwrap();
    assert!(
        !recorded
            .data
            .unwrap()
            .json_text()
            .unwrap()
            .contains("currency")
    );
}

#[test]
fn steps_rename_default_compute_and_remove_in_a_chain_also_for_the_inferred_fold() {
    let steps = "category = 'o'\n\
        [[upcast.Placed]]\nto = 1\nrename = { cust = 'customer.id' }\n\
        [[upcast.Placed]]\nfrom = 2\nto = 3\ncompute = { total = 'data.net + data.tax' }\nremove = ['net', 'tax']\n\
        [[upcast.Placed]]\nfrom = 1\nto = 2\ndefault = { tax = \"data.net * 0.1\" }\n";
    let log = TestLog::new();
    log.told(
        "o-1",
        &[("Placed", "2024-01-01", r#"{"cust":7,"net":10.0}"#)],
    );
    let inferred = state(&log.log(), &declared(steps), &stream("o-1"), &now()).unwrap();
    assert_eq!(
        inferred.state.get(),
        r#"{"customer":{"id":7},"total":11.00}"#
    );
    assert!(inferred.model.inferred && inferred.model.hash.is_some());
    let models = declared(&format!("{steps}[on.Placed]\nn = 'data.customer.id'\n"));
    let view = state(&log.log(), &models, &stream("o-1"), &now()).unwrap();
    assert_eq!(view.state.get(), r#"{"n":7}"#);
    let broken = declared(&steps.replace("data.net * 0.1", "data.net / 0"));
    let view = state(&log.log(), &broken, &stream("o-1"), &now()).unwrap();
    assert!(view.incomplete && view.findings[0].detail.contains("upcast 1 -> 2: "));
}

#[test]
fn a_rename_loses_no_recorded_value() {
    let folded = |rename: &str, data: &str| {
        let text = format!("category = 'o'\n[[upcast.A]]\nto = 1\nrename = {rename}\n");
        let log = TestLog::new();
        log.told("o-1", &[("A", "2024-01-01", data)]);
        state(&log.log(), &declared(&text), &stream("o-1"), &now()).unwrap()
    };
    let swapped = folded("{ a = 'b', b = 'a' }", r#"{"a":1,"b":2}"#);
    assert_eq!(swapped.state.get(), r#"{"b":1,"a":2}"#);
    let passed_on = folded("{ a = 'b', b = 'c' }", r#"{"a":1,"b":2}"#);
    assert_eq!(passed_on.state.get(), r#"{"b":1,"c":2}"#);
    for (rename, data) in [
        ("{ old = 'fresh' }", r#"{"old":1,"fresh":2}"#),
        ("{ a = 'fresh', b = 'fresh' }", r#"{"a":1,"b":2}"#),
    ] {
        let taken = folded(rename, data);
        assert_eq!(taken.state.get(), "{}");
        assert!(taken.incomplete && taken.events_failed == 1);
        let detail = &taken.findings[0].detail;
        assert!(
            detail.contains("to `fresh`: the payload has both"),
            "{detail}"
        );
    }
}

#[test]
fn steps_with_a_gap_a_circle_or_a_fork_are_errors_where_they_stand() {
    let error = |steps: &str| {
        let text = format!("category = 'o'\n{steps}[on.A]\nx = '1'\n");
        let error = Model::parse("o", &text).unwrap_err();
        format!("{}:{} {}", error.line, error.column, error.message)
    };
    let step = |from: u8, to: u8| format!("[[upcast.A]]\nfrom = {from}\nto = {to}\n");
    assert_eq!(
        error(&[step(1, 2), step(3, 4)].concat()),
        "7:1 upcast.A: the steps have a gap: one ends at \"2\" and one at \"4\", and no step leads from the one to the other"
    );
    assert_eq!(
        error(&[step(1, 2), step(2, 1)].concat()),
        "4:1 upcast.A: the steps go in a circle: \"1\" leads back to itself"
    );
    assert_eq!(
        error(&step(1, 1)),
        "4:1 upcast.A: the steps go in a circle: \"1\" leads back to itself"
    );
    assert_eq!(
        error(&[step(1, 2), step(1, 3)].concat()),
        "7:1 upcast.A: there are two steps from \"1\""
    );
    assert!(error("[upcast.A]\nfrom = 1\n").starts_with("2:9 the step of A does not say `to`"));
    assert!(error("[upcast.A]\nto = 1\nrenam = {}\n").starts_with("4:1 unknown key `renam`"));
    assert!(
        error("[upcast.A]\nto = 1\ndefault = { x = 'state.y' }\n")
            .contains("reads the event alone")
    );
    assert!(error("[upcast.A]\nto = true\n").contains("a version is a whole number or text"));
    assert!(error("time = 'state.x'\n").contains("`time` reads the event alone"));
}

#[test]
fn a_draft_loads_and_passes_its_own_check() {
    let (_test, log) = guide();
    for row in log.info().unwrap().categories {
        let category = Category::new(row.name.as_str()).unwrap();
        let text = draft(&log, &category, &mut |_| true).unwrap().unwrap();
        let view = check(&log, "draft", &text, &mut |_| true).unwrap();
        assert!(view.error.is_none() && !view.problems, "{text}\n{view:?}");
        assert_eq!((view.events, view.unused.len()), (row.events, 0));
        assert!(view.types.iter().all(|row| row.handled));
    }
    let nothing = Category::new("nothing").unwrap();
    assert!(draft(&log, &nothing, &mut |_| true).unwrap().is_none());
    assert!(draft(&log, &Category::new("user").unwrap(), &mut |_| false).is_err());
}

#[test]
fn a_draft_knows_fields_of_every_event_and_writes_odd_names_so_that_they_are_read() {
    let log = TestLog::new();
    let mut events = vec![("A", time("2024-01-01"), r#"{"id":1}"#.to_owned()); 60];
    events.push((
        "A",
        time("2024-01-02"),
        r#"{"id":1,"late":2,"a\bb":3,"c\u0001\f\"d\\":4}"#.to_owned(),
    ));
    log.add("odd-1", &events);
    log.told("odd-2", &[("B", "2024-01-01", r#"{"x\by\f\u007f":3}"#)]);
    let category = Category::new("odd").unwrap();
    let text = draft(&log.log(), &category, &mut |_| true)
        .unwrap()
        .unwrap();
    assert!(
        text.contains("# in 1 of 61 events:\n# late = \"data.late\""),
        "{text}"
    );
    assert!(text.contains("# in 1 of 61 events:\n# '[\"c"), "{text}");
    let mut models = ModelSet::default();
    models.add(Model::parse("m", &text).unwrap()).unwrap();
    let view = state(&log.log(), &models, &stream("odd-2"), &now()).unwrap();
    assert_eq!(view.state.get(), "{\"x\\by\\f\u{7f}\":3}");
    let checked = check(&log.log(), "draft", &text, &mut |_| true).unwrap();
    assert!(!checked.problems, "{text}\n{checked:?}");
}

#[test]
fn a_type_without_events_is_unused_once() {
    let text = "category = 'account'\n[on.A]\nx = '1'\n[on.B]\nx = '1'\n\
        [[upcast.A]]\nto = 1\nremove = ['y']\n";
    let view = check(&account().log(), "account", text, &mut |_| true).unwrap();
    assert_eq!(view.unused, ["A", "B"]);
}

#[test]
fn a_check_tells_every_fault_before_a_model_is_relied_on() {
    let log = account();
    let text =
        "category = 'account'\n[on.DepositMade]\nx = 'data.amount / 0'\n[on.Closed]\nx = '1'\n";
    let view = check(&log.log(), "account", text, &mut |_| true).unwrap();
    assert!(view.problems);
    assert_eq!((view.streams, view.events, view.failed), (1, 5, 2));
    assert_eq!(view.unused, ["Closed"]);
    let deposits = view
        .types
        .iter()
        .find(|row| row.event_type == "DepositMade")
        .unwrap();
    assert_eq!(
        (deposits.events, deposits.failed, deposits.handled),
        (2, 2, true)
    );
    let divided = view
        .findings
        .iter()
        .find(|f| f.kind == FindingKind::ExpressionFailed)
        .unwrap();
    assert_eq!(divided.place.version, Some(Version(2)));
    let broken = check(
        &log.log(),
        "account",
        "category = 'account'\n[on.A]\nx = ",
        &mut |_| true,
    )
    .unwrap();
    assert_eq!(broken.error.unwrap().line, 3);
    assert!(check(&log.log(), "account", text, &mut |_| false).is_err());
}

#[test]
fn shapes_tell_what_went_what_was_renamed_and_what_changed_its_kind() {
    let log = TestLog::new();
    log.told(
        "o-1",
        &[
            (
                "Placed",
                "2024-01-01",
                r#"{"id":1,"cust":"a","note":"x","at":{"lat":1}}"#,
            ),
            (
                "Placed",
                "2024-01-02",
                r#"{"id":"2","cust":"b","note":"y","at":{"lat":2},"extra":true}"#,
            ),
            (
                "Placed",
                "2024-01-03",
                r#"{"id":"3","customer":"c","at":{"lat":3}}"#,
            ),
            (
                "Placed",
                "2024-01-04",
                r#"{"id":"4","customer":"d","at":{"lat":4},"extra":null,"items":[{"a":1}]}"#,
            ),
            ("Placed", "2024-01-05", r"{}"),
        ],
    );
    let view = shapes(&log.log(), None, &mut |_| true).unwrap();
    let told: Vec<String> = view
        .findings
        .iter()
        .map(|f| format!("{:?} {}", f.kind, f.place.path.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "Retyped data.id",
            "Removed data.id",
            "Renamed data.cust",
            "Removed data.note",
            "Removed data.at",
            "Removed data.customer",
        ]
    );
    let fields: Vec<&str> = view.types[0].fields.iter().map(|f| &*f.path).collect();
    assert_eq!(
        fields,
        [
            "id",
            "cust",
            "note",
            "at",
            "at.lat",
            "extra",
            "customer",
            "items",
            "items[]",
            "items[].a"
        ]
    );
    let (_test, guide) = guide();
    let category = Category::new("orderplaced").unwrap();
    let view = shapes(&guide, Some(&category), &mut |_| true).unwrap();
    // From the first schema to the second, fields were added: that passes.
    let versions: Vec<_> = view.types[0]
        .versions
        .iter()
        .map(|row| row.schema_version.clone())
        .collect();
    assert_eq!(versions, [Some("1".to_owned()), Some("2".to_owned()), None]);
    let first_two = |path: &str| {
        view.findings
            .iter()
            .any(|f| f.place.path.as_deref() == Some(path))
    };
    assert!(!first_two("data.currency") && !first_two("data.taxAmount"));
}

#[test]
fn what_models_are_given_in_bad_faith_is_told() {
    let log = TestLog::new();
    log.told(
        "b-1",
        &[(
            "A",
            "2024-01-01",
            r#"{"n":1,"case":2,"big":12345678901234567890123456789012,"s":"x"}"#,
        )],
    );
    let say = |expression: &str| {
        let quoted = serde_json::to_string(expression).unwrap();
        let text = format!("category = 'b'\n[on.A]\nx = {quoted}\n");
        match preview(&log.log(), &text, &stream("b-1"), &now()).unwrap() {
            ModelPreviewView {
                error: Some(error), ..
            } => format!("{}:{} {}", error.line, error.column, error.message),
            ModelPreviewView {
                state: Some(state), ..
            } => match state.findings.first() {
                Some(finding) => finding.detail.clone(),
                None => state.state.get().to_owned(),
            },
            other => panic!("{other:?}"),
        }
    };
    for (expression, want) in [
        ("data.n / 0", "is divided by zero"),
        ("data.big * 2", "28 digits"),
        ("data.big", "12345678901234567890123456789012"),
        ("data.case", "3:11"),
        ("data['case']", r#"{"x":2}"#),
        ("data.nope", "there is no field `nope`"),
        ("data.s + 1", "has no meaning"),
        ("loop { }", "3:6"),
        ("(1..1000000000).map(|i| i)", ""),
        (
            "'x'.replace('x', data.s.replace('x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'))",
            "x",
        ),
    ] {
        let told = say(expression);
        assert!(told.contains(want), "{expression}: {told}");
    }
}
