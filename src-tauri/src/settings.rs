//! What the reader has chosen, kept in the user's configuration folder. Left out: anything that belongs to one store.

use std::io;
use std::path::{Path, PathBuf};

use annals_core::time::parse_zone;

use crate::error::{ErrorCode, HostError, io_error};
use crate::wire::Settings;

/// Longest purpose, in bytes.
const PURPOSE_MAX_LEN: usize = 2_000;

/// Reads the settings; a file that is missing or not readable means the defaults.
pub(crate) fn read(folder: &Path) -> Settings {
    std::fs::read(file(folder))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// Keeps the settings.
///
/// # Errors
/// `bad_input` if the zone has no such name or the purpose is too long; else if the file cannot be written.
pub(crate) fn write(folder: &Path, settings: &Settings) -> Result<(), HostError> {
    if settings.zone != LOCAL {
        parse_zone(&settings.zone)?;
    }
    if settings.purpose.len() > PURPOSE_MAX_LEN {
        let message = format!("a purpose has at most {PURPOSE_MAX_LEN} bytes");
        return Err(HostError::new(ErrorCode::BadInput, message));
    }
    let bytes = serde_json::to_vec_pretty(settings).map_err(HostError::internal)?;
    replace(&file(folder), &bytes).map_err(|error| {
        let message = format!("{} could not be written: {error}", file(folder).display());
        io_error(&error, message)
    })
}

/// Writes a small file of the configuration folder, which is made where it is missing. Renamed into place, so
/// that a crash leaves the old file or the new one.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let unfinished = file.with_extension("json.new");
    std::fs::write(&unfinished, bytes)?;
    std::fs::rename(unfinished, file)
}

/// The machine's own zone.
const LOCAL: &str = "local";

fn file(folder: &Path) -> PathBuf {
    folder.join("settings.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Theme;

    #[test]
    fn settings_come_back_as_they_were_kept() {
        let folder = tempfile::tempdir().unwrap();
        let chosen = Settings {
            zone: "Europe/Berlin".to_owned(),
            theme: Theme::Dark,
            purpose: "Ticket 4711".to_owned(),
            console: true,
            access_log: false,
        };
        write(folder.path(), &chosen).unwrap();
        assert_eq!(read(folder.path()), chosen);
    }

    #[test]
    fn a_zone_that_nobody_knows_is_refused_and_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let chosen = Settings {
            zone: "Mars/Olympus".to_owned(),
            ..Settings::default()
        };
        let error = write(folder.path(), &chosen).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadInput);
        assert_eq!(read(folder.path()), Settings::default());
    }

    #[test]
    fn a_file_of_a_later_annals_or_a_spoilt_one_still_gives_settings() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), r#"{"theme":"light","sounds":true}"#).unwrap();
        assert_eq!(read(folder.path()).theme, Theme::Light);
        assert_eq!(read(folder.path()).zone, "UTC");
        std::fs::write(file(folder.path()), "{").unwrap();
        assert_eq!(read(folder.path()), Settings::default());
    }
}
