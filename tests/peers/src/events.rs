//! The events of the bench's file.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Outcome;

/// One line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    pub event_id: &'a str,
    pub aggregate_id: &'a str,
    pub event_type: &'a str,
    pub timestamp: &'a str,
    #[serde(borrow)]
    pub data: &'a RawValue,
    #[serde(borrow)]
    pub metadata: &'a RawValue,
}

/// Gives each line to `take`, with the version of its event in its stream; returns how many there are.
pub fn each(file: &Path, mut take: impl FnMut(Line<'_>, u64) -> Outcome<()>) -> Outcome<u64> {
    let mut versions: HashMap<String, u64> = HashMap::new();
    let mut lines = BufReader::with_capacity(1 << 20, std::fs::File::open(file)?);
    let (mut line, mut count) = (String::new(), 0);
    while lines.read_line(&mut line)? > 0 {
        let event: Line<'_> = serde_json::from_str(&line)?;
        let version = match versions.get_mut(event.aggregate_id) {
            Some(version) => version,
            None => versions.entry(event.aggregate_id.to_owned()).or_default(),
        };
        *version += 1;
        take(event, *version)?;
        count += 1;
        line.clear();
    }
    Ok(count)
}
