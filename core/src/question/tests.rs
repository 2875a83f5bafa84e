//! Known answers worked out by hand, and every answer against an evaluator that only knows `state`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::*;

mod brute;
mod index;
mod known;

mod parsing;
