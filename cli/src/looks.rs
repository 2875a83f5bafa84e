//! Writing down who looks at a store before a command answers: user, purpose, command, and what was asked.
//!
//! What was asked is read from the command line as it was parsed, so that a new command or option is written down
//! without anybody thinking of it. Payloads that a command line holds are not: only how long they are.
//!
//! Left out: commands that look at no store (making a new one, or an import that only shows files).

use std::path::{Path, PathBuf};

use annals_core::access_log::{AccessLog, AccessState, Look, LookKind};
use annals_core::position::Position;
use annals_core::store::Log;
use annals_core::surroundings::{OsUser, Surroundings, data_folder};
use clap::{ArgMatches, CommandFactory as _, parser::ValueSource};

use crate::args::Args;
use crate::failure::{Code, Failure};

/// Arguments that name a store that is looked at.
const STORES: [&str; 2] = ["store", "into"];

/// Commands whose `file` is a store.
const FILE_IS_STORE: [&str; 1] = ["restore"];

/// Commands that make a store where there is none, or look at none.
#[cfg(test)]
const NO_STORE: [&str; 5] = [
    "sample",
    "formats",
    "evidence verify",
    "evidence verifier",
    "report check",
];

/// Arguments that hold payloads.
const PAYLOADS: [&str; 3] = ["data", "metadata", "edit"];

/// Commands that write events to a file.
const EXPORTS: [&str; 2] = ["export", "backup"];

/// Commands that make a report or a package.
const REPORTS: [&str; 2] = ["report", "evidence"];

/// Writes the look down in the access log of each store that the command names, and says where it stands. What
/// cannot be opened is not looked at either; the command itself says why.
///
/// # Errors
/// If it cannot be written: the command must not run then.
pub fn write_down(args: &Args, matches: &ArgMatches) -> Result<AccessState, Failure> {
    if args.no_access_log {
        return Ok(AccessState::Off);
    }
    let asked = Asked::read(matches);
    // What cannot be opened holds nothing to see.
    let logs: Vec<Log> = asked
        .stores
        .iter()
        .filter_map(|store| Log::explore(store).ok())
        .collect();
    if logs.is_empty() {
        return Ok(AccessState::Off);
    }
    let folder = data_folder().ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            "there is no folder for the access log: the environment names no home",
        )
        .hint("ANNALS_DATA_DIR names one; --no-access-log answers without, which reports then say")
    })?;
    let mut look = Look {
        user: OsUser::system(),
        purpose: args.purpose.clone().filter(|text| !text.trim().is_empty()),
        program: concat!("annals ", env!("CARGO_PKG_VERSION")).to_owned(),
        kind: asked.kind(),
        action: asked.action,
        asked: asked.values,
        size: Position::ZERO,
    };
    let clock = Surroundings::system().clock;
    let mut states = Vec::with_capacity(logs.len());
    for log in logs {
        look.size = log.head()?.size;
        states.push(AccessLog::of(log.id(), &folder).write(look.clone(), &clock)?);
    }
    Ok(states.swap_remove(0))
}

/// What a command line asks.
struct Asked {
    /// Names of the command and of the commands under it: `model check`.
    action: String,
    values: Vec<(String, Vec<String>)>,
    /// The stores looked at, the one that the command is about first.
    stores: Vec<PathBuf>,
}

impl Asked {
    fn read(matches: &ArgMatches) -> Asked {
        let mut asked = Asked {
            action: String::new(),
            values: Vec::new(),
            stores: Vec::new(),
        };
        let root = Args::command();
        let (mut command, mut matches) = (&root, matches);
        while let Some((name, below)) = matches.subcommand() {
            let Some(found) = command.find_subcommand(name) else {
                break;
            };
            (command, matches) = (found, below);
            if !asked.action.is_empty() {
                asked.action.push(' ');
            }
            asked.action += name;
            for argument in command.get_arguments() {
                asked.take(argument.get_id().as_str(), matches);
            }
        }
        asked
    }

