use super::*;

/// The parts of a draft that a test looks at, as one line of text.
fn mapped(record: &str) -> String {
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    let draft = match map(record.as_bytes(), &rules, 1) {
        Ok(draft) => draft,
        Err(reason) => return format!("rejected: {reason}"),
    };
    let mut parts = vec![draft.stream.to_string()];
    let mut part = |name: &str, value: Option<String>| {
        parts.extend(value.map(|value| format!("{name}={value}")));
    };
    part("category", draft.category.map(String::from));
    part("type", draft.event_type.map(String::from));
    part("time", draft.time.as_ref().map(|t| t.time.to_string()));
    part("text", draft.time.and_then(|t| t.text));
    part("id", draft.id.map(String::from));
    part("schema", draft.schema_version.map(String::from));
    part("version", draft.source_version.map(String::from));
    part("position", draft.source_position.map(String::from));
    part("recorded", draft.source_recorded_at.map(|t| t.to_string()));
    part("data", Some(draft.data.into_owned()));
    part("metadata", draft.metadata.map(String::from));
    parts.join(" | ")
}

#[track_caller]
fn check(record: &str, want: &str) {
    let mapped = mapped(record);
    assert_eq!(mapped, want);
    // Whatever is written as JSON must be JSON.
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    if let Ok(draft) = map(record.as_bytes(), &rules, 1) {
        for json in [Some(draft.data), draft.metadata].into_iter().flatten() {
            serde_json::from_str::<&RawValue>(&json).unwrap();
        }
    }
}

#[test]
fn the_guides_order_event_maps_whole() {
    check(
        r#"{
  "eventId": "evt-12345",
  "aggregateId": "order-789",
  "eventType": "OrderPlaced",
  "timestamp": "2024-01-15T10:30:00Z",
  "version": 1,
  "data": {"customerId": "cust-456",  "totalAmount": 109.97},
  "metadata": { "userId": "user-789", "correlationId": "corr-abc123" }
}"#,
        r#"order-789 | type=OrderPlaced | time=2024-01-15T10:30:00Z | text=2024-01-15T10:30:00Z | id=evt-12345 | version=1 | data={"customerId": "cust-456",  "totalAmount": 109.97} | metadata={ "userId": "user-789", "correlationId": "corr-abc123" }"#,
    );
}

#[test]
fn the_guides_dynamodb_item_maps_whole() {
    check(
        r#"{"aggregate_id":"order-789","version":5,"event_type":"OrderShipped","event_data":{"carrier":"UPS"},"timestamp":"2024-01-15T14:30:00Z","metadata":{"userId":"user-123"}}"#,
        r#"order-789 | type=OrderShipped | time=2024-01-15T14:30:00Z | text=2024-01-15T14:30:00Z | version=5 | data={"carrier":"UPS"} | metadata={"userId":"user-123"}"#,
    );
}

#[test]
fn the_guides_user_events_belong_to_the_user() {
    check(
        r#"{"eventId":"evt-001","userId":"123","timestamp":"2024-01-01T10:00:00Z","eventType":"UserRegistered","data":{"name":"John Smith"}}"#,
        r#"user-123 | type=UserRegistered | time=2024-01-01T10:00:00Z | text=2024-01-01T10:00:00Z | id=evt-001 | data={"name":"John Smith"}"#,
    );
}

#[test]
fn the_guides_flat_events_keep_their_fields_as_data_and_context_as_metadata() {
    check(
        r#"{"eventType":"OrderPlaced","customerId":"cust-123","totalAmount":99.99}"#,
        r#"cust-123 | type=OrderPlaced | data={"customerId":"cust-123","totalAmount":99.99}"#,
    );
    check(
        r#"{"eventType":"OrderPlaced","orderId":"order-123","customerId":"cust-456","timestamp":"2024-01-15T10:30:00Z","correlationId":"corr-abc123","causationId":"cmd-def456","userId":"user-789","sessionId":"sess-xyz","ipAddress":"192.168.1.100","userAgent":"Mozilla/5.0...","businessContext":{"channel":"mobile-app"}}"#,
        r#"order-123 | type=OrderPlaced | time=2024-01-15T10:30:00Z | text=2024-01-15T10:30:00Z | data={"orderId":"order-123","customerId":"cust-456","businessContext":{"channel":"mobile-app"}} | metadata={"correlationId":"corr-abc123","causationId":"cmd-def456","userId":"user-789","sessionId":"sess-xyz","ipAddress":"192.168.1.100","userAgent":"Mozilla/5.0..."}"#,
    );
}

