//! Typesets a report of annals-core as one file that is PDF/A-3a and PDF/UA-1; draws pictures of core as PNG.
//!
//! | module | what it holds |
//! |---|---|
//! | `sheet`, `facts` | the report as texts ready for paper |
//! | `columns` | widths of columns, and which way the paper lies |
//! | `text` | what hides or has no glyph is written out; long words are broken |
//! | `fonts`, `world` | the bundled fonts; what the typesetter may read |
//! | `write` | the PDF as a file, with the rows and the question inside |
//! | `picture` | pictures of core as PNG |
//! | `typeset` | pages, checked glyph by glyph; PDF and pictures of them |
//!
//! The layouts are Typst files in `report/layouts`. Everything is handed in: the same report gives the same bytes.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod columns;
mod facts;
mod fonts;
mod picture;
mod sheet;
mod text;
mod typeset;
mod world;
mod write;

pub use picture::{PictureError, png};
pub use typeset::{LAYOUT, Pages, check_layout, pages, pdf};
pub use write::{Form, evidence, package_files, write, write_pdf};

use annals_core::compliance::{Block, LayoutFile, Report, ReportError, TemplateError};

/// A file inside the PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Name, without a folder. The typesetter keeps every name for good, so they are of a small set.
    pub name: String,
    /// Media type: `text/csv`.
    pub mime: &'static str,
    /// What it holds, in a few words.
    pub description: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How a report is typeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdfOptions {
    /// Rows printed, of all tables together; the first page says what is left out, and the attachments hold all.
    pub rows_max: u64,
    /// Cells printed, of all tables together: what typesetting costs grows with them, so of wide tables fewer rows are
    /// printed.
    pub cells_max: u64,
    /// Exceptions printed of the list of each; they are summed up above it.
    pub exceptions_max: u64,
    /// Rows printed of any one table.
    pub table_max: u64,
    /// Whether the pages are a preview and say so.
    pub preview: bool,
    /// The layout of the user's own that the report names; empty where it names none.
    pub layout: Vec<LayoutFile>,
}

impl Default for PdfOptions {
    fn default() -> PdfOptions {
        PdfOptions {
            rows_max: 20_000,
            cells_max: 100_000,
            exceptions_max: 500,
            table_max: u64::MAX,
            preview: false,
            layout: Vec::new(),
        }
    }
}

impl PdfOptions {
    /// How many rows of each table are printed, in the order in which the tables stand in the report.
    pub(crate) fn rows_printed(&self, report: &Report) -> Vec<u64> {
        let (mut rows, mut cells) = (self.rows_max, self.cells_max);
        let blocks = report.sections.iter().flat_map(|section| &section.blocks);
        let tables = blocks.filter_map(|block| match block {
            Block::Exceptions(table) => Some((table, self.exceptions_max.min(self.table_max))),
            Block::Table(table) => Some((table, self.table_max)),
            Block::Prose { .. }
            | Block::Entries { .. }
            | Block::Chart(_)
            | Block::Checks { .. } => None,
        });
        tables
            .map(|(table, most)| {
                let columns = (table.columns.len() as u64).max(1);
                let printed = table.rows.min(most).min(rows).min(cells / columns);
                rows -= printed;
                cells -= printed * columns;
                printed
            })
            .collect()
    }

    /// How many rows of a report are printed.
    ///
    /// ```
    /// # let (folder, options) = (tempfile::tempdir()?, annals_report::PdfOptions::default());
    /// # let store = folder.path().join("guide.annals");
    /// # annals_core::sample::guide(&store)?;
    /// # use annals_core::compliance::{ReportRequest, TemplateSet, make};
    /// # let (log, (models, _)) = (annals_core::store::Log::explore(&store)?, annals_core::model::ModelSet::load(&store)?);
    /// let made = make(&log, &models, &TemplateSet::shipped(), &ReportRequest::of("audit-trail"), &Default::default())?;
    /// assert_eq!(options.printed(&made.report), made.report.row_count());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn printed(&self, report: &Report) -> u64 {
        self.rows_printed(report).iter().sum()
    }
}

/// Why a report was not typeset.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its rows could not be read, or the user cancelled.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A layout of the user's own is wrong.
    #[error(transparent)]
    Layout(TemplateError),
    /// The typesetter refused the layout or the PDF: a fault of Annals, since a report is typeset whatever it holds.
    #[error("the pages could not be made: {0}")]
    Typeset(String),
}
