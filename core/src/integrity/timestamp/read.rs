//! Taking a response, or a token alone, apart.

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::TimeStampError;
use super::certificate::{Certificate, name_text};
use super::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_ID, OCTET_STRING, Reader, SEQUENCE, SET,
    UTF8_STRING, dotted, hex, inside,
};
use crate::time::Time;

/// `id-sha256`, with tag and length, as the others.
pub(super) const SHA256: &[u8] = &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA384: &[u8] = &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
const SHA512: &[u8] = &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
/// `id-signedData` (RFC 5652).
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
/// `id-ct-TSTInfo` (RFC 3161).
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 0x10, 1, 4];
/// Signed attributes (RFC 5652, RFC 5035).
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
const SIGNING_CERTIFICATE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 0x10, 2, 12];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 0x10, 2, 47];

/// A stamp of more bytes is not read.
const MAX_LEN: usize = 1 << 20;

/// A hash that stamps use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashKind {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl HashKind {
    /// The hash that an AlgorithmIdentifier names.
    fn of(mut algorithm: Reader<'_>) -> Result<HashKind, TimeStampError> {
        let id = algorithm.value(OBJECT_ID, "an algorithm has no name")?;
        match id.whole {
            SHA256 => Ok(HashKind::Sha256),
            SHA384 => Ok(HashKind::Sha384),
            SHA512 => Ok(HashKind::Sha512),
            _ => Err(TimeStampError::Unsupported {
                what: "the hash",
                id: dotted(id.body),
            }),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            HashKind::Sha1 => "SHA-1",
            HashKind::Sha256 => "SHA-256",
            HashKind::Sha384 => "SHA-384",
            HashKind::Sha512 => "SHA-512",
        }
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            HashKind::Sha1 => ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)
                .as_ref()
                .to_vec(),
            HashKind::Sha256 => Sha256::digest(bytes).to_vec(),
            HashKind::Sha384 => Sha384::digest(bytes).to_vec(),
            HashKind::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// How a stamp names the certificate that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignerId {
    /// Issuer and serial number, each as in the certificate.
    Issued { issuer: Vec<u8>, serial: Vec<u8> },
    /// Identifier of its key.
    Key(Vec<u8>),
}

/// A time stamp, taken apart. What it says is not to be believed before [`super::Authority::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeStamp {
    /// When the authority says that it saw the hash.
    pub time: Time,
    /// How exact it says that is, in microseconds either way; `None` where it says nothing.
    pub accuracy_us: Option<u64>,
    /// Its number, hexadecimal.
    pub serial: String,
    /// Policy that it was made under, an object identifier.
    pub policy: String,
    pub(super) imprint_kind: HashKind,
    pub(super) imprint: Vec<u8>,
    /// Certificates that came along.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) signer: SignerId,
    /// What the signature is over: the signed attributes as a set.
    pub(super) signed: Vec<u8>,
    /// Hash of the certificate that signed.
    pub(super) signer_hash: (HashKind, Vec<u8>),
    /// The content of the signature's AlgorithmIdentifier.
    pub(super) algorithm: Vec<u8>,
    /// The hash that the signer names beside it.
    pub(super) digest: HashKind,
    pub(super) signature: Vec<u8>,
}

/// What TSTInfo holds of it (RFC 3161, section 2.4.2).
struct Info {
    time: Time,
    accuracy_us: Option<u64>,
    serial: String,
    policy: String,
    imprint_kind: HashKind,
    imprint: Vec<u8>,
}

/// What the signed attributes hold.
struct Attributes {
    digest: Vec<u8>,
    certificate: (HashKind, Vec<u8>),
}

impl TimeStamp {
    /// Reads a response of an authority, or the token in it alone; verifies no signature, but that the stamp's own
    /// hash of what it says is right.
    ///
    /// # Errors
    /// [`TimeStampError::Malformed`], [`TimeStampError::Unsupported`], [`TimeStampError::Refused`],
    /// [`TimeStampError::Forged`].
    pub fn parse(bytes: &[u8]) -> Result<TimeStamp, TimeStampError> {
        if bytes.len() > MAX_LEN {
            return Err(TimeStampError::Malformed("it is larger than 1 MiB"));
        }
        let mut outer = Reader::only(bytes, SEQUENCE, "it is not one sequence in DER")?;
        let token = match outer.peek() {
            Some(OBJECT_ID) => outer,
            _ => {
                let status = outer.enter(SEQUENCE, "it has no status")?;
                granted(status)?;
                let token = outer.enter(SEQUENCE, "it has no token")?;
                outer.end("something follows its token")?;
                token
            }
        };
        read_token(token)
    }

