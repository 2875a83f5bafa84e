//! The fold: one event after another becomes the state.

mod keyed;
mod provenance;
mod rules;

use std::sync::Arc;

use serde_json::{Map, Number, Value};

pub(crate) use self::keyed::{Keyed, KeyedFault};
pub(crate) use self::provenance::{Account, Circumstances, Field, Told};
use super::definition::{Personal, TailStep};
use super::expression::{Expression, Fault, FaultKind, Inputs, Root};
use super::inference::Assignment;
use super::operation::{Edit, Mark, Operation, Touch, Trail};
use super::path::{FieldPath, Step};
use super::upcast::{self, Assumed};
use super::{Action, Handler, Kind, Model, inference, json};
use crate::event::{Event, Part, Payload};
use crate::finding::{FindingKind, Findings, Place, Severity};
use crate::store::StreamEvent;
use crate::time::{SourceTime, Time};

/// The state of a stream while its events are folded one by one.
///
/// A clone shares the state until one of the two takes another event.
///
/// ```
/// use std::sync::Arc;
/// use annals_core::model::{Fold, Model};
/// let model = Model::parse("account", "category = 'account'\n[on.Opened]\nbalance = '0.00'").unwrap();
/// let fold = Fold::new(Arc::new(model));
/// assert_eq!(fold.state().to_string(), "null");
/// ```
#[derive(Debug, Clone)]
pub struct Fold {
    model: Arc<Model>,
    state: Arc<Value>,
    weight: usize,
    incomplete: bool,
    trail: Trail,
    /// Why the last event could not be folded.
    failed: Option<(FindingKind, String)>,
}

/// What a fold was before an event, its state aside.
#[derive(Debug)]
pub(crate) struct Before {
    /// What the event before that one did.
    trail: Trail,
    weight: usize,
    incomplete: bool,
    failed: Option<(FindingKind, String)>,
    /// No event had been taken.
    empty: bool,
}

impl Before {
    /// A rough size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        128 + self.trail.bytes()
    }
}

/// Why an event could not be folded, and at which field.
struct Failure {
    kind: FindingKind,
    path: Option<String>,
    detail: String,
}

