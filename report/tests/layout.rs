//! Layouts of the user's own: what they set, what they cannot leave out, what they may not read, and where they are wrong.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod fixture;

use std::process::Command;

use annals_core::compliance::LayoutFile;
use annals_core::progress::WorkProgress;
use annals_report::{Attachment, Error, LAYOUT, PdfOptions, check_layout, pdf};

fn file(name: &str, text: &str) -> LayoutFile {
    LayoutFile {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

/// The PDF of a report that names this layout.
fn set(layout: &[LayoutFile]) -> Result<Vec<u8>, Error> {
    let (mut report, rows) = fixture::report(3);
    report.template.own_layout = Some(layout.iter().map(LayoutFile::reference).collect());
    let options = PdfOptions {
        layout: layout.to_vec(),
        ..PdfOptions::default()
    };
    let attached = Attachment {
        name: "rows.jsonl".into(),
        mime: "application/jsonl",
        description: "Every row".into(),
        bytes: b"{}\n".to_vec(),
    };
    let progress = WorkProgress::default();
    pdf(&report, &rows, vec![attached], &options, &progress)
}

fn text_of(bytes: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), bytes).unwrap();
    let mut command = Command::new("pdftotext");
    command.args(["-layout", "a.pdf", "-"]);
    match command.current_dir(folder.path()).output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) => {
            println!("skipped: there is no pdftotext");
            None
        }
    }
}

#[test]
fn a_layout_sets_the_pages_and_cannot_leave_out_what_makes_them_evidence() {
    let logo = r#"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20"/></svg>"#;
    let layout = [
        file(
            "mine.typ",
            "#import \"mine/parts.typ\": greeting\n#image(\"mine/logo.svg\", width: 20pt, alt: \"A logo\")\n= Our own\n#greeting\n",
        ),
        file("mine/logo.svg", logo),
        file("mine/parts.typ", "#let greeting = [Made in our house.]"),
    ];
    let bytes = set(&layout).unwrap();
    assert!(bytes == set(&layout).unwrap(), "the same bytes again");
    let Some(text) = text_of(&bytes) else { return };
    for said in [
        "Our own",
        "Made in our house.",
        "Evidence, not a legal determination",
        "mine.typ, the user\u{2019}s own",
        "Page 2 of 2",
        "Root of the log",
        "rows.jsonl",
    ] {
        let said = said.replace('\u{2019}', "'");
        assert!(text.contains(&said), "{said} is not in {text}");
    }
    assert!(
        !text.contains("注文を確定しました"),
        "the sections are the layout's to print"
    );
}

#[test]
fn the_layout_that_comes_with_annals_can_be_ones_own() {
    check_layout(&[file("mine.typ", LAYOUT)]).unwrap();
    let text = text_of(&set(&[file("mine.typ", LAYOUT)]).unwrap());
    assert!(text.is_none_or(|text| text.contains("注文を確定しました")));
}

#[test]
fn a_layout_that_is_not_the_one_that_the_report_names_is_refused() {
    let (report, rows) = fixture::report(1);
    let options = PdfOptions {
        layout: vec![file("mine.typ", "= A")],
        ..PdfOptions::default()
    };
    let made = pdf(
        &report,
        &rows,
        Vec::new(),
        &options,
        &WorkProgress::default(),
    );
    assert!(matches!(made, Err(Error::Typeset(why)) if why.contains("not the one")));
}

#[test]
fn what_is_wrong_with_a_layout_is_told_with_its_place() {
    let picture = r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>"#;
    for (text, line, column, want) in [
        ("#let a = \n= x #b", 1, 9, "expected expression"),
        ("= A\n#nothing", 2, 2, "unknown variable"),
        (
            "= A\n\n#import \"/kit.typ\": *\n#rows((:))",
            4,
            2,
            "does not contain key",
        ),
        ("= A\n#read(\"/etc/passwd\")", 2, 7, "not found"),
        (
            "#read(\"../sheet.json\")\n#read(\"../../secret\")",
            2,
            7,
            "",
        ),
        ("#import \"@preview/cetz:0.3.0\": *", 1, 9, "no packages"),
        ("#datetime.today()", 1, 2, "date"),
        ("#image(\"mine/logo.svg\")", 1, 2, "alt"),
        ("#let f() = f()\n#f()", 1, 12, "call depth"),
        ("#while true {}", 1, 8, "always true"),
        ("\u{10D0}", 1, 1, "could not be displayed"),
    ] {
        let layout = [file("mine.typ", text), file("mine/logo.svg", picture)];
        let Err(Error::Layout(error)) = check_layout(&layout) else {
            panic!("{text} was taken");
        };
        assert!(error.message.contains(want), "{text}: {error}");
        assert_eq!(error.name, "mine.typ", "{text}: {error}");
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
        assert!(!error.hint.is_empty(), "{text}: {error}");
    }
}

#[test]
fn a_fault_in_a_part_of_a_layout_is_told_there() {
    let layout = [
        file("mine.typ", "#import \"mine/parts.typ\": a"),
        file("mine/parts.typ", "#let b = 1\n#let a = c"),
    ];
    let Err(Error::Layout(error)) = set(&layout) else {
        panic!("it was taken");
    };
    assert_eq!((error.name.as_str(), error.line), ("mine/parts.typ", 2));
}
