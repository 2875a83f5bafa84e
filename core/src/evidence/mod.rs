//! Evidence packages: one file that a stranger can verify without the log, without Annals and without a network.
//!
//! `docs/formats/evidence-package.md` draws the bytes. [`verify`] is a pure function over them; [`make`] reads a log.
//!
//! Left out: the report's layout, and keys and where they are kept.

mod check;
pub mod custody;
mod gather;
pub mod make;
pub mod manifest;
pub mod names;
pub mod opened;
pub mod range;
mod readme;
mod redact;
pub mod rows;
mod signed;
pub mod verify;
pub mod view;
pub mod zip;

#[cfg(test)]
mod tests;
