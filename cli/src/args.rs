//! The command line: which commands there are, and what holds for all of them.

use clap::{Parser, Subcommand};

use crate::commands::*;

/// Explore event logs: histories, state at any instant, differences, exports.
///
/// Exit codes: 0 done, 1 could not be done, 2 usage, 3 done and problems were found (an import with
/// rejects or of a changed source, import --explain, model check, rules check, report check, snapshot verify,
/// projection compare and rebuild, verify, evidence verify, access-log), 4 the thing to be verified cannot be
/// read as such, 70 internal.
#[derive(Debug, Parser)]
#[command(name = "annals", version)]
pub struct Args {
    /// Print one JSON document instead of tables (errors too, on standard error)
    #[arg(long, global = true)]
    pub json: bool,
    /// Why you look: goes into the store's access log, beside your name and the command
    #[arg(long, global = true, value_name = "TEXT")]
    pub purpose: Option<String>,
    /// Leave no entry in the store's access log; reports say so
    #[arg(long, global = true, conflicts_with = "purpose")]
    pub no_access_log: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do; one module each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new, empty store
    Init(init::Init),
    /// Make a store with sample events and models
    Sample(sample::Sample),
    /// Append one event, or many at once, to a store
    Append(Box<append::Append>),
    /// Bring events from files into a store
    Import(Box<import::Import>),
    /// List the formats that can be imported, with their specifications
    Formats(formats::Formats),
    /// List the imports into a store, oldest first
    Imports(imports::Imports),
    /// Say what a store holds
    Info(info::Info),
    /// List streams by name
    Streams(streams::Streams),
    /// List objects with their types, or show one: attributes over time, events across streams
    Objects(objects::Objects),
    /// List events in order of position, or count them
    Events(events::Events),
    /// Show one event whole
    Show(show::Show),
    /// Show a stream's state now, at a version, or as of an instant
    State(state::State),
    /// Show what differs between two moments of a stream
    Diff(diff::Diff),
    /// Say why a value is what it is: which events it comes from, and what each added
    Why(why::Why),
    /// List every value that a place of a stream's state had
    History(history::History),
    /// Leave events out, or give them another payload, and see what differs; nothing is written
    Whatif(whatif::WhatIf),
    /// List streams that belong to a stream or an event, at one instant; causes and effects
    Related(related::Related),
    /// List late, back-dated and out-of-order events
    Late(late::Late),
    /// Print events as they come
    Tail(tail::Tail),
    /// Draft, check, add, list and show the models beside a store
    Model(model::ModelArgs),
    /// Add, list and show the projections beside a store, and their documents at any instant
    Projection(projection::ProjectionArgs),
    /// Show a dashboard now or as of an instant, as tables or as a picture; list them
    Dashboard(dashboard::DashboardArgs),
    /// Check the rules of the models over the whole history
    Rules(rules::RulesArgs),
    /// Keep folds of streams by policies, check them by replay, and advise
    Snapshot(snapshot::SnapshotArgs),
    /// Send a command to the log of a sample world; never to any other log
    #[command(name = "command")]
    Ask(command::CommandArgs),
    /// Fulfil the orders that came into a sample shop: reserve, take payment, ship; or release and cancel
    Process(process::Process),
    /// Ask a question over time: balance of account-12345 on 2024-01-10
    #[command(name = "ask")]
    Question(ask::Ask),
    /// Ask by name: GetOrder ID, ListOrders, OrderHistory ID, for every category of the log
    Query(query::Query),
    /// Answer a statement in SQL over events, and over states as of any instant
    Sql(sql::Sql),
    /// Write every event that matches to a file
    Export(export::Export),
    /// Make compliance reports, list and check their templates
    Report(report::ReportArgs),
    /// Open a store in the desktop app
    Open(open::Open),
    /// Make a verified copy of a store, while others may write to it
    Backup(backup::Backup),
    /// Make a new store from a backup, or from a log as it was
    Restore(restore::Restore),
    /// Make packages that a stranger can verify, and verify them
    Evidence(evidence::Evidence),
    /// Show who looked at a store, and whether that record is whole
    AccessLog(access_log::AccessLog),
    /// Hash everything in a store again, and say what is not as it was recorded or signed
    Verify(verify::Verify),
    /// Find personal data, erase a subject's, and hold events for a matter
    Privacy(privacy::PrivacyArgs),
    /// Sign what a log is now, and keep it; list what was signed
    Checkpoint(checkpoint::Checkpoint),
    /// Write a proof that an event is in a log
    Prove(checkpoint::Prove),
    /// Have somebody else say when a checkpoint was there
    Timestamp(timestamp::TimestampArgs),
    /// Show, hand on or replace the keys that a log signs with
    Key(key::KeyArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
