//! Walks through the main views of the app on a virtual display and saves a screenshot of each, and an
//! export: `tour --app PROGRAM --out FOLDER [--store STORE]`. Where a store is named it is only looked at;
//! otherwise the guide's sample is made afresh, and the tour imports into it.
#![expect(clippy::print_stdout, reason = "the tour tells where its pictures lie")]

use std::path::{Path, PathBuf};

use annals_tests::Outcome;
use annals_tests::webdriver::key;
use annals_tests::window::Window;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map(PathBuf::from)
    };
    let app = after("--app").ok_or("usage: tour --app PROGRAM --out FOLDER [--store STORE]")?;
    let folder = std::path::absolute(after("--out").ok_or("--out FOLDER is missing")?)?;
    // Nothing of an earlier tour may be taken for this one's.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let home = tempfile::tempdir()?;
    let tour = Tour {
        window: Window::open(&app, home.path(), &[])?,
        folder,
        taken: std::cell::Cell::new(0),
    };
    match after("--store") {
        Some(store) => tour.of_a_store(&std::path::absolute(store)?),
        None => tour.of_the_sample(),
    }
}

struct Tour {
    window: Window,
    folder: PathBuf,
    taken: std::cell::Cell<u32>,
}

impl Tour {
    /// The guide's sample, with every view and an import.
    fn of_the_sample(&self) -> Outcome {
        let window = &self.window;
        window.get("start-sample")?;
        self.picture("start")?;
        window.click("start-sample")?;
        window.get("timebar")?;
        window.click("rail-overview")?;
        window.get("overview-events")?;
        self.picture("overview")?;

        window.click("rail-streams")?;
        window.get("stream-row")?;
        self.picture("streams")?;
        window.fill("streams-filter", "account-12345")?;
        window.click(r#"stream-row[data-stream="account-12345"]"#)?;
        window.text_when(r#"state-value[data-path="balance"]"#, |shown| {
            shown.contains("1247.83")
        })?;
        self.picture("stream-live")?;
        window.fill("timebar-input", "2024-01-10")?;
        window.session.press(&key::ENTER.to_string())?;
        window.text_when("asof-label", |label| label.contains("AS OF"))?;
        window.text_when("state-asof", |shown| shown.contains("2024-01-10"))?;
        self.picture("stream-as-of")?;
        window.click("live-button")?;
        window.click(r#"history-row[data-version="4"]"#)?;
        window.text_when("state-asof", |shown| shown.starts_with("Version 4 "))?;
        window.get("diff-panel")?;
        self.picture("diff")?;

        self.explained()?;

        window.go("#/events")?;
        window.get("event-row")?;
        self.picture("events")?;
        window.go("#/events?category=account")?;
        window.text_when("events-count", |shown| shown.contains("match"))?;
        self.picture("events-filtered")?;
        self.export("account-events.jsonl")?;
        window.click("event-row")?;
        window.session.press(&key::ENTER.to_string())?;
        window.get("event-detail")?;
        self.picture("event-detail")?;

        window.go("#/events?text=John")?;
        window.get("search-hit")?;
        self.picture("search")?;
        window.session.press_with_control('k')?;
        window.get("palette-input")?;
        window.session.press("order")?;
        window.text_when("palette-item", |shown| shown.contains("rder"))?;
        self.picture("palette")?;
        window.session.press(&key::ESCAPE.to_string())?;
        window.go("#/integrity")?;
        window.click("verify-run")?;
        window.get("verify-result")?;
        self.picture("integrity")?;
        window.go("#/reports?template=audit-trail")?;
        window.get("report-page")?;
        window.text_when("preview-says", |shown| shown.contains("events"))?;
        self.picture("reports")?;
        window.go("#/settings")?;
        window.get("settings-purpose")?;
        self.picture("settings")?;

        let table = self.folder.join("tickets.csv");
        std::fs::write(&table, TICKETS)?;
        window.click("rail-import")?;
        window.fill("import-paths", &table.display().to_string())?;
        window.get("import-becomes")?;
        self.picture("import")?;
        window.click("import-column-note")?;
        window.get("menu-item")?;
        self.picture("import-column")?;
        window.session.press(&key::ESCAPE.to_string())?;
        let events = self.folder.join("parcels.jsonl");
        std::fs::write(&events, PARCELS)?;
        window.fill("import-paths", &events.display().to_string())?;
        window.get("import-becomes")?;
        window.click("import-target-current")?;
        window.click("import-run")?;
        window.get("import-report")?;
        self.picture("import-report")?;

        window.click("theme-toggle")?;
        self.picture("import-report-other-theme")?;
        window.go("#/overview")?;
        window.get("overview-events")?;
        self.picture("overview-other-theme")?;
        window.go("#/reports?template=audit-trail")?;
        window.text_when("preview-says", |shown| shown.contains("events"))?;
        self.picture("reports-other-theme")?;
        window.go("#/integrity")?;
        window.click("verify-run")?;
        window.get("verify-result")?;
        self.picture("integrity-other-theme")?;
        window.go("#/stream/account-12345?at=2024-01-10T23:59:59.999999999Z")?;
        window.text_when("state-asof", |shown| shown.contains("2024-01-10"))?;
        self.picture("stream-as-of-other-theme")?;
        window.go("#/events?text=John")?;
        window.get("search-hit")?;
        self.picture("search-other-theme")?;
        window.click("rail-import")?;
        window.click("import-other")?;
        window.fill("import-paths", &table.display().to_string())?;
        window.get("import-becomes")?;
        self.picture("import-other-theme")?;
        for (name, hash, ready) in [
            ("events", "#/events", "event-row"),
            ("event-detail", "#/events?e=6", "event-detail"),
            ("streams", "#/streams", "stream-row"),
            ("why", "#/stream/account-12345?why=balance", "why-sum"),
            (
                "what-if",
                "#/stream/account-12345?why=balance&side=whatif&without=6",
                "whatif-change",
            ),
            (
                "history-of-a-value",
                "#/stream/account-12345?why=balance&side=history",
                "history-value",
            ),
            (
                "pinned",
                "#/stream/account-12345?pin=user-123",
                "pinned-asof",
            ),
            (
                "related",
                "#/stream/order-789?side=related&of=12",
                "cause-row",
            ),
            ("model", "#/models?model=account", "preview-value"),
            ("shapes", "#/models?shapes=*", "shapes-looked"),
            (
                "question",
                "#/questions?q=balance%20of%20account-12345%20on%202024-01-10",
                "answer-reading",
            ),
            (
                "sql",
                "#/sql?q=SELECT%20*%0AFROM%20account_at(:at)&at=2024-01-10",
                "sql-row",
            ),
            (
                "question-over-time",
                "#/questions?q=count%20user%20during%202024-01",
                "answer-picture",
            ),
            ("dashboard", "#/dashboards?at=2024-01-10", "dashboard-mark"),
            (
                "projections",
                "#/dashboards?projections=all",
                "projection-row",
            ),
            ("settings", "#/settings", "settings-purpose"),
        ] {
            window.go(hash)?;
            window.get(ready)?;
            self.picture(&format!("{name}-other-theme"))?;
        }
        window.session.press_with_control('k')?;
        window.get("palette-input")?;
        self.picture("palette-other-theme")
    }

    /// Why a value is what it is, its history, what if not; two streams at one instant; a model being written.
    fn explained(&self) -> Outcome {
        let window = &self.window;
        window.go("#/stream/account-12345?why=balance")?;
        window.text_when("why-sum", |shown| shown.contains("1247.83"))?;
        self.picture("why")?;
        window.click("contribution-leave-out")?;
        window.get("whatif-change")?;
        self.picture("what-if")?;
        window.go("#/stream/account-12345?why=balance&side=history&at=2024-01-10")?;
        window.get("history-value")?;
        self.picture("history-of-a-value")?;
        window.go("#/stream/account-12345?pin=user-123&at=2024-01-10")?;
        window.get("pinned-asof")?;
        self.picture("pinned")?;
        window.go("#/stream/order-789?side=related&of=12")?;
        window.get("cause-row")?;
        self.picture("related")?;
        window.go("#/sql?q=SELECT%20*%0AFROM%20account_at(:at)&at=2024-01-10")?;
        window.click("sql-row")?;
        window.text_when("sql-row-whole", |shown| shown.contains("1450.00"))?;
        self.picture("sql")?;
        window.go("#/questions?q=balance%20of%20account-12345%20on%202024-01-10")?;
        window.get("answer-reading")?;
        self.picture("question")?;
        window.go("#/dashboards?at=2024-01-10")?;
        window.get("dashboard-mark")?;
        self.picture("dashboard")?;
        window.go("#/questions?q=count%20user%20during%202024-01")?;
        window.get("answer-picture")?;
        self.picture("question-over-time")?;
        window.go("#/dashboards?projections=all")?;
        window.get("projection-row")?;
        self.picture("projections")?;
        window.go("#/models?model=account&stream=account-12345")?;
        window.get(r#"model-editor[data-ready="true"]"#)?;
        window.text_when(r#"preview-value[data-path="balance"]"#, |shown| {
            shown.contains("1247.83")
        })?;
        self.picture("model")?;
        window.go("#/models?shapes=user")?;
        window.get("shape-field")?;
        self.picture("shapes")
    }

    /// A store of the user's: looked at, and exported. Nothing is written to it.
    fn of_a_store(&self, store: &Path) -> Outcome {
        let window = &self.window;
        window.fill("start-open-path", &store.display().to_string())?;
        window.click("start-open")?;
        window.get("overview-events")?;
        self.picture("overview")?;
        window.click("rail-streams")?;
        window.get("streams-count")?;
        self.picture("streams")?;
        if let Some(row) = window.session.find("[data-testid=stream-row]")? {
            window.session.click(&row)?;
            window.get("state-asof")?;
            self.picture("stream")?;
        }
        window.click("rail-events")?;
        window.text_when("events-count", |shown| shown.contains("event"))?;
        self.picture("events")?;
        self.export("events.jsonl")
    }

    /// Exports what the list of events shows.
    fn export(&self, name: &str) -> Outcome {
        let file = self.folder.join(name);
        self.window.click("export-open")?;
        self.window
            .fill("export-path", &file.display().to_string())?;
        self.window.click("export-run")?;
        self.window.get("export-result")?;
        self.picture("export")?;
        println!("{}", file.display());
        self.window.session.press(&key::ESCAPE.to_string())
    }

    fn picture(&self, name: &str) -> Outcome {
        self.taken.set(self.taken.get() + 1);
        let file = self
            .folder
            .join(format!("{:02}-{name}.png", self.taken.get()));
        self.window.save_screenshot(&file)?;
        println!("{}", file.display());
        Ok(())
    }
}

/// A table with decimal commas, a row that is too short and one without its time.
const TICKETS: &str = "ticket_id;activity;timestamp;user;amount;note
4711;Opened;2024-03-01 08:12:00;m\u{fc}ller;1.249,50;\"urgent; customer waits\"
4711;Checked;2024-03-01 09:40:11;\u{d6}Z;1.249,50;
4712;Opened;2024-03-01 09:41:00;m\u{fc}ller;17,00;NULL
4713;Opened
4711;Paid;2024-03-02 14:05:59;system;123456789012345678901234567890,01;thirty digits
4712;Closed;;\u{d6}Z;17,00;no time
";

/// Three lines to import, one of which cannot be taken.
const PARCELS: &str = r#"{"eventId":"p-1","aggregateId":"parcel-1","eventType":"ParcelSent","timestamp":"2024-02-01T08:00:00Z","version":1,"data":{"weight":2.50},"metadata":{"userId":"ada"}}
{"eventId":"p-2","aggregateId":"parcel-1", this line is broken
{"eventId":"p-3","aggregateId":"parcel-1","eventType":"ParcelDelivered","timestamp":"2024-02-03T08:00:00","version":2,"data":{"signedBy":"Ada"}}
"#;
