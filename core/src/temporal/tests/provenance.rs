//! Why and history, against the slow fold.

use super::*;
use crate::model::{Exact, FieldPath};

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn now() -> Moment {
    Moment::AsOf(AsOf::default())
}

fn declared(text: &str) -> ModelSet {
    let mut models = ModelSet::default();
    models.add(Model::parse("m", text).unwrap()).unwrap();
    models
}

fn asked(log: &TestLog, models: &ModelSet, name: &str, at: &str) -> WhyView {
    why(
        &log.log(),
        models,
        &stream(name),
        &path(at),
        &now(),
        CONTRIBUTIONS,
    )
    .unwrap()
}

/// Contributions as `path version delta-or-after`.
fn told(view: &WhyView) -> Vec<String> {
    view.contributions
        .iter()
        .map(|c| {
            let value = c.delta.as_ref().or(c.after.as_ref()).unwrap().get();
            let place = c.path.clone().unwrap_or_default();
            format!("{place} v{} {value}", c.version).trim().to_owned()
        })
        .collect()
}

fn spans(view: &HistoryView) -> Vec<String> {
    view.values
        .iter()
        .map(|span| {
            let value = span.value.as_ref().map_or("gone", |value| value.get());
            format!("v{}+{} {value}", span.version, span.confirmed)
        })
        .collect()
}

#[test]
fn the_balance_of_the_guide_is_five_contributions() {
    let (log, models) = (account(), models());
    let view = asked(&log, &models, "account-12345", "balance");
    assert_eq!(
        told(&view),
        [
            "v1 0.00",
            "v2 1000.00",
            "v3 -50.00",
            "v4 500.00",
            "v5 -202.17"
        ]
    );
    assert_eq!(view.sum.unwrap().get(), "1247.83");
    assert_eq!(
        (view.kind, view.operation.as_str()),
        (WhyKind::Number, "sub")
    );
    assert_eq!(view.expression.as_deref(), Some("data.amount"));
    assert_eq!(view.fields[0].path, "data.amount");
    assert_eq!(view.set_by.unwrap().version, Version(5));
    let early = why(
        &log.log(),
        &models,
        &stream("account-12345"),
        &path("balance"),
        &at("2024-01-10"),
        2,
    )
    .unwrap();
    assert_eq!(told(&early), ["v3 -50.00", "v4 500.00"]);
    let earlier = early.earlier.unwrap();
    assert_eq!(
        (
            earlier.count,
            earlier.sum.unwrap().get(),
            early.contributions_count
        ),
        (2, "1000.00", 4)
    );
    assert_eq!(early.sum.unwrap().get(), "1450.00");
}

