//! The worlds against the account that was kept while they were made.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::*;
use crate::id::StreamId;
use crate::model::ModelSet;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::Log;
use crate::temporal::{self, AsOf, Moment};

fn made(world: World, events: u64, seed: u64, faults: bool) -> (tempfile::TempDir, Log, ModelSet) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("world.annals");
    let request = WorldRequest {
        world,
        events,
        seed,
        faults,
    };
    make_world(&store, &request, &WorkProgress::default()).unwrap();
    let (models, errors) = ModelSet::load(&store).unwrap();
    assert_eq!(errors, [], "the models of the {} are right", world.name());
    let log = Log::explore(&store).unwrap();
    (folder, log, models)
}

fn roots(world: World, events: u64, seed: u64) -> String {
    let (_folder, log, _) = made(world, events, seed, false);
    log.head().unwrap().root.to_string()
}

#[test]
fn the_same_request_makes_the_same_bytes_and_another_seed_others() {
    let all = |seed| World::ALL.map(|world| roots(world, 1_000, seed));
    assert_eq!(all(7), ROOTS);
    assert!(all(8).iter().zip(ROOTS).all(|(one, other)| one != other));
}

/// Roots of the worlds of 1,000 events and seed 7. They change only if the worlds do.
const ROOTS: [&str; 3] = [
    "2402358c2a04ff991db49f2389a94ed7c5f050e47207d9434018c10c891f7c3f",
    "2344403d00f455430aef616ff3c2fe06e21636c3390216e5dcff7fb2dbe630e0",
    "af285810bdcdef556332eab2b6616e83c7e067e5e6c19200b3cdfc6906cc1c31",
];

#[test]
fn every_event_of_the_guide_comes_up() {
    for (world, types) in [
        (
            World::Trading,
            "AccountOpened FundsDeposited OrderPlaced OrderExecuted OrderCancelled DividendReceived AccountClosed",
        ),
        (
            World::Clinic,
            "PatientRegistered AppointmentScheduled VitalSignsRecorded DiagnosisAdded TreatmentPrescribed \
             MedicationAdministered TestResultsReceived DischargeCompleted",
        ),
    ] {
        let (_folder, log, _) = made(world, 6_000, 1, false);
        let info = log.info().unwrap();
        let mut came: Vec<&str> = info.types.iter().map(|row| row.name.as_str()).collect();
        came.sort_unstable();
        let mut types: Vec<&str> = types.split_whitespace().collect();
        types.sort_unstable();
        assert_eq!(came, types, "{}", world.name());
    }
}

#[test]
fn counts_are_those_of_the_account() {
    for world in World::ALL {
        let (folder, log, _) = made(world, 3_000, 2, false);
        let known = known_answers(&folder.path().join("world.annals"))
            .unwrap()
            .unwrap();
        let info = log.info().unwrap();
        let types: BTreeMap<String, u64> = info
            .types
            .iter()
            .map(|row| (row.name.clone(), row.events))
            .collect();
        assert_eq!(types, known.types, "{}", world.name());
        for row in info.categories.iter().filter(|row| row.events > 0) {
            assert_eq!(row.streams, known.streams[&row.name], "{}", row.name);
        }
        assert!(known.values.len() > 100, "{} values", known.values.len());
    }
}

