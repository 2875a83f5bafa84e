use super::*;
use crate::import::detect::FileNames;

const JSON: &str = r#"{
 "objectTypes": [{"name": "order", "attributes": [{"name": "total", "type": "float"}]}],
 "eventTypes": [{"name": "place", "attributes": [{"name": "by", "type": "string"}]}],
 "objects": [
  {"id": "o1", "type": "order", "attributes": [
    {"name": "total", "time": "1970-01-01T00:00:00Z", "value": 10.5},
    {"name": "total", "time": "2024-01-02T00:00:00Z", "value": 12.75}],
   "relationships": [{"objectId": "c1", "qualifier": "of"}]},
  {"id": "c1", "type": "customer"}
 ],
 "events": [
  {"id": "e1", "type": "place", "time": "2024-01-01T00:00:00Z", "attributes": [{"name": "by", "value": "A & B"}],
   "relationships": [{"objectId": "o1", "qualifier": "new"}, {"objectId": "c1", "qualifier": "buyer"}, {"objectId": "c1", "qualifier": "payer"}]},
  {"id": "e2", "type": "ship", "time": "2024-01-03T00:00:00Z", "relationships": [{"objectId": "gone", "qualifier": "x"}]}
 ]
}"#;

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log>
  <object-types><object-type name="order"><attributes><attribute name="total" type="float"/></attributes></object-type></object-types>
  <event-types><event-type name="place"><attributes><attribute name="by" type="string"/></attributes></event-type></event-types>
  <objects>
    <object id="o1" type="order">
      <attributes>
        <attribute name="total" time="1970-01-01T00:00:00Z">10.5</attribute>
        <attribute name="total" time="2024-01-02T00:00:00Z">12.75</attribute>
      </attributes>
      <objects><relationship object-id="c1" qualifier="of"/></objects>
    </object>
    <object id="c1" type="customer"/>
  </objects>
  <events>
    <event id="e1" type="place" time="2024-01-01T00:00:00Z">
      <attributes><attribute name="by">A &amp; B</attribute></attributes>
      <objects>
        <relationship object-id="o1" qualifier="new"/>
        <relationship object-id="c1" qualifier="buyer"/>
        <relationship object-id="c1" qualifier="payer"/>
      </objects>
    </event>
    <event id="e2" type="ship" time="2024-01-03T00:00:00Z"><objects><relationship object-id="gone" qualifier="x"/></objects></event>
  </events>
</log>"#;

const SQL: &str = r#"
CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT);
CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT);
CREATE TABLE event_Place (ocel_id TEXT, ocel_time TEXT, by TEXT);
CREATE TABLE event_Ship (ocel_id TEXT, ocel_time TEXT);
CREATE TABLE object_Order (ocel_id TEXT, ocel_time TEXT, ocel_changed_field TEXT, total REAL);
CREATE TABLE object_Customer (ocel_id TEXT, ocel_time TEXT, ocel_changed_field TEXT);
INSERT INTO event_map_type VALUES ('place', 'Place'), ('ship', 'Ship');
INSERT INTO object_map_type VALUES ('order', 'Order'), ('customer', 'Customer');
INSERT INTO event VALUES ('e1', 'place'), ('e2', 'ship');
INSERT INTO object VALUES ('o1', 'order'), ('c1', 'customer');
INSERT INTO event_Place VALUES ('e1', '2024-01-01T00:00:00Z', 'A & B');
INSERT INTO event_Ship VALUES ('e2', '2024-01-03T00:00:00Z');
INSERT INTO object_Order VALUES ('o1', '1970-01-01T00:00:00Z', NULL, 10.5), ('o1', '2024-01-02T00:00:00Z', 'total', 12.75);
INSERT INTO event_object VALUES ('e1', 'o1', 'new'), ('e1', 'c1', 'buyer'), ('e1', 'c1', 'payer'), ('e2', 'gone', 'x');
INSERT INTO object_object VALUES ('o1', 'c1', 'of');
"#;

