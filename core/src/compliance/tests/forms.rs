//! Every form of a report: the same bytes each time, nothing blank, nothing lost, no half file.

use super::*;

const FORMS: [(ReportForm, &str); 4] = [
    (ReportForm::Jsonl, "r.jsonl"),
    (ReportForm::Csv, "r.csv"),
    (ReportForm::Xlsx, "r.xlsx"),
    (ReportForm::Html, "r.html"),
];

fn written(
    store: &Store,
    made: &MadeReport,
    form: ReportForm,
    name: &str,
) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    let view = write_report(&store.log, made, form, &file, &WorkProgress::default()).unwrap();
    let names = view.files.iter().map(|file| {
        let path = std::path::Path::new(&file.file);
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes.len() as u64, file.bytes);
        let hash: [u8; 32] = sha2::Digest::finalize(sha2::Digest::chain_update(
            <sha2::Sha256 as sha2::Digest>::new(),
            &bytes,
        ))
        .into();
        assert_eq!(crate::integrity::Hash(hash), file.sha256);
        (
            path.file_name().unwrap().to_string_lossy().into_owned(),
            bytes,
        )
    });
    let files: Vec<_> = names.collect();
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, files.len(), "nothing else is left behind");
    files
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let store = Store::guide();
    for row in TemplateSet::shipped().view().templates {
        let name = row.template.name;
        let subject = (row.subject == "required").then_some("user-123");
        let (one, two) = (store.report(&name, subject), store.report(&name, subject));
        assert_eq!(one.report.hash(), two.report.hash());
        for (form, file) in FORMS {
            assert!(
                written(&store, &one, form, file) == written(&store, &two, form, file),
                "{name} as {file} differs"
            );
        }
    }
}

#[test]
fn a_report_over_nothing_is_whole_and_says_so() {
    let store = Store::of(&[]);
    for row in TemplateSet::shipped().view().templates {
        let subject = (row.subject == "required").then_some("nobody");
        let made = store.report(&row.template.name, subject);
        let page = &made.report.first_page;
        assert_eq!(page.completeness.events_in_scope, 0);
        assert!(
            page.checked[0].starts_with("no event is in scope"),
            "{:?}",
            page.checked
        );
        for group in first_page(&made.report) {
            assert!(!group.entries.is_empty(), "{}", group.title);
            for entry in group.entries {
                assert!(
                    !entry.value.trim().is_empty(),
                    "{}: {} is blank",
                    group.title,
                    entry.name
                );
            }
        }
        for (form, file) in FORMS {
            let files = written(&store, &made, form, file);
            if form == ReportForm::Html {
                let page = String::from_utf8(files[0].1.clone()).unwrap();
                for table in made.report.tables() {
                    assert!(
                        page.contains(&table.empty),
                        "{}: {}",
                        row.template.name,
                        table.empty
                    );
                }
            }
        }
    }
}

/// Text that means harm or is hard to print, as JSON text.
const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "=HYPERLINK(\\\"http://x\\\")",
    "\\u0000\\u0007\\u001b[31m",
    "\\u202egpj.exe\\u2066",
    "注文 日本語 한국어",
    "שלום עולם مرحبا",
    "👩‍👩‍👧‍👦🚚",
    "</textarea>]]>&amp;'\\\"",
    "line one\\nline two\\ttab",
];

fn hostile() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.annals");
    let now = Time::parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
    let writer = LogWriter::create(&path, Surroundings::fixed(now, 7)).unwrap();
    for (n, text) in HOSTILE.iter().enumerate() {
        let plain: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        let mut event = NewEvent::json(
            &plain,
            &format!("{{\"x\":\"{text}\",\"big\":12345678901234567890.10}}"),
        )
        .unwrap();
        event.metadata = Some(
            Payload::json(format!("{{\"userId\":\"{text}\",\"reason\":\"{text}\"}}")).unwrap(),
        );
        writer
            .append(vec![StreamAppend {
                stream: StreamId::new(format!("{n}{plain}")).unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            }])
            .unwrap();
    }
    drop(writer);
    let log = Log::explore(&path).unwrap();
    Store { folder, path, log }
}

