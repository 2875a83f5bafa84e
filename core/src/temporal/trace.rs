//! Which events touched a place of the state, found by going forwards once, and what stood there came from which
//! of them, found by going back: elements of lists move, so a place must be followed to where it was.

use serde_json::Value;
use serde_json::value::RawValue;

use super::diff::{ChangeKind, changes};
use crate::model::{FieldPath, Fold, Mark, Marked, Step};
use crate::position::Version;
use crate::store::StreamEvent;

/// The changes of one event that matter to a place.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// Number of the event in the order of the fold, first is 0.
    pub(super) turn: u64,
    /// Version of the event.
    pub(super) version: Version,
    notes: Vec<Note>,
}

/// One change, reduced to what following a place needs.
#[derive(Debug, Clone)]
struct Note {
    path: FieldPath,
    what: What,
    line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The place got a value.
    Set {
        /// Whatever it held before does not count.
        outright: bool,
        /// The value is the one it held before.
        same: bool,
    },
    /// An element came to be; those after it moved.
    Inserted,
    /// An element or a name went; elements after it moved.
    Went,
}

/// What an event's changes did to a place, as seen while they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touched {
    /// The event touched it, or something above or in it.
    pub(super) any: bool,
    /// It may hold another value than before.
    pub(super) real: bool,
}

/// Gathers the mentions of a place.
#[derive(Debug)]
pub(super) struct Trace {
    path: FieldPath,
    mentions: Vec<Mention>,
    present: bool,
    /// The event with which the place went, if it is not there now.
    vanished: Option<Source>,
}

impl Trace {
    pub(super) fn new(path: FieldPath) -> Trace {
        Trace {
            path,
            mentions: Vec::new(),
            present: false,
            vanished: None,
        }
    }

    /// Notes what the fold's last event did to the place.
    pub(super) fn note(&mut self, fold: &Fold, event: &StreamEvent, turn: u64) {
        let version = event.version;
        let notes = notes(fold, event.event.event_type.as_str(), &self.path);
        if notes.is_empty() {
            return;
        }
        let present = self.path.get(fold.state()).is_some();
        if present {
            self.vanished = None;
        } else if self.present {
            let line = notes.last().map_or(0, |note| note.line);
            self.vanished = Some(Source {
                turn,
                version,
                line,
                before: Some(self.path.clone()),
                after: self.path.clone(),
                now: self.path.clone(),
                sets: true,
            });
        }
        self.present = present;
        // What a place held before it was set anew can matter no more, unless the place moves.
        let settled = |note: &Note| {
            note.what
                == What::Set {
                    outright: true,
                    same: false,
                }
                && self.path.0.starts_with(&note.path.0)
                && note.path.0.iter().all(|step| matches!(step, Step::Key(_)))
        };
        if notes.iter().any(settled) {
            self.mentions.clear();
        }
        self.mentions.push(Mention {
            turn,
            version,
            notes,
        });
    }
}

impl Trace {
    /// Where a value that is not there any more went; `None` if it never was there.
    pub(super) fn vanishing(self) -> Option<Ancestry> {
        self.vanished.map(|source| Ancestry {
            set_by: Some(source),
            ..Ancestry::default()
        })
    }
}

/// What the fold's last event did to a place.
pub(super) fn touched(fold: &Fold, event_type: &str, path: &FieldPath) -> Touched {
    let notes = notes(fold, event_type, path);
    Touched {
        any: !notes.is_empty(),
        real: notes
            .iter()
            .any(|note| !matches!(note.what, What::Set { same: true, .. })),
    }
}

fn notes(fold: &Fold, event_type: &str, path: &FieldPath) -> Vec<Note> {
    let mut notes = Vec::new();
    let marks = fold.last_marks();
    for (at, mark) in marks.iter().enumerate() {
        if !related(&mark.path.0, &path.0) {
            continue;
        }
        if matches!(mark.what, Marked::Replaced(_)) && moved_in(mark, &marks[at + 1..]) {
            // What it was replaced by is not what stands there after the event.
            notes.push(Note {
                path: mark.path.clone(),
                what: What::Set {
                    outright: !fold.model().builds_on(event_type, mark.line),
                    same: false,
                },
                line: mark.line,
            });
            continue;
        }
        note_mark(fold, event_type, path, mark.clone(), &mut notes);
    }
    notes
}

