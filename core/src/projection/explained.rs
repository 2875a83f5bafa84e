//! Why a value in a document is what it is, and every value that it had.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::documents::known_of;
use super::engine::Projections;
use super::{DocumentQuery, DocumentsView, Projection, ProjectionError};
use crate::finding::{Finding, Findings, Severity};
use crate::model::{FieldPath, Fold, KeyedFault, ModelRef, Step};
use crate::position::Position;
use crate::store::StreamEvent;
use crate::temporal::{
    AsOf, AsOfView, Asked, At, BUDGET, Contribution, Each, EarlierView, Explained, FieldRead,
    SetByView, Spanned, ValueSpan, When, WhyKind, explain, kind_of, near, not_told, raw, read,
    spans,
};

/// Events read at once.
const PAGE: usize = 1_024;

/// Why a value in a document is what it is: `annals projection why --json`. Versions are those of the events' own
/// streams.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DocumentWhyView {
    /// Name of the projection.
    pub projection: String,
    /// Key of the document.
    pub key: String,
    /// Path of the value in the document; empty for the whole.
    pub path: String,
    /// What kind of value it is.
    pub kind: WhyKind,
    /// The value; `null` where there is none (see `kind`).
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// How it is derived from other fields; `null` where it is kept. What is derived is set by no event: ask for the
    /// fields that it reads.
    pub derived: Option<DerivedView>,
    /// The last event that changed it; `null` where none did.
    pub set_by: Option<SetByView>,
    /// How many later events set it again to what it was.
    #[ts(type = "number")]
    pub confirmed: u64,
    /// The last of them.
    pub last_confirmed: Option<Position>,
    /// The events that it comes from, oldest first. Of a number's, the newest that fit the limit.
    pub contributions: Vec<Contribution>,
    /// How many there are.
    #[ts(type = "number")]
    pub contributions_count: u64,
    /// Contributions before those listed, taken together; `null` if all are listed.
    pub earlier: Option<EarlierView>,
    /// A number's deltas added up, the earlier ones included: the value. `null` for other kinds, and where a sum on
    /// the way has more than 28 digits.
    #[ts(type = "unknown")]
    pub sum: Option<Box<RawValue>>,
    /// What the handler of `set_by` did with the field: `set`, `add`…; empty if there is no such event.
    pub operation: String,
    /// The expression of that line of the definition.
    pub expression: Option<String>,
    /// The condition of that handler; `null` if it has none.
    pub guard: Option<String>,
    /// Fields that the two read, with their values.
    pub fields: Vec<FieldRead>,
    /// The definition used.
    pub model: ModelRef,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Number of events that belong to the document as of the instant.
    #[ts(type = "number")]
    pub inputs: u64,
    /// Number of events looked at to find them; those that are kept with the document are not looked for.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// An event could not be folded, so the answer may miss what it would have done.
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// How a field is derived.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DerivedView {
    /// The field.
    pub field: String,
    /// Its expression.
    pub expression: String,
    /// Fields that it reads, with their values.
    pub fields: Vec<FieldRead>,
}

/// Every value that a place in a document had: `annals projection history --json`. Versions are those of the events'
/// own streams.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DocumentHistoryView {
    /// Name of the projection.
    pub projection: String,
    /// Key of the document.
    pub key: String,
    /// Path in the document; empty for the whole of what is kept.
    pub path: String,
    /// The values, oldest first: the newest that fit the limit. Each holds from its own instant, inclusive, to the
    /// next one's, exclusive; of several with one instant each holds until the next event.
    pub values: Vec<ValueSpan>,
    /// How many there are.
    #[ts(type = "number")]
    pub values_count: u64,
    /// The definition used.
    pub model: ModelRef,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Number of events that belong to the document as of the instant.
    #[ts(type = "number")]
    pub inputs: u64,
    /// Number of events looked at to find them; those that are kept with the document are not looked for.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// An event could not be folded, so values from there on may miss what it would have done; or the history is not
    /// told to the end.
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// A document that is asked about, and the events that belong to it.
struct Subject<'a> {
    all: &'a Projections,
    projection: Arc<Projection>,
    key: &'a str,
    /// It as of the instant; `None` where it is not there.
    view: Arc<DocumentsView>,
    positions: Vec<Position>,
    examined: u64,
}

