//! From sheet to pages, and from pages to PDF or pictures.

use annals_core::compliance::{LayoutFile, Report, ReportError, ReportRows, TemplateError};
use annals_core::progress::WorkProgress;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst::layout::{Frame, FrameItem, Point};
use typst::model::Document;
use typst_layout::{Page, PagedDocument};
use typst_pdf::{PdfOptions as ExportOptions, PdfStandard, PdfStandards, Timestamp};

use crate::sheet::{Attached, PageSize, Sheet, sheet};
use crate::text::Ink;
use crate::world::Desk;
use crate::{Attachment, Error, PdfOptions};

const MAIN: &str = "report.typ";
/// Where a layout finds what it prints.
const SHEET: &str = "sheet.json";
const MARGINALS: &str = "marginals.typ";
const SECTIONS: &str = "/sections.typ";
/// The folder that a layout of the user's own lies in, with its files.
const OWN_FOLDER: &str = "own/";
const LAYOUTS: [(&str, &str); 4] = [
    ("kit.typ", include_str!("../layouts/kit.typ")),
    (MAIN, include_str!("../layouts/report.typ")),
    ("sections.typ", LAYOUT),
    (MARGINALS, include_str!("../layouts/marginals.typ")),
];

/// The layout that comes with Annals: what follows the first page, to begin one's own with.
pub const LAYOUT: &str = include_str!("../layouts/sections.typ");

/// How often pages are set anew with what came out without a glyph written out.
const ROUNDS_MAX: usize = 8;

/// Pages of a report, ready to be looked at.
pub struct Pages {
    document: PagedDocument,
}

impl Pages {
    /// Number of pages.
    #[must_use]
    pub fn count(&self) -> usize {
        self.document.pages().len()
    }

    /// A page as SVG, first is 0; letters are drawn, so that it looks the same anywhere.
    #[must_use]
    pub fn svg(&self, index: usize) -> Option<String> {
        let options = typst_svg::SvgOptions {
            render_bleed: false,
            pretty: false,
        };
        let page = self.document.pages().get(index)?;
        Some(typst_svg::svg(page, &options))
    }

    /// Width and height of a page in points, first is 0.
    #[must_use]
    pub fn size_pt(&self, index: usize) -> Option<(f64, f64)> {
        let size = self.document.pages().get(index)?.frame.size();
        Some((size.x.to_pt(), size.y.to_pt()))
    }
}

/// Sets the pages of a report.
///
/// # Errors
/// [`Error::Report`] if its rows cannot be read or the user cancelled.
pub fn pages(
    report: &Report,
    rows: &ReportRows,
    options: &PdfOptions,
    progress: &WorkProgress,
) -> Result<Pages, Error> {
    let (document, _) = set(report, rows, Vec::new(), options, progress)?;
    Ok(Pages { document })
}

/// Typesets a report as PDF/A-3a and PDF/UA-1 with its attachments. The progress counts printed rows.
///
/// # Errors
/// [`Error::Report`] if its rows cannot be read or the user cancelled.
pub fn pdf(
    report: &Report,
    rows: &ReportRows,
    attachments: Vec<Attachment>,
    options: &PdfOptions,
    progress: &WorkProgress,
) -> Result<Vec<u8>, Error> {
    let (document, desk) = set(report, rows, attachments, options, progress)?;
    not_cancelled(progress)?;
    let standards = standards()?;
    let export = ExportOptions {
        ident: Smart::Custom(report.hash().to_string()),
        creator: Smart::Custom(Some(format!("Annals {}", report.first_page.annals))),
        timestamp: Some(dated(report)),
        standards,
        ..ExportOptions::default()
    };
    let bytes = typst_pdf::pdf(&document, &export);
    let bytes = bytes.map_err(|errors| refused(&desk, &options.layout, &errors))?;
    typst::comemo::evict(0);
    not_cancelled(progress)?;
    Ok(bytes)
}

