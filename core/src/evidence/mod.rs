//! Evidence packages: one file that a stranger can verify without the log, without Annals and without a network.
//!
//! `docs/formats/evidence-package.md` draws the bytes.
//!
//! Left out: the report's layout ([`crate::export`] and reports), keys and where they are kept.

pub mod manifest;
pub mod opened;
pub mod range;
pub mod rows;
pub mod zip;
