//! What the formats in XML have in common.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart};

/// Most attributes of one element: they are compared with one another. None of the formats has so many.
const MAX_ATTRIBUTES: usize = 100;

/// What is wrong with an element that has too many attributes, in a sentence for the user.
pub(super) fn crowded(start: &BytesStart<'_>) -> Option<String> {
    let count = start.attributes().with_checks(false).count();
    (count > MAX_ATTRIBUTES)
        .then(|| format!("an element has more than {MAX_ATTRIBUTES} XML attributes"))
}

/// The attributes of an element, with names without prefixes.
///
/// # Errors
/// What is wrong with them.
pub(super) fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    if let Some(message) = crowded(start) {
        return Err(message);
    }
    let read = start.attributes().map(|attribute| {
        let attribute = attribute?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        let key = attribute.key.local_name().as_ref().to_owned();
        Ok((key, value.into_owned()))
    });
    read.collect::<Result<_, quick_xml::Error>>()
        .map_err(|error| error.to_string())
}

/// The character that a reference stands for; `None` for an entity that only a DOCTYPE could define.
pub(super) fn character(reference: &BytesRef<'_>) -> Option<char> {
    match resolve_xml_entity(reference) {
        Some(text) => text.chars().next(),
        None => reference.resolve_char_ref().ok().flatten(),
    }
}
