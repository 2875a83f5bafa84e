//! The fold for categories without a model: what the payload says becomes the state.
//!
//! The rules, in order:
//!
//! 1. A payload that is an object is merged name by name: each name takes the value it was last given, whole
//!    (objects and lists inside are replaced, not mixed). Any other payload goes under `value`.
//! 2. A pair `oldX` and `newX` sets `X`: `newEmail` sets `email`, `new_email` too. Without its `oldX`, `newX` counts
//!    as one only in a *change*, an event whose type ends in `Changed`, `Updated` or the like. (`previousX` counts
//!    as `oldX`.)
//! 3. A change with a bare pair (`old` and `new`, `from` and `to`, `previous` and `current`, `before` and `after`, or
//!    `oldValue` and `newValue`) sets what its type names: `EmailChanged` sets `email`, and in category `user`
//!    `UserNameChanged` sets `name`. A name that the state holds already is taken in its own spelling.
//! 4. Who and why are not the thing: `by` and `changedBy` stay out of the state, and in events that set something by
//!    rule 2 or 3, or that say nothing else, so do `reason`, `comment` and the like and the date from which a change
//!    counts (`effectiveDate`). The event itself keeps them.
//! 5. Attributes of a trace (`metadata.case`, from XES) stand under `case`.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::expression::Root;
use super::path::{FieldPath, Step};

/// Last words of the types of changes.
const CHANGE_WORDS: [&str; 8] = [
    "changed",
    "updated",
    "modified",
    "edited",
    "corrected",
    "adjusted",
    "amended",
    "set",
];
/// Pairs that stand for what the type names: before, after.
const BARE_PAIRS: [(&str, &str); 5] = [
    ("old", "new"),
    ("from", "to"),
    ("previous", "current"),
    ("before", "after"),
    ("oldvalue", "newvalue"),
];
/// Who: never a property of the thing.
const WHO: [&str; 2] = ["by", "changedby"];
/// Who, why and from when of a change.
const ABOUT_A_CHANGE: [&str; 14] = [
    "by",
    "changedby",
    "updatedby",
    "modifiedby",
    "changedat",
    "updatedat",
    "modifiedat",
    "reason",
    "changereason",
    "comment",
    "note",
    "effectivedate",
    "effectivefrom",
    "effectiveat",
];

/// A name that an event sets.
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Where a value comes from.
pub(crate) enum Origin {
    /// The attributes of the trace, in the context.
    Case,
    /// The payload, which is no object.
    Whole,
    /// The field of the payload with the same name.
    Same,
    /// Another field of the payload.
    Field(String),
}

impl Assignment {
    /// The field that the value comes from, as an expression would write it.
    pub(crate) fn read_from(&self) -> (Root, FieldPath) {
        let field = |name: &str| FieldPath(vec![Step::Key(name.to_owned())]);
        match &self.origin {
            Origin::Case => (Root::Meta, field("case")),
            Origin::Whole => (Root::Data, FieldPath::default()),
            Origin::Same => (Root::Data, field(&self.name)),
            Origin::Field(name) => (Root::Data, field(name)),
        }
    }
}

