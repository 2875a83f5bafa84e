//! What follows from the rows of a range proof: `rows.jsonl`, `rows.csv`, ids, types and control totals.
//!
//! The maker writes it and the verifier makes it again, by the same rules; the page in the package has its own.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::event::{JSON, Part, Payload};
use crate::evidence::manifest::Sum;
use crate::evidence::opened::Opened;
use crate::evidence::range::PartShown;
use crate::export::{guarded, write_csv_record};
use crate::integrity::leaf::TimeFlags;
use crate::time::Time;

/// Paths with control totals, at most.
pub const MAX_SUMS: usize = 100;

/// All that follows from the rows.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// `rows.jsonl`.
    pub jsonl: Vec<u8>,
    /// `rows.csv`.
    pub csv: Vec<u8>,
    /// Position and id of each.
    pub ids: Vec<(u64, Option<String>)>,
    /// Number of parts that were erased.
    pub erased: u64,
    types: BTreeMap<String, u64>,
    sums: BTreeMap<String, Total>,
}

/// Columns of `rows.csv`.
const COLUMNS: [&str; 24] = [
    "position",
    "stream",
    "category",
    "version",
    "type",
    "time",
    "time_text",
    "date_only",
    "recorded_at",
    "id",
    "actor",
    "correlation",
    "causation",
    "schema_version",
    "source",
    "source_id",
    "source_version",
    "source_position",
    "source_recorded_at",
    "data",
    "metadata",
    "erased",
    "withheld",
    "in_part",
];

/// One line of `rows.jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    position: u64,
    stream: Option<&'a str>,
    category: Option<&'a str>,
    version: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_text: Option<&'a str>,
    date_only: bool,
    recorded_at: Option<Time>,
    id: Option<&'a str>,
    actor: Option<&'a str>,
    correlation: Option<&'a str>,
    causation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_position: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_recorded_at: Option<Time>,
    data: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    erased: Vec<Part>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    zone_assumed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ambiguous: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_hex: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<Part>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_part: Vec<Part>,
}

/// A further stream of a row.
#[derive(Serialize)]
struct Link<'a> {
    stream: &'a str,
    version: u64,
    qualifier: &'a str,
}

/// A payload in the three forms of which it takes one.
#[derive(Default)]
struct Written<'a> {
    json: Option<Box<RawValue>>,
    text: Option<&'a str>,
    hex: Option<String>,
}

impl Rows {
    /// Nothing yet, but the header row.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn begin() -> std::io::Result<Rows> {
        let mut rows = Rows::default();
        write_csv_record(&mut rows.csv, &COLUMNS)?;
        Ok(rows)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn add(&mut self, row: &Opened<'_>) -> std::io::Result<()> {
        let line = line(row);
        serde_json::to_writer(&mut self.jsonl, &line)?;
        self.jsonl.push(b'\n');
        self.ids.push((line.position, line.id.map(str::to_owned)));
        self.erased += line.erased.len() as u64;
        *self.types.entry(line.event_type.to_owned()).or_default() += 1;
        if let Some(data) = &line.data {
            self.add_sums(data.get());
        }
        write_csv_record(&mut self.csv, &cells(line))
    }

    /// Rows of each type, by type.
    #[must_use]
    pub fn types(&self) -> Vec<(String, u64)> {
        let types = self.types.iter();
        types.map(|(name, rows)| (name.clone(), *rows)).collect()
    }

    /// Control totals by path, and how many paths there was no room for.
    #[must_use]
    pub fn sums(&self) -> (Vec<Sum>, u64) {
        let sums = self.sums.iter().take(MAX_SUMS);
        let list = sums
            .map(|(path, total)| Sum {
                path: path.clone(),
                values: total.values,
                sum: decimal(total.sum),
                not_summed: total.not_summed,
            })
            .collect();
        (list, self.sums.len().saturating_sub(MAX_SUMS) as u64)
    }

    fn add_sums(&mut self, data: &str) {
        // Of a key that comes twice the last one stays.
        let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(data) else {
            return;
        };
        for (key, value) in members {
            let number = value.get();
            if !number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                continue;
            }
            let total = self.sums.entry(path_of(&key)).or_default();
            match scaled(number) {
                Some(value) => {
                    total.values += 1;
                    // INVARIANT: 30 digits each, so 38 digits hold a hundred million of them.
                    total.sum = total.sum.saturating_add(value);
                }
                None => total.not_summed += 1,
            }
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    values: u64,
    /// In units of 10^-12.
    sum: i128,
    not_summed: u64,
}

/// Digits before the point and behind it that a number in a sum has at most.
const WHOLE_DIGITS: usize = 18;
const FRACTION_DIGITS: usize = 12;

/// A number in units of 10^-12; `None` where it has another form than sums take.
fn scaled(number: &str) -> Option<i128> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() > WHOLE_DIGITS || fraction.len() > FRACTION_DIGITS {
        return None;
    }
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let value: i128 = format!("{whole}{fraction:0<FRACTION_DIGITS$}")
        .parse()
        .ok()?;
    Some(if negative { -value } else { value })
}

/// A number of units of 10^-12 as a decimal without trailing zeros.
fn decimal(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:013}", units.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - FRACTION_DIGITS);
    let fraction = fraction.trim_end_matches('0');
    match fraction.is_empty() {
        true => format!("{sign}{whole}"),
        false => format!("{sign}{whole}.{fraction}"),
    }
}

/// Path of a member of the data.
fn path_of(key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match plain {
        true => format!("data.{key}"),
        false => format!("data[{}]", serde_json::Value::from(key)),
    }
}

