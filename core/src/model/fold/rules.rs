//! What the rules of a model say to an event, from the state before it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Failure, Fold, Read, failure, own_fields, read_metadata, read_upcast};
use crate::finding::{FindingKind, Findings};
use crate::model::expression::Root;
use crate::model::{Model, Rule};
use crate::store::StreamEvent;

/// What a rule says: whether the event may happen, or why it cannot be told.
pub(crate) type Verdict = Result<bool, (FindingKind, String)>;

impl Fold {
    /// Asks the rules about an event that is about to be taken; each that is about its type, with its place in
    /// [`Model::rules`].
    pub(crate) fn ask_rules(&self, event: &StreamEvent) -> Vec<(usize, Verdict)> {
        let event_type = event.event.event_type.as_str();
        let rules = self.model.rules().iter().enumerate();
        let mut read = None;
        rules
            .filter(|(_, rule)| rule.is_about(event_type))
            .map(|(at, rule)| {
                let read = read.get_or_insert_with(|| whole(&self.model, event));
                (at, self.ask_rule(rule, read))
            })
            .collect()
    }

    fn ask_rule(&self, rule: &Rule, read: &Result<Read, Failure>) -> Verdict {
        let told = |failure: &Failure| {
            let detail = format!("rule {}: {}", rule.name, failure.detail);
            (failure.kind, detail)
        };
        let read = read.as_ref().map_err(told)?;
        if self.incomplete && rule.require.reads(Root::State) {
            let detail =
                "the state before it is incomplete: an event before it could not be read or folded";
            let kind = FindingKind::NotTold;
            return Err((kind, format!("rule {}: {detail}", rule.name)));
        }
        let empty;
        let state = if self.state.is_null() && rule.require.reads(Root::State) {
            empty = Arc::new(Value::Object(Map::new()));
            &empty
        } else {
            &self.state
        };
        let verdict = rule.require.truth(&read.inputs(Some(state)));
        verdict.map_err(|fault| told(&failure(&fault, None)))
    }
}

/// All that an event says.
fn whole(model: &Model, event: &StreamEvent) -> Result<Read, Failure> {
    let reads = |root| model.rules().iter().any(|rule| rule.require.reads(root));
    let mut read = Read::default();
    if reads(Root::Data) {
        let data = read_upcast(model, event, None, &mut Findings::default())?.0;
        read.data = Some(Arc::new(data));
    }
    if reads(Root::Meta) {
        read.meta = Some(Arc::new(read_metadata(&event.event)?));
    }
    if reads(Root::Event) {
        read.event = Some(Arc::new(own_fields(event)));
    }
    Ok(read)
}
