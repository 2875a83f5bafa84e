//! `annals rules check`: rules of the business over the whole history.

use std::path::PathBuf;

use annals_core::store::Log;
use annals_core::temporal::{self, LookedAt, RuleRow, RulesView, Violation};

use crate::commands::{counting, load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// Check the rules of the models over the whole history.
#[derive(Debug, clap::Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List every event that a rule does not allow, and the events that make it so; exit code 3 if there is one
    Check {
        /// The store
        store: PathBuf,
        /// Only the rule of this name
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        /// List at most so many violations; the others are counted
        #[arg(long, value_name = "N", default_value_t = temporal::VIOLATIONS)]
        limit: usize,
    },
}

/// Runs the command.
pub fn run(args: RulesArgs, output: &mut Output) -> Result<Exit, Failure> {
    let What::Check { store, rule, limit } = args.what;
    let log = Log::explore(&store)?;
    let models = load_models(&store)?;
    let view =
        counting(|go_on| temporal::check_rules(&log, &models, rule.as_deref(), limit, go_on))?;
    if let (Some(name), true) = (&rule, view.rules.is_empty()) {
        let known = temporal::check_rules(&log, &models, None, 0, &mut |_| true);
        let mut known: Vec<String> = known
            .map(|view| view.rules.into_iter().map(|rule| rule.name).collect())
            .unwrap_or_default();
        known.dedup();
        return Err(Failure::usage(format!("no model declares a rule {name}"))
            .hint(format!("there is {}", known.join(", "))));
    }
    output.show(&view, |output| print(&view, output))?;
    Ok(if view.problems {
        Exit::Problems
    } else {
        Exit::Done
    })
}

fn print(view: &RulesView, output: &mut Output) -> Result<(), Failure> {
    if view.rules.is_empty() {
        return output.line("no model of this store declares a rule ([[rules]])");
    }
    let mut table = Table::new(&[
        ("CATEGORY", Align::Left, MAX_NAME_COLUMNS),
        ("RULE", Align::Left, MAX_NAME_COLUMNS),
        ("ASKED", Align::Right, 12),
        ("VIOLATIONS", Align::Right, 12),
        ("UNTOLD", Align::Right, 12),
    ]);
    for RuleRow {
        name,
        category,
        model: _,
        on: _,
        require: _,
        message: _,
        asked,
        violations,
        untold,
    } in &view.rules
    {
        table.row([
            category.clone(),
            name.clone(),
            asked.to_string(),
            violations.to_string(),
            untold.to_string(),
        ]);
    }
    output.table(&table)?;
    for violation in &view.violations {
        output.line("")?;
        print_violation(violation, output)?;
    }
    output.line("")?;
    let listed = view.violations.len() as u64;
    let rest = if listed < view.violations_count {
        format!("; the first {listed} are listed")
    } else {
        String::new()
    };
    output.line(&format!(
        "{}{rest}; asked {} about {} in {}, up to position {}",
        counted(view.violations_count, "violation"),
        counted(view.rules.len() as u64, "rule"),
        counted(view.events, "event"),
        counted(view.streams, "stream"),
        view.known
    ))?;
    print_findings(&view.findings, output)
}

fn print_violation(violation: &Violation, output: &mut Output) -> Result<(), Failure> {
    let Violation {
        rule,
        message,
        stream,
        version,
        event,
        actor,
        looked_at,
    } = violation;
    let message = message.as_deref().unwrap_or_default();
    output.line(&visible(format!("{rule}  {message}").trim_end()))?;
    let by = actor.as_deref().map(|actor| format!(" by {actor}"));
    output.line(&visible(&format!(
        "  position {}  {} at {}{}, version {version} of {stream}",
        event.position,
        event.event_type,
        event.time,
        by.unwrap_or_default()
    )))?;
    for LookedAt {
        path,
        value,
        set_by,
    } in looked_at
    {
        let value = value.as_ref().map_or("not there", |value| value.get());
        let by = match set_by {
            Some(event) => format!("position {} ({})", event.position, event.event_type),
            None => "no event".to_owned(),
        };
        output.line(&visible(&format!("    {path} was {value}, set by {by}")))?;
    }
    Ok(())
}
