//! Annals' domain: an append-only event log, models that turn events into state, and questions in time.
//!
//! Table of contents, in the order in which the modules may import each other:
//!
//! | module | what it holds |
//! |---|---|
//! | [`event`], [`position`], [`time`], [`id`], [`finding`], [`surroundings`], [`progress`] | the words everything else is written in |
//! | [`hidden`] | characters that hide, move or reorder text where it is printed |
//! | [`integrity`] | leaf bytes, the RFC 6962 tree, signed notes, checkpoints, proofs: pure functions |
//! | [`store`] | the log: append, read, query, subscribe |
//! | [`access_log`] | who looked: one chained line a question |
//! | [`key_store`] | the passphrase of a key, in the system's key store |
//! | [`signing`] | keys, checkpoints and proofs of a log |
//! | [`cache`] | what can be computed again from the log, kept in a file |
//! | [`times`] | how events lie along time, kept in the cache
//! | [`model`] | how events become state: definition, expression, inference, fold |
//! | [`snapshot`] | folds kept, and which are made and stay |
//! | [`search`] | text search |
//! | [`temporal`] | as-of, state, diff |
//! | [`projection`] | read models over many streams |
//! | [`question`] | questions over time: grammar, readings, answers |
//! | [`command`] | the write side: aggregates that decide, commands with retry, a test helper for rules |
//! | [`import`], [`export`] | outside files to log, and back |
//! | [`sql`] | SQL as of any instant, over tables computed from the log |
//! | [`chart`] | pictures of counts, as SVG |
//! | [`dashboard`] | panels over documents, as of any instant |
//! | [`privacy`] | personal data: subjects, erasure, legal holds |
//! | [`sample`] | the guide's examples, literally; a shop of any size |
//! | [`compliance`] | compliance reports: templates, the report model, its forms |
//! | [`evidence`] | packages that a stranger can verify |
//! | [`verify`] | whether a store is what was recorded and signed |
//! | [`sample`] | the guide's examples, literally; three worlds of any size |
//! | [`code`] | what kind each error is, for programs |
//!
//! Core knows no window, no terminal and no network, and reads no clock, locale, environment or random
//! source except through [`surroundings::Surroundings`].
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod access_log;
pub mod answers;
pub mod cache;
pub mod chart;
pub mod code;
pub mod command;
pub mod compliance;
pub mod dashboard;
pub mod event;
pub mod evidence;
pub mod export;
pub mod finding;
pub mod hidden;
pub mod id;
pub mod import;
pub mod integrity;
pub mod key_store;
pub mod model;
pub mod pages;
pub mod position;
mod prehashed;
pub mod privacy;
pub mod progress;
pub mod projection;
pub mod question;
mod runs;
pub mod sample;
pub mod search;
pub mod signing;
pub mod snapshot;
pub mod sql;
pub mod store;
pub mod surroundings;
pub mod temporal;
pub mod time;
pub mod times;
mod varint;
pub mod verify;
mod written;
