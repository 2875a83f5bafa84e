//! The guide's sample in a real window, and the command line as second opinion.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Outcome;
use crate::window::{Window, program};

/// Where the first view shows the balance of the guide's account.
pub const BALANCE: &str = r#"state-value[data-path="balance"]"#;

/// A window on the guide's sample, in a home of its own.
#[derive(Debug)]
pub struct Sample {
    /// The window.
    pub window: Window,
    /// The store that it shows.
    pub store: PathBuf,
    /// The home folder; gone when this is dropped.
    pub home: tempfile::TempDir,
}

impl Sample {
    /// Opens the sample the way a newcomer does: by the button of the first page.
    ///
    /// # Errors
    /// If the window does not open or shows another balance than the guide.
    pub fn open() -> Outcome<Sample> {
        let home = tempfile::tempdir()?;
        let window = Window::open(&program("annals-desktop")?, home.path(), &[])?;
        window.click("start-sample")?;
        // The first view is the account of the guide, whose balance is known.
        window.text_when(BALANCE, |shown| shown.contains("1247.83"))?;
        let store = home.path().join("Annals/guide.annals");
        if !store.is_file() {
            return Err(format!("the sample does not lie at {}", store.display()).into());
        }
        Ok(Sample {
            window,
            store,
            home,
        })
    }
}

/// What the command line answers as JSON; exit code 3, problems found, is an answer too.
///
/// # Errors
/// If it fails.
pub fn annals(arguments: &[&str]) -> Outcome<Value> {
    // These looks are no person's: they leave no entry in the home of whoever runs the tests.
    let output = Command::new(program("annals")?)
        .args(arguments)
        .arg("--no-access-log")
        .output()?;
    if !matches!(output.status.code(), Some(0 | 3)) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("annals {arguments:?}: {said}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A path as text.
///
/// # Panics
/// If it is not UTF-8, which paths of these tests are.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of these tests are UTF-8")
}

/// The text of a number in an answer, digit for digit.
#[must_use]
pub fn digits(value: &Value) -> String {
    value.to_string().trim_matches('"').to_owned()
}
