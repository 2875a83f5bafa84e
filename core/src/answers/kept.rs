//! Asking what is kept, by its name.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::model::ModelSet;
use crate::progress::WorkProgress;
use crate::question::saved::{self, SavedError};
use crate::question::{self, AnswerView, Asking, IntervalIndex, Question, QuestionError};
use crate::sql::{self, SqlError, SqlView};
use crate::store::Log;
use crate::temporal::AsOf;
use crate::time::{TimeError, parse_zone};

/// Why a question or a query that is kept was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// It is not there, or its file is wrong.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// Its zone is none.
    #[error("the zone that it was kept with: {0}")]
    Zone(#[from] TimeError),
    /// The question was not answered.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The statement was not answered.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl AnswersError {
    /// Whether the user cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        use crate::store::ReadError;
        use crate::temporal::TemporalError;
        matches!(
            self,
            AnswersError::Sql(SqlError::Cancelled | SqlError::Read(ReadError::Cancelled))
                | AnswersError::Question(QuestionError::Temporal(TemporalError::Read(
                    ReadError::Cancelled
                )))
        )
    }
}

/// What is needed to ask a store what is kept beside it.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Path of the store.
    pub store: &'a Path,
    /// The log; one that is [watched](Log::watched) can be cancelled.
    pub log: &'a Log,
    /// The store's models.
    pub models: &'a Arc<ModelSet>,
    /// The interval index, where there is one.
    pub index: Option<&'a Arc<IntervalIndex>>,
}

impl Asker<'_> {
    /// Asks the question kept under a name, as of an instant. The zone is that of its file, else the one given.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn question(
        &self,
        name: &str,
        as_of: AsOf,
        zone: Tz,
        limit: usize,
    ) -> Result<AnswerView, AnswersError> {
        let kept = saved::find(self.store, name)?;
        let zone = match &kept.zone {
            Some(own) => parse_zone(own)?,
            None => zone,
        };
        self.ask(&kept.question, as_of, zone, limit)
    }

    /// Asks a question, as of an instant.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn ask(
        &self,
        text: &str,
        as_of: AsOf,
        zone: Tz,
        limit: usize,
    ) -> Result<AnswerView, AnswersError> {
        let question = Question::parse(text).map_err(SavedError::from)?;
        let asking = Asking {
            log: self.log,
            models: self.models,
            zone,
            limit,
            index: self.index.map(|index| &**index),
            as_of,
        };
        Ok(question::ask(&asking, &question, &mut |_| true)?)
    }

    /// Asks the query kept under a name, with `:at` and `:known` as given.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn query(
        &self,
        name: &str,
        as_of: AsOf,
        zone: Tz,
        limit: usize,
    ) -> Result<SqlView, AnswersError> {
        let kept = sql::show(self.store, name)?;
        let texts = parameters(as_of);
        let asked = sql::Question {
            rows: limit,
            ..self.asked(&kept.sql, &texts, zone)
        };
        Ok(sql::ask(self.log, self.models, &asked, &self.progress())?)
    }

    /// Asks the query kept under a name, and gives each of its rows to `each`, which ends it by saying no; the view has
    /// none.
    pub(crate) fn each_row(
        &self,
        name: &str,
        as_of: AsOf,
        zone: Tz,
        each: sql::EachRow<'_>,
    ) -> Result<SqlView, AnswersError> {
        let kept = sql::show(self.store, name)?;
        let texts = parameters(as_of);
        let asked = self.asked(&kept.sql, &texts, zone);
        let progress = self.progress();
        Ok(sql::ask_each(
            self.log,
            self.models,
            &asked,
            &progress,
            each,
        )?)
    }

    fn asked<'q>(
        &'q self,
        sql: &'q str,
        (at, known): &'q (Option<String>, Option<String>),
        zone: Tz,
    ) -> sql::Question<'q> {
        sql::Question {
            at: at.as_deref(),
            known: known.as_deref(),
            zone,
            index: self.index,
            ..sql::Question::new(sql)
        }
    }

    fn progress(&self) -> Arc<WorkProgress> {
        self.log.watcher().unwrap_or_default()
    }
}

/// What `:at` and `:known` stand for.
fn parameters(as_of: AsOf) -> (Option<String>, Option<String>) {
    (
        as_of.at.map(|at| at.to_string()),
        as_of.known.map(|known| known.to_string()),
    )
}

/// Whether a statement says `:at`, so that it answers for the instant that it is asked as of.
///
/// ```
/// use annals_core::answers::uses_instant;
/// assert!(uses_instant("SELECT count(*) FROM order_at(:at)"));
/// assert!(!uses_instant("SELECT ':at' FROM events -- :at"));
/// ```
#[must_use]
pub fn uses_instant(sql: &str) -> bool {
    sql::parameters(sql).iter().any(|name| name == "at")
}
