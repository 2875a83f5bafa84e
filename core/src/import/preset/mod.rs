//! Presets: formats that differ from each other only in where their records keep what an event has. Each is a TOML
//! file with a rule by which its records are known and a mapping; one mapper reads them all ([`super::record`],
//! and [`super::csv`] for tables). `docs/presets.md` draws the file.

mod own;
mod shipped;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::declared::{Mapping, MappingError, Template};
use super::record::{check_path, steps};
use super::{HashChain, ImportError};

pub use own::{SavedPreset, save_preset};
pub use shipped::{FormatRow, FormatsView, ReadBy, formats, shipped};
pub(super) use tell::{Told, tell, tell_table};

/// A format that is known by what its records hold, and how they become events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is called on the command line.
    pub name: String,
    /// What it is called in sentences.
    pub title: String,
    /// Address of its specification.
    pub specification: String,
    /// What it was tested on.
    pub tested: Tested,
    /// What a user should know before an import.
    #[serde(default)]
    pub note: String,
    /// How the source chains its events by hashes, if it does.
    #[serde(default)]
    pub chain: Option<HashChain>,
    /// How the source orders its events.
    pub order: SourceOrder,
    /// How its records are known.
    #[serde(rename = "match")]
    pub rule: Rule,
    /// How they become events.
    pub mapping: Mapping,
}

/// What a preset was tested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Tested {
    /// Files that somebody else's system wrote.
    RealData,
    /// Examples made by its specification.
    Specification,
}

/// How far the order in which a source hands over its events can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SourceOrder {
    /// One order of all events.
    Total,
    /// An order of the events of each stream; between streams only time tells.
    PerStream,
    /// An order inside each partition of the source, such as a partition of Kafka.
    PerPartition,
    /// None: records come as they were delivered.
    Unknown,
}

/// How records are known: every line of it has to hold. Paths are those of templates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Paths that are all there. In a table: columns.
    pub has: Vec<String>,
    /// Paths of which one is there; one with ` & ` in it is several that are there together.
    pub any: Vec<String>,
    /// Paths that are not there.
    pub lacks: Vec<String>,
    /// Texts of which one is at the path; one that ends in `*` is the beginning of what is there.
    pub is: BTreeMap<String, Vec<String>>,
}

impl Preset {
    /// Reads a preset from TOML. `name` is what errors call the file.
    ///
    /// # Errors
    /// [`MappingError`] with line and column.
    ///
    /// ```
    /// use annals_core::import::{Preset, shipped};
    /// assert!(shipped().iter().any(|preset| preset.name == "cloudtrail"));
    /// assert!(Preset::from_toml("mine.toml", "name = 7").is_err());
    /// ```
    pub fn from_toml(name: &str, text: &str) -> Result<Preset, MappingError> {
        let preset: Preset = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            MappingError::at(
                name,
                text,
                at,
                format!("{}; see docs/presets.md", e.message().trim()),
            )
        })?;
        let wrong = |key: &str, message: String| {
            let at = text.find(key).unwrap_or(0);
            MappingError::at(name, text, at, message)
        };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if preset.name.is_empty() || !preset.name.chars().all(plain) {
            let message = format!(
                "the name {:?} is not of small letters, digits and - only",
                preset.name
            );
            return Err(wrong("name", message));
        }
        let Rule {
            has,
            any,
            lacks,
            is,
        } = &preset.rule;
        if has.is_empty() && any.is_empty() && is.is_empty() {
            return Err(wrong(
                "match",
                "nothing says how its records are known".into(),
            ));
        }
        for paths in has.iter().chain(any).chain(lacks).chain(is.keys()) {
            for path in paths.split(" & ") {
                steps(path).map_err(|message| wrong(path, message))?;
            }
        }
        preset
            .mapping
            .check()
            .map_err(|found| wrong(&found.key, found.message))?;
        for (key, template) in preset.mapping.event.places() {
            let template = template.as_deref().unwrap_or_default();
            let columns = Template::choices(template).map_err(|m| wrong(key, m))?;
            for path in columns.iter().flat_map(Template::columns) {
                check_path(path).map_err(|message| wrong(key, message))?;
            }
        }
        Ok(preset)
    }

    /// Reads the presets in a folder: its `.toml` files, by name. A folder that is not there holds none.
    ///
    /// # Errors
    /// [`MappingError`] of the first file that is none or cannot be read.
    pub fn in_folder(folder: &Path) -> Result<Vec<Preset>, MappingError> {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Ok(Vec::new());
        };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        let read = |path: &std::path::PathBuf| {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|e| MappingError::at(&name, "", 0, format!("it cannot be read: {e}")))?;
            Preset::from_toml(&name, &text)
        };
        files.iter().map(read).collect()
    }

    /// The user's own presets, then the shipped ones whose name is not among them.
    #[must_use]
    pub fn all(own: &[Preset]) -> Vec<Preset> {
        let is_own = |name: &str| own.iter().any(|preset| preset.name == name);
        let others = shipped().iter().filter(|preset| !is_own(&preset.name));
        own.iter().chain(others).cloned().collect()
    }
}

impl Presets {
    /// The presets in the user's data folder, and the one asked for by name.
    ///
    /// # Errors
    /// [`ImportError::Preset`] of a file that is none, [`ImportError::UnknownFormat`] for a name that none has.
    pub fn find(data_folder: Option<&Path>, name: Option<&str>) -> Result<Presets, ImportError> {
        let own = match data_folder {
            Some(folder) => Preset::in_folder(&folder.join("presets"))?,
            None => Vec::new(),
        };
        Presets::choose(own, name)
    }

    /// The one of this name is to be read by.
    fn choose(own: Vec<Preset>, name: Option<&str>) -> Result<Presets, ImportError> {
        let chosen = match name {
            None => None,
            Some(name) => Some(
                Preset::all(&own)
                    .into_iter()
                    .find(|preset| preset.name == name)
                    .ok_or_else(|| ImportError::UnknownFormat(name.to_owned()))?,
            ),
        };
        Ok(Presets { own, chosen })
    }
}

/// What a user says of presets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presets {
    /// The user's own, tried before those that are shipped.
    pub own: Vec<Preset>,
    /// The one to read by; told by content where `None`.
    pub chosen: Option<Preset>,
}
