//! Presets of one's own, kept in a store's folder: `X.annals.d/presets/NAME.toml`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use ts_rs::TS;

use super::{Preset, Presets, Tested};
use crate::import::declared::{Mapping, MappingError};
use crate::import::mapping::members_of;
use crate::import::preview::{FilePreview, PreviewRequest, preview};
use crate::import::{Format, ImportError};
use crate::model::{folder, write_whole};
use crate::surroundings::Surroundings;

/// Paths by which records are known, at most.
const MAX_HAS: usize = 12;

/// A preset that was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SavedPreset {
    /// Its name: what `--format` takes.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Paths, or columns, by which its records are known from now on.
    pub has: Vec<String>,
    /// The file's text.
    pub toml: String,
}

/// Where a store keeps presets of its own.
pub(super) fn presets_folder(store: &Path) -> PathBuf {
    folder(store).join("presets")
}

/// Saves how a file is read as a preset beside a store: the mapping of the request, and as a rule the members, or
/// columns, that all of the records looked at have. An import into the store knows such files by it from then on.
///
/// # Errors
/// [`ImportError::Preset`] if the name is not of small letters, digits and `-`, if there is one of that name and
/// `replace` is not said, or if the file is of a format that no mapping reads; [`ImportError::Io`] if the file to look
/// at or the folder does not take part.
pub fn save_preset(
    store: &Path,
    name: &str,
    title: &str,
    request: &PreviewRequest,
    replace: bool,
    surroundings: &Surroundings,
) -> Result<SavedPreset, ImportError> {
    let wrong = |message: String| {
        let name = format!("{name}.toml");
        ImportError::Preset(MappingError::at(&name, "", 0, message))
    };
    let view = preview(request, surroundings)?;
    let [file] = &view.files[..] else {
        return Err(wrong("a preset is made of one file".to_owned()));
    };
    let mapping = request.mapping.as_ref().or(file.mapping.as_ref());
    let mapping = match (mapping, file.format) {
        (_, Format::Xes | Format::Ocel) => {
            return Err(wrong(
                "this format is read as its specification says, by no mapping".to_owned(),
            ));
        }
        (None, _) => {
            return Err(wrong(
                "nothing says yet how its records become events".to_owned(),
            ));
        }
        (Some(mapping), _) => mapping,
    };
    let has = known_by(file, mapping);
    if has.is_empty() {
        return Err(wrong(
            "its records have no member that all of them have".to_owned(),
        ));
    }
    let toml = written(name, title, file, &has, mapping).map_err(wrong)?;
    // Refuses the name and whatever else a reader of it would refuse.
    Preset::from_toml(&format!("{name}.toml"), &toml)?;
    let path = presets_folder(store).join(format!("{name}.toml"));
    let io = |source: std::io::Error| ImportError::Io {
        file: path.display().to_string(),
        source,
    };
    if path.exists() && !replace {
        return Err(wrong("there is a preset of this name already; say that it is to be replaced, or take another name".to_owned()));
    }
    write_whole(&path, &toml).map_err(io)?;
    Ok(SavedPreset {
        name: name.to_owned(),
        file: path.display().to_string(),
        has,
        toml,
    })
}

impl Presets {
    /// As [`Presets::find`], with those in the folder of a store before the others.
    ///
    /// # Errors
    /// As [`Presets::find`].
    pub fn of_store(
        store: Option<&Path>,
        data_folder: Option<&Path>,
        name: Option<&str>,
    ) -> Result<Presets, ImportError> {
        let mut others = Presets::find(data_folder, None)?.own;
        let mut own = match store {
            Some(store) => Preset::in_folder(&presets_folder(store))?,
            None => Vec::new(),
        };
        others.retain(|other| own.iter().all(|preset| preset.name != other.name));
        own.append(&mut others);
        Presets::choose(own, name)
    }
}

/// What all records looked at have: columns of a table, members of a record; those that the mapping names first.
fn known_by(file: &FilePreview, mapping: &Mapping) -> Vec<String> {
    let mut names: Vec<String> = match file.format {
        Format::Csv => file
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        _ => {
            let mut common: Option<Vec<String>> = None;
            for record in file.records.iter().filter(|record| !record.cut) {
                let Ok(members) = members_of(&record.text) else {
                    continue;
                };
                let has = |name: &String| {
                    members
                        .iter()
                        .any(|(key, value)| key == name && value.get() != "null")
                };
                match &mut common {
                    None => {
                        common = Some(
                            members
                                .iter()
                                .filter(|(_, value)| value.get() != "null")
                                .map(|(key, _)| key.to_string())
                                .collect(),
                        );
                    }
                    Some(common) => common.retain(has),
                }
            }
            let common = common.unwrap_or_default();
            common.iter().filter_map(|name| as_step(name)).collect()
        }
    };
    names.retain(|name| !name.is_empty() && !name.contains(" & "));
    let named = |name: &String| {
        let places = mapping.event.places();
        places
            .iter()
            .filter_map(|(_, template)| template.as_deref())
            .any(|template| template.contains(name.as_str()))
    };
    names.sort_by_key(|name| !named(name));
    names.dedup();
    names.truncate(MAX_HAS);
    names
}

/// A name as a step of a path; `None` for one with quotes, which no step can hold.
fn as_step(name: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '@' || c == '$';
    match name.chars().all(plain) {
        true => Some(name.to_owned()),
        false => (!name.contains('"')).then(|| format!("\"{name}\"")),
    }
}

fn written(
    name: &str,
    title: &str,
    file: &FilePreview,
    has: &[String],
    mapping: &Mapping,
) -> Result<String, String> {
    let mapping: toml::Table = mapping
        .to_toml()
        .parse()
        .map_err(|e| format!("the mapping: {e}"))?;
    let said = |e: toml::ser::Error| e.to_string();
    let order = toml::Value::try_from(file.order).map_err(said)?;
    let tested = toml::Value::try_from(Tested::RealData).map_err(said)?;
    let title = match title.trim() {
        "" => name,
        title => title,
    };
    let text = |text: &str| toml::Value::String(text.to_owned());
    let mut preset = toml::Table::new();
    preset.insert("name".into(), text(name));
    preset.insert("title".into(), text(title));
    preset.insert("specification".into(), text("a preset of your own"));
    preset.insert("tested".into(), tested);
    preset.insert("order".into(), order);
    let mut rule = toml::Table::new();
    rule.insert(
        "has".into(),
        toml::Value::Array(has.iter().map(|path| text(path)).collect()),
    );
    preset.insert("match".into(), toml::Value::Table(rule));
    preset.insert("mapping".into(), toml::Value::Table(mapping));
    toml::to_string(&preset).map_err(said)
}
