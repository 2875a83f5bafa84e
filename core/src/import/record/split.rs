//! The records that one JSON value holds: a list in it, or the rows of a message about several.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::path::{Paths, steps};
use super::{RecordPlan, dynamodb};
use crate::import::declared::{ChangeMapping, Reshape};
use crate::import::mapping::{Members, members_of, scalar, write_key, write_member};

/// Where records stand in a value.
#[derive(Debug)]
pub(super) enum Within {
    /// In a list: the steps to it, and in its elements those to the record.
    List {
        /// The first of the steps.
        first: String,
        /// The list is a member of the object itself.
        is_top: bool,
        list: Paths,
        inner: Paths,
    },
    /// Rows: members that are lists with an element for each of them.
    Rows(Vec<String>),
}

/// A record in the text of a value.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::import) struct Held<'t> {
    pub text: Cow<'t, str>,
    /// Lines between the beginning of the value and that of the record.
    pub lines: u64,
}

/// Where in a record the members stand that the paths of the event name.
#[derive(Debug)]
pub(super) struct Inside {
    /// The first of its steps as it stands in JSON, by which most records without it are passed over.
    first: String,
    path: Paths,
}

impl Inside {
    /// Reads `a.b || c`.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for the user.
    pub(super) fn all(inside: &str) -> Result<Vec<Inside>, String> {
        let paths = inside.split(" || ").filter(|path| !path.is_empty());
        let read = |path: &str| {
            let steps = steps(path)?;
            let first = steps.first().cloned().unwrap_or_default();
            let mut paths = Paths::new();
            paths.add(&steps);
            Ok(Inside {
                first: format!("\"{first}\""),
                path: paths,
            })
        };
        paths.map(read).collect()
    }

    fn find<'t>(&self, text: &'t str) -> Option<&'t RawValue> {
        text.contains(&self.first)
            .then(|| self.path.find(text).ok()?.into_iter().next()?)?
    }
}

impl Within {
    /// Reads `a.b[] || c[].d`.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for the user.
    pub(super) fn all(
        records: &str,
        change: Option<&ChangeMapping>,
    ) -> Result<Vec<Within>, String> {
        let mut all = Vec::new();
        if let Some(change) = change
            && !change.lists.is_empty()
        {
            all.push(Within::Rows(change.lists.clone()));
        }
        for path in records.split(" || ").filter(|path| !path.is_empty()) {
            let (list, inner) = path.split_once("[]").ok_or_else(|| {
                format!(
                    "records: {path:?} names no list; write [] behind its path, as in Records[]"
                )
            })?;
            let paths = |path: &str| {
                let mut paths = Paths::new();
                paths.add(&steps(path)?);
                Ok::<_, String>(paths)
            };
            let steps_to = steps(list)?;
            all.push(Within::List {
                is_top: matches!(&steps_to[..], [only] if only != "*"),
                first: steps_to.into_iter().next().unwrap_or_default(),
                list: paths(list)?,
                inner: paths(inner.strip_prefix('.').unwrap_or(inner))?,
            });
        }
        Ok(all)
    }

    /// The records that the value holds; `None` where it holds none here.
    fn records<'t>(&self, text: &'t str) -> Option<Vec<Held<'t>>> {
        match self {
            Within::List { list, inner, .. } => {
                let found = list.find(text).ok()?.into_iter().next()??;
                let elements: Vec<&'t RawValue> = serde_json::from_str(found.get()).ok()?;
                let mut lines = Lines::of(text);
                let held = elements.into_iter().map(|element| {
                    let record = inner.find(element.get());
                    let record = record.ok().and_then(|found| found.into_iter().next()?);
                    let record = record.unwrap_or(element);
                    let lines = lines.to(record.get());
                    let inside = scalar(record)
                        .filter(|text| text.starts_with('{'))
                        .map(Cow::into_owned);
                    Held {
                        text: inside.map_or(Cow::Borrowed(record.get()), Cow::Owned),
                        lines,
                    }
                });
                Some(held.collect())
            }
            Within::Rows(names) => {
                let members = members_of(text).ok()?;
                let lists: Vec<(&str, Vec<&RawValue>)> = names
                    .iter()
                    .filter_map(|name| {
                        let value = members.iter().rev().find(|(key, _)| key == name)?.1;
                        let list = serde_json::from_str(value.get()).ok()?;
                        Some((name.as_str(), list))
                    })
                    .collect();
                let rows = lists.first()?.1.len();
                let row = |index: usize| Held {
                    text: Cow::Owned(one_row(&members, &lists, index)),
                    lines: 0,
                };
                Some((0..rows).map(row).collect())
            }
        }
    }
}

/// The value with one row of each list in the list's place.
fn one_row(members: &Members<'_>, lists: &[(&str, Vec<&RawValue>)], index: usize) -> String {
    let mut out = String::new();
    for (key, value) in members {
        let list = lists.iter().find(|(name, _)| name == key);
        match list {
            None => write_member(&mut out, key, value),
            Some((_, list)) => match list.get(index) {
                Some(row) => write_member(&mut out, key, row),
                None => write_member(&mut out, key, RawValue::NULL),
            },
        }
    }
    format!("{{{out}}}")
}

/// Counts lines up to parts of a text that come one after the other.
pub(in crate::import) struct Lines<'t> {
    text: &'t str,
    at: usize,
    lines: u64,
}

