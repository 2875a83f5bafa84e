//! Where answers go: one JSON document, or lines for a person.

use std::io::{BufWriter, Write};

use annals_core::access_log::AccessState;
use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::table::Table;

/// Standard output, buffered, and which of the two forms was asked for.
pub struct Output {
    /// Where this command stands in the store's access log, for what prints it.
    pub access: AccessState,
    /// Why the user looks, for what prints it.
    pub purpose: Option<String>,
    json: bool,
    out: BufWriter<std::io::Stdout>,
}

impl Output {
    /// Writes to standard output.
    pub fn stdout(json: bool) -> Output {
        Output {
            access: AccessState::Off,
            purpose: None,
            json,
            out: BufWriter::with_capacity(1 << 16, std::io::stdout()),
        }
    }

    /// Whether one JSON document was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the view as one JSON document if that was asked for, else what `human` prints.
    pub fn show<T: Serialize>(
        &mut self,
        view: &T,
        human: impl FnOnce(&mut Output) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        if self.json {
            serde_json::to_writer(&mut self.out, view).map_err(std::io::Error::from)?;
            self.line("")?;
        } else {
            human(self)?;
        }
        Ok(Exit::Done)
    }

    /// Prints one line. The text must be [`crate::text::visible`] already where it holds data.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Prints a table.
    pub fn table(&mut self, table: &Table) -> Result<(), Failure> {
        table.lines().iter().try_for_each(|line| self.line(line))
    }

    /// The stream itself, for an export that goes to standard output.
    pub fn raw(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Writes out what is buffered.
    pub fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

/// Writes one line to standard error; there is nobody to tell if that fails.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
