//! `annals timestamp`: what to send to a time-stamping authority, and keeping what came back.

use std::path::{Path, PathBuf};

use annals_core::integrity::timestamp::{Authority, StampView};
use annals_core::signing::{TimeStampRequestView, add_time_stamp, request_time_stamp};
use annals_core::store::Log;

use super::checkpoint::write_new;
use crate::failure::{Code, Exit, Failure};
use crate::output::Output;
use crate::text::{counted, visible};

/// A response is read up to here; real ones have a few thousand bytes.
const MAX_LEN: u64 = 1 << 20;

/// Have somebody else say when a checkpoint was there (RFC 3161).
#[derive(Debug, clap::Args)]
pub struct TimestampArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write the request for a time stamp over a checkpoint; nothing is sent
    ///
    /// It holds the SHA-256 of the signed note and nothing else. Send it to an authority of your choice, for example
    /// with curl -H 'Content-Type: application/timestamp-query' --data-binary @F.tsq URL -o F.tsr, and give what comes
    /// back to annals timestamp attach.
    Request {
        /// The store
        store: PathBuf,
        /// File to write, which must not exist yet; a name that ends in .tsq by custom
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Number of the checkpoint; the last one where it is not given
        #[arg(long, value_name = "N")]
        checkpoint: Option<u64>,
    },
    /// Keep a time stamp that came back beside its checkpoint, if the authority that you name made it
    Attach {
        /// The store
        store: PathBuf,
        /// What came back (.tsr), or the token in it alone
        response: PathBuf,
        /// Certificates of the authority in PEM, up to its root, as you have them from elsewhere
        #[arg(long, value_name = "CERTS.pem")]
        authority: PathBuf,
    },
}

/// Runs the command.
pub fn run(args: TimestampArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.what {
        What::Request {
            store,
            out,
            checkpoint,
        } => request(&store, &out, checkpoint, output),
        What::Attach {
            store,
            response,
            authority,
        } => attach(&store, &response, &authority, output),
    }
}

fn request(
    store: &Path,
    out: &Path,
    number: Option<u64>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (row, bytes) = request_time_stamp(&Log::explore(store)?, number)?;
    write_new(out, &bytes)?;
    let view = TimeStampRequestView::of(&row, out);
    output.show(&view, |output| {
        output.line(&visible(&format!(
            "{}: the request for a time stamp over checkpoint {}, of {}",
            out.display(),
            row.number,
            counted(row.size.0, "event")
        )))?;
        output.line("nothing was sent. To send it to an authority of your choice:")?;
        output.line(&visible(&format!(
            "  curl -H 'Content-Type: application/timestamp-query' --data-binary @{} URL -o F.tsr",
            out.display()
        )))?;
        output.line("then: annals timestamp attach STORE F.tsr --authority CERTS.pem")
    })
}

fn attach(
    store: &Path,
    response: &Path,
    certificates: &Path,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let authority = authority(certificates)?;
    let (row, stamped, new) = add_time_stamp(store, &read(response)?, &authority)?;
    output.show(&row, |output| {
        let kept = if new { "" } else { " (it was kept already)" };
        output.line(&visible(&format!(
            "checkpoint {} over {} was there at {}, says {}{kept}",
            row.number,
            counted(row.size.0, "event"),
            stamped.time,
            stamped.signer
        )))?;
        output.line("whether its certificate was revoked was not looked at")
    })
}

/// Reads an authority's certificates.
pub fn authority(path: &Path) -> Result<Authority, Failure> {
    let name = path.display().to_string();
    Authority::from_pem(&name, &read(path)?).map_err(|error| {
        Failure::new(Code::BadInput, format!("{name}: {error}"))
            .hint("give the authority's certificates in PEM, up to its root")
    })
}

/// What time stamps say of themselves, for a line.
pub fn said(stamps: &[StampView]) -> String {
    let said = stamps.iter().map(|stamp| match stamp {
        StampView {
            at: Some(at),
            accuracy_us: _,
            signer,
        } => format!("{at} by {}", signer.as_deref().unwrap_or("somebody")),
        StampView { at: None, .. } => "one that cannot be read".to_owned(),
    });
    said.collect::<Vec<_>>().join("; ")
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::file(path, &error);
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_LEN {
        let long = format!("{} is longer than 1 MiB", path.display());
        return Err(Failure::new(Code::BadInput, long));
    }
    std::fs::read(path).map_err(failed)
}
