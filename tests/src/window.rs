//! The real window of the app, on a virtual display, driven as a user would: by what is on screen.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::display::Display;
use crate::webdriver::{DriverError, Element, Session, is_gone};

/// Longest wait for something to come up on screen. Long, because test machines are busy; nothing waits
/// longer than it must.
const PATIENCE: Duration = Duration::from_secs(30);

/// The app in its window, with a home folder of its own. Ends when dropped.
#[derive(Debug)]
pub struct Window {
    /// The driver's session.
    pub session: Session,
    display: Display,
}

impl Window {
    /// Starts the app. `home` becomes the user's home folder, so that nothing of the real one is touched.
    ///
    /// # Errors
    /// If a program is missing or the app shows no window.
    pub fn open(app: &Path, home: &Path, arguments: &[&str]) -> Outcome<Window> {
        if !app.is_file() {
            let hint = "build it first: cargo build -p annals-desktop (cargo xtask test does)";
            return Err(format!("there is no {}; {hint}", app.display()).into());
        }
        let display = Display::start()?;
        let home = home.to_str().ok_or("the home folder's path is UTF-8")?;
        let config = format!("{home}/config");
        let environment = [
            ("DISPLAY", display.name()),
            ("GDK_BACKEND", "x11"),
            ("HOME", home),
            ("XDG_CONFIG_HOME", &config),
            ("XDG_DATA_HOME", &format!("{home}/data")),
            ("XDG_CACHE_HOME", &format!("{home}/cache")),
            ("ANNALS_CONFIG_DIR", &config),
            ("NO_AT_BRIDGE", "1"),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
        ];
        let session = Session::start(app, arguments, &environment)?;
        Ok(Window { session, display })
    }

    /// Name of the display that it is on: `:99`.
    #[must_use]
    pub fn display(&self) -> &str {
        self.display.name()
    }