impl Fold {
    /// Starts with the empty state.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Fold {
        Fold {
            model,
            state: Arc::new(Value::Null),
            weight: 0,
            incomplete: false,
            trail: Trail::default(),
            failed: None,
        }
    }

    /// Goes on from a state that was folded before; `weight` is what [`Fold::weight`] said then.
    pub(crate) fn resume(model: Arc<Model>, state: Value, weight: usize, incomplete: bool) -> Fold {
        Fold {
            state: Arc::new(state),
            weight,
            incomplete,
            ..Fold::new(model)
        }
    }

    /// How heavy the state is, as its limits count.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// Takes one more event; faults become findings and the fold goes on. An event does all that its handler says
    /// or, where any of it fails, nothing; `false` then.
    pub fn apply(&mut self, event: &StreamEvent, findings: &mut Findings) -> bool {
        self.trail = Trail::default();
        self.failed = None;
        if self.state.is_null() {
            self.state = Arc::new(Value::Object(Map::new()));
        }
        let model = Arc::clone(&self.model);
        let outcome = match &model.kind {
            Kind::Inferred => self.infer(event, findings),
            Kind::Declared(definition) if definition.handlers.is_empty() => {
                self.infer(event, findings)
            }
            Kind::Declared(definition) => {
                match definition.handlers.get(event.event.event_type.as_str()) {
                    Some(handler) => self.handle(handler, event, findings),
                    None => {
                        let detail = format!(
                            "model {} has no handler for {}",
                            model.name, event.event.event_type
                        );
                        let place = place(&event.event, None);
                        findings.add_cause(FindingKind::NoHandler, Severity::Notice, place, detail);
                        Ok(())
                    }
                }
            }
        };
        let folded = outcome.is_ok();
        if let Err(Failure { kind, path, detail }) = outcome {
            self.incomplete = true;
            let detail = match &path {
                Some(path) => format!("{}: {path}: {detail}", event.event.event_type),
                None => format!("{}: {detail}", event.event.event_type),
            };
            let place = place(&event.event, path);
            self.failed = Some((kind, detail.clone()));
            findings.add_cause(kind, Severity::Severe, place, detail);
        }
        folded
    }

    /// As [`Fold::apply`], its findings left aside; gives what [`Fold::take_back`] takes it back with.
    pub(crate) fn apply_revocably(&mut self, event: &StreamEvent) -> Before {
        let before = self.before();
        self.apply(event, &mut Findings::default());
        before
    }

    /// What takes the next event back, whichever way it is applied.
    pub(crate) fn before(&mut self) -> Before {
        Before {
            trail: std::mem::take(&mut self.trail),
            weight: self.weight,
            incomplete: self.incomplete,
            failed: self.failed.take(),
            empty: self.state.is_null(),
        }
    }

    /// Makes the last event taken unhappen; those before it may follow, newest first.
    pub(crate) fn take_back(&mut self, before: Before) {
        let state = Arc::make_mut(&mut self.state);
        std::mem::replace(&mut self.trail, before.trail).undo(state);
        if before.empty {
            *state = Value::Null;
        }
        self.weight = before.weight;
        self.incomplete = before.incomplete;
        self.failed = before.failed;
    }

    /// The state so far: `null` before the first event, numbers as written.
    #[must_use]
    pub fn state(&self) -> &Value {
        &self.state
    }

    /// The model it folds with.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Whether some event could not be folded, so that the state is incomplete from there.
    #[must_use]
    pub fn incomplete(&self) -> bool {
        self.incomplete
    }

    /// Why the last event could not be folded; `None` if it could.
    pub(crate) fn failure(&self) -> Option<(FindingKind, &str)> {
        self.failed
            .as_ref()
            .map(|(kind, detail)| (*kind, detail.as_str()))
    }

    /// The places that the last event touched, in the order in which it did. A removal names the place of an element
    /// as it was before; several from one list come last first.
    #[must_use]
    pub fn last_touches(&self) -> Vec<Touch<'_>> {
        self.trail.touches(&self.state)
    }

    /// Every single change that the last event made, in the order made.
    pub(crate) fn last_marks(&self) -> Vec<Mark<'_>> {
        self.trail.marks()
    }

    /// A rough size in bytes, for caches.
    pub(crate) fn bytes(&self) -> usize {
        256 + 96 * self.weight + self.trail.bytes()
    }

    fn infer(&mut self, event: &StreamEvent, findings: &mut Findings) -> Result<(), Failure> {
        let data = read_upcast(&self.model, event, None, findings)?.0;
        let case = trace_attributes(&event.event);
        let category = event.event.category.as_ref().map_or("", |c| c.as_str());
        let set = inference::assignments(
            event.event.event_type.as_str(),
            category,
            data,
            case,
            &self.state,
        );
        self.edit(|edit| {
            for (line, Assignment { name, value, .. }) in set.into_iter().enumerate() {
                let path = FieldPath(vec![Step::Key(name)]);
                edit.at_line(line);
                edit.set(&path, value)
                    .map_err(|fault| failure(&fault, Some(&path)))?;
            }
            Ok(())
        })
    }

    fn handle(
        &mut self,
        handler: &Handler,
        event: &StreamEvent,
        findings: &mut Findings,
    ) -> Result<(), Failure> {
        let read = self.read(handler, event, findings)?;
        self.handle_read(handler, event, read)
    }

    /// What the handler reads of the event.
    fn read(
        &self,
        handler: &Handler,
        event: &StreamEvent,
        findings: &mut Findings,
    ) -> Result<Read, Failure> {
        let mut read = Read::default();
        if handler.reads(Root::Data) {
            let fields = handler.data_fields.as_deref();
            let data = read_upcast(&self.model, event, fields, findings)?.0;
            read.data = Some(Arc::new(data));
        }
        if handler.reads(Root::Meta) {
            read.meta = Some(Arc::new(read_metadata(&event.event)?));
        }
        if handler.reads(Root::Event) {
            read.event = Some(Arc::new(own_fields(event)));
        }
        Ok(read)
    }

    fn handle_read(
        &mut self,
        handler: &Handler,
        event: &StreamEvent,
        mut read: Read,
    ) -> Result<(), Failure> {
        let computed = match compute(handler, &read.inputs(Some(&self.state))) {
            // The engine's words for what is missing are about the whole payload.
            Err(_) if handler.data_fields.is_some() && read.data.is_some() => {
                let whole = read_upcast(&self.model, event, None, &mut Findings::default())?.0;
                read.data = Some(Arc::new(whole));
                compute(handler, &read.inputs(Some(&self.state)))
            }
            computed => computed,
        };
        let mut rounds = computed?;
        if rounds.is_empty() {
            return Ok(());
        }
        if let (Some(at), [only]) = (moved(handler), &mut rounds[..]) {
            let data = read.data.take().map_or(Value::Null, Arc::unwrap_or_clone);
            only[at] = Some((None, data));
        }
        // A condition that removes elements and reads the state sees it as it was before the event.
        let before = handler
            .actions
            .iter()
            .any(|action| handler.looks_through(action) && action.expression.reads(Root::State))
            .then(|| Arc::new(Value::clone(&self.state)));
        let inputs = read.inputs(before.as_ref());
        self.edit(|edit| {
            for values in rounds {
                for (line, (action, value)) in handler.actions.iter().zip(values).enumerate() {
                    let Some((path, value)) = value else { continue };
                    edit.at_line(line);
                    let path = path.as_ref().unwrap_or(&action.path);
                    perform(edit, action.operation, path, value, &mut |item| {
                        action.expression.truth(&Inputs {
                            item: Some(item),
                            ..inputs
                        })
                    })
                    .map_err(|fault| told(&fault, action))?;
                }
            }
            Ok(())
        })
    }

    /// Changes the state, or leaves it as it was.
    fn edit(
        &mut self,
        change: impl FnOnce(&mut Edit<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut edit = Edit::new(Arc::make_mut(&mut self.state), &mut self.weight);
        match change(&mut edit) {
            Ok(()) => {
                self.trail = edit.keep();
                Ok(())
            }
            Err(failure) => {
                edit.abandon();
                Err(failure)
            }
        }
    }
}