    /// Who signed, by the certificate that came along; nobody vouches for it.
    #[must_use]
    pub fn claimed_signer(&self) -> Option<String> {
        let (kind, hash) = &self.signer_hash;
        let own = |bytes: &&Vec<u8>| kind.digest(bytes) == *hash;
        let certificate = Certificate::parse(self.certificates.iter().find(own)?).ok()?;
        Some(name_text(certificate.subject))
    }

    /// Says whether the stamp is of these bytes.
    ///
    /// # Errors
    /// [`TimeStampError::OtherContent`].
    pub fn is_of(&self, content: &[u8]) -> Result<(), TimeStampError> {
        let expected = self.imprint_kind.digest(content);
        if expected == self.imprint {
            return Ok(());
        }
        Err(TimeStampError::OtherContent {
            algorithm: self.imprint_kind.word(),
            found: hex(&self.imprint),
            expected: hex(&expected),
        })
    }
}

fn granted(mut status: Reader<'_>) -> Result<(), TimeStampError> {
    let number = status.value(INTEGER, "its status is no number")?;
    if matches!(number.body, [0 | 1]) {
        return Ok(());
    }
    let mut words = Vec::new();
    if let Some(text) = status.optional(SEQUENCE, "its status has no words")? {
        let mut text = Reader::new(text.body);
        while !text.is_empty() {
            let word = text.value(UTF8_STRING, "its status has no words")?;
            words.push(String::from_utf8_lossy(word.body).into_owned());
        }
    }
    let number = match number.body {
        [small] => small.to_string(),
        more => format!("0x{}", hex(more)),
    };
    Err(TimeStampError::Refused {
        status: number,
        text: (!words.is_empty()).then(|| words.join("; ")),
    })
}

/// ContentInfo with SignedData (RFC 5652, sections 3 and 5.1).
fn read_token(mut token: Reader<'_>) -> Result<TimeStamp, TimeStampError> {
    let kind = token.value(OBJECT_ID, "its token has no type")?;
    if kind.body != SIGNED_DATA {
        return Err(TimeStampError::Malformed("its token is no signed data"));
    }
    let mut content = token.enter(inside(0), "its token is empty")?;
    token.end("something follows its signed data")?;
    let mut signed = content.enter(SEQUENCE, "its token is empty")?;
    content.end("something follows its signed data")?;
    signed.value(INTEGER, "its signed data has no version")?;
    signed.value(SET, "its signed data names no hashes")?;
    let mut wrapped = signed.enter(SEQUENCE, "its signed data has no content")?;
    if wrapped.value(OBJECT_ID, "its content has no type")?.body != TST_INFO {
        return Err(TimeStampError::Malformed("its content is no TSTInfo"));
    }
    let mut octets = wrapped.enter(inside(0), "its content is empty")?;
    wrapped.end("something follows its content")?;
    let info_bytes = octets.value(OCTET_STRING, "its content is empty")?.body;
    octets.end("something follows its content")?;

    let mut certificates = Vec::new();
    if let Some(set) = signed.optional(inside(0), "its certificates cannot be read")? {
        let mut set = Reader::new(set.body);
        while !set.is_empty() {
            let certificate = set.any("its certificates cannot be read")?;
            // Other kinds of certificates may stand there; none of them signs stamps.
            if certificate.tag == SEQUENCE {
                certificates.push(certificate.whole.to_vec());
            }
        }
    }
    signed.optional(inside(1), "its revocation lists cannot be read")?;
    let mut signers = signed.enter(SET, "it has no signer")?;
    signed.end("something follows its signer")?;
    let mut signer = signers.enter(SEQUENCE, "it has no signer")?;
    signers.end("it has more than one signer")?;

    signer.value(INTEGER, "its signer has no version")?;
    let id = signer_id(&mut signer)?;
    let digest = HashKind::of(signer.enter(SEQUENCE, "its signer names no hash")?)?;
    let attributes = signer.value(inside(0), "it has no signed attributes")?;
    let algorithm = signer
        .value(SEQUENCE, "its signature names no algorithm")?
        .body
        .to_vec();
    let signature = signer
        .value(OCTET_STRING, "it has no signature")?
        .body
        .to_vec();
    signer.optional(inside(1), "its unsigned attributes cannot be read")?;
    signer.end("something follows its signature")?;

    // The signature is over the attributes as a set, not as the tagged field (RFC 5652, section 5.4).
    let mut as_set = attributes.whole.to_vec();
    as_set[0] = SET;
    let held = read_attributes(Reader::new(attributes.body))?;
    if held.digest != digest.digest(info_bytes) {
        return Err(TimeStampError::Forged(
            "it is over something else than it says",
        ));
    }
    let info = read_info(info_bytes)?;
    Ok(TimeStamp {
        time: info.time,
        accuracy_us: info.accuracy_us,
        serial: info.serial,
        policy: info.policy,
        imprint_kind: info.imprint_kind,
        imprint: info.imprint,
        certificates,
        signer: id,
        signed: as_set,
        signer_hash: held.certificate,
        algorithm,
        digest,
        signature,
    })
}

