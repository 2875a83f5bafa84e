use crate::finding::FindingKind;
use crate::import::ImportError;
use crate::import::tests::{Seen, datasets, request, see, see_files, see_request};

/// Streams, types, times, data and metadata of a log, one line an event.
fn shown(seen: &Seen) -> Vec<String> {
    seen.events
        .iter()
        .map(|e| {
            let stream = &seen.totals.streams.list[e.stream as usize].name;
            let metadata = e
                .event
                .metadata
                .as_ref()
                .map_or("-", |m| m.json_text().unwrap());
            format!(
                "{stream} {} {} {metadata}",
                e.event.event_type,
                e.event.data.json_text().unwrap()
            )
        })
        .collect()
}

fn log(inner: &str) -> Seen {
    see(
        "test.xes",
        &format!(
            "<?xml version=\"1.0\"?>\n<log xmlns=\"http://www.xes-standard.org/\">\n{inner}\n</log>\n"
        ),
    )
}

fn refused(text: &str) -> (u64, String) {
    match see_files(&[("test.xes", text.as_bytes())]) {
        Err(ImportError::Malformed { line, message, .. }) => (line, message),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("{:?}… was taken", &text[..text.len().min(200)]),
    }
}

#[test]
fn a_trace_is_a_stream_and_its_attributes_go_with_its_first_event() {
    let seen = log(r#"<trace>
  <string key="concept:name" value="case 1"/>
  <float key="cost" value="12.50"/>
  <event>
    <string key="concept:name" value="register &amp; check"/>
    <string key="org:resource" value="Pete"/>
    <date key="time:timestamp" value="2010-12-30T14:32:00.000+01:00"/>
  </event>
  <event><string key="concept:name" value="decide"/><date key="time:timestamp" value="2010-12-31T00:00:00Z"/></event>
</trace>"#);
    assert_eq!(
        shown(&seen),
        [
            r#"case 1 register & check {"concept:name":"register & check","org:resource":"Pete","time:timestamp":"2010-12-30T14:32:00.000+01:00"} {"case":{"concept:name":"case 1","cost":12.50}}"#,
            r#"case 1 decide {"concept:name":"decide","time:timestamp":"2010-12-31T00:00:00Z"} -"#,
        ]
    );
    assert_eq!(seen.events[0].category.as_deref(), Some("case"));
    let time = seen.events[0].event.time.as_ref().unwrap();
    assert_eq!(time.time.to_string(), "2010-12-30T13:32:00Z");
}

#[test]
fn every_type_of_attribute_is_kept_without_loss() {
    let seen = log(r#"<trace><event>
<string key="concept:name" value="T"/>
<string key="s" value="line&#10;&quot;quoted&quot; &#x1F600;"/>
<date key="d" value="2024-01-01"/>
<int key="i" value="9223372036854775807"/>
<int key="odd" value="+5"/>
<float key="f" value="2.3832541524E7"/>
<float key="whole" value="5"/>
<float key="nan" value="NaN"/>
<boolean key="b" value="true"/>
<boolean key="bb" value="1"/>
<id key="id" value="0f9fad5b-d9cb-469f-a165-70867728951e"/>
<string key="nested" value="v"><int key="n" value="1"/><date key="when" value="2024"/></string>
<list key="l"><values><string key="x" value="1"/><string key="x" value="2"/></values></list>
<list key="bare"><int key="x" value="1"/></list>
<container key="c"><string key="p" value="q"/></container>
<string key="empty" value=""></string>
</event></trace>"#);
    assert_eq!(
        shown(&seen),
        [concat!(
            r#"trace-1 T {"concept:name":"T","s":"line\n\"quoted\" 😀","d":"2024-01-01","#,
            r#""i":9223372036854775807,"odd":"+5","f":2.3832541524E7,"whole":5,"nan":"NaN","b":true,"bb":"1","#,
            r#""id":"0f9fad5b-d9cb-469f-a165-70867728951e","nested":{"value":"v","children":{"n":1,"when":"2024"}},"#,
            r#""l":[{"x":"1"},{"x":"2"}],"bare":[{"x":1}],"c":{"p":"q"},"empty":""} "#,
            r#"{"types":{"d":"date","odd":"int","whole":"float","nan":"float","bb":"boolean","id":"id","#,
            r#""nested/when":"date","c":"container"}}"#,
        )]
    );
}

#[test]
fn a_name_may_come_late_or_not_at_all() {
    let seen = log(r#"
<trace><event><string key="concept:name" value="A"/></event><string key="concept:name" value="late"/></trace>
<trace><event><string key="concept:name" value="B"/></event></trace>
<x:trace xmlns:x="urn:x"><x:string key="concept:name" value="late"/><x:event/></x:trace>
<trace/>
<trace><string key="concept:name" value="hollow"/></trace>
<event><string key="concept:name" value="lone"/></event>
<string key="creator" value="someone"/>
<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>"#);
    assert_eq!(
        shown(&seen),
        [
            r#"late A {"concept:name":"A"} {"case":{"concept:name":"late"}}"#,
            r#"trace-2 B {"concept:name":"B"} -"#,
            r#"late event {} {"case":{"concept:name":"late"}}"#,
            r#"test lone {"concept:name":"lone"} -"#,
        ]
    );
    let findings: Vec<_> = seen.totals.notes.into_vec();
    let kinds: Vec<_> = findings
        .iter()
        .map(|f| (f.kind, f.count, f.place.line))
        .collect();
    assert_eq!(
        kinds,
        [
            (FindingKind::MissingTime, 4, Some(4)),
            (FindingKind::MissingType, 1, Some(6)),
            (FindingKind::DuplicateTrace, 1, Some(6)),
            (FindingKind::EmptyTrace, 2, Some(7)),
            (FindingKind::NotKept, 1, Some(10)),
        ]
    );
}

#[test]
fn an_event_whose_time_is_none_is_rejected_and_the_others_taken() {
    let seen = log(r#"<trace><string key="concept:name" value="c"/>
<event><string key="concept:name" value="A"/><date key="time:timestamp" value="soon"/></event>
<event><string key="concept:name" value="B"/><date key="time:timestamp" value="2024-01-01T00:00:00Z"/></event>
</trace>"#);
    assert_eq!((seen.totals.read, seen.events.len()), (2, 1));
    let reject = &seen.totals.rejects.first[0];
    assert_eq!(reject.line, 4);
    assert!(
        reject.reason.starts_with("time:timestamp: \"soon\""),
        "{}",
        reject.reason
    );
    assert_eq!(
        reject.record,
        r#"{"concept:name":"A","time:timestamp":"soon"}"#
    );
}

#[test]
fn broken_xml_is_refused_with_its_line() {
    for (text, line, part) in [
        ("<log>\n<trace>\n<event>", 3, "cut off"),
        ("<log>\n<trace>\n</event></log>", 3, "broken"),
        (
            "<log>\n<trace><event><string key=\"a\" value=\"&nope;\"/></event></trace></log>",
            2,
            "broken",
        ),
        (
            "<log>\n<trace><event><string value=\"x\"/></event></trace></log>",
            2,
            "no key",
        ),
        (
            "<log>\n<trace><event><event/></event></trace></log>",
            2,
            "no XES attribute",
        ),
        ("<log></log>\n<log></log>", 2, "follows the end"),
        ("<html><body/></html>", 1, "not XES"),
        (
            "<log>\n\n<trace><event><string key=\"a\" key=\"b\" value=\"\"/></event></trace></log>",
            3,
            "broken",
        ),
    ] {
        let (at, message) = refused(text);
        assert!(message.contains(part), "{text:?}: {message}");
        assert_eq!(at, line, "{text:?}");
    }
}

#[test]
fn entity_bombs_are_refused_before_they_are_read() {
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE log [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>\n<log><trace><event><string key=\"x\" value=\"&b;\"/></event></trace></log>";
    let (line, message) = refused(bomb);
    assert_eq!(line, 2);
    assert!(message.contains("DOCTYPE"), "{message}");
}

#[test]
fn attributes_nested_without_end_are_refused() {
    let deep = format!(
        "<log><trace><event>{}{}</event></trace></log>",
        "<string key=\"a\" value=\"b\">".repeat(10_000),
        "</string>".repeat(10_000)
    );
    assert!(refused(&deep).1.contains("too deep"));
}

#[test]
fn latin1_is_read_as_what_it_is() {
    let text = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><log><trace><string key=\"concept:name\" value=\"Caf\xe9\"/><event/></trace></log>";
    let seen = see_files(&[("test.xes", text)]).unwrap();
    assert!(shown(&seen)[0].starts_with("Café event"));
    let text = b"<?xml version=\"1.0\"?><log><trace><string key=\"concept:name\" value=\"Caf\xe9\"/><event/></trace></log>";
    assert!(matches!(
        see_files(&[("test.xes", text)]),
        Err(ImportError::Malformed { .. })
    ));
}

#[test]
fn the_public_logs_have_the_events_that_others_count_in_them() {
    let Some(datasets) = datasets() else { return };
    for (file, events, cases, first, last) in [
        (
            "xes-running-example/running-example.xes",
            42,
            6,
            "2010-12-30T10:02:00Z",
            "2011-01-24T13:56:00Z",
        ),
        (
            "xes-receipt/receipt.xes.gz",
            8577,
            1434,
            "2010-10-02T07:20:39.266Z",
            "2012-01-23T14:42:54.644Z",
        ),
        (
            "xes-reviewing/reviewing.xes",
            3730,
            100,
            "2005-12-31T23:00:00Z",
            "2010-07-17T23:00:00Z",
        ),
        (
            "xes-bpic2013-incidents/bpic2013_incidents.xes.gz",
            65533,
            7554,
            "2010-03-31T14:59:42Z",
            "2012-05-22T23:22:25Z",
        ),
    ] {
        let seen = see_request(&request(vec![datasets.join(file)])).unwrap();
        assert_eq!(
            (
                seen.totals.read,
                seen.events.len(),
                seen.totals.streams.list.len()
            ),
            (events, events as usize, cases),
            "{file}"
        );
        let times = [seen.totals.first_time, seen.totals.last_time].map(|t| t.unwrap().to_string());
        assert_eq!(times, [first, last], "{file}");
        let faults: Vec<_> = seen
            .totals
            .notes
            .into_vec()
            .into_iter()
            .filter(|f| f.kind != FindingKind::NotKept)
            .collect();
        assert_eq!(faults, [], "{file}");
    }
}

proptest::proptest! {
    #[test]
    fn any_tags_are_read_or_refused(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "<trace>", "</trace>", "<event>", "</event>", "<string key=\"concept:name\" value=\"x\"/>",
                "<list key=\"l\">", "</list>", "<values>", "</values>", "<int key=\"i\" value=\"1\">", "</int>",
                "<container key=\"c\"/>", "<!-- c -->", "text", "&amp;", "<date key=\"time:timestamp\" value=\"2024\"/>",
                "<extension/>", "\n", "<![CDATA[x]]>", "<", "&x;",
            ]),
            0..30,
        ),
    ) {
        let text = format!("<log>{}</log>", parts.concat());
        if let Ok(seen) = see_files(&[("test.xes", text.as_bytes())]) {
            for event in &seen.events {
                for payload in [Some(&event.event.data), event.event.metadata.as_ref()].into_iter().flatten() {
                    serde_json::from_slice::<&serde_json::value::RawValue>(&payload.bytes).unwrap();
                }
            }
        }
    }
}

/// An attribute given twice stood twice in the payload, and nothing said so.
#[test]
fn an_attribute_given_twice_is_a_finding() {
    let twice = r#"<string key="a" value="1"/><string key="a" value="2"/>"#;
    let lists = format!(
        r#"<list key="l"><values>{twice}</values></list><container key="c"><string key="b" value="1"/></container>"#
    );
    let seen = log(&format!(
        "<trace><event>{lists}</event><event>{lists}</event></trace>"
    ));
    let kinds: Vec<_> = seen.findings().into_iter().map(|f| f.0).collect();
    assert!(!kinds.contains(&FindingKind::DuplicateKey), "{kinds:?}");
    for inner in [
        format!("<trace><event>{twice}</event></trace>"),
        format!("<trace>{twice}<event/></trace>"),
        format!(r#"<trace><event><container key="c">{twice}</container></event></trace>"#),
        format!(r#"<trace><event><string key="c" value="x">{twice}</string></event></trace>"#),
        format!(
            r#"<trace><event><list key="l"><values><string key="v" value="">{twice}</string></values></list></event></trace>"#
        ),
    ] {
        let seen = log(&inner);
        let found = seen.findings();
        let found = found.iter().find(|f| f.0 == FindingKind::DuplicateKey);
        assert_eq!(found.map(|f| f.1), Some(1), "{inner}");
    }
    let seen = log(
        r#"<trace><event><string key="concept:name" value="first"/><string key="concept:name" value="last"/></event></trace>"#,
    );
    assert_eq!(seen.events[0].event.event_type.as_str(), "last");
}

/// All attributes of an event were gathered, however many there were.
#[test]
fn an_event_with_endless_attributes_is_rejected_and_the_next_one_taken() {
    let many = r#"<int key="a" value="1"/>"#.repeat(540_000);
    for (open, close) in [("", ""), ("<container key=\"c\">", "</container>")] {
        let seen = log(&format!(
            "<trace><event>{open}{many}{close}</event><event><string key=\"concept:name\" value=\"T\"/></event></trace>"
        ));
        assert_eq!((seen.totals.read, seen.totals.rejects.count), (2, 1));
        let reject = &seen.totals.rejects.first[0];
        assert_eq!(
            reject.reason,
            "the event's attributes are longer than 64 MiB"
        );
        assert!(reject.record.len() < 1 << 17);
        assert_eq!(seen.events[0].event.event_type.as_str(), "T");
    }
    let (_, message) = refused(&format!("<log><trace>{many}</trace></log>"));
    assert_eq!(message, "the attributes of a trace are longer than 64 MiB");
}

#[test]
fn elements_nested_without_end_and_tags_without_end_are_refused() {
    let deep = format!("<log><x>{}", "<y>".repeat(100_000));
    assert_eq!(refused(&deep).1, "elements are nested too deep");
    let wide: Vec<String> = (0..101).map(|i| format!("a{i}=\"\"")).collect();
    let wide = format!("<log><trace {}/></log>", wide.join(" "));
    assert!(
        refused(&wide)
            .1
            .starts_with("an element has more than 100 XML attributes")
    );
}
