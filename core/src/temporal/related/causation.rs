//! What caused an event, and what it caused.

use std::collections::{BTreeMap, BTreeSet};

use super::super::TemporalError;
use super::{CausationNode, CausationView, EdgeKind, LanesView, Search};
use crate::event::Event;
use crate::position::Position;
use crate::store::EventBrief;

/// Most causes that are followed upwards.
const MAX_CAUSES: usize = 200;

impl Search<'_> {
    /// The causes of an event, up to one that has none, and among the events with its correlation its effects.
    pub(super) fn causation(
        &mut self,
        event: &Event,
        correlations: &[(LanesView, Vec<Event>)],
    ) -> Result<CausationView, TemporalError> {
        let (events, count) = correlations
            .iter()
            .find(|(lanes, _)| Some(&lanes.correlation) == event.correlation.as_ref())
            .map_or((&[][..], 0), |(lanes, events)| {
                (&events[..], lanes.events_count)
            });
        let mut nodes = Vec::new();
        let mut seen = BTreeSet::from([event.position]);
        let mut here = event.clone();
        let mut depth = 0;
        loop {
            let (cause, edge) = self.parent(&here, events)?;
            nodes.push(node(&here, cause.as_ref().map(|c| c.position), edge, depth));
            match cause {
                // A chain that comes back to itself is cut where it does.
                Some(cause) if !seen.contains(&cause.position) => {
                    if seen.len() >= MAX_CAUSES {
                        self.searched.not_searched.push(format!(
                            "what caused the event at position {}, from position {} on: {MAX_CAUSES} causes are followed, itself counted",
                            here.position, cause.position
                        ));
                        break;
                    }
                    seen.insert(cause.position);
                    here = cause;
                    depth -= 1;
                }
                _ => break,
            }
        }
        nodes.reverse();
        // Who caused whom among the events with the same correlation.
        let mut effects: BTreeMap<Position, Vec<(usize, Option<EdgeKind>)>> = BTreeMap::new();
        let by_id: BTreeMap<&str, usize> = events
            .iter()
            .enumerate()
            .filter_map(|(at, event)| Some((event.id.as_ref()?.as_str(), at)))
            .collect();
        for (at, child) in events.iter().enumerate() {
            let cause = match &child.causation {
                Some(id) => by_id.get(id.as_str()).map(|at| (*at, EdgeKind::Recorded)),
                None => at.checked_sub(1).map(|at| (at, EdgeKind::Inferred)),
            };
            if let Some((cause, edge)) = cause.filter(|(cause, _)| *cause != at) {
                let cause = events[cause].position;
                effects.entry(cause).or_default().push((at, Some(edge)));
            }
        }
        let mut below = vec![(event.position, 0)];
        while let Some((parent, depth)) = below.pop() {
            let mut children = Vec::new();
            for (at, edge) in effects.remove(&parent).unwrap_or_default() {
                let child = &events[at];
                if seen.insert(child.position) {
                    nodes.push(node(child, Some(parent), edge, depth + 1));
                    children.push((child.position, depth + 1));
                }
            }
            children.reverse();
            below.append(&mut children);
        }
        Ok(CausationView {
            nodes,
            not_looked_at: count.saturating_sub(events.len() as u64),
        })
    }

    /// What an event was caused by: as it says, else by the event before it with its correlation.
    fn parent(
        &self,
        event: &Event,
        correlated: &[Event],
    ) -> Result<(Option<Event>, Option<EdgeKind>), TemporalError> {
        if let Some(id) = &event.causation {
            let same = |other: &&Event| other.id.as_ref().is_some_and(|own| own.as_str() == id);
            let near = correlated
                .iter()
                .find(same)
                .filter(|near| near.position != event.position);
            let cause = match near {
                Some(near) => Some(near.clone()),
                None => self.cause(event)?,
            };
            return Ok(match cause {
                Some(cause) => (Some(cause), Some(EdgeKind::Recorded)),
                None => (None, Some(EdgeKind::Outside)),
            });
        }
        let before = correlated
            .iter()
            .rev()
            .find(|other| other.position < event.position);
        let edge = before.map(|_| EdgeKind::Inferred);
        Ok((before.cloned(), edge))
    }
}

fn node(
    event: &Event,
    cause: Option<Position>,
    edge: Option<EdgeKind>,
    depth: i32,
) -> CausationNode {
    CausationNode {
        event: EventBrief::from(event),
        actor: event.actor.as_ref().map(ToString::to_string),
        cause,
        causation: event.causation.clone(),
        edge,
        depth,
    }
}