/// Whether later changes of the same event add or take elements in what a mark put there.
fn moved_in(mark: &Mark<'_>, later: &[Mark<'_>]) -> bool {
    later.iter().any(|later| {
        matches!(later.what, Marked::Pushed | Marked::Went)
            && matches!(later.path.0.last(), Some(Step::Index(_)))
            && later.path.0.len() > mark.path.0.len()
            && later.path.0.starts_with(&mark.path.0)
    })
}

/// Whether one place lies in the other, elements of a list taken as equal.
fn related(a: &[Step], b: &[Step]) -> bool {
    a.iter().zip(b).all(|(a, b)| match (a, b) {
        (Step::Index(_), Step::Index(_)) => true,
        (a, b) => a == b,
    })
}

fn note_mark(
    fold: &Fold,
    event_type: &str,
    path: &FieldPath,
    mark: Mark<'_>,
    notes: &mut Vec<Note>,
) {
    let Mark {
        path: at,
        what,
        line,
    } = mark;
    let mut note = |path: FieldPath, what: What| notes.push(Note { path, what, line });
    let before = match what {
        Marked::Came => {
            let (outright, same) = (true, false);
            return note(at, What::Set { outright, same });
        }
        Marked::Pushed => return note(at, What::Inserted),
        Marked::Went => return note(at, What::Went),
        Marked::Replaced(before) => before,
    };
    let outright = !fold.model().builds_on(event_type, line);
    let after = at.get(fold.state());
    let rest = path.0.get(at.0.len()..).unwrap_or_default();
    if let (false, Some(after)) = (outright, after)
        && before != after
    {
        // What was built on is told change by change.
        for change in changes(before, after) {
            let Ok(FieldPath(inner)) = change.path.parse::<FieldPath>() else {
                continue;
            };
            let place = FieldPath(at.0.iter().cloned().chain(inner).collect());
            let what = match (change.kind, place.0.last()) {
                (ChangeKind::Added, Some(Step::Index(_))) => What::Inserted,
                (ChangeKind::Added, _) => What::Set {
                    outright: true,
                    same: false,
                },
                (ChangeKind::Removed, _) => What::Went,
                (ChangeKind::Changed, _) => What::Set {
                    outright: kind(change.before) != kind(change.after),
                    same: false,
                },
            };
            if related(&place.0, &path.0) {
                note(place, what);
            }
        }
        return;
    }
    if rest.iter().any(|step| matches!(step, Step::Index(_))) {
        // Which element is meant is not known yet.
        let same = after == Some(before);
        return note(at, What::Set { outright, same });
    }
    let inner = FieldPath(rest.to_vec());
    let (was, is) = (inner.get(before), after.and_then(|after| inner.get(after)));
    match (was, is) {
        (Some(Value::Object(was)), Some(Value::Object(is))) if was != is => {
            let place = FieldPath(at.0.iter().chain(rest).cloned().collect());
            for (key, value) in is {
                if was.get(key) != Some(value) {
                    let same = false;
                    note(
                        place.then(Step::Key(key.clone())),
                        What::Set { outright, same },
                    );
                }
            }
            for key in was.keys().filter(|key| !is.contains_key(*key)) {
                note(place.then(Step::Key(key.clone())), What::Went);
            }
        }
        (was, is) => {
            let same = was == is;
            note(at, What::Set { outright, same });
        }
    }
}

/// What kind of value a text of JSON is: its first character, digits and signs taken as equal.
fn kind(value: Option<Box<RawValue>>) -> Option<char> {
    let first = value?.get().chars().next()?;
    Some(match first {
        '-' | '0'..='9' => '0',
        't' | 'f' => 't',
        other => other,
    })
}

