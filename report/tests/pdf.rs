//! PDFs of a report, read back by strangers: qpdf and poppler.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod fixture;

use std::path::Path;
use std::process::{Command, Output};

use annals_core::compliance::{Report, ReportError, ReportRows};
use annals_core::progress::WorkProgress;
use annals_report::{Attachment, Error, PdfOptions, pages, pdf};

fn attachments() -> Vec<Attachment> {
    let file = |name: &str, mime, bytes: &[u8]| Attachment {
        name: name.into(),
        mime,
        description: format!("What {name} holds"),
        bytes: bytes.to_vec(),
    };
    vec![
        file(
            "rows.jsonl",
            "application/jsonl",
            "{\"text\":\"注文\\u202e\"}\n".as_bytes(),
        ),
        file(
            "rows.csv",
            "text/csv",
            b"\xef\xbb\xbfposition,text\r\n1,a\r\n",
        ),
        file("query.json", "application/json", b"{\"at\":null}"),
    ]
}

fn typeset((report, rows): &(Report, ReportRows), options: &PdfOptions) -> Vec<u8> {
    pdf(
        report,
        rows,
        attachments(),
        options,
        &WorkProgress::default(),
    )
    .unwrap()
}

/// Runs a program of another house on the PDF; nothing if it is not installed.
fn stranger(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    match Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
    {
        Ok(output) => Some(output),
        Err(_) => {
            println!("skipped: there is no {program}");
            None
        }
    }
}

/// All that poppler reads on the pages, white space made one space.
fn text_of(bytes: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), bytes).unwrap();
    let output = stranger("pdftotext", &["-layout", "a.pdf", "-"], folder.path())?;
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_report_of_every_block_and_script_is_a_sound_pdf() {
    let bytes = typeset(&fixture::report(60), &PdfOptions::default());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), &bytes).unwrap();
    if let Some(checked) = stranger("qpdf", &["--check", "a.pdf"], folder.path()) {
        assert!(checked.status.success(), "{checked:?}");
    }
    if let Some(about) = stranger("pdfinfo", &["a.pdf"], folder.path()) {
        let about = String::from_utf8(about.stdout).unwrap();
        for fact in [
            "Title:           SOX change register",
            "Tagged:          yes",
            "CreationDate:",
            "JavaScript:      no",
        ] {
            assert!(about.contains(fact), "{fact}: {about}");
        }
    }
    if let Some(text) = text_of(&bytes) {
        for said in [
            "Evidence, not a legal determination",
            "Had happened by 2024-01-31T23:00:00Z",
            "Severe: version order and time order disagree (order-789, version 3)",
            "12345678901234567890.97 over 15 events",
            "as the \"customer\" said",
            "not recorded",
            "right‹U+202E›to left override",
            "注文を確定しました",
            "#set page(fill: red); #panic(\"x\") $x^2$ *bold*",
            "<script>alert(1)</script> &amp;",
            "Nothing was deleted in the scope.",
            "Page 1 of ",
            "9 others",
        ] {
            assert!(text.contains(said), "{said} is not in {text}");
        }
        assert!(
            !text.contains(r#"\"customer"#),
            "a value of JSON is printed as people read it: {text}"
        );
    }
}

