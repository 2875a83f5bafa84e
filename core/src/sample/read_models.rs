//! The guide's read models: their definitions, and events made so that the two that the guide prints come out word for
//! word.
//!
//! The guide's average order value is its arithmetic slip: it prints 195.25 for 45,678.90 of 234 orders, which are
//! 195.21.

use std::path::Path;

use super::{SampleError, World, write_files};
use crate::event::{NewEvent, Payload, SourceFields};
use crate::id::EventType;
use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("read_models/", $name)))),*]
    };
}

/// Read models over customers, orders and payments: file name and text.
const SALES: &[(&str, &str)] = shipped!(
    "customer-summary.toml",
    "sales-dashboard.toml",
    "order-summary.toml",
    "customer-order-history.toml",
    "customer-dashboard.toml",
    "inventory-dashboard.toml",
    "sales-daily.toml",
    "sales-monthly.toml",
    "sales-products.toml",
    "analytics.toml",
    "customer-lifetime-value.toml",
    "campaign-window.toml",
    "fraud-signals.toml",
);
const TRADING: &[(&str, &str)] = shipped!("positions.toml", "risk.toml");
const CLINIC: &[(&str, &str)] = shipped!(
    "patient-timeline.toml",
    "treatment-effect.toml",
    "drug-interaction.toml",
);

/// The read models of a world.
pub(super) fn of(world: World) -> &'static [(&'static str, &'static str)] {
    match world {
        World::Shop => SALES,
        World::Trading => TRADING,
        World::Clinic => CLINIC,
    }
}

/// When the sample says its log took the events: after the last of them.
const RECORDED_AT: &str = "2024-01-16T00:00:00Z";
const SEED: u64 = 15;

/// The day of the Sales Dashboard.
const DAY: &str = "2024-01-15";
/// Orders placed that day.
const ORDERS: u64 = 234;
/// Of these, cancelled.
const CANCELLED: u64 = 12;
/// Other customers.
const OTHERS: u64 = 60;

/// Makes a new store with events for the guide's read models, and the read models beside it. The same bytes every time.
///
/// # Errors
/// As [`super::guide`].
///
/// ```
/// use annals_core::projection::{DocumentQuery, ProjectionSet, documents};
/// use annals_core::{store::Log, temporal::AsOf};
/// let folder = tempfile::tempdir()?;
/// let store = folder.path().join("sales.annals");
/// annals_core::sample::read_models(&store)?;
/// let (set, _) = ProjectionSet::load(&store)?;
/// let of_john = DocumentQuery { key: Some("cust-123".into()), ..DocumentQuery::default() };
/// let view = documents(&Log::explore(&store)?, &set, "customer-summary", &AsOf::default(), &of_john)?;
/// assert!(view.documents[0].state.get().contains("\"totalSpent\":1247.83"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_models(path: &Path) -> Result<(), SampleError> {
    let now = Time::parse_rfc3339(RECORDED_AT).expect("the constant is a time");
    let writer = LogWriter::create(path, Surroundings::fixed(now, SEED))?;
    let mut made = events();
    made.sort_by(|a, b| a.time.cmp(&b.time));
    for page in made.chunks(200) {
        let streams = page.iter().map(|made| StreamAppend {
            stream: made.stream.parse().expect("a made name is a stream"),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![made.event()],
        });
        writer.append(streams.collect())?;
    }
    writer.close()?;
    write_files(path, "projections", SALES)
}

/// An event to be made.
struct Made {
    time: String,
    stream: String,
    event_type: &'static str,
    data: String,
}

impl Made {
    fn event(&self) -> NewEvent {
        NewEvent {
            id: None,
            event_type: EventType::new(self.event_type).expect("a made type is one"),
            time: Some(SourceTime::parse(&self.time, chrono_tz::UTC).expect("a made time is one")),
            schema_version: None,
            data: Payload::json(self.data.clone()).expect("a made payload is JSON"),
            metadata: None,
            source: SourceFields::default(),
            links: Vec::new(),
        }
    }
}

