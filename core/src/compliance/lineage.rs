//! The lineage of a state: which event set each of its values last.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::RowEvent;
use crate::model::{FieldPath, Step};
use crate::temporal::Change;

/// A value of a state and the event that set it last.
pub(super) struct Lineage {
    pub(super) path: String,
    /// JSON text.
    pub(super) value: String,
    pub(super) set_by: RowEvent,
    pub(super) times: u64,
}

/// Which event set each place of a state last. Lists are one value.
#[derive(Default)]
pub(super) struct Setters {
    turn: u64,
    set: BTreeMap<String, (u64, RowEvent, u64)>,
}

impl Setters {
    /// Takes what an event changed.
    pub(super) fn take(&mut self, changes: &[Change], event: &RowEvent) {
        self.turn += 1;
        let mut touched: Vec<String> = Vec::new();
        for change in changes {
            let Ok(path) = change.path.parse::<FieldPath>() else {
                continue;
            };
            let until_list = path
                .0
                .iter()
                .take_while(|step| matches!(step, Step::Key(_)));
            let place = FieldPath(until_list.cloned().collect()).to_string();
            if !touched.contains(&place) {
                touched.push(place);
            }
        }
        for place in touched {
            let entry = self.set.entry(place).or_insert((0, event.clone(), 0));
            *entry = (self.turn, event.clone(), entry.2 + 1);
        }
    }

    /// The values of a state, in its own order.
    pub(super) fn values(&self, state: &Value) -> Vec<Lineage> {
        let mut values = Vec::new();
        self.gather(state, &FieldPath::default(), None, 0, &mut values);
        values
    }

    fn gather(
        &self,
        value: &Value,
        path: &FieldPath,
        above: Option<&(u64, RowEvent, u64)>,
        times_above: u64,
        values: &mut Vec<Lineage>,
    ) {
        let own = self.set.get(&path.to_string());
        let times = times_above + own.map_or(0, |own| own.2);
        let latest = match (own, above) {
            (Some(own), Some(above)) if own.0 < above.0 => Some(above),
            (Some(own), _) => Some(own),
            (None, above) => above,
        };
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    let path = path.then(Step::Key(key.clone()));
                    self.gather(value, &path, latest, times, values);
                }
            }
            _ => {
                if let Some((_, set_by, _)) = latest
                    && !path.0.is_empty()
                {
                    values.push(Lineage {
                        path: path.to_string(),
                        value: value.to_string(),
                        set_by: set_by.clone(),
                        times,
                    });
                }
            }
        }
    }
}
