//! Known answers on real files of formats that presets read; each `facts.json` was computed by other tools.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};

use support::known::{Known, count_by, dataset, rows, text, time, top};

/// The presets by which the files of an import were read, each once.
fn presets(report: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|file| file["preset"].as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn cloudtrail() {
    for (set, files) in [
        ("cloudtrail-stratus", "docs/detonation-logs"),
        (
            "cloudtrail-mordor",
            "ec2_proxy_s3_exfiltration_2020-09-14011940.json",
        ),
        ("cloudtrail-mordor", "ec2_proxy_s3_exfiltration.zip"),
    ] {
        let Some(known) = Known::import(set, &[files]) else {
            return;
        };
        let facts = &known.facts;
        assert_eq!(presets(&known.report), ["cloudtrail"], "{set}");
        assert_eq!(known.report["stored"], facts["events"], "{set}");
        let events = known.events(&[]);
        let types = top(count_by(events.iter().map(|e| text(&e["type"]))), 10);
        assert_eq!(types, facts["eventName_top10"], "{set}");
        let info = known.info();
        for (name, fact) in [
            ("first_time", "first_eventTime"),
            ("last_time", "last_eventTime"),
        ] {
            assert_eq!(time(&info[name]), time(&facts[fact]), "{set} {name}");
        }
        if let Some(actors) = facts.get("actor_arn_top5") {
            let arns = events
                .iter()
                .filter_map(|e| e["actor"].as_str())
                .filter(|actor| actor.starts_with("arn:"));
            assert_eq!(&top(count_by(arns), 5), actors, "{set}");
        }
    }
}

#[test]
fn audit_logs_of_services() {
    for (name, preset) in [
        ("Amazon.EKS.Audit", "kubernetes-audit"),
        ("Azure.MonitorActivity", "azure-activity"),
        ("Box.Event", "box"),
        ("GSuite.ActivityEvent", "gsuite"),
        ("MongoDB.OrganizationEvent", "mongodb-atlas"),
    ] {
        let Some(known) = Known::import("saas-audit-b", &[&format!("{name}.jsonl")]) else {
            return;
        };
        let facts = &known.facts[name];
        assert_eq!(presets(&known.report), [preset]);
        assert_eq!(known.report["read"], facts["events"], "{name}");
        let actors = facts["actors_top3"].as_array().unwrap();
        for actor in actors {
            let named = known.count(&["--actor", text(&actor[0])]);
            assert!(named > 0, "{name}: {actor}");
        }
    }
}

#[test]
fn windows_schtask() {
    let file = "schtask_create_2020-12-1907003032.json";
    let Some(known) = Known::import("windows-schtask", &[file]) else {
        return;
    };
    let facts = &known.facts;
    assert_eq!(presets(&known.report), ["windows-event"]);
    assert_eq!(known.report["stored"], facts["events"]);
    let events = known.events(&[]);
    let id = |event: &Value| text(&event["type"]).rsplit(' ').next().unwrap().to_owned();
    let ids: Vec<String> = events.iter().map(id).collect();
    let top_ids = top(count_by(ids.iter().map(String::as_str)), 10);
    assert_eq!(top_ids, facts["EventID_top10"]);
    let so_far = known.count(&["--to", text(&facts["as_of"]["T"])]);
    assert_eq!(facts["as_of"]["events_so_far"], so_far);
}

#[test]
fn github_events_and_webhooks() {
    let Some(known) = Known::import("github-events", &["github_events.json"]) else {
        return;
    };
    assert_eq!(presets(&known.report), ["github-events"]);
    let info = known.info();
    assert_eq!(info["events"], known.facts["events"]);
    assert_eq!(info["streams"], known.facts["repos"]);
    assert_eq!(rows(&info["types"]), known.facts["types"]);
    let Some(known) = Known::import("github-webhooks", &["."]) else {
        return;
    };
    assert!(known.report["read"].as_u64() >= known.facts["files"].as_u64());
    // The folder of a payload is the name of its event.
    let mut wrong = Vec::new();
    for event in known.events(&[]) {
        let event_type = text(&event["type"]);
        let Some((folder, _)) = text(&event["source"]).split_once('/') else {
            continue;
        };
        if event_type.split('.').next() != Some(folder) {
            wrong.push(format!("{folder}: {event_type}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn fhir_patients() {
    let Some(folder) = dataset("fhir-synthea-a") else {
        return;
    };
    let files = std::fs::read_dir(&folder).unwrap();
    let mut seen = 0;
    for file in files {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(known) = Known::import("fhir-synthea-a", &[&name]) else {
            return;
        };
        let Some(patient) = known.facts[&name]["patient"].as_str() else {
            continue;
        };
        seen += 1;
        let facts = &known.facts[&name];
        assert_eq!(known.report["stored"], facts["resources"], "{name}");
        let stream = format!("Patient-{patient}");
        let of_type = |event_type: &str, until: &str| {
            known.count(&["--stream", &stream, "--type", event_type, "--to", until])
        };
        let t = "2015-01-01T00:00:00Z";
        assert_eq!(
            facts[format!("encounters_until_{t}")],
            of_type("Encounter", t),
            "{name}"
        );
    }
    assert!(seen > 0);
}

/// The row of the table as of an instant is `row` in the state of its stream.
#[test]
fn debezium_rows_as_of_an_instant() {
    let file = "debezium-data-products.txt";
    let Some(known) = Known::import("cdc-debezium", &[file]) else {
        return;
    };
    assert_eq!(presets(&known.report), ["debezium"]);
    let facts = &known.facts[file];
    let alive = |at: Option<&str>| {
        let streams = known.streams(&[]);
        let mut rows = Vec::new();
        for stream in &streams {
            let name = text(&stream["stream"]);
            let mut args = vec!["state", "log.annals", name];
            args.extend(at.into_iter().flat_map(|at| ["--at", at]));
            let state = known.sandbox.json(&args);
            let row = &state["state"]["row"];
            if row.is_object() {
                rows.push(json!([row["id"], row["name"], row["weight"]]));
            }
        }
        rows.sort_by_key(|row| row[0].as_u64());
        Value::Array(rows)
    };
    let same = |found: Value, facts: &Value| {
        for (row, fact) in found
            .as_array()
            .unwrap()
            .iter()
            .zip(facts.as_array().unwrap())
        {
            assert_eq!((&row[0], &row[1]), (&fact[0], &fact[1]));
            assert_eq!(row[2].as_f64(), fact[2].as_f64(), "{row}");
        }
        assert_eq!(
            found.as_array().unwrap().len(),
            facts.as_array().unwrap().len()
        );
    };
    same(alive(None), &facts["final_rows"]);
    let at = chrono::DateTime::from_timestamp_millis(facts["as_of_ts_ms"]["T"].as_i64().unwrap());
    let at = at
        .unwrap()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    same(alive(Some(&at)), &facts["as_of_ts_ms"]["rows"]);
}

#[test]
fn maxwell_changes() {
    let Some(known) = Known::import("cdc-debezium", &["maxwell_data.txt"]) else {
        return;
    };
    assert_eq!(presets(&known.report), ["maxwell"]);
    let state = known.sandbox.json(&["state", "log.annals", "products-101"]);
    assert_eq!(state["state"]["row"]["weight"], "4.56");
    assert_eq!(state["state"]["was"]["weight"], "3.14");
    let gone = known.sandbox.json(&["state", "log.annals", "products-109"]);
    assert_eq!(gone["state"]["row"], Value::Null);
}

#[test]
fn cloudevents_of_google() {
    let folder = "google-cloudevents/examples/structured";
    let Some(known) = Known::import("cloudevents", &[folder]) else {
        return;
    };
    assert_eq!(presets(&known.report), ["cloudevents"]);
    assert_eq!(known.report["stored"], known.facts["google_structured"]);
    let info = known.info();
    let mut types: Vec<&Value> = info["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["name"])
        .collect();
    types.sort_by_key(|name| text(name));
    assert_eq!(json!(types), known.facts["google_structured_types"]);
}

/// Events of an object-centric log, beside those that say what its objects are.
fn own_events(events: &[Value]) -> impl Iterator<Item = &Value> {
    let is_inferred = |event: &&Value| event["metadata"]["inferred"] == true;
    events.iter().filter(move |event| !is_inferred(event))
}

#[test]
fn object_centric_logs() {
    for (set, file) in [
        ("ocel2-spec-example", "ocel20_example.jsonocel"),
        ("ocel2-spec-example", "ocel20_example.xmlocel"),
        ("ocel2-spec-example", "ocel20_example.sqlite"),
        ("ocel2-small", "SmallExample.json"),
        ("ocel2-small", "SmallExample.xml"),
        ("ocel2-nts", "NTS_OCEL_2026.json"),
        ("ocel1-order-process", "order_process.jsonocel"),
        ("ocel2-order-mgmt", "running-example.sqlite"),
    ] {
        let Some(known) = Known::import(set, &[file]) else {
            return;
        };
        let facts = match known.facts.get(file) {
            Some(facts) => facts,
            None => &known.facts,
        };
        let events = known.events(&[]);
        let own: Vec<&Value> = own_events(&events).collect();
        assert_eq!(facts["events"], own.len(), "{file}");
        let types = top(count_by(own.iter().map(|e| text(&e["type"]))), 1_000);
        assert_eq!(types, facts["events_per_type"], "{file}");
        let streams = known.streams(&[]);
        assert_eq!(facts["objects"], streams.len(), "{file}");
        let kinds = top(
            count_by(streams.iter().map(|s| text(&s["category"]))),
            1_000,
        );
        assert_eq!(kinds, facts["objects_per_type"], "{file}");
        let relations = own.iter().map(|event| {
            let relations = event["metadata"]["relationships"].as_array();
            relations.map_or(0, Vec::len)
        });
        assert_eq!(facts["e2o_relations"], relations.sum::<usize>(), "{file}");
        // The facts are to the millisecond.
        let millis = |instant: chrono::DateTime<chrono::Utc>| instant.timestamp_millis();
        let times: Vec<i64> = own.iter().map(|e| millis(time(&e["time"]))).collect();
        let first = times.iter().min().unwrap();
        assert_eq!(*first, millis(time(&facts["first_event"])), "{file}");
        let last = times.iter().max().unwrap();
        assert_eq!(*last, millis(time(&facts["last_event"])), "{file}");
        let busiest = &facts["object_with_most_events"];
        let of_object = known.events(&["--stream", text(&busiest["object"])]);
        let count = own_events(&of_object).count();
        assert_eq!(busiest["events"], count, "{file}");
        let t = &facts["as_of"]["T"];
        let so_far = own.iter().filter(|e| time(&e["time"]) <= time(t));
        assert_eq!(facts["as_of"]["events_so_far"], so_far.count(), "{file}");
    }
}

#[test]
fn price_of_a_product_as_of_an_instant() {
    let Some(known) = Known::import("ocel2-order-mgmt", &["running-example.sqlite"]) else {
        return;
    };
    let changed = &known.facts["most_changed_object_attribute"];
    let object = text(&changed["object"]);
    let at = |instant: &Value| {
        let args = ["state", "log.annals", object, "--at", text(instant)];
        known.sandbox.json(&args)["state"]["price"].clone()
    };
    let before = &changed["value_just_before"];
    assert_eq!(at(&before["T"]), before["value"][0]);
    let after = &changed["value_at"];
    assert_eq!(at(&after["T"]), after["value"]);
}