/// What a log becomes, an item a line.
fn told(bytes: &[u8]) -> Result<Vec<String>, ImportError> {
    let mut lines = Vec::new();
    let mut each = |_: u64, item: Item<'_>| {
        lines.push(match item {
            Item::Event(draft) => {
                let links = draft
                    .beyond
                    .as_ref()
                    .map(|b| b.links.clone())
                    .unwrap_or_default();
                let links: Vec<String> = links.iter().map(|(s, q)| format!("{s} ({q})")).collect();
                format!(
                    "{} [{}] {} {} {} {} -> {}",
                    draft.stream,
                    draft.category.as_deref().unwrap_or("-"),
                    draft.event_type.as_deref().unwrap_or("-"),
                    draft
                        .time
                        .as_ref()
                        .map_or("-".to_owned(), |t| t.time.to_string()),
                    draft.data,
                    draft.metadata.as_deref().unwrap_or("-"),
                    links.join("; ")
                )
            }
            Item::Reject { reason, .. } => format!("rejected: {reason}"),
            Item::Broken { count, detail } => format!("{count} broken: {detail}"),
            Item::NotKept(what) => format!("not kept: {what}"),
        });
        Ok(())
    };
    let mut reader = bytes;
    read(
        &mut reader,
        &FileNames::of_nothing(),
        Tz::UTC,
        &Progress::default(),
        &mut each,
    )?;
    Ok(lines)
}

#[test]
fn a_log_is_the_same_in_its_three_encodings() {
    let want = [
        r#"o1 [order] ObjectRecorded 2024-01-01T00:00:00Z {"total":10.5} {"inferred":true,"objectType":"order","relationships":[{"objectId":"c1","qualifier":"of"}]} -> "#,
        r#"o1 [order] ObjectChanged 2024-01-02T00:00:00Z {"total":12.75} {"inferred":true} -> "#,
        r#"c1 [customer] ObjectRecorded 2024-01-01T00:00:00Z {} {"inferred":true,"objectType":"customer"} -> "#,
        r#"o1 [order] place 2024-01-01T00:00:00Z {"by":"A & B"} {"relationships":[{"objectId":"o1","qualifier":"new"},{"objectId":"c1","qualifier":"buyer"},{"objectId":"c1","qualifier":"payer"}]} -> c1 (buyer, payer)"#,
        r#"gone [-] ship 2024-01-03T00:00:00Z {} {"relationships":[{"objectId":"gone","qualifier":"x"}]} -> "#,
        r#"1 broken: the event "e2" names the object "gone", which the log does not hold"#,
    ];
    let database = tempfile::NamedTempFile::new().unwrap();
    let connection = rusqlite::Connection::open(database.path()).unwrap();
    connection.execute_batch(SQL).unwrap();
    drop(connection);
    let database = std::fs::read(database.path()).unwrap();
    assert_eq!(told(JSON.as_bytes()).unwrap(), want);
    assert_eq!(told(XML.as_bytes()).unwrap(), want);
    let prefixed = XML
        .replace('<', "<o:")
        .replace("<o:/", "</o:")
        .replace("<o:?", "<?")
        .replace("<o:log>", "<o:log xmlns:o=\"http://example.org/ocel\">");
    assert!(sniff(prefixed.as_bytes()).is_some(), "{prefixed}");
    assert_eq!(told(prefixed.as_bytes()).unwrap(), want);
    assert_eq!(told(&database).unwrap(), want);
}

#[test]
fn ocel_1_is_the_same_in_json_and_xml() {
    let json = r#"{"ocel:global-log": {"ocel:version": "1.0"},
 "ocel:events": {"e1": {"ocel:activity": "place", "ocel:timestamp": "2024-01-01T00:00:00Z", "ocel:omap": ["o1", "i1"], "ocel:vmap": {"price": 1.50}}},
 "ocel:objects": {"o1": {"ocel:type": "order", "ocel:ovmap": {"vip": true}}, "i1": {"ocel:type": "item", "ocel:ovmap": {}}}}"#;
    let xml = r#"<log><global scope="log"><string key="version" value="1.0"/></global>