#[test]
fn eventstoredb_times_are_found_in_the_metadata_and_the_file_names_the_stream() {
    check(
        r#"{"eventId":"b989fe21-9469-4017-8d71-9820b8dd1164","eventType":"ItemAdded","data":{"Description":"Xbox"},"metadata":{"TimeStamp":"2016-12-23T08:00:00.9225401+01:00"}}"#,
        r#"stem | type=ItemAdded | time=2016-12-23T07:00:00.922540100Z | text=2016-12-23T08:00:00.9225401+01:00 | id=b989fe21-9469-4017-8d71-9820b8dd1164 | data={"Description":"Xbox"} | metadata={"TimeStamp":"2016-12-23T08:00:00.9225401+01:00"}"#,
    );
}

#[test]
fn a_git_line_happened_when_it_was_committed() {
    check(
        r#"{"seq": 1, "type": "FileAdded", "stream": "lib/a.rb", "author": "Ben", "authored_at": "2014-05-21T10:59:40-07:00", "committed_at": "2014-05-21T10:59:46-07:00"}"#,
        r#"lib/a.rb | type=FileAdded | time=2014-05-21T17:59:46Z | text=2014-05-21T10:59:46-07:00 | position=1 | data={"seq":1,"author":"Ben","authored_at":"2014-05-21T10:59:40-07:00","committed_at":"2014-05-21T10:59:46-07:00"}"#,
    );
}

