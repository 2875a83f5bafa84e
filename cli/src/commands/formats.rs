//! `annals formats`: what can be imported, and on whose word.

use annals_core::import::{FormatRow, Presets, ReadBy, SourceOrder, Tested, formats};
use annals_core::surroundings::data_folder;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::visible;

/// List the formats that can be imported, with their specifications
///
/// Presets of your own are TOML files in the folder presets of the data folder (see docs/presets.md).
#[derive(Debug, clap::Args)]
pub struct Formats {}

/// Runs the command.
pub fn run(args: Formats, output: &mut Output) -> Result<Exit, Failure> {
    let Formats {} = args;
    let presets = Presets::find(data_folder().as_deref(), None)?;
    let view = formats(&presets.own);
    output.show(&view, |output| {
        for format in &view.formats {
            print(format, output)?;
        }
        Ok(())
    })
}

fn print(format: &FormatRow, output: &mut Output) -> Result<(), Failure> {
    let FormatRow {
        name,
        title,
        specification,
        tested,
        order,
        read_by,
        note,
    } = format;
    let tested = match tested {
        Tested::RealData => "tested on real data",
        Tested::Specification => "tested on examples from its specification only",
    };
    let order = match order {
        SourceOrder::Total => "one order of all events",
        SourceOrder::PerStream => "ordered in each stream",
        SourceOrder::PerPartition => "ordered in each partition",
        SourceOrder::Unknown => "the order says nothing; events of a stream are sorted by time",
    };
    let read_by = match read_by {
        ReadBy::Code => "",
        ReadBy::Preset => ", a preset",
        ReadBy::OwnPreset => ", a preset of your own",
    };
    output.line(&visible(&format!("{name}  {title}{read_by}")))?;
    output.line(&visible(&format!("    {tested}; {order}")))?;
    output.line(&visible(&format!("    {specification}")))?;
    if !note.is_empty() {
        output.line(&visible(&format!("    {note}")))?;
    }
    Ok(())
}