/// What an event sets, in order.
pub(crate) fn assignments(
    event_type: &str,
    category: &str,
    data: Value,
    case: Option<Value>,
    state: &Value,
) -> Vec<Assignment> {
    let whole = !data.is_object();
    let mut fields = match data {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    let mut set: Vec<Assignment> = Vec::new();
    if let Some(case) = case {
        set.push(Assignment {
            name: "case".to_owned(),
            value: case,
            origin: Origin::Case,
        });
    }
    let words = words(event_type);
    let change = words
        .last()
        .is_some_and(|last| CHANGE_WORDS.contains(&last.as_str()));
    let mut paired = bare_pair(&words, category, change, &mut fields, state)
        .map(|assignment| set.push(assignment))
        .is_some();
    paired |= named_pairs(change, &mut fields, &mut set, state);
    let only_about = fields
        .keys()
        .all(|key| ABOUT_A_CHANGE.contains(&folded(key).as_str()));
    for (key, value) in fields {
        let word = folded(&key);
        let about = ABOUT_A_CHANGE.contains(&word.as_str());
        if WHO.contains(&word.as_str()) || (about && (paired || only_about)) {
            continue;
        }
        let origin = if whole { Origin::Whole } else { Origin::Same };
        set.push(Assignment {
            name: key,
            value,
            origin,
        });
    }
    set
}

/// What the fold sets for a payload, as names and the fields of the payload that they come from.
pub(crate) fn inferred_lines(
    event_type: &str,
    category: &str,
    data: Value,
) -> Vec<(String, String)> {
    assignments(event_type, category, data, None, &Value::Null)
        .into_iter()
        .filter_map(|set| match set.origin {
            Origin::Same => Some((set.name.clone(), set.name)),
            Origin::Field(from) => Some((set.name, from)),
            Origin::Case | Origin::Whole => None,
        })
        .collect()
}

/// Rule 3: takes a bare pair out of the fields.
fn bare_pair(
    words: &[String],
    category: &str,
    change: bool,
    fields: &mut Map<String, Value>,
    state: &Value,
) -> Option<Assignment> {
    if !change {
        return None;
    }
    let named = |wanted: &str| fields.keys().find(|key| folded(key) == wanted).cloned();
    let (old, new) = BARE_PAIRS
        .iter()
        .find_map(|(old, new)| Some((named(old)?, named(new)?)))?;
    let property = property(words, category, state)?;
    fields.shift_remove(&old);
    let value = fields.shift_remove(&new)?;
    Some(Assignment {
        name: property,
        value,
        origin: Origin::Field(new),
    })
}

/// Rule 2: takes `oldX` and `newX` out of the fields.
fn named_pairs(
    change: bool,
    fields: &mut Map<String, Value>,
    set: &mut Vec<Assignment>,
    state: &Value,
) -> bool {
    let news: Vec<(String, String)> = fields
        .keys()
        .filter_map(|key| Some((key.clone(), after_prefix(key, "new")?)))
        .collect();
    if news.is_empty() {
        return false;
    }
    // A payload may hold thousands of pairs: everything is looked up, nothing searched for.
    let mut olds: HashMap<String, Vec<String>> = HashMap::new();
    for key in fields.keys() {
        let properties = ["old", "previous"].map(|prefix| after_prefix(key, prefix));
        for property in properties.into_iter().flatten() {
            olds.entry(property).or_default().push(key.clone());
        }
    }
    let mut taken: HashSet<String> = HashSet::new();
    let mut spellings = None;
    let mut any = false;
    for (key, property) in news {
        let olds = olds.remove(&property).unwrap_or_default();
        if olds.is_empty() && !change {
            continue;
        }
        taken.extend(olds);
        if let Some(value) = fields.get_mut(&key).map(Value::take) {
            taken.insert(key.clone());
            set.push(Assignment {
                name: known_spelling(property, state, &mut spellings),
                value,
                origin: Origin::Field(key),
            });
            any = true;
        }
    }
    fields.retain(|key, _| !taken.contains(key));
    any
}

/// `newEmail` after `new` is `email`, `new_email` too; `newsletter` is no such name.
fn after_prefix(key: &str, prefix: &str) -> Option<String> {
    let rest = key.strip_prefix(prefix)?;
    if let Some(rest) = rest.strip_prefix(['_', '-', '.']) {
        return (!rest.is_empty()).then(|| rest.to_owned());
    }
    let mut chars = rest.chars();
    let first = chars.next()?;
    if !first.is_uppercase() {
        return None;
    }
    // An abbreviation stays as it is: `newURL` is `URL`.
    if chars.clone().next().is_some_and(char::is_uppercase) {
        return Some(rest.to_owned());
    }
    Some(first.to_lowercase().chain(chars).collect())
}

/// The property that a type names: its words without the last, and without the category before them.
fn property(words: &[String], category: &str, state: &Value) -> Option<String> {
    let (_, named) = words.split_last()?;
    let whole = camel(named);
    let category = self::words(category);
    let stripped = named.strip_prefix(&category[..]).unwrap_or(named);
    if stripped.is_empty() {
        return None;
    }
    let short = camel(stripped);
    // The state's own word wins, the shorter one first.
    let held = [&short, &whole]
        .into_iter()
        .find_map(|name| held(name, state));
    Some(held.unwrap_or(short))
}

/// The name as the state spells it. The state's names, folded, are gathered where one is not there as it is.
fn known_spelling<'s>(
    name: String,
    state: &'s Value,
    spellings: &mut Option<HashMap<String, &'s str>>,
) -> String {
    let Some(fields) = state.as_object() else {
        return name;
    };
    if fields.contains_key(&name) {
        return name;
    }
    let spellings = spellings.get_or_insert_with(|| {
        // The first of several counts.
        let folded = fields.keys().rev().map(|key| (folded(key), key.as_str()));
        folded.collect()
    });
    match spellings.get(&folded(&name)) {
        Some(held) => (*held).to_owned(),
        None => name,
    }
}

/// The name in the state that is the same but for case, `_` and `-`.
fn held(name: &str, state: &Value) -> Option<String> {
    let fields = state.as_object()?;
    if fields.contains_key(name) {
        return Some(name.to_owned());
    }
    let wanted = folded(name);
    fields.keys().find(|key| folded(key) == wanted).cloned()
}

fn camel(words: &[String]) -> String {
    let mut name = String::new();
    for (i, word) in words.iter().enumerate() {
        let mut chars = word.chars();
        match chars.next() {
            Some(first) if i > 0 => name.extend(first.to_uppercase().chain(chars)),
            _ => name.push_str(word),
        }
    }
    name
}

/// The words of a type, in small letters: `UserNameChanged`, `user_name.changed` and `User name changed` alike.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut before = None::<char>;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_alphanumeric() {
            fresh = true;
            before = None;
            continue;
        }
        let next_small = chars.peek().is_some_and(|next| next.is_lowercase());
        let turns = c.is_uppercase() && before.is_some_and(|b| !b.is_uppercase() || next_small);
        if fresh || turns {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        fresh = false;
        before = Some(c);
    }
    words
}