impl Projections {
    /// Why the value at a path of a document is what it is as of an instant. At most `limit` contributions are listed,
    /// the newest; the others are counted and added up.
    ///
    /// # Errors
    /// [`ProjectionError::NoDocument`] if no event up to the instant belongs to such a document,
    /// [`ProjectionError::NoPath`] if the path is not in it and never was; and as [`Projections::documents`].
    ///
    /// ```
    /// use annals_core::model::FieldPath;
    /// use annals_core::projection::{Projection, ProjectionSet, Projections};
    /// use annals_core::{store::Log, surroundings::Surroundings, temporal::{AsOf, CONTRIBUTIONS}};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = folder.path().join("guide.annals");
    /// annals_core::sample::guide(&store)?;
    /// let mut set = ProjectionSet::default();
    /// set.add(Projection::parse("emails", "key = \"event.stream\"\n[on.EmailChanged]\nemail = \"data.newEmail\"")?)?;
    /// let projections = Projections::open(&Log::explore(&store)?, set, None, Surroundings::system().clock);
    /// let path: FieldPath = "email".parse()?;
    /// let why = projections.why("emails", "user-123", &path, &AsOf::default(), CONTRIBUTIONS)?;
    /// assert_eq!(why.set_by.unwrap().event_type, "EmailChanged");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn why(
        &self,
        name: &str,
        key: &str,
        path: &FieldPath,
        as_of: &AsOf,
        limit: usize,
    ) -> Result<DocumentWhyView, ProjectionError> {
        let subject = self.subject(name, key, as_of)?;
        let mut findings = Findings::default();
        let mut incomplete = subject.view.incomplete;
        let mut failed = false;
        let derived = subject.derived(path)?;
        let explained = match &derived {
            Some(_) => {
                let value = subject.shown(path)?;
                Explained {
                    kind: value.as_ref().map_or(WhyKind::Nothing, kind_of),
                    value: value.as_ref().map(raw),
                    set_by: None,
                    confirmed: 0,
                    last_confirmed: None,
                    contributions: Vec::new(),
                    contributions_count: 0,
                    earlier: None,
                    sum: None,
                    account: crate::model::Account::default(),
                }
            }
            None => {
                let pass = &mut |each: &mut Each<'_>| {
                    findings = Findings::default();
                    let end = subject.pass(&mut findings, each)?;
                    failed = end.incomplete();
                    Ok(end)
                };
                explain::<ProjectionError>(path, limit, pass)?
                    .map_err(|near| subject.no_path(path, near))?
            }
        };
        let findings = findings.into_vec();
        incomplete |= failed;
        let Explained {
            kind,
            value,
            set_by,
            confirmed,
            last_confirmed,
            contributions,
            contributions_count,
            earlier,
            sum,
            account,
        } = explained;
        let last_confirmed = last_confirmed.and_then(|(turn, _)| usize::try_from(turn).ok());
        Ok(DocumentWhyView {
            projection: subject.projection.name().to_owned(),
            key: key.to_owned(),
            path: path.to_string(),
            kind,
            value,
            derived,
            set_by,
            confirmed,
            last_confirmed: last_confirmed
                .and_then(|turn| subject.positions.get(turn))
                .copied(),
            contributions,
            contributions_count,
            earlier,
            sum,
            operation: account.operation.to_owned(),
            expression: account.expression,
            guard: account.guard,
            fields: read(account.fields),
            model: subject.projection.reference(),
            as_of: subject.view.as_of.clone(),
            reading: None,
            inputs: subject.positions.len() as u64,
            events_examined: subject.examined,
            incomplete,
            findings,
        })
    }

    /// Every value that a place in a document had up to an instant: at any earlier one what the document as of that
    /// says. At most `limit` of them are listed, the newest. `go_on` is told the number of events folded and stops the
    /// work by saying no.
    ///
    /// # Errors
    /// As [`Projections::why`]; [`crate::store::ReadError::Cancelled`] if the work was stopped.
    pub fn history(
        &self,
        name: &str,
        key: &str,
        path: &FieldPath,
        as_of: &AsOf,
        limit: usize,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<DocumentHistoryView, ProjectionError> {
        let subject = self.subject(name, key, as_of)?;
        let projection = &subject.projection;
        let is_derived = subject.derived_field(path).is_some();
        let look = |fold: &Fold| {
            let (document, _) = projection.document(fold.shared_state());
            path.get(&document).cloned()
        };
        let asked = Asked {
            path,
            limit,
            budget: BUDGET,
            look: is_derived.then_some(&look),
        };
        let apply = |fold: &mut Fold, event: &StreamEvent| {
            let before = fold.before();
            subject.apply(fold, event, &mut Findings::default());
            before
        };
        let (mut findings, mut end) = (Findings::default(), None);
        let Spanned {
            values,
            values_count,
            stop,
        } = spans(
            &asked,
            Fold::new(Arc::clone(projection.model())),
            &apply,
            &mut |each| -> Result<(), ProjectionError> {
                findings = Findings::default();
                end = Some(subject.pass(&mut findings, each)?);
                Ok(())
            },
            &mut || subject.events(),
            go_on,
        )?;
        let mut findings = findings.into_vec();
        let failed = end.as_ref().is_some_and(Fold::incomplete);
        let incomplete = subject.view.incomplete || failed || stop.is_some();
        if let Some(stop) = &stop {
            findings.push(not_told(None, stop, BUDGET));
        } else if values_count == 0 {
            let state = end.as_ref().map(Fold::state);
            let near = state.map_or_else(Vec::new, |state| near(state, path));
            return Err(subject.no_path(path, near));
        }
        Ok(DocumentHistoryView {
            projection: projection.name().to_owned(),
            key: key.to_owned(),
            path: path.to_string(),
            values,
            values_count,
            model: projection.reference(),
            as_of: subject.view.as_of.clone(),
            reading: None,
            inputs: subject.positions.len() as u64,
            events_examined: subject.examined,
            incomplete,
            findings,
        })
    }

    fn subject<'a>(
        &'a self,
        name: &str,
        key: &'a str,
        as_of: &AsOf,
    ) -> Result<Subject<'a>, ProjectionError> {
        let projection = self.set.get(name)?;
        let query = DocumentQuery {
            key: Some(key.to_owned()),
            ..DocumentQuery::default()
        };
        // `known` is held against the log before anything else.
        let known = known_of(&self.log, as_of)?;
        let view = self.remembered(name, as_of, &query)?;
        if view.documents.is_empty() {
            return Err(ProjectionError::NoDocument {
                projection: projection.name().to_owned(),
                key: key.to_owned(),
            });
        }
        // Where the projection stopped, nothing after it counts.
        let known = known.min(view.position);
        let inputs = self.inputs(&projection, key, as_of.at, known)?;
        Ok(Subject {
            all: self,
            projection,
            key,
            examined: inputs.examined,
            positions: inputs.positions,
            view,
        })
    }
}

