//! What each command prints, for a person and as JSON, and how it fails.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::transcript::Transcript;
use support::zip;

#[test]
fn init_and_info() {
    let mut t = Transcript::new();
    t.run("init shop.annals")
        .run("init shop.annals")
        .run("init folder/shop.annals")
        .run("info shop.annals")
        .run("init other.annals --json")
        .run("streams shop.annals")
        .run("events shop.annals")
        .run("events shop.annals --count --json")
        .compare("init");
}

#[test]
fn sample_and_info() {
    let mut t = Transcript::new();
    t.run("sample guide --out guide.annals")
        .run("sample guide --out guide.annals")
        .run("info guide.annals")
        .run("info guide.annals --json")
        .run("info guide.annals --limit 2")
        .compare("sample");
}

#[test]
fn formats_and_hashes_of_a_source() {
    let backup = include_str!("../../core/tests/fixtures/eventsourcingdb/backup.jsonl");
    let changed = backup.replacen("\"total\": 12.50", "\"total\": 12.51", 1);
    let mut t = Transcript::new();
    let folder = t.sandbox.path().to_owned();
    std::fs::write(folder.join("backup.jsonl"), backup).unwrap();
    std::fs::write(folder.join("changed.jsonl"), &changed).unwrap();
    t.run("formats")
        .run("import backup.jsonl --into shop.annals")
        .run("events shop.annals --limit 2")
        .run("import changed.jsonl --into changed.annals")
        .run("import changed.jsonl --into changed.annals --json")
        .compare("formats");
}

#[test]
fn archives_workbooks_and_files_that_grow() {
    let event = |n: u32| {
        format!(
            "{{\"id\":\"{n}\",\"stream\":\"till-1\",\"type\":\"Sold\",\"time\":\"2024-01-0{n}T10:00:00Z\",\"actor\":\"jo\",\"data\":{{\"total\":{n}.50}}}}\n"
        )
    };
    let (one, two, three) = (event(1), event(2), event(3));
    let inner = zip::stored(&[("c.jsonl", three.as_bytes())]);
    let archive = zip::stored(&[
        ("2024/a.jsonl", one.as_bytes()),
        ("../b.jsonl", two.as_bytes()),
        ("2024/inner.zip", &inner),
        ("readme.txt", b"Hello."),
    ]);
    let mut t = Transcript::new();
    let folder = t.sandbox.path().to_owned();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("logs.zip", &archive);
    write("cut.zip", &archive[..archive.len() - 60]);
    write("till.jsonl", format!("{one}{}", &two[..30]).as_bytes());
    t.run("import logs.zip --into logs.annals")
        .run("events logs.annals")
        .run("import cut.zip --into logs.annals")
        .run("import till.jsonl --into till.annals");
    write("till.jsonl", format!("{one}{two}").as_bytes());
    t.run("import till.jsonl --into till.annals");
    write("till.jsonl", format!("{one}{two}{three}").as_bytes());
    t.run("import till.jsonl --into till.annals --json")
        .run("imports till.annals")
        .compare("archives");
}

#[test]
fn shop() {
    let mut t = Transcript::new();
    t.run("sample shop --out shop.annals --events 400 --seed 2")
        .run("info shop.annals")
        .run("state shop.annals order-1")
        .run("state shop.annals inventory-prod-1")
        .run("state shop.annals customer-1")
        .run("sample shop --out shop.annals --events 400")
        .run("sample shop --out other.annals --events 1000000000000")
        .run("sample shop --out other.annals --events many")
        .run("sample guide --out other.annals --events 10")
        .compare("shop");
}

#[test]
fn worlds_and_rules() {
    let mut t = Transcript::new();
    t.run("sample trading --out trading.annals --events 300 --seed 2")
        .run("state trading.annals account-1")
        .run("rules check trading.annals")
        .run("sample clinic --out clinic.annals --events 200 --seed 2 --faults")
        .run("rules check clinic.annals")
        .run("rules check clinic.annals --rule no-allergy --json")
        .run("rules check clinic.annals --rule no-such-rule")
        .run("sample guide --out guide.annals --faults")
        .run("sample guide --out guide.annals")
        .run("rules check guide.annals")
        .compare("worlds");
}

#[test]
fn snapshots() {
    let mut t = Transcript::new();
    let claims = r#"[{"aggregateId":"payment-1","version":1,"timestamp":"2024-01-15T10:00:00Z","snapshotData":{"status":"Processed","orderId":"order-1","amount":1.00,"method":"card"}},
        {"aggregateId":"order-789","version":1500,"snapshotData":{}}]"#;
    t.run("sample shop --out shop.annals --events 1500 --seed 2")
        .run("snapshot policy shop.annals")
        .run("snapshot take shop.annals")
        .run(
            "snapshot policy shop.annals inventory rolling --every-events 20 --keep 2 --keep-first",
        )
        .run("snapshot policy shop.annals order periodic")
        .run("snapshot policy shop.annals order sometimes")
        .run("snapshot policy shop.annals '*' none --json")
        .run("snapshot take shop.annals")
        .run("snapshot list shop.annals inventory-prod-1")
        .run("snapshot list shop.annals inventory-prod-1 --limit 1 --json")
        .run("state shop.annals inventory-prod-1")
        .run("snapshot take shop.annals order-1 --version 2")
        .run("snapshot take shop.annals order-1 --version 99")
        .run("snapshot take shop.annals order-x")
        .run("snapshot verify shop.annals")
        .run("snapshot verify shop.annals --json");
    t.sandbox.write("claims.json", claims.as_bytes());
    t.sandbox.write("none.json", b"[1]");
    t.run("snapshot verify shop.annals --file claims.json")
        .run("snapshot verify shop.annals --file none.json")
        .run("snapshot verify shop.annals --file missing.json");
    let table = "aggregate_id,version,snapshot_data,timestamp\npayment-1,1,\"{\"\"status\"\":\"\"Processed\"\"}\",2024-01-15T10:00:00Z\n,1,{},\n";
    t.sandbox.write("Snapshots.csv", table.as_bytes());
    t.sandbox.write("empty.json", b"");
    t.run("snapshot import shop.annals claims.json")
        .run("snapshot import shop.annals claims.json")
        .run("snapshot import shop.annals Snapshots.csv --name theirs --json")
        .run("snapshot import shop.annals Snapshots.csv --name ../theirs")
        .run("snapshot import shop.annals none.json")
        .run("snapshot import shop.annals empty.json")
        .run("snapshot verify shop.annals --file Snapshots.csv")
        .run("snapshot list shop.annals inventory-prod-2")
        .run("snapshot verify shop.annals payment-1")
        .run("snapshot verify shop.annals");
    let toml = t.sandbox.path().join("shop.annals.d/snapshots.toml");
    std::fs::write(toml, "[policies.order]\nstrategy = 'rolling'\n").unwrap();
    t.run("snapshot take shop.annals")
        .run("snapshot take shop.annals --json")
        .run("state shop.annals payment-1")
        .compare("snapshots");
}