#[test]
fn elements_are_followed_to_who_put_them_there() {
    let models = declared(
        "category = 'cart'\n[on.Added]\n'items.push' = 'data'\n[on.Removed]\n'items.remove' = 'item.sku == data.sku'\n\
         [on.Repriced]\n\"items[0].price\" = 'data.price'\n[on.Kept]\nitems = 'state.items.filter(|i| i.sku != data.sku)'\n",
    );
    let log = TestLog::new();
    log.told(
        "cart-1",
        &[
            ("Added", "2024-01-01", r#"{"sku":"a","price":1}"#),
            ("Added", "2024-01-02", r#"{"sku":"b","price":2}"#),
            ("Removed", "2024-01-03", r#"{"sku":"a"}"#),
            ("Added", "2024-01-04", r#"{"sku":"c","price":3}"#),
            ("Repriced", "2024-01-05", r#"{"price":9}"#),
            ("Added", "2024-01-06", r#"{"sku":"d","price":4}"#),
            ("Kept", "2024-01-07", r#"{"sku":"c"}"#),
        ],
    );
    let view = asked(&log, &models, "cart-1", "items");
    assert_eq!(
        told(&view),
        [
            r#"items[0] v2 {"sku":"b","price":2}"#,
            r#"items[1] v6 {"sku":"d","price":4}"#
        ]
    );
    assert_eq!(view.set_by.as_ref().unwrap().version, Version(7));
    assert_eq!(
        told(&asked(&log, &models, "cart-1", "items[1].sku")),
        ["v6 \"d\""]
    );
    assert_eq!(
        told(&asked(&log, &models, "cart-1", "items[0].sku")),
        ["v2 \"b\""]
    );
    let (items, cart) = (path("items"), stream("cart-1"));
    let past = history(&log.log(), &models, &cart, &items, &now(), 3, &mut |_| true).unwrap();
    assert_eq!((past.values_count, past.values.len()), (7, 3));
    for span in &past.values {
        let then = state(&log.log(), &models, &cart, &Moment::Version(span.version)).unwrap();
        let listed = &then.value().unwrap()["items"];
        assert_eq!(span.value.as_ref().unwrap().get(), listed.to_string());
    }
    let price = asked(&log, &models, "cart-1", "items[0].price");
    assert_eq!(told(&price), ["v5 9"]);
    assert_eq!(price.set_by.unwrap().before.unwrap().get(), "2");
}

#[test]
fn copies_through_whole_objects_and_confirmations_are_told_apart() {
    let log = TestLog::new();
    log.told(
        "user-1",
        &[
            (
                "Created",
                "2024-01-01",
                r#"{"name":"John","address":{"city":"A","zip":"1"}}"#,
            ),
            (
                "Moved",
                "2024-01-02",
                r#"{"name":"John","address":{"city":"B","zip":"1"}}"#,
            ),
            (
                "Saved",
                "2024-01-03",
                r#"{"name":"John","address":{"city":"B","zip":"1"}}"#,
            ),
            (
                "EmailChanged",
                "2024-01-04",
                r#"{"old":null,"new":"j@x","changedBy":"eve","reason":"asked"}"#,
            ),
        ],
    );
    let models = ModelSet::default();
    let name = asked(&log, &models, "user-1", "name");
    assert_eq!(
        (told(&name), name.confirmed),
        (vec!["v1 \"John\"".to_owned()], 2)
    );
    assert_eq!(name.last_confirmed, Some(Version(3)));
    let city = asked(&log, &models, "user-1", "address.city");
    assert_eq!(
        (told(&city), city.confirmed),
        (vec!["v2 \"B\"".to_owned()], 1)
    );
    assert_eq!(city.fields[0].path, "data.address");
    let address = asked(&log, &models, "user-1", "address");
    assert_eq!(
        told(&address),
        ["address.zip v1 \"1\"", "address.city v2 \"B\""]
    );
    let email = asked(&log, &models, "user-1", "email");
    assert!(email.model.inferred && email.expression.is_none());
    assert_eq!(email.fields[0].path, "data.new");
    let set_by = email.set_by.unwrap();
    let who = set_by.who.unwrap();
    assert_eq!(
        (who.value.as_str(), who.from.as_deref()),
        ("eve", Some("data.changedBy"))
    );
    assert_eq!(set_by.why.unwrap().from.as_deref(), Some("data.reason"));
    let whole = asked(&log, &models, "user-1", "");
    assert_eq!(whole.kind, WhyKind::Object);
    assert_eq!(
        told(&whole),
        [
            "name v1 \"John\"",
            r#"address v2 {"city":"B","zip":"1"}"#,
            "email v4 \"j@x\""
        ]
    );
    let history = history(
        &log.log(),
        &models,
        &stream("user-1"),
        &path("address.city"),
        &now(),
        VALUES,
        &mut |_| true,
    )
    .unwrap();
    assert_eq!(spans(&history), ["v1+0 \"A\"", "v2+1 \"B\""]);
}

#[test]
fn what_was_taken_away_what_never_was_and_before_the_first_event() {
    let models = declared(
        "category = 'cart'\n[who]\nactor = 'data.clerk'\nreason = \"'because of ' + data.cause\"\n\
         [on.Given]\ncoupon.code = 'data.code'\ncoupon.of = 'data.of'\n[on.Taken]\n'coupon.code.unset' = 'true'\n",
    );
    let log = TestLog::new();
    log.told(
        "cart-1",
        &[
            ("Given", "2024-01-01", r#"{"code":"X","of":2}"#),
            ("Taken", "2024-01-02", r#"{"clerk":"mia","cause":"fraud"}"#),
        ],
    );
    let gone = asked(&log, &models, "cart-1", "coupon.code");
    assert_eq!(
        (gone.kind, gone.operation.as_str()),
        (WhyKind::Gone, "unset")
    );
    assert!(gone.value.is_none() && gone.contributions.is_empty());
    let set_by = gone.set_by.unwrap();
    assert_eq!(
        (set_by.version, set_by.before.unwrap().get()),
        (Version(2), "\"X\"")
    );
    assert_eq!(set_by.who.unwrap().value, "mia");
    assert_eq!(set_by.why.unwrap().value, "because of fraud");
    let name = stream("cart-1");
    let error = why(&log.log(), &models, &name, &path("coupon.Of"), &now(), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the state of cart-1 at version 2 has no coupon.Of; near it are coupon.of, coupon"
    );
    let none = why(&log.log(), &models, &name, &path("x"), &at("2023-01-01"), 1).unwrap();
    assert_eq!((none.kind, none.events_folded), (WhyKind::Nothing, 0));
    let history = history(
        &log.log(),
        &models,
        &name,
        &path("coupon.code"),
        &now(),
        VALUES,
        &mut |_| true,
    )
    .unwrap();
    assert_eq!(spans(&history), ["v1+0 \"X\"", "v2+0 gone"]);
    assert_eq!(
        history.values[1].reason.as_deref(),
        Some("because of fraud")
    );
}

#[test]
fn a_counter_that_an_expression_keeps_is_a_sum_too() {
    let models = declared(
        "category = 'c'\n[on.A]\nn = \"get(state, 'n', 0) + data.by\"\nby.put = \"[data.k, get(state, 'by.x', 0) + 1]\"\n[on.B]\nn = 'data.n'\n",
    );
    let log = TestLog::new();
    log.told(
        "c-1",
        &[
            ("A", "2024-01-01", r#"{"by":5,"k":"x"}"#),
            ("B", "2024-01-02", r#"{"n":10}"#),
            ("A", "2024-01-03", r#"{"by":2,"k":"x"}"#),
            ("A", "2024-01-04", r#"{"by":1.5,"k":"y"}"#),
        ],
    );
    let view = asked(&log, &models, "c-1", "n");
    assert_eq!(told(&view), ["v2 10", "v3 2", "v4 1.5"]);
    assert!(view.contributions[0].sets && !view.contributions[1].sets);
    assert_eq!(view.contributions[0].before.as_ref().unwrap().get(), "5");
    assert_eq!(view.sum.unwrap().get(), "13.5");
    assert_eq!(told(&asked(&log, &models, "c-1", "by.x")), ["v1 1", "v3 1"]);
}

#[test]
fn a_history_of_events_out_of_order_goes_along_time() {
    let log = TestLog::new();
    log.told(
        "user-1",
        &[
            ("A", "2024-01-01", r#"{"x":1}"#),
            ("A", "2024-03-01", r#"{"x":2}"#),
            ("A", "2024-02-01", r#"{"x":3}"#),
            ("A", "2024-04-01", r#"{"x":3}"#),
        ],
    );
    let models = ModelSet::default();
    let history = history(
        &log.log(),
        &models,
        &stream("user-1"),
        &path("x"),
        &now(),
        VALUES,
        &mut |_| true,
    )
    .unwrap();
    // Version 3 wins over version 2 by version, also after 2 happened.
    assert_eq!(spans(&history), ["v1+0 1", "v3+1 3"]);
    assert_eq!(history.values[0].to, Some(time("2024-02-01")));
}

#[test]
fn a_limit_hides_nothing_where_a_sum_begins_anew() {
    let models = declared("category = 'c'\n[on.A]\nn.add = 'data.by'\n[on.Null]\nn = 'data.n'\n");
    let log = TestLog::new();
    log.told(
        "c-1",
        &[
            ("A", "2024-01-01", r#"{"by":5}"#),
            ("A", "2024-01-02", r#"{"by":6}"#),
            ("Null", "2024-01-03", r#"{"n":null}"#),
            ("A", "2024-01-04", r#"{"by":1}"#),
            ("A", "2024-01-05", r#"{"by":2}"#),
        ],
    );
    for limit in [1, 2, 3, 9] {
        let ask = why(
            &log.log(),
            &models,
            &stream("c-1"),
            &path("n"),
            &now(),
            limit,
        )
        .unwrap();
        let listed = ask.contributions.len() as u64;
        let earlier = ask.earlier.as_ref().map_or(0, |earlier| earlier.count);
        assert_eq!(listed, ask.contributions_count.min(limit as u64), "{ask:?}");
        assert_eq!(listed + earlier, ask.contributions_count);
        assert!(ask.contributions.iter().all(|c| !c.operation.is_empty()));
        assert_eq!(ask.sum.unwrap().get(), "3");
    }
}

fn tried(log: &TestLog, models: &ModelSet, name: &str, changes: &Changes) -> WhatIfView {
    what_if(&log.log(), models, &stream(name), &now(), changes).unwrap()
}

#[test]
fn without_an_event_the_rest_is_folded_all_the_same() {
    let (log, models) = (account(), models());
    let before = log.log().head().unwrap();
    let changes = Changes::default()
        .without(Position(3))
        .edit(Position(4), r#"{"amount":1.005}"#)
        .unwrap();
    let view = tried(&log, &models, "account-12345", &changes);
    assert_eq!(view.diff.from.state.get(), r#"{"balance":1247.83}"#);
    assert_eq!(view.diff.to.state.get(), r#"{"balance":798.835}"#);
    assert_eq!(view.diff.changes.len(), 1);
    assert_eq!((view.tried.len(), view.follow_on_count), (2, 0));
    assert!(view.tried[0].data.is_none() && view.tried[1].data.is_some());
    assert_eq!(view.diff.to.events_folded, 4);
    assert_eq!(log.log().head().unwrap(), before);
    let nowhere = Changes::default().without(Position(99));
    let error = what_if(
        &log.log(),
        &models,
        &stream("account-12345"),
        &now(),
        &nowhere,
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "position 99 is no event of account-12345 at that moment"
    );
    assert!(Changes::default().edit(Position(1), "{").is_err());
}

#[test]
fn what_fails_only_then_is_a_follow_on_finding() {
    let models = declared(
        "category = 'c'\n[on.Opened]\nlimit = 'data.limit'\n[on.Spent]\nleft = 'state.limit - data.n'\n",
    );
    let log = TestLog::new();
    log.told(
        "c-1",
        &[
            ("Opened", "2024-01-01", r#"{"limit":10}"#),
            ("Spent", "2024-01-02", r#"{"n":3}"#),
            ("Spent", "2024-01-03", r#"{"n":"x"}"#),
        ],
    );
    let view = tried(
        &log,
        &models,
        "c-1",
        &Changes::default().without(Position(1)),
    );
    assert_eq!(
        (view.follow_on_count, view.follow_on[0].place.version),
        (1, Some(Version(2)))
    );
    assert!(
        view.follow_on[0]
            .detail
            .contains("there is no field `limit`")
    );
    let mended = Changes::default().edit(Position(3), r#"{"n":4}"#).unwrap();
    let view = tried(&log, &models, "c-1", &mended);
    assert_eq!(view.mended, [Version(3)]);
    assert!(!view.diff.to.incomplete);
}

/// Every path in a state, the whole first.
fn paths_of(value: &Value, at: &FieldPath, into: &mut Vec<FieldPath>) {
    into.push(at.clone());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                paths_of(value, &at.then(crate::model::Step::Key(key.clone())), into);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                paths_of(value, &at.then(crate::model::Step::Index(n)), into);
            }
        }
        _ => {}
    }
}

fn exact(text: &str) -> Exact {
    Exact::read(text).unwrap()
}

/// That why and history say of every path of every state what the slow fold says.
fn prove(log: &Log, models: &ModelSet, name: &StreamId, about: &str) -> Result<(), TestCaseError> {
    let mut histories = std::collections::BTreeMap::new();
    for at in [Some(-1), Some(2), Some(5), None] {
        let moment = Moment::AsOf(AsOf {
            at: at.map(second),
            known: None,
        });
        let view = state(log, models, name, &moment).unwrap();
        let value = view.value().unwrap();
        let mut paths = Vec::new();
        paths_of(&value, &FieldPath::default(), &mut paths);
        for path in paths {
            let here = path.get(&value).unwrap();
            let told = why(log, models, name, &path, &moment, CONTRIBUTIONS).unwrap();
            if view.events_folded + view.events_failed == 0 {
                prop_assert_eq!(told.kind, WhyKind::Nothing);
                continue;
            }
            prop_assert_eq!(told.value.as_ref().unwrap().get(), here.to_string());
            match here {
                // Past 28 digits nothing is calculated.
                Value::Number(number) if Exact::read(number.as_str()).is_err() => {
                    prop_assert!(told.sum.is_none() && told.contributions.len() == 1);
                }
                Value::Number(number) => {
                    let mut sum = Exact::Int(0);
                    for c in &told.contributions {
                        sum = sum.add(exact(c.delta.as_ref().unwrap().get())).unwrap();
                    }
                    prop_assert_eq!(sum, exact(number.as_str()), "{} of {}", path, about);
                    prop_assert_eq!(exact(told.sum.unwrap().get()), sum);
                    // Without one of them the value is less by just that.
                    let last = told.set_by.as_ref().unwrap().version;
                    let mut added = told
                        .contributions
                        .iter()
                        .filter(|c| !c.sets && path.0.len() == 1);
                    if let Some(c) = added
                        .next()
                        .filter(|_| told.last_confirmed.is_none_or(|v| v < last))
                    {
                        let without = Changes::default().without(c.position);
                        let then = what_if(log, models, name, &moment, &without)
                            .unwrap()
                            .diff
                            .to;
                        // A later event may need what is left out now, and does nothing without it.
                        if then.events_failed == view.events_failed {
                            let then = then.value().unwrap();
                            let then = path.get(&then).unwrap().as_number().unwrap().clone();
                            prop_assert_eq!(
                                exact(then.as_str()),
                                sum.sub(exact(c.delta.as_ref().unwrap().get())).unwrap()
                            );
                        }
                    }
                }
                // Each member is given by one event, which left it with this value or one that changed inside.
                Value::Array(items) => {
                    let places: Vec<_> = told
                        .contributions
                        .iter()
                        .filter_map(|c| c.path.clone())
                        .collect();
                    let mut want: Vec<String> = (0..items.len())
                        .map(|n| path.then(crate::model::Step::Index(n)).to_string())
                        .collect();
                    let mut got = places.clone();
                    got.sort();
                    want.sort();
                    prop_assert_eq!(got, want, "{} of {}", path, about);
                    for c in &told.contributions {
                        let at: FieldPath = c.path.as_ref().unwrap().parse().unwrap();
                        let now = at.get(&value).unwrap();
                        if !now.is_object() {
                            prop_assert_eq!(
                                c.after.as_ref().unwrap().get(),
                                now.to_string(),
                                "{} of {}",
                                at,
                                about
                            );
                        }
                    }
                }
                Value::Object(fields) => {
                    prop_assert_eq!(
                        told.contributions.len(),
                        fields.len(),
                        "{} of {}",
                        path,
                        about
                    );
                    for c in &told.contributions {
                        let at: FieldPath = c.path.as_ref().unwrap().parse().unwrap();
                        prop_assert_eq!(
                            c.after.as_ref().unwrap().get(),
                            at.get(&value).unwrap().to_string()
                        );
                    }
                }
                _ => prop_assert_eq!(
                    told.contributions
                        .last()
                        .unwrap()
                        .after
                        .as_ref()
                        .unwrap()
                        .get(),
                    here.to_string()
                ),
            }
            let (past, _) = histories.entry(path.to_string()).or_insert_with(|| {
                let past = history(
                    log,
                    models,
                    name,
                    &path,
                    &Moment::AsOf(AsOf::default()),
                    usize::MAX,
                    &mut |_| true,
                );
                (past, ())
            });
            let past = past.as_ref().unwrap();
            let held = past
                .values
                .iter()
                .rev()
                .find(|span| at.is_none_or(|at| span.from <= second(at)));
            let held = held
                .and_then(|span| span.value.as_ref())
                .map(|v| json::parse_state(v.get()).unwrap());
            prop_assert_eq!(
                held.as_ref(),
                Some(here),
                "{} at {:?} of {}",
                path,
                at,
                about
            );
        }
    }
    Ok(())
}

/// Lines of handlers, some of which undo, replace or move what others made.
const LINES: [&str; 20] = [
    "total = 'data.n'",
    "'total.add' = 'data.n'",
    "'total.sub' = 'data.n'",
    "'total.set' = \"get(state, 'total', 0) + data.n\"",
    "'total.unset' = 'data.n == 3'",
    "'o.total.add' = 'data.n'",
    "o = 'data.o'",
    "'o.unset' = 'data.n > 7'",
    "'l.push' = 'data.n'",
    "'l.push.set' = 'data.n'",
    "l = 'data.l'",
    "'l.remove' = 'item == data.n'",
    "'l.set' = \"get(state, 'l', []).filter(|i| i != data.n)\"",
    "'l[0]' = 'data.n'",
    "'m.put' = '[data.k, data.n]'",
    "'m.x.add' = 'data.n'",
    "'m.remove' = 'data.k'",
    "'m.set' = \"get(state, 'm', data.o)\"",
    "'list.push' = 'data.o'",
    "'list[1].total' = 'data.n'",
];

/// Found by the property below: the list was set and an element taken from it by one event, and the list after
/// that was like the one before.
#[test]
fn a_list_that_one_event_sets_and_thins_out_is_made_of_that_event() {
    for lines in [[6, 10, 11], [6, 10, 8], [6, 12, 8], [6, 12, 11]] {
        let lines = lines.map(|line| LINES[line]).join("\n");
        let text = format!("category = 'm'\n[on.T0]\n{lines}\n");
        let test = TestLog::new();
        let data = |n: u8| format!(r#"{{"n":{n},"k":"x","o":{{"total":1}},"l":[1,{n},2]}}"#);
        let events = [2, 3, 0, 4].map(|n| ("T0", second(i64::from(n)), data(n)));
        test.add("m-1", &events);
        prove(&test.log(), &declared(&text), &stream("m-1"), &text).unwrap();
    }
}

/// Found by the property below: without the first event there is no `list[1]`, so the last one does nothing at all.
#[test]
fn an_event_that_needs_one_left_out_does_nothing_either() {
    let text = format!(
        "category = 'm'\n[on.T0]\n{}\n[on.T1]\n{}\n{}\n[on.T2]\n{}\n{}\n",
        LINES[0], LINES[1], LINES[18], LINES[1], LINES[19]
    );
    let test = TestLog::new();
    let data = |n: u8| format!(r#"{{"n":{n},"k":"x","o":{{"total":{n},"x":1.50}},"l":[1,{n},2]}}"#);
    test.add(
        "m-1",
        &[
            ("T1", second(0), data(0)),
            ("T1", second(0), data(0)),
            ("T2", second(0), data(1)),
        ],
    );
    prove(&test.log(), &declared(&text), &stream("m-1"), &text).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn contributions_add_up_and_histories_say_what_states_say(
        events in histories(),
        declared in any::<bool>(),
    ) {
        let test = TestLog::new();
        let name = if declared { "account-1" } else { "user-1" };
        let events: Vec<_> = events
            .into_iter()
            .enumerate()
            .map(|(n, (_, seconds, kind))| {
                let (event_type, data) = random_event(kind, n);
                (event_type, second(seconds), data)
            })
            .collect();
        test.add(name, &events);
        prove(&test.log(), &models(), &stream(name), &format!("{events:?}"))?;
    }

    #[test]
    fn of_any_model_contributions_add_up_and_histories_say_what_states_say(
        handlers in prop::collection::vec(prop::collection::btree_set(0..LINES.len(), 1..5), 3),
        events in prop::collection::vec((0usize..3, 0i64..7, 0u8..10), 1..20),
    ) {
        let mut text = "category = 'm'\n".to_owned();
        for (handler, lines) in handlers.iter().enumerate() {
            text += &format!("[on.T{handler}]\n");
            for line in lines {
                text += &format!("{}\n", LINES[*line]);
            }
        }
        let test = TestLog::new();
        let events: Vec<_> = events
            .into_iter()
            .map(|(event_type, seconds, n)| {
                let k = ["x", "y", "z"][usize::from(n % 3)];
                let data = format!(r#"{{"n":{n},"k":"{k}","o":{{"total":{n},"x":1.50}},"l":[1,{n},2]}}"#);
                (["T0", "T1", "T2"][event_type], second(seconds), data)
            })
            .collect();
        test.add("m-1", &events);
        prove(&test.log(), &declared(&text), &stream("m-1"), &format!("{text}{events:?}"))?;
    }
}