/// Tries a layout of the user's own on a report with one piece of every kind, down to the PDF.
///
/// # Errors
/// [`Error::Layout`] with the place of the first fault.
pub fn check_layout(layout: &[LayoutFile]) -> Result<(), Error> {
    let mut desk = Desk::new(MAIN, &LAYOUTS);
    let Some(own) = put_layout(&mut desk, layout) else {
        return Ok(());
    };
    let (mut sheet, (name, picture)) = Sheet::example();
    sheet.set_by(&own);
    desk.put(SHEET, written(&sheet)?);
    desk.put(&name, picture.into_bytes());
    let document = desk.compile();
    let document = document.map_err(|errors| refused(&desk, layout, &errors))?;
    let export = ExportOptions {
        ident: Smart::Custom("example".to_owned()),
        timestamp: Some(Timestamp::new_utc(first_day())),
        standards: standards()?,
        ..ExportOptions::default()
    };
    let bytes = typst_pdf::pdf(&document, &export);
    bytes.map_err(|errors| refused(&desk, layout, &errors))?;
    typst::comemo::evict(0);
    Ok(())
}

fn standards() -> Result<PdfStandards, Error> {
    PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1])
        .map_err(|error| Error::Typeset(error.message().to_string()))
}

/// Lays the layout that the report names on the desk; gives the typesetter's name of it.
fn take_layout(
    desk: &mut Desk,
    report: &Report,
    layout: &[LayoutFile],
) -> Result<Option<String>, Error> {
    let named = report.template.own_layout.as_deref().unwrap_or_default();
    if !named
        .iter()
        .cloned()
        .eq(layout.iter().map(LayoutFile::reference))
    {
        let other = "the layout at hand is not the one that the report names";
        return Err(Error::Typeset(other.to_owned()));
    }
    Ok(put_layout(desk, layout))
}

fn put_layout(desk: &mut Desk, layout: &[LayoutFile]) -> Option<String> {
    for LayoutFile { name, bytes } in layout {
        desk.put(&format!("{OWN_FOLDER}{name}"), bytes.clone());
    }
    let main = layout.first()?;
    Some(format!("/{OWN_FOLDER}{}", main.name))
}

/// The first day that archives of files know.
fn first_day() -> Datetime {
    let day = Datetime::from_ymd_hms(1980, 1, 1, 0, 0, 0);
    day.expect("the first of January 1980 is a day")
}

/// The date that an archive asks for: when the report was made; else when its log took its last event, so that the same
/// question gives the same bytes; else the first day that archives of files know.
fn dated(report: &Report) -> Timestamp {
    let page = &report.first_page;
    let time = page.made_at.or(page.source.last_recorded_at);
    let text = time.map(|time| time.to_string()).unwrap_or_default();
    let mut parts = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse::<u16>().ok());
    let year = parts.next().map(i32::from);
    let mut small = || parts.next().and_then(|part| u8::try_from(part).ok());
    let stated = (year, small(), small(), small(), small(), small());
    let (year, month, day, hour, minute, second) = match stated {
        (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) => {
            (year, month, day, hour, minute, second)
        }
        _ => (1980, 1, 1, 0, 0, 0),
    };
    let date = Datetime::from_ymd_hms(year, month, day, hour, minute, second);
    Timestamp::new_utc(date.unwrap_or_else(first_day))
}

