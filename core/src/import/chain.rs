//! Sources whose events hold hashes of themselves and of the event before: each is computed again, byte for byte.
//!
//! Only EventSourcingDB does so. Its hash of an event is the SHA-256 of two hex digests: that of its metadata,
//! joined by `|`, and that of its data as they stand in the file. Signatures stand over hashes; checking one takes
//! a public key that the file does not hold, so they are counted only.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::integrity::Hash;

/// What the event before the first one is said to hash to.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How a source chains its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashChain {
    /// As EventSourcingDB does.
    Eventsourcingdb,
}

/// What was found of the hashes that a source's events hold of themselves and of the event before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ChainReport {
    /// Events whose hash was computed again.
    #[ts(type = "number")]
    pub checked: u64,
    /// Of these, events that do not give their hash.
    #[ts(type = "number")]
    pub changed: u64,
    /// Of these, events that name another predecessor than the event before them.
    #[ts(type = "number")]
    pub unlinked: u64,
    /// Of these, events whose predecessor is not in the file: the first of a part, or one behind a gap.
    #[ts(type = "number")]
    pub begins: u64,
    /// Of these, events with a signature. Signatures are not checked: that takes the key of the database.
    #[ts(type = "number")]
    pub signed: u64,
    /// Id of the first.
    pub first: Option<String>,
    /// Id of the last.
    pub last: Option<String>,
    /// Hash of the last: what the next part has to name as its predecessor.
    pub head: Option<String>,
}

/// Checks the events of one file, in its order.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) report: ChainReport,
}

#[derive(Deserialize)]
struct Line<'t> {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(borrow)]
    payload: Option<&'t RawValue>,
}

#[derive(Deserialize)]
struct Payload<'t> {
    #[serde(borrow)]
    event: Option<&'t RawValue>,
    hash: Option<String>,
    signature: Option<String>,
}

#[derive(Deserialize)]
struct Event<'t> {
    specversion: String,
    id: String,
    time: String,
    source: String,
    subject: String,
    #[serde(rename = "type")]
    event_type: String,
    datacontenttype: String,
    predecessorhash: String,
    hash: Option<String>,
    signature: Option<String>,
    #[serde(borrow)]
    data: &'t RawValue,
}

impl Chain {
    /// Takes the next line; says what does not fit in it, in a sentence for the user.
    pub(super) fn take(&mut self, line: &str) -> Option<String> {
        let line: Line<'_> = serde_json::from_str(line).ok()?;
        let payload = line.payload?;
        if line.kind == "error" {
            return Some(format!(
                "the database could not back up everything, and says {}",
                payload.get()
            ));
        }
        if line.kind != "event" {
            return None;
        }
        let around: Payload<'_> = serde_json::from_str(payload.get()).ok()?;
        let event = around.event.unwrap_or(payload);
        let Ok(event) = serde_json::from_str::<Event<'_>>(event.get()) else {
            return Some("members are missing of which the hash of an event is made".to_owned());
        };
        let Some(said) = around.hash.or(event.hash.clone()) else {
            return Some(format!("event {} holds no hash", event.id));
        };
        self.report.checked += 1;
        let is_signed = around.signature.is_some() || event.signature.is_some();
        self.report.signed += u64::from(is_signed);
        let computed = hash_of(&event);
        let wrong = if computed == said {
            self.link(&event)
        } else {
            self.report.changed += 1;
            Some(format!(
                "event {} does not give its hash: it says {said}, its bytes give {computed}",
                event.id
            ))
        };
        self.report.first.get_or_insert_with(|| event.id.clone());
        self.report.last = Some(event.id);
        self.report.head = Some(said);
        wrong
    }

    /// Compares the predecessor that an event names with the event before it.
    fn link(&mut self, event: &Event<'_>) -> Option<String> {
        let said = &event.predecessorhash;
        let (Some(last), Some(head)) = (&self.report.last, &self.report.head) else {
            if event.id == "0" && said != GENESIS {
                self.report.unlinked += 1;
                return Some(format!(
                    "event 0 is the first one and names a predecessor, {said}"
                ));
            }
            self.report.begins += u64::from(event.id != "0");
            return None;
        };
        if said == head {
            return None;
        }
        if follows(last, &event.id) {
            self.report.unlinked += 1;
            return Some(format!(
                "event {} names the predecessor {said}; event {last} before it has the hash {head}",
                event.id
            ));
        }
        self.report.begins += 1;
        None
    }
}

