//! A JSON record becomes a draft of an event, by a declared mapping: that of a preset, or the user's own.
//!
//! Nothing is lost: the data are the whole record, byte for byte, unless the mapping says where in it the payload
//! stands; then the rest of it goes into the metadata under `envelope`.
//!
//! | module | what it holds |
//! |---|---|
//! | `path` | paths into a JSON value, many of them found in one pass |
//! | `split` | the records that one JSON value holds, reshaped where the mapping says so |
//! | `dynamodb` | values with the types of DynamoDB become plain JSON |

mod dynamodb;
mod path;
mod split;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::value::RawValue;

use super::declared::clock::Clock;
use super::declared::{ChangeMapping, EventMapping, Mapping, Part, Reshape, Template};
use super::mapping::{
    self, Draft, Members, join_metadata, members_of, not_an_object, not_json, write_json_string,
    write_key, write_member,
};
use super::shape::shape_of;
use super::{MAX_DEPTH, SourceOrder};
use path::Paths;
use split::{Inside, Within};

pub(super) use path::steps;
pub(super) use split::Lines;

/// A mapping made ready for JSON records.
#[derive(Debug)]
pub(super) struct RecordPlan {
    mapping: Mapping,
    unordered: bool,
    /// A preset's, with nothing that the user says otherwise.
    is_known: bool,
    within: Vec<Within>,
    inside: Vec<Inside>,
    paths: Paths,
    stream: Choices,
    category: Choices,
    event_type: Choices,
    time: Choices,
    id: Choices,
    version: Choices,
    position: Choices,
    recorded: Choices,
    data: Choices,
    metadata: Choices,
    /// Members of the metadata that are places of the event.
    context: Vec<(&'static str, Choices)>,
    types: BTreeMap<String, String>,
    reshape: Vec<Reshape>,
    change: Option<Change>,
    clock: Clock,
    zone: Tz,
    null: Vec<String>,
}

#[derive(Debug)]
struct Change {
    before: Choices,
    after: Choices,
    deletes: Vec<String>,
    creates: Vec<String>,
}

/// Templates, of which the first that is filled counts.
#[derive(Debug, Default)]
struct Choices(Vec<Vec<Piece>>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Value {
        slot: usize,
        part: Take,
    },
    /// Nothing, where something is at the path (and is this text); else the template is not filled.
    If {
        slot: usize,
        text: Option<String>,
    },
}

/// What of a value is taken.
#[derive(Debug, Clone, Copy)]
enum Take {
    Whole,
    /// What stands behind the last `/`, `:` or `#`.
    Last,
    /// A reference of FHIR: its type and id, with `-` between.
    Reference,
}

impl RecordPlan {
    /// # Errors
    /// What is wrong with the mapping, in a sentence for the user.
    pub(super) fn new(
        mapping: &Mapping,
        order: SourceOrder,
        zone: Tz,
    ) -> Result<RecordPlan, String> {
        let Mapping {
            encoding: _,
            delimiter: _,
            header: _,
            decimal_comma: _,
            null,
            zone: own_zone,
            time_format,
            records,
            inside,
            types,
            event,
            reshape,
            change,
            columns: _,
        } = mapping;
        let EventMapping {
            stream,
            category,
            event_type,
            time,
            actor,
            id,
            correlation,
            causation,
            reason,
            version,
            position,
            recorded,
            data,
            metadata,
        } = event;
        let mut paths = Paths::new();
        let mut of = |template: &Option<String>| choices(template.as_deref(), &mut paths);
        let mut context = Vec::new();
        for (key, template) in [
            ("actor", actor),
            ("correlationId", correlation),
            ("causationId", causation),
            ("reason", reason),
        ] {
            let choices = of(template)?;
            if !choices.0.is_empty() {
                context.push((key, choices));
            }
        }
        let change = match change {
            None => None,
            Some(ChangeMapping {
                before,
                after,
                deletes,
                creates,
                lists: _,
            }) => Some(Change {
                before: of(before)?,
                after: of(after)?,
                deletes: deletes.clone(),
                creates: creates.clone(),
            }),
        };
        Ok(RecordPlan {
            mapping: mapping.clone(),
            unordered: order == SourceOrder::Unknown,
            is_known: false,
            stream: of(stream)?,
            category: of(category)?,
            event_type: of(event_type)?,
            time: of(time)?,
            id: of(id)?,
            version: of(version)?,
            position: of(position)?,
            recorded: of(recorded)?,
            data: of(data)?,
            metadata: of(metadata)?,
            within: Within::all(
                records.as_deref().unwrap_or_default(),
                mapping.change.as_ref(),
            )?,
            inside: Inside::all(inside.as_deref().unwrap_or_default())?,
            paths,
            context,
            types: types.clone(),
            reshape: reshape.clone(),
            change,
            clock: Clock::parse(time_format.as_deref().unwrap_or_default())?,
            zone: match own_zone {
                Some(_) => mapping.zone().unwrap_or(zone),
                None => zone,
            },
            null: null.clone().unwrap_or_default(),
        })
    }

