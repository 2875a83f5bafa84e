//! A model that is still being written, tried on a stream: what an editor shows while somebody types.

use serde::Serialize;
use ts_rs::TS;

use super::{Moment, StateView, TemporalError, state};
use crate::id::StreamId;
use crate::model::{Model, ModelError, ModelSet};
use crate::store::Log;

/// A model's text tried on a stream.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ModelPreviewView {
    /// What is wrong with the text; `null` if it is a model.
    pub error: Option<ModelErrorView>,
    /// The state with it; `null` if it is none.
    pub state: Option<StateView>,
}

/// Where a model is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ModelErrorView {
    /// Line, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// Column in characters, first is 1.
    #[ts(type = "number")]
    pub column: u64,
    /// What is wrong and what to do.
    pub message: String,
}

impl From<&ModelError> for ModelErrorView {
    fn from(error: &ModelError) -> ModelErrorView {
        ModelErrorView {
            line: error.line as u64,
            column: error.column as u64,
            message: error.message.clone(),
        }
    }
}

/// The state of a stream at a moment with a model that is still being written, whatever category that names.
///
/// # Errors
/// As [`state`](super::state()). A text that is no model is no error, but in the answer.
///
/// ```
/// # use annals_core::{store::Log, temporal::*};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, now) = (Log::explore(&store)?, Moment::AsOf(AsOf::default()));
/// let text = "category = 'account'\n[on.DepositMade]\nn.add = '1'";
/// let seen = preview(&log, text, &"account-12345".parse()?, &now)?;
/// assert_eq!(seen.state.unwrap().state.get(), r#"{"n":2}"#);
/// let seen = preview(&log, "category = 'account'\n[on.DepositMade]\nn.add = 'dta'", &"account-12345".parse()?, &now)?;
/// assert_eq!(seen.error.map(|error| (error.line, error.column)), Some((3, 10)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn preview(
    log: &Log,
    text: &str,
    stream: &StreamId,
    moment: &Moment,
) -> Result<ModelPreviewView, TemporalError> {
    let row = super::state::stream_row(log, stream)?;
    let tried = Model::parse("draft", text).and_then(|model| {
        let mut models = ModelSet::default();
        models.try_on(&row.category, model)?;
        Ok(models)
    });
    Ok(match tried {
        Ok(models) => ModelPreviewView {
            error: None,
            state: Some(state(log, &models, stream, moment)?),
        },
        Err(error) => ModelPreviewView {
            error: Some(ModelErrorView::from(&error)),
            state: None,
        },
    })
}