/// Whether an id is the next number.
fn follows(last: &str, id: &str) -> bool {
    let number = |id: &str| id.parse::<u64>().ok();
    match (number(last), number(id)) {
        (Some(last), Some(id)) => last.checked_add(1) == Some(id),
        _ => true,
    }
}

fn hash_of(event: &Event<'_>) -> String {
    let hex = |bytes: &[u8]| Hash(Sha256::digest(bytes).into()).to_string();
    let metadata = [
        &*event.specversion,
        &event.id,
        &event.predecessorhash,
        &event.time,
        &event.source,
        &event.subject,
        &event.event_type,
        &event.datacontenttype,
    ];
    let metadata = hex(metadata.join("|").as_bytes());
    let data = hex(event.data.get().as_bytes());
    hex(format!("{metadata}{data}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `tests/fixtures/eventsourcingdb/make.py`, which shares no code with this.
    const BACKUP: &str = include_str!("../../tests/fixtures/eventsourcingdb/backup.jsonl");

    fn check(text: &str) -> (ChainReport, Vec<(usize, String)>) {
        let mut chain = Chain::default();
        let mut wrong = Vec::new();
        for (at, line) in text.lines().enumerate() {
            wrong.extend(chain.take(line).map(|what| (at + 1, what)));
        }
        (chain.report, wrong)
    }

    #[test]
    fn a_backup_is_checked_byte_for_byte() {
        let (report, wrong) = check(BACKUP);
        assert_eq!(wrong, []);
        assert_eq!((report.checked, report.changed, report.unlinked), (6, 0, 0));
        assert_eq!((report.begins, report.signed), (0, 2));
        assert_eq!(report.last.as_deref(), Some("5"));
    }

    #[test]
    fn the_first_event_that_does_not_fit_is_named() {
        let lines: Vec<&str> = BACKUP.lines().collect();
        let of_line = |wrong: &[(usize, String)]| wrong.first().map(|(line, _)| *line);

        // One space in the data, one digit of a time, another type.
        for (from, to) in [
            (r#""total": 12.50"#, r#""total":12.50"#),
            ("10:31:00", "10:31:01"),
            (".shipped", ".shipped2"),
            ("\\u003cb\\u003e", "<b>"),
        ] {
            assert!(BACKUP.contains(from), "{from}");
            let (report, wrong) = check(&BACKUP.replacen(from, to, 1));
            assert_eq!((report.changed, wrong.len()), (1, 1), "{from}: {wrong:?}");
            assert!(wrong[0].1.contains("does not give its hash"), "{wrong:?}");
        }

        let gone = [&lines[..2], &lines[3..]].concat().join("\n");
        let (report, wrong) = check(&gone);
        assert_eq!((report.unlinked, report.begins), (0, 1), "{wrong:?}");

        // An event made anew, with a hash that fits it: its successor tells.
        let other = lines[2].replace("\"id\":\"2\"", "\"id\":\"1\"");
        let (_, wrong) = check(&[lines[0], &other, lines[3]].join("\n"));
        assert_eq!(of_line(&wrong), Some(2));

        let swapped = [lines[0], lines[2], lines[1]].join("\n");
        let (report, _) = check(&swapped);
        assert!(report.begins + report.unlinked > 0);

        let error = format!("{}\n{{\"type\":\"error\",\"payload\":\"disk\"}}", lines[0]);
        let (_, wrong) = check(&error);
        assert!(wrong[0].1.contains("could not back up"), "{wrong:?}");
    }

    #[test]
    fn what_clients_read_holds_its_hash_inside() {
        let line = BACKUP.lines().next().unwrap();
        let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let event = line["payload"]["event"].as_object().unwrap();
        let hash = line["payload"]["hash"].as_str().unwrap();
        // The data of the first event have one writing only.
        let text = serde_json::to_string(event).unwrap();
        let flat = format!("{},\"hash\":\"{hash}\"}}", &text[..text.len() - 1]);
        let (report, wrong) = check(&format!("{{\"type\":\"event\",\"payload\":{flat}}}"));
        assert_eq!((report.checked, wrong), (1, vec![]));
    }
}
