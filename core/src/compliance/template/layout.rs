//! A layout of the user's own: a Typst file beside the template, and the files that it may read.
//!
//! `reports/NAME.typ` is the layout of the template NAME, and what lies in `reports/NAME/` are its pictures and parts.
//! They are read once and handed to the typesetter, which opens no file itself.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::TemplateError;
use crate::compliance::report::LayoutFileRef;
use crate::integrity::Hash;

/// Files in the folder of a layout.
const FILES_MAX: usize = 32;
/// Bytes of a layout and its files together.
const BYTES_MAX: u64 = 8 << 20;
/// What the typesetter reads, by the ending of its name. Programs (`.wasm`) are not among them.
const ENDINGS: [&str; 13] = [
    "typ", "svg", "png", "jpg", "jpeg", "gif", "webp", "json", "toml", "yaml", "csv", "xml", "txt",
];

/// A file of a layout of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutFile {
    /// Its name as seen from the folder of templates: `mine.typ`, `mine/logo.svg`.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl LayoutFile {
    /// Names it and its hash.
    #[must_use]
    pub fn reference(&self) -> LayoutFileRef {
        LayoutFileRef {
            name: self.name.clone(),
            hash: Hash(Sha256::digest(&self.bytes).into()),
        }
    }
}

/// Reads the layout that lies beside the template `name` in a folder: the layout first, then its files by name.
/// Empty where there is none.
///
/// # Errors
/// [`TemplateError`] where a file cannot be read, is of a kind that a layout cannot use, or is too large.
pub fn read_layout(folder: &Path, name: &str) -> Result<Vec<LayoutFile>, TemplateError> {
    let main = format!("{name}.typ");
    let path = folder.join(&main);
    if std::fs::symlink_metadata(&path).is_err() {
        return Ok(Vec::new());
    }
    let mut reading = Reading { left: BYTES_MAX };
    let mut files = vec![reading.file(&path, main)?];
    if std::str::from_utf8(&files[0].bytes).is_err() {
        return Err(fault(
            &files[0].name,
            "it is not UTF-8".to_owned(),
            "save it as UTF-8",
        ));
    }
    let parts = folder.join(name);
    let entries = match std::fs::read_dir(&parts) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(files),
        Err(error) => {
            let told = format!("the folder cannot be read: {error}");
            return Err(fault(&format!("{name}/"), told, "make it readable"));
        }
    };
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| {
            let told = format!("the folder cannot be read: {error}");
            fault(&format!("{name}/"), told, "make it readable")
        })?;
        names.push(entry.file_name().to_string_lossy().into_owned());
        if names.len() > FILES_MAX {
            let told = format!("it has more than {FILES_MAX} files");
            return Err(fault(
                &format!("{name}/"),
                told,
                "leave what the layout uses",
            ));
        }
    }
    names.sort();
    for part in names {
        files.push(reading.file(&parts.join(&part), format!("{name}/{part}"))?);
    }
    Ok(files)
}

struct Reading {
    /// Bytes that may still be read.
    left: u64,
}

impl Reading {
    fn file(&mut self, path: &Path, name: String) -> Result<LayoutFile, TemplateError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.map(str::to_ascii_lowercase).unwrap_or_default();
        if !name.chars().all(plain) || name.starts_with('.') || !ENDINGS.contains(&ending.as_str())
        {
            let told = "a layout cannot use a file of this name".to_owned();
            let hint = format!(
                "letters, digits, dots, hyphens and underscores, and an ending of {}",
                ENDINGS.join(", ")
            );
            return Err(fault(&name, told, &hint));
        }
        let unreadable = |error: std::io::Error| {
            fault(
                &name,
                format!("the file cannot be read: {error}"),
                "make it readable",
            )
        };
        let about = std::fs::symlink_metadata(path).map_err(unreadable)?;
        if !about.is_file() {
            let told = "it is no file of its own: a link or a folder may lead elsewhere".to_owned();
            return Err(fault(&name, told, "put the file itself there"));
        }
        if about.len() > self.left {
            let told = format!("a layout and its files are at most {BYTES_MAX} bytes long");
            return Err(fault(&name, told, "make its pictures smaller"));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Ok(LayoutFile { name, bytes })
    }
}

fn fault(name: &str, message: String, hint: &str) -> TemplateError {
    TemplateError {
        name: name.to_owned(),
        line: 1,
        column: 1,
        message,
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_with_its_files_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        assert_eq!(read_layout(home.path(), "mine").unwrap(), []);
        std::fs::write(at("mine.typ"), "= A").unwrap();
        std::fs::create_dir(at("mine")).unwrap();
        std::fs::write(at("mine/logo.svg"), "<svg/>").unwrap();
        std::fs::write(at("mine/a.typ"), "#let a = 1").unwrap();
        std::fs::write(at("other.svg"), "<svg/>").unwrap();
        let files = read_layout(home.path(), "mine").unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["mine.typ", "mine/a.typ", "mine/logo.svg"]);
        assert_eq!(
            files[0].reference().hash,
            Hash(Sha256::digest("= A").into())
        );

        for (name, bytes, want) in [
            ("mine/run.wasm", &b"\0asm"[..], "cannot use"),
            ("mine/a b.svg", b"<svg/>", "cannot use"),
            ("mine/large.png", &vec![0; 8 << 20], "at most"),
        ] {
            std::fs::write(at(name), bytes).unwrap();
            let error = read_layout(home.path(), "mine").unwrap_err();
            assert!(error.message.contains(want), "{error}");
            std::fs::remove_file(at(name)).unwrap();
        }
        std::fs::write(at("mine.typ"), b"\xff").unwrap();
        let error = read_layout(home.path(), "mine").unwrap_err();
        assert!(error.message.contains("UTF-8"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("mine.typ"), "= A").unwrap();
        std::fs::create_dir(at("mine")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", at("mine/passwd.txt")).unwrap();
        let error = read_layout(home.path(), "mine").unwrap_err();
        assert!(error.message.contains("a link"), "{error}");
    }
}
