//! PDFs of a report, read back by strangers: qpdf, poppler.

mod fixture;

use annals_core::progress::WorkProgress;
use annals_report::{Attachment, PdfOptions, pages, pdf};

#[test]
fn a_report_of_every_block_and_script_is_typeset() {
    let (report, rows) = fixture::report(30);
    let attachments = [Attachment {
        name: "rows.jsonl".into(),
        mime: "application/jsonl",
        description: "Every row".into(),
        bytes: b"{}\n".to_vec(),
    }];
    let bytes = pdf(
        &report,
        &rows,
        &attachments,
        &PdfOptions::default(),
        &WorkProgress::default(),
    )
    .unwrap();
    if let Ok(to) = std::env::var("PDF_OUT") {
        std::fs::write(to, &bytes).unwrap();
    }
    assert!(bytes.starts_with(b"%PDF-1.7"));
    let pages = pages(
        &report,
        &rows,
        &PdfOptions::default(),
        &WorkProgress::default(),
    )
    .unwrap();
    assert!(pages.svg(0).unwrap().contains("<svg"));
}