/// Sets pages until every character on them has a glyph.
fn set(
    report: &Report,
    rows: &ReportRows,
    attachments: Vec<Attachment>,
    options: &PdfOptions,
    progress: &WorkProgress,
) -> Result<(PagedDocument, Desk), Error> {
    let mut ink = Ink::default();
    let mut desk = Desk::new(MAIN, &LAYOUTS);
    let own = take_layout(&mut desk, report, &options.layout)?;
    let mut attached = Vec::new();
    for file in attachments {
        attached.push(Attached::of(&file, &ink));
        desk.put(&file.name, file.bytes);
    }
    for _ in 0..ROUNDS_MAX {
        progress.expect(options.printed(report));
        let (mut sheet, pictures) = sheet(report, rows, &attached, options, &ink, progress)?;
        sheet.set_by(own.as_deref().unwrap_or(SECTIONS));
        desk.turn_to(MAIN);
        desk.put(SHEET, written(&sheet)?);
        let sheet = sheet.marginals(Vec::new());
        for (name, picture) in pictures {
            desk.put(&name, picture.into_bytes());
        }
        not_cancelled(progress)?;
        let document = desk.compile();
        let document = document.map_err(|errors| refused(&desk, &options.layout, &errors))?;
        not_cancelled(progress)?;
        let sheet = sheet.marginals(document.pages().iter().map(size).collect());
        desk.turn_to(MARGINALS);
        desk.put(SHEET, written(&sheet)?);
        let marginals = desk.compile();
        let marginals = marginals.map_err(|errors| refused(&desk, &[], &errors))?;
        let document = laid_over(document, &marginals);
        let mut new = false;
        for page in document.pages() {
            unset(&page.frame, &mut |sequence| new |= ink.write_out(sequence));
        }
        if !new {
            return Ok((document, desk));
        }
    }
    Err(Error::Typeset("some characters have no glyph".to_owned()))
}

fn written(sheet: &Sheet) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(sheet).map_err(|error| Error::Typeset(error.to_string()))
}

fn size(page: &Page) -> PageSize {
    let size = page.frame.size();
    PageSize {
        width_pt: size.x.to_pt().to_string(),
        height_pt: size.y.to_pt().to_string(),
    }
}

/// The pages with what belongs on top of each.
fn laid_over(document: PagedDocument, over: &PagedDocument) -> PagedDocument {
    let pages = document.pages().iter().zip(over.pages());
    let pages = pages.map(|(page, over)| {
        let mut page = page.clone();
        page.frame.push_frame(Point::zero(), over.frame.clone());
        page
    });
    PagedDocument::new(pages.collect(), document.info().clone())
}

/// Calls `each` with every sequence of a frame that came out without a glyph.
fn unset(frame: &Frame, each: &mut dyn FnMut(&str)) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => unset(&group.frame, each),
            FrameItem::Text(text) => {
                for glyph in text.glyphs.iter().filter(|glyph| glyph.id == 0) {
                    if let Some(sequence) = text.text.get(glyph.range()) {
                        each(sequence);
                    }
                }
            }
            FrameItem::Shape(..)
            | FrameItem::Image(..)
            | FrameItem::Link(..)
            | FrameItem::Tag(_) => {}
        }
    }
}

fn not_cancelled(progress: &WorkProgress) -> Result<(), ReportError> {
    match progress.is_cancelled() {
        true => Err(ReportError::Cancelled),
        false => Ok(()),
    }
}

/// What the typesetter refused: a fault of the layout, where the user's own is the cause.
fn refused(desk: &Desk, layout: &[LayoutFile], errors: &[SourceDiagnostic]) -> Error {
    if let (Some(main), Some(error)) = (layout.first(), errors.first()) {
        let hints: Vec<&str> = error.hints.iter().map(|hint| hint.v.as_str()).collect();
        // The place itself, or the innermost call in the user's files that led to it.
        let calls = error.trace.iter().map(|point| point.span.into());
        let place = std::iter::once(error.span)
            .chain(calls)
            .find_map(|span| desk.place(span, OWN_FOLDER));
        let (name, line, column) = place.unwrap_or_else(|| (main.name.clone(), 1, 1));
        return Error::Layout(TemplateError {
            name,
            line,
            column,
            message: error.message.to_string(),
            hint: match hints.is_empty() {
                true => "docs/reports.md says what a layout may use".to_owned(),
                false => hints.join("; "),
            },
        });
    }
    let told: Vec<String> = errors
        .iter()
        .map(|error| {
            let hints = error.hints.iter().map(|hint| format!("; {}", hint.v));
            format!("{}{}", error.message, hints.collect::<String>())
        })
        .collect();
    Error::Typeset(told.join(". "))
}
