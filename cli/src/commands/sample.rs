//! `annals sample`: a store with known events.

use std::path::PathBuf;

use annals_core::sample::{self, WORLD_EVENTS, WORLD_SEED, World, WorldRequest};
use annals_core::store::Log;

use crate::commands::backup::print_left;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::{counted, shell_quoted, visible};
use crate::watch::watched;

/// Make a store with sample events and models.
#[derive(Debug, clap::Args)]
pub struct Sample {
    /// Which sample
    #[arg(value_enum)]
    which: Which,
    /// File to make; must not exist yet
    #[arg(long, value_name = "STORE")]
    out: PathBuf,
    /// Worlds: number of events [default: 10000]
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// Worlds: another seed makes another log; the same makes the same bytes [default: 1]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Worlds: with gaps, duplicates, back-dated and late events, missing actors and broken rules; the list of them
    /// is faults.json in the store's folder
    #[arg(long)]
    faults: bool,
}

/// The samples there are.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// The event-sourcing guide's own examples, literally
    Guide,
    /// The guide's examples, and fixed events for the three temporal questions that it prints
    Questions,
    /// Events made for the guide's read models, which come out as the guide prints them
    ReadModels,
    /// A world: customers, carts, orders, payments, stock
    Shop,
    /// A world: accounts at a broker, orders, executions, dividends
    Trading,
    /// A world: patients, appointments, diagnoses, medication
    Clinic,
}

/// Runs the command.
pub fn run(args: Sample, output: &mut Output) -> Result<Exit, Failure> {
    let world = match args.which {
        Which::Guide | Which::Questions | Which::ReadModels => None,
        Which::Shop => Some(World::Shop),
        Which::Trading => Some(World::Trading),
        Which::Clinic => Some(World::Clinic),
    };
    match world {
        None => {
            if args.events.is_some() || args.seed.is_some() || args.faults {
                return Err(Failure::usage(
                    "the guide's samples have neither --events nor --seed nor --faults",
                )
                .hint("it is the guide's own examples; annals sample shop takes them all"));
            }
            match args.which {
                Which::Questions => sample::questions(&args.out)?,
                Which::ReadModels => sample::read_models(&args.out)?,
                _ => sample::guide(&args.out)?,
            }
        }
        Some(world) => {
            let request = WorldRequest {
                world,
                events: args.events.unwrap_or(WORLD_EVENTS),
                seed: args.seed.unwrap_or(WORLD_SEED),
                faults: args.faults,
            };
            watched("events", |progress| {
                sample::make_world(&args.out, &request, progress)
            })?;
        }
    }
    let example = match (args.which, world) {
        (Which::ReadModels, _) => "order-1234",
        (_, world) => world.map_or("account-12345", World::example),
    };
    let info = Log::explore(&args.out)?.info()?;
    output.show(&info, |output| {
        let store = args.out.display().to_string();
        output.line(&visible(&format!(
            "made {store}: {} in {}",
            counted(info.events, "event"),
            counted(info.streams, "stream")
        )))?;
        if args.faults {
            output.line(&visible(&format!(
                "its faults are listed in {}",
                annals_core::model::folder(&args.out)
                    .join("faults.json")
                    .display()
            )))?;
        }
        output.line(&visible(&format!(
            "look around with: annals streams {0}, or annals state {0} {example}",
            shell_quoted(&store)
        )))?;
        print_left(&args.out, output)
    })
}
