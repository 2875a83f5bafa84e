//! Texts that are UUIDs, and times in the usual form, in fewer bytes.
//!
//! In a log of formats 3 and 4 the columns `id`, `source_id`, `correlation` and `causation` hold a UUID in its usual form
//! (36 characters, lower case) as its 16 bytes, and `time_text` holds the time in RFC 3339 with `Z` as the number of
//! digits after the second. Both come back character by character; any other text, and everything in formats 1 and 2,
//! is there as it was written. What is read needs no format; what is written or looked for does.

use rusqlite::Connection;
use rusqlite::types::{FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::schema::{FORMAT_PACKED, format_of};
use crate::time::Time;

/// Whether a log holds texts in fewer bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packing(bool);

impl Packing {
    /// Of formats 1 and 2.
    pub(super) const NONE: Packing = Packing(false);

    /// That of a file.
    pub(super) fn of(conn: &Connection) -> rusqlite::Result<Packing> {
        Ok(Packing(format_of(conn)? >= FORMAT_PACKED))
    }

    /// A text as the file holds it.
    pub(super) fn text(self, text: &str) -> Packed<'_> {
        match self.0 {
            true => usual_uuid(text).map_or(Packed::Text(text), Packed::Uuid),
            false => Packed::Text(text),
        }
    }

    /// A text as the file holds it, where there is one.
    pub(super) fn optional(self, text: &Option<String>) -> Option<Packed<'_>> {
        text.as_deref().map(|text| self.text(text))
    }

    /// The text of a time as the file holds it.
    pub(super) fn time_text(self, time: Time, text: &str) -> PackedTime<'_> {
        match self.0 {
            true => digits_of(time, text).map_or(PackedTime::Text(text), PackedTime::Digits),
            false => PackedTime::Text(text),
        }
    }
}

/// A text as a file holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Packed<'t> {
    Text(&'t str),
    Uuid([u8; 16]),
}

impl Packed<'_> {
    /// As a value of its own.
    pub(super) fn into_value(self) -> Value {
        match self {
            Packed::Text(text) => Value::Text(text.to_owned()),
            Packed::Uuid(bytes) => Value::Blob(bytes.to_vec()),
        }
    }
}

impl<'t> From<Packed<'t>> for ToSqlOutput<'t> {
    fn from(packed: Packed<'t>) -> ToSqlOutput<'t> {
        match packed {
            Packed::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            uuid @ Packed::Uuid(_) => ToSqlOutput::Owned(uuid.into_value()),
        }
    }
}

impl ToSql for Packed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Packed::Text(text) => ValueRef::Text(text.as_bytes()),
            Packed::Uuid(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The text of a time as a file holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackedTime<'t> {
    Text(&'t str),
    Digits(u8),
}

impl<'t> From<PackedTime<'t>> for ToSqlOutput<'t> {
    fn from(packed: PackedTime<'t>) -> ToSqlOutput<'t> {
        ToSqlOutput::Borrowed(match packed {
            PackedTime::Text(text) => ValueRef::Text(text.as_bytes()),
            PackedTime::Digits(digits) => ValueRef::Integer(digits.into()),
        })
    }
}

impl ToSql for PackedTime<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self).into())
    }
}

/// A text as it was written: borrowed from the row, or made of what the row holds.
#[derive(Debug)]
pub(super) enum Unpacked<'r> {
    Text(&'r str),
    Uuid([u8; Hyphenated::LENGTH]),
    Time([u8; Time::UTC_LENGTH], usize),
}

impl Unpacked<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Unpacked::Text(text) => text,
            Unpacked::Uuid(text) => ascii(text),
            Unpacked::Time(text, len) => ascii(&text[..*len]),
        }
    }
}

impl From<Unpacked<'_>> for String {
    fn from(text: Unpacked<'_>) -> String {
        text.as_str().to_owned()
    }
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("digits, letters and signs were put there")
}

/// A text out of a file, of whatever format.
///
/// # Errors
/// [`FromSqlError`] where the column holds no text, neither so nor so.
pub(super) fn text(value: ValueRef<'_>) -> FromSqlResult<Option<Unpacked<'_>>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) => {
            let bytes: [u8; 16] = bytes.try_into().map_err(|_| FromSqlError::InvalidType)?;
            let mut text = [0; Hyphenated::LENGTH];
            Uuid::from_bytes(bytes).hyphenated().encode_lower(&mut text);
            Ok(Some(Unpacked::Uuid(text)))
        }
        other => other.as_str().map(|text| Some(Unpacked::Text(text))),
    }
}

/// The text of a time out of a file, of whatever format.
///
/// # Errors
/// [`FromSqlError`] where the column holds neither a text nor a number of digits.
pub(super) fn time_text(value: ValueRef<'_>, time: Time) -> FromSqlResult<Option<Unpacked<'_>>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(digits) => {
            let digits = u8::try_from(digits).ok().filter(|digits| *digits <= 9);
            let digits = digits.ok_or(FromSqlError::InvalidType)?;
            let mut text = [0; Time::UTC_LENGTH];
            let len = time.write_utc(digits, &mut text).len();
            Ok(Some(Unpacked::Time(text, len)))
        }
        other => other.as_str().map(|text| Some(Unpacked::Text(text))),
    }
}

