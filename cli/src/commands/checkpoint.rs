//! `annals checkpoint`: signing what a log is now, and keeping it. `annals prove`: that an event is in it.

use std::path::PathBuf;

use annals_core::integrity::note::VerifyingKey;
use annals_core::position::Position;
use annals_core::signing::{
    CheckpointRow, CheckpointsView, add_cosignatures, checkpoints, open_or_make, prove,
    sign_checkpoint,
};
use annals_core::store::Log;
use annals_core::surroundings::Surroundings;

use super::key::{Secret, folder};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::{counted, visible};

/// Sign the log's size and root, keep the checkpoint in the log, and print it.
///
/// It is worth something where it is kept elsewhere: give it to somebody, or write it down. The first checkpoint makes
/// the log's key. Nothing is signed over a log that does not agree with its earlier checkpoints.
#[derive(Debug, clap::Args)]
pub struct Checkpoint {
    /// The store
    store: PathBuf,
    /// Also write the signed note to this file, which must not exist yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List the checkpoints that the log keeps, and sign nothing
    #[arg(long, conflicts_with_all = ["out", "cosigned"])]
    list: bool,
    /// Take the cosignatures from a checkpoint of this log that came back from witnesses, and sign nothing
    #[arg(
        long,
        value_name = "FILE",
        requires = "witness",
        conflicts_with = "out"
    )]
    cosigned: Option<PathBuf>,
    /// Verifier key of a witness whose cosignature is taken; may be given again
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    #[command(flatten)]
    secret: Secret,
}

/// Prove that an event is in the log, under the first checkpoint that covers it.
///
/// The proof (C2SP tlog-proof) holds the event's leaf and verifies without the log: annals verify STORE --against
/// compares it with a store.
#[derive(Debug, clap::Args)]
pub struct Prove {
    /// The store
    store: PathBuf,
    /// Position of the event
    position: u64,
    /// File to write, which must not exist yet; a name that ends in .tlog-proof by custom
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `annals checkpoint`.
pub fn run(args: Checkpoint, output: &mut Output) -> Result<Exit, Failure> {
    if args.list {
        return list(&args, output);
    }
    if let Some(cosigned) = &args.cosigned {
        let witnesses: Vec<VerifyingKey> = args
            .witness
            .iter()
            .map(|key| verifier_key("--witness", key))
            .collect::<Result<_, _>>()?;
        let text = super::verify::text_of(cosigned)?;
        let (row, new) = add_cosignatures(&args.store, &text, &witnesses)?;
        return output.show(&row, |output| {
            output.line(&format!(
                "checkpoint {} over {}: {} taken, it has {} now",
                row.number,
                counted(row.size.0, "event"),
                counted(new, "new cosignature"),
                row.cosignatures
            ))
        });
    }
    let log = Log::explore(&args.store)?;
    let folder = folder()?;
    let Surroundings { clock, random } = Surroundings::system();
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::new(
            crate::failure::Code::Exists,
            format!("{} exists already", out.display()),
        )
        .hint("choose another name; nothing was signed"));
    }
    let row = args.secret.with(&log, |protection| {
        let key = open_or_make(&log, &folder, protection, &random)?;
        Ok(sign_checkpoint(&args.store, &key, &clock)?)
    })?;
    if let Some(out) = &args.out {
        write_new(out, row.note.as_bytes())?;
    }
    output.show(&row, |output| {
        let CheckpointRow {
            number,
            size,
            root,
            made_at,
            key,
            cosignatures: _,
            timestamps: _,
            stamps: _,
            note,
        } = &row;
        output.line(&format!(
            "checkpoint {number}, signed by key {key} at {made_at}: {} with root {root}",
            counted(size.0, "event")
        ))?;
        output.line("")?;
        for line in note.lines() {
            output.line(&visible(line))?;
        }
        output.line("")?;
        output.line(
            "keep this text elsewhere: annals verify STORE --against FILE compares the log with it",
        )
    })
}

fn list(args: &Checkpoint, output: &mut Output) -> Result<Exit, Failure> {
    let view = checkpoints(&Log::explore(&args.store)?)?;
    output.show(&view, |output| {
        let CheckpointsView {
            origin,
            checkpoints,
            unsigned,
        } = &view;
        output.line(&format!("log  {origin}"))?;
        for row in checkpoints {
            output.line(&format!(
                "{:>4}  {:>12} events  {}  {}  key {}, {} cosignatures, {} time stamps",
                row.number,
                row.size,
                row.made_at,
                row.root,
                row.key,
                row.cosignatures,
                row.timestamps
            ))?;
            if !row.stamps.is_empty() {
                let said = super::timestamp::said(&row.stamps);
                output.line(&visible(&format!("      stamped {said}")))?;
            }
        }
        output.line(&format!(
            "{}, {} after the last one",
            counted(checkpoints.len() as u64, "checkpoint"),
            counted(*unsigned, "event")
        ))
    })
}

/// Runs `annals prove`.
pub fn run_prove(args: Prove, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let proof = prove(&log, Position(args.position))?;
    write_new(&args.out, proof.to_text().as_bytes())?;
    let head = &proof.checkpoint.checkpoint;
    let view = serde_json::json!({
        "position": args.position,
        "tree_size": head.size,
        "root": head.root,
        "hashes": proof.hashes.len(),
        "file": args.out.display().to_string(),
    });
    output.show(&view, |output| {
        output.line(&visible(&format!(
            "{}: position {} is among the {} of a checkpoint with root {}",
            args.out.display(),
            args.position,
            counted(head.size, "event"),
            head.root
        )))
    })
}

/// Reads a verifier key, or the file that holds one.
pub fn verifier_key(option: &str, text: &str) -> Result<VerifyingKey, Failure> {
    let text = match text.contains('+') {
        true => text.to_owned(),
        false => super::verify::text_of(std::path::Path::new(text))?,
    };
    text.trim()
        .parse()
        .map_err(|error| Failure::usage(format!("{option}: {error}")))
}

/// Writes a file that must not exist yet.
pub fn write_new(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let mut file = std::fs::File::create_new(path).map_err(|error| Failure::file(path, &error))?;
    file.write_all(bytes)
        .map_err(|error| Failure::file(path, &error))
}
