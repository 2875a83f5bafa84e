//! `annals import --explain`: how files would be read, and what becomes of their first records.

use annals_core::import::{
    ColumnKind, ColumnView, FilePreview, Format, Mapping, Presets, PreviewRequest, RecordPreview,
    preview, save_preset,
};
use annals_core::surroundings::Surroundings;

use super::{Import, coverage_text, mapping, read_as};
use crate::commands::print_findings;
use crate::failure::{Exit, Failure};
use crate::output::{Output, complain};
use crate::table::pairs;
use crate::text::{MAX_DATA_COLUMNS, cut, visible};

/// Records of a file that are looked at.
const RECORDS: usize = 50;
/// Records of a file that are printed.
const SHOWN: usize = 5;

/// Looks at the files and stores nothing.
pub fn run(
    args: Import,
    format: Format,
    presets: Presets,
    mapping: Option<Mapping>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let request = PreviewRequest {
        paths: args.paths,
        format,
        encoding: args.encoding,
        category: args.category,
        zone: args.zone,
        mapping,
        presets,
        records: RECORDS,
    };
    let surroundings = Surroundings::system();
    let view = preview(&request, &surroundings)?;
    if let (Some(name), Some(store)) = (&args.save_preset, &args.beside) {
        let saved = save_preset(store, name, "", &request, false, &surroundings)?;
        complain(&visible(&format!(
            "preset {} kept as {}; its records are known by {}",
            saved.name,
            saved.file,
            saved.has.join(", ")
        )));
    }
    if let Some(file) = &args.save_map {
        let mappings = view.files.iter().filter_map(|f| f.mapping.as_ref());
        mapping::save(mappings, file)?;
    }
    output.show(&view, |output| {
        for (i, file) in view.files.iter().enumerate() {
            if i > 0 {
                output.line("")?;
            }
            print(file, output)?;
        }
        Ok(())
    })?;
    let is_fine = |file: &FilePreview| file.error.is_none() && file.problems.is_empty();
    Ok(if view.files.iter().all(is_fine) {
        Exit::Done
    } else {
        Exit::Problems
    })
}

fn print(file: &FilePreview, output: &mut Output) -> Result<(), Failure> {
    let FilePreview {
        file: name,
        bytes,
        format,
        compression: _,
        encoding,
        why,
        preset,
        order,
        error,
        mapping: _,
        mapping_toml,
        mapping_sha256: _,
        guesses,
        problems,
        columns,
        records,
        complete,
        coverage,
        findings,
    } = file;
    if why.is_empty() {
        output.line(&visible(&format!("{name}: not read")))?;
    } else {
        output.line(&visible(&format!(
            "{name}: {bytes} bytes, read as {} in {} ({why})",
            read_as(*format, preset.as_deref()),
            encoding.name()
        )))?;
    }
    if let Some(coverage) = coverage {
        output.line(&coverage_text(*order, coverage))?;
    }
    for guess in guesses {
        output.line(&visible(&format!("  {guess}")))?;
    }
    if !columns.is_empty() {
        output.line("")?;
        output.line("columns")?;
        let named: Vec<(String, String)> = columns
            .iter()
            .map(|c| (visible(&c.name), about(c)))
            .collect();
        let rows: Vec<(&str, String)> = named
            .iter()
            .map(|(name, about)| (name.as_str(), about.clone()))
            .collect();
        for line in pairs(&rows) {
            output.line(&format!("  {line}"))?;
        }
    }
    if let Some(toml) = mapping_toml {
        output.line("")?;
        output.line("mapping")?;
        for line in toml.lines().filter(|line| !line.is_empty()) {
            output.line(&format!("  {}", visible(line)))?;
        }
    }
    if !records.is_empty() {
        output.line("")?;
        let extent = if *complete { "all" } else { "the first" };
        output.line(&format!(
            "{} of {extent} {} records looked at",
            records.len().min(SHOWN),
            records.len()
        ))?;
        for record in records.iter().take(SHOWN) {
            output.line(&described(record))?;
        }
        let refused: Vec<_> = records
            .iter()
            .skip(SHOWN)
            .filter(|r| r.reason.is_some())
            .collect();
        for record in refused.iter().take(SHOWN) {
            output.line(&described(record))?;
        }
    }
    print_findings(findings, output)?;
    for problem in problems.iter().chain(error) {
        output.line("")?;
        output.line(&visible(&format!("problem: {problem}")))?;
    }
    Ok(())
}

fn about(column: &ColumnView) -> String {
    let kind = match column.kind {
        ColumnKind::Text => "text",
        ColumnKind::Number => "number",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Json => "json",
    };
    let places = match &column.places[..] {
        [] => String::new(),
        places => format!(", {}", places.join(" and ")),
    };
    let samples: Vec<String> = column
        .samples
        .iter()
        .map(|s| cut(&visible(s), 24))
        .collect();
    format!("{kind}{places}: {}", samples.join(" | "))
}

fn described(record: &RecordPreview) -> String {
    let RecordPreview {
        line,
        text,
        cells: _,
        cut: is_cut,
        event,
        reason,
    } = record;
    let Some(event) = event else {
        let reason = reason.as_deref().unwrap_or("no event");
        let text = cut(&visible(text), MAX_DATA_COLUMNS);
        return format!("  line {line}: rejected: {}\n    {text}", visible(reason));
    };
    let time = event.time.map_or("no time".to_owned(), |t| t.to_string());
    let actor = event
        .actor
        .as_deref()
        .map_or(String::new(), |actor| format!(" by {actor}"));
    let head = visible(&format!(
        "  line {line}: {} {} {time}{actor}{}",
        event.stream,
        event.event_type,
        if *is_cut || event.cut {
            " (shown in part)"
        } else {
            ""
        }
    ));
    format!(
        "{head}\n    {}",
        cut(&visible(event.data.get()), MAX_DATA_COLUMNS)
    )
}
