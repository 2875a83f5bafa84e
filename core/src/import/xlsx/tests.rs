//! Workbooks as Excel and others write them.

use std::io::Read as _;

use super::*;
use crate::import::tests::zip;

const RELS: &str = r#"<Relationships xmlns="r"><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="m" xmlns:r="r"><workbookPr/><sheets><sheet name="Orders &amp; more" sheetId="1" r:id="rId1"/><sheet name="Second" sheetId="2" state="hidden" r:id="rId2"/></sheets></workbook>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd hh:mm:ss"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;
const TEXTS: &str = r#"<sst><si><t>order_id</t></si><si><r><t xml:space="preserve">two </t></r><r><t>parts</t></r><rPh><t>no</t></rPh></si></sst>"#;

fn book(sheet: &str) -> std::io::Result<Workbook> {
    let archive = zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
        ("xl/sharedStrings.xml", TEXTS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        (
            "xl/worksheets/sheet2.xml",
            b"<worksheet><sheetData/></worksheet>",
        ),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.xlsx");
    std::fs::write(&path, archive).unwrap();
    Workbook::open(Arc::new(Archive::open(&path)?))
}

fn table(rows: &str) -> std::io::Result<String> {
    let book = book(&format!(
        "<worksheet><sheetData>{rows}</sheetData></worksheet>"
    ))?;
    let mut text = String::new();
    book.table(0)?.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn sheets_have_the_names_of_their_tabs() {
    let book = book("<worksheet/>").unwrap();
    let names: Vec<_> = book
        .sheets
        .iter()
        .map(|sheet| sheet.name.as_str())
        .collect();
    assert_eq!(names, ["Orders & more", "Second"]);
}

#[test]
fn cells_are_what_was_typed() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>at</t></is></c><c r="C1" t="s"><v>1</v></c><c r="D1" t="str"><v>sum</v></c></row>
        <row r="2"><c r="A2"><v>7</v></c><c r="B2" s="1"><v>45306.4375</v></c><c r="C2"><v>5.0999999999999996</v></c><c r="D2"><f>A2*2</f><v>14</v></c></row>
        <row r="4"><c r="A4" t="b"><v>1</v></c><c r="B4" s="2"><v>45306</v></c><c r="D4" t="e"><v>#N/A</v></c></row>
        <row r="5"><c t="str"><v>a,"b"
c</v></c><c><v>9007199254740993</v></c></row>"#;
    assert_eq!(
        table(rows).unwrap(),
        "order_id,at,two parts,sum\n7,2024-01-15T10:30:00,5.1,14\n\ntrue,2024-01-15,,#N/A\n\"a,\"\"b\"\"\nc\",9007199254740993,,\n"
    );
}

#[test]
fn empty_columns_before_the_first_are_left_out() {
    assert_eq!(
        table(r#"<row r="3"><c r="C3"><v>1</v></c><c r="D3"><v>2</v></c></row><row r="4"><c r="D4"><v>3</v></c></row>"#).unwrap(),
        "\n\n1,2\n,3\n"
    );
    assert_eq!(table("").unwrap(), "");
}

#[test]
fn what_is_wrong_is_an_error() {
    for rows in [
        r#"<row r="2"/><row r="1"/>"#,
        r#"<row r="99999999"/>"#,
        r#"<row><c r="ZZZZ1"><v>1</v></c></row>"#,
        r#"<row><c t="s"><v>99</v></c></row>"#,
        r#"<row><c><v>&unknown;</v></c></row>"#,
        "<row></wrong>",
    ] {
        assert!(table(rows).is_err(), "{rows}");
    }
    // Attributes are compared with one another: a million of them would take for ever.
    let attributes: String = (0..1_000_000).map(|n| format!(" a{n}=\"\"")).collect();
    let error = table(&format!("<row{attributes}/>")).unwrap_err();
    assert!(
        error.to_string().contains("more than 100 XML attributes"),
        "{error}"
    );
    assert!(
        book("<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet/>")
            .unwrap()
            .table(0)
            .is_err()
    );
}