/// What a handler's expressions read beside the state.
#[derive(Default)]
struct Read {
    data: Option<Arc<Value>>,
    meta: Option<Arc<Value>>,
    event: Option<Arc<Value>>,
}

impl Read {
    fn inputs<'v>(&'v self, state: Option<&'v Arc<Value>>) -> Inputs<'v> {
        Inputs {
            data: self.data.as_ref(),
            meta: self.meta.as_ref(),
            event: self.event.as_ref(),
            state,
            item: None,
        }
    }
}

/// The one line whose value is the whole payload, which so need not be copied; `None` if something else may read
/// the payload after the values are computed.
fn moved(handler: &Handler) -> Option<usize> {
    let whole = |action: &Action| action.expression.is_root(Root::Data);
    let at = handler.actions.iter().position(whole)?;
    let alone = handler
        .actions
        .iter()
        .filter(|action| whole(action))
        .count()
        == 1;
    let asks = |action: &Action| handler.looks_through(action);
    (alone && handler.each.is_none() && !handler.actions.iter().any(asks)).then_some(at)
}

/// The value of each line, and its field where that is computed; `None` for lines whose turn it is not.
type Values = Vec<Option<(Option<FieldPath>, Value)>>;

/// What a handler does: the values of its lines, and then, for each element of its list, of those lines that read it.
/// All come from the state before the event.
fn compute(handler: &Handler, inputs: &Inputs<'_>) -> Result<Vec<Values>, Failure> {
    let once = compute_once(handler, inputs, false)?;
    let Some(each) = &handler.each else {
        return Ok(once.into_iter().collect());
    };
    let Some(once) = once else {
        return Ok(Vec::new());
    };
    let fail = |detail: String| Failure {
        kind: FindingKind::ExpressionFailed,
        path: None,
        detail: format!("each {}: {detail}", each.text()),
    };
    let list = each.value(inputs).map_err(|fault| {
        let mut failure = failure(&fault, None);
        failure.detail = format!("each {}: {}", each.text(), failure.detail);
        failure
    })?;
    let Value::Array(items) = &list else {
        let kind = super::value::kind(&list);
        return Err(fail(format!("it must be a list, and is {kind}")));
    };
    let mut rounds = Vec::with_capacity(1 + items.len());
    rounds.push(once);
    for item in items {
        let inputs = Inputs {
            item: Some(item),
            ..*inputs
        };
        rounds.extend(compute_once(handler, &inputs, true)?);
    }
    Ok(rounds)
}