    /// The same of a preset: a time that is none costs the record its time, not its place in the log.
    pub(super) fn of_known_source(self) -> RecordPlan {
        RecordPlan {
            is_known: true,
            ..self
        }
    }

    /// The mapping that it is made of.
    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Zone of times that name none.
    pub(super) fn zone(&self) -> Tz {
        self.zone
    }

    /// Maps one record; `None` where it has neither of what tells that the mapping is meant for it: a type and a
    /// time.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence for the user. Lines in it are counted from `line`.
    pub(super) fn map<'a>(
        &'a self,
        text: &'a str,
        stem: &'a str,
        line: u64,
    ) -> Result<Option<Draft<'a>>, String> {
        if !text.starts_with('{') {
            return Err(not_an_object(text, line));
        }
        let found = self.paths.find(self.inner(text));
        let found = found.map_err(|e| not_json(&e, line))?;
        let found = Found {
            values: found,
            null: &self.null,
        };
        let shape = shape_of(text);
        let wraps = usize::from(!self.data.0.is_empty() || self.change.is_some());
        if shape.depth + wraps > MAX_DEPTH {
            return Err(format!(
                "nested more than {} deep; that is the most that is taken",
                MAX_DEPTH - wraps
            ));
        }
        let event_type = found.text(&self.event_type)?;
        let (time, unread_time) = match self.time_of(&found, &self.time, "time") {
            Ok(time) => (time, None),
            // One record that a known source spoilt; where the user says how times are written, all may be wrong.
            Err(why) if self.is_known && event_type.is_some() => (None, Some(why)),
            Err(why) => return Err(why),
        };
        if event_type.is_none() && time.is_none() {
            return Ok(None);
        }
        let event_type = event_type.map(|text| match self.types.get(&*text) {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => text,
        });
        let mut draft = Draft {
            stream: found.text(&self.stream)?.unwrap_or(Cow::Borrowed(stem)),
            category: found.text(&self.category)?,
            time,
            id: found.text(&self.id)?,
            source_version: found.text(&self.version)?,
            source_position: found.text(&self.position)?,
            source_recorded_at: self
                .time_of(&found, &self.recorded, "recorded")?
                .map(|time| time.time),
            repeated_key: shape.repeated_key,
            unread_time,
            unordered: self.unordered,
            ..Draft::default()
        };
        self.write_payloads(&mut draft, text, &found, event_type.as_deref())?;
        draft.event_type = event_type;
        Ok(Some(draft))
    }

    /// The first of the choices that holds a value has to be a time.
    fn time_of(
        &self,
        found: &Found<'_, '_>,
        choices: &Choices,
        place: &str,
    ) -> Result<Option<crate::time::SourceTime>, String> {
        let mut written = None;
        for pieces in &choices.0 {
            // Where nothing is known of the time, some write the beginning of counting.
            written = found.filled(pieces)?.filter(|text| text != "0");
            if written.is_some() {
                break;
            }
        }
        let Some(written) = written else {
            return Ok(None);
        };
        let time = match &self.clock {
            Clock::Auto => mapping::epoch::time_of_place(&written, self.zone),
            clock => clock.time_of(&written, self.zone),
        };
        time.map(Some).map_err(|e| format!("{place}: {e}"))
    }

    fn write_payloads<'a>(
        &'a self,
        draft: &mut Draft<'a>,
        text: &'a str,
        found: &Found<'_, 'a>,
        event_type: Option<&str>,
    ) -> Result<(), String> {
        let own = found
            .value(&self.metadata)
            .filter(|raw| raw.get() != "null");
        let own_text = own.map(json_of);
        let own_members = own_text.as_deref().and_then(|text| members_of(text).ok());
        let is_own = |key: &str| own_members.iter().flatten().any(|(own, _)| own == key);
        let mut context = String::new();
        for (key, choices) in &self.context {
            if let Some(value) = found.text(choices)?.filter(|_| !is_own(key)) {
                write_key(&mut context, key);
                write_json_string(&mut context, &value);
            }
        }
        let mut taken: Vec<&RawValue> = own.into_iter().collect();
        let [before, after] = match &self.change {
            Some(change) => [&change.before, &change.after]
                .map(|side| found.value(side).filter(|raw| raw.get() != "null")),
            None => [None, None],
        };
        // Without a row it is something else that the source tells: of a table, a schema, a transaction.
        let change = self
            .change
            .as_ref()
            .filter(|change| before.or(after).is_some() || change.is_of_row(event_type));
        match (change, found.value(&self.data)) {
            (Some(change), _) => {
                draft.data = Cow::Owned(change.data(before, after, event_type));
                taken.extend(before.into_iter().chain(after));
                write_key(&mut context, "inferred");
                context.push_str("true");
            }
            (None, Some(raw)) => {
                draft.data = json_of(raw);
                taken.push(raw);
            }
            (None, None) => draft.data = Cow::Borrowed(text),
        }
        if !taken.is_empty() {
            let mut name = String::from("envelope");
            while is_own(&name) {
                name.push('_');
            }
            write_key(&mut context, &name);
            context.push_str(&without(text, &mut taken));
        }
        drop(own_members);
        draft.metadata = match own_text {
            None if context.is_empty() => None,
            None => Some(Cow::Owned(format!("{{{context}}}"))),
            Some(own) => {
                join_metadata(Some(&own), context).map(|joined| Cow::Owned(joined.into_owned()))
            }
        };
        Ok(())
    }
}

