//! Mappings from and to files.

use std::path::{Path, PathBuf};

use annals_core::import::Mapping;

use super::Import;
use crate::failure::{Code, Failure};

/// The mapping that the user asks for, if any: a file, and single words of it on the command line.
pub fn asked(args: &Import) -> Result<Option<Mapping>, Failure> {
    let said = args.delimiter.is_some() || args.time_format.is_some();
    let mut mapping = match &args.map {
        None if !said => return Ok(None),
        None => Mapping::default(),
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| Failure::file(file, &e))?;
            Mapping::from_toml(&file.display().to_string(), &text)
                .map_err(|e| Failure::new(Code::BadInput, e.to_string()))?
        }
    };
    if let Some(delimiter) = &args.delimiter {
        let is_tab = matches!(delimiter.as_str(), "tab" | "\\t");
        mapping.delimiter = Some(if is_tab {
            "\t".into()
        } else {
            delimiter.clone()
        });
    }
    if let Some(format) = &args.time_format {
        mapping.time_format = Some(format.clone());
    }
    // Read again, so that what the command line says is checked as a file is.
    let checked = Mapping::from_toml("the command line", &mapping.to_toml());
    checked.map(Some).map_err(|e| Failure::usage(e.message))
}

/// Writes the one mapping that the files were read by.
pub fn save<'m>(
    mappings: impl Iterator<Item = &'m Mapping>,
    file: &Path,
    paths: &[PathBuf],
) -> Result<(), Failure> {
    let mut texts: Vec<String> = mappings.map(Mapping::to_toml).collect();
    texts.dedup();
    let [text] = &texts[..] else {
        let why = if texts.is_empty() {
            "none of the files is a table, so there is no mapping to be saved"
        } else {
            "the files were read by different mappings; save the mapping of one file at a time"
        };
        return Err(Failure::new(Code::BadInput, why));
    };
    let same = |path: &PathBuf| {
        let place = |path: &Path| path.canonicalize().ok();
        place(path).is_some() && place(path) == place(file)
    };
    if paths.iter().any(same) {
        return Err(Failure::new(
            Code::BadInput,
            format!(
                "{} is a file that is imported; name another file",
                file.display()
            ),
        ));
    }
    std::fs::write(file, text).map_err(|e| Failure::file(file, &e))
}