fn events() -> Vec<Made> {
    let mut made = Vec::new();
    let mut add = |time: String, stream: String, event_type: &'static str, data: String| {
        made.push(Made {
            time,
            stream,
            event_type,
            data,
        });
    };
    add(
        "2024-01-01T09:00:00Z".into(),
        "customer-123".into(),
        "CustomerRegistered",
        r#"{"customerId":"cust-123","name":"John Smith","email":"john@oldcompany.com"}"#.into(),
    );
    for other in 0..OTHERS {
        let id = 200 + other;
        add(
            format!("2024-01-01T10:{other:02}:00Z"),
            format!("customer-{id}"),
            "CustomerRegistered",
            format!(
                r#"{{"customerId":"cust-{id}","name":"Customer {id}","email":"customer{id}@example.com"}}"#
            ),
        );
    }
    add(
        "2024-01-05T12:00:00Z".into(),
        "customer-123".into(),
        "EmailChanged",
        r#"{"oldEmail":"john@oldcompany.com","newEmail":"john@example.com"}"#.into(),
    );
    let mut order = |time: [String; 2], number: u64, customer: u64, lines: &[(u64, u64)]| {
        let items: Vec<String> = lines
            .iter()
            .map(|(product, cents)| {
                let price = money(*cents);
                format!(r#"{{"productId":"prod-{product}","quantity":1,"price":{price}}}"#)
            })
            .collect();
        let total = money(lines.iter().map(|(_, cents)| cents).sum());
        let [placed, paid] = time;
        add(
            placed,
            format!("order-{number}"),
            "OrderPlaced",
            format!(
                r#"{{"customerId":"cust-{customer}","items":[{}],"totalAmount":{total}}}"#,
                items.join(",")
            ),
        );
        add(
            paid,
            format!("payment-{number}"),
            "PaymentProcessed",
            format!(
                r#"{{"orderId":"order-{number}","customerId":"cust-{customer}","amount":{total}}}"#
            ),
        );
    };
    // 1,247.83 of John Smith's are 158.27 that day and 1,089.56 of fourteen orders before it.
    for n in 0..14 {
        let cents = if n < 8 { 7_783 } else { 7_782 };
        let day = format!("2024-01-{:02}", 1 + n);
        let times = [format!("{day}T14:00:00Z"), format!("{day}T14:01:00Z")];
        order(times, 900 + n, 123, &[(600 + n, cents)]);
    }
    for n in 0..ORDERS {
        // 45,678.90 - 5,432.10 - 3,210.50 = 37,036.30, over all orders and twenty products.
        let mut lines = vec![(501 + n % 20, if n < 112 { 15_828 } else { 15_827 })];
        match n {
            0..88 => lines.push((123, 6_103)),
            88 => lines.push((123, 6_146)),
            100..166 => lines.push((456, 4_791)),
            166 => lines.push((456, 4_844)),
            _ => {}
        }
        let customer = if n == ORDERS - 1 {
            123
        } else {
            200 + n % OTHERS
        };
        let at = |second: u64| {
            let second = 8 * 3_600 + n * 150 + second;
            format!(
                "{DAY}T{:02}:{:02}:{:02}Z",
                second / 3_600,
                second / 60 % 60,
                second % 60
            )
        };
        order([at(0), at(40)], 1_000 + n + 1, customer, &lines);
    }
    for n in 0..CANCELLED {
        add(
            format!("{DAY}T19:{:02}:00Z", n * 5),
            format!("order-{}", 1_001 + n * 15),
            "OrderCancelled",
            r#"{"reason":"ordered twice"}"#.into(),
        );
    }
    add(
        format!("{DAY}T20:00:00Z"),
        "product-520".into(),
        "ProductDiscontinued",
        r#"{"productId":"prod-520"}"#.into(),
    );
    made
}

/// Cents as an amount of two decimals.
fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::{DocumentQuery, DocumentsView, ProjectionSet, documents};
    use crate::store::Log;
    use crate::temporal::AsOf;

    fn shown(store: &Path, name: &str, key: &str) -> DocumentsView {
        let (set, errors) = ProjectionSet::load(store).unwrap();
        assert_eq!(errors, []);
        let query = DocumentQuery {
            key: Some(key.into()),
            ..DocumentQuery::default()
        };
        documents(
            &Log::explore(store).unwrap(),
            &set,
            name,
            &AsOf::default(),
            &query,
        )
        .unwrap()
    }

    /// What the guide prints, white space aside.
    const SUMMARY: &str = r#"{
  "customerId": "cust-123",
  "name": "John Smith",
  "email": "john@example.com",
  "registrationDate": "2024-01-01",
  "totalOrders": 15,
  "totalSpent": 1247.83,
  "lastOrderDate": "2024-01-15",
  "status": "Active"
}"#;
    const DASHBOARD: &str = r#"{
  "date": "2024-01-15",
  "totalRevenue": 45678.90,
  "orderCount": 234,
  "averageOrderValue": 195.25,
  "topProducts": [
    {"productId": "prod-123", "revenue": 5432.10, "units": 89},
    {"productId": "prod-456", "revenue": 3210.50, "units": 67}
  ],
  "cancellationRate": 0.05
}"#;

    fn compact(text: &str) -> String {
        let lines = text.lines().map(str::trim).collect::<String>();
        lines.replace(": ", ":").replace(", ", ",")
    }

    #[test]
    fn the_read_models_that_the_guide_prints_come_out_word_for_word() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("sales.annals");
        read_models(&store).unwrap();
        let view = shown(&store, "customer-summary", "cust-123");
        assert_eq!(
            view.documents[0]
                .state
                .get()
                .replace("John Smith", "JohnSmith"),
            compact(SUMMARY).replace("John Smith", "JohnSmith")
        );
        let view = shown(&store, "sales-dashboard", DAY);
        // 45,678.90 / 234 is 195.2089…, which the guide prints as 195.25.
        let right = compact(DASHBOARD).replace("195.25", "195.21");
        assert_eq!(view.documents[0].state.get(), right);
    }

    #[test]
    fn every_read_model_folds_every_event_of_its_world() {
        let home = tempfile::tempdir().unwrap();
        let sales = home.path().join("sales.annals");
        read_models(&sales).unwrap();
        let mut stores = vec![sales];
        for world in [World::Shop, World::Trading, World::Clinic] {
            let store = home.path().join(format!("{world:?}.annals"));
            let request = super::super::WorldRequest {
                world,
                events: 1_500,
                seed: 1,
                faults: false,
            };
            super::super::make_world(&store, &request, &crate::progress::WorkProgress::default())
                .unwrap();
            stores.push(store);
        }
        for store in stores {
            let (set, errors) = ProjectionSet::load(&store).unwrap();
            assert_eq!(errors, []);
            let log = Log::explore(&store).unwrap();
            for projection in set.iter() {
                let name = projection.name();
                let all = DocumentQuery::default();
                let view = documents(&log, &set, name, &AsOf::default(), &all).unwrap();
                assert_eq!(view.findings, [], "{name} of {}", store.display());
                assert!(!view.incomplete, "{name} of {}", store.display());
            }
        }
    }
}