/// Whether a text that stands as one in a file of format 3 or 4 would be looked for as bytes.
pub(super) fn is_loose(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Text(text) if std::str::from_utf8(text).is_ok_and(|text| usual_uuid(text).is_some()))
}

/// The bytes of a UUID that is written in its usual form.
fn usual_uuid(text: &str) -> Option<[u8; 16]> {
    if text.len() != Hyphenated::LENGTH {
        return None;
    }
    let uuid = Uuid::try_parse(text).ok()?;
    let mut usual = [0; Hyphenated::LENGTH];
    (uuid.hyphenated().encode_lower(&mut usual) == text).then(|| uuid.into_bytes())
}

/// How many digits after the second the text of a time has, if it says no more than that and the time.
fn digits_of(time: Time, text: &str) -> Option<u8> {
    let digits = match text.len().checked_sub("2024-01-01T00:00:00Z".len())? {
        0 => 0,
        // The point comes with them.
        more => u8::try_from(more - 1)
            .ok()
            .filter(|n| (1..=9).contains(n))?,
    };
    let mut usual = [0; Time::UTC_LENGTH];
    (time.write_utc(digits, &mut usual) == text).then_some(digits)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::*;
    use crate::time::SourceTime;

    fn back(value: ValueRef<'_>) -> Option<String> {
        text(value).unwrap().map(|text| text.as_str().to_owned())
    }

    /// A text through a file of format 3 or 4, and whether it became bytes.
    fn through(written: &str) -> (String, bool) {
        let packed = Packing(true).text(written);
        let value = packed.to_sql().unwrap();
        let ToSqlOutput::Borrowed(value) = value else {
            panic!("borrowed");
        };
        assert_eq!(Packing(false).text(written), Packed::Text(written));
        (back(value).unwrap(), matches!(packed, Packed::Uuid(_)))
    }

    #[test]
    fn only_a_uuid_in_its_usual_form_becomes_bytes() {
        let usual = "018d0c2a-7e1f-7abc-8def-0123456789ab";
        assert_eq!(through(usual), (usual.to_owned(), true));
        for other in [
            "",
            "e-1",
            "018D0C2A-7E1F-7ABC-8DEF-0123456789AB",
            "018d0c2a7e1f7abc8def0123456789ab",
            "{018d0c2a-7e1f-7abc-8def-0123456789a",
            "018d0c2a-7e1f-7abc-8def-0123456789aé",
            "urn:uuid:018d0c2a-7e1f-7abc-8def-012",
            "018d0c2a-7e1f-7abc-8def-0123456789ab ",
        ] {
            assert_eq!(through(other), (other.to_owned(), false));
        }
        assert!(is_loose(ValueRef::Text(usual.as_bytes())));
        assert!(!is_loose(ValueRef::Text(b"e-1")));
        assert!(text(ValueRef::Blob(b"short")).is_err());
        assert!(text(ValueRef::Integer(7)).is_err());
    }

    /// The text of a time through a file of format 3 or 4, and whether it became a number.
    fn time_through(written: &str) -> (String, bool) {
        let time = SourceTime::parse(written, Tz::UTC).unwrap();
        let packed = Packing(true).time_text(time.time, written);
        let ToSqlOutput::Borrowed(value) = packed.to_sql().unwrap() else {
            panic!("borrowed");
        };
        let back = time_text(value, time.time).unwrap().unwrap();
        let is_number = matches!(packed, PackedTime::Digits(_));
        (back.as_str().to_owned(), is_number)
    }

    #[test]
    fn only_a_time_in_the_usual_form_becomes_a_number() {
        for usual in [
            "2024-01-15T10:30:00Z",
            "2024-01-15T10:30:00.0Z",
            "2024-02-29T23:59:59.999Z",
            "1969-12-31T23:59:59.999999999Z",
            "0001-01-01T00:00:00.000000Z",
            "9999-12-31T23:59:59.123456789Z",
        ] {
            assert_eq!(time_through(usual), (usual.to_owned(), true));
        }
        for other in [
            "2024-01-15T10:30:00+00:00",
            "2024-01-15T10:30:00.000+00:00",
            "2024-01-15t10:30:00z",
            "2024-01-15 10:30:00Z",
            "2024-01-15",
            "2024-01-15T10:30:00",
            "2016-12-31T23:59:60Z",
            "2024-01-15T10:30:00.1234567890Z",
        ] {
            assert_eq!(time_through(other), (other.to_owned(), false));
        }
        assert!(time_text(ValueRef::Integer(10), Time::MIN).is_err());
        assert!(time_text(ValueRef::Integer(-1), Time::MIN).is_err());
    }

    proptest! {
        #[test]
        fn texts_and_times_come_back_as_they_were(
            bytes in any::<[u8; 16]>(),
            us in Time::MIN.us()..=Time::MAX.us(),
            sub_ns in 0u16..1_000,
            digits in 0u8..=9,
            any in "[0-9a-fA-F-]{34,38}",
        ) {
            let usual = Uuid::from_bytes(bytes).to_string();
            prop_assert_eq!(through(&usual), (usual, true));
            prop_assert_eq!(through(&any).0, any);
            let time = Time::from_parts(us, sub_ns).unwrap();
            let mut text = [0; Time::UTC_LENGTH];
            let text = time.write_utc(digits, &mut text).to_owned();
            prop_assert_eq!(time_through(&text), (text, true));
            let told = time.to_string();
            prop_assert_eq!(time_through(&told), (told, true));
        }
    }
}