/// The value of each line, of a handler with a list either of those that read its element or of the others; `null` for
/// those that look through a list or take the payload over. `None` if the guard says no.
fn compute_once(
    handler: &Handler,
    inputs: &Inputs<'_>,
    of_item: bool,
) -> Result<Option<Values>, Failure> {
    let guard = handler.guard.as_ref();
    // A guard that reads the element guards the lines that do.
    if let Some(guard) =
        guard.filter(|guard| of_item || handler.each.is_none() || !guard.reads(Root::Item))
    {
        let holds = guard.truth(inputs).map_err(|fault| {
            let mut failure = failure(&fault, None);
            failure.detail = format!("when {}: {}", guard.text(), failure.detail);
            failure
        })?;
        if !holds {
            return Ok(None);
        }
    }
    let moved = moved(handler);
    let values = handler.actions.iter().enumerate().map(|(at, action)| {
        if handler.each.is_some() && action.reads_item() != of_item {
            return Ok(None);
        }
        let path = resolved(action, inputs)?;
        if handler.looks_through(action) || moved == Some(at) {
            return Ok(Some((path, Value::Null)));
        }
        let value = match action.operation {
            Operation::Unset => action.expression.truth(inputs).map(Value::Bool),
            Operation::Set
            | Operation::Add
            | Operation::Sub
            | Operation::Push
            | Operation::Remove
            | Operation::Put => action.expression.value(inputs),
        };
        value
            .map(|value| Some((path, value)))
            .map_err(|fault| told(&fault, action))
    });
    values.collect::<Result<_, _>>().map(Some)
}

/// The field of a line, where a part of it is computed.
fn resolved(action: &Action, inputs: &Inputs<'_>) -> Result<Option<FieldPath>, Failure> {
    if action.tail.is_empty() {
        return Ok(None);
    }
    let mut steps = action.path.0.clone();
    for step in &action.tail {
        steps.push(match step {
            TailStep::Written(step) => step.clone(),
            TailStep::Computed(name) => {
                let value = name.value(inputs).and_then(|value| match value {
                    Value::String(text) => Ok(text),
                    Value::Number(number) => Ok(number.to_string()),
                    other => Err(Fault::failed(format!(
                        "{} names no field (text or a number does)",
                        super::value::kind(&other)
                    ))),
                });
                Step::Key(value.map_err(|fault| {
                    let mut failure = failure(&fault, Some(&action.path));
                    failure.detail = format!("[{}]: {}", name.text(), failure.detail);
                    failure
                })?)
            }
        });
    }
    Ok(Some(FieldPath(steps)))
}

fn perform(
    edit: &mut Edit<'_>,
    operation: Operation,
    path: &FieldPath,
    value: Value,
    goes: &mut dyn FnMut(&Value) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    match operation {
        Operation::Set => edit.set(path, value),
        Operation::Add => edit.add(path, &value, false),
        Operation::Sub => edit.add(path, &value, true),
        Operation::Push => edit.push(path, value),
        Operation::Put => edit.put(path, value),
        Operation::Remove if value.is_null() => edit.remove(path, goes),
        Operation::Remove => edit.remove_equal(path, &value),
        Operation::Unset => {
            if value == Value::Bool(true) {
                edit.unset(path);
            }
            Ok(())
        }
    }
}

fn failure(fault: &Fault, path: Option<&FieldPath>) -> Failure {
    Failure {
        kind: match fault.kind {
            FaultKind::Failed => FindingKind::ExpressionFailed,
            FaultKind::NumberTooLarge => FindingKind::NumberTooLarge,
        },
        path: path.map(ToString::to_string),
        detail: fault.detail.clone(),
    }
}

/// A failure with the line of the model that it stands in.
fn told(fault: &Fault, action: &Action) -> Failure {
    let mut failure = failure(fault, Some(&action.path));
    let operation = match action.operation {
        Operation::Set => String::new(),
        other => format!("{} ", other.name()),
    };
    failure.detail = format!("{operation}{}: {}", action.expression.text(), fault.detail);
    failure
}

fn place(event: &Event, path: Option<String>) -> Place {
    Place {
        stream: event.stream.as_ref().map(ToString::to_string),
        version: Some(event.version),
        position: Some(event.position),
        path,
        ..Place::default()
    }
}

/// Reads the payload, or only these fields of it; a key held twice is a finding.
fn read_data(
    event: &Event,
    fields: Option<&[String]>,
    findings: &mut Findings,
) -> Result<Value, Failure> {
    let Some(payload) = &event.data else {
        return Err(unreadable(FindingKind::Erased, "its data was erased"));
    };
    let parsed = read(payload, "data", fields)?;
    if let Some(key) = parsed.duplicate {
        findings.add_cause(
            FindingKind::DuplicateKey,
            Severity::Notice,
            place(event, None),
            format!(
                "{}: its data holds the key {key:?} twice, the last one counts",
                event.event_type
            ),
        );
    }
    Ok(parsed.value)
}

