//! A dashboard's answer as of an instant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

use super::DashboardError;
use super::asked::{self, Answered, AskedView};
use super::definition::{Dashboard, Panel, SourceKind};
use super::rows::{self, Made};
use crate::answers::Asker;
use crate::chart::{Drawing, Look, Plot, draw};
use crate::finding::Finding;
use crate::integrity::Hash;
use crate::model::ModelRef;
use crate::model::json::parse_state;
use crate::position::Position;
use crate::projection::{
    DocumentQuery, DocumentRow, DocumentsView, ProjectionError, ProjectionSet, Projections,
    Strategy,
};
use crate::temporal::{AsOf, AsOfView};
use crate::time::parse_zone;

/// A dashboard as of an instant: `annals dashboard --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DashboardView {
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// SHA-256 of the definition's text.
    pub hash: Hash,
    /// Zone of its axes.
    pub zone: String,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// What was asked of projections, questions and queries, each once.
    pub sources: Vec<SourceView>,
    /// The panels, in order of the file.
    pub panels: Vec<PanelView>,
}

/// What panels are about.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SourceView {
    /// What it is.
    pub kind: SourceKind,
    /// Name of the projection, question or query.
    pub name: String,
    /// What was asked; `null` for a projection.
    pub asked: Option<AskedView>,
    /// The document; `null`: all.
    pub document: Option<String>,
    /// The definition used; `null` if there is none.
    pub model: Option<ModelRef>,
    /// When the projection is kept up.
    pub strategy: Option<Strategy>,
    /// Number of documents, or of rows of the answer.
    #[ts(type = "number")]
    pub documents_count: u64,
    /// The last position that they take account of.
    pub position: Option<Position>,
    /// Number of events looked at for this answer.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// A part is missing: events could not be folded, or a field could not be derived.
    pub incomplete: bool,
    /// Position of the event that the fold stopped before, where the projection stops at a fault.
    pub stopped_at: Option<Position>,
    /// Faults in the data.
    pub findings: Vec<Finding>,
    /// Why there is no answer: no such projection, a definition that is wrong.
    pub failed: Option<String>,
}

/// One panel.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct PanelView {
    /// Its documents, by place among the sources.
    #[ts(type = "number")]
    pub source: usize,
    /// It is as wide as the dashboard.
    pub full: bool,
    /// What it shows.
    pub plot: Plot,
    /// Why it shows nothing.
    pub empty: Option<String>,
    /// What is not shown, and why.
    pub notes: Vec<String>,
    /// The picture, where a look was asked for and there is something to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub drawing: Option<Drawing>,
}

/// Answers a dashboard as of an instant; `ask` gives the documents, and a `look` draws the panels.
///
/// The width of the look is that of a panel of half the width; a full one is drawn twice as wide and the gap between.
///
/// # Errors
/// [`DashboardError`] if the log cannot be read or is shorter than `known`. What is wrong with one projection is said
/// on its panels.
pub fn look_at(
    dashboard: &Dashboard,
    projections: &ProjectionSet,
    as_of: &AsOf,
    look: Option<&Look<'_>>,
    asker: &Asker<'_>,
    mut ask: impl FnMut(&str, &DocumentQuery) -> Result<DocumentsView, ProjectionError>,
) -> Result<DashboardView, DashboardError> {
    let mut sources: Vec<Source> = Vec::new();
    let mut panels = Vec::new();
    // Where all documents of a projection are asked for, a single one is among them.
    let wholes: Vec<&str> = dashboard
        .panels
        .iter()
        .filter(|panel| panel.from_kind == SourceKind::Projection && panel.document.is_none())
        .map(|panel| panel.name.as_str())
        .collect();
    let mut read: HashMap<String, DocumentsView> = HashMap::new();
    let mut ask = |name: &str, query: &DocumentQuery| match (&query.key, wholes.contains(&name)) {
        (_, false) => ask(name, query),
        (key, true) => {
            let whole = match read.entry(name.to_owned()) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(place) => place.insert(ask(name, &DocumentQuery::default())?),
            };
            Ok(only(whole, key.as_deref()))
        }
    };
    for panel in &dashboard.panels {
        let asked = (&panel.from_kind, &panel.name, &panel.document);
        let known = sources.iter().position(|source| {
            (&source.view.kind, &source.view.name, &source.view.document) == asked
        });
        let source = match known {
            Some(source) => source,
            None => {
                sources.push(match panel.from_kind {
                    SourceKind::Projection => source_of(panel, projections, &mut ask)?,
                    SourceKind::Question | SourceKind::Query => {
                        answer_of(panel, asker, *as_of, dashboard.zone)?
                    }
                });
                sources.len() - 1
            }
        };
        panels.push(panel_view(dashboard, panel, source, &sources[source], look));
    }
    Ok(DashboardView {
        name: dashboard.name.clone(),
        title: dashboard.title.clone(),
        description: dashboard.description.clone(),
        hash: dashboard.hash,
        zone: dashboard.zone.to_string(),
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        reading: None,
        sources: sources.into_iter().map(|source| source.view).collect(),
        panels,
    })
}