/// An event that a value, or a part of it, comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) turn: u64,
    pub(super) version: Version,
    /// Line of the handler.
    pub(super) line: usize,
    /// Where the value stood before the event; `None` if it came to be with it.
    pub(super) before: Option<FieldPath>,
    /// Where it stood after the event.
    pub(super) after: FieldPath,
    /// Where it stands at the end.
    pub(super) now: FieldPath,
    /// What it held before does not count.
    pub(super) sets: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Ancestry {
    /// The last event that changed it.
    pub(super) set_by: Option<Source>,
    /// Events after that one that set it again to what it was: turn and version.
    pub(super) confirmed: Vec<(u64, Version)>,
    /// The events that it is made of, in the order of the fold.
    pub(super) sources: Vec<Source>,
}

/// Follows the value at a place back through the mentions.
pub(super) fn ancestry(trace: &Trace, value: &Value) -> Ancestry {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let members = fields.keys().map(|key| Step::Key(key.clone())).collect();
            Walk::of(trace, members).collection()
        }
        Value::Array(items) if !items.is_empty() => {
            let members = (0..items.len()).map(Step::Index).collect();
            Walk::of(trace, members).collection()
        }
        Value::Object(_) | Value::Array(_) => Walk::of(trace, Vec::new()).collection(),
        _ => Walk::of(trace, Vec::new()).chain(),
    }
}

/// A walk back through the mentions.
struct Walk<'t> {
    trace: &'t Trace,
    /// Where the value stands at this point of the walk.
    here: FieldPath,
    /// The value's members, where they stand at the end.
    members: Vec<Step>,
    /// Members that no event was found for yet: where each stands at this point, and which it is.
    open: Vec<(Step, usize)>,
    found: Ancestry,
    /// Which member each of the sources found is for.
    order: Vec<usize>,
}

/// What one mention did to the value.
#[derive(Default)]
struct Effect {
    touched: bool,
    real: bool,
    /// Before it there was nothing that counts.
    ends: bool,
    /// It gave the value anew, and another one.
    replaces: bool,
    /// Its value came to be with the event.
    born: bool,
    line: Option<usize>,
    /// Members that the event gave their value: place after it, which, line.
    gave: Vec<(Step, usize, usize)>,
}