/// Reads the payload and takes it through the upcasters of its type. What they had to assume is a finding each.
fn read_upcast(
    model: &Model,
    event: &StreamEvent,
    fields: Option<&[String]>,
    findings: &mut Findings,
) -> Result<(Value, Vec<Assumed>), Failure> {
    let event_type = event.event.event_type.as_str();
    let steps = match &model.kind {
        Kind::Inferred => Vec::new(),
        Kind::Declared(definition) => {
            // What the category's own model does comes first; a projection goes on from there.
            let category = event.event.category.as_ref();
            let of_category = category
                .and_then(|category| definition.of_categories.get(category.as_str()))
                .and_then(|model| model.upcasts_of(event_type));
            let mut version = event.event.schema_version.as_deref();
            let mut steps: Vec<&upcast::Upcast> = Vec::new();
            for upcasts in [of_category, model.upcasts_of(event_type)]
                .into_iter()
                .flatten()
            {
                steps.extend(upcast::steps(upcasts, version));
                version = steps.last().map_or(version, |step| Some(&step.to));
            }
            steps
        }
    };
    if steps.is_empty() {
        return Ok((read_data(&event.event, fields, findings)?, Vec::new()));
    }
    let data = read_data(&event.event, None, findings)?;
    let reads = |root| {
        let mut expressions = steps.iter().flat_map(|step| step.expressions());
        expressions.any(|expression| expression.reads(root))
    };
    let mut read = Read::default();
    if reads(Root::Meta) {
        read.meta = Some(Arc::new(read_metadata(&event.event)?));
    }
    if reads(Root::Event) {
        read.event = Some(Arc::new(own_fields(event)));
    }
    let (data, assumed) =
        upcast::upcast(&steps, data, &read.inputs(None)).map_err(|(step, fault)| {
            let mut failure = failure(&fault, None);
            failure.detail = format!("upcast {step}: {}", failure.detail);
            failure
        })?;
    for Assumed { path, value, step } in &assumed {
        findings.add_cause(
            FindingKind::Assumed,
            Severity::Notice,
            place(&event.event, Some(format!("data.{path}"))),
            format!("{event_type}: {path} was not recorded; upcast {step} assumes {value}"),
        );
    }
    Ok((data, assumed))
}

impl Model {
    /// The upcasters of a type.
    pub(crate) fn upcasts_of(&self, event_type: &str) -> Option<&[upcast::Upcast]> {
        match &self.kind {
            Kind::Inferred => None,
            Kind::Declared(definition) => definition.upcasts.get(event_type).map(Vec::as_slice),
        }
    }

    /// When an event counts, by the model's own time; `None` if it names none and so counts when it happened.
    pub(crate) fn time_of(&self, event: &StreamEvent) -> Option<Result<Time, String>> {
        let Kind::Declared(definition) = &self.kind else {
            return None;
        };
        let expression = definition.time.as_ref()?;
        let value = match self.value_of(expression, event)? {
            Ok(value) => value,
            Err(detail) => return Some(Err(detail)),
        };
        match value {
            Value::Null => None,
            Value::String(text) => Some(
                SourceTime::parse(&text, chrono_tz::UTC)
                    .map(|read| read.time)
                    .map_err(|error| error.to_string()),
            ),
            other => Some(Err(format!(
                "{other} is {}, not a time in text",
                super::value::kind(&other)
            ))),
        }
    }