#[test]
fn the_files_inside_come_out_byte_for_byte() {
    let bytes = typeset(&fixture::report(3), &PdfOptions::default());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), &bytes).unwrap();
    let arguments = ["-saveall", "-o", "out", "a.pdf"];
    std::fs::create_dir(folder.path().join("out")).unwrap();
    if stranger("pdfdetach", &arguments, folder.path()).is_some() {
        for file in attachments() {
            let path = folder.path().join("out").join(&file.name);
            assert_eq!(std::fs::read(path).unwrap(), file.bytes, "{}", file.name);
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let made = fixture::report(40);
    let options = PdfOptions::default();
    let first = typeset(&made, &options);
    assert!(first == typeset(&made, &options), "the same rows again");
    assert!(
        first == typeset(&fixture::report(40), &options),
        "made again"
    );
}

#[test]
fn a_report_over_nothing_says_so() {
    let (mut report, rows) = fixture::report(0);
    // An archive's file is dated, though nothing here says when.
    report.first_page.made_at = None;
    report.first_page.source.last_recorded_at = None;
    report.sections.retain(|section| section.id == "trail");
    let text = text_of(&typeset(&(report, rows), &PdfOptions::default()));
    if let Some(text) = text {
        assert!(text.contains("0 rows. No event is in the scope."), "{text}");
    }
}

#[test]
fn rows_that_are_not_printed_are_told_on_page_one_and_at_their_table() {
    let made = fixture::report(200);
    let options = PdfOptions {
        rows_max: 100,
        ..PdfOptions::default()
    };
    if let Some(text) = text_of(&typeset(&made, &options)) {
        let all: u64 = made.0.tables().map(|table| table.rows).sum();
        let told =
            format!("100 of {all} rows are on these pages; all of them are in the attached files.");
        assert!(text.contains(&told), "{told}: {text}");
        assert!(
            text.contains("200 rows; the first 80 are printed, all are attached."),
            "{text}"
        );
    }
}

#[test]
fn exceptions_beyond_the_first_are_attached_and_that_is_told() {
    let made = fixture::report(3);
    let options = PdfOptions {
        exceptions_max: 1,
        ..PdfOptions::default()
    };
    let all = made.0.row_count();
    assert_eq!(options.printed(&made.0), all - 1);
    if let Some(text) = text_of(&typeset(&made, &options)) {
        let told = format!("{} of {all} rows are on these pages", all - 1);
        assert!(text.contains(&told), "{told}: {text}");
        let told = "2 rows; the first is printed, all are attached.";
        assert!(text.contains(told), "{told}: {text}");
    }
}

/// What is kept on one page and does not fit it would be cut off: nothing of a long row may get lost.
#[test]
fn rows_longer_than_a_page_are_printed_to_their_end() {
    use annals_core::compliance::{Block, Cell, CellKind, Column, Layout, Row, Table};
    let (mut report, mut rows) = fixture::report(1);
    report.sections.truncate(1);
    for layout in [Layout::Ledger, Layout::Portrait] {
        report.layout = layout;
        let cells = |row: usize| {
            let cell = |column: usize| {
                let word = format!("r{row}c{column}");
                let count = if row == 0 { 40 } else { 190 };
                format!("{} end-{word}", vec!["words"; count].join(" "))
            };
            (0..16).map(cell).collect::<Vec<String>>()
        };
        let kept: Vec<Vec<String>> = (0..3).map(cells).collect();
        let ends = kept
            .iter()
            .flatten()
            .filter_map(|cell| cell.rsplit(' ').next());
        let want: Vec<String> = ends.map(str::to_owned).collect();
        let made = kept.into_iter().map(|row| Row {
            event: None,
            cells: row.into_iter().map(Cell::Value).collect(),
        });
        let (count, sha256) = rows.take("long", made).unwrap();
        let columns = (0..16).map(|n| Column {
            id: format!("c{n}"),
            title: format!("Column {n}"),
            kind: CellKind::Text,
        });
        report.sections[0].blocks = vec![Block::Table(Table {
            id: "long".into(),
            title: "Long".into(),
            columns: columns.collect(),
            rows: count,
            sha256,
            empty: "None.".into(),
        })];
        let progress = WorkProgress::default();
        let bytes = pdf(
            &report,
            &rows,
            Vec::new(),
            &PdfOptions::default(),
            &progress,
        )
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.pdf"), &bytes).unwrap();
        // Only what lies on the paper counts.
        let (width, height) = match layout {
            Layout::Ledger => ("842", "595"),
            _ => ("595", "842"),
        };
        let box_of_paper = [
            "-layout", "-x", "0", "-y", "0", "-W", width, "-H", height, "a.pdf", "-",
        ];
        if let Some(read) = stranger("pdftotext", &box_of_paper, folder.path()) {
            let text = String::from_utf8(read.stdout).unwrap();
            for word in want {
                assert!(text.contains(&word), "{layout:?}: {word} is not in {text}");
            }
        }
    }
}

#[test]
fn of_wide_tables_fewer_rows_are_printed() {
    let (report, _) = fixture::report(200);
    let options = PdfOptions {
        cells_max: 100,
        ..PdfOptions::default()
    };
    // 2 rows of 8 columns, 15 of 2, 3 of 16; the 6 cells left are no row of the trail.
    assert_eq!(options.printed(&report), 2 + 15 + 3);
}

#[test]
fn each_layout_lies_as_it_says() {
    use annals_core::compliance::Layout;
    let (mut report, rows) = fixture::report(3);
    for layout in Layout::ALL {
        report.layout = layout;
        let progress = WorkProgress::default();
        let pages = pages(&report, &rows, &PdfOptions::default(), &progress).unwrap();
        let sizes: Vec<(f64, f64)> = (0..pages.count())
            .filter_map(|n| pages.size_pt(n))
            .collect();
        let lying = sizes
            .iter()
            .filter(|(width, height)| width > height)
            .count();
        let shorter = sizes[0].0.min(sizes[0].1).round();
        let (want, paper) = match layout {
            Layout::Report => (1..sizes.len(), 595.0),
            Layout::Letter => (1..sizes.len(), 612.0),
            Layout::Ledger => (sizes.len()..sizes.len() + 1, 595.0),
            Layout::Portrait => (0..1, 595.0),
        };
        assert!(want.contains(&lying), "{layout:?}: {sizes:?}");
        assert_eq!(shorter, paper, "{layout:?}");
    }
}

#[test]
fn a_cancelled_report_makes_nothing() {
    let (report, rows) = fixture::report(3);
    let progress = WorkProgress::default();
    progress.cancel();
    let made = pdf(
        &report,
        &rows,
        Vec::new(),
        &PdfOptions::default(),
        &progress,
    );
    assert!(
        matches!(made, Err(Error::Report(ReportError::Cancelled))),
        "{made:?}"
    );
}

#[test]
fn pages_can_be_looked_at() {
    let (report, rows) = fixture::report(10);
    let options = PdfOptions {
        rows_max: 20,
        preview: true,
        ..PdfOptions::default()
    };
    let pages = pages(&report, &rows, &options, &WorkProgress::default()).unwrap();
    assert!(pages.count() >= 3, "{}", pages.count());
    let first = pages.svg(0).unwrap();
    assert!(
        first.starts_with("<svg") && !first.contains("<script"),
        "{first}"
    );
    assert_eq!(pages.svg(pages.count()), None);
    let sizes: Vec<bool> = (0..pages.count())
        .map(|n| pages.size_pt(n).is_some_and(|(w, h)| w > h))
        .collect();
    assert!(
        sizes.contains(&true) && sizes.contains(&false),
        "upright and sideways: {sizes:?}"
    );
}
