//! `annals query`: the questions that a program would ask, by name. Each is one of the other commands.

use std::path::PathBuf;

use annals_core::store::Log;
use clap::Parser;

use crate::args::Args;
use crate::failure::{Code, Exit, Failure};
use crate::output::Output;

/// Ask by name: GetOrder ID, ListOrders, OrderHistory ID, for every category of the log.
#[derive(Debug, clap::Args)]
pub struct Query {
    /// The store
    store: PathBuf,
    /// Name of the question: Get, a category and an id; List and a category; a category, History and an id
    name: String,
    /// The id: order-789, or 789
    id: Option<String>,
}

/// What is asked of a category.
enum Question {
    Get,
    List,
    History,
}

/// Runs the command.
pub fn run(args: Query, output: &mut Output) -> Result<Exit, Failure> {
    let Query { store, name, id } = args;
    let info = Log::explore(&store)?.info()?;
    let categories: Vec<&str> = info
        .categories
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    let Some((question, category)) = understood(&name, &categories) else {
        let known = categories.iter().flat_map(|category| {
            let pascal = pascal(category);
            [
                format!("Get{pascal} ID"),
                format!("List{}", plural(&pascal)),
                format!("{pascal}History ID"),
            ]
        });
        let known: Vec<String> = known.collect();
        return Err(
            Failure::new(Code::BadInput, format!("this log has no question {name}"))
                .hint(format!("there is {}", known.join(", "))),
        );
    };
    let store = store.display().to_string();
    let stream = |id: Option<String>| -> Result<String, Failure> {
        let id = id.ok_or_else(|| {
            Failure::usage(format!("{name} needs an id")).hint(format!(
                "for example annals query {store} {name} {category}-1"
            ))
        })?;
        let own = id
            .strip_prefix(category)
            .is_some_and(|rest| rest.starts_with('-'));
        Ok(if own { id } else { format!("{category}-{id}") })
    };
    let words: Vec<String> = match question {
        Question::Get => vec!["state".into(), store.clone(), stream(id)?],
        Question::List => vec![
            "streams".into(),
            store.clone(),
            "--category".into(),
            category.to_owned(),
        ],
        Question::History => vec![
            "events".into(),
            store.clone(),
            "--stream".into(),
            stream(id)?,
        ],
    };
    let command = std::iter::once("annals".to_owned()).chain(words);
    let args = Args::try_parse_from(command)
        .map_err(|error| Failure::usage(error.render().to_string()))?;
    super::run(args.command, output)
}

/// `order` as it stands in a name: `Order`.
fn pascal(category: &str) -> String {
    let words = category.split(|c: char| !c.is_alphanumeric());
    words
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        })
        .collect()
}

/// `Inventory` becomes `Inventories`, `Box` `Boxes`, `Order` `Orders`.
fn plural(word: &str) -> String {
    let vowel = |c: char| "aeiou".contains(c);
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(vowel) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

fn understood<'c>(name: &str, categories: &[&'c str]) -> Option<(Question, &'c str)> {
    categories.iter().find_map(|category| {
        let pascal = pascal(category);
        let question = if name == format!("Get{pascal}") {
            Question::Get
        } else if name == format!("List{}", plural(&pascal)) {
            Question::List
        } else if name == format!("{pascal}History") {
            Question::History
        } else {
            return None;
        };
        Some((question, *category))
    })
}