impl Change {
    /// Whether an event of this type is about a row, even where the record holds none.
    fn is_of_row(&self, event_type: Option<&str>) -> bool {
        let is = |types: &[String]| types.iter().any(|name| Some(name.as_str()) == event_type);
        is(&self.deletes) || is(&self.creates)
    }

    /// The event's data: the row afterwards, and as it was.
    fn data(
        &self,
        before: Option<&RawValue>,
        after: Option<&RawValue>,
        event_type: Option<&str>,
    ) -> String {
        let is = |types: &[String]| types.iter().any(|name| Some(name.as_str()) == event_type);
        // Debezium writes documents of MongoDB as texts.
        fn row(raw: Option<&RawValue>) -> Cow<'_, str> {
            raw.map_or(Cow::Borrowed("null"), json_of)
        }
        let mut data = String::from("{\"row\":");
        if is(&self.deletes) {
            data.push_str("null,\"was\":");
            data.push_str(&row(before.or(after)));
        } else {
            let after = row(after);
            data.push_str(&after);
            if is(&self.creates) {
                data.push_str(",\"was\":null");
            } else if before.is_some() {
                data.push_str(",\"was\":");
                data.push_str(&whole_row(&row(before), &after));
            }
        }
        data.push('}');
        data
    }
}

/// The row as it was, where only the columns are said that are others afterwards.
fn whole_row<'t>(before: &'t str, after: &str) -> Cow<'t, str> {
    let (Ok(old), Ok(new)) = (members_of(before), members_of(after)) else {
        return Cow::Borrowed(before);
    };
    let has = |members: &Members<'_>, key: &str| members.iter().any(|(name, _)| name == key);
    if new.iter().all(|(key, _)| has(&old, key)) {
        return Cow::Borrowed(before);
    }
    let mut row = String::new();
    for (key, value) in &new {
        let was = old.iter().rev().find(|(name, _)| name == key);
        write_member(&mut row, key, was.map_or(value, |(_, was)| was));
    }
    for (key, value) in old.iter().filter(|(key, _)| !has(&new, key)) {
        write_member(&mut row, key, value);
    }
    Cow::Owned(format!("{{{row}}}"))
}