    /// Whose data an event holds by the model's `[personal]`: a text, or a number as written; `None` if it names
    /// nobody, cannot be read any more, or the model has no such table.
    pub(crate) fn subject_of(&self, event: &StreamEvent) -> Option<String> {
        let subject = &self.personal()?.subject;
        match self.value_of(subject, event)?.ok()? {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Which fields are personal, and whose; `None` where the model does not say.
    pub(crate) fn personal(&self) -> Option<&Personal> {
        match &self.kind {
            Kind::Inferred => None,
            Kind::Declared(definition) => definition.personal.as_ref(),
        }
    }

    /// The value of an expression that reads the event alone; `None` where there is none, or the event cannot be read,
    /// which the fold tells.
    fn value_of(
        &self,
        expression: &Expression,
        event: &StreamEvent,
    ) -> Option<Result<Value, String>> {
        let mut read = Read::default();
        if expression.reads(Root::Data) {
            let data = read_upcast(self, event, None, &mut Findings::default());
            read.data = Some(Arc::new(data.ok()?.0));
        }
        if expression.reads(Root::Meta) {
            read.meta = Some(Arc::new(read_metadata(&event.event).ok()?));
        }
        if expression.reads(Root::Event) {
            read.event = Some(Arc::new(own_fields(event)));
        }
        let inputs = read.inputs(None);
        match expression.plain_path(&inputs) {
            Some(found) => found.map(|value| Ok(value.clone())),
            None => Some(expression.value(&inputs).map_err(|fault| fault.detail)),
        }
    }
}

/// Reads the context; an event without one has an empty object.
fn read_metadata(event: &Event) -> Result<Value, Failure> {
    match &event.metadata {
        Some(payload) => read(payload, "metadata", None).map(|parsed| parsed.value),
        None if event.erased.contains(&Part::Metadata) => {
            Err(unreadable(FindingKind::Erased, "its metadata was erased"))
        }
        None => Ok(Value::Object(Map::new())),
    }
}

fn read(payload: &Payload, what: &str, fields: Option<&[String]>) -> Result<json::Parsed, Failure> {
    let Some(text) = payload.json_text() else {
        let detail = format!(
            "its {what} ({}) is not JSON or not UTF-8",
            payload.content_type
        );
        return Err(unreadable(FindingKind::NotJson, &detail));
    };
    let parsed = match fields {
        Some(fields) => json::parse_fields(text, fields),
        None => json::parse(text),
    };
    parsed.map_err(|error| {
        unreadable(
            FindingKind::NotJson,
            &format!("its {what} is not JSON that can be read: {error}"),
        )
    })
}

fn unreadable(kind: FindingKind, detail: &str) -> Failure {
    Failure {
        kind,
        path: None,
        detail: detail.to_owned(),
    }
}

/// The attributes of a trace, which an import stores with its first event; unreadable context has none.
fn trace_attributes(event: &Event) -> Option<Value> {
    let text = event.metadata.as_ref()?.json_text()?;
    if !text.contains("\"case\"") {
        return None;
    }
    match json::parse(text).ok()?.value {
        Value::Object(mut fields) => match fields.remove("case")? {
            case @ Value::Object(_) => Some(case),
            _ => None,
        },
        _ => None,
    }
}

/// What expressions read as `event`.
fn own_fields(event: &StreamEvent) -> Value {
    own_fields_of(event, None)
}

/// What expressions read as `event`; only the wanted fields of it, where they are named.
fn own_fields_of(event: &StreamEvent, wanted: Option<&[String]>) -> Value {
    let StreamEvent {
        version,
        qualifier,
        event,
    } = event;
    let text = |value: Option<String>| value.map_or(Value::Null, Value::String);
    let mut fields = Map::new();
    let is_wanted =
        |name: &str| wanted.is_none_or(|wanted| wanted.iter().any(|wanted| wanted == name));
    let mut add = |name: &str, value: &dyn Fn() -> Value| {
        if is_wanted(name) {
            fields.insert(name.to_owned(), value());
        }
    };
    add("id", &|| text(event.id.as_ref().map(ToString::to_string)));
    add("type", &|| Value::String(event.event_type.to_string()));
    add("time", &|| Value::String(event.time.time.to_string()));
    add("time_text", &|| text(event.time.text.clone()));
    add("stream", &|| {
        text(event.stream.as_ref().map(ToString::to_string))
    });
    add("category", &|| {
        text(event.category.as_ref().map(ToString::to_string))
    });
    add("version", &|| Value::Number(Number::from(version.0)));
    add("qualifier", &|| Value::String(qualifier.clone()));
    add("position", &|| {
        Value::Number(Number::from(event.position.0))
    });
    add("recorded_at", &|| {
        Value::String(event.recorded_at.to_string())
    });
    add("actor", &|| {
        text(event.actor.as_ref().map(ToString::to_string))
    });
    add("correlation", &|| text(event.correlation.clone()));
    add("causation", &|| text(event.causation.clone()));
    add("schema_version", &|| text(event.schema_version.clone()));
    add("source", &|| {
        text(event.source.source.as_deref().map(str::to_owned))
    });
    add("source_id", &|| text(event.source.source_id.clone()));
    add("source_version", &|| {
        text(event.source.source_version.clone())
    });
    Value::Object(fields)
}

#[cfg(test)]
mod tests;