/// The part of an answer that one document is; all of it where none is named.
fn only(whole: &DocumentsView, key: Option<&str>) -> DocumentsView {
    let Some(key) = key else {
        return whole.clone();
    };
    let rows = &whole.documents;
    let at = rows.binary_search_by(|row| row.key.as_str().cmp(key));
    let documents: Vec<DocumentRow> = at.map(|at| rows[at].clone()).into_iter().collect();
    DocumentsView {
        projection: whole.projection.clone(),
        model: whole.model.clone(),
        strategy: whole.strategy,
        as_of: whole.as_of.clone(),
        reading: None,
        documents_count: documents.len() as u64,
        documents,
        next: None,
        position: whole.position,
        events_examined: whole.events_examined,
        incomplete: whole.incomplete,
        stopped_at: whole.stopped_at,
        findings: whole.findings.clone(),
    }
}

/// Answers a dashboard from what is kept of its projections, which are caught up first but for batches; without a
/// cache each answer folds the log.
///
/// # Errors
/// As [`look_at`].
pub fn look_at_kept(
    dashboard: &Dashboard,
    projections: &Projections,
    as_of: &AsOf,
    look: Option<&Look<'_>>,
    asker: &Asker<'_>,
) -> Result<DashboardView, DashboardError> {
    let set = projections.set();
    let is_kept_up = |name: &&str| {
        set.get(name)
            .is_ok_and(|projection| projection.strategy() != Strategy::Batch)
    };
    let names: Vec<&str> = dashboard
        .projections()
        .into_iter()
        .filter(is_kept_up)
        .collect();
    if !names.is_empty() {
        match projections.catch_up(&names) {
            Ok(_) | Err(ProjectionError::NoCache(_) | ProjectionError::Cache(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    look_at(dashboard, set, as_of, look, asker, |name, query| {
        projections.documents(name, as_of, query)
    })
}

/// Gap between two panels of half the width, in pixels.
pub(super) const GAP_PX: u32 = 24;

struct Source {
    view: SourceView,
    documents: Vec<(String, Value)>,
    answered: Option<Answered>,
}

/// Nothing of a panel's source yet.
fn bare(panel: &Panel) -> SourceView {
    SourceView {
        kind: panel.from_kind,
        name: panel.name.clone(),
        asked: None,
        document: panel.document.clone(),
        model: None,
        strategy: None,
        documents_count: 0,
        position: None,
        events_examined: 0,
        incomplete: false,
        stopped_at: None,
        findings: Vec::new(),
        failed: None,
    }
}

/// The answer that a panel is about. What is wrong with what is kept, or with the question, is said on the panel.
fn answer_of(
    panel: &Panel,
    asker: &Asker<'_>,
    as_of: AsOf,
    zone: Tz,
) -> Result<Source, DashboardError> {
    let mut view = bare(panel);
    let mut documents = Vec::new();
    let answered = match asked::ask(asker, (panel.from_kind, &panel.name), as_of, zone) {
        Ok(mut answered) => {
            view.asked = Some(answered.asked.clone());
            view.documents_count = answered.rows_count;
            view.position = Some(answered.known);
            view.events_examined = answered.events_examined;
            view.findings = std::mem::take(&mut answered.findings);
            documents.push((panel.name.clone(), std::mem::take(&mut answered.document)));
            Some(answered)
        }
        Err(error) if error.is_cancelled() => return Err(error.into()),
        Err(error) => {
            view.failed = Some(error.to_string());
            None
        }
    };
    Ok(Source {
        view,
        documents,
        answered,
    })
}

fn source_of(
    panel: &Panel,
    projections: &ProjectionSet,
    ask: &mut impl FnMut(&str, &DocumentQuery) -> Result<DocumentsView, ProjectionError>,
) -> Result<Source, DashboardError> {
    let query = DocumentQuery {
        key: panel.document.clone(),
        ..DocumentQuery::default()
    };
    let answer = projections
        .get(&panel.name)
        .and_then(|_: Arc<_>| ask(&panel.name, &query));
    match answer {
        Ok(view) => {
            let documents = view
                .documents
                .into_iter()
                // Core wrote the text itself.
                .map(|row| (row.key, parse_state(row.state.get()).unwrap_or(Value::Null)))
                .collect();
            let view = SourceView {
                model: Some(view.model),
                strategy: Some(view.strategy),
                documents_count: view.documents_count,
                position: Some(view.position),
                events_examined: view.events_examined,
                incomplete: view.incomplete,
                stopped_at: view.stopped_at,
                findings: view.findings,
                ..bare(panel)
            };
            Ok(Source {
                view,
                documents,
                answered: None,
            })
        }
        Err(error @ (ProjectionError::NoProjection { .. } | ProjectionError::Broken(_))) => {
            Ok(Source {
                view: SourceView {
                    failed: Some(error.to_string()),
                    ..bare(panel)
                },
                documents: Vec::new(),
                answered: None,
            })
        }
        Err(other) => Err(other.into()),
    }
}

fn panel_view(
    dashboard: &Dashboard,
    panel: &Panel,
    source: usize,
    from: &Source,
    look: Option<&Look<'_>>,
) -> PanelView {
    let of_answer = from.answered.as_ref().map(|answered| answered.panel(panel));
    let panel = of_answer.as_ref().unwrap_or(panel);
    // An answer is about days of the zone that it was asked in.
    let asked = from.view.asked.as_ref();
    let own = asked.and_then(|asked| parse_zone(&asked.zone).ok());
    let zone = own.unwrap_or(dashboard.zone);
    let Made {
        plot,
        mut notes,
        mut empty,
    } = rows::plot(panel, zone, &from.documents);
    if let Some(asked) = &from.view.asked {
        notes.extend(asked.notes.iter().cloned());
        notes.extend(asked.skipped.iter().map(|skipped| {
            format!(
                "{} left out of the answer: {}",
                skipped.count, skipped.reason
            )
        }));
    }
    if let Some(failed) = &from.view.failed {
        empty = Some(failed.clone());
    }
    if let Some(position) = from.view.stopped_at {
        notes.push(format!(
            "the projection {} stopped before position {position}, at an event that it could not fold",
            panel.name
        ));
    } else if from.view.incomplete {
        notes.push(format!(
            "a part is missing: the projection {} could not fold all of its events, its findings say which",
            panel.name
        ));
    }
    let drawing = look.filter(|_| empty.is_none()).map(|look| {
        let width_px = match panel.full {
            true => look.width_px.saturating_mul(2).saturating_add(GAP_PX),
            false => look.width_px,
        };
        draw(&plot, &Look { width_px, ..*look })
    });
    PanelView {
        source,
        full: panel.full,
        plot,
        empty,
        notes,
        drawing,
    }
}