fn signer_id(signer: &mut Reader<'_>) -> Result<SignerId, TimeStampError> {
    let id = signer.any("its signer has no name")?;
    match id.tag {
        SEQUENCE => {
            let mut id = Reader::new(id.body);
            let issuer = id
                .value(SEQUENCE, "its signer has no issuer")?
                .whole
                .to_vec();
            let serial = id
                .value(INTEGER, "its signer has no serial number")?
                .body
                .to_vec();
            id.end("something follows its signer's name")?;
            Ok(SignerId::Issued { issuer, serial })
        }
        0x80 => Ok(SignerId::Key(id.body.to_vec())),
        _ => Err(TimeStampError::Malformed("its signer has no name")),
    }
}

fn read_attributes(mut list: Reader<'_>) -> Result<Attributes, TimeStampError> {
    let (mut kind, mut digest, mut old, mut new) = (None, None, None, None);
    while !list.is_empty() {
        let mut attribute = list.enter(SEQUENCE, "a signed attribute cannot be read")?;
        let id = attribute
            .value(OBJECT_ID, "a signed attribute has no name")?
            .body;
        let mut values = attribute.enter(SET, "a signed attribute has no value")?;
        attribute.end("something follows a signed attribute")?;
        let slot = match id {
            CONTENT_TYPE => &mut kind,
            MESSAGE_DIGEST => &mut digest,
            SIGNING_CERTIFICATE => &mut old,
            SIGNING_CERTIFICATE_V2 => &mut new,
            _ => continue,
        };
        let value = values.any("a signed attribute has no value")?;
        values.end("a signed attribute has several values")?;
        if slot.replace(value).is_some() {
            return Err(TimeStampError::Malformed("a signed attribute stands twice"));
        }
    }
    let kind = kind.ok_or(TimeStampError::Malformed("it does not sign what it is"))?;
    if (kind.tag, kind.body) != (OBJECT_ID, TST_INFO) {
        return Err(TimeStampError::Malformed(
            "it signs something else than a time stamp",
        ));
    }
    let digest = digest.filter(|digest| digest.tag == OCTET_STRING);
    let digest = digest.ok_or(TimeStampError::Malformed("it does not sign its content"))?;
    let none = "it does not sign which certificate is its own";
    let (mut certificate, is_new) = match (new, old) {
        (Some(new), _) => (Reader::only(new.whole, SEQUENCE, none)?, true),
        (None, Some(old)) => (Reader::only(old.whole, SEQUENCE, none)?, false),
        (None, None) => return Err(TimeStampError::Malformed(none)),
    };
    // Of several, the first is the signer's (RFC 5035, section 3).
    let mut first = certificate.enter(SEQUENCE, none)?.enter(SEQUENCE, none)?;
    let kind = match (is_new, first.peek()) {
        (false, _) => HashKind::Sha1,
        (true, Some(SEQUENCE)) => HashKind::of(first.enter(SEQUENCE, none)?)?,
        (true, _) => HashKind::Sha256,
    };
    let hash = first.value(OCTET_STRING, none)?.body.to_vec();
    Ok(Attributes {
        digest: digest.body.to_vec(),
        certificate: (kind, hash),
    })
}

