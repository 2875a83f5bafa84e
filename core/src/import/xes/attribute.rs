//! XES attributes as JSON, nothing lost: `docs/formats/xes-mapping.md`.

use std::collections::HashSet;

use super::token::{Tag, Token, Tokens};
use crate::import::mapping::write_json_string;
use crate::import::{ImportError, MAX_DEPTH};

/// Key of the name of a trace, and of the activity of an event.
pub(super) const NAME: &str = "concept:name";

/// An attribute of an event or trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub key: String,
    /// Its value as JSON.
    pub json: String,
    /// Its value as written; `None` for lists and containers.
    pub text: Option<String>,
    /// Its type and those of the attributes in it, as far as the JSON does not tell: path and type.
    types: Vec<(String, &'static str)>,
    /// A key that stands twice among the attributes in it.
    repeated: Option<String>,
}

/// Reads attributes up to the end of the element that holds them.
pub(super) fn read_all(
    tokens: &mut Tokens<'_>,
    depth: usize,
) -> Result<Vec<Attribute>, ImportError> {
    let mut attributes = Vec::new();
    loop {
        match tokens.next()? {
            open @ Token::Open { .. } => push(tokens, &mut attributes, open, depth)?,
            Token::Close => return Ok(attributes),
            Token::End => return Err(tokens.cut_off()),
        }
    }
}

/// Reads an attribute, and keeps it if the record does not get too long by it.
fn push(
    tokens: &mut Tokens<'_>,
    attributes: &mut Vec<Attribute>,
    open: Token,
    depth: usize,
) -> Result<(), ImportError> {
    let attribute = read(tokens, open, depth)?;
    if !tokens.is_too_long() {
        attributes.push(attribute);
    }
    Ok(())
}

/// A key that stands twice among these attributes, or among those in one of them.
pub(super) fn repeated_in(attributes: &[Attribute]) -> Option<String> {
    let mut seen = HashSet::new();
    let twice = attributes.iter().find(|a| !seen.insert(a.key.as_str()));
    let twice = twice.map(|a| &a.key);
    let inside = || attributes.iter().find_map(|a| a.repeated.as_ref());
    twice.or_else(inside).cloned()
}

/// Reads the attribute that `open` begins, to its end.
pub(super) fn read(
    tokens: &mut Tokens<'_>,
    open: Token,
    depth: usize,
) -> Result<Attribute, ImportError> {
    let Token::Open {
        tag,
        name,
        key,
        value,
        empty,
    } = open
    else {
        return Err(tokens.malformed("an attribute was expected"));
    };
    if !tag.is_attribute() {
        return Err(tokens.malformed(format!("<{name}> is no XES attribute")));
    }
    if depth > MAX_DEPTH / 4 {
        return Err(tokens.malformed("attributes are nested too deep"));
    }
    let Some(key) = key else {
        return Err(tokens.malformed(format!("a <{name}> attribute has no key")));
    };
    tokens.spend(key.len() + value.as_ref().map_or(0, String::len));
    let (values, children) = if empty {
        (None, Vec::new())
    } else {
        read_inner(tokens, depth)?
    };
    let attribute = match tag {
        Tag::List => list(key, values, children),
        Tag::Container => {
            let mut types = vec![(key.clone(), "container")];
            extend_types(&mut types, &key, &children);
            Attribute {
                json: object_of(&children),
                text: None,
                types,
                repeated: repeated_in(&children),
                key,
            }
        }
        tag => scalar(tag, key, value.unwrap_or_default(), &children),
    };
    Ok(attribute)
}

/// The attributes inside an attribute: those in its `<values>`, and its other children.
type Inner = (Option<Vec<Attribute>>, Vec<Attribute>);

fn read_inner(tokens: &mut Tokens<'_>, depth: usize) -> Result<Inner, ImportError> {
    let mut values: Option<Vec<Attribute>> = None;
    let mut children = Vec::new();
    loop {
        match tokens.next()? {
            Token::Open {
                tag: Tag::Values,
                empty,
                ..
            } => {
                let values = values.get_or_insert_default();
                if !empty {
                    values.extend(read_all(tokens, depth + 1)?);
                }
            }
            open @ Token::Open { .. } => push(tokens, &mut children, open, depth + 1)?,
            Token::Close => return Ok((values, children)),
            Token::End => return Err(tokens.cut_off()),
        }
    }
}

