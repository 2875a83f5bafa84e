//! `annals privacy hold`: legal holds by matter.

use std::path::PathBuf;

use annals_core::position::Position;
use annals_core::privacy::{self, Hold, HoldScope, HoldsView};
use annals_core::store::{Log, LogWriter};
use annals_core::surroundings::{OsUser, Surroundings};

use crate::commands::{counting, load_models};
use crate::failure::{Exit, Failure};
use crate::output::{Output, complain};
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// Legal holds.
#[derive(Debug, clap::Subcommand)]
pub enum HoldCommand {
    /// Hold events for a matter until it is released
    Add(Add),
    /// List the holds, in force and released
    List {
        /// The store
        store: PathBuf,
    },
    /// Release all holds of a matter
    Release {
        /// The store
        store: PathBuf,
        /// The matter
        #[arg(long, value_name = "M")]
        matter: String,
        /// Why; stands in the log for good
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Hold events for a matter.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("scope").required(true))]
pub struct Add {
    /// The store
    store: PathBuf,
    /// The matter: a case, a docket, a ticket; stands in the log for good
    #[arg(long, value_name = "M")]
    matter: String,
    /// Hold what is this subject's and what names them
    #[arg(long, group = "scope")]
    subject: Option<String>,
    /// Hold the events of this stream, linked ones included
    #[arg(long, group = "scope")]
    stream: Option<String>,
    /// Hold the events of this category
    #[arg(long, group = "scope")]
    category: Option<String>,
    /// Hold the events from one position to another
    #[arg(long, group = "scope", value_name = "FROM-TO", value_parser = positions)]
    positions: Option<(u64, u64)>,
    /// Hold every event
    #[arg(long, group = "scope")]
    everything: bool,
    /// Why; stands in the log for good
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Reads `12-40`, or `12`.
fn positions(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| {
        let number = text.trim().parse::<u64>();
        number.map_err(|_| format!("{text:?} is no position"))
    };
    match (number(from)?, number(to)?) {
        (from, to) if from <= to => Ok((from, to)),
        (from, to) => Err(format!("{from} comes after {to}")),
    }
}

impl Add {
    fn scope(&self) -> HoldScope {
        let text = |text: &Option<String>| text.clone();
        if let Some(subject) = text(&self.subject) {
            HoldScope::Subject(subject)
        } else if let Some(stream) = text(&self.stream) {
            HoldScope::Stream(stream)
        } else if let Some(category) = text(&self.category) {
            HoldScope::Category(category)
        } else if let Some((from, to)) = self.positions {
            HoldScope::Positions(Position(from), Position(to))
        } else {
            HoldScope::Everything
        }
    }
}

/// Runs the command.
pub fn run(command: HoldCommand, output: &mut Output) -> Result<Exit, Failure> {
    let user = OsUser::system();
    match command {
        HoldCommand::Add(args) => {
            let writer = LogWriter::open(&args.store, Surroundings::system())?;
            let reason = args.reason.as_deref();
            let mut hold = privacy::hold(&writer, &args.matter, args.scope(), reason, &user)?;
            writer.close()?;
            if let HoldScope::Subject(subject) = &hold.scope {
                let (log, models) = (Log::explore(&args.store)?, load_models(&args.store)?);
                let view = counting(|go_on| privacy::subject(&log, &models, subject, go_on))?;
                // The event of the hold itself names them, too.
                let others = view.events.iter().filter(|e| e.position != hold.position);
                hold.holds_now = Some(others.count() as u64);
            }
            if hold.holds_now == Some(0) {
                complain(&visible(&format!(
                    "warning: the log has no event of {} now: this hold holds nothing until there is one",
                    hold.scope
                )));
            }
            output.show(&hold, |output| {
                let held = counted(hold.holds_now.unwrap_or_default(), "event");
                output.line(&visible(&format!(
                    "held for {}: {}, {held} now (position {})",
                    hold.matter, hold.scope, hold.position
                )))
            })
        }
        HoldCommand::List { store } => {
            let view = privacy::holds(&Log::explore(&store)?)?;
            output.show(&view, |output| print(&view, output))
        }
        HoldCommand::Release {
            store,
            matter,
            reason,
        } => {
            let writer = LogWriter::open(&store, Surroundings::system())?;
            let count = privacy::release(&writer, &matter, reason.as_deref(), &user)?;
            writer.close()?;
            let view = privacy::holds(&Log::explore(&store)?)?;
            output.show(&view, |output| {
                output.line(&visible(&format!(
                    "released {} of {matter}",
                    counted(count, "hold")
                )))
            })
        }
    }
}

fn print(view: &HoldsView, output: &mut Output) -> Result<(), Failure> {
    if view.holds.is_empty() {
        return output.line("no hold was ever placed");
    }
    let mut table = Table::new(&[
        ("POSITION", Align::Right, 12),
        ("MATTER", Align::Left, MAX_NAME_COLUMNS),
        ("HOLDS", Align::Left, MAX_NAME_COLUMNS),
        ("PLACED", Align::Left, 30),
        ("BY", Align::Left, 24),
        ("RELEASED", Align::Left, 30),
        ("REASON", Align::Left, 40),
    ]);
    for Hold {
        position,
        matter,
        scope,
        reason,
        placed_by,
        placed_at,
        released_by: _,
        released_at,
        holds_now: _,
    } in &view.holds
    {
        table.row([
            position.to_string(),
            matter.clone(),
            scope.to_string(),
            placed_at.to_string(),
            placed_by.clone().unwrap_or_default(),
            released_at.map_or("in force".to_owned(), |at| at.to_string()),
            reason.clone().unwrap_or_default(),
        ]);
    }
    output.table(&table)
}