#[test]
fn nothing_that_events_hold_gets_out_of_its_cell() {
    let store = hostile();
    let made = store.report("audit-trail", None);
    let [html] = &written(&store, &made, ReportForm::Html, "r.html")[..] else {
        panic!()
    };
    let html = String::from_utf8(html.1.clone()).unwrap();
    assert!(!html.contains("<script"), "no script");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(
        !html.contains(['\u{202e}', '\u{2066}', '\0', '\u{7}', '\u{1b}']),
        "nothing hides"
    );
    assert!(html.contains("‹U+202E›gpj.exe‹U+2066›") && html.contains("注文 日本語 한국어"));
    assert!(html.contains("12345678901234567890.10"), "every digit");

    for (_, csv) in written(&store, &made, ReportForm::Csv, "r.csv")
        .iter()
        .filter(|(name, _)| name.ends_with(".csv"))
    {
        let mut reader = ::csv::Reader::from_reader(csv.as_slice());
        for record in reader.records() {
            for cell in &record.unwrap() {
                assert!(!cell.is_empty(), "a cell is blank");
                assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{cell}");
            }
        }
    }
    let [lines] = &written(&store, &made, ReportForm::Jsonl, "r.jsonl")[..] else {
        panic!()
    };
    let lines = String::from_utf8(lines.1.clone()).unwrap();
    let mut rows = 0;
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        if value["table"] == "changes" && value["cells"]["path"] == "x" {
            let plain: String = serde_json::from_str(&format!("\"{}\"", HOSTILE[rows])).unwrap();
            assert_eq!(value["cells"]["after"], plain, "exactly as recorded");
            assert_eq!(value["cells"]["who"], plain);
            rows += 1;
        }
    }
    assert_eq!(rows, HOSTILE.len());
    written(&store, &made, ReportForm::Xlsx, "r.xlsx");
}

#[test]
fn a_cancelled_or_refused_report_leaves_what_was_there() {
    let store = Store::guide();
    let made = store.report("audit-trail", None);
    for (form, name) in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, "before").unwrap();
        let progress = WorkProgress::default();
        progress.cancel();
        let error = write_report(&store.log, &made, form, &file, &progress).unwrap_err();
        assert!(matches!(error, ReportError::Cancelled), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no half file"
        );
        // Never over the store, whatever it is called.
        let error = write_report(
            &store.log,
            &made,
            form,
            &store.path,
            &WorkProgress::default(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("name another file"), "{error}");
    }
    // One of several files that cannot be written keeps all of them from being written.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("r.types.csv")).unwrap();
    let file = folder.path().join("r.csv");
    let error = write_report(
        &store.log,
        &made,
        ReportForm::Csv,
        &file,
        &WorkProgress::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("is a folder"), "{error}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no half report"
    );
    let progress = WorkProgress::default();
    progress.cancel();
    let set = TemplateSet::shipped();
    let request = ReportRequest::of("audit-trail");
    let error = make(&store.log, &store.models(), &set, &request, &progress).unwrap_err();
    assert!(matches!(error, ReportError::Cancelled), "{error}");
}

#[test]
fn a_template_fault_has_its_place_and_what_to_write_instead() {
    let good = TemplateSet::shipped_text("audit-trail").unwrap();
    for (from, to, message, hint) in [
        (
            "title = \"Audit trail\"",
            "titel = \"x\"",
            "unknown field `titel`",
            "title",
        ),
        (
            "regime = \"General",
            "regime = 7 # \"",
            "invalid type",
            "expected a string",
        ),
        (
            "kind = \"recorded\"",
            "kind = \"recorted\"",
            "unknown variant `recorted`",
            "`recorded`",
        ),
        (
            "fields = [\"who\"]",
            "fields = [\"whom\"]",
            "there is no column \"whom\"",
            "who",
        ),
        (
            "\"path\", \"before\"",
            "\"path\", \"state\"",
            "this table has no column \"state\"",
            "before",
        ),
        (
            "id = \"why_recorded\"",
            "id = \"who_recorded\"",
            "there is a second \"who_recorded\"",
            "of its own",
        ),
        (
            "\"data.userId\"",
            "\"payload.userId\"",
            "begins with neither data nor metadata",
            "data.patientId",
        ),
        ("by = [\"who\"]", "by = []", "this table needs by", "by = "),
        (
            "version = \"1\"",
            "version = \"\"",
            "version is empty",
            "version",
        ),
        (
            "version = \"1\"",
            "layout = \"wide\"\nversion = \"1\"",
            "there is no layout \"wide\"",
            "report, letter, ledger, portrait",
        ),
        ("[[checks]]", "[[checks]", "", "expected"),
        (
            "id = \"overview\"",
            "id = \"Over view\"",
            "is no name of a section",
            "small letters",
        ),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let error = Template::parse("mine.toml", &text).unwrap_err();
        let line = good[..good.find(from).unwrap()].matches('\n').count() + 1;
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.contains(hint), "{error}: {}", error.hint);
        assert_eq!(error.line, line, "{error}");
    }
    let error = Template::parse("mine.toml", "").unwrap_err();
    assert!(error.message.starts_with("missing field"), "{error}");
}

#[test]
fn a_disk_that_fills_up_leaves_what_was_there() {
    let store = Store::guide();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.pdf");
    std::fs::write(&file, "before").unwrap();
    let error = write_whole(&store.log, &file, "pages", &mut |out| {
        out.write_all(&[0; 1 << 20])?;
        Err(std::io::Error::from(std::io::ErrorKind::StorageFull).into())
    })
    .unwrap_err();
    assert_eq!(
        crate::code::ErrorCode::from(&error),
        crate::code::ErrorCode::DiskFull
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