#[test]
fn an_id_says_what_it_is_of_where_the_value_does_not() {
    for (record, want) in [
        (r#"{"type":"T","orderId":7}"#, "order-7"),
        (r#"{"type":"T","order_id":"order-7"}"#, "order-7"),
        (r#"{"type":"T","shoppingCartId":"x"}"#, "shoppingCart-x"),
        (r#"{"type":"T","orderId":"1","customerId":"2"}"#, "order-1"),
        (r#"{"type":"T","customerId":"2","orderId":"1"}"#, "order-1"),
        (r#"{"type":"T","widgetId":"9","userId":"1"}"#, "widget-9"),
        (r#"{"type":"T","sessionId":"9","userId":"1"}"#, "user-1"),
        (r#"{"type":"T","orderId":"","userId":"1"}"#, "user-1"),
        (r#"{"type":"T","orderId":null}"#, "stem"),
        (
            r#"{"type":"T","orderId":"0f9fad5b-d9cb-469f-a165-70867728951e"}"#,
            "order-0f9fad5b-d9cb-469f-a165-70867728951e",
        ),
        (
            r#"{"type":"T","orderId":"deadbeef-d9cb-469f-a165-70867728951e"}"#,
            "order-deadbeef-d9cb-469f-a165-70867728951e",
        ),
        (
            r#"{"type":"T","aggregateId":"order-789","orderId":"1"}"#,
            "order-789",
        ),
        (r#"{"type":"T","streamName":"12","orderId":"1"}"#, "12"),
        (
            r#"{"type":"T","aggregateId":"12"}"#,
            "12 | category=aggregate",
        ),
        (
            r#"{"type":"T","aggregateId":12,"aggregateType":"Order"}"#,
            "Order-12 | category=Order",
        ),
        (
            r#"{"type":"T","aggregateId":"0f9fad5b-d9cb-469f-a165-70867728951e","aggregate_type":"Order"}"#,
            "0f9fad5b-d9cb-469f-a165-70867728951e | category=Order",
        ),
        (
            r#"{"type":"T","aggregateId":"ord-1","aggregateType":"Order"}"#,
            "ord-1 | category=Order",
        ),
    ] {
        let mapped = mapped(record);
        let stream = mapped.split(" | type=").next().unwrap();
        assert_eq!(stream, want, "{record}");
    }
}

#[test]
fn unknown_keys_of_an_envelope_are_kept_in_the_metadata() {
    check(
        r#"{"type":"T","stream":"s","data":1,"tenant":"x","correlationId":"c","weird":[1, 2],"metadata":{"a":1 }}"#,
        r#"s | type=T | data=1 | metadata={"a":1 ,"correlationId":"c","envelope":{"tenant":"x","weird":[1, 2]}}"#,
    );
    check(
        r#"{"type":"T","stream":"s","data":null,"userId":"u","metadata":{}}"#,
        r#"s | type=T | data=null | metadata={"userId":"u"}"#,
    );
    check(
        r#"{"type":"T","stream":"s","data":{},"userId":"u","metadata":"note"}"#,
        r#"s | type=T | data={} | metadata={"metadata":"note","userId":"u"}"#,
    );
    check(
        r#"{"type":"T","stream":"s","data":{},"correlationId":"outer","metadata":{"correlationId":"inner","envelope":0}}"#,
        r#"s | type=T | data={} | metadata={"correlationId":"inner","envelope":0,"envelope_":{"correlationId":"outer"}}"#,
    );
    check(
        r#"{"type":"T","stream":"s","data":{},"metadata":null}"#,
        r#"s | type=T | data={}"#,
    );
}

#[test]
fn a_record_that_is_no_event_is_kept_as_it_is() {
    check(
        r#"{ "id": 5, "name" : "Anna",  "x": 1.10 }"#,
        r#"stem | data={ "id": 5, "name" : "Anna",  "x": 1.10 }"#,
    );
    check("{}", "stem | data={}");
}

#[test]
fn of_two_keys_for_one_place_the_plainer_wins_and_the_other_is_kept() {
    check(
        r#"{"type":"A","eventType":"B","orderId":"1","created_at":"2024-01-01","timestamp":1705314600,"position":3,"version":"1.2"}"#,
        r#"order-1 | type=B | time=2024-01-15T10:30:00Z | text=1705314600 | data={"type":"A","orderId":"1","created_at":"2024-01-01","position":3,"version":"1.2"}"#,
    );
    check(
        r#"{"type":"A","stream":"s","recordedAt":"2024-01-02T00:00:00Z","position":3,"data":{}}"#,
        r#"s | type=A | time=2024-01-02T00:00:00Z | text=2024-01-02T00:00:00Z | position=3 | recorded=2024-01-02T00:00:00Z | data={} | metadata={"envelope":{"recordedAt":"2024-01-02T00:00:00Z"}}"#,
    );
}

#[test]
fn escapes_in_keys_and_names_survive() {
    check(
        r#"{"event\u0054ype":"Ä\"b","stream":"a\\b","k\"ey":"v","data":{"\u00e9":"\ud83d\ude00"}}"#,
        r#"a\b | type=Ä"b | data={"\u00e9":"\ud83d\ude00"} | metadata={"envelope":{"k\"ey":"v"}}"#,
    );
}

#[test]
fn a_key_held_twice_is_told_and_both_are_kept() {
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    let draft = map(br#"{"type":"A","type":"B","a":1,"a":2}"#, &rules, 1).unwrap();
    assert_eq!(draft.event_type.as_deref(), Some("B"));
    assert_eq!(draft.data, r#"{"type":"A","a":1,"a":2}"#);
    assert_eq!(draft.repeated_key.as_deref(), Some("type"));
}

#[test]
fn records_that_cannot_be_taken_say_why_and_where() {
    for (record, reason) in [
        (
            &br#"{"a":1"#[..],
            "not JSON: EOF while parsing an object at column 6",
        ),
        (
            b"{\"a\":1,\n\"b\":}",
            "not JSON: expected value at line 8 column 5",
        ),
        (b"[1]", "a record must be a JSON object"),
        (b"nonsense", "not JSON: expected ident at column 2"),
        (b"{\"a\":\"\xff\"}", "not UTF-8 at byte 7 of the record"),
        (
            b"{\"a\":\"\0\"}",
            "not JSON: control character (\\u0000-\\u001F) found while parsing a string at column 6",
        ),
        (b"{} {}", "not JSON: trailing characters at column 4"),
        (
            br#"{"timestamp":"soon"}"#,
            "timestamp: \"soon\" is not a time Annals knows (RFC 3339, for example 2024-01-10T23:59:59Z, or a date)",
        ),
        (
            br#"{"timestamp":"0001-01-01T00:00:00+01:00"}"#,
            "timestamp: \"0001-01-01T00:00:00+01:00\" is outside the years 0001 to 9999",
        ),
    ] {
        let rules = Rules {
            zone: chrono_tz::UTC,
            stem: "stem",
        };
        let shown = String::from_utf8_lossy(record).into_owned();
        assert_eq!(
            map(record, &rules, 7).err().as_deref(),
            Some(reason),
            "{shown}"
        );
    }
}

#[test]
fn nesting_is_taken_as_deep_as_readers_of_the_log_can_follow() {
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    let nested = |depth: usize| format!("{{\"data\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let deepest = nested(MAX_DEPTH - 1);
    map(deepest.as_bytes(), &rules, 1).unwrap();
    serde_json::from_str::<serde_json::Value>(&deepest).unwrap();
    assert_eq!(
        map(nested(MAX_DEPTH).as_bytes(), &rules, 1).unwrap_err(),
        "nested more than 127 deep; that is the most that is taken"
    );
    assert!(map(nested(100_000).as_bytes(), &rules, 1).is_err());
}

/// The metadata was parsed again for each key of the envelope.
#[test]
fn thousands_of_context_keys_are_looked_up_in_metadata_read_once() {
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    let own: Vec<String> = (0..20_000).map(|i| format!("\"k{i}\":{i}")).collect();
    let context = "\"userId\":\"u\",\"actor\":\"a\",".repeat(10_000);
    let record = format!(
        "{{{context}\"type\":\"A\",\"data\":{{}},\"metadata\":{{{}}}}}",
        own.join(",")
    );
    let draft = map(record.as_bytes(), &rules, 1).unwrap();
    let metadata = draft.metadata.unwrap();
    assert!(metadata.starts_with("{\"k0\":0,"));
    assert_eq!(metadata.matches("\"actor\":\"a\"").count(), 10_000);
    assert_eq!(draft.repeated_key.as_deref(), Some("actor"));
}

/// An id or type that no reader can read was taken for missing, without a word.
#[test]
fn half_a_surrogate_pair_is_no_name() {
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    for key in [
        "eventId",
        "type",
        "streamId",
        "orderId",
        "userId",
        "timestamp",
        "aggregateType",
    ] {
        let record = format!(r#"{{"{key}":"a\ud800b","data":{{}}}}"#);
        let reason = map(record.as_bytes(), &rules, 1).unwrap_err();
        assert!(
            reason.starts_with(&format!("{key}: the text holds half a surrogate pair")),
            "{reason}"
        );
        let whole =
            format!(r#"{{"{key}":"2024-01-01\u0020\ud83d\ude00","data":{{"t":"\udfff"}}}}"#);
        if key != "timestamp" {
            map(whole.as_bytes(), &rules, 1).unwrap();
        }
    }
}

#[test]
fn an_exported_line_comes_back_as_the_event_it_was() {
    check(
        r#"{"position":9,"stream":"order-789","category":"sales","version":3,"type":"OrderPlaced","time":"2024-01-10T00:00:00Z","time_text":"2024-01-10","date_only":true,"recorded_at":"2024-02-01T00:00:00Z","id":"evt-1","actor":"anna","correlation":null,"causation":null,"schema_version":"2","data":{ "a": 1 },"metadata":null,"data_text":"{\n\"a\": 1\n}"}"#,
        "order-789 | category=sales | type=OrderPlaced | time=2024-01-10T00:00:00Z | text=2024-01-10 | id=evt-1 | schema=2 | version=3 | position=9 | recorded=2024-02-01T00:00:00Z | data={\n\"a\": 1\n}",
    );
}

#[test]
fn json_test_suite_is_taken_and_refused_as_it_says() {
    let Some(datasets) = crate::import::tests::datasets() else {
        return;
    };
    let rules = Rules {
        zone: chrono_tz::UTC,
        stem: "stem",
    };
    let (mut taken, mut refused) = (0, 0);
    for file in std::fs::read_dir(datasets.join("json-suites/JSONTestSuite/test_parsing")).unwrap()
    {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let document = std::fs::read(file.path()).unwrap();
        let record = [
            &b"{\"stream\":\"s\",\"type\":\"T\",\"data\":"[..],
            &document,
            b"}",
        ]
        .concat();
        let draft = map(&record, &rules, 1);
        match &name[..2] {
            "y_" => {
                let data = draft.unwrap_or_else(|e| panic!("{name}: {e}")).data;
                assert_eq!(data.as_bytes(), document.trim_ascii(), "{name}");
                taken += 1;
            }
            "n_" => {
                assert!(draft.is_err(), "{name} was taken");
                refused += 1;
            }
            // Either way, but without a panic.
            _ => {}
        }
    }
    assert_eq!((taken, refused), (95, 188));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>, zone in 0..2usize) {
        let zone = [chrono_tz::UTC, chrono_tz::Europe::Berlin][zone];
        let rules = Rules { zone, stem: "stem" };
        let _ = map(&bytes, &rules, 1);
        let _ = map(&[b"{\"timestamp\":\"", &bytes[..], b"\"}"].concat(), &rules, 1);
    }

    #[test]
    fn whatever_is_mapped_is_json(
        keys in proptest::collection::vec(
            proptest::sample::select(vec![
                "id", "eventId", "type", "event", "stream", "aggregateId", "aggregateType", "orderId", "userId",
                "data", "payload", "metadata", "meta", "timestamp", "created_at", "version", "seq", "position",
                "recordedAt", "correlationId", "author", "x", "\\u0041\\\"", "date_only", "schemaVersion",
            ]),
            0..8,
        ),
        values in proptest::collection::vec(
            proptest::sample::select(vec![
                "1", "-0.5e3", "\"\"", "\"a\"", "\"a-b\"", "\"\\\"\\u00e9\"", "null", "true", "{}", "{ \"k\" : 1 }",
                "[1,2]", "\"2024-01-15\"", "1705314600", "{\"timestamp\":\"2024-01-15T00:00:00Z\"}",
            ]),
            8,
        ),
    ) {
        let members: Vec<String> = keys.iter().zip(&values).map(|(k, v)| format!("\"{k}\": {v}")).collect();
        let record = format!("{{{}}}", members.join(", "));
        let rules = Rules { zone: chrono_tz::UTC, stem: "stem" };
        if let Ok(draft) = map(record.as_bytes(), &rules, 1) {
            serde_json::from_str::<&RawValue>(&draft.data).unwrap();
            if let Some(metadata) = &draft.metadata {
                serde_json::from_str::<&RawValue>(metadata).unwrap();
            }
            // Every value stands somewhere in the event.
            let place = format!("{draft:?}");
            for (key, value) in keys.iter().zip(&values) {
                // A context may follow inside the object.
                let trimmed = value.trim_matches('"').trim_end_matches('}');
                let shown = format!("{trimmed:?}");
                proptest::prop_assert!(
                    trimmed.is_empty()
                        || *value == "null"
                        || place.contains(trimmed)
                        || place.contains(&shown[1..shown.len() - 1])
                        || place.contains("\"é"),
                    "{key}: {value} of {record} is not in {place}"
                );
            }
        }
    }
}