#[test]
fn commands_and_queries() {
    let mut t = Transcript::new();
    let place = r#"command shop.annals PlaceOrder --id cmd-1 --actor cust-1 --correlation visit-900 --data '{"orderId":"order-900","customerId":"cust-1","items":[{"productId":"prod-1","quantity":2,"price":29.99}],"shippingAddress":{"street":"123 Main St","city":"Anytown","zipCode":"12345"}}'"#;
    t.run("sample shop --out shop.annals --events 300 --seed 2")
        .run("sample guide --out guide.annals")
        .run(place)
        .run(place)
        .run(r#"command shop.annals CancelOrder --id cmd-2 --data '{"orderId":"order-1","reason":"too late"}'"#)
        .run(r#"command shop.annals CancelOrder --id cmd-2 --data '{"orderId":"order-1","reason":"too late"}' --json"#)
        .run(r#"command shop.annals DeactivateCustomer --id cmd-3 --data '{"customerId":"cust-1"}'"#)
        .run(r#"command shop.annals AddItem --id cmd-4 --data '{"orderId":"order-900","productId":"prod-2","quantity":-1,"price":1}'"#)
        .run(r#"command shop.annals AddItem --id cmd-4 --data '{"orderId":"order-900","product":"prod-2"}'"#)
        .run("command shop.annals AddItem --id cmd-4 --data nonsense")
        .run("command shop.annals EatOrder")
        .run("query shop.annals GetOrder 900")
        .run("process shop.annals --from 300 --payments pending")
        .run("process shop.annals --payments refused")
        .run("process shop.annals --payments refused --json")
        .run("process shop.annals --payments refused")
        .run("query shop.annals GetOrder 900")
        .run("process guide.annals")
        .run("query shop.annals OrderHistory order-900")
        .run("query shop.annals ListCustomers")
        .run("query shop.annals GetOrder")
        .run("query shop.annals EatOrder 1")
        .run("command guide.annals PlaceOrder")
        .compare("commands");
}

#[test]
fn backup_and_restore() {
    let mut t = Transcript::on_guide();
    std::fs::create_dir(t.sandbox.path().join("copies")).unwrap();
    let whole = std::fs::read(t.sandbox.path().join("guide.annals")).unwrap();
    t.sandbox.write("cut.annals", &whole[..40_000]);
    t.run("backup guide.annals --out copies/guide.annals")
        .run("backup guide.annals --out copies/guide.annals")
        .run("backup guide.annals --out second.annals --json")
        .run("info copies/guide.annals")
        .run("restore copies/guide.annals --out again.annals")
        .run("restore copies/guide.annals --out then.annals --to 20")
        .run("info then.annals")
        .run("state then.annals account-12345")
        .run("restore copies/guide.annals --out then.annals --to 0 --json")
        .run("restore copies/guide.annals --out none.annals --to 2025-09-30 --json")
        .run("restore copies/guide.annals --out all.annals --to 2025-10-01")
        .run("restore copies/guide.annals --out beyond.annals --to 53")
        .run("restore copies/guide.annals --out beyond.annals --to 53 --json")
        .run("restore copies/guide.annals --out odd.annals --to yesterday")
        .run("restore missing.annals --out odd.annals")
        .run("restore cut.annals --out odd.annals")
        .run("backup cut.annals --out odd.annals")
        .run("backup guide.annals --out missing/odd.annals")
        .run("backup guide.annals --out guide.annals")
        .compare("backup");
    let left: Vec<_> = std::fs::read_dir(t.sandbox.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("odd") || name.contains("beyond") || name.starts_with('.'))
        .collect();
    assert_eq!(left, [""; 0], "nothing half done stays");
}

#[test]
fn streams() {
    let mut t = Transcript::on_guide();
    t.run("streams guide.annals")
        .run("streams guide.annals --category account --json")
        .run("streams guide.annals --match ORDER --limit 2")
        .run("streams guide.annals --match ORDER --limit 2 --after dynamodb-order-456")
        .run("streams guide.annals --at 2024-01-01")
        .run("streams guide.annals --match nothing")
        .run("streams guide.annals --known 2 --json")
        .run("streams guide.annals --known 3 --at 2024-01-01")
        .run("streams guide.annals --known 2020-01-01")
        .compare("streams");
}

#[test]
fn events() {
    let mut t = Transcript::on_guide();
    t.run("events guide.annals --stream account-12345")
        .run("events guide.annals --stream account-12345 --limit 2")
        .run("events guide.annals --stream account-12345 --limit 2 --after 5")
        .run("events guide.annals --stream account-12345 --reverse --limit 1 --json")
        .run("events guide.annals --type OrderShipped")
        .run("events guide.annals --actor hr@company.com")
        .run("events guide.annals --correlation corr-abc123")
        .run("events guide.annals --category account --from 2024-01-03 --to 2024-01-10")
        .run("events guide.annals --category account --to 2024-01-10 --count")
        .run("events guide.annals --category account --to 2024-01-10 --zone America/New_York --count")
        .run("events guide.annals --to 2024-01-09T23:59:59Z --category account --count --json")
        .run("events guide.annals --stream nowhere")
        .run("events guide.annals --type Nothing")
        .run("events guide.annals --category account --skip 3 --limit 1")
        .run("events guide.annals --category account --skip 99")
        .run("events guide.annals --category account --reverse --row-of 5")
        .run("events guide.annals --category account --row-of 5 --json")
        .run("events guide.annals --category account --row-of 30 --json")
        .run("events guide.annals --category account --row-of 30")
        .run("events guide.annals --text shipped --skip 1")
        .compare("events");
}

#[test]
fn search() {
    let mut t = Transcript::on_guide();
    t.run("events guide.annals --text shipped")
        .run("events guide.annals --text 'newcompany type:Email*' --json")
        .run("events guide.annals --text '\"winter sale\" OR (key:carrier -DHL)' --reverse")
        .run("events guide.annals --text order-789 --type OrderShipped")
        .run("events guide.annals --text cust-456 --limit 1")
        .run("events guide.annals --text cust-456 --limit 1 --after 12")
        .run("events guide.annals --text cust-456 --count")
        .run("events guide.annals --text cust-456 --count --json")
        .run("events guide.annals --text cust-456 --no-wait --count --json")
        .run("events guide.annals --text 109.97 --from 2024-01-15 --to 2024-01-15 --count")
        .run("events guide.annals --text nowhere")
        .run("events guide.annals --text 'a OR'")
        .run("events guide.annals --text -cancelled")
        .run("events guide.annals --text 'type: x' --json")
        .run("events guide.annals --text 'ca*ed'")
        .run("events guide.annals --no-wait")
        .run("export guide.annals --text corr-abc123 --format csv --out -")
        .run("tail guide.annals --reverse")
        .compare("search");
}

#[test]
fn show() {
    let mut t = Transcript::on_guide();
    t.run("show guide.annals evt-12345")
        .run("show guide.annals evt-12345 --json")
        .run("show guide.annals 4")
        .run("show guide.annals 4711")
        .run("show guide.annals evt-nowhere")
        .compare("show");
}

#[test]
fn state() {
    let mut t = Transcript::on_guide();
    t.run("state guide.annals account-12345")
        .run("state guide.annals account-12345 --json")
        .run("state guide.annals account-12345 --version 0")
        .run("state guide.annals account-12345 --version 3")
        .run("state guide.annals account-12345 --at 2024-01-10")
        .run("state guide.annals account-12345 --at 2024-01-10 --json")
        .run("state guide.annals account-12345 --at 2024-01-10 --zone Asia/Tokyo")
        .run("state guide.annals account-12345 --at 2024-01-09T23:59:59Z")
        .run("state guide.annals account-12345 --at 2023-12-31")
        .run("state guide.annals account-12345 --known 6")
        .run("state guide.annals account-12345 --known 2025-12-31 --at 2024-01-03")
        .run("state guide.annals account-12345 --known 2024-01-01")
        .run("state guide.annals order-789")
        .run("state guide.annals User-123")
        .compare("state");
}

#[test]
fn models() {
    let mut t = Transcript::new();
    let folder = t.sandbox.path().join("shop.annals.d/models");
    std::fs::create_dir_all(&folder).unwrap();
    let model = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    model(
        "order.toml",
        "category = \"order\"\n[on.OrderPlaced]\ntotal = \"dta.total\"\n",
    );
    model(
        "card.toml",
        "category = \"card\"\n[on.Limited]\nlimit = \"data.limit\"\n[on.Charged]\nwhen = \"data.amount <= state.limit\"\n\"spent.add\" = \"data.amount\"\n",
    );
    t.run("init shop.annals")
        .run(r#"append shop.annals order-1 --type OrderPlaced --data '{"total": 9.90}' --time 2024-01-01 --id o1"#)
        .run(r#"append shop.annals card-1 --type Limited --data '{"limit": "100"}' --time 2024-01-01 --id c1"#)
        .run(r#"append shop.annals card-1 --type Charged --data '{"amount": 5000}' --time 2024-01-02 --id c2"#)
        .run("state shop.annals order-1")
        .run("state shop.annals card-1")
        .run("state shop.annals card-1 --json")
        .run("diff shop.annals order-1 --from v0 --to v1")
        .compare("models");
}

#[test]
fn diff() {
    let mut t = Transcript::on_guide();
    t.run("diff guide.annals user-123 --from v1 --to v3")
        .run("diff guide.annals user-123 --from 2024-01-14 --to 2024-01-15T14:30:00Z --json")
        .run("diff guide.annals account-12345 --from v0 --to v1")
        .run("diff guide.annals account-12345 --from v2 --to v2")
        .run("diff guide.annals order-789 --from v1 --to v2")
        .compare("diff");
}

#[test]
fn append() {
    let mut t = Transcript::new();
    t.run("append shop.annals order-1 --type OrderPlaced --data {}")
        .run("init shop.annals")
        .run(r#"append shop.annals order-1 --type OrderPlaced --data '{"total": 109.97}' --time 2024-03-01T10:00:00+01:00 --id e-1 --expect none --metadata '{"userId": "mia"}'"#)
        .run(r#"append shop.annals order-1 --type OrderPlaced --data '{"total": 109.97}' --time 2024-03-01T10:00:00+01:00 --id e-1 --metadata '{"userId": "mia"}'"#)
        .run(r#"append shop.annals order-1 --type OrderShipped --data '{}' --time '2024-03-02 09:00' --zone Europe/Berlin --expect 1 --json"#)
        .run("state shop.annals order-1")
        .compare("append");
}

#[test]
fn append_batch() {
    let mut t = Transcript::new();
    let lines = [
        r#"{"stream": "account-1", "type": "Opened", "data": {"balance": 10.00}, "time": "2024-03-01", "id": "a1", "expect": "none"}"#,
        r#"{"stream": "account-2", "type": "Opened", "data": {"balance": 0.10}, "time": "2024-03-01", "id": "a2", "expect": "none"}"#,
        "",
        r#"{"stream": "account-1", "type": "BalanceChanged", "data": {"newBalance": 9.90}, "metadata": {"userId": "mia"}, "time": "2024-03-02T08:00:00Z", "id": "a3", "expect": 1}"#,
    ];
    t.sandbox.write("batch.jsonl", lines.join("\n"));
    t.sandbox.write(
        "conflict.jsonl",
        [
            lines[1],
            r#"{"stream": "account-1", "type": "Closed", "data": null, "expect": 7}"#,
        ]
        .join("\n"),
    );
    t.sandbox.write(
        "broken.jsonl",
        [lines[0], "{\"stream\": \"account-3\","].join("\n"),
    );
    t.sandbox.write(
        "unknown.jsonl",
        r#"{"stream": "a", "type": "T", "data": {}, "when": "now"}"#,
    );
    t.sandbox.write(
        "contradiction.jsonl",
        [
            r#"{"stream": "account-9", "type": "Opened", "data": {}}"#,
            r#"{"stream": "account-9", "type": "Closed", "data": {}, "expect": "none"}"#,
        ]
        .join("\n"),
    );
    t.sandbox.write("empty.jsonl", "");
    t.run("init bank.annals")
        .run("append bank.annals --batch batch.jsonl")
        .run("append bank.annals --batch batch.jsonl --json")
        .run("append bank.annals --batch conflict.jsonl")
        .run("append bank.annals --batch contradiction.jsonl")
        .run("append bank.annals --batch broken.jsonl")
        .run("append bank.annals --batch unknown.jsonl --json")
        .run("append bank.annals --batch empty.jsonl")
        .run("append bank.annals --batch missing.jsonl")
        .run("append bank.annals --batch batch.jsonl --type T")
        .run("events bank.annals")
        .compare("append_batch");
}

#[test]
fn tables() {
    let mut t = Transcript::new();
    t.sandbox.write(
        "orders.csv",
        concat!(
            "Order No;Step;Date;Time;Clerk;Amount\r\n",
            "7;Placed;15.01.2024;10:30;Ann;1.234,50\r\n",
            "7;\"Paid; late\";31.01.2024;9:05;Bob;0,5\r\n",
            "8;Placed;31.01.2024\r\n",
        ),
    );
    t.sandbox
        .write("stock.csv", "sku,name,price\nA1,Echo,103.47\n");
    t.sandbox.write(
        "row.toml",
        "[event]\nstream = \"product-{sku}\"\ntype = \"RowImported\"\n",
    );
    t.sandbox
        .write("wrong.toml", "[event]\nstream = \"product-{sku\"\n");
    t.sandbox
        .write("other.toml", "[event]\ntype = \"{kind}\"\n");
    t.run("import --explain orders.csv")
        .run("import --explain orders.csv --json --save-map map.toml")
        .run("import orders.csv --into shop.annals --map map.toml")
        .run("import orders.csv --into shop.annals")
        .run("events shop.annals")
        .run("import stock.csv --into shop.annals")
        .run("import --explain stock.csv")
        .run("import stock.csv --into shop.annals --map row.toml")
        .run("import stock.csv --into shop.annals --map wrong.toml")
        .run("import stock.csv --into shop.annals --map other.toml")
        .run("import stock.csv --into shop.annals --delimiter ::")
        .run("imports shop.annals")
        .run("imports shop.annals --json")
        .compare("tables");
}

#[test]
fn import() {
    let mut t = Transcript::new();
    t.sandbox.write(
        "shop.jsonl",
        [
            r#"{"eventId": "evt-1", "aggregateId": "order-1", "eventType": "OrderPlaced", "timestamp": "2024-01-15T10:30:00Z", "version": 1, "data": {"total": 109.970}, "metadata": {"userId": "user-789"}}"#,
            r#"{"event_id": "evt-2", "aggregate_id": "order-1", "event_type": "OrderShipped", "timestamp": "2024-01-16", "version": 3, "event_data": {"carrier": "UPS"}}"#,
            r#"{"eventId": "evt-3", "aggregateId": "order-2", "eventType": "#,
            r#"{"eventId": "evt-4", "aggregateId": "order-2", "eventType": "OrderPlaced", "data": {"total": 12345678901234567890.10}}"#,
        ]
        .join("\n"),
    );
    t.sandbox.write(
        "log.xes",
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log>\n <trace>\n  <string key=\"concept:name\" value=\"case-1\"/>\n",
            "  <event><string key=\"concept:name\" value=\"register\"/><string key=\"org:resource\" value=\"Pete\"/>",
            "<date key=\"time:timestamp\" value=\"2010-12-30T11:02:00.000+01:00\"/><int key=\"cost\" value=\"50\"/></event>\n",
            " </trace>\n</log>\n"
        ),
    );
    t.sandbox
        .write("broken.xes", "<log><trace><event></trace></log>");
    t.run("import shop.jsonl --into shop.annals --dry-run")
        .run("import shop.jsonl --into shop.annals --rejects rejects.jsonl")
        .run("import shop.jsonl --into shop.annals --json")
        .run("import log.xes --into shop.annals")
        .run("import broken.xes --into new.annals")
        .run("import missing.jsonl --into shop.annals")
        .run("import shop.jsonl --into shop.annals --zone Mars/Olympus")
        .run("events shop.annals --to 2024-12-31")
        .compare("import");
    assert!(
        !t.sandbox.path().join("new.annals").exists(),
        "a failed import leaves no new store"
    );
}

#[test]
fn export() {
    let mut t = Transcript::on_guide();
    t.run("export guide.annals --stream account-12345 --format csv --out -")
        .run("export guide.annals --stream account-12345 --to 2024-01-03 --format jsonl --out account.jsonl")
        .run("export guide.annals --format csv --out all.csv --json")
        .run("export guide.annals --format csv --out missing/all.csv")
        .run("export guide.annals --format pdf --out all.pdf")
        .run("export guide.annals --stream order-789 --format cloudevents --out order.jsonl --json")
        .run("export guide.annals --stream order-789 --format xes --out -")
        .run("export guide.annals --stream order-789 --format ocel-json --out -")
        .run("export guide.annals --stream account-12345 --format ocel-sqlite --out account.sqlite --json")
        .run("import account.sqlite --into again.annals")
        .compare("export");
}

#[test]
fn fixture() {
    let mut t = Transcript::on_guide();
    t.run("export guide.annals --stream account-12345 --fixture --out account")
        .run("export guide.annals --stream account-12345 --from v3 --to v4 --fixture --out slice --json")
        .run("export guide.annals --stream ecommerce-example --fixture --out account")
        .run("export guide.annals --stream account-12345 --from v9 --fixture --out none")
        .run("export guide.annals --stream account-12345 --from 2024-01-01 --fixture --out none")
        .run("export guide.annals --stream nowhere --fixture --out none")
        .run("export guide.annals --fixture --out none")
        .run("export guide.annals --stream account-12345 --fixture --actor me --out none")
        .compare("fixture");
    let state = std::fs::read_to_string(t.sandbox.path().join("slice/expected.json")).unwrap();
    assert_eq!(state, "{\"balance\":450.00}\n");
    assert!(!t.sandbox.path().join("none").exists());
}

#[test]
fn errors() {
    let mut t = Transcript::on_guide();
    t.sandbox.write("notes.txt", "just some notes, long enough to have a header of a hundred bytes or so, which SQLite would want to see\n");
    t.sandbox.write("empty.annals", "");
    std::fs::create_dir(t.sandbox.path().join("folder")).unwrap();
    // The file's format number is SQLite's user_version, four bytes at 60.
    let mut newer = std::fs::read(t.sandbox.path().join("guide.annals")).unwrap();
    t.sandbox.write("cut.annals", &newer[..20_000]);
    newer[60..64].copy_from_slice(&999u32.to_be_bytes());
    t.sandbox.write("newer.annals", &newer);
    t.run("info newer.annals")
        .run("append newer.annals s-1 --type T --data {} --json")
        .run("info cut.annals")
        .run("info missing.annals")
        .run("info missing.annals --json")
        .run("info notes.txt")
        .run("info empty.annals")
        .run("info folder")
        .run("state guide.annals account-1234")
        .run("state guide.annals acount-12345 --json")
        .run("state guide.annals account-12345 --version 9")
        .run("state guide.annals account-12345 --known 5000")
        .run("state guide.annals account-12345 --at yesterday")
        .run("state guide.annals account-12345 --version 2 --at 2024-01-10")
        .run("state guide.annals account-12345 --version 2 --at 2024-01-10 --json")
        .run("diff guide.annals account-12345 --from 3 --to v4")
        .run("events guide.annals --from 2024-13-01")
        .run("append guide.annals account-12345 --type DepositMade --data {} --expect 4")
        .run("append guide.annals account-12345 --type DepositMade --data {} --expect none --json")
        .run("append guide.annals account-12345 --type DepositMade --data {} --expect later")
        .run("append guide.annals user-123 --type UserRegistered --data {} --id evt-001")
        .run("append guide.annals account-12345 --type DepositMade --data '{\"amount\": }'")
        .run("append guide.annals '' --type DepositMade --data {}")
        .run("open missing.annals")
        .run("nonsense")
        .compare("errors");
}

#[test]
fn hostile_texts_are_made_visible() {
    let mut t = Transcript::new();
    t.run("init x.annals")
        .run("append x.annals 'evil-\u{202E}gnp.exe' --type 'Line\nBreak' --data '{\"emoji\": \"👩\u{200D}🚀\", \"esc\": \"\u{9B}31m\", \"big\": 123456789012345678901234567890.10}' --time 2024-01-01 --id 1")
        .run("append x.annals '日本-注文' --type 注文された --data '[1, 2.50, {\"a\": {}}]' --time 2024-01-02 --id 2")
        .run("streams x.annals")
        .run("events x.annals")
        .run("show x.annals 1")
        .run("state x.annals '日本-注文'")
        .run("state x.annals 'evil-\u{202E}gnp.exe'")
        .compare("hostile");
}

#[test]
fn why() {
    let mut t = Transcript::on_guide();
    t.run("why guide.annals account-12345 balance")
        .run("why guide.annals account-12345 balance --json")
        .run("why guide.annals account-12345 balance --at 2024-01-10 --limit 2")
        .run("why guide.annals account-12345 balance --at 2023-12-31")
        .run("why guide.annals order-789 items")
        .run("why guide.annals order-789 itemsTotal")
        .run("why guide.annals user-123 ''")
        .run("why guide.annals User-123 email")
        .run("why guide.annals user-123 emial")
        .run("why guide.annals user-123 'a b'")
        .run("why guide.annals nobody email")
        .compare("why");
}

#[test]
fn history() {
    let mut t = Transcript::on_guide();
    t.run("history guide.annals account-12345 balance")
        .run("history guide.annals account-12345 balance --json --at 2024-01-03")
        .run("history guide.annals account-12345 balance --limit 2")
        .run("history guide.annals user-123 email")
        .run("history guide.annals user-123 email --at 2023-12-31")
        .run("history guide.annals user-123 nothing")
        .compare("history");
}

#[test]
fn whatif() {
    let mut t = Transcript::on_guide();
    t.run("whatif guide.annals account-12345 --without 6")
        .run("whatif guide.annals account-12345 --without 6,7 --edit '8={\"amount\": \"x\"}' --at 2024-01-15")
        .run("whatif guide.annals account-12345 --without 4")
        .run("whatif guide.annals account-12345 --without 1")
        .run("whatif guide.annals account-12345 --edit '8={'")
        .run("whatif guide.annals account-12345")
        .compare("whatif");
}

#[test]
fn questions() {
    let mut t = Transcript::new();
    t.run("sample questions --out guide.annals")
        .run("ask guide.annals 'balance of account-12345 on 2024-01-10'")
        .run(r#"ask guide.annals 'count order where status = "Pending" during 2024-01'"#)
        .run("ask guide.annals 'list customer active during 2024-11-20..2024-12-01'")
        .run("ask guide.annals 'balance of account-12345 on 2024-01-10' --json")
        .run("ask guide.annals 'balance of account-12345 at start of 2024'")
        .run("ask guide.annals 'items of order-789 at 2024-01-15T12:00:00Z'")
        .run("ask guide.annals 'count user at 2024-01-10 known 9'")
        .run(r#"ask guide.annals 'list user where department = "Engineering" during 2024-01'"#)
        .run(r#"ask guide.annals 'list user where department = "Engineering" during 2024-01' --limit 0 --json"#)
        .run("ask guide.annals 'list user active during 2024-01-01..2024-01-15'")
        .run("ask guide.annals 'Sum total of order group by status'")
        .run(r#"ask guide.annals 'first time status="Shipped" of order-789?'"#)
        .run(r#"ask guide.annals 'how long was user in department "Engineering", average, p95, by month'"#)
        .run("ask guide.annals 'order where OrderPlaced not followed by OrderShipped within 2 hours'")
        .run("ask guide.annals 'count user at 2024-10-27T02:30' --zone Europe/Berlin")
        .run("ask guide.annals 'count user where name > 5'")
        .run(r#"ask guide.annals 'count user where emial = "x"'"#)
        .run("ask guide.annals 'count order wher status = Pending at 2024-02-31'")
        .run("ask guide.annals 'count order at 2024-02-31' --json")
        .run("ask guide.annals ''")
        .run("ask guide.annals 'count order where total > 1e99999999999999999999'")
        .run("ask guide.annals 'count ordre'")
        .run("ask guide.annals 'count order' --zone Europe/Atlantis")
        .run("ask guide.annals 'balance of account-1'")
        .run("ask guide.annals 'balnce of account-12345'")
        .run("ask guide.annals 'count order during 2024-02..2024-01'")
        .run("ask guide.annals 'count order known 71'")
        .run("ask guide.annals 'count order at 2024-01' --save month-end/orders --zone Europe/Berlin --limit 0")
        .run("ask guide.annals 'count user' --save month-end/orders")
        .run("ask guide.annals 'count user' --save ../orders")
        .run("ask guide.annals --list")
        .run("ask guide.annals --saved month-end/orders --limit 0 --replay")
        .run("ask guide.annals --saved nothing")
        .run("ask guide.annals --remove month-end/orders")
        .run("ask guide.annals --list --json")
        .compare("questions");
}

#[test]
fn kept() {
    let mut t = Transcript::new();
    t.run("sample questions --out q.annals")
        .run(r#"ask q.annals 'count order where status = "Pending"' --save pending --limit 0"#)
        .run(r#"ask q.annals 'count order where status = "Pending" during 2024-01' --save month/january --zone Europe/Berlin --limit 0 --at 2024-01-12"#)
        .run("ask q.annals 'count order group by status' --save by-status --limit 1 --at 2024-01-12T00:00:00Z --known 60 --json")
        .run("ask q.annals 'how long was order in status \"Pending\", average, by month' --at 2024-02-01 --limit 1")
        .run("ask q.annals 'balance of account-12345' --save balance --out balance.svg")
        .run("ask q.annals 'count order' --out count.svg")
        .run("ask q.annals 'balance of account-12345' --out balance.csv")
        .run("ask q.annals 'count order' --at 2024-02-31")
        .run("ask q.annals --list")
        .run("sql q.annals 'SELECT status, count(*) AS n FROM order_at(:at) GROUP BY status' --save statuses")
        .run("sql q.annals 'SELECT stream, version, type FROM events ORDER BY position DESC LIMIT 3' --save last");
    t.sandbox.write(
        "q.annals.d/dashboards/kept.toml",
        "title = \"Kept\"\n\
         [[panels]]\nkind = \"number\"\ntitle = \"Pending\"\nquestion = \"pending\"\n\
         [[panels]]\nkind = \"area\"\ntitle = \"January\"\nquestion = \"month/january\"\nlimit = 4\n\
         [[panels]]\nkind = \"bar\"\ntitle = \"By status\"\nquestion = \"by-status\"\n\
         [[panels]]\nkind = \"line\"\ntitle = \"Balance\"\nquestion = \"balance\"\nunit = \"USD\"\n\
         [[panels]]\nkind = \"bar\"\ntitle = \"By SQL\"\nquery = \"statuses\"\n\
         [[panels]]\nkind = \"table\"\ntitle = \"Last events\"\nquery = \"last\"\n\
         [[panels]]\nkind = \"number\"\ntitle = \"Gone\"\nquestion = \"gone\"\n",
    );
    t.sandbox.write(
        "q.annals.d/dashboards/both.toml",
        "title = \"Both\"\n[[panels]]\nkind = \"number\"\ntitle = \"P\"\nquestion = \"a\"\nquery = \"b\"\n",
    );
    t.sandbox.write(
        "q.annals.d/reports/month-end.toml",
        "version = \"1\"\ntitle = \"Month end\"\nregime = \"House rule 7\"\nabout = \"What was so\"\nretention = \"7 years\"\n\
         [[sections]]\nid = \"january\"\ntitle = \"Pending in January\"\nquestion = \"month/january\"\n\
         [[sections]]\nid = \"statuses\"\ntitle = \"Statuses\"\nquery = \"statuses\"\n",
    );
    t.run("dashboard q.annals")
        .run("dashboard q.annals kept --at 2024-01-12")
        .run("dashboard q.annals kept")
        .run("dashboard q.annals kept --panel 3 --row 1 --at 2024-01-12")
        .run("dashboard q.annals kept --panel 6 --row 1 --json")
        .run("dashboard q.annals kept --panel 5 --row 1")
        .run("report make q.annals month-end --at 2024-01-12 --operator auditor --no-access-log --out month.jsonl --json")
        .run("ask q.annals --remove month/january")
        .run("report make q.annals month-end --operator auditor --no-access-log --out month.html")
        .compare("kept");
    let read = |name: &str| std::fs::read_to_string(t.sandbox.path().join(name)).unwrap();
    assert!(
        read("balance.svg").contains("1,450.00"),
        "its marks say values"
    );
    assert!(
        read("month.jsonl").contains("Europe/Berlin"),
        "the zone is printed"
    );
}

#[test]
fn related() {
    let mut t = Transcript::on_guide();
    t.run("related guide.annals order-789")
        .run("related guide.annals 12")
        .run("related guide.annals order-789 --at 2024-01-15T11:00:00Z --json")
        .run("related guide.annals user-123")
        .run("related guide.annals nobody")
        .run("related guide.annals 999")
        .compare("related");
}

#[test]
fn late() {
    let mut t = Transcript::new();
    t.run("init shop.annals")
        .run("append shop.annals order-1 --type OrderPlaced --data {} --time 2024-03-02 --id e-1")
        .run(
            "append shop.annals order-1 --type OrderCorrected --data {} --time 2024-03-01 --id e-2",
        )
        .run("late shop.annals --stream order-1 --limit 0")
        .run("late shop.annals --stream order-2")
        .run("state shop.annals order-1 order-1 --at 2024-03-01")
        .run("state shop.annals order-1 order-1 --version 1")
        .compare("late");
}

#[test]
fn model() {
    let mut t = Transcript::on_guide();
    t.sandbox.write(
        "effective.toml",
        "category = \"user\"\nversion = 2\ntime = \"data.effectiveDate\"\n[on.UserRegistered]\n\
         department = \"data.department\"\n[on.DepartmentChanged]\ndepartment = \"data.newDepartment\"\n",
    );
    t.sandbox.write(
        "orderplaced.toml",
        "category = \"orderplaced\"\n[upcast.OrderPlaced]\nfrom = 1\nto = 2\n\
         default = { currency = \"'USD'\" }\n[on.OrderPlaced]\ncurrency = \"data.currency\"\n",
    );
    t.sandbox.write(
        "gap.toml",
        "category = \"orderplaced\"\n[[upcast.OrderPlaced]]\nfrom = 1\nto = 2\n[[upcast.OrderPlaced]]\nfrom = 3\nto = 4\n",
    );
    t.run("model list guide.annals")
        .run("model show guide.annals account")
        .run("model show guide.annals nothing")
        .run("model draft guide.annals user")
        .run("model draft guide.annals order --out order.toml")
        .run("model draft guide.annals order --out order.toml")
        .run("model draft guide.annals nothing")
        .run("model check guide.annals order.toml")
        .run("model check guide.annals gap.toml")
        .run("model check guide.annals orderplaced.toml")
        .run("model check guide.annals orderplaced.toml --json")
        .run("model add guide.annals gap.toml")
        .run("model add guide.annals effective.toml")
        .run("model add guide.annals effective.toml --name user")
        .run("model add guide.annals effective.toml --name user --replace")
        .run("state guide.annals user-123 --at 2024-01-20")
        .run("state guide.annals user-123 --at 2024-02-01")
        .run("model add guide.annals orderplaced.toml")
        .run("state guide.annals orderplaced-v1")
        .run("why guide.annals orderplaced-v1 currency")
        .run("model shapes guide.annals orderplaced")
        .compare("model");
}

#[test]
fn projection() {
    let mut t = Transcript::on_guide();
    t.sandbox.write(
        "emails.toml",
        "description = \"How often each user changed the address\"\nkey = \"event.stream\"\nfrom = [\"user\"]\n\
         show = [\"user\", \"email\", \"often\"]\n\
         [on.EmailChanged]\nuser = \"event.key\"\nemail = \"data.newEmail\"\n\"changes.add\" = \"1\"\n\
         [derived]\noften = \"if state.changes > 1 { 'yes' } else { 'no' }\"\n",
    );
    t.sandbox
        .write("wrong.toml", "key = \"dta\"\n[on.A]\nx = \"1\"\n");
    t.run("projection list guide.annals")
        .run("projection add guide.annals wrong.toml")
        .run("projection add guide.annals emails.toml")
        .run("projection add guide.annals emails.toml")
        .run("projection list guide.annals")
        .run("projection list guide.annals --json")
        .run("projection show guide.annals emails")
        .run("projection show guide.annals emails --json")
        .run("projection show guide.annals emails --at 2024-01-10 --limit 1")
        .run("projection show guide.annals emails --known 5 --key user-9")
        .run("projection show guide.annals email")
        .run("projection show guide.annals emails --definition")
        .run("projection show guide.annals emails --known 10 --key user-123")
        .run("projection reset guide.annals emails")
        .run("projection run guide.annals --once")
        .run("projection pause guide.annals emails")
        .run("append guide.annals user-7 --type EmailChanged --data '{\"newEmail\":\"ada@example.com\"}' --time 2024-02-01 --id e-7")
        .run("projection run guide.annals --once --json")
        .run("projection resume guide.annals emails")
        .run("projection retry guide.annals emails")
        .run("projection run guide.annals --once")
        .run("projection rebuild guide.annals emails --no-switch")
        .run("projection rebuild guide.annals emails")
        .run("projection rollback guide.annals emails")
        .run("projection status guide.annals nothing")
        .compare("projection");
}

#[test]
fn dashboard() {
    let mut t = Transcript::on_guide();
    t.run("dashboard guide.annals")
        .run("dashboard guide.annals --json")
        .run("dashboard guide.annals accounts")
        .run("dashboard guide.annals accounts --at 2024-01-09")
        .run("dashboard guide.annals accounts --at 2023-12-31")
        .run("dashboard guide.annals accounts --known 11 --json")
        .run("dashboard guide.annals accounts --out accounts.csv --json --at 2024-01-02")
        .run("dashboard guide.annals accounts --out accounts.svg --theme dark")
        .run("dashboard guide.annals accounts --out accounts.pdf")
        .run("dashboard guide.annals accounts --out guide.annals")
        .run("dashboard guide.annals account")
        .run("dashboard guide.annals accounts --panel 3 --row 4")
        .run("dashboard guide.annals accounts --panel 4 --row 1 --json --at 2024-01-05")
        .run("dashboard guide.annals accounts --panel 2 --row 1")
        .run("dashboard guide.annals accounts --panel 9 --row 1");
    t.sandbox.write(
        "guide.annals.d/dashboards/wrong.toml",
        "title = \"Wrong\"\n[[panels]]\nkind = \"pie\"\ntitle = \"P\"\nprojection = \"accounts\"\n",
    );
    t.sandbox.write(
        "guide.annals.d/dashboards/strange.toml",
        "title = \"Strange\"\n[[panels]]\nkind = \"number\"\ntitle = \"No such projection\"\nprojection = \"acounts\"\n\
         [[panels]]\nkind = \"bar\"\ntitle = \"A list that is none\"\nprojection = \"accounts\"\nrows = \"balance\"\n",
    );
    t.run("dashboard guide.annals")
        .run("dashboard guide.annals wrong")
        .run("dashboard guide.annals wrong --json")
        .run("dashboard guide.annals strange")
        .compare("dashboard");
    let picture =
        std::fs::read_to_string(t.sandbox.path().join("accounts.svg")).expect("it was written");
    assert!(picture.contains("1,247.83 USD") && picture.contains("class=\"mark\""));
    let table =
        std::fs::read_to_string(t.sandbox.path().join("accounts.csv")).expect("it was written");
    assert!(table.contains("area,projection,accounts,account-12345,\"days[\"\"2024-01-02\"\"]\",2024-01-02,balance,1000.00,USD,2024-01-02T00:00:00Z,"), "{table}");
}

#[test]
fn read_models() {
    let mut t = Transcript::new();
    t.sandbox.write(
        "theirs.csv",
        "customerId,name,totalOrders,totalSpent,tier\ncust-123,John Smith,15,1247.83,gold\ncust-200,Customer 200,4,1.00,\ncust-999,Nobody,0,0,\n",
    );
    t.sandbox.write(
        "theirs.json",
        r#"[{"date": "2024-01-15", "totalRevenue": 45678.9, "averageOrderValue": 195.25, "orderCount": 234}]"#,
    );
    t.run("sample read-models --out sales.annals")
        .run("projection show sales.annals customer-summary --key cust-123")
        .run("projection show sales.annals customer-summary --key cust-123 --json")
        .run("projection show sales.annals customer-summary --key cust-123 --at 2024-01-05T11:59:59Z")
        .run("projection show sales.annals sales-dashboard --key 2024-01-15 --json")
        .run("projection show sales.annals order-summary --key order-1234")
        .run("projection show sales.annals customer-dashboard --key cust-123")
        .run("projection show sales.annals sales-products --key prod-123")
        .run("projection show sales.annals sales-monthly")
        .run("projection why sales.annals sales-dashboard 2024-01-15 orderCount --limit 2")
        .run("projection why sales.annals customer-summary cust-123 totalSpent --at 2024-01-05T11:59:59Z --json --limit 2")
        .run("projection why sales.annals sales-dashboard 2024-01-15 averageOrderValue")
        .run("projection why sales.annals customer-summary cust-123 totalSpend")
        .run("projection why sales.annals customer-summary nobody totalSpent")
        .run("projection history sales.annals customer-summary cust-123 totalSpent --limit 3")
        .run("projection history sales.annals sales-dashboard 2024-01-15 averageOrderValue --limit 2 --json")
        .run("projection compare sales.annals customer-summary theirs.csv --limit 3")
        .run("projection compare sales.annals sales-dashboard theirs.json --json")
        .run("projection compare sales.annals sales-dashboard theirs.json --key day")
        .run("projection compare sales.annals sales-dashboard nothing.csv")
        .compare("read_models");
}

#[test]
fn access_log() {
    let mut t = Transcript::on_guide();
    t.run("state guide.annals order-789 --at 2024-01-15 --purpose 'Ticket 4711'")
        .run("append guide.annals note-1 --type Noted --data '{\"who\":\"Ada\"}' --purpose ' '")
        .run("streams guide.annals --limit 1 --no-access-log")
        .run("access-log guide.annals --json")
        .run("access-log guide.annals --last 1 --against 1:ab --json")
        .run("state nowhere.annals order-1")
        .run("state guide.annals order-789 --purpose a --no-access-log")
        .compare("access_log");
}

#[test]
fn looking_again() {
    let mut t = Transcript::new();
    let line = |n: u32, total: u32| {
        format!(
            "{{\"id\":\"e{n}\",\"stream\":\"order-{n}\",\"type\":\"Placed\",\"time\":\"2024-01-0{n}T00:00:00Z\",\"data\":{{\"total\":{total}}}}}\n"
        )
    };
    let all: Vec<String> = (1..=5).map(|n| line(n, n * 10)).collect();
    t.sandbox.write("orders.jsonl", all[..4].concat());
    t.run("import orders.jsonl --into x.annals");
    t.sandbox.write("orders.jsonl", all.concat());
    t.run("import orders.jsonl --into x.annals");
    let changed = [&all[0], &line(2, 99), &all[4], &all[3]]
        .map(String::as_str)
        .concat();
    t.sandbox.write("orders.jsonl", changed);
    t.run("import orders.jsonl --into x.annals --dry-run --json")
        .run("import orders.jsonl --into x.annals")
        .run("import x.annals --into x.annals")
        .run("import x.annals --into y.annals")
        .run("import x.annals --into y.annals")
        .compare("looking_again");
}

#[test]
fn privacy() {
    let mut t = Transcript::new();
    let lines = [
        r#"{"id":"e1","stream":"customer-7","type":"Registered","time":"2024-01-01T00:00:00Z","data":{"customerId":"7","name":"Ada","email":"ada@example.com"},"metadata":{"userId":"clerk-1","ip":"192.0.2.7"}}"#,
        r#"{"id":"e2","stream":"customer-7","type":"PointsAdded","time":"2024-01-02T00:00:00Z","data":{"points":5},"metadata":{"userId":"clerk-1"}}"#,
        r#"{"id":"e3","stream":"order-1","type":"Placed","time":"2024-01-03T00:00:00Z","data":{"customerId":"7","total":10}}"#,
        r#"{"id":"e4","stream":"customer-8","type":"Registered","time":"2024-01-04T00:00:00Z","data":{"customerId":"8","name":"Bob","email":"bob@example.com"}}"#,
    ];
    t.sandbox.write("shop.jsonl", lines.join("\n"));
    t.sandbox.write(
        "customer.toml",
        "category = 'customer'\n\n[personal]\nsubject = 'data.customerId'\ndata = ['name', 'email']\nmetadata = ['ip']\n",
    );
    t.sandbox
        .json(&["import", "shop.jsonl", "--into", "shop.annals"]);
    t.run("model add shop.annals customer.toml")
        .run("privacy scan shop.annals")
        .run("privacy scan shop.annals --json")
        .run("privacy subject shop.annals 7")
        .run("privacy subject shop.annals 7 --json")
        .run("privacy subject shop.annals ' '")
        .run(
            "privacy hold add shop.annals --matter 'case 12' --stream order-1 --reason 'a dispute'",
        )
        .run("privacy hold add shop.annals --matter 'case 12'")
        .run("privacy hold add shop.annals --matter audit --positions 4-2")
        .run("privacy erase shop.annals 7 --mentions")
        .run("privacy erase shop.annals 7 --mentions --yes --reason 'request 4711'")
        .run("state shop.annals customer-7")
        .run("why shop.annals customer-7 points")
        .run("history shop.annals customer-7 points")
        .run("whatif shop.annals customer-7 --without 2")
        .run("diff shop.annals customer-7 --from v1 --to v2")
        .run("show shop.annals 1")
        .run("events shop.annals --text ada")
        .run("related shop.annals customer-7")
        .run("export shop.annals --stream customer-7 --format csv --out -")
        .run("privacy erase shop.annals 7 --json")
        .run("privacy hold release shop.annals --matter 'case 12'")
        .run("privacy hold release shop.annals --matter 'case 12'")
        .run("privacy hold list shop.annals --json")
        .run("privacy erase shop.annals 7 --mentions --yes --json")
        .run("privacy erase shop.annals --finish")
        .run("privacy erase shop.annals")
        .run("backup shop.annals --out copy.annals --json")
        .compare("privacy");
}

#[test]
fn evidence() {
    let mut session = Transcript::on_guide();
    session.sandbox.write("seed", "07".repeat(32));
    let make = |session: &Transcript, more: &[&str], out: &str| {
        let fixed = [
            "evidence",
            "make",
            "guide.annals",
            "--seed",
            "seed",
            "--made-at",
            "2024-02-01",
            "--operator",
            "Ada",
            "--purpose",
            "case 12",
            "--out",
            out,
        ];
        let run = session.sandbox.run(&[&fixed[..], more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    make(&session, &["--stream", "order-789"], "order.zip");
    make(
        &session,
        &["--actor", "user-123", "--withhold", "data"],
        "actor.zip",
    );
    session.sandbox.write(
        "half.zip",
        &std::fs::read(session.sandbox.path().join("order.zip")).unwrap()[..900],
    );
    session
        .run("evidence verify order.zip")
        .run("evidence verify actor.zip")
        .run("evidence verify half.zip")
        .run("evidence verify half.zip --json")
        .run("evidence verify order.zip --key nonsense+1")
        .run("evidence verify nowhere.zip")
        .run("evidence make guide.annals --seed seed --out x.zip --first 60")
        .run("evidence make guide.annals --seed seed --out x.zip --withhold nonsense")
        .run("evidence make guide.annals --seed guide.annals --out x.zip")
        .run("evidence make guide.annals --seed seed --out guide.annals");
    session.compare("evidence");
}

#[test]
fn reports() {
    let mut t = Transcript::on_guide();
    t.sandbox.write(
        "mine.toml",
        annals_core::compliance::TemplateSet::shipped_text("actor-activity")
            .unwrap()
            .as_bytes(),
    );
    t.sandbox.write(
        "wrong.toml",
        b"version = \"1\"\ntitle = \"T\"\nregime = \"R\"\nabout = \"A\"\nretention = \"R\"\n[[sections]]\nid = \"a\"\ntitle = \"A\"\ntable = { source = \"events\", columns = [\"time\", \"whom\"], empty = \"-\" }\n",
    );
    t.run("report list")
        .run("report make guide.annals audit-trail --stream account-12345 --operator auditor --no-access-log --out a.csv")
        .run("report make guide.annals audit-trail --stream user-123 --operator auditor --purpose 'yearly review' --made-at 2025-11-01T00:00:00Z --out b.jsonl --json")
        .run("report make guide.annals basel-position --stream account-12345 --at 2024-01-10 --known 52 --operator auditor --no-access-log --out p.html")
        .run("report make guide.annals mifid-order-lifecycle --category order --set tier=hft --operator auditor --no-access-log --out m.xlsx")
        .run("report make guide.annals audit-trail --actor nobody --operator auditor --no-access-log --out nothing.csv")
        .run("report make guide.annals gdpr-subject --out d.html")
        .run("report make guide.annals sox-change-register --out d.html")
        .run("report make guide.annals audit-trial --out d.html")
        .run("report make guide.annals mifid-order-lifecycle --set tier=fast --out d.html")
        .run("report make guide.annals audit-trail --out d.docx")
        .run("report make guide.annals audit-trail --out guide.annals.csv --known 99")
        .run("report make guide.annals audit-trail --out missing/d.csv")
        .run("report make guide.annals audit-trail --reverse --out d.csv")
        .run("report check mine.toml")
        .run("report check wrong.toml")
        .run("report check wrong.toml --json")
        .run("report check missing.toml");
    for (name, text) in [
        ("a.csv", true),
        ("a.exceptions.csv", true),
        ("p.html", false),
        ("nothing.csv", true),
    ] {
        let bytes = std::fs::read(t.sandbox.path().join(name)).unwrap();
        assert_eq!(text, !bytes.starts_with(b"<!DOCTYPE html>"), "{name}");
        if text {
            t.note(&format!("{name}:\n{}", String::from_utf8(bytes).unwrap()));
        }
    }
    t.compare("report");
}

/// The words on the pages, as poppler reads them: a line of white space is one blank.
#[test]
fn report_as_pdf() {
    let mut t = Transcript::on_guide();
    let line = "report make guide.annals audit-trail --stream user-123 --operator auditor --no-access-log --out";
    let made = ["a.pdf", "b.pdf"].map(|file| {
        let words: Vec<&str> = line.split(' ').chain([file]).collect();
        let run = t.sandbox.run(&words);
        assert_eq!(run.code, 0, "{}", run.stderr);
        std::fs::read(t.sandbox.path().join(file)).unwrap()
    });
    assert!(made[0].starts_with(b"%PDF-1."), "it is a PDF");
    assert!(made[0] == made[1], "the same question, the same bytes");
    let read = std::process::Command::new("pdftotext")
        .args(["-raw", "a.pdf", "-"])
        .current_dir(t.sandbox.path())
        .output();
    let Ok(read) = read else {
        use std::io::Write as _;
        let mut told = std::io::stderr();
        told.write_all(b"skipped: there is no pdftotext\n").unwrap();
        return;
    };
    let text = String::from_utf8(read.stdout).unwrap();
    for page in text.split('\u{c}').filter(|page| !page.trim().is_empty()) {
        let lines = page
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        t.note(&lines.join("\n")).note("");
    }
    t.compare("report_pdf");
}

#[test]
fn verify_and_keys() {
    let mut t = Transcript::on_guide();
    t.sandbox.write("text.annals", "not a database");
    t.sandbox.write("odd.note", "annals/x\n52\n");
    t.run("verify guide.annals")
        .run("verify guide.annals --json")
        .run("verify guide.annals --against odd.note")
        .run("verify guide.annals --against none.note")
        .run("verify guide.annals --key annals/x+00000000+AAAA")
        .run("verify text.annals")
        .run("verify none.annals")
        .run("checkpoint guide.annals --list")
        .run("checkpoint guide.annals --list --json")
        .run("checkpoint guide.annals --cosigned odd.note")
        .run("key show guide.annals")
        .run("key show guide.annals --json")
        .run("key export guide.annals")
        .run("key rotate guide.annals --unprotected")
        .run("prove guide.annals 7 --out 7.tlog-proof")
        .run("prove guide.annals 99 --out 99.tlog-proof")
        .compare("verify");
}

#[test]
fn timestamp() {
    let mut t = Transcript::on_guide();
    t.run("timestamp request guide.annals --out c.tsq");
    let made = ["checkpoint", "guide.annals", "--unprotected"];
    assert_eq!(t.sandbox.run(&made).code, 0);
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../core/src/integrity/timestamp/vectors");
    for name in ["rsa.tsr", "rsa-root.pem"] {
        let bytes = std::fs::read(vectors.join(name)).unwrap();
        t.sandbox.write(name, bytes);
    }
    t.run("timestamp request guide.annals --out c.tsq")
        .run("timestamp request guide.annals --out c.tsq")
        .run("timestamp request guide.annals --out d.tsq --json")
        .run("timestamp request guide.annals --out e.tsq --checkpoint 7")
        .run("timestamp attach guide.annals c.tsr --authority rsa-root.pem")
        .run("timestamp attach guide.annals c.tsq --authority rsa-root.pem")
        .run("timestamp attach guide.annals rsa.tsr --authority rsa.tsr")
        .run("timestamp attach guide.annals rsa.tsr")
        .compare("timestamp");
}

#[test]
fn sql() {
    let mut t = Transcript::new();
    t.run("sample guide --out guide.annals")
        .run("sql guide.annals \"SELECT balance FROM account_at('2024-01-10')\"")
        .run("sql guide.annals \"SELECT balance FROM account_at('2024-01-10')\" --zone Asia/Tokyo --json")
        .run("sql guide.annals \"SELECT status, count(*) AS orders, dec_sum(total) AS total FROM order_at('2024-01-31') GROUP BY status\"")
        .run("sql guide.annals \"SELECT stream, value, since, until FROM history('account', 'balance') ORDER BY value DESC\"")
        .run("sql guide.annals \"SELECT stream, state FROM state_at('user', '2024-01-20', 30)\"")
        .run("sql guide.annals 'SELECT type, count(*) FROM events GROUP BY type ORDER BY 2 DESC, 1' --limit 3")
        .run("sql guide.annals 'SELECT sum(balance), balance * 2 AS twice FROM account_at()'")
        .run("sql guide.annals \"SELECT NULL AS n, x'00ff' AS bytes, 1.5 AS r, 'a' || char(8238) || 'b' AS t\"")
        .run("sql guide.annals \"SELECT NULL AS n, x'00ff' AS bytes, 1.5 AS r, 'a' AS t\" --json")
        .run("sql guide.annals --schema")
        .run("sql guide.annals 'DELETE FROM events'")
        .run("sql guide.annals \"ATTACH 'guide.annals' AS log\"")
        .run("sql guide.annals 'PRAGMA journal_mode = DELETE'")
        .run("sql guide.annals \"SELECT load_extension('x')\"")
        .run("sql guide.annals \"SELECT date('now')\"")
        .run("sql guide.annals 'SELECT 1; SELECT 2'")
        .run("sql guide.annals 'SELECT statu FROM order_at()' --json")
        .run("sql guide.annals 'SELECT * FROM order_at() WHERE status = \"Shipped\"'")
        .run("sql guide.annals 'SELECT * FROM ordr_at()'")
        .run("sql guide.annals \"SELECT * FROM order_at('2024-02-31')\"")
        .run("sql guide.annals 'SELECT * FROM (SELECT 1'")
        .run("sql guide.annals ''")
        .run("sql guide.annals 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n' --timeout 1")
        .run("sql guide.annals 'SELECT position, type FROM events WHERE position < 4' --save first")
        .run("sql guide.annals 'SELECT 1' --save first")
        .run("sql guide.annals 'SELECT 1' --save ../first")
        .run("sql guide.annals 'SELECT balance FROM account_at(:at)' --at 2024-01-09 --save balance")
        .run("sql guide.annals --saved balance --at 2024-01-10")
        .run("sql guide.annals 'SELECT ?1'")
        .run("sql guide.annals --list")
        .run("sql guide.annals --saved first --out first.csv")
        .run("sql guide.annals --saved first --out first.jsonl --json")
        .run("sql guide.annals --saved second")
        .run("sql guide.annals --saved first --out first.pdf")
        .run("sql guide.annals")
        .compare("sql");
}

/// An object-centric log: objects by type, one with its attributes over time and its events across streams.
#[test]
fn objects() {
    let mut t = Transcript::new();
    t.sandbox.write("shop.json", OCEL);
    t.run("import shop.json --into shop.annals")
        .run("objects shop.annals")
        .run("objects shop.annals --type item --json")
        .run("objects shop.annals --at 2024-01-15 --limit 1")
        .run("objects shop.annals --object i-1")
        .run("objects shop.annals --object i-1 --at 2024-01-15 --json")
        .run("objects shop.annals --object i-1 --limit 1")
        .run("objects shop.annals --object i-1 --limit 1 --after x")
        .run("objects shop.annals --object nobody")
        .run("events shop.annals --object i-1")
        .run("show shop.annals 3")
        .run("export shop.annals --object o-1 --format ocel-json --out -")
        .compare("objects");
}

const OCEL: &str = r#"{"objectTypes":[],"eventTypes":[],
"objects":[
 {"id":"i-1","type":"item","attributes":[{"name":"price","time":"1970-01-01T00:00:00Z","value":103.470},{"name":"price","time":"2024-02-01T00:00:00Z","value":105.47}],
  "relationships":[{"objectId":"o-1","qualifier":"part of"}]},
 {"id":"o-1","type":"order","attributes":[],"relationships":[]}],
"events":[
 {"id":"e-1","type":"place order","time":"2024-01-01T00:00:00Z","attributes":[{"name":"total","value":103.47}],
  "relationships":[{"objectId":"o-1","qualifier":"order"},{"objectId":"i-1","qualifier":"item"},{"objectId":"gone","qualifier":"gift"}]},
 {"id":"e-2","type":"pick item","time":"2024-03-01T00:00:00Z","attributes":[],"relationships":[{"objectId":"i-1","qualifier":"picked"}]}]}
"#;

/// How a file is read, kept beside a store: the next of its kind is known by it.
#[test]
fn own_preset() {
    let mut t = Transcript::new();
    t.sandbox.write(
        "kasse.jsonl",
        "{\"Beleg\":\"B-1\",\"Vorgang\":\"Verkauf\",\"Wann\":\"2024-01-11T10:30:00Z\",\"Wer\":{\"Name\":\"ann\"}}\n",
    );
    t.sandbox.write(
        "kasse.toml",
        "[event]\nstream = \"{Beleg}\"\ntype = \"{Vorgang}\"\ntime = \"{Wann}\"\nactor = \"{Wer.Name}\"\n",
    );
    t.run("import kasse.jsonl --explain --beside shop.annals --map kasse.toml --save-preset kasse")
        .run("import kasse.jsonl --explain --beside shop.annals --map kasse.toml --save-preset kasse")
        .run("import kasse.jsonl --into shop.annals")
        .run("events shop.annals");
    t.note(
        &std::fs::read_to_string(t.sandbox.path().join("shop.annals.d/presets/kasse.toml"))
            .unwrap(),
    );
    t.compare("own_preset");
}
