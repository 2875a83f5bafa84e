//! Answers to questions and queries that are kept beside a store: asked by name as of any instant, as documents that a
//! panel reads, and as pictures.
//!
//! Left out: what a question means ([`crate::question`]), what a statement does ([`crate::sql`]), how a picture is
//! drawn ([`crate::chart`]).

mod documents;
mod kept;
mod picture;

pub use kept::{AnswersError, Asker, uses_instant};
pub use picture::{PictureView, PicturedAnswer, picture, svg};

pub(crate) use documents::{NO_GROUP, of_answer, of_rows};

#[cfg(test)]
mod tests;
