//! A virtual display: an X server without a screen.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// An Xvfb of our own. Ends when dropped.
#[derive(Debug)]
pub struct Display {
    name: String,
    server: Child,
}

impl Display {
    /// Starts one on a number that is free, and waits until it takes clients.
    ///
    /// # Errors
    /// If Xvfb is not there or does not start.
    pub fn start() -> Outcome<Display> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1440x900x24"])
            .args(["-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Xvfb could not be started: {error}"))?;
        // It prints its number when it is ready.
        let mut number = String::new();
        let output = server.stdout.as_mut().expect("its output is piped");
        BufReader::new(output).read_line(&mut number)?;
        let number = number.trim();
        if number.is_empty() {
            let _ = server.kill();
            return Err(format!("Xvfb ended at once: {}", server.wait()?).into());
        }
        let name = format!(":{number}");
        Ok(Display { name, server })
    }

    /// What `DISPLAY` must say: `:99`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        terminate(&mut self.server);
    }
}

/// Ends a program so that it can clean up after itself (WebKitWebDriver ends its browser only then).
pub(crate) fn terminate(child: &mut Child) {
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    if !asked.is_ok_and(|status| status.success()) {
        let _ = child.kill();
    }
    let _ = child.wait();
}
