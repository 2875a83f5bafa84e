//! Mappings from and to files.

use std::path::{Path, PathBuf};

use annals_core::import::{Mapping, may_replace};

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

/// Refuses a file that must not be replaced by a mapping: one that is imported, the store, any database, what is no
/// regular file. Asked before anything is imported.
pub fn may_save(file: &Path, paths: &[PathBuf], into: Option<&Path>) -> Result<(), Failure> {
    let beside = |suffix: &str| {
        into.map(|store| {
            let mut name = store.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        })
    };
    let own: Vec<PathBuf> = ["", "-wal", "-shm"]
        .into_iter()
        .filter_map(beside)
        .collect();
    let in_use: Vec<&Path> = own.iter().chain(paths).map(PathBuf::as_path).collect();
    may_replace(file, &in_use).map_err(|e| Failure::file(file, &e))
}

/// Writes the one mapping that the files were read by: whole, or the file is as it was.
pub fn save<'m>(mappings: impl Iterator<Item = &'m Mapping>, file: &Path) -> Result<(), Failure> {
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
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".annals-map-");
    // Others may read it as any new file, where the umask lets them.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let write = || -> std::io::Result<()> {
        let mut temporary = builder.tempfile_in(folder)?;
        std::io::Write::write_all(&mut temporary, text.as_bytes())?;
        temporary.as_file().sync_all()?;
        temporary.persist(file).map(drop).map_err(|e| e.error)
    };
    write().map_err(|e| Failure::file(file, &e))
}
