//! `annals imports`: what was imported into a store, and when.

use std::path::PathBuf;

use annals_core::store::{ImportRow, ImportsView, Log};

use super::import::holds_text;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::{counted, visible};

/// List the imports into a store, oldest first
#[derive(Debug, clap::Args)]
pub struct Imports {
    /// The store
    store: PathBuf,
}

/// Runs the command.
pub fn run(args: Imports, output: &mut Output) -> Result<Exit, Failure> {
    let view = ImportsView {
        imports: Log::explore(&args.store)?.imports()?,
    };
    output.show(&view, |output| {
        if view.imports.is_empty() {
            return output.line("no imports are on record");
        }
        for (i, import) in view.imports.iter().enumerate() {
            if i > 0 {
                output.line("")?;
            }
            print(import, output)?;
        }
        Ok(())
    })
}

fn print(import: &ImportRow, output: &mut Output) -> Result<(), Failure> {
    let ImportRow {
        number,
        recorded_at,
        read,
        stored,
        duplicates,
        rejected,
        first,
        last,
        files,
    } = import;
    let positions = match (first, last) {
        (Some(first), Some(last)) => format!(", positions {first} to {last}"),
        _ => String::new(),
    };
    output.line(&format!(
        "{number}  {recorded_at}  {read} read, {stored} stored, {duplicates} duplicates, {rejected} rejected{positions}"
    ))?;
    for file in files {
        let mapping = file.mapping_sha256.as_ref();
        let mapping = mapping.map_or(String::new(), |hash| format!(", mapping {hash}"));
        output.line(&format!(
            "   {}: {} bytes, {}, {}{mapping}",
            visible(&file.name),
            file.bytes,
            file.format,
            counted(file.read, "record")
        ))?;
        output.line(&format!("   sha256 {}", file.sha256))?;
        if let Some(holds) = file.coverage.as_ref().and_then(holds_text) {
            output.line(&format!("   {holds}"))?;
        }
    }
    Ok(())
}
