//! `annals dashboard`: the dashboards beside a store, as of any instant.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use annals_core::answers::Asker;
use annals_core::chart::{INK, Look, PAPER, Palette, Plot, PlotRow};
use annals_core::dashboard::{
    self, BehindPlace, BehindView, DashboardRow, DashboardSet, DashboardView, DashboardsView,
    PanelView, SourceKind, SourceView,
};
use annals_core::model::FieldPath;
use annals_core::projection::{ProjectionSet, Projections};
use annals_core::question::IntervalIndex;
use annals_core::store::Log;
use annals_core::surroundings::Surroundings;

use crate::commands::state::as_of_text;
use crate::commands::{load_models, print_findings};
use crate::failure::{Code, Exit, Failure};
use crate::found::cache_folder;
use crate::instant::{AsOfArgs, zone};
use crate::output::Output;
use crate::table::pairs;
use crate::text::{columns, counted, cut, visible};
use crate::watch;

/// Widest cell of a table, in columns of the terminal.
const CELL_COLUMNS: usize = 48;

/// Show a dashboard now or as of an instant; without a name, list the dashboards beside a store.
#[derive(Debug, clap::Args)]
pub struct DashboardArgs {
    /// The store
    store: PathBuf,
    /// Name of the dashboard: X.annals.d/dashboards/NAME.toml
    name: Option<String>,
    #[command(flatten)]
    as_of: AsOfArgs,
    /// Show the events behind a row of this panel, first is 1
    #[arg(long, value_name = "P", requires = "row", conflicts_with = "out")]
    panel: Option<usize>,
    /// The row of the panel, first is 1
    #[arg(long, value_name = "R", requires = "panel")]
    row: Option<usize>,
    /// Write it to this file: .svg and .png the picture, .csv every cell
    #[arg(long, value_name = "FILE", requires = "name")]
    out: Option<PathBuf>,
    /// Colours of the picture
    #[arg(long, value_enum, default_value = "light", requires = "out")]
    theme: Theme,
    /// Width of a panel in the picture, in pixels; a full one is twice as wide
    #[arg(long, value_name = "PX", default_value_t = 560, requires = "out",
          value_parser = clap::value_parser!(u32).range(240..=2000))]
    width: u32,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Theme {
    /// Dark on white
    Light,
    /// Light on dark
    Dark,
}

impl Theme {
    /// Its colours.
    pub(super) fn palette(self) -> &'static Palette {
        match self {
            Theme::Light => &PAPER,
            Theme::Dark => &INK,
        }
    }
}

/// What `--out` asks for, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Svg,
    Png,
    Csv,
}

impl Form {
    pub(super) fn of(file: &Path) -> Result<Form, Failure> {
        let ending = file
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("svg") => Ok(Form::Svg),
            Some("png") => Ok(Form::Png),
            Some("csv") => Ok(Form::Csv),
            _ => Err(Failure::usage(format!(
                "--out: {} has no ending that says what to write",
                visible(&file.display().to_string())
            ))
            .hint("end its name with .svg or .png for the picture, .csv for every cell")),
        }
    }
}

