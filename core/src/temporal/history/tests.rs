//! What a history of events out of order costs, and how it ends where that is too much.

use super::*;
use crate::event::NewEvent;
use crate::model::Model;
use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::temporal::{AsOf, state};
use crate::time::SourceTime;

const PLENTY: Budget = Budget {
    again: u64::MAX,
    bytes: usize::MAX,
};

/// A list that grows, events at these seconds.
struct Desk {
    _folder: tempfile::TempDir,
    writer: LogWriter,
    models: ModelSet,
}

fn second(second: i64) -> Time {
    Time::from_parts(second * 1_000_000, 0).unwrap()
}

impl Desk {
    fn new(seconds: &[i64]) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.annals");
        let writer = LogWriter::create(&file, Surroundings::fixed(second(0), 1)).unwrap();
        let events = seconds.iter().enumerate().map(|(n, at)| {
            let mut event = NewEvent::json("A", format!(r#"{{"n":{n}}}"#).as_str()).unwrap();
            event.time = Some(SourceTime::unwritten(second(*at)));
            event
        });
        let append = StreamAppend {
            stream: "l-1".parse().unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: events.collect(),
        };
        writer.append(vec![append]).unwrap();
        let mut models = ModelSet::default();
        let text = "category = 'l'\n[on.A]\n'l.push' = 'data.n'\nlast = 'data.n'\n";
        models.add(Model::parse("l", text).unwrap()).unwrap();
        Desk {
            _folder: folder,
            writer,
            models,
        }
    }

    fn ask(
        &self,
        path: &str,
        budget: Budget,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<HistoryView, TemporalError> {
        let (stream, path) = ("l-1".parse().unwrap(), path.parse().unwrap());
        let now = Moment::AsOf(AsOf::default());
        within(
            &self.writer.log(),
            &self.models,
            &stream,
            &path,
            &now,
            usize::MAX,
            budget,
            go_on,
        )
    }

    /// That every value is what the state as of its instant holds.
    fn prove(&self, view: &HistoryView, path: &str) {
        let path: FieldPath = path.parse().unwrap();
        for (n, span) in view.values.iter().enumerate() {
            // Of several with one instant, the last holds.
            if view
                .values
                .get(n + 1)
                .is_some_and(|next| next.from == span.from)
            {
                continue;
            }
            let moment = Moment::AsOf(AsOf {
                at: Some(span.from),
                known: None,
            });
            let stream = "l-1".parse().unwrap();
            let then = state(&self.writer.log(), &self.models, &stream, &moment).unwrap();
            let then = then.value().unwrap();
            let held = span.value.as_ref().map(|value| value.get().to_owned());
            assert_eq!(held, path.get(&then).map(Value::to_string));
        }
    }
}

#[test]
fn one_late_event_costs_one_event_again_for_each_that_follows() {
    let mut seconds: Vec<i64> = (0..600).collect();
    seconds.push(10);
    let desk = Desk::new(&seconds);
    let mut folded = 0;
    // Each of the 589 that happened after the late one goes in before it, so that is folded again for each.
    let enough = Budget {
        again: 590,
        bytes: usize::MAX,
    };
    let view = desk
        .ask("l", enough, &mut |n| {
            folded = n;
            true
        })
        .unwrap();
    assert!(!view.incomplete && view.findings.iter().all(|f| f.kind != FindingKind::NotTold));
    assert_eq!(view.values_count, 601);
    assert!(folded <= 601 * 3, "{folded}");
    desk.prove(&view, "l");
    let short = desk.ask("last", PLENTY, &mut |_| true).unwrap();
    desk.prove(&short, "last");
}

#[test]
fn folding_again_holds_few_bytes_and_says_the_same() {
    let seconds: Vec<i64> = (0..60).map(|n| n * 37 % 61).collect();
    let desk = Desk::new(&seconds);
    for path in ["l", "last", "l[3]", ""] {
        let plenty = desk.ask(path, PLENTY, &mut |_| true).unwrap();
        desk.prove(&plenty, path);
        for bytes in [0, 300, 3_000] {
            let budget = Budget { bytes, ..PLENTY };
            let tight = desk.ask(path, budget, &mut |_| true).unwrap();
            let text = |view: &HistoryView| serde_json::to_string(view).unwrap();
            assert_eq!(text(&tight), text(&plenty));
        }
    }
}

#[test]
fn a_history_that_would_cost_too_much_says_from_where_on_it_is_not_told() {
    let seconds: Vec<i64> = (0..100).rev().collect();
    let desk = Desk::new(&seconds);
    let budget = Budget {
        again: 1_000,
        bytes: usize::MAX,
    };
    let view = desk.ask("last", budget, &mut |_| true).unwrap();
    let said = view
        .findings
        .iter()
        .find(|f| f.kind == FindingKind::NotTold)
        .unwrap();
    // 0 + 1 + … + 45 is more than 1,000.
    assert_eq!((said.severity, said.count), (Severity::Severe, 54));
    assert_eq!(said.place.version, Some(Version(54)));
    assert!(
        said.detail
            .starts_with("the history is told up to 1970-01-01T00:00:46"),
        "{}",
        said.detail
    );
    let last = view.values.last().unwrap();
    assert_eq!((last.to, last.to_version), (Some(second(46)), None));
    assert!(view.incomplete);
    desk.prove(&view, "last");
    assert!(desk.ask("last", PLENTY, &mut |n| n < 2_000).is_err());
}