/// Numbers are compared as numbers: `10` is `10.00`.
fn same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| -> Option<rust_decimal::Decimal> {
        value.is_number().then(|| value.to_string().parse().ok())?
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[test]
fn states_and_their_reasons_are_those_of_the_account_now_and_then() {
    for world in World::ALL {
        let (folder, log, models) = made(world, 3_000, 3, false);
        let store = folder.path().join("world.annals");
        let known = known_answers(&store).unwrap().unwrap();
        let mut asked = 0;
        for KnownValue {
            stream,
            path,
            history,
        } in &known.values
        {
            let id = StreamId::new(stream.as_str()).unwrap();
            // In the middle, and at the end.
            for change in [&history[history.len() / 2], &history[history.len() - 1]] {
                let end = change.position == history[history.len() - 1].position;
                let as_of = AsOf {
                    at: None,
                    known: (!end).then_some(change.position),
                };
                let moment = Moment::AsOf(as_of);
                let view = temporal::state(&log, &models, &id, &moment).unwrap();
                assert!(!view.incomplete, "{stream}: {:?}", view.findings);
                let state: Value = serde_json::from_str(view.state.get()).unwrap();
                assert!(
                    same(&state[path.as_str()], &change.value),
                    "{stream} {path} at {}: {} is not {}",
                    change.position,
                    state[path.as_str()],
                    change.value
                );
                let place = path.parse().unwrap();
                let why = temporal::why(&log, &models, &id, &place, &moment, 1_000).unwrap();
                let set_by = why.set_by.map(|by| by.position);
                assert_eq!(set_by, Some(change.position), "{stream} {path}");
                asked += 1;
            }
        }
        assert!(asked > 200, "{asked} questions");
    }
}

#[test]
fn every_stream_folds_without_a_fault_through_the_models() {
    for world in World::ALL {
        let (_folder, log, models) = made(world, 4_000, 4, false);
        let page = log.streams(&Default::default(), usize::MAX - 1).unwrap();
        for row in page.streams {
            let id = StreamId::new(row.stream.as_str()).unwrap();
            let moment = Moment::AsOf(AsOf::default());
            let view = temporal::state(&log, &models, &id, &moment).unwrap();
            let faults = view
                .findings
                .iter()
                .filter(|finding| finding.severity > crate::finding::Severity::Notice);
            assert_eq!(faults.count(), 0, "{id}: {:?}", view.findings);
        }
        let _ = (
            shop::MODELS.len(),
            trading::MODELS.len(),
            clinic::MODELS.len(),
        );
    }
}

#[test]
fn any_number_of_events_is_made_exactly_even_none() {
    for world in World::ALL {
        for (events, faults) in [(0, false), (1, false), (37, true), (999, true)] {
            let (_folder, log, _) = made(world, events, 5, faults);
            assert_eq!(log.head().unwrap().size, Position(events));
        }
    }
}

#[test]
fn the_rules_of_the_models_hold_over_clean_worlds() {
    for world in World::ALL {
        let (_folder, log, models) = made(world, 5_000, 6, false);
        let view = temporal::check_rules(&log, &models, None, 10, &mut |_| true).unwrap();
        assert_eq!(view.violations_count, 0, "{:?}", view.violations);
        assert!(!view.problems, "{:?}", view.findings);
        let idle: Vec<&str> = view
            .rules
            .iter()
            .filter(|rule| rule.asked == 0)
            .map(|rule| rule.name.as_str())
            .collect();
        assert_eq!(idle, Vec::<&str>::new(), "rules of the {}", world.name());
    }
}

#[test]
fn the_rules_of_the_models_find_exactly_the_broken_rules_of_spoilt_worlds() {
    for (world, seed) in World::ALL
        .into_iter()
        .flat_map(|world| [(world, 1), (world, 2)])
    {
        let (folder, log, models) = made(world, 5_000, seed, true);
        let store = folder.path().join("world.annals");
        let faults = injected_faults(&store).unwrap().unwrap();
        let broken: Vec<(Position, String)> = faults
            .iter()
            .filter(|fault| fault.kind == FaultKind::BrokenRule)
            .map(|fault| (fault.position.unwrap(), fault.rule.clone().unwrap()))
            .collect();
        let view = temporal::check_rules(&log, &models, None, 1_000, &mut |_| true).unwrap();
        let found: Vec<(Position, String)> = view
            .violations
            .iter()
            .map(|violation| (violation.event.position, violation.rule.clone()))
            .collect();
        assert_eq!(found, broken, "{} {seed}", world.name());
        let rules: std::collections::BTreeSet<&String> = broken.iter().map(|(_, r)| r).collect();
        assert!(rules.len() >= 3, "{rules:?}");
        assert_eq!(view.violations_count, broken.len() as u64);
        for violation in &view.violations {
            for field in &violation.looked_at {
                let set_by = field.set_by.as_ref().map(|event| event.position);
                assert!(set_by < Some(violation.event.position), "{violation:?}");
            }
        }
    }
}

#[test]
fn the_list_of_faults_says_what_is_wrong_and_where() {
    for world in World::ALL {
        let (folder, log, _) = made(world, 5_000, 3, true);
        let store = folder.path().join("world.annals");
        assert_eq!(known_answers(&store).unwrap(), None);
        let faults = injected_faults(&store).unwrap().unwrap();
        let late = temporal::late(&log, None, 10_000, &mut |_| true).unwrap();
        let late: Vec<Position> = late.events.iter().map(|late| late.event.position).collect();
        let mut kinds: BTreeMap<FaultKind, u64> = BTreeMap::new();
        for fault in &faults {
            *kinds.entry(fault.kind).or_default() += 1;
            let Some(position) = fault.position else {
                assert_eq!(fault.kind, FaultKind::Gap, "{fault:?}");
                continue;
            };
            let event = log.event(position).unwrap().unwrap();
            let version: u64 = event
                .source
                .source_version
                .as_ref()
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(event.stream.as_ref().unwrap().as_str(), fault.stream);
            if fault.kind == FaultKind::Gap {
                assert!(version > fault.source_version, "{fault:?}");
                continue;
            }
            assert_eq!(event.event_type.as_str(), fault.event_type);
            assert_eq!(version, fault.source_version);
            match fault.kind {
                FaultKind::Duplicate => {
                    let first = event.source.source_id.unwrap();
                    let first = log.event_by_id(&crate::id::EventId::new(first).unwrap());
                    assert_eq!(first.unwrap().unwrap().data, event.data);
                }
                FaultKind::BackDated | FaultKind::Late => {
                    assert!(late.contains(&position), "{fault:?}");
                }
                FaultKind::MissingActor => assert_eq!(event.actor, None),
                FaultKind::Gap | FaultKind::BrokenRule => {}
            }
        }
        assert_eq!(kinds.len(), 6, "{}: {kinds:?}", world.name());
        // And nothing else is without an actor.
        let none = log.events(&Default::default(), 10_000).unwrap().events;
        let none = none.iter().filter(|event| event.actor.is_none()).count() as u64;
        assert_eq!(none, kinds[&FaultKind::MissingActor]);
    }
}

#[test]
fn a_restored_world_still_takes_commands() {
    use crate::store::{LogWriter, restore};
    let (folder, log, models) = made(World::Trading, 300, 1, false);
    let surroundings = crate::surroundings::Surroundings::system;
    for (name, to) in [("all.annals", None), ("then.annals", Some(Position(200)))] {
        let store = folder.path().join(name);
        restore(&log, to, &store, &WorkProgress::default()).unwrap();
        let writer = LogWriter::open(&store, surroundings()).unwrap();
        let deposit = json!({"accountId": "account-1", "amount": 5, "reference": "wire"});
        let context = crate::command::Context::new("cmd-1");
        let view = carry_out(
            &writer,
            &models,
            "DepositFunds",
            &deposit.to_string(),
            &context,
        );
        assert_eq!(view.unwrap().events.len(), 1, "{name}");
    }
}

#[test]
fn an_event_in_several_streams_counts_once_for_the_rules() {
    let (_folder, log, models) = made(World::Trading, 600, 1, false);
    let view = temporal::check_rules(&log, &models, None, 10, &mut |_| true).unwrap();
    // Every event of this world stands in an account or an order; many in both.
    assert_eq!(view.events, 600);
}

#[test]
fn the_models_say_whose_the_personal_data_of_a_world_is() {
    for (world, subject, types) in [
        (
            World::Shop,
            "cust-1",
            ["CustomerRegistered", "OrderPlaced"].as_slice(),
        ),
        (World::Trading, "account-1", &["AccountOpened"]),
        (
            World::Clinic,
            "patient-1",
            &["PatientRegistered", "DiagnosisAdded"],
        ),
    ] {
        let (_folder, log, models) = made(world, 2_000, 1, false);
        let view = crate::privacy::subject(&log, &models, subject, &mut |_| true).unwrap();
        let marked = |event: &&crate::privacy::SubjectEvent| {
            let how =
                |mention: &crate::privacy::Mention| mention.how == crate::privacy::How::Marked;
            event.theirs && event.mentions.iter().any(how)
        };
        let found: Vec<&str> = view
            .events
            .iter()
            .filter(marked)
            .map(|e| e.event_type.as_str())
            .collect();
        for event_type in types {
            assert!(found.contains(event_type), "{}: {found:?}", world.name());
        }
    }
}

#[test]
fn a_lost_dividend_is_made_up_for_so_that_no_later_order_lacks_it() {
    let (folder, log, _) = made(World::Trading, 5_000, 3, true);
    let store = folder.path().join("world.annals");
    let faults = injected_faults(&store).unwrap().unwrap();
    let lost: Vec<&Fault> = faults.iter().filter(|f| f.kind == FaultKind::Gap).collect();
    assert!(!lost.is_empty());
    for fault in lost {
        assert_eq!(fault.event_type, "DividendReceived");
        let event = log.event(fault.position.unwrap()).unwrap().unwrap();
        assert_eq!(event.event_type.as_str(), "FundsDeposited");
        let data: Value = serde_json::from_slice(&event.data.unwrap().bytes).unwrap();
        let reference = data["reference"].as_str().unwrap();
        assert!(reference.starts_with("instead of evt-"), "{reference}");
    }
}

#[test]
fn one_line_goes_out_of_an_order_that_holds_its_product_in_several() {
    let (folder, log, models) = made(World::Shop, 0, 1, false);
    drop(log);
    let store = folder.path().join("world.annals");
    let surroundings = crate::surroundings::Surroundings::system();
    let writer = crate::store::LogWriter::open(&store, surroundings).unwrap();
    let ask = |id: &str, name: &str, data: Value| {
        let context = crate::command::Context::new(id);
        let done = carry_out(&writer, &models, name, &data.to_string(), &context).unwrap();
        assert!(done.rejected.is_none(), "{:?}", done.rejected);
    };
    let home = json!({"street": "1 Main St", "city": "Anytown", "zipCode": "12345"});
    let line = |quantity: u64, cents| {
        let price = crate::command::Amount::cents(cents);
        json!({"productId": "prod-1", "quantity": quantity, "price": price})
    };
    let (dear, cheap) = (line(1, 950), line(2, 425));
    let customer = json!({"customerId": "cust-1", "name": "Ada", "email": "ada@mail.example", "address": home});
    ask("cmd-1", "RegisterCustomer", customer);
    let items = [&dear, &cheap, &cheap, &cheap];
    let order = json!({"orderId": "order-1", "customerId": "cust-1", "items": items, "shippingAddress": home});
    ask("cmd-2", "PlaceOrder", order);
    let stream = StreamId::new("order-1").unwrap();
    let left = |lines: &[&Value], total: &str| {
        let now = Moment::AsOf(AsOf::default());
        let state = temporal::state(&writer.log(), &models, &stream, &now).unwrap();
        let state: Value = serde_json::from_str(state.state.get()).unwrap();
        assert_eq!(state["items"], json!(lines));
        assert_eq!(state["total"].to_string(), total);
        assert_eq!(state["itemsTotal"].to_string(), total);
        let commands = crate::command::Commands::new(&writer);
        let (held, _) = commands
            .load::<crate::sample::shop::rules::Order>(&stream)
            .unwrap();
        assert_eq!(serde_json::to_value(&held.lines).unwrap(), json!(lines));
    };
    left(&items, "35.00");
    let remove = json!({"orderId": "order-1", "productId": "prod-1"});
    ask("cmd-3", "RemoveItem", remove.clone());
    left(&[&cheap, &cheap, &cheap], "25.50");
    ask("cmd-4", "RemoveItem", remove);
    left(&[&cheap, &cheap], "17.00");
}

mod whatever_is_asked {
    //! Whatever commands in whatever order, invariants hold, and the log gives the same aggregates as memory.

    use proptest::prelude::*;

    use super::*;
    use crate::command::{Amount, CommandError, Commands, Context, Memory};
    use crate::sample::clinic::rules::{INTERACTIONS, Patient};
    use crate::sample::shop::rules::{Address, Customer, Inventory, Line, Order};
    use crate::sample::trading::rules::{Account, Side};
    use crate::store::LogWriter;
    use crate::surroundings::Surroundings;
    use crate::time::Time;

    /// Has the commands carried out in memory and in a log, asks `check` after each, and compares at the end.
    fn carry_out<C: Carry + Clone>(
        commands: Vec<C>,
        check: impl Fn(&mut crate::command::Work<'_>) -> Result<(), CommandError>,
        same: impl Fn(&Memory, &Commands<'_>),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let now = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
        let store = folder.path().join("world.annals");
        let writer = LogWriter::create(&store, Surroundings::fixed(now, 1)).unwrap();
        let (memory, log) = (Memory::default(), Commands::new(&writer));
        // Memory knows of links into a stream from its first reading on.
        memory.transact(&check).unwrap();
        for (n, command) in commands.into_iter().enumerate() {
            let remembered = memory.transact(|work| command.clone().carry_out(work));
            let context = Context::new(format!("cmd-{n}"));
            let logged = log.transact(&context, |work| command.clone().carry_out(work));
            match (remembered, logged) {
                (Ok(remembered), Ok(logged)) => assert_eq!(remembered.len(), logged.events.len()),
                (Err(CommandError::Rejected(one)), Err(CommandError::Rejected(other))) => {
                    assert_eq!(one.rule, other.rule);
                }
                (one, other) => panic!("{one:?} but {other:?}"),
            }
            memory.transact(&check).unwrap();
        }
        same(&memory, &log);
    }

    fn id(name: &str, n: u64) -> StreamId {
        StreamId::new(format!("{name}-{n}")).unwrap()
    }

    fn same<A: crate::command::Aggregate + PartialEq + std::fmt::Debug>(
        memory: &Memory,
        log: &Commands<'_>,
        name: &str,
    ) {
        for n in 1..=3 {
            let (replayed, _) = log.load::<A>(&id(name, n)).unwrap();
            let mut remembered = A::default();
            memory
                .transact(|work| {
                    remembered.clone_from(work.read::<A>(&id(name, n))?);
                    Ok(())
                })
                .unwrap();
            assert_eq!(replayed, remembered, "{name}-{n}");
        }
    }

    fn shop_command() -> impl Strategy<Value = ShopCommand> {
        let home = || Address {
            street: "1 Main St".to_owned(),
            city: "Anytown".to_owned(),
            zip_code: "12345".to_owned(),
        };
        let customer = || (1u64..4).prop_map(|n| format!("cust-{n}"));
        let order = || (1u64..4).prop_map(|n| format!("order-{n}"));
        let product = || (1u64..3).prop_map(|n| format!("prod-{n}"));
        let email = || (1u64..4).prop_map(|n| format!("{n}@mail.example"));
        let text = || "because".to_owned();
        let line = || {
            (product(), 0u64..4, 0i64..300).prop_map(|(product_id, quantity, cents)| Line {
                product_id,
                quantity,
                price: Amount::cents(cents),
            })
        };
        prop_oneof![
            2 => (customer(), email()).prop_map(move |(customer_id, email)| {
                let name = "Ada".to_owned();
                ShopCommand::RegisterCustomer { customer_id, name, email, address: home() }
            }),
            1 => (customer(), email()).prop_map(|(customer_id, new_email)| {
                ShopCommand::ChangeEmail { customer_id, new_email }
            }),
            1 => customer().prop_map(move |customer_id| {
                ShopCommand::DeactivateCustomer { customer_id, reason: text() }
            }),
            4 => (order(), customer(), prop::collection::vec(line(), 0..3)).prop_map(
                move |(order_id, customer_id, items)| {
                    let shipping_address = home();
                    ShopCommand::PlaceOrder { order_id, customer_id, items, shipping_address }
                }
            ),
            1 => (order(), line()).prop_map(move |(order_id, line)| {
                let Line { product_id, quantity, price } = line;
                ShopCommand::AddItem { order_id, product_id, quantity, price, reason: text() }
            }),
            1 => (order(), product()).prop_map(move |(order_id, product_id)| {
                ShopCommand::RemoveItem { order_id, product_id, reason: text() }
            }),
            3 => order().prop_map(move |order_id| ShopCommand::PayOrder { order_id, method: text() }),
            1 => order().prop_map(move |order_id| {
                ShopCommand::RefundPayment { order_id, reason: text() }
            }),
            3 => order().prop_map(|order_id| ShopCommand::ReserveInventory { order_id }),
            1 => order().prop_map(move |order_id| {
                ShopCommand::ReleaseInventory { order_id, reason: text() }
            }),
            3 => order().prop_map(move |order_id| {
                let (tracking_number, carrier) = (text(), text());
                ShopCommand::ShipOrder { order_id, tracking_number, carrier }
            }),
            1 => order().prop_map(move |order_id| {
                ShopCommand::DeliverOrder { order_id, delivered_to: text() }
            }),
            1 => order().prop_map(move |order_id| {
                ShopCommand::CancelOrder { order_id, reason: text() }
            }),
            3 => (product(), 0u64..6).prop_map(move |(product_id, quantity)| {
                ShopCommand::ReceiveStock { product_id, quantity, supplier: text() }
            }),
            1 => (product(), -4i64..4).prop_map(move |(product_id, change)| {
                ShopCommand::AdjustStock { product_id, change, reason: text() }
            }),
            1 => (order(), product(), 0u8..7).prop_map(|(order_id, product_id, rating)| {
                ShopCommand::SubmitReview { order_id, product_id, rating }
            }),
        ]
    }

    fn trading_command() -> impl Strategy<Value = TradingCommand> {
        let account = || (1u64..4).prop_map(|n| format!("account-{n}"));
        let order = || (1u64..4).prop_map(|n| format!("order-{n}"));
        let symbol = || prop_oneof![Just("ACME".to_owned()), Just("BOLT".to_owned())];
        let side = || prop_oneof![Just(Side::Buy), Just(Side::Sell)];
        let cents = || (0i64..400).prop_map(Amount::cents);
        let text = || "because".to_owned();
        prop_oneof![
            2 => account().prop_map(move |account_id| {
                TradingCommand::OpenAccount { account_id, owner: text() }
            }),
            3 => (account(), (0i64..5_000).prop_map(Amount::cents)).prop_map(
                move |(account_id, amount)| {
                    TradingCommand::DepositFunds { account_id, amount, reference: text() }
                }
            ),
            5 => (order(), account(), symbol(), side(), 0u64..9, cents()).prop_map(
                |(order_id, account_id, symbol, side, quantity, limit)| {
                    TradingCommand::PlaceOrder { order_id, account_id, symbol, side, quantity, limit }
                }
            ),
            5 => (order(), 0u64..9, cents()).prop_map(|(order_id, quantity, price)| {
                TradingCommand::ExecuteOrder { order_id, quantity, price }
            }),
            1 => order().prop_map(move |order_id| {
                TradingCommand::CancelOrder { order_id, reason: text() }
            }),
            1 => (account(), symbol(), cents()).prop_map(|(account_id, symbol, per_share)| {
                TradingCommand::PayDividend { account_id, symbol, per_share }
            }),
            1 => account().prop_map(move |account_id| {
                TradingCommand::CloseAccount { account_id, reason: text() }
            }),
        ]
    }

    fn clinic_command() -> impl Strategy<Value = ClinicCommand> {
        let patient = || (1u64..4).prop_map(|n| format!("patient-{n}"));
        let drug = || prop_oneof![Just("warfarin"), Just("aspirin"), Just("metoprolol")];
        let rx = || (1u64..4).prop_map(|n| format!("rx-{n}"));
        let text = || "because".to_owned();
        prop_oneof![
            2 => (patient(), drug()).prop_map(move |(patient_id, drug)| {
                let allergies = vec![drug.to_owned()];
                ClinicCommand::RegisterPatient {
                    patient_id, name: text(), birth_date: text(), allergies,
                }
            }),
            3 => (patient(), 1u64..4).prop_map(move |(patient_id, at)| {
                let (doctor_id, at) = ("doctor-1".to_owned(), format!("{at} o'clock"));
                ClinicCommand::ScheduleAppointment { patient_id, doctor_id, at, reason: text() }
            }),
            2 => patient().prop_map(|patient_id| ClinicCommand::RecordVitalSigns {
                patient_id, systolic: 120, diastolic: 80, pulse: 60, temperature: Amount::cents(3660),
            }),
            3 => patient().prop_map(move |patient_id| {
                ClinicCommand::AddDiagnosis { patient_id, code: "I48".to_owned(), text: text() }
            }),
            4 => (patient(), rx(), drug(), 0u64..3).prop_map(
                |(patient_id, prescription_id, drug, doses)| {
                    let (drug, diagnosis) = (drug.to_owned(), "I48".to_owned());
                    ClinicCommand::PrescribeTreatment {
                        patient_id, prescription_id, diagnosis, drug, mg: 5, doses,
                    }
                }
            ),
            4 => (patient(), rx()).prop_map(|(patient_id, prescription_id)| {
                ClinicCommand::AdministerMedication { patient_id, prescription_id }
            }),
            2 => patient().prop_map(move |patient_id| {
                ClinicCommand::CompleteDischarge { patient_id, summary: text() }
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]

        #[test]
        fn of_the_shop(commands in prop::collection::vec(shop_command(), 1..80)) {
            carry_out(
                commands,
                |work| {
                    let mut emails = Vec::new();
                    for n in 1..=3 {
                        let customer = work.read::<Customer>(&id("customer", n))?;
                        assert!(!customer.gone || customer.open_orders == 0, "{customer:?}");
                        emails.push(customer.email.clone());
                        let order = work.read::<Order>(&id("order", n))?;
                        assert!(order.customer_id.is_empty() || order.total().is_positive());
                        assert!(!order.shipped || !order.cancelled && order.reserved, "{order:?}");
                        assert!(!order.delivered || order.shipped, "{order:?}");
                        let stock = work.read::<Inventory>(&id("inventory-prod", n))?;
                        let reserved: u64 = stock.reserved.values().sum();
                        assert!(reserved <= stock.on_hand, "{stock:?}");
                    }
                    emails.retain(|email| !email.is_empty());
                    let count = emails.len();
                    emails.sort();
                    emails.dedup();
                    assert_eq!(emails.len(), count, "an address belongs to one");
                    Ok(())
                },
                |memory, log| {
                    same::<Customer>(memory, log, "customer");
                    same::<Order>(memory, log, "order");
                    same::<Inventory>(memory, log, "inventory-prod");
                },
            );
        }

        #[test]
        fn of_the_broker(commands in prop::collection::vec(trading_command(), 1..80)) {
            carry_out(
                commands,
                |work| {
                    for n in 1..=3 {
                        let account = work.read::<Account>(&id("account", n))?;
                        assert!(account.free_cash() >= Amount::ZERO, "{account:?}");
                        for symbol in ["ACME", "BOLT"] {
                            let promised = account.promised.values().filter(|(of, _)| of == symbol);
                            let promised: u64 = promised.map(|(_, shares)| shares).sum();
                            let held = account.positions.get(symbol).copied().unwrap_or_default();
                            assert!(promised <= held, "{account:?}");
                        }
                        if account.closed {
                            assert_eq!(account.cash, Amount::cents(0));
                        }
                    }
                    Ok(())
                },
                |memory, log| same::<Account>(memory, log, "account"),
            );
        }

        #[test]
        fn of_the_clinic(commands in prop::collection::vec(clinic_command(), 1..80)) {
            carry_out(
                commands,
                |work| {
                    for n in 1..=3 {
                        let patient = work.read::<Patient>(&id("patient", n))?;
                        let active = patient.prescriptions.values().filter(|rx| rx.left > 0);
                        let active: Vec<&str> = active.map(|rx| rx.drug.as_str()).collect();
                        for (a, b) in INTERACTIONS {
                            assert!(!(active.contains(&a) && active.contains(&b)), "{patient:?}");
                        }
                        for allergy in &patient.allergies {
                            assert!(!active.contains(&allergy.as_str()), "{patient:?}");
                        }
                        assert!(patient.in_care || active.is_empty(), "{patient:?}");
                    }
                    Ok(())
                },
                |memory, log| same::<Patient>(memory, log, "patient"),
            );
        }
    }
}
