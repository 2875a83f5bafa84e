//! `annals sample`: a store with known events.

use std::path::PathBuf;

use annals_core::sample::{self, SHOP_EVENTS, SHOP_SEED, ShopRequest};
use annals_core::store::Log;

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
    /// shop: number of events [default: 10000]
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// shop: another seed makes another shop; the same makes the same bytes [default: 1]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

/// The samples there are.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// The event-sourcing guide's own examples, literally
    Guide,
    /// A shop: customers, carts, orders, payments, stock; as many events as you like
    Shop,
}

/// Runs the command.
pub fn run(args: Sample, output: &mut Output) -> Result<Exit, Failure> {
    let example = match args.which {
        Which::Guide => {
            if args.events.is_some() || args.seed.is_some() {
                return Err(
                    Failure::usage("the guide sample has neither --events nor --seed")
                        .hint("it is the guide's own examples; annals sample shop takes both"),
                );
            }
            sample::guide(&args.out)?;
            "account-12345"
        }
        Which::Shop => {
            let request = ShopRequest {
                events: args.events.unwrap_or(SHOP_EVENTS),
                seed: args.seed.unwrap_or(SHOP_SEED),
            };
            watched("events", |progress| {
                sample::shop(&args.out, &request, progress)
            })?;
            "inventory-prod-1"
        }
    };
    let info = Log::explore(&args.out)?.info()?;
    output.show(&info, |output| {
        let store = args.out.display().to_string();
        output.line(&visible(&format!(
            "made {store}: {} in {}",
            counted(info.events, "event"),
            counted(info.streams, "stream")
        )))?;
        output.line(&visible(&format!(
            "look around with: annals streams {0}, or annals state {0} {example}",
            shell_quoted(&store)
        )))
    })
}