fn read_info(bytes: &[u8]) -> Result<Info, TimeStampError> {
    let mut info = Reader::only(bytes, SEQUENCE, "its content is not one sequence")?;
    if info.value(INTEGER, "it has no version")?.body != [1] {
        return Err(TimeStampError::Malformed("it is of another version than 1"));
    }
    let policy = dotted(info.value(OBJECT_ID, "it names no policy")?.body);
    let mut imprint = info.enter(SEQUENCE, "it has no hash")?;
    let imprint_kind = HashKind::of(imprint.enter(SEQUENCE, "it has no hash")?)?;
    let hash = imprint.value(OCTET_STRING, "it has no hash")?.body.to_vec();
    imprint.end("something follows its hash")?;
    let serial = match info.value(INTEGER, "it has no number")?.body {
        [0, rest @ ..] if !rest.is_empty() => hex(rest),
        body => hex(body),
    };
    let time = generalized_time(info.value(GENERALIZED_TIME, "it has no time")?.body)?;
    let accuracy = info.optional(SEQUENCE, "its accuracy cannot be read")?;
    let accuracy_us = accuracy.map(|value| accuracy_of(value.body)).transpose()?;
    info.optional(BOOLEAN, "its ordering cannot be read")?;
    info.optional(INTEGER, "its nonce cannot be read")?;
    info.optional(inside(0), "its name cannot be read")?;
    if let Some(list) = info.optional(inside(1), "its extensions cannot be read")? {
        let mut list = Reader::new(list.body);
        while !list.is_empty() {
            let mut extension = list.enter(SEQUENCE, "its extensions cannot be read")?;
            let id = extension.value(OBJECT_ID, "its extensions cannot be read")?;
            let critical = extension.optional(BOOLEAN, "its extensions cannot be read")?;
            if critical.is_some_and(|critical| critical.body != [0]) {
                return Err(TimeStampError::Unsupported {
                    what: "a critical extension",
                    id: dotted(id.body),
                });
            }
        }
    }
    info.end("something follows what it says")?;
    Ok(Info {
        time,
        accuracy_us,
        serial,
        policy,
        imprint_kind,
        imprint: hash,
    })
}

/// Seconds, and in fields 0 and 1 milliseconds and microseconds.
fn accuracy_of(body: &[u8]) -> Result<u64, TimeStampError> {
    const WHAT: &str = "its accuracy cannot be read";
    let mut fields = Reader::new(body);
    let mut total = 0u64;
    for (tag, unit_us) in [(INTEGER, 1_000_000), (0x80, 1_000), (0x81, 1)] {
        let Some(value) = fields.optional(tag, WHAT)? else {
            continue;
        };
        let number = match value.body {
            [0x80..=0xFF, ..] | [] => None,
            bytes if bytes.len() > 5 => None,
            bytes => Some(bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte))),
        };
        let number = number.and_then(|n| n.checked_mul(unit_us));
        total = number
            .and_then(|n| total.checked_add(n))
            .ok_or(TimeStampError::Malformed(WHAT))?;
    }
    fields.end(WHAT)?;
    Ok(total)
}

/// `YYYYMMDDhhmmss[.f…]Z`, up to the nanosecond (RFC 3161, section 2.4.2).
pub(super) fn generalized_time(body: &[u8]) -> Result<Time, TimeStampError> {
    const BAD: TimeStampError = TimeStampError::Malformed("its time cannot be read");
    let text = std::str::from_utf8(body).map_err(|_| BAD)?;
    let text = text.strip_suffix('Z').ok_or(BAD)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let said = fraction.is_empty() != text.contains('.');
    if whole.len() != 14 || !digits(whole) || !digits(fraction) || fraction.len() > 9 || !said {
        return Err(BAD);
    }
    let dot = if fraction.is_empty() { "" } else { "." };
    let (date, clock) = whole.split_at(8);
    let written = format!(
        "{}-{}-{}T{}:{}:{}{dot}{fraction}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    Time::parse_rfc3339(&written).map_err(|_| BAD)
}

/// Bits of a BIT STRING's first byte; none where it is empty.
pub(super) fn first_bits(bytes: &[u8]) -> Result<u8, TimeStampError> {
    const WHAT: &str = "a certificate says nothing readable of its use";
    let mut reader = Reader::new(bytes);
    let value = reader.value(BIT_STRING, WHAT)?;
    reader.end(WHAT)?;
    Ok(value.body.get(1).copied().unwrap_or(0))
}
