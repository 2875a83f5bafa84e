//! Whatever a text holds, the report that holds it is typeset, and conforms: one character without a glyph, or one
//! that may not stand in an archive, would make the whole export fail.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

mod fixture;

use annals_core::compliance::{Block, Cell, CellKind, Column, Entry, Row, Table};
use annals_core::progress::WorkProgress;
use annals_report::{PdfOptions, pdf};
use proptest::prelude::*;

/// Text of one script with marks, joiners and strangers in it: what shapers stumble over.
fn mixed() -> impl Strategy<Value = String> {
    let pool = prop_oneof![
        4 => prop::char::range('!', '~'),
        2 => prop::char::range('\u{300}', '\u{36F}'),
        2 => prop::char::range('\u{590}', '\u{6FF}'),
        2 => prop::char::range('\u{900}', '\u{97F}'),
        2 => prop::char::range('\u{E00}', '\u{E7F}'),
        2 => prop::char::range('\u{1100}', '\u{11FF}'),
        2 => prop::char::range('\u{2000}', '\u{2BFF}'),
        2 => prop::char::range('\u{3000}', '\u{30FF}'),
        2 => prop::char::range('\u{1F1E6}', '\u{1FAFF}'),
        1 => prop::char::range('\u{FE00}', '\u{FFFF}'),
        1 => Just('\u{200D}'),
        3 => prop::char::any(),
    ];
    prop::collection::vec(pool, 0..24).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_typeset(texts in prop::collection::vec(mixed(), 100)) {
        let (mut report, mut rows) = fixture::report(1);
        report.sections.truncate(1);
        report.title = texts[0].clone();
        report.first_page.scope.filters = vec![Entry::new(&texts[1], &texts[2])];
        let cells = texts.chunks(4).map(|four| Row {
            event: None,
            cells: four.iter().map(|text| Cell::Value(text.clone())).collect(),
        });
        let (count, sha256) = rows.take("any", cells).unwrap();
        let kinds = [CellKind::Text, CellKind::Name, CellKind::Value, CellKind::Time];
        let columns = kinds.iter().enumerate().map(|(n, kind)| Column { id: format!("c{n}"), title: texts[n].clone(), kind: *kind });
        report.sections[0].title = texts[3].clone();
        report.sections[0].blocks.push(Block::Table(Table {
            id: "any".into(), title: texts[4].clone(), columns: columns.collect(), rows: count, sha256, empty: "None.".into(),
        }));
        let made = pdf(&report, &rows, Vec::new(), &PdfOptions::default(), &WorkProgress::default());
        prop_assert!(made.is_ok(), "{:?}", made.err());
    }
}
