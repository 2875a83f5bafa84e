use super::*;

fn plan(toml: &str) -> RecordPlan {
    let mapping = Mapping::from_toml("m.toml", toml).unwrap();
    RecordPlan::new(&mapping, SourceOrder::Total, Tz::UTC).unwrap()
}

/// Data and metadata of the one event that a record becomes.
fn mapped(plan: &RecordPlan, text: &str) -> (String, Option<String>) {
    let draft = plan.map(text, "stem", 1).unwrap().unwrap();
    (draft.data.into_owned(), draft.metadata.map(Cow::into_owned))
}

#[test]
fn the_record_stays_whole_where_no_payload_is_named() {
    let plan = plan("[event]\ntype = \"{t}\"\nactor = \"{who.name}\"\n");
    let text = r#"{ "t":"T", "n":1.50, "who":{"name":"jo"} }"#;
    let (data, metadata) = mapped(&plan, text);
    assert_eq!(data, text);
    assert_eq!(metadata.as_deref(), Some(r#"{"actor":"jo"}"#));
}

/// What stands beside a payload was lost.
#[test]
fn what_stands_beside_the_payload_is_kept_as_it_was_written() {
    let plan = plan(
        "[event]\ntype = \"{t}\"\ndata = \"{p.inner}\"\nmetadata = \"{m}\"\nactor = \"{who}\"\n",
    );
    let text =
        r#"{"t":"T","p":{"inner": {"n":1.50},"x":007e1},"m":{"actor":"own","k":1},"who":"jo"}"#
            .replace("007e1", "7e1");
    let (data, metadata) = mapped(&plan, &text);
    assert_eq!(data, r#"{"n":1.50}"#);
    assert_eq!(
        metadata.as_deref(),
        Some(
            r#"{"actor":"own","k":1,"envelope":{"t":"T","p":{"inner": null,"x":7e1},"m":null,"who":"jo"}}"#
        )
    );
}

#[test]
fn a_payload_in_a_text_is_taken_out_of_it_byte_for_byte() {
    let plan = plan("[event]\ntype = \"{t}\"\ndata = \"{d}\"\n");
    for (d, want) in [
        (r#""{\"n\": 1.50}""#, r#"{"n": 1.50}"#),
        (r#""\\x7b226e223a312e35307d""#, r#"{"n":1.50}"#),
        (r#""no json""#, r#""no json""#),
        ("[1, 2]", "[1, 2]"),
    ] {
        let (data, _) = mapped(&plan, &format!(r#"{{"t":"T","d":{d}}}"#));
        assert_eq!(data, want, "{d}");
    }
}

#[test]
fn a_change_says_the_row_and_what_it_was() {
    let plan = plan(
        "types = { i = \"Created\", u = \"Changed\", d = \"Deleted\" }\n[change]\nbefore = \"{old}\"\nafter = \"{data}\"\ncreates = [\"Created\"]\ndeletes = [\"Deleted\"]\n[event]\ntype = \"{op}\"\n",
    );
    for (record, want) in [
        (
            r#"{"op":"i","data":{"id":1,"a":1.50}}"#,
            r#"{"row":{"id":1,"a":1.50},"was":null}"#,
        ),
        (
            r#"{"op":"u","data":{"id":1,"a":2},"old":{"a":1.50}}"#,
            r#"{"row":{"id":1,"a":2},"was":{"id":1,"a":1.50}}"#,
        ),
        (
            r#"{"op":"u","data":{"id":1,"a":2},"old":null}"#,
            r#"{"row":{"id":1,"a":2}}"#,
        ),
        (
            r#"{"op":"d","data":{"id":1,"a":2}}"#,
            r#"{"row":null,"was":{"id":1,"a":2}}"#,
        ),
    ] {
        let (data, metadata) = mapped(&plan, record);
        assert_eq!(data, want, "{record}");
        assert!(
            metadata
                .unwrap()
                .starts_with(r#"{"inferred":true,"envelope":"#)
        );
    }
}

#[test]
fn records_stand_in_lists_and_know_their_lines() {
    let plan = plan("records = \"a.list[].r || Records[]\"\n[event]\ntype = \"{t}\"\n");
    let held = |text: &str| {
        let records = plan.records_in(text)?;
        Some(
            records
                .into_iter()
                .map(|h| (h.lines, h.text.into_owned()))
                .collect::<Vec<_>>(),
        )
    };
    let owned = |records: &[(u64, &str)]| {
        Some(records.iter().map(|(n, t)| (*n, (*t).to_owned())).collect())
    };
    assert_eq!(
        held("{\"Records\":[{\"t\":1},\n\n{\"t\":2}]}"),
        owned(&[(0, "{\"t\":1}"), (2, "{\"t\":2}")])
    );
    assert_eq!(
        held("{\"a\":{\"list\":[{\"r\":{\"t\":1}},{\"x\":1}]}}"),
        owned(&[(0, "{\"t\":1}"), (0, "{\"x\":1}")])
    );
    assert_eq!(held("{\"t\":1}"), None);
    assert_eq!(held("{\"Records\":[]}"), owned(&[]));
    assert_eq!(
        plan.lost_around("{\"Records\":[],\"next\":1}").as_deref(),
        Some("\"next\"")
    );
}

#[test]
fn a_time_of_zero_is_none() {
    let plan = plan("[event]\ntype = \"{t}\"\ntime = \"{a} || {b}\"\n");
    let time = |text: &str| {
        plan.map(text, "s", 1)
            .map(|d| d.unwrap().time.map(|t| t.time.to_string()))
    };
    assert_eq!(
        time(r#"{"t":"T","a":0,"b":1705314600000}"#),
        Ok(Some("2024-01-15T10:30:00Z".to_owned()))
    );
    assert!(time(r#"{"t":"T","a":"soon"}"#).is_err());
    assert_eq!(time(r#"{"t":"T"}"#), Ok(None));
}

proptest::proptest! {
    /// No bytes make the mapper panic, and what it takes is JSON.
    #[test]
    fn any_record_is_survived(text in "[{}\\[\\]\":,a-e0-9\\\\x ]{0,60}") {
        let plan = plan("records = \"a[]\"\nreshape = [\"dynamodb\", \"json_in_text\"]\n[event]\ntype = \"{a} || {b.c}\"\ndata = \"{d}\"\nmetadata = \"{e}\"\n");
        let whole = [text.as_str()];
        let held = plan.records_in(&text);
        let records: Vec<&str> = match &held {
            Some(held) => held.iter().map(|held| &*held.text).collect(),
            None => whole.to_vec(),
        };
        for record in records {
            if let Ok(Some(draft)) = plan.map(record, "s", 1) {
                proptest::prop_assert!(serde_json::from_str::<&RawValue>(&draft.data).is_ok());
                if let Some(metadata) = &draft.metadata {
                    proptest::prop_assert!(serde_json::from_str::<&RawValue>(metadata).is_ok(), "{metadata}");
                }
            }
        }
    }
}
