//! Data sets with known answers, imported through the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Sandbox;

/// The folder of a data set, if it is there.
pub fn dataset(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ANNALS_DATASETS").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../shared/datasets"
            ))
        },
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.join("facts.json").exists() {
        return std::fs::canonicalize(folder).ok();
    }
    let mut stderr = std::io::stderr();
    let _ = std::io::Write::write_all(
        &mut stderr,
        format!("skipped: there is no data set {}\n", folder.display()).as_bytes(),
    );
    None
}

/// A data set imported into `log.annals`, and the facts about it.
pub struct Known {
    pub sandbox: Sandbox,
    pub report: Value,
    pub facts: Value,
}

impl Known {
    pub fn import(name: &str, files: &[&str]) -> Option<Known> {
        let folder = dataset(name)?;
        let facts = std::fs::read_to_string(folder.join("facts.json")).unwrap();
        let facts: Value = serde_json::from_str(&facts).unwrap();
        let sandbox = Sandbox::new();
        let paths: Vec<String> = files
            .iter()
            .map(|f| folder.join(f).display().to_string())
            .collect();
        let mut args = vec!["import"];
        args.extend(paths.iter().map(String::as_str));
        args.extend(["--into", "log.annals"]);
        let report = sandbox.json(&args);
        Some(Known {
            sandbox,
            report,
            facts: facts["facts"].clone(),
        })
    }

    pub fn info(&self) -> Value {
        self.sandbox.json(&["info", "log.annals"])
    }

    pub fn count(&self, filters: &[&str]) -> u64 {
        let args = [&["events", "log.annals", "--count"], filters].concat();
        self.sandbox.json(&args)["count"].as_u64().unwrap()
    }

    pub fn events(&self, filters: &[&str]) -> Vec<Value> {
        let args = [&["events", "log.annals", "--limit", "1000000"], filters].concat();
        self.sandbox.json(&args)["events"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub fn streams(&self, filters: &[&str]) -> Vec<Value> {
        let args = [&["streams", "log.annals", "--limit", "1000000"], filters].concat();
        self.sandbox.json(&args)["streams"]
            .as_array()
            .unwrap()
            .clone()
    }
}

pub fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is a text"))
}

pub fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

/// Counts by name: most first, ties by name; at most `n` of them.
pub fn top(counts: BTreeMap<String, u64>, n: usize) -> Value {
    let mut list: Vec<(String, u64)> = counts.into_iter().collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list.truncate(n);
    serde_json::to_value(list).unwrap()
}

pub fn count_by<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
}

/// `[{name, events}]` of an info view as `[[name, events]]`, as the facts have it.
pub fn rows(value: &Value) -> Value {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| serde_json::json!([row["name"], row["events"]]))
        .collect()
}

pub fn first(value: &Value, n: usize) -> Value {
    value.as_array().unwrap().iter().take(n).cloned().collect()
}
