//! `annals snapshot`: folds kept beside a store, by which policy, and whether a replay confirms them.

use std::path::{Path, PathBuf};

use annals_core::id::{Category, StreamId};
use annals_core::model::ModelSet;
use annals_core::position::Version;
use annals_core::snapshot::{
    Policies, SnapshotError, SnapshotPolicy, SnapshotStrategy, Snapshots,
    claimed::{self, ClaimError},
};
use annals_core::store::Log;
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{
    self, AdviceRow, ForeignRow, SnapshotAdviceView, SnapshotCheck, SnapshotOutcome,
    SnapshotVerifyView, SnapshotsTakenView, SnapshotsView, TakeScope,
};
use serde::Serialize;

use crate::commands::state::print_changes;
use crate::commands::{counting, load_models};
use crate::failure::{Exit, Failure};
use crate::found::cache_folder;
use crate::instant::with_like_streams;
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// Say which snapshots are kept, take and list them, check them by replay, and advise.
#[derive(Debug, clap::Args)]
pub struct SnapshotArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print the policies, or write one for a category
    Policy(Box<PolicyArgs>),
    /// Take snapshots where the policies want them, or of one stream
    Take {
        /// The store
        store: PathBuf,
        /// Of this stream, whatever its policy says
        stream: Option<StreamId>,
        /// At this version of the stream
        #[arg(long, value_name = "VERSION", requires = "stream")]
        version: Option<u64>,
        /// Only of this category, as its policy wants them
        #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
        category: Option<Category>,
    },
    /// List the snapshots that are kept
    List {
        /// The store
        store: PathBuf,
        /// Only of this stream
        stream: Option<StreamId>,
        /// List at most so many; the others are counted
        #[arg(long, value_name = "N", default_value_t = temporal::SNAPSHOT_ROWS)]
        limit: usize,
    },
    /// Keep another system's snapshots beside the store and hold them against a replay; exit code 3 if one differs
    Import {
        /// The store
        store: PathBuf,
        /// JSON, JSON Lines, CSV, or a SQLite file with a table Snapshots
        file: PathBuf,
        /// Their name; that of the file where it is left out
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Take the place of imported snapshots of that name
        #[arg(long)]
        replace: bool,
        /// List at most so many that are wrong; the others are counted
        #[arg(long, value_name = "N", default_value_t = temporal::CLAIMS)]
        limit: usize,
    },
    /// Replay and compare, imported snapshots too; exit code 3 if one is damaged or differs. Of Annals' own, what does
    /// not hold is dropped
    Verify {
        /// The store
        store: PathBuf,
        /// Only of this stream
        stream: Option<StreamId>,
        /// Compare what this file of another system claims: JSON, JSON Lines, CSV, or a SQLite file with a table
        /// Snapshots
        #[arg(long, value_name = "FILE", conflicts_with = "stream")]
        file: Option<PathBuf>,
        /// List at most so many; the others are counted
        #[arg(long, value_name = "N", default_value_t = temporal::CLAIMS)]
        limit: usize,
    },
    /// Measure replays and say which policy each category wants
    Advise {
        /// The store
        store: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct PolicyArgs {
    /// The store
    store: PathBuf,
    /// Category to write a policy for; * is all that have none of their own
    #[arg(requires = "strategy")]
    category: Option<String>,
    /// When snapshots are taken
    #[arg(value_parser = strategy)]
    strategy: Option<SnapshotStrategy>,
    /// Periodic, rolling: at versions that are multiples of N
    #[arg(long, value_name = "N")]
    every_events: Option<u64>,
    /// Periodic, rolling: at the last event of each day, UTC
    #[arg(long)]
    every_day: bool,
    /// On demand: where a replay took longer than N milliseconds
    #[arg(long, value_name = "N")]
    replay_ms: Option<u64>,
    /// On demand: where the fold took more than N bytes of memory
    #[arg(long, value_name = "N")]
    state_bytes: Option<u64>,
    /// On demand: where an event took more than N percent of what it took in the stream's fastest replay
    #[arg(long, value_name = "N")]
    slower_percent: Option<u64>,
    /// On demand: a stream that always has a snapshot at its last event; may come several times
    #[arg(long, value_name = "STREAM")]
    critical: Vec<String>,
    /// Only the newest N of a stream stay
    #[arg(long, value_name = "N")]
    keep: Option<u64>,
    /// The first of a stream stays, too
    #[arg(long)]
    keep_first: bool,
    /// The last of each month, UTC, stays, too
    #[arg(long)]
    keep_month_ends: bool,
}

/// The policies of a store: `annals snapshot policy --json`.
#[derive(Serialize)]
struct PoliciesView {
    file: String,
    policies: Vec<PolicyRow>,
}

#[derive(Serialize)]
struct PolicyRow {
    category: String,
    policy: SnapshotPolicy,
}

fn strategy(text: &str) -> Result<SnapshotStrategy, String> {
    let all = [
        SnapshotStrategy::None,
        SnapshotStrategy::Periodic,
        SnapshotStrategy::OnDemand,
        SnapshotStrategy::Rolling,
    ];
    let named = all.into_iter().find(|one| one.name() == text);
    named.ok_or_else(|| "expected none, periodic, on_demand or rolling".to_owned())
}

/// Runs the command.
pub fn run(args: SnapshotArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.what {
        What::Policy(args) => policy(*args, output),
        What::Take {
            store,
            stream,
            version,
            category,
        } => {
            let (log, models, snapshots) = open(&store)?;
            let scope = match (stream, category) {
                (Some(stream), _) => TakeScope::Stream {
                    stream,
                    version: version.map(Version),
                },
                (None, Some(category)) => TakeScope::Category(category),
                (None, None) => TakeScope::Policies,
            };
            if snapshots.policies().is_empty() && !matches!(scope, TakeScope::Stream { .. }) {
                let hint = "annals snapshot policy STORE CATEGORY periodic --every-events 100 writes one; annals snapshot advise says which";
                return Err(Failure::usage("no policy is written for this store").hint(hint));
            }
            let view = counting(|go_on| {
                temporal::take_snapshots(&log, &models, &snapshots, &scope, go_on)
            })
            .map_err(|error| match &scope {
                TakeScope::Stream { stream, .. } => with_like_streams(error.into(), &log, stream),
                TakeScope::Policies | TakeScope::Category(_) | TakeScope::Since(_) => error.into(),
            })?;
            output.show(&view, |output| print_taken(&view, output))
        }
        What::List {
            store,
            stream,
            limit,
        } => {
            let (log, models, snapshots) = open(&store)?;
            let view = temporal::list_snapshots(&log, &models, &snapshots, stream.as_ref(), limit)?;
            output.show(&view, |output| print_list(&view, output))
        }
        What::Import {
            store,
            file,
            name,
            replace,
            limit,
        } => {
            let log = Log::explore(&store)?;
            let models = load_models(&store)?;
            let name = name.as_deref();
            let view = counting(|go_on| {
                temporal::import_snapshots(&log, &models, &file, name, replace, limit, go_on)
            })
            .map_err(with_import_hint)?;
            output.show(&view, |output| {
                print_verified(&view.check, output)?;
                output.line(&visible(&format!(
                    "imported {} as {}, kept in {}; they serve no state",
                    counted(view.imported, "snapshot"),
                    view.name,
                    view.kept
                )))
            })?;
            Ok(exit_of(&view.check))
        }
        What::Verify {
            store,
            stream,
            file,
            limit,
        } => {
            let view = match file {
                Some(file) => {
                    let log = Log::explore(&store)?;
                    let models = load_models(&store)?;
                    let claims = claimed::read(&file).map_err(SnapshotError::from)?;
                    let name = file.display().to_string();
                    counting(|go_on| {
                        temporal::verify_claims(&log, &models, &name, &claims, limit, go_on)
                    })?
                }
                None => {
                    let (log, models, snapshots) = open(&store)?;
                    counting(|go_on| {
                        let stream = stream.as_ref();
                        temporal::verify_snapshots(&log, &models, &snapshots, stream, limit, go_on)
                    })?
                }
            };
            output.show(&view, |output| print_verified(&view, output))?;
            Ok(exit_of(&view))
        }
        What::Advise { store } => {
            let (log, models, snapshots) = open(&store)?;
            let view =
                counting(|go_on| temporal::advise_snapshots(&log, &models, &snapshots, go_on))?;
            output.show(&view, |output| print_advice(&view, output))
        }
    }
}

fn with_import_hint(error: SnapshotError) -> Failure {
    let hint = match &error {
        SnapshotError::Claimed(ClaimError::Exists { .. }) => {
            "--replace takes their place, --name gives another name"
        }
        SnapshotError::Claimed(ClaimError::Name { .. }) => "--name gives a name",
        _ => return error.into(),
    };
    Failure::from(error).hint(hint)
}

fn exit_of(view: &SnapshotVerifyView) -> Exit {
    match view.problems {
        true => Exit::Problems,
        false => Exit::Done,
    }
}

fn open(store: &Path) -> Result<(Log, ModelSet, Snapshots), Failure> {
    let log = Log::explore(store)?;
    let models = load_models(store)?;
    let clock = Surroundings::system().clock;
    let snapshots = Snapshots::open(&log, cache_folder().as_deref(), clock)?;
    Ok((log, models, snapshots))
}

fn policy(args: PolicyArgs, output: &mut Output) -> Result<Exit, Failure> {
    let PolicyArgs {
        store,
        category,
        strategy,
        every_events,
        every_day,
        replay_ms,
        state_bytes,
        slower_percent,
        critical,
        keep,
        keep_first,
        keep_month_ends,
    } = args;
    let log = Log::explore(&store)?;
    let policies = match (category, strategy) {
        (Some(category), Some(strategy)) => {
            let policy = SnapshotPolicy {
                strategy,
                every_events,
                every_day,
                replay_ms,
                state_bytes,
                slower_percent,
                critical,
                keep,
                keep_first,
                keep_month_ends,
            };
            Policies::set(log.path(), &category, policy)?
        }
        _ => Policies::load(log.path())?,
    };
    let view = PoliciesView {
        file: Policies::file(&store).display().to_string(),
        policies: policies
            .iter()
            .map(|(category, policy)| PolicyRow {
                category: category.to_owned(),
                policy: policy.clone(),
            })
            .collect(),
    };
    output.show(&view, |output| {
        if view.policies.is_empty() {
            return output.line(&visible(&format!(
                "no policy is written: no snapshots are taken by themselves ({})",
                view.file
            )));
        }
        let mut table = Table::new(&[
            ("CATEGORY", Align::Left, MAX_NAME_COLUMNS),
            ("STRATEGY", Align::Left, 10),
            ("WHAT", Align::Left, 100),
        ]);
        for PolicyRow { category, policy } in &view.policies {
            table.row([
                category.clone(),
                policy.strategy.name().to_owned(),
                what(policy),
            ]);
        }
        output.table(&table)
    })
}

/// A policy in words, its strategy aside.
fn what(policy: &SnapshotPolicy) -> String {
    let SnapshotPolicy {
        strategy: _,
        every_events,
        every_day,
        replay_ms,
        state_bytes,
        slower_percent,
        critical,
        keep,
        keep_first,
        keep_month_ends,
    } = policy;
    let parts = [
        every_events.map(|n| format!("every {}", counted(n, "event"))),
        every_day.then(|| "every day".to_owned()),
        replay_ms.map(|n| format!("where a replay takes more than {n} ms")),
        state_bytes.map(|n| format!("where a fold takes more than {n} bytes")),
        slower_percent.map(|n| format!("where an event takes more than {n} % of the fastest")),
        (!critical.is_empty()).then(|| format!("always of {}", critical.join(", "))),
        keep.map(|n| format!("the newest {n} stay")),
        keep_first.then(|| "and the first".to_owned()),
        keep_month_ends.then(|| "and each month's last".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn print_taken(view: &SnapshotsTakenView, output: &mut Output) -> Result<(), Failure> {
    let SnapshotsTakenView {
        taken,
        taken_count,
        gone_count,
        streams,
        events,
        own_time,
        known,
    } = view;
    for row in taken.iter().take(20) {
        let (stream, version, time) = (&row.stream, row.version, row.time);
        output.line(&visible(&format!("{stream} at version {version}, {time}")))?;
    }
    if *taken_count > 20 {
        output.line(&format!("… and {} more", taken_count - 20))?;
    }
    for category in own_time {
        output.line(&visible(&format!(
            "{category}: its model counts events from a time of its own, so no snapshot of it can serve"
        )))?;
    }
    output.line(&format!(
        "{} taken, {gone_count} gone; folded {} of {}, up to position {known}",
        counted(*taken_count, "snapshot"),
        counted(*events, "event"),
        counted(*streams, "stream"),
    ))
}

fn print_list(view: &SnapshotsView, output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("VERSION", Align::Right, 12),
        ("POSITION", Align::Right, 12),
        ("TIME", Align::Left, 30),
        ("MODEL", Align::Left, MAX_NAME_COLUMNS),
        ("BYTES", Align::Right, 12),
    ]);
    for row in &view.snapshots {
        let model = match row.current {
            true => row.model.clone(),
            false => format!("{} (not the present one)", row.model),
        };
        table.row([
            row.stream.clone(),
            row.version.to_string(),
            row.position.to_string(),
            row.time.to_string(),
            model,
            row.bytes.to_string(),
        ]);
    }
    if !view.snapshots.is_empty() {
        output.table(&table)?;
        output.line("")?;
    }
    let listed = view.snapshots.len() as u64;
    let rest = match listed < view.snapshots_count {
        true => format!("; the first {listed} are listed"),
        false => String::new(),
    };
    output.line(&visible(&format!(
        "{}, {} bytes{rest}",
        counted(view.snapshots_count, "snapshot"),
        view.bytes,
    )))?;
    for row in &view.foreign {
        let ForeignRow {
            name,
            snapshots,
            bytes,
            fault,
        } = row;
        let many = snapshots.map_or("unreadable".to_owned(), |n| counted(n, "snapshot"));
        let fault = fault
            .as_ref()
            .map_or(String::new(), |why| format!("; {why}"));
        output.line(&visible(&format!(
            "imported: {name}, {many}, {bytes} bytes{fault}"
        )))?;
    }
    for note in &view.notes {
        output.line(&visible(note))?;
    }
    Ok(())
}

fn print_verified(view: &SnapshotVerifyView, output: &mut Output) -> Result<(), Failure> {
    for check in &view.wrong {
        let SnapshotCheck {
            claimant,
            stream,
            version,
            position,
            outcome,
            detail,
            changes,
        } = check;
        let word = match outcome {
            SnapshotOutcome::Same => "same",
            SnapshotOutcome::Differs => "differs",
            SnapshotOutcome::Damaged => "damaged",
            SnapshotOutcome::Stale => "stale",
            SnapshotOutcome::Untold => "untold",
            SnapshotOutcome::Unreadable => "unreadable",
        };
        let whose = match (claimant, &view.file) {
            (Some(name), None) => format!("{name}: "),
            _ => String::new(),
        };
        let what = match stream.is_empty() {
            true => String::new(),
            false => format!("{stream} at version {version}"),
        };
        let at = position.map(|position| format!(" (position {position})"));
        let detail = detail.as_deref().unwrap_or_default();
        let place = format!("{whose}{what}{}", at.unwrap_or_default());
        // A record that cannot be read has no stream, and from a file that is not kept no other place either.
        let line = match place.trim_end_matches(": ") {
            "" => format!("{word}  {detail}"),
            place => format!("{word}  {place}: {detail}"),
        };
        output.line(&visible(&line))?;
        print_changes(changes, output)?;
    }
    if !view.wrong.is_empty() {
        output.line("")?;
    }
    let counts = [
        (view.same, "confirmed"),
        (view.differs, "differ"),
        (view.damaged, "damaged"),
        (view.stale, "stale"),
        (view.untold, "of which nothing can be told"),
        (view.unreadable, "that cannot be read"),
        (view.aggregates, "of programs' aggregates, not looked at"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let counts = match counts.is_empty() {
        true => String::new(),
        false => format!(": {}", counts.join(", ")),
    };
    let dropped = match view.dropped {
        0 => "",
        _ => "; what does not hold was dropped",
    };
    let claimed = match (view.claimed, &view.file) {
        (0, _) | (_, Some(_)) => String::new(),
        (claimed, None) => format!(", {claimed} of other systems"),
    };
    output.line(&format!(
        "{}{claimed}{counts}{dropped}; replayed {}, up to position {}",
        counted(view.checked, "snapshot"),
        counted(view.events, "event"),
        view.known
    ))
}

fn print_advice(view: &SnapshotAdviceView, output: &mut Output) -> Result<(), Failure> {
    if view.categories.is_empty() {
        return output.line("the log holds no events");
    }
    let mut table = Table::new(&[
        ("CATEGORY", Align::Left, MAX_NAME_COLUMNS),
        ("STREAMS", Align::Right, 12),
        (">100", Align::Right, 10),
        (">1000", Align::Right, 10),
        (">10000", Align::Right, 10),
        ("LONGEST", Align::Right, 12),
        ("REPLAY MS", Align::Right, 12),
        ("EVENTS/DAY", Align::Right, 12),
        ("READS", Align::Right, 12),
        ("ADVISED", Align::Left, 10),
    ]);
    for row in &view.categories {
        let AdviceRow {
            category,
            streams,
            longest: _,
            longest_events,
            above,
            replay_us,
            events_per_day,
            reads,
            present: _,
            advised,
            reason: _,
        } = row;
        table.row([
            category.clone(),
            streams.to_string(),
            above[0].to_string(),
            above[1].to_string(),
            above[2].to_string(),
            longest_events.to_string(),
            format!("{}.{}", replay_us / 1_000, replay_us % 1_000 / 100),
            events_per_day.to_string(),
            reads.map_or("-".to_owned(), |reads| reads.to_string()),
            advised.strategy.name().to_owned(),
        ]);
    }
    output.table(&table)?;
    output.line("")?;
    for row in &view.categories {
        output.line(&visible(&format!("{}: {}", row.category, row.reason)))?;
        let more = what(&row.advised);
        if !more.is_empty() {
            let change = match row.present == row.advised {
                true => "as it is",
                false => "advised",
            };
            output.line(&visible(&format!(
                "  {change}: {}, {more}",
                row.advised.strategy.name()
            )))?;
        }
    }
    Ok(())
}
