//! veraPDF, the validator that archives trust, on a report of every block and script.
//!
//! It comes from Maven Central where Java, Maven and that registry are reachable, and is not part of Annals; elsewhere
//! this test says that it was skipped.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod fixture;

use std::path::Path;
use std::process::Command;

use annals_core::progress::WorkProgress;
use annals_report::{Attachment, PdfOptions, pdf};

const PROJECT: &str = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
<groupId>a</groupId><artifactId>a</artifactId><version>1</version><dependencies><dependency>\
<groupId>org.verapdf.apps</groupId><artifactId>greenfield-apps</artifactId><version>1.28.2</version>\
</dependency></dependencies></project>";

/// Where Java finds veraPDF; an error says why it does not.
fn class_path(folder: &Path) -> Result<String, String> {
    std::fs::write(folder.join("pom.xml"), PROJECT).map_err(|error| error.to_string())?;
    let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath";
    let output = Command::new("mvn")
        .args(["-q", "-B", goal, "-Dmdep.outputFile=class-path"])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("mvn: {error}"))?;
    if !output.status.success() {
        return Err("veraPDF is not to be had from Maven Central".to_owned());
    }
    std::fs::read_to_string(folder.join("class-path")).map_err(|error| error.to_string())
}

#[test]
fn a_report_conforms_to_pdf_a_3a_and_pdf_ua_1() {
    let folder = tempfile::tempdir().unwrap();
    let class_path = match class_path(folder.path()) {
        Ok(path) => path,
        Err(why) => {
            println!("skipped: {why}");
            return;
        }
    };
    let (report, rows) = fixture::report(40);
    let attachments = vec![Attachment {
        name: "rows.jsonl".into(),
        mime: "application/jsonl",
        description: "Every row".into(),
        bytes: b"{}\n".to_vec(),
    }];
    let progress = WorkProgress::default();
    let bytes = pdf(
        &report,
        &rows,
        attachments,
        &PdfOptions::default(),
        &progress,
    )
    .unwrap();
    std::fs::write(folder.path().join("a.pdf"), &bytes).unwrap();
    // A file that claims another part of the standard: that the validator sees this shows that it looks.
    let claim = b"pdfaid:part>3";
    let at = bytes.windows(claim.len()).position(|w| w == claim).unwrap();
    let mut spoilt = bytes;
    spoilt[at + claim.len() - 1] = b'2';
    std::fs::write(folder.path().join("spoilt.pdf"), &spoilt).unwrap();
    for (flavour, file, outcome) in [
        ("3a", "a.pdf", "PASS"),
        ("ua1", "a.pdf", "PASS"),
        ("3a", "spoilt.pdf", "FAIL"),
    ] {
        let output = Command::new("java")
            .args(["-cp", &class_path, "org.verapdf.apps.GreenfieldCliWrapper"])
            .args(["-f", flavour, "--format", "text", "-v", file])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with(outcome), "{flavour}, {file}: {said}");
    }
}
