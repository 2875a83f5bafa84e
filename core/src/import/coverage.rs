//! How much of what a table of current values loses a source still holds: what was there before a change, when it
//! happened, who made it and why.

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::mapping::Key;
use crate::store::{Coverage, Extraction, Extractor};

/// Events of a source that are looked at one by one, and of which more only every sixteenth is.
const ALL: u64 = 10_000;
const EVERY: u64 = 16;

/// Keys that say why.
const WHY: [&str; 7] = [
    "reason",
    "changereason",
    "reasoncode",
    "justification",
    "purpose",
    "purposeofevent",
    "purposeofuse",
];

/// What is known of an event beside its payloads.
pub(super) struct Seen<'e> {
    pub data: &'e str,
    pub metadata: Option<&'e str>,
    pub has_time: bool,
    /// An event of its stream stands before it.
    pub is_followed: bool,
}

/// Counts events of one source.
pub(super) struct Counter {
    coverage: Coverage,
    events: u64,
    who: Extractor,
    /// Its events are a history: those before one in its stream tell what was.
    is_history: bool,
}

impl Counter {
    pub(super) fn new(is_history: bool) -> Counter {
        Counter {
            is_history,
            coverage: Coverage::default(),
            events: 0,
            who: Extraction::standard().prepare(),
        }
    }

    /// Whether the next event is one that is looked at.
    pub(super) fn looks(&mut self) -> bool {
        self.events += 1;
        self.events <= ALL || self.events.is_multiple_of(EVERY)
    }

    pub(super) fn take(&mut self, event: &Seen<'_>) {
        let Seen {
            data,
            metadata,
            has_time,
            is_followed,
        } = event;
        let of_data = told_by(data);
        let of_metadata = metadata.map(told_by).unwrap_or_default();
        let actor = self
            .who
            .apply_json(Some(data.as_bytes()), metadata.map(str::as_bytes))
            .actor;
        let Coverage {
            looked_at,
            previous,
            when,
            who,
            why,
        } = &mut self.coverage;
        *looked_at += 1;
        *previous += u64::from((self.is_history && *is_followed) || of_data.previous);
        *when += u64::from(*has_time);
        *who += u64::from(actor.is_some());
        *why += u64::from(of_data.why || of_metadata.why);
    }

    /// `None` where the source held no event.
    pub(super) fn coverage(&self) -> Option<Coverage> {
        (self.coverage.looked_at > 0).then(|| self.coverage.clone())
    }
}

/// What the members at the top of a payload tell.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Told {
    previous: bool,
    why: bool,
}

fn told_by(payload: &str) -> Told {
    let mut told = Told::default();
    let mut reader = serde_json::Deserializer::from_str(payload);
    // What is no object tells nothing.
    let _ = reader.deserialize_any(&mut told);
    told
}

impl<'d> Visitor<'d> for &mut Told {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.previous |= says_what_was(&key);
            if says_why(&key) {
                // Nothing is no reason.
                let value: &'d serde_json::value::RawValue = map.next_value()?;
                self.why |= !matches!(value.get(), "null" | "\"\"" | "[]" | "{}");
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a member is of what was before: `was`, `before`, `oldEmail`, `previous_status`.
fn says_what_was(key: &str) -> bool {
    if matches!(key, "was" | "before" | "old" | "previous" | "prior") {
        return true;
    }
    let of_a_change = ["old", "previous", "prev", "prior"].iter().any(|word| {
        let rest = key.strip_prefix(word).and_then(|rest| rest.chars().next());
        rest.is_some_and(|next| next == '_' || next.is_ascii_uppercase())
    });
    of_a_change || key.ends_with("_before") || key.ends_with("Before")
}

fn says_why(key: &str) -> bool {
    let is_same = |word: &&str| {
        let letters = key.chars().filter(|c| !matches!(c, '_' | '-'));
        letters.map(|c| c.to_ascii_lowercase()).eq(word.chars())
    };
    WHY.iter().any(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_tell_what_was_and_why() {
        for (payload, previous, why) in [
            (r#"{"row":{},"was":null}"#, true, false),
            (
                r#"{"oldEmail":"a","newEmail":"b","reason":"x"}"#,
                true,
                true,
            ),
            (
                r#"{"older":1,"wash":2,"reason":null,"Change_Reason":"y"}"#,
                false,
                true,
            ),
            (r#"{"a":{"was":1}}"#, false, false),
            ("[1]", false, false),
            ("7", false, false),
            ("{", false, false),
        ] {
            assert_eq!(told_by(payload), Told { previous, why }, "{payload}");
        }
    }

    #[test]
    fn events_are_counted() {
        let mut counter = Counter::new(true);
        for at in 0..ALL + 2 * EVERY {
            if counter.looks() {
                counter.take(&Seen {
                    data: r#"{"a":1}"#,
                    metadata: Some(r#"{"userId":"jo"}"#),
                    has_time: at % 2 == 0,
                    is_followed: at > 0,
                });
            }
        }
        let found = counter.coverage().unwrap();
        assert_eq!(found.looked_at, ALL + 2);
        assert_eq!(
            (found.previous, found.who, found.why),
            (ALL + 1, ALL + 2, 0)
        );
        assert_eq!(Counter::new(true).coverage(), None);
        let mut requests = Counter::new(false);
        requests.take(&Seen {
            data: "{}",
            metadata: None,
            has_time: true,
            is_followed: true,
        });
        assert_eq!(requests.coverage().unwrap().percent(), Some([0, 100, 0, 0]));
    }
}
