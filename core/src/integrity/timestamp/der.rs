//! Distinguished encoding (X.690) of what time stamps are made of: definite lengths in their shortest form, tags of one
//! byte, nothing left over. Whatever is not written so is refused.

use super::TimeStampError;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0C;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Tag of a context-specific value that holds others.
pub(super) const fn inside(number: u8) -> u8 {
    0xA0 | number
}

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    /// Its tag.
    pub(super) tag: u8,
    /// What it holds.
    pub(super) body: &'a [u8],
    /// All of it, with tag and length.
    pub(super) whole: &'a [u8],
}

/// Reads values one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// Reads bytes that are one value and nothing else.
    pub(super) fn only(
        bytes: &'a [u8],
        tag: u8,
        what: &'static str,
    ) -> Result<Reader<'a>, TimeStampError> {
        let mut reader = Reader::new(bytes);
        let inner = reader.enter(tag, what)?;
        reader.end(what)?;
        Ok(inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next value, if there is one.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Reads the next value, whatever it is.
    pub(super) fn any(&mut self, what: &'static str) -> Result<Value<'a>, TimeStampError> {
        let bad = || TimeStampError::Malformed(what);
        let [tag, first, ..] = *self.rest else {
            return Err(bad());
        };
        if tag & 0x1F == 0x1F {
            return Err(bad());
        }
        let (length, head) = match first {
            0..=0x7F => (usize::from(first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7F);
                let digits = self.rest.get(2..2 + count).ok_or_else(bad)?;
                let length = digits
                    .iter()
                    .fold(0usize, |n, byte| n << 8 | usize::from(*byte));
                if digits[0] == 0 || length < 0x80 {
                    return Err(bad());
                }
                (length, 2 + count)
            }
            _ => return Err(bad()),
        };
        let end = head.checked_add(length).ok_or_else(bad)?;
        let whole = self.rest.get(..end).ok_or_else(bad)?;
        self.rest = &self.rest[end..];
        Ok(Value {
            tag,
            body: &whole[head..],
            whole,
        })
    }

    /// Reads the next value, which has this tag.
    pub(super) fn value(
        &mut self,
        tag: u8,
        what: &'static str,
    ) -> Result<Value<'a>, TimeStampError> {
        match self.any(what)? {
            value if value.tag == tag => Ok(value),
            _ => Err(TimeStampError::Malformed(what)),
        }
    }

    /// Reads the next value, if it has this tag.
    pub(super) fn optional(
        &mut self,
        tag: u8,
        what: &'static str,
    ) -> Result<Option<Value<'a>>, TimeStampError> {
        match self.peek() {
            Some(next) if next == tag => self.value(tag, what).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads into the next value, which has this tag.
    pub(super) fn enter(
        &mut self,
        tag: u8,
        what: &'static str,
    ) -> Result<Reader<'a>, TimeStampError> {
        Ok(Reader::new(self.value(tag, what)?.body))
    }

    /// Says that nothing is left.
    pub(super) fn end(&self, what: &'static str) -> Result<(), TimeStampError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(TimeStampError::Malformed(what)),
        }
    }
}

/// Writes one value.
pub(super) fn write(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = body.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match body.len() {
        short @ 0..=0x7F => bytes.push(short as u8),
        _ => {
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend_from_slice(digits);
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// An object identifier in its usual digits.
pub(super) fn dotted(body: &[u8]) -> String {
    let mut numbers: Vec<u128> = Vec::new();
    let mut number = 0u128;
    for byte in body {
        // A number of more than 121 bits is nobody's; what is printed then is its end.
        number = number << 7 | u128::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            match numbers.is_empty() {
                true => {
                    let first = (number / 40).min(2);
                    numbers.extend([first, number - 40 * first]);
                }
                false => numbers.push(number),
            }
            number = 0;
        }
    }
    let digits: Vec<String> = numbers.iter().map(u128::to_string).collect();
    digits.join(".")
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