impl Subject<'_> {
    /// Goes through the events of the document, from the first; the fold at the end.
    fn pass(&self, findings: &mut Findings, each: &mut Each<'_>) -> Result<Fold, ProjectionError> {
        let mut fold = Fold::new(Arc::clone(self.projection.model()));
        let mut turn = 0;
        for page in self.positions.chunks(PAGE) {
            for event in self.all.log.events_at(page)? {
                let event = StreamEvent::at_home(event);
                let time = event.event.time.time;
                let mut see = |when, fold: &Fold| {
                    let at = At {
                        fold,
                        turn,
                        time,
                        key: Some(self.key),
                    };
                    each(when, &at, &event)
                };
                see(When::Before, &fold);
                self.apply(&mut fold, &event, findings);
                if !see(When::After, &fold) {
                    return Ok(fold);
                }
                turn += 1;
            }
        }
        Ok(fold)
    }

    /// All events of the document.
    fn events(&self) -> Result<Vec<StreamEvent>, ProjectionError> {
        let mut events = Vec::with_capacity(self.positions.len());
        for page in self.positions.chunks(PAGE) {
            events.extend(
                self.all
                    .log
                    .events_at(page)?
                    .into_iter()
                    .map(StreamEvent::at_home),
            );
        }
        Ok(events)
    }

    fn apply(&self, fold: &mut Fold, event: &StreamEvent, findings: &mut Findings) {
        let fault = match self.projection.read(event, findings) {
            Some(Ok(keyed)) => fold.apply_keyed(&keyed, self.key).err(),
            Some(Err(fault)) => Some(fault),
            None => None,
        };
        if let Some(fault) = fault {
            fold.mark_incomplete();
            let KeyedFault {
                kind,
                place,
                detail,
            } = *fault;
            findings.add_cause(kind, Severity::Severe, place, detail);
        }
    }

    /// The value at a path of the document as it is shown.
    fn shown(&self, path: &FieldPath) -> Result<Option<Value>, ProjectionError> {
        let Some(row) = self.view.documents.first() else {
            return Ok(None);
        };
        let state = crate::model::json::parse_state(row.state.get());
        match state.as_ref().and_then(|state| path.get(state)) {
            Some(value) => Ok(Some(value.clone())),
            // It could not be derived, or is not shown.
            None => Ok(None),
        }
    }

    /// The derived field that a path begins with.
    fn derived_field(&self, path: &FieldPath) -> Option<usize> {
        let Some(Step::Key(first)) = path.0.first() else {
            return None;
        };
        let mut derived = self.projection.derived().iter();
        derived.position(|(name, _)| name == first)
    }

    /// How the value at a path is derived; `None` if it is kept.
    fn derived(&self, path: &FieldPath) -> Result<Option<DerivedView>, ProjectionError> {
        let Some(at) = self.derived_field(path) else {
            return Ok(None);
        };
        let fold = self.pass(&mut Findings::default(), &mut |_, _, _| true)?;
        let (name, expression) = &self.projection.derived()[at];
        let whole = self.projection.with_derived(fold.shared_state());
        let mut fields: Vec<FieldRead> = Vec::new();
        for (_, path) in expression.paths() {
            let written = format!("state.{path}");
            if !fields.iter().any(|field| field.path == written) {
                fields.push(FieldRead {
                    path: written,
                    value: path.get(&whole).map(raw),
                    assumed: None,
                });
            }
        }
        Ok(Some(DerivedView {
            field: name.clone(),
            expression: expression.text().to_owned(),
            fields,
        }))
    }

    fn no_path(&self, path: &FieldPath, near: Vec<String>) -> ProjectionError {
        ProjectionError::NoPath {
            projection: self.projection.name().to_owned(),
            key: self.key.to_owned(),
            path: path.to_string(),
            near,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::ProjectionSet;
    use crate::projection::tests::{set, store};
    use crate::store::Log;
    use crate::surroundings::Surroundings;
    use crate::temporal::CONTRIBUTIONS;
    use crate::time::Time;

    const CUSTOMERS: &str = r#"
key = "data.customer"
show = ["orders", "spent", "average"]

[on.OrderPlaced]
customer      = "event.key"
"orders.push" = "event.stream"
"spent.add"   = "data.total"

[derived]
average = "round(state.spent / state.orders.len(), 2)"
"#;

    /// Orders of two customers; the third event happened before the second, and the last cannot be folded.
    const ORDERS: [(&str, &str, &str, &str); 6] = [
        (
            "order-1",
            "OrderPlaced",
            "2024-01-10T10:00:00Z",
            r#"{"customer": "a", "total": 10.00}"#,
        ),
        (
            "order-2",
            "OrderPlaced",
            "2024-01-12T10:00:00Z",
            r#"{"customer": "a", "total": 5.50}"#,
        ),
        (
            "order-3",
            "OrderPlaced",
            "2024-01-11T10:00:00Z",
            r#"{"customer": "a", "total": 1.25}"#,
        ),
        (
            "order-4",
            "OrderPlaced",
            "2024-01-13T10:00:00Z",
            r#"{"customer": "b", "total": 99}"#,
        ),
        ("order-5", "Unrelated", "2024-01-13T11:00:00Z", "{}"),
        (
            "order-6",
            "OrderPlaced",
            "2024-01-14T10:00:00Z",
            r#"{"customer": "a", "total": "x"}"#,
        ),
    ];

    fn open(log: &Log, set: &ProjectionSet) -> Projections {
        let now = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap();
        Projections::open(log, set.clone(), None, Surroundings::fixed(now, 1).clock)
    }

    fn at(time: &str) -> AsOf {
        AsOf {
            at: Some(Time::parse_rfc3339(time).unwrap()),
            known: None,
        }
    }

    fn deltas(view: &DocumentWhyView) -> Vec<(u64, &str, &str)> {
        let told = view.contributions.iter();
        told.map(|one| {
            let delta = one.delta.as_ref().map_or("", |delta| delta.get());
            (
                one.position.0,
                delta,
                one.expression.as_deref().unwrap_or_default(),
            )
        })
        .collect()
    }

    #[test]
    fn a_value_in_a_document_is_told_by_the_events_that_it_is_made_of() {
        let home = tempfile::tempdir().unwrap();
        let (_writer, log) = store(home.path(), &ORDERS);
        let set = set(&[("customers", CUSTOMERS)]);
        let all = open(&log, &set);
        let spent: FieldPath = "spent".parse().unwrap();
        let ask = |as_of: &AsOf| {
            all.why("customers", "a", &spent, as_of, CONTRIBUTIONS)
                .unwrap()
        };
        let from_the_log = ask(&AsOf::default());
        assert_eq!(
            deltas(&from_the_log),
            [
                (1, "10.00", "data.total"),
                (2, "5.50", "data.total"),
                (3, "1.25", "data.total")
            ]
        );
        assert_eq!(from_the_log.sum.as_ref().unwrap().get(), "16.75");
        assert_eq!(from_the_log.set_by.as_ref().unwrap().position.0, 3);
        assert!(
            from_the_log.incomplete,
            "the last event could not be folded"
        );
        assert_eq!(from_the_log.findings.len(), 1);
        assert_eq!((from_the_log.inputs, from_the_log.events_examined), (4, 6));

        all.catch_up(&[]).unwrap();
        let kept = ask(&AsOf::default());
        assert_eq!((kept.inputs, kept.events_examined), (4, 0));
        assert_eq!(deltas(&kept), deltas(&from_the_log));
        let earlier = ask(&at("2024-01-11T12:00:00Z"));
        assert_eq!(
            deltas(&earlier),
            [(1, "10.00", "data.total"), (3, "1.25", "data.total")],
            "the late event is there as of its own time"
        );

        let key: FieldPath = "customer".parse().unwrap();
        let view = all
            .why("customers", "a", &key, &AsOf::default(), 10)
            .unwrap();
        let read: Vec<(&str, &str)> = view
            .fields
            .iter()
            .map(|field| {
                (
                    field.path.as_str(),
                    field.value.as_ref().map_or("", |value| value.get()),
                )
            })
            .collect();
        assert_eq!(read, [("event.key", "\"a\"")]);
        assert_eq!(
            view.last_confirmed.unwrap().0,
            3,
            "and not the one that could not be folded"
        );
    }

    #[test]
    fn a_derived_value_is_told_by_what_it_reads() {
        let home = tempfile::tempdir().unwrap();
        let (_writer, log) = store(home.path(), &ORDERS);
        let all = open(&log, &set(&[("customers", CUSTOMERS)]));
        let average: FieldPath = "average".parse().unwrap();
        let view = all
            .why("customers", "a", &average, &AsOf::default(), 10)
            .unwrap();
        assert_eq!(view.value.unwrap().get(), "5.58");
        let derived = view.derived.unwrap();
        assert_eq!(
            derived.expression,
            "round(state.spent / state.orders.len(), 2)"
        );
        let read = |at: usize| {
            (
                derived.fields[at].path.as_str(),
                derived.fields[at].value.as_ref().unwrap().get(),
            )
        };
        assert_eq!(read(0), ("state.spent", "16.75"));
        assert_eq!(
            read(1),
            ("state.orders", r#"["order-1","order-2","order-3"]"#)
        );

        let history = all
            .history(
                "customers",
                "a",
                &average,
                &AsOf::default(),
                10,
                &mut |_| true,
            )
            .unwrap();
        let values = history
            .values
            .iter()
            .map(|span| span.value.as_ref().unwrap().get());
        assert_eq!(Vec::from_iter(values), ["10.00", "5.62", "5.58"]);
    }

    #[test]
    fn a_history_says_what_the_document_as_of_each_instant_says() {
        let home = tempfile::tempdir().unwrap();
        let (_writer, log) = store(home.path(), &ORDERS);
        let all = open(&log, &set(&[("customers", CUSTOMERS)]));
        for path in ["spent", "orders", ""] {
            let path: FieldPath = path.parse().unwrap();
            let history = all
                .history("customers", "a", &path, &AsOf::default(), 10, &mut |_| true)
                .unwrap();
            assert_eq!(history.values_count, 3, "{path}");
            for span in &history.values {
                let as_of = AsOf {
                    at: Some(span.from),
                    known: None,
                };
                let why = all.why("customers", "a", &path, &as_of, 1).unwrap();
                assert_eq!(
                    span.value.as_ref().map(|value| value.get()),
                    why.value.as_ref().map(|value| value.get()),
                    "{path} at {}",
                    span.from
                );
            }
        }
    }

    #[test]
    fn what_is_not_there_is_said_with_what_comes_close() {
        let home = tempfile::tempdir().unwrap();
        let (_writer, log) = store(home.path(), &ORDERS);
        let all = open(&log, &set(&[("customers", CUSTOMERS)]));
        let ask = |key: &str, path: &str| {
            let path: FieldPath = path.parse().unwrap();
            all.why("customers", key, &path, &AsOf::default(), 1)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            ask("a", "spend"),
            "document a of customers has no spend and never had; it has spent"
        );
        assert_eq!(ask("c", "spent"), "customers has no document c as of then");
    }
}
