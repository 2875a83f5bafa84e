//! Import of other formats: JSON by a preset against JSON Lines, XES and OCEL in megabytes of input a second. The
//! events are those of the file that the import of JSON Lines reads.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::child;
use crate::import::Line;
use crate::report::{Goal, Row};
use crate::{Outcome, Plan, generate};

/// Megabytes of input that XES and OCEL are to take in a second, on one core.
const MB_PER_S: f64 = 30.0;

/// Measures the rates.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let lines = generate::file(plan)?;
    let cloudevents = written(plan, &lines, "events.cloudevents.jsonl", cloudevents)?;
    let xes = written(plan, &lines, "events.xes", xes)?;
    let ocel = written(plan, &lines, "events.jsonocel", ocel)?;
    let store = plan.folder.join("formats.annals");
    let seconds = |file: &Path| -> Outcome<f64> {
        child::remove(&store);
        let import = child::run("--child-import", [file, &store])?;
        if import.count < plan.events as f64 {
            return Err(format!("{} of {} events were stored", import.count, plan.events).into());
        }
        Ok(import.seconds)
    };
    let mut preset = Row::new(
        format!(
            "import of {} events by the preset CloudEvents, against JSON Lines",
            plan.events
        ),
        "events/s",
        Goal::RatioAtLeast(0.6),
    );
    let of = |what: &str| {
        Row::new(
            format!("import of {} events, {what}", plan.events),
            "MB/s",
            Goal::AtLeast(MB_PER_S),
        )
    };
    let (mut of_xes, mut of_ocel) = (of("XES"), of("OCEL 2.0 as JSON"));
    let mb = |file: &Path| -> Outcome<f64> { Ok(std::fs::metadata(file)?.len() as f64 / 1e6) };
    for round in 0..plan.rounds {
        let rate = |file: &Path| -> Outcome<f64> { Ok(plan.events as f64 / seconds(file)?) };
        if round % 2 == 0 {
            preset.ours.push(rate(&cloudevents)?);
            preset.baseline.push(rate(&lines)?);
        } else {
            preset.baseline.push(rate(&lines)?);
            preset.ours.push(rate(&cloudevents)?);
        }
        of_xes.ours.push(mb(&xes)? / seconds(&xes)?);
        of_ocel.ours.push(mb(&ocel)? / seconds(&ocel)?);
    }
    Ok(vec![preset, of_xes, of_ocel])
}

type Write1 = fn(&mut BufWriter<File>, BufReader<File>) -> Outcome<()>;

fn written(plan: &Plan, lines: &Path, name: &str, write: Write1) -> Outcome<PathBuf> {
    let path = plan.folder.join(name);
    let mut out = BufWriter::new(File::create(&path)?);
    write(&mut out, BufReader::new(File::open(lines)?))?;
    out.flush()?;
    Ok(path)
}

fn cloudevents(out: &mut BufWriter<File>, lines: BufReader<File>) -> Outcome<()> {
    for line in lines.lines() {
        let line = line?;
        let Line {
            event_id,
            aggregate_id,
            event_type,
            timestamp,
            data,
            metadata,
        } = serde_json::from_str(&line)?;
        writeln!(
            out,
            "{{\"specversion\":\"1.0\",\"id\":\"{event_id}\",\"source\":\"/shop\",\"subject\":\"{aggregate_id}\",\"type\":\"{event_type}\",\"time\":\"{timestamp}\",\"data\":{data},\"context\":{metadata}}}"
        )?;
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// Traces of one event each: what a trace costs is among what is measured.
fn xes(out: &mut BufWriter<File>, lines: BufReader<File>) -> Outcome<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log xes.version=\"1.0\">"
    )?;
    for line in lines.lines() {
        let line = line?;
        let event: Line = serde_json::from_str(&line)?;
        writeln!(
            out,
            "<trace><string key=\"concept:name\" value=\"{}\"/><event><string key=\"concept:name\" value=\"{}\"/><date key=\"time:timestamp\" value=\"{}\"/><string key=\"id\" value=\"{}\"/><string key=\"data\" value=\"{}\"/><string key=\"metadata\" value=\"{}\"/></event></trace>",
            event.aggregate_id,
            event.event_type,
            event.timestamp,
            event.event_id,
            escaped(event.data.get()),
            escaped(event.metadata.get())
        )?;
    }
    writeln!(out, "</log>")?;
    Ok(())
}

fn ocel(out: &mut BufWriter<File>, lines: BufReader<File>) -> Outcome<()> {
    write!(
        out,
        "{{\"objectTypes\":[],\"eventTypes\":[],\"objects\":[],\"events\":["
    )?;
    for (at, line) in lines.lines().enumerate() {
        let line = line?;
        let event: Line = serde_json::from_str(&line)?;
        let comma = if at == 0 { "" } else { "," };
        write!(
            out,
            "{comma}\n{{\"id\":\"{}\",\"type\":\"{}\",\"time\":\"{}\",\"attributes\":[{{\"name\":\"data\",\"value\":{}}},{{\"name\":\"metadata\",\"value\":{}}}],\"relationships\":[{{\"objectId\":\"{}\",\"qualifier\":\"of\"}}]}}",
            event.event_id,
            event.event_type,
            event.timestamp,
            serde_json::to_string(event.data.get())?,
            serde_json::to_string(event.metadata.get())?,
            event.aggregate_id
        )?;
    }
    writeln!(out, "\n]}}")?;
    Ok(())
}
