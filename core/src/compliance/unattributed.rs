//! Events of which a part was erased, in a report about a subject: nobody can say any more whether they were about it.

use std::collections::BTreeSet;

use super::{ReportError, plural};
use crate::chart::grouped;
use crate::event::Event;
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::position::Position;
use crate::store::Log;

/// Most positions that the finding names.
const MAX_NAMED: usize = 20;

/// Events that what is left of them does not attribute to the subject.
#[derive(Default)]
pub(super) struct Unattributed {
    events: u64,
    first: Option<Place>,
    /// Events that say so.
    erased_by: BTreeSet<Position>,
}

impl Unattributed {
    /// Takes an event that was not found to be about the subject.
    pub(super) fn take(&mut self, log: &Log, event: &Event) -> Result<(), ReportError> {
        if event.erased.is_empty() {
            return Ok(());
        }
        self.events += 1;
        self.first.get_or_insert_with(|| Place {
            stream: event.stream.as_ref().map(ToString::to_string),
            version: Some(event.version),
            position: Some(event.position),
            ..Place::default()
        });
        let erasures = log.erasures_of(event.position)?.into_iter();
        self.erased_by.extend(
            erasures
                .filter(|(erased, _)| event.erased.contains(&erased.part))
                .map(|(_, by)| by),
        );
        Ok(())
    }

    /// What the first page says of them; `None` if there is none.
    pub(super) fn finding(&self) -> Option<Finding> {
        let place = self.first.clone()?;
        let named = self.erased_by.iter().take(MAX_NAMED);
        let mut positions = named.map(|at| grouped(at.0)).collect::<Vec<_>>().join(", ");
        let more = self.erased_by.len().saturating_sub(MAX_NAMED) as u64;
        if more > 0 {
            positions.push_str(&format!(" and {} more", grouped(more)));
        }
        let (events, word) = (
            plural(self.events, "event"),
            match self.erased_by.len() {
                1 => "position",
                _ => "positions",
            },
        );
        Some(Finding {
            kind: FindingKind::Unattributed,
            severity: Severity::Warning,
            count: self.events,
            place,
            detail: format!(
                "{events} of which a part was erased cannot be attributed: whether they were about the subject, nobody can say any more, and none of them is in this report; erased by the events at {word} {positions}"
            ),
        })
    }
}