    /// Takes the values of one argument, where the user gave it.
    fn take(&mut self, id: &str, matches: &ArgMatches) {
        let is_given = matches!(matches.try_contains_id(id), Ok(true))
            && matches.value_source(id) == Some(ValueSource::CommandLine);
        let Ok(Some(values)) = matches.try_get_raw(id) else {
            return;
        };
        if !is_given {
            return;
        }
        let values: Vec<_> = values.collect();
        let file_is_store = id == "file" && FILE_IS_STORE.contains(&self.action.as_str());
        let paths = values.iter().map(|path| Path::new(path).to_owned());
        if STORES.contains(&id) || file_is_store {
            self.stores.splice(0..0, paths);
        } else if id == "paths" && self.action == "import" {
            // Stores can be imported: those that can be opened are looked at, too.
            self.stores.extend(paths);
        }
        let shown = values.into_iter().map(|value| {
            if PAYLOADS.contains(&id) {
                format!("({} bytes)", value.len())
            } else {
                value.to_string_lossy().into_owned()
            }
        });
        self.values.push((id.to_owned(), shown.collect()));
    }

    fn kind(&self) -> LookKind {
        let command = self.action.split(' ').next().unwrap_or_default();
        let to_file = command == "sql" && self.values.iter().any(|(name, _)| name == "out");
        if to_file || EXPORTS.contains(&command) {
            LookKind::Export
        } else if REPORTS.contains(&command) {
            LookKind::Report
        } else {
            LookKind::Command
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        Asked::read(
            &Args::command()
                .try_get_matches_from(line.split(' '))
                .unwrap(),
        )
    }

    #[test]
    fn what_was_asked_is_what_was_written() {
        let asked = asked("annals state x.annals order-1 --at 2024-01-01 --json --purpose audit");
        assert_eq!(asked.action, "state");
        assert_eq!(asked.stores, [Path::new("x.annals")]);
        let values: Vec<(&str, &str)> = asked
            .values
            .iter()
            .map(|(name, values)| (name.as_str(), values[0].as_str()))
            .collect();
        assert_eq!(
            values,
            [
                ("store", "x.annals"),
                ("streams", "order-1"),
                ("at", "2024-01-01")
            ]
        );
    }

    #[test]
    fn payloads_are_not_written_down() {
        let asked = asked(r#"annals append x.annals s-1 --type T --data {"name":"Ada"}"#);
        let data = asked
            .values
            .iter()
            .find(|(name, _)| name == "data")
            .unwrap();
        assert_eq!(data.1, ["(14 bytes)"]);
    }

    #[test]
    fn commands_under_commands_are_named() {
        let asked = asked("annals model list x.annals");
        assert_eq!(asked.action, "model list");
        assert_eq!(asked.stores, [Path::new("x.annals")]);
    }

    #[test]
    fn a_store_that_is_imported_is_looked_at_after_the_one_it_goes_into() {
        let asked = asked("annals import theirs.annals --into x.annals");
        let stores = ["x.annals", "theirs.annals"];
        assert_eq!(asked.stores, stores.map(Path::new));
    }

    #[test]
    fn every_command_names_its_store_so_that_looks_are_written_down() {
        fn go(command: &clap::Command, name: &str) {
            for below in command.get_subcommands() {
                go(below, &format!("{name} {}", below.get_name()));
            }
            if command.has_subcommands() || name == " help" || name.contains(" help") {
                return;
            }
            let names_store = command.get_arguments().any(|argument| {
                let id = argument.get_id().as_str();
                STORES.contains(&id) || FILE_IS_STORE.contains(&name.trim()) && id == "file"
            });
            assert!(
                names_store || NO_STORE.contains(&name.trim()),
                "annals{name} names no store in an argument `store` or `into`: name it so, or list the command in NO_STORE"
            );
        }
        go(&Args::command(), "");
    }
}
