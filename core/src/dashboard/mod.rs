//! Dashboards: panels over the documents of projections, and over answers to kept questions and queries, defined
//! beside a store, as of any instant.
//!
//! A [`Dashboard`] is a TOML file in `X.annals.d/dashboards/`; [`look_at`] answers it: each panel is a
//! [`Plot`](crate::chart::Plot), drawn where a look is asked for. Left out: how documents come to be
//! ([`crate::projection`]), how pictures are drawn ([`crate::chart`]).

mod asked;
mod behind;
mod definition;
mod output;
mod raw;
mod rows;
mod set;
mod show;

pub use asked::AskedView;
pub use behind::{BEHIND, BehindPlace, BehindView, behind};
pub use definition::{Dashboard, DashboardFault, SourceKind};
pub use output::{csv, svg, write};
pub use set::{DashboardRow, DashboardSet, DashboardsView};
pub use show::{DashboardView, PanelView, SourceView, look_at, look_at_kept};

use crate::answers::AnswersError;
use crate::projection::ProjectionError;

/// Why a question about a dashboard was not answered.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The log could not be read, or is shorter than what was asked for.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// What stands behind a mark of an answer could not be told.
    #[error(transparent)]
    Answers(#[from] AnswersError),
    /// There is no dashboard of this name.
    #[error(
        "there is no dashboard {name}{}",
        if known.is_empty() { String::new() } else { format!("; there is {}", known.join(", ")) }
    )]
    NoDashboard {
        /// Name asked for.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// There is no such place in an answer, or no event stands behind it.
    #[error("{0}")]
    NothingBehind(String),
    /// Its file is wrong.
    #[error("the dashboard is wrong: {0}")]
    Broken(DashboardFault),
}

#[cfg(test)]
mod tests;
