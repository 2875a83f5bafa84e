//! Time stamps (RFC 3161, RFC 5816): an authority says that it saw these bytes, by their hash, at a time.
//!
//! A stamp is worth what its authority is worth, so one is good only against an [`Authority`] that somebody names, by
//! certificates which they have from elsewhere. Its certificate must have been valid, and meant for time stamps, at
//! the time that the stamp says. Requests carry no nonce: whenever a stamp was made, what it says stays true, and the
//! same checkpoint gives the same request.
//!
//! Left out: revocation, which needs a network and the present; sending and receiving.

mod authority;
mod certificate;
mod der;
mod read;

#[cfg(test)]
mod tests;

pub use authority::{Authority, Stamped};
pub use read::TimeStamp;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::time::Time;

/// Why a time stamp is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeStampError {
    /// It cannot be read as a time stamp.
    #[error("this is no time stamp (RFC 3161) that can be read: {0}")]
    Malformed(&'static str),
    /// The authority refused to stamp.
    #[error("the authority gave no time stamp: status {status}{}", .text.as_ref().map_or_else(String::new, |text| format!(", {text:?}")))]
    Refused {
        /// Its status (RFC 3161, section 2.4.2); 0 and 1 are granted.
        status: String,
        /// Its words.
        text: Option<String>,
    },
    /// It is of other bytes.
    #[error(
        "the time stamp is of something else: it is over {algorithm} {found}, and here is {expected}"
    )]
    OtherContent {
        /// Name of the hash.
        algorithm: &'static str,
        /// Hash in the stamp.
        found: String,
        /// Hash of the bytes.
        expected: String,
    },
    /// It uses an algorithm that is not known here.
    #[error("the time stamp uses {what} {id}, which is not known here")]
    Unsupported {
        /// What for.
        what: &'static str,
        /// Its object identifier.
        id: String,
    },
    /// Its signature is not by its certificate, or not over what it holds.
    #[error("the signature of the time stamp is not good: {0}")]
    Forged(&'static str),
    /// The authority that was named did not make it.
    #[error("the time stamp is not by {authority}: {reason}")]
    OtherAuthority {
        /// The authority that was named.
        authority: String,
        /// Why it is not its.
        reason: String,
    },
    /// What names an authority does not.
    #[error("no authority is named: {0}")]
    NoAuthority(&'static str),
}

/// What a time stamp says of itself; whether it is to be believed only an [`Authority`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StampView {
    /// When the authority saw the checkpoint; `None` where the stamp cannot be read.
    pub at: Option<Time>,
    /// How exact it says that is, in microseconds either way.
    #[ts(type = "number | null")]
    pub accuracy_us: Option<u64>,
    /// Who signed, by the certificate that came along.
    pub signer: Option<String>,
}

impl StampView {
    /// What the bytes of a stamp say.
    #[must_use]
    pub fn of(bytes: &[u8]) -> StampView {
        let stamp = TimeStamp::parse(bytes).ok();
        StampView {
            at: stamp.as_ref().map(|stamp| stamp.time),
            accuracy_us: stamp.as_ref().and_then(|stamp| stamp.accuracy_us),
            signer: stamp.and_then(|stamp| stamp.claimed_signer()),
        }
    }
}

/// The request for a stamp over `content` (RFC 3161, section 2.4.1): its SHA-256, and that the certificate is to come
/// along.
///
/// ```
/// let request = annals_core::integrity::timestamp::request(b"what is to be stamped");
/// assert_eq!(request.len(), 59);
/// ```
#[must_use]
pub fn request(content: &[u8]) -> Vec<u8> {
    use der::{BOOLEAN, INTEGER, OCTET_STRING, SEQUENCE, write};
    let algorithm = write(SEQUENCE, &[read::SHA256, &[0x05, 0x00]].concat());
    let hash = write(OCTET_STRING, &Sha256::digest(content));
    let imprint = write(SEQUENCE, &[algorithm, hash].concat());
    let version = write(INTEGER, &[1]);
    let certificates = write(BOOLEAN, &[0xFF]);
    write(SEQUENCE, &[version, imprint, certificates].concat())
}
