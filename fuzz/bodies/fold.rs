//! Folding: whatever a model says about whatever payload, there is a state and there are findings, never a panic or
//! an endless loop. The input is a model, a zero byte, and a payload.

use std::sync::Arc;

use annals_core::event::{Event, JSON, Payload, SourceFields};
use annals_core::finding::Findings;
use annals_core::id::{EventType, StreamId};
use annals_core::integrity::Hash;
use annals_core::model::{Fold, Model};
use annals_core::position::{Position, Version};
use annals_core::store::StreamEvent;
use annals_core::time::{SourceTime, Time};

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (model, payload) = text.split_once('\0').unwrap_or((text, "{}"));
    let Ok(model) = Model::parse("fuzz", &format!("category = \"a\"\n{model}")) else {
        return;
    };
    let mut fold = Fold::new(Arc::new(model));
    let mut findings = Findings::default();
    for version in 1..=3 {
        fold.apply(&event(version, payload), &mut findings);
        for touch in fold.last_touches() {
            assert!(touch.before.is_some() || touch.after.is_some() || !touch.path.0.is_empty());
        }
    }
    assert_eq!(
        fold.incomplete(),
        findings
            .into_vec()
            .iter()
            .any(|f| f.severity == annals_core::finding::Severity::Severe)
    );
}

fn event(version: u64, payload: &str) -> StreamEvent {
    let stream = StreamId::new("a-1").unwrap();
    StreamEvent {
        version: Version(version),
        qualifier: String::new(),
        event: Event {
            position: Position(version),
            category: Some(stream.default_category()),
            stream: Some(stream),
            version: Version(version),
            event_type: EventType::new("A").unwrap(),
            time: SourceTime::unwritten(Time::MIN),
            recorded_at: Time::MIN,
            id: None,
            actor: None,
            correlation: None,
            causation: None,
            schema_version: (version > 1).then(|| "1".to_owned()),
            source: SourceFields::default(),
            data: Some(Payload {
                content_type: JSON.into(),
                bytes: payload.as_bytes().to_vec(),
            }),
            metadata: None,
            erased: Vec::new(),
            leaf: Hash([0; 32]),
        },
    }
}