impl<'t> Lines<'t> {
    /// Begins at the beginning of the text.
    pub(in crate::import) fn of(text: &'t str) -> Lines<'t> {
        Lines {
            text,
            at: 0,
            lines: 0,
        }
    }

    /// Lines before the part.
    pub(in crate::import) fn to(&mut self, part: &str) -> u64 {
        let at = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        if let Some(at) = at
            && let Some(between) = self.text.as_bytes().get(self.at..at)
        {
            self.lines += between.iter().filter(|b| **b == b'\n').count() as u64;
            self.at = at;
        }
        self.lines
    }
}

impl RecordPlan {
    /// The object whose members the paths of the event name: the record, or one inside of it.
    pub(super) fn inner<'t>(&self, text: &'t str) -> &'t str {
        let found = self.inside.iter().find_map(|inside| {
            let found = inside.find(text)?.get();
            found.starts_with('{').then_some(found)
        });
        found.unwrap_or(text)
    }

    /// The record with the text opened in which its members stand; `None` where they stand in none.
    fn opened_inside(&self, text: &str) -> Option<String> {
        let found = self.inside.iter().find_map(|inside| inside.find(text))?;
        found.get().starts_with("\"{").then(|| opened(text))?
    }

    /// Whether a value of the file is always one record, so that a line of JSON Lines is, too.
    pub(in crate::import) fn is_by_line(&self) -> bool {
        self.within.is_empty()
    }

    /// Names of the lists at the top of an object that hold records; none where the whole list is needed at once.
    pub(in crate::import) fn list_names(&self) -> Vec<&str> {
        if self.reshape.contains(&Reshape::NewestFirst) {
            return Vec::new();
        }
        self.within
            .iter()
            .filter_map(|within| match within {
                Within::List { first, is_top, .. } if *is_top => Some(first.as_str()),
                Within::List { .. } | Within::Rows(_) => None,
            })
            .collect()
    }

    /// The record that an element of a list is, reshaped.
    pub(in crate::import) fn record_in<'t>(&self, element: &'t str) -> Held<'t> {
        let found = self.within.iter().find_map(|within| match within {
            Within::List { inner, is_top, .. } if *is_top => {
                inner.find(element).ok()?.into_iter().next()?
            }
            Within::List { .. } | Within::Rows(_) => None,
        });
        let record = found.map_or(element, RawValue::get);
        let inside = found.and_then(scalar).filter(|text| text.starts_with('{'));
        let text = match inside {
            Some(text) => Cow::Owned(text.into_owned()),
            None => Cow::Borrowed(record),
        };
        let lines = Lines::of(element).to(record);
        let mut held = vec![Held { text, lines }];
        self.reshape_all(&mut held);
        held.pop().unwrap_or(Held {
            text: Cow::Borrowed(element),
            lines: 0,
        })
    }

    /// The records that a value of the file holds; `None` where it is a record itself, as it stands.
    pub(in crate::import) fn records_in<'t>(&self, text: &'t str) -> Option<Vec<Held<'t>>> {
        let within = self.within.iter().find_map(|within| within.records(text));
        let within = match within {
            None => self.opened_inside(text).map(|text| {
                vec![Held {
                    text: Cow::Owned(text),
                    lines: 0,
                }]
            }),
            within => within,
        };
        if self.reshape.is_empty() {
            return within;
        }
        let mut held = within.unwrap_or_else(|| {
            vec![Held {
                text: Cow::Borrowed(text),
                lines: 0,
            }]
        });
        self.reshape_all(&mut held);
        Some(held)
    }

    fn reshape_all(&self, held: &mut [Held<'_>]) {
        for shape in &self.reshape {
            let each: fn(&str) -> Option<String> = match shape {
                Reshape::NewestFirst => {
                    held.reverse();
                    continue;
                }
                Reshape::Dynamodb => dynamodb::plain,
                Reshape::JsonInText => opened,
            };
            for record in &mut *held {
                if let Some(text) = each(&record.text) {
                    record.text = Cow::Owned(text);
                }
            }
        }
    }
}

impl RecordPlan {
    /// Members beside the list of records, as the beginning of a sentence; `None` where there are none.
    pub(in crate::import) fn lost_around(&self, text: &str) -> Option<String> {
        let step = self.within.iter().find_map(|within| match within {
            Within::List { first, list, .. }
                if list
                    .find(text)
                    .ok()?
                    .iter()
                    .flatten()
                    .any(|found| found.get().starts_with('[')) =>
            {
                Some(first)
            }
            Within::List { .. } | Within::Rows(_) => None,
        })?;
        let members = members_of(text).ok()?;
        let lost: Vec<String> = members
            .iter()
            .filter(|(key, _)| key != step && step != "*")
            .take(8)
            .map(|(key, _)| format!("{key:?}"))
            .collect();
        (!lost.is_empty()).then(|| lost.join(", "))
    }
}

/// The record with JSON in place of texts that hold it; `None` where it has none.
fn opened(text: &str) -> Option<String> {
    let members = members_of(text).ok()?;
    let inside = |value: &RawValue| {
        let text = value.get().starts_with('"').then(|| scalar(value))?;
        super::json_in(text?)
    };
    let opened: Vec<Option<String>> = members.iter().map(|(_, value)| inside(value)).collect();
    if opened.iter().all(Option::is_none) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for ((key, value), opened) in members.iter().zip(opened) {
        write_key(&mut out, key);
        out.push_str(opened.as_deref().unwrap_or(value.get()));
    }
    Some(format!("{{{out}}}"))
}