/// A name without case, `_` and `-`.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fold(category: &str, events: &[(&str, Value)]) -> Value {
        let mut state = json!({});
        for (event_type, data) in events {
            for set in assignments(event_type, category, data.clone(), None, &state) {
                state.as_object_mut().unwrap().insert(set.name, set.value);
            }
        }
        state
    }

    #[test]
    fn pairs_set_what_they_name() {
        let state = fold(
            "user",
            &[
                (
                    "UserRegistered",
                    json!({"name": "John Smith", "email": "john@oldcompany.com", "department": "Engineering"}),
                ),
                (
                    "EmailChanged",
                    json!({"oldEmail": "john@oldcompany.com", "newEmail": "john@newcompany.com", "changedBy": "admin@company.com", "reason": "Company transfer"}),
                ),
                (
                    "DepartmentChanged",
                    json!({"oldDepartment": "Engineering", "newDepartment": "Marketing", "changedBy": "hr@company.com", "effectiveDate": "2024-02-01"}),
                ),
            ],
        );
        assert_eq!(
            state,
            json!({"name": "John Smith", "email": "john@newcompany.com", "department": "Marketing"})
        );
    }

    #[test]
    fn bare_pairs_set_what_the_type_names() {
        let state = fold(
            "user",
            &[
                ("UserCreated", json!({"name": "Jane", "email": "jane@"})),
                ("EmailChanged", json!({"old": "jane@", "new": "j@new"})),
                ("UserNameChanged", json!({"old": "Jane", "new": "John"})),
            ],
        );
        assert_eq!(state, json!({"name": "John", "email": "j@new"}));
        let snake = fold(
            "order",
            &[
                (
                    "order_created",
                    json!({"ship_date": 1, "newsletter": true, "order_note": "a"}),
                ),
                ("order.ship_date.changed", json!({"from": 1, "to": 2})),
                (
                    "order_note_updated",
                    json!({"old_value": "a", "new_value": "b"}),
                ),
                ("StatusSet", json!({"new_status": "open", "comment": "c"})),
                ("MoneySent", json!({"from": "a", "to": "b"})),
                ("NewsRead", json!({"newCount": 3})),
            ],
        );
        assert_eq!(
            snake,
            json!({"ship_date": 2, "newsletter": true, "order_note": "b", "status": "open", "from": "a", "to": "b", "newCount": 3})
        );
    }

    #[test]
    fn who_and_why_stay_with_the_event() {
        let state = fold(
            "user",
            &[
                ("UserCreated", json!({"name": "John"})),
                (
                    "UserDeactivated",
                    json!({"reason": "User request", "by": "admin"}),
                ),
                (
                    "AppointmentScheduled",
                    json!({"reason": "checkup", "by": "x", "note": null}),
                ),
            ],
        );
        assert_eq!(state, json!({"name": "John"}));
        let kept = fold(
            "visit",
            &[(
                "Scheduled",
                json!({"patient": 1, "reason": "checkup", "by": "x"}),
            )],
        );
        assert_eq!(kept, json!({"patient": 1, "reason": "checkup"}));
    }

    /// Each pair was searched for among all names: 30,000 pairs took minutes.
    #[test]
    fn thousands_of_pairs_are_looked_up_not_searched_for() {
        let pairs = |n: usize| -> Value {
            let fields = (0..n).flat_map(|i| {
                [
                    (format!("newField{i}"), json!(i)),
                    (format!("oldField{i}"), json!(0)),
                ]
            });
            Value::Object(fields.collect())
        };
        let state = fold(
            "a",
            &[("Corrected", pairs(30_000)), ("Changed", pairs(30_000))],
        );
        let fields = state.as_object().unwrap();
        assert_eq!(
            (fields.len(), &fields["field29999"]),
            (30_000, &json!(29_999))
        );
        let known: Map<String, Value> = (0..30_000)
            .map(|i| (format!("FIELD_{i}"), json!(1)))
            .collect();
        let set = assignments("Changed", "a", pairs(30_000), None, &Value::Object(known));
        assert_eq!(set.len(), 30_000);
        assert_eq!(set[7].name, "FIELD_7");
    }

    #[test]
    fn other_payloads_and_odd_types() {
        assert_eq!(fold("a", &[("X", json!([1]))]), json!({"value": [1]}));
        assert_eq!(
            fold(
                "a",
                &[("", json!({"a": {"b": 1}})), ("x", json!({"a": {"c": 1}}))]
            ),
            json!({"a": {"c": 1}})
        );
        assert_eq!(
            fold("user", &[("UserChanged", json!({"old": 1, "new": 2}))]),
            json!({"old": 1, "new": 2})
        );
        assert_eq!(
            words("XMLFileHTTPChanged2"),
            ["xml", "file", "http", "changed2"]
        );
        assert_eq!(
            words("SRM: Awaiting-Assignment"),
            ["srm", "awaiting", "assignment"]
        );
    }
}