/// A list keeps order and repeated keys: `[{"key": value}, …]`.
fn list(key: String, values: Option<Vec<Attribute>>, children: Vec<Attribute>) -> Attribute {
    // Without <values> the children are the items.
    let (items, children) = match values {
        Some(values) => (values, children),
        None => (children, Vec::new()),
    };
    let objects: Vec<String> = items
        .iter()
        .map(|item| object_of(std::slice::from_ref(item)))
        .collect();
    let mut types = Vec::new();
    extend_types(&mut types, &key, &items);
    extend_types(&mut types, &key, &children);
    // The items may have one key; what is in an item, or beside the items, may not.
    let inside = items.iter().find_map(|item| item.repeated.clone());
    Attribute {
        json: with_children(format!("[{}]", objects.join(",")), &children),
        text: None,
        types,
        repeated: inside.or_else(|| repeated_in(&children)),
        key,
    }
}

fn scalar(tag: Tag, key: String, text: String, children: &[Attribute]) -> Attribute {
    let is_number = matches!(text.as_bytes().first(), Some(b'-' | b'0'..=b'9'))
        && serde_json::from_str::<&serde_json::value::RawValue>(&text)
            .is_ok_and(|n| n.get() == text);
    let is_integer = is_number && !text.contains(['.', 'e', 'E']);
    let (plain, kind) = match tag {
        // The time of an event is a date by the standard; the others say so.
        Tag::Date if key == "time:timestamp" => (false, None),
        Tag::Date => (false, Some("date")),
        Tag::Id => (false, Some("id")),
        Tag::Int => (is_integer, (!is_integer).then_some("int")),
        Tag::Float => (is_number, (!is_number || is_integer).then_some("float")),
        Tag::Boolean => {
            let plain = matches!(text.as_str(), "true" | "false");
            (plain, (!plain).then_some("boolean"))
        }
        _ => (false, None),
    };
    let json = if plain {
        text.clone()
    } else {
        let mut json = String::with_capacity(text.len() + 2);
        write_json_string(&mut json, &text);
        json
    };
    let mut types = Vec::new();
    types.extend(kind.map(|kind| (key.clone(), kind)));
    extend_types(&mut types, &key, children);
    Attribute {
        json: with_children(json, children),
        text: Some(text),
        types,
        repeated: repeated_in(children),
        key,
    }
}

/// A value that has attributes of its own: `{"value": …, "children": {…}}`.
fn with_children(json: String, children: &[Attribute]) -> String {
    if children.is_empty() {
        return json;
    }
    format!(r#"{{"value":{json},"children":{}}}"#, object_of(children))
}

fn extend_types(types: &mut Vec<(String, &'static str)>, key: &str, inner: &[Attribute]) {
    types.extend(
        inner
            .iter()
            .flat_map(|a| &a.types)
            .map(|(path, kind)| (format!("{key}/{path}"), *kind)),
    );
}

/// The attributes as one JSON object, in file order.
pub(super) fn object_of(attributes: &[Attribute]) -> String {
    let mut json = String::from("{");
    for (i, attribute) in attributes.iter().enumerate() {
        json.push_str(if i == 0 { "" } else { "," });
        write_json_string(&mut json, &attribute.key);
        json.push(':');
        json.push_str(&attribute.json);
    }
    json.push('}');
    json
}

/// Types that the JSON does not tell, as one JSON object from path to type; `None` where it tells them all.
pub(super) fn types_of(attributes: &[Attribute]) -> Option<String> {
    let mut json = String::new();
    for (path, kind) in attributes.iter().flat_map(|a| &a.types) {
        json.push_str(if json.is_empty() { "{" } else { "," });
        write_json_string(&mut json, path);
        json.push(':');
        write_json_string(&mut json, kind);
    }
    (!json.is_empty()).then(|| json + "}")
}