/// Runs the command.
pub fn run(args: DashboardArgs, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let form = args.out.as_deref().map(Form::of).transpose()?;
    let log = Log::explore(&args.store)?;
    let set = DashboardSet::load(&args.store)?;
    let Some(name) = &args.name else {
        let view = set.view(&args.store);
        return output.show(&view, |output| print_list(&view, output));
    };
    let dashboard = set.get(name)?;
    // What is wrong with a projection stands on its panels.
    let (projections, _) = ProjectionSet::load(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let palette = args.theme.palette();
    let look = Look {
        palette,
        width_px: args.width,
    };
    let look = matches!(form, Some(Form::Svg | Form::Png)).then_some(&look);
    let models = Arc::new(load_models(&args.store)?);
    let clock = Surroundings::system().clock;
    let (mut view, behind) = watch::reading(&log, |log| {
        let cache = cache_folder();
        let kept = Projections::open(log, projections, cache.as_deref(), clock);
        let index = Arc::new(IntervalIndex::open(log, cache.as_deref()));
        let asker = Asker {
            store: &args.store,
            log,
            models: &models,
            index: Some(&index),
        };
        let view = dashboard::look_at_kept(&dashboard, &kept, &as_of, look, &asker)?;
        let behind = match (args.panel, args.row) {
            (Some(panel), Some(row)) => {
                let (source, document, path) = place_of(&view, panel, row)?;
                let place = BehindPlace {
                    kind: source.kind,
                    name: &source.name,
                    document: &document,
                    path: &path,
                    zone: zone(&view.zone).unwrap_or_default(),
                };
                let limit = dashboard::BEHIND;
                Some(dashboard::behind(&asker, &kept, &place, &as_of, limit)?)
            }
            _ => None,
        };
        Ok::<_, Failure>((view, behind))
    })?;
    if let Some(behind) = behind {
        return output.show(&behind, |output| print_behind(&behind, output));
    }
    view.reading = reading;
    if let (Some(file), Some(form)) = (&args.out, form) {
        let bytes = match form {
            Form::Svg => dashboard::svg(&view, palette, args.width).into_bytes(),
            Form::Png => annals_report::png(&dashboard::svg(&view, palette, args.width))
                .map_err(|error| Failure::new(Code::BadInput, error.to_string()))?,
            Form::Csv => dashboard::csv(&view).into_bytes(),
        };
        dashboard::write(&log, file, &bytes).map_err(|error| Failure::file(file, &error))?;
        for panel in &mut view.panels {
            panel.drawing = None;
        }
    }
    output.show(&view, |output| {
        print(&view, output)?;
        match &args.out {
            Some(file) => {
                output.line("")?;
                output.line(&visible(&format!("wrote {}", file.display())))
            }
            None => Ok(()),
        }
    })
}

/// Source, document and path of a row.
fn place_of(
    view: &DashboardView,
    panel: usize,
    row: usize,
) -> Result<(&SourceView, String, FieldPath), Failure> {
    let missing = |what: String| Failure::new(Code::NotFound, what);
    let Some(shown) = panel.checked_sub(1).and_then(|at| view.panels.get(at)) else {
        let count = view.panels.len();
        return Err(missing(format!(
            "there is no panel {panel}; the dashboard has {count}"
        )));
    };
    let rows = &shown.plot.rows;
    let Some(found) = row.checked_sub(1).and_then(|at| rows.get(at)) else {
        return Err(missing(format!(
            "there is no row {row}; the panel has {}",
            rows.len()
        )));
    };
    let Some(document) = &found.document else {
        return Err(missing(format!(
            "{} is of many documents: no one document stands behind it",
            found.label
        )));
    };
    let path = found
        .path
        .parse()
        .map_err(|error: annals_core::model::PathError| {
            Failure::new(Code::BadInput, error.to_string())
        })?;
    Ok((&view.sources[shown.source], document.clone(), path))
}

fn print_behind(view: &BehindView, output: &mut Output) -> Result<(), Failure> {
    let document = match view.kind {
        SourceKind::Projection => "document",
        SourceKind::Question | SourceKind::Query => "asked",
    };
    let mut rows = vec![
        (view.kind.name(), view.name.clone()),
        (document, view.document.clone()),
    ];
    if !view.path.is_empty() {
        rows.push(("path", view.path.clone()));
        rows.extend(
            view.value
                .as_ref()
                .map(|value| ("value", value.get().to_owned())),
        );
    }
    rows.push(("as of", as_of_text(&view.as_of)));
    for line in pairs(&rows) {
        output.line(&cut(&line, 200))?;
    }
    output.line("")?;
    let what = match (view.kind, view.changed) {
        (SourceKind::Question | SourceKind::Query, _) => "made it so",
        (SourceKind::Projection, true) => "changed it, newest first",
        (SourceKind::Projection, false) => "belong to the document, newest first",
    };
    output.line(&format!(
        "{} of {} {what}",
        view.events.len(),
        counted(view.events_count, "event")
    ))?;
    for event in &view.events {
        output.line(&visible(&format!(
            "  position {}, {}, {} of {}",
            event.position,
            event.time,
            event.event_type,
            event.stream.as_deref().unwrap_or("(erased)")
        )))?;
    }
    Ok(())
}

fn print_list(view: &DashboardsView, output: &mut Output) -> Result<(), Failure> {
    let DashboardsView {
        folder,
        dashboards,
        broken,
    } = view;
    if dashboards.is_empty() && broken.is_empty() {
        return output.line(&format!("no dashboard in {}", visible(folder)));
    }
    for DashboardRow {
        name,
        title,
        description,
        hash: _,
        panels,
        projections,
        questions,
        queries,
    } in dashboards
    {
        output.line(&visible(&format!("{name}: {title}")))?;
        if let Some(description) = description {
            output.line(&visible(&format!("  {description}")))?;
        }
        output.line(&visible(&format!(
            "  {} over {}",
            counted(*panels as u64, "panel"),
            [projections.as_slice(), questions, queries]
                .concat()
                .join(", ")
        )))?;
    }
    for fault in broken {
        output.line(&visible(&format!("left out: {fault}; {}", fault.hint)))?;
    }
    Ok(())
}

fn print(view: &DashboardView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![("dashboard", view.title.clone())];
    rows.extend(view.description.clone().map(|text| ("about", text)));
    rows.push(("as of", as_of_text(&view.as_of)));
    rows.extend(view.reading.clone().map(|reading| ("read as", reading)));
    rows.push(("zone", view.zone.clone()));
    for source in &view.sources {
        let what = match &source.document {
            None if source.kind != SourceKind::Projection => counted(source.documents_count, "row"),
            Some(document) => format!("document {document}"),
            None => counted(source.documents_count, "document"),
        };
        let strategy = source
            .strategy
            .map(|strategy| format!(", {}", strategy.name()));
        let position = source
            .position
            .map(|position| format!(", up to position {position}"));
        rows.push((
            "from",
            format!(
                "{} {}, {what}{}{}",
                source.kind.name(),
                source.name,
                strategy.unwrap_or_default(),
                position.unwrap_or_default()
            ),
        ));
    }
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    for panel in &view.panels {
        print_panel(panel, output)?;
    }
    for source in &view.sources {
        print_findings(&source.findings, output)?;
    }
    Ok(())
}

fn print_panel(panel: &PanelView, output: &mut Output) -> Result<(), Failure> {
    let PanelView {
        source: _,
        full: _,
        plot,
        empty,
        notes,
        drawing: _,
    } = panel;
    output.line("")?;
    output.line(&visible(&format!("{} ({})", plot.title, plot.kind.name())))?;
    match empty {
        Some(empty) => output.line(&visible(&format!("  {empty}")))?,
        None => print_rows(plot, output)?,
    }
    for note in notes {
        output.line(&visible(&format!("  note: {note}")))?;
    }
    Ok(())
}

/// The table twin.
fn print_rows(plot: &Plot, output: &mut Output) -> Result<(), Failure> {
    let times = plot.rows.iter().any(|row| row.to.is_some()) || plot.kind.name() == "timeline";
    let mut head = vec![plot.heading.clone()];
    head.extend(
        plot.series
            .iter()
            .map(|series| match series.unit.is_empty() {
                true => series.name.clone(),
                false => format!("{} ({})", series.name, series.unit),
            }),
    );
    if times {
        head.extend(["from".to_owned(), "to".to_owned()]);
    }
    let cells = |row: &PlotRow| {
        let mut line = vec![row.label.clone()];
        line.extend(row.cells.iter().map(annals_core::chart::PlotCell::shown));
        if times {
            let time = |time: Option<annals_core::time::Time>| {
                time.map_or_else(|| "–".to_owned(), |time| time.to_string())
            };
            line.extend([time(row.from), time(row.to)]);
        }
        line
    };
    let rows = plot.rows.iter().chain(&plot.rest);
    let lines: Vec<Vec<String>> = std::iter::once(head)
        .chain(rows.map(cells))
        .map(|line| {
            line.iter()
                .map(|cell| cut(&visible(cell), CELL_COLUMNS))
                .collect()
        })
        .collect();
    let numbers: Vec<bool> = (0..lines[0].len())
        .map(|at| {
            let cells = || {
                plot.rows
                    .iter()
                    .filter_map(|row| row.cells.get(at.wrapping_sub(1)))
            };
            cells().any(|cell| cell.number)
                && cells().all(|cell| cell.number || cell.text.is_none())
        })
        .collect();
    let width = |at: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(at))
            .map(|cell| columns(cell))
            .max()
    };
    for line in &lines {
        let mut text = " ".to_owned();
        for (at, cell) in line.iter().enumerate() {
            let gap = " ".repeat(width(at).unwrap_or(0).saturating_sub(columns(cell)));
            text.push(' ');
            match numbers[at] {
                true => text.extend([gap.as_str(), cell]),
                false => text.extend([cell, gap.as_str()]),
            }
            text.push(' ');
        }
        output.line(text.trim_end())?;
    }
    Ok(())
}
