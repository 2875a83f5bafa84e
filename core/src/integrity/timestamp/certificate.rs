//! What must be known of a certificate (RFC 5280) beside what the library checks: who it is, and what it is for.

use super::TimeStampError;
use super::der::{
    BOOLEAN, INTEGER, OBJECT_ID, OCTET_STRING, Reader, SEQUENCE, SET, dotted, inside,
};
use super::read::first_bits;

/// Kinds of extensions.
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 0x0E];
/// `id-kp-timeStamping`.
pub(super) const TIME_STAMPING: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 8];

/// A certificate, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Certificate<'a> {
    pub(super) serial: &'a [u8],
    /// With tag and length.
    pub(super) issuer: &'a [u8],
    /// With tag and length.
    pub(super) subject: &'a [u8],
    pub(super) key_id: Option<&'a [u8]>,
    pub(super) is_ca: bool,
    /// Whether it is for time stamps and nothing else, and says so critically (RFC 3161, section 2.3).
    pub(super) is_for_stamps: bool,
    /// Whether its key may sign.
    pub(super) may_sign: bool,
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Certificate<'a>, TimeStampError> {
        const WHAT: &str = "a certificate cannot be read";
        let mut outer = Reader::only(bytes, SEQUENCE, WHAT)?;
        let mut body = outer.enter(SEQUENCE, WHAT)?;
        body.optional(inside(0), WHAT)?;
        let serial = body.value(INTEGER, WHAT)?.body;
        body.value(SEQUENCE, WHAT)?;
        let issuer = body.value(SEQUENCE, WHAT)?.whole;
        body.value(SEQUENCE, WHAT)?;
        let subject = body.value(SEQUENCE, WHAT)?.whole;
        body.value(SEQUENCE, WHAT)?;
        body.optional(0x81, WHAT)?;
        body.optional(0x82, WHAT)?;
        let mut certificate = Certificate {
            serial,
            issuer,
            subject,
            key_id: None,
            is_ca: false,
            is_for_stamps: false,
            may_sign: true,
        };
        if let Some(extensions) = body.optional(inside(3), WHAT)? {
            let mut list = Reader::only(extensions.body, SEQUENCE, WHAT)?;
            while !list.is_empty() {
                certificate.take(list.enter(SEQUENCE, WHAT)?)?;
            }
        }
        body.end(WHAT)?;
        Ok(certificate)
    }

    fn take(&mut self, mut extension: Reader<'a>) -> Result<(), TimeStampError> {
        const WHAT: &str = "an extension of a certificate cannot be read";
        let id = extension.value(OBJECT_ID, WHAT)?.body;
        let critical = extension.optional(BOOLEAN, WHAT)?;
        let critical = critical.is_some_and(|critical| critical.body == [0xFF]);
        let value = extension.value(OCTET_STRING, WHAT)?.body;
        extension.end(WHAT)?;
        match id {
            // Bits 0 and 1: digitalSignature, contentCommitment.
            KEY_USAGE => self.may_sign = first_bits(value)? & 0xC0 != 0,
            BASIC_CONSTRAINTS => {
                let mut constraints = Reader::only(value, SEQUENCE, WHAT)?;
                let ca = constraints.optional(BOOLEAN, WHAT)?;
                self.is_ca = ca.is_some_and(|ca| ca.body != [0]);
            }
            EXTENDED_KEY_USAGE => {
                let mut purposes = Reader::only(value, SEQUENCE, WHAT)?;
                let first = purposes.value(OBJECT_ID, WHAT)?.body;
                self.is_for_stamps = critical && first == TIME_STAMPING && purposes.is_empty();
            }
            SUBJECT_KEY_ID => {
                let mut key = Reader::new(value);
                self.key_id = Some(key.value(OCTET_STRING, WHAT)?.body);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A name in the usual form, its most telling part first: `CN=…, O=…`.
pub(super) fn name_text(name: &[u8]) -> String {
    let parts = || -> Result<Vec<String>, TimeStampError> {
        const WHAT: &str = "a name cannot be read";
        let mut list = Reader::only(name, SEQUENCE, WHAT)?;
        let mut parts = Vec::new();
        while !list.is_empty() {
            let mut set = list.enter(SET, WHAT)?;
            while !set.is_empty() {
                let mut pair = set.enter(SEQUENCE, WHAT)?;
                let kind = pair.value(OBJECT_ID, WHAT)?.body;
                let value = pair.any(WHAT)?.body;
                let kind = match kind {
                    [0x55, 4, 3] => "CN".to_owned(),
                    [0x55, 4, 6] => "C".to_owned(),
                    [0x55, 4, 7] => "L".to_owned(),
                    [0x55, 4, 8] => "ST".to_owned(),
                    [0x55, 4, 10] => "O".to_owned(),
                    [0x55, 4, 11] => "OU".to_owned(),
                    other => dotted(other),
                };
                parts.push(format!("{kind}={}", String::from_utf8_lossy(value)));
            }
        }
        parts.reverse();
        Ok(parts)
    };
    parts().map_or_else(
        |_| "a name that cannot be read".to_owned(),
        |p| p.join(", "),
    )
}