    /// Waits until something is there and hands it over. `what` says it for the error.
    ///
    /// # Errors
    /// If it does not come; the error says what the window shows instead.
    pub fn wait_for<T>(
        &self,
        what: &str,
        look: impl Fn(&Session) -> Outcome<Option<T>>,
    ) -> Outcome<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match look(&self.session) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                // The page has drawn itself anew between finding an element and looking at it.
                Err(error) if is_gone(&*error) => {}
                Err(error) => return Err(format!("waiting for {what}: {error}").into()),
            }
            if Instant::now() > deadline {
                let shown = self.session.run("return document.body.innerText", &[])?;
                let shown = shown.as_str().unwrap_or_default().to_owned();
                return Err(format!("no {what}; the window shows:\n{shown}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The element with a `data-testid`, once it is there. More may follow: `stream-row[data-stream="a"]`.
    ///
    /// # Errors
    /// If it does not come.
    pub fn get(&self, test_id: &str) -> Outcome<Element> {
        let selector = selector(test_id);
        self.wait_for(test_id, |session| session.find(&selector))
    }

    /// Clicks the element with a `data-testid`, once it is there and takes a click.
    ///
    /// # Errors
    /// If it does not come.
    pub fn click(&self, test_id: &str) -> Outcome {
        let selector = selector(test_id);
        self.wait_for(test_id, |session| match session.find(&selector)? {
            None => Ok(None),
            Some(element) => match session.click(&element) {
                Ok(()) => Ok(Some(())),
                Err(error) if is_not_yet_clickable(&*error) => Ok(None),
                Err(error) => Err(error),
            },
        })
    }

    /// Puts text into the field with a `data-testid`, in place of what is there.
    ///
    /// # Errors
    /// If there is no such field, or it never takes keys.
    pub fn fill(&self, test_id: &str, text: &str) -> Outcome {
        let selector = selector(test_id);
        // Cleared anew at every attempt, so that a field drawn again half way holds the text once.
        self.wait_for(test_id, |session| {
            let Some(field) = session.find(&selector)? else {
                return Ok(None);
            };
            let filled = session
                .clear(&field)
                .and_then(|()| session.type_into(&field, text));
            match filled {
                Ok(()) => Ok(Some(())),
                Err(error) if is_not_yet_clickable(&*error) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// Text of the element with a `data-testid`, once `wanted` is true of it. White space is one space each.
    ///
    /// # Errors
    /// If it never is.
    pub fn text_when(&self, test_id: &str, wanted: impl Fn(&str) -> bool) -> Outcome<String> {
        let selector = selector(test_id);
        self.wait_for(&format!("{test_id} with the text wanted"), |session| {
            let Some(element) = session.find(&selector)? else {
                return Ok(None);
            };
            let text = session.text(&element)?;
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Ok(wanted(&text).then_some(text))
        })
    }

    /// Waits until just so many elements have a `data-testid`.
    ///
    /// # Errors
    /// If it is never so many.
    pub fn count_is(&self, test_id: &str, wanted: usize) -> Outcome {
        let selector = selector(test_id);
        self.wait_for(&format!("{wanted} times {test_id}"), |session| {
            Ok((session.find_all(&selector)?.len() == wanted).then_some(()))
        })
    }

    /// Middle of the element with a `data-testid` in the window, in CSS pixels, once it is there.
    ///
    /// # Errors
    /// If it does not come.
    pub fn middle(&self, test_id: &str) -> Outcome<(f64, f64)> {
        let selector = selector(test_id);
        self.wait_for(test_id, |session| match session.find(&selector)? {
            None => Ok(None),
            Some(element) => session.middle(&element).map(Some),
        })
    }

    /// Goes to an address of the app: `#/streams`.
    ///
    /// # Errors
    /// If the page does not answer.
    pub fn go(&self, hash: &str) -> Outcome {
        self.session
            .run("location.hash = arguments[0]", &[hash.into()])?;
        Ok(())
    }

    /// The as-of that the address holds; empty when live. The address follows the cursor a moment later, so
    /// this waits until it has come to rest.
    ///
    /// # Errors
    /// If the page does not answer.
    pub fn as_of(&self) -> Outcome<String> {
        let settled = "const done = arguments[0]; let last = null; let since = 0; const look = () => { \
            if (location.hash === last) { if (performance.now() - since > 400) return done(new URLSearchParams(last.split('?')[1] ?? '').get('at') ?? ''); } \
            else { last = location.hash; since = performance.now(); } \
            setTimeout(look, 20); }; look()";
        let at = self.session.run_async(settled, &[])?;
        Ok(at.as_str().unwrap_or_default().to_owned())
    }

    /// A computed style of the element with a `data-testid`.
    ///
    /// # Errors
    /// If it is not there.
    pub fn style(&self, test_id: &str, property: &str) -> Outcome<String> {
        let script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]";
        let arguments = [selector(test_id).into(), property.into()];
        let value = self.session.run(script, &arguments)?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Left end and height of the middle of an element inside the one with a `data-testid`, in CSS pixels.
    ///
    /// # Errors
    /// If it is not there.
    pub fn left_of(&self, test_id: &str, inside: &str) -> Outcome<(f64, f64)> {
        let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect(); \
            return [box.left, box.top + box.height / 2]";
        let whole = format!("{} {inside}", selector(test_id));
        let place = self.session.run(script, &[whole.into()])?;
        match (place[0].as_f64(), place[1].as_f64()) {
            (Some(x), Some(y)) => Ok((x, y)),
            _ => Err(format!("{test_id} has no place: {place}").into()),
        }
    }

    /// Saves what the window shows.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_screenshot(&self, file: &Path) -> Outcome {
        std::fs::write(file, self.session.screenshot()?)?;
        Ok(())
    }
}

/// Path of a program of this project, beside the test that asks: `ANNALS_BIN_DIR` names another folder.
///
/// # Errors
/// If this program's own path is not known.
pub fn program(name: &str) -> Outcome<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    if let Some(folder) = std::env::var_os("ANNALS_BIN_DIR") {
        return Ok(PathBuf::from(folder).join(file));
    }
    let here = std::env::current_exe()?;
    let folder = here.parent().ok_or("a program lies in a folder")?;
    // Tests lie one folder deeper, in deps/.
    let folder = match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().ok_or("deps/ lies in a folder")?,
        _ => folder,
    };
    Ok(folder.join(file))
}

/// `start-sample` and `stream-row[data-stream="a"]` as CSS.
fn selector(test_id: &str) -> String {
    let (id, rest) = test_id.split_at(test_id.find(['[', ' ']).unwrap_or(test_id.len()));
    format!("[data-testid=\"{id}\"]{rest}")
}

fn is_not_yet_clickable(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<DriverError>().is_some_and(|e| {
        e.error == "element click intercepted" || e.error == "element not interactable"
    })
}

#[cfg(test)]
mod tests {
    use super::selector;

    #[test]
    fn a_test_id_may_carry_more_conditions() {
        assert_eq!(selector("start-sample"), r#"[data-testid="start-sample"]"#);
        assert_eq!(
            selector(r#"stream-row[data-stream="a"]"#),
            r#"[data-testid="stream-row"][data-stream="a"]"#
        );
    }
}