<events><event><string key="id" value="e1"/><string key="activity" value="place"/><date key="timestamp" value="2024-01-01T00:00:00Z"/>
<list key="omap"><string key="object-id" value="o1"/><string key="object-id" value="i1"/></list><list key="vmap"><float key="price" value="1.50"/></list></event></events>
<objects><object><string key="id" value="o1"/><string key="type" value="order"/><list key="ovmap"><boolean key="vip" value="true"/></list></object>
<object><string key="id" value="i1"/><string key="type" value="item"/></object></objects></log>"#;
    let want = [
        r#"o1 [order] ObjectRecorded 2024-01-01T00:00:00Z {"vip":true} {"inferred":true,"objectType":"order"} -> "#,
        r#"i1 [item] ObjectRecorded 2024-01-01T00:00:00Z {} {"inferred":true,"objectType":"item"} -> "#,
        r#"o1 [order] place 2024-01-01T00:00:00Z {"price":1.50} {"relationships":[{"objectId":"o1","qualifier":""},{"objectId":"i1","qualifier":""}]} -> i1 ()"#,
    ];
    let of_json = told(json.as_bytes()).unwrap();
    assert_eq!(
        of_json[0],
        "not kept: \"ocel:global-log\" of the log as a whole"
    );
    assert_eq!(of_json[1..], want);
    assert_eq!(told(xml.as_bytes()).unwrap(), want);
}

#[test]
fn what_cannot_be_taken_is_rejected_and_the_rest_is_not() {
    let text = JSON
        .replace("2024-01-03T00:00:00Z", "soon")
        .replace(r#""id": "c1","#, "");
    let told = told(text.as_bytes()).unwrap();
    let rejected: Vec<&String> = told
        .iter()
        .filter(|line| line.starts_with("rejected"))
        .collect();
    assert_eq!(rejected.len(), 2, "{told:#?}");
    assert!(rejected[0].contains("missing field `id`"), "{rejected:?}");
    assert!(rejected[1].contains("\"soon\""), "{rejected:?}");
    assert_eq!(told.last().unwrap().split(':').next(), Some("4 broken"));
}

#[test]
fn broken_files_are_refused() {
    for (text, want) in [
        (r#"{"a": 1}"#, "neither events nor objects"),
        (r#"{"events": 7}"#, "is no list"),
        ("{\"events\": [", "broken"),
        ("<log><events>", "cut off"),
        ("<!DOCTYPE log [<!ENTITY a \"b\">]><log/>", "DOCTYPE"),
        ("SQLite format 3\0 nothing", "neither a store of Annals nor"),
    ] {
        let error = told(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(want), "{text:?}: {error}");
    }
    // Attributes are compared with one another: a million of them would take for ever.
    let attributes: String = (0..1_000_000).map(|n| format!(" a{n}=\"\"")).collect();
    let wide = format!("<log><events><event{attributes}/></events></log>");
    let error = told(wide.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("more than 100 XML attributes"), "{error}");
}

#[test]
fn one_event_may_have_very_many_objects() {
    let links: Vec<String> = (0..100_000)
        .map(|n| format!(r#"{{"objectId":"o{n}"}}"#))
        .collect();
    let text = format!(
        r#"{{"objects":[],"events":[{{"id":"e","type":"t","time":"2024-01-01","relationships":[{}]}}]}}"#,
        links.join(",")
    );
    let told = told(text.as_bytes()).unwrap();
    assert_eq!(told[0].matches(" (").count(), 99_999);
    assert!(told[1].starts_with("100000 broken"));
}

proptest::proptest! {
    #[test]
    fn any_json_is_survived(text in "[{}\\[\\]\":,a-e0-9 ]{0,60}") {
        let _ = told(format!("{{\"events\":{text}}}").as_bytes());
        let _ = told(format!("{{\"events\":[{{\"id\":1,\"type\":2,\"time\":{text}}}]}}").as_bytes());
    }

    #[test]
    fn any_xml_is_survived(text in "[<>/a-e=\" &;]{0,60}") {
        let _ = told(format!("<log><events><event id=\"{text}").as_bytes());
        let _ = told(format!("<{text}").as_bytes());
    }
}