impl<'t> Walk<'t> {
    fn of(trace: &'t Trace, members: Vec<Step>) -> Walk<'t> {
        Walk {
            trace,
            here: trace.path.clone(),
            open: members.iter().cloned().zip(0..).collect(),
            members,
            found: Ancestry::default(),
            order: Vec::new(),
        }
    }

    fn source(&self, mention: &Mention, effect: &Effect, after: FieldPath) -> Source {
        Source {
            turn: mention.turn,
            version: mention.version,
            line: effect.line.unwrap_or_default(),
            before: (!effect.born).then(|| self.here.clone()),
            after,
            now: self.trace.path.clone(),
            sets: effect.ends,
        }
    }

    /// Every event that a single value is made of.
    fn chain(mut self) -> Ancestry {
        for mention in self.trace.mentions.iter().rev() {
            let after = self.here.clone();
            let effect = self.undo(mention);
            if !effect.touched {
                continue;
            }
            if self.found.set_by.is_none() {
                if !effect.real {
                    self.found.confirmed.push((mention.turn, mention.version));
                    continue;
                }
                self.found.set_by = Some(self.source(mention, &effect, after.clone()));
            }
            let source = self.source(mention, &effect, after);
            self.found.sources.push(source);
            if effect.ends {
                break;
            }
        }
        self.finish()
    }

    /// For every member the event that it comes from.
    fn collection(mut self) -> Ancestry {
        for mention in self.trace.mentions.iter().rev() {
            let after = self.here.clone();
            let effect = self.undo(mention);
            if !effect.touched {
                continue;
            }
            if self.found.set_by.is_none() {
                if effect.real {
                    self.found.set_by = Some(self.source(mention, &effect, after.clone()));
                } else {
                    self.found.confirmed.push((mention.turn, mention.version));
                }
            }
            for (step, which, line) in &effect.gave {
                self.order.push(*which);
                let born = effect.born || matches!(step, Step::Index(_));
                self.found.sources.push(Source {
                    turn: mention.turn,
                    version: mention.version,
                    line: *line,
                    before: (!born).then(|| self.here.then(step.clone())),
                    after: after.then(step.clone()),
                    now: self.trace.path.then(self.members[*which].clone()),
                    sets: true,
                });
            }
            if effect.replaces || (self.open.is_empty() && self.found.set_by.is_some()) {
                break;
            }
        }
        self.finish()
    }

    fn finish(mut self) -> Ancestry {
        self.found.confirmed.reverse();
        if self.order.is_empty() {
            self.found.sources.reverse();
            return self.found;
        }
        let mut sources: Vec<(usize, Source)> =
            self.order.into_iter().zip(self.found.sources).collect();
        sources.sort_by_key(|(which, source)| (source.turn, *which));
        self.found.sources = sources.into_iter().map(|(_, source)| source).collect();
        self.found
    }

    /// Takes the changes of an event back.
    fn undo(&mut self, mention: &Mention) -> Effect {
        let mut effect = Effect::default();
        // Where the members stand after the event, if they may move within it.
        let moves = |note: &Note| matches!(note.what, What::Inserted | What::Went);
        let several = mention.notes.len() > 1;
        let after = (several && mention.notes.iter().any(moves)).then(|| self.open.clone());
        for note in mention.notes.iter().rev() {
            self.undo_note(note, &mut effect);
        }
        if let Some(after) = after {
            for (step, which, _) in &mut effect.gave {
                if let Some((place, _)) = after.iter().find(|(_, open)| open == which) {
                    *step = place.clone();
                }
            }
        }
        effect
    }

    fn undo_note(&mut self, note: &Note, effect: &mut Effect) {
        let (at, here) = (&note.path.0, &self.here.0);
        let inside = at.len() > here.len();
        if inside && at.starts_with(here) {
            return self.undo_inside(note, effect);
        }
        // What went from a list stood where the next one is now.
        let moves_up = note.what == What::Went && matches!(at.last(), Some(Step::Index(_)));
        if !inside && !moves_up && here.starts_with(at) {
            effect.touched = true;
            let (outright, same) = match note.what {
                What::Set { outright, same } => (outright, same),
                What::Inserted => (true, false),
                What::Went => (true, false),
            };
            effect.line.get_or_insert(note.line);
            effect.real |= !same;
            effect.ends |= outright;
            effect.replaces |= !same;
            effect.born |= note.what == What::Inserted;
            // Changes inside an object or a list that stayed one are notes of their own.
            if !same {
                let line = note.line;
                let gave = self.open.drain(..);
                effect
                    .gave
                    .extend(gave.map(|(step, which)| (step, which, line)));
            }
            return;
        }
        // An element of a list that the place leads through came or went before it.
        if let Some((Step::Index(moved), list)) = at.split_last()
            && here.starts_with(list)
            && let Some(Step::Index(mine)) = here.get(list.len())
        {
            let mine = match note.what {
                What::Went if moved <= mine => mine + 1,
                What::Inserted if moved < mine => mine - 1,
                What::Went | What::Inserted | What::Set { .. } => *mine,
            };
            let depth = list.len();
            self.here.0[depth] = Step::Index(mine);
        }
    }

    /// Takes back a change inside the value.
    fn undo_inside(&mut self, note: &Note, effect: &mut Effect) {
        let depth = self.here.0.len();
        let member = &note.path.0[depth];
        let whole = note.path.0.len() == depth + 1;
        let same = matches!(note.what, What::Set { same: true, .. });
        effect.touched = true;
        effect.real |= !same;
        effect.line.get_or_insert(note.line);
        if same {
            return;
        }
        let takes = match (member, note.what) {
            // Whoever put an element there counts, not who changed something in it.
            (Step::Index(_), What::Set { .. } | What::Inserted) => whole,
            (Step::Index(_), What::Went) => false,
            (Step::Key(_), What::Went) => !whole,
            (Step::Key(_), What::Set { .. } | What::Inserted) => true,
        };
        if takes && let Some(at) = self.open.iter().rposition(|(step, _)| step == member) {
            let (step, which) = self.open.remove(at);
            effect.gave.push((step, which, note.line));
        }
        if let (Step::Index(moved), true) = (member, whole) {
            for (step, _) in &mut self.open {
                match (step, note.what) {
                    (Step::Index(mine), What::Went) if *mine >= *moved => *mine += 1,
                    (Step::Index(mine), What::Inserted) if *mine > *moved => *mine -= 1,
                    _ => {}
                }
            }
        }
    }
}
