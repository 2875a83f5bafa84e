//! The command console: commands by name, only where the reader switched it on, only for logs that a sample made.

use annals_core::command::Context;
use annals_core::sample::{self, ConsoleError};
use annals_core::store::LogWriter;
use tauri::State;

use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host};
use crate::wire::CommandArgs;

/// The commands that the open log takes; none for a log that is not Annals' own.
#[tauri::command]
pub async fn command_names(host: State<'_, Host>) -> Answer {
    host.ask(move |store| sample::command_names(&store.log))
        .await
}

/// Sends a command to the open log. A rejection is an answer.
#[tauri::command]
pub async fn command_send(host: State<'_, Host>, args: CommandArgs) -> Answer {
    let switched_on = host.settings().console;
    let surroundings = host.surroundings().clone();
    host.ask(move |store| {
        if !switched_on {
            let message = "the command console is switched off";
            return Err(HostError::new(ErrorCode::ReadOnly, message)
                .hint("Settings switches it on, for the logs that a sample made."));
        }
        // A log that is not Annals' own is not opened to write at all.
        sample::owned_world(&store.log)?;
        let writer = LogWriter::open(&store.path, surroundings)?;
        let context = Context::new(&args.id).by("console");
        let models = store.models();
        let before = store.log.head()?.size;
        let view = sample::carry_out(&writer, &models.set, &args.name, &args.data, &context)?;
        writer.close()?;
        // An answer to an append waits for the projections that promise to have taken account of it.
        let followed = store.projections(&store.log)?.catch_up_synchronous();
        followed.map_err(|error| {
            let message = format!(
                "the command was carried out, and a synchronous projection could not follow: {error}"
            );
            HostError::new(annals_core::code::ErrorCode::from(&error), message)
                .hint("Dashboards, Projections catches it up; so does the next command.")
        })?;
        // A state is folded as well without; that the policies cannot be read it says itself.
        let _ = store.snapshot_since(before);
        Ok(view)
    })
    .await
}

impl From<ConsoleError> for HostError {
    fn from(error: ConsoleError) -> HostError {
        let told = HostError::of(&error);
        match error {
            ConsoleError::NotOwned | ConsoleError::Foreign { .. } => {
                told.hint("Make a sample world: it takes commands. This log is as it was.")
            }
            ConsoleError::Unknown { .. } | ConsoleError::BadPayload { .. } => {
                told.hint("Nothing was appended.")
            }
            ConsoleError::Command(_) | ConsoleError::Temporal(_) | ConsoleError::Read(_) => told,
        }
    }
}