/// The text of a record with `null` in place of values that are kept elsewhere.
fn without(text: &str, taken: &mut [&RawValue]) -> String {
    // Each is a part of the text, since the parser borrows them from it.
    let start = |raw: &RawValue| (raw.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    taken.sort_by_key(|raw| start(raw));
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for raw in taken.iter() {
        if let Some(at) = start(raw)
            && let Some(before) = text.get(from..at)
        {
            out.push_str(before);
            out.push_str("null");
            from = at + raw.get().len();
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// A payload: JSON that stands in a text is taken out of it, also where a database wrote its bytes as `\x…`.
fn json_of(raw: &RawValue) -> Cow<'_, str> {
    let text = raw.get();
    if !text.starts_with('"') {
        return Cow::Borrowed(text);
    }
    match mapping::scalar(raw).and_then(json_in) {
        Some(inner) => Cow::Owned(inner),
        None => Cow::Borrowed(text),
    }
}

/// The object or list that a text is, if it is one that is not too deep.
pub(super) fn json_in(text: Cow<'_, str>) -> Option<String> {
    let text = match text.strip_prefix("\\x").and_then(mapping::bytes_of) {
        Some(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
        None => text,
    };
    let inner = text.trim();
    let is_json = inner.starts_with(['{', '['])
        && serde_json::from_str::<&RawValue>(inner).is_ok()
        && shape_of(inner).depth <= MAX_DEPTH;
    is_json.then(|| inner.to_owned())
}

/// A path, and what of its value is taken.
fn path_of(text: &str) -> (&str, Take) {
    for (suffix, part) in [("|last", Take::Last), ("|reference", Take::Reference)] {
        if let Some(path) = text.strip_suffix(suffix) {
            return (path, part);
        }
    }
    (text, Take::Whole)
}

/// Checks what stands in the braces of a template for records.
///
/// # Errors
/// What is wrong with it, in a sentence for the user.
pub(super) fn check_path(text: &str) -> Result<(), String> {
    choices(Some(&format!("{{{text}}}")), &mut Paths::new()).map(drop)
}

/// Reads templates whose braces hold paths.
fn choices(template: Option<&str>, paths: &mut Paths) -> Result<Choices, String> {
    let templates = Template::choices(template.unwrap_or_default())?;
    let mut piece = |part: Part| {
        Ok(match part {
            Part::Text(text) => Piece::Text(text),
            Part::Column(path) => {
                if let Some(condition) = path.strip_prefix('?') {
                    let (path, text) = match condition.split_once('=') {
                        Some((path, text)) => (path, Some(text.to_owned())),
                        None => (condition, None),
                    };
                    return Ok(Piece::If {
                        slot: paths.add(&steps(path)?),
                        text,
                    });
                }
                let (path, part) = path_of(&path);
                Piece::Value {
                    slot: paths.add(&steps(path)?),
                    part,
                }
            }
        })
    };
    let mut read = Vec::new();
    for template in templates {
        let pieces: Result<Vec<Piece>, String> =
            template.parts.into_iter().map(&mut piece).collect();
        read.push(pieces?);
    }
    Ok(Choices(read))
}

/// What a record holds at the paths.
struct Found<'p, 't> {
    values: Vec<Option<&'t RawValue>>,
    null: &'p [String],
}

impl<'t> Found<'_, 't> {
    /// The text of the first template that is filled.
    ///
    /// # Errors
    /// A text that is to name something holds half a character.
    fn text<'a>(&self, choices: &'a Choices) -> Result<Option<Cow<'a, str>>, String>
    where
        't: 'a,
    {
        for pieces in &choices.0 {
            if let Some(text) = self.filled(pieces)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The text of one template; `None` where something of it is not there.
    fn filled<'a>(&self, pieces: &'a [Piece]) -> Result<Option<Cow<'a, str>>, String>
    where
        't: 'a,
    {
        if let [piece] = pieces {
            return Ok(self.piece(piece)?.filter(|text| !text.is_empty()));
        }
        let mut out = String::new();
        for piece in pieces {
            match self.piece(piece)? {
                Some(text) => out.push_str(&text),
                None => return Ok(None),
            }
        }
        Ok((!out.is_empty()).then_some(Cow::Owned(out)))
    }

    fn piece<'a>(&self, piece: &'a Piece) -> Result<Option<Cow<'a, str>>, String>
    where
        't: 'a,
    {
        let (slot, part) = match piece {
            Piece::Text(text) => return Ok(Some(Cow::Borrowed(text))),
            Piece::Value { slot, part } => (*slot, *part),
            Piece::If { slot, text } => {
                let holds = self.values[*slot].is_some_and(|raw| match text {
                    Some(text) => path::is_text(raw, text),
                    None => raw.get() != "null",
                });
                return Ok(holds.then_some(Cow::Borrowed("")));
            }
        };
        let Some(raw) = self.values[slot] else {
            return Ok(None);
        };
        let text = match raw.get() {
            bool @ ("true" | "false") => Cow::Borrowed(bool),
            text => match mapping::scalar(raw) {
                Some(text) => text,
                None if text.starts_with('"') && text.len() > 2 => {
                    return Err(format!(
                        "{text}: the text holds half a surrogate pair (\\ud800 to \\udfff by itself), which is no character"
                    ));
                }
                None => return Ok(None),
            },
        };
        if text.is_empty() || self.null.iter().any(|null| *null == text) {
            return Ok(None);
        }
        let end = match part {
            Take::Whole => return Ok(Some(text)),
            Take::Last => {
                let text = text.split("/_history/").next().unwrap_or_default();
                let at = text.rfind(['/', ':', '#']).map_or(0, |at| at + 1);
                text[at..].to_owned()
            }
            Take::Reference => {
                // A version is of the resource, too: Patient/7/_history/2.
                let text = text.split("/_history/").next().unwrap_or_default();
                let mut parts = text.rsplit(['/', ':']);
                match (parts.next(), parts.next()) {
                    (Some(id), Some(kind)) if kind != "uuid" => format!("{kind}-{id}"),
                    (id, _) => id.unwrap_or_default().to_owned(),
                }
            }
        };
        Ok((!end.is_empty()).then_some(Cow::Owned(end)))
    }

    /// The first value that is there, of choices that are a path each.
    fn value(&self, choices: &Choices) -> Option<&'t RawValue> {
        choices.0.iter().find_map(|pieces| match &pieces[..] {
            [Piece::Value { slot, .. }] => self.values[*slot].filter(|raw| raw.get() != "null"),
            _ => None,
        })
    }
}