fn line<'a>(row: &'a Opened<'_>) -> Line<'a> {
    let leaf = &row.leaf;
    let identity = row.identity.as_ref();
    let fields = identity.map(|identity| identity.get());
    let data = written(row, Part::Data, Some(leaf.data_type));
    let metadata = written(row, Part::Metadata, leaf.metadata_type);
    let kind = |kind: Option<&'a str>| kind.filter(|kind| *kind != JSON);
    Line {
        position: row.position.0,
        stream: fields.map(|f| f.stream),
        category: fields.map(|f| f.category),
        version: leaf.version,
        event_type: leaf.event_type,
        time: leaf.time,
        time_text: leaf.time_text,
        date_only: leaf.time_flags.has(TimeFlags::DATE_ONLY),
        recorded_at: Time::from_parts(leaf.recorded_us, 0),
        id: fields.map(|f| f.id),
        actor: row.extracted.actor.as_deref(),
        correlation: row.extracted.correlation.as_deref(),
        causation: row.extracted.causation.as_deref(),
        schema_version: leaf.schema_version,
        source: fields.and_then(|f| f.source),
        source_id: fields.and_then(|f| f.source_id),
        source_version: fields.and_then(|f| f.source_version),
        source_position: fields.and_then(|f| f.source_position),
        source_recorded_at: fields.and_then(|f| f.source_recorded_at),
        data: data.json,
        metadata: metadata.json,
        erased: row.parts_that(|part| matches!(part, PartShown::Erased)),
        zone_assumed: leaf.time_flags.has(TimeFlags::ZONE_ASSUMED),
        ambiguous: leaf.time_flags.has(TimeFlags::AMBIGUOUS),
        links: identity
            .into_iter()
            .flat_map(|identity| identity.links())
            .map(|(stream, version, qualifier)| Link {
                stream,
                version: *version,
                qualifier,
            })
            .collect(),
        data_type: kind(Some(leaf.data_type)),
        metadata_type: kind(leaf.metadata_type),
        data_text: data.text,
        metadata_text: metadata.text,
        data_hex: data.hex,
        metadata_hex: metadata.hex,
        withheld: row.parts_that(|part| matches!(part, PartShown::Closed)),
        in_part: row.parts_that(|part| matches!(part, PartShown::InPart(_))),
    }
}

fn written<'a>(row: &Opened<'a>, part: Part, content_type: Option<&str>) -> Written<'a> {
    let (Some(bytes), Some(content_type)) = (row.payload(part), content_type) else {
        return Written::default();
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let hex = bytes.iter().map(|b| format!("{b:02x}")).collect();
        return Written {
            hex: Some(hex),
            ..Written::default()
        };
    };
    match json_of(text, content_type) {
        Some(json) => Written {
            json: Some(json),
            ..Written::default()
        },
        None => Written {
            text: Some(text),
            ..Written::default()
        },
    }
}

/// A JSON payload in one line; line ends in it stand between tokens only.
fn json_of(text: &str, content_type: &str) -> Option<Box<RawValue>> {
    let payload = Payload {
        content_type: content_type.into(),
        bytes: Vec::new(),
    };
    let json = payload.is_json().then(|| text.trim_matches(BLANKS))?;
    RawValue::from_string(json.replace(['\n', '\r'], " ")).ok()
}

/// What JSON calls insignificant.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

fn cells(line: Line<'_>) -> [String; 24] {
    let text = |text: Option<&str>| guarded(text.unwrap_or_default().to_owned());
    let json = |json: &Option<Box<RawValue>>| text(json.as_ref().map(|j| j.get()));
    let time = |time: Option<Time>| time.map_or_else(String::new, |t| t.to_string());
    let parts = |parts: &[Part]| {
        let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
        names.join(" ")
    };
    [
        line.position.to_string(),
        text(line.stream),
        text(line.category),
        line.version.to_string(),
        text(Some(line.event_type)),
        line.time.to_string(),
        text(line.time_text),
        line.date_only.to_string(),
        time(line.recorded_at),
        text(line.id),
        text(line.actor),
        text(line.correlation),
        text(line.causation),
        text(line.schema_version),
        text(line.source),
        text(line.source_id),
        text(line.source_version),
        text(line.source_position),
        time(line.source_recorded_at),
        json(&line.data),
        json(&line.metadata),
        parts(&line.erased),
        parts(&line.withheld),
        parts(&line.in_part),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_say_what_they_are_not_of() {
        let mut rows = Rows::default();
        for data in [
            r#"{"total":0.1,"n":1,"x y":5,"text":"7"}"#,
            r#"{"total":0.2,"n":-3,"n":2}"#,
            r#"{"total":1e3,"n":123456789012345678}"#,
            r#"{"total":1234567890123456789,"n":0.000000000001}"#,
            r#"[1,2]"#,
        ] {
            rows.add_sums(data);
        }
        let sum = |path: &str, values, sum: &str, not_summed| Sum {
            path: path.into(),
            values,
            sum: sum.into(),
            not_summed,
        };
        let want = [
            sum("data.n", 4, "123456789012345681.000000000001", 0),
            sum("data.total", 2, "0.3", 2),
            sum("data[\"x y\"]", 1, "5", 0),
        ];
        assert_eq!(rows.sums(), (want.to_vec(), 0));
        assert_eq!(decimal(-1_500_000_000_000), "-1.5");
        assert_eq!(decimal(0), "0");
    }

    #[test]
    fn payloads_stand_in_one_line_or_as_text() {
        let json = |text, kind| json_of(text, kind).map(|json| json.get().to_owned());
        assert_eq!(
            json(" {\n\"a\": 1\r} ", JSON).as_deref(),
            Some("{ \"a\": 1 }")
        );
        assert_eq!(json("{", JSON), None);
        assert_eq!(json("{}", "text/plain"), None);
    }
}
