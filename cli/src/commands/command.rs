//! `annals command`: a command by name, for the logs of sample worlds.

use std::path::PathBuf;

use annals_core::command::Context;
use annals_core::sample::{self, CommandView, ConsoleError, RejectedView};
use annals_core::store::{EventBrief, Log, LogWriter};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::LookedAt;

use crate::commands::load_models;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::{counted, visible};

/// Send a command to the log of a sample world; never to any other log.
#[derive(Debug, clap::Args)]
pub struct CommandArgs {
    /// The store
    store: PathBuf,
    /// Name of the command, for example PlaceOrder
    name: String,
    /// What it says: one JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    data: String,
    /// Identity of the command; made where it is left out. The same command with the same id again changes nothing
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Who sends it
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// The business transaction that it belongs to
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
}

/// Runs the command.
pub fn run(args: CommandArgs, output: &mut Output) -> Result<Exit, Failure> {
    let CommandArgs {
        store,
        name,
        data,
        id,
        actor,
        correlation,
    } = args;
    // A log that is not Annals' own is not opened to write at all.
    sample::owned_world(&Log::explore(&store)?)?;
    let surroundings = Surroundings::system();
    let id = id.unwrap_or_else(|| {
        let mut random = [0u8; 8];
        (surroundings.random)(&mut random);
        format!("cmd-{:016x}", u64::from_be_bytes(random))
    });
    let models = load_models(&store)?;
    let writer = LogWriter::open(&store, surroundings)?;
    let context = Context {
        actor,
        correlation,
        ..Context::new(id)
    };
    let before = writer.log().head()?.size;
    let view = sample::carry_out(&writer, &models, &name, &data, &context)?;
    super::follow(&store, &writer.log())?;
    super::snapshot_since(&writer.log(), before);
    writer.close()?;
    output.show(&view, |output| print(&view, output))?;
    Ok(match view.rejected {
        Some(_) => Exit::NotDone,
        None => Exit::Done,
    })
}

impl From<ConsoleError> for Failure {
    fn from(error: ConsoleError) -> Failure {
        let failure = Failure::of(&error);
        match error {
            ConsoleError::NotOwned | ConsoleError::Foreign { .. } => failure.hint(
                "annals sample shop | trading | clinic makes one; annals append adds an event to any log",
            ),
            ConsoleError::Unknown { known, .. } => {
                failure.hint(format!("there is {}", known.join(", ")))
            }
            ConsoleError::BadPayload { .. } => {
                failure.hint("nothing was appended; --data is one JSON object with the fields of the command")
            }
            ConsoleError::Command(_) | ConsoleError::Temporal(_) | ConsoleError::Read(_) => failure,
        }
    }
}

fn print(view: &CommandView, output: &mut Output) -> Result<(), Failure> {
    let CommandView {
        id,
        name,
        events,
        repeated,
        rejected,
    } = view;
    if let Some(rejected) = rejected {
        return print_rejected(name, rejected, output);
    }
    let outcome = match (repeated, events.len()) {
        (true, _) => "had been carried out before: ".to_owned(),
        (false, 0) => return output.line(&visible(&format!("{name} ({id}): nothing to do"))),
        (false, count) => format!("{}: ", counted(count as u64, "event")),
    };
    let list: Vec<String> = events.iter().map(event_text).collect();
    output.line(&visible(&format!(
        "{name} ({id}) {outcome}{}",
        list.join("; ")
    )))
}

fn event_text(event: &EventBrief) -> String {
    let stream = event.stream.as_deref().unwrap_or("(erased)");
    format!(
        "position {} {}, version {} of {stream}",
        event.position, event.event_type, event.version
    )
}

fn print_rejected(name: &str, rejected: &RejectedView, output: &mut Output) -> Result<(), Failure> {
    let RejectedView {
        rule,
        reason,
        stream,
        version,
        looked_at,
    } = rejected;
    output.line(&visible(&format!(
        "{name} was rejected by {rule}: {reason}"
    )))?;
    output.line(&visible(&format!("  {stream} at version {version}")))?;
    for LookedAt {
        path,
        value,
        set_by,
    } in looked_at
    {
        let value = value.as_ref().map_or("not there", |value| value.get());
        let by = set_by.as_ref().map_or("no event".to_owned(), event_text);
        output.line(&visible(&format!("    {path} is {value}, set by {by}")))?;
    }
    Ok(())
}
