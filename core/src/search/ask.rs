//! Asking: candidates from the index, the events after it looked at one by one, all of them held against the
//! query and the rule of what matches.

use rusqlite::Connection;

use super::TextQuery;
use super::candidates::{Candidates, PART};
use super::index::{SearchError, TextIndex};
use super::lookup;
use super::matching::Places;
use super::view::{Reach, SearchCountView, SearchHit, SearchView};
use crate::cache::CacheError;
use crate::event::Event;
use crate::position::Position;
use crate::store::{Direction, EventBrief, EventQuery, ReadError};

/// Events after the index that a search looks at by itself. Where there are more, it says that it has not.
pub(super) const MAX_TAIL: u64 = 5_000;

/// Events looked at in one step.
pub(super) const STEP: usize = 512;

/// Candidates held against a filter one by one before the filter's own positions are fetched.
const FEW: usize = 1_024;

/// Candidates that a page looks at before it ends with what it has.
const MAX_LOOKED: usize = 5_000;

/// What a search covers.
pub(super) struct Range {
    /// Up to here the index answers.
    pub(super) indexed: Position,
    /// From there up to here the events themselves.
    searched_to: Position,
    /// The end of what was asked about.
    head: Position,
}

impl TextIndex {
    /// One page of at most `limit` events that match the text and the query, in the query's direction. `next` of
    /// the page is `after` of the next one.
    ///
    /// A page may hold fewer than `limit` and still have a `next`: it ends where many events had to be looked at.
    /// The index is used as far as it is; a few events after it are looked at too. Whether that was all, the
    /// answer says.
    ///
    /// # Errors
    /// [`SearchError::Read`] of the log.
    pub fn search(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        limit: usize,
    ) -> Result<SearchView, SearchError> {
        self.answer(query, MAX_TAIL, &|range| {
            let page = self.page(text, query, limit, range)?;
            Ok(SearchView {
                hits: page.found.into_iter().map(hit).collect(),
                next: page.ends_at,
                reading: text.to_string(),
                reach: self.reach(range),
            })
        })
    }

    /// Positions of all events that match the text and the query, in the query's direction, however many have to
    /// be looked at that are not in the index yet: none is left out.
    ///
    /// # Errors
    /// [`SearchError::Read`] of the log.
    pub fn positions(
        &self,
        text: &TextQuery,
        query: &EventQuery,
    ) -> Result<Vec<Position>, SearchError> {
        self.answer(query, u64::MAX, &|range| {
            let mut positions = self.indexed_matches(text, query, range)?;
            self.look_at_tail(text, query, range, &mut |position| positions.push(position))?;
            let (low, high) = bounds(query, range.searched_to);
            positions.retain(|position| (low..=high).contains(position));
            if query.direction == Direction::Backwards {
                positions.reverse();
            }
            Ok(positions)
        })
    }

    fn page(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        limit: usize,
        range: &Range,
    ) -> Result<Page, Unanswered> {
        let mut page = Page {
            found: Vec::new(),
            limit,
            looked: 0,
            ends_at: None,
        };
        let (low, high) = bounds(query, range.searched_to);
        let first_after = Position(range.indexed.0 + 1);
        match query.direction {
            Direction::Forwards => {
                let indexed = (low, high.min(range.indexed));
                self.ask(text, query, range, indexed, &mut page)?;
                self.look(text, query, low.max(first_after), high, &mut page)?;
            }
            Direction::Backwards => {
                self.look(text, query, low.max(first_after), high, &mut page)?;
                let indexed = (low, high.min(range.indexed));
                self.ask(text, query, range, indexed, &mut page)?;
            }
        }
        Ok(page)
    }

    /// How many events match the text and the query; `after` and `direction` are left aside.
    ///
    /// # Errors
    /// [`SearchError::Read`] of the log.
    pub fn count(
        &self,
        text: &TextQuery,
        query: &EventQuery,
    ) -> Result<SearchCountView, SearchError> {
        let query = EventQuery {
            after: None,
            direction: Direction::Forwards,
            ..query.clone()
        };
        self.answer(&query, MAX_TAIL, &|range| {
            self.count_in(text, &query, range)
        })
    }

    fn count_in(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        range: &Range,
    ) -> Result<SearchCountView, Unanswered> {
        let candidates = text.candidates();
        let mut count = if candidates.exact && !is_filtered(query) {
            self.count_candidates(range, &candidates)?
        } else {
            self.indexed_matches(text, query, range)?.len() as u64
        };
        self.look_at_tail(text, query, range, &mut |_| count += 1)?;
        Ok(SearchCountView {
            count,
            reading: text.to_string(),
            reach: self.reach(range),
        })
    }

    /// How many candidates the index has.
    fn count_candidates(&self, range: &Range, candidates: &Candidates) -> Result<u64, Unanswered> {
        self.asked(range, |conn| {
            let mut count = 0;
            let all = (Position(1), range.indexed);
            lookup::ask(conn, &candidates.wanted, all, false, &mut |_, bits| {
                count += bits.count();
                true
            })?;
            Ok(count)
        })
    }

    /// Positions of the events in the index that match, in rising order.
    fn indexed_matches(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        range: &Range,
    ) -> Result<Vec<Position>, Unanswered> {
        let positions = self.candidate_positions(text, query, range)?;
        if text.candidates().exact {
            return Ok(positions);
        }
        let mut matches = Vec::new();
        for some in positions.chunks(STEP) {
            let events = self.log.events_at(some)?;
            let events = events.iter().filter(|event| text.matches(event));
            matches.extend(events.map(|event| event.position));
        }
        Ok(matches)
    }

    /// Positions of the events in the index that may match the text and do match the query, in rising order.
    pub(super) fn candidate_positions(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        range: &Range,
    ) -> Result<Vec<Position>, Unanswered> {
        let all = (Position(1), range.indexed);
        let mut positions = self.candidates(
            range,
            &text.candidates(),
            all,
            Direction::Forwards,
            usize::MAX,
        )?;
        if is_filtered(query) {
            if positions.len() <= FEW && query.stream.is_none() {
                self.log.keep_matching(query, &mut positions)?;
            } else {
                let matching = self.log.positions(query, all.0, all.1)?;
                positions.retain(|position| matching.binary_search(position).is_ok());
            }
        }
        Ok(positions)
    }

    /// Calls `each` with the positions of the events behind the index that match, in rising order.
    fn look_at_tail(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        range: &Range,
        each: &mut dyn FnMut(Position),
    ) -> Result<(), Unanswered> {
        self.look_behind(query, range, &mut |event| {
            if text.matches(event) {
                each(event.position);
            }
        })
        .map(|_| ())
    }

    /// Calls `each` with the events behind the index that match the query, in rising order; says how many.
    pub(super) fn look_behind(
        &self,
        query: &EventQuery,
        range: &Range,
        each: &mut dyn FnMut(&Event),
    ) -> Result<u64, Unanswered> {
        let mut looked_at = 0;
        let mut scan = EventQuery {
            after: Some(range.indexed),
            known: Some(range.searched_to),
            direction: Direction::Forwards,
            ..query.clone()
        };
        loop {
            let page = self.log.events(&scan, STEP)?;
            looked_at += page.events.len() as u64;
            page.events.iter().for_each(&mut *each);
            scan.after = page.next;
            if page.next.is_none() {
                return Ok(looked_at);
            }
        }
    }

    /// Takes hits between two positions, both inclusive, from the index.
    fn ask(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        range: &Range,
        (mut low, mut high): (Position, Position),
        page: &mut Page,
    ) -> Result<(), Unanswered> {
        let candidates = text.candidates();
        let filtered = is_filtered(query);
        let mut step = if candidates.exact && !filtered {
            page.limit.saturating_add(1).min(STEP)
        } else {
            STEP
        };
        let mut seen = 0;
        let mut matching: Option<Vec<Position>> = None;
        while low <= high && !page.is_full() {
            let mut found =
                self.candidates(range, &candidates, (low, high), query.direction, step)?;
            let Some(last) = found.last().copied() else {
                break;
            };
            let more = found.len() == step;
            seen += found.len();
            if filtered {
                if matching.is_none() && (seen > FEW || query.stream.is_some()) {
                    matching = Some(self.log.positions(query, low, high)?);
                }
                match &matching {
                    Some(matching) => found.retain(|p| matching.binary_search(p).is_ok()),
                    None => self.log.keep_matching(query, &mut found)?,
                }
            }
            for some in found.chunks(STEP.min(page.limit.saturating_add(1).max(16))) {
                if page.is_full() {
                    break;
                }
                for event in self.log.events_at(some)? {
                    page.take(text, event);
                }
            }
            if !more {
                return Ok(());
            }
            match query.direction {
                Direction::Forwards => low = last.next(),
                Direction::Backwards => high = Position(last.0.saturating_sub(1)),
            }
            page.may_end(last);
            // Few are wanted, and many had to be asked for: ask for more at once.
            step = if matching.is_some() {
                usize::MAX
            } else {
                (step * 4).min(8 * STEP)
            };
        }
        Ok(())
    }

    /// Takes hits between two positions, both inclusive, from the events themselves.
    fn look(
        &self,
        text: &TextQuery,
        query: &EventQuery,
        low: Position,
        high: Position,
        page: &mut Page,
    ) -> Result<(), Unanswered> {
        if low > high {
            return Ok(());
        }
        let mut scan = EventQuery {
            known: Some(high),
            after: match query.direction {
                Direction::Forwards => Some(Position(low.0 - 1)),
                Direction::Backwards => None,
            },
            ..query.clone()
        };
        while !page.is_full() {
            let events = self.log.events(&scan, STEP)?;
            for event in events.events {
                if event.position < low {
                    return Ok(());
                }
                page.take(text, event);
            }
            match events.next {
                Some(next) => page.may_end(next),
                None => return Ok(()),
            }
            scan.after = events.next;
        }
        Ok(())
    }

    /// Candidates between two positions, both inclusive, in order.
    fn candidates(
        &self,
        range: &Range,
        candidates: &Candidates,
        (low, high): (Position, Position),
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Position>, Unanswered> {
        if low > high {
            return Ok(Vec::new());
        }
        let backwards = direction == Direction::Backwards;
        self.asked(range, |conn| {
            let mut found = Vec::new();
            lookup::ask(
                conn,
                &candidates.wanted,
                (low, high),
                backwards,
                &mut |first, bits| {
                    bits.each(backwards, &mut |place| {
                        found.push(Position(first + place));
                        found.len() < limit
                    });
                    found.len() < limit
                },
            )?;
            Ok(found)
        })
    }

    /// Puts a question to the index, if it still reaches as far as it did when the search began.
    fn asked<T: Default>(
        &self,
        range: &Range,
        question: impl Fn(&Connection) -> Result<T, CacheError>,
    ) -> Result<T, Unanswered> {
        let Ok(cache) = &self.cache else {
            return Ok(T::default());
        };
        if range.indexed == Position::ZERO {
            return Ok(T::default());
        }
        let answer = cache.read(|conn| {
            let holds = cache.reach(conn, &PART)? >= range.indexed;
            holds.then(|| question(conn)).transpose()
        });
        match answer {
            Ok(Some(answer)) => Ok(answer),
            Err(CacheError::Read(error)) => Err(Unanswered::Log(error)),
            // It was damaged or thrown away in the meantime.
            Ok(None) | Err(CacheError::Engine(_) | CacheError::Io(_)) => Err(Unanswered::Index),
        }
    }

    /// Answers with the index; once more if it was made anew in between; at last without it.
    fn answer<T>(
        &self,
        query: &EventQuery,
        max_tail: u64,
        attempt: &dyn Fn(&Range) -> Result<T, Unanswered>,
    ) -> Result<T, SearchError> {
        for _ in 0..2 {
            match attempt(&self.range(query, self.covered()?, max_tail)?) {
                Ok(answer) => return Ok(answer),
                Err(Unanswered::Log(error)) => return Err(error.into()),
                Err(Unanswered::Index) => {}
            }
        }
        match attempt(&self.range(query, None, max_tail)?) {
            Ok(answer) => Ok(answer),
            Err(Unanswered::Log(error)) => Err(error.into()),
            Err(Unanswered::Index) => {
                unreachable!("INVARIANT: nothing is asked of an index that reaches nowhere")
            }
        }
    }

    /// What to cover with an index that reaches to `covered`; without one, everything is looked at.
    pub(super) fn range(
        &self,
        query: &EventQuery,
        covered: Option<Position>,
        max_tail: u64,
    ) -> Result<Range, SearchError> {
        let size = self.log.head()?.size;
        let head = query.known.map_or(size, |known| known.min(size));
        let indexed = covered.unwrap_or(Position::ZERO).min(head);
        let searched_to = if covered.is_none() || head.0 - indexed.0 <= max_tail {
            head
        } else {
            indexed
        };
        Ok(Range {
            indexed,
            searched_to,
            head,
        })
    }

    pub(super) fn reach(&self, range: &Range) -> Reach {
        Reach {
            searched_to: range.searched_to,
            head: range.head,
            complete: range.searched_to == range.head,
            notes: self.notes(),
        }
    }
}

/// Why an attempt gave no answer.
pub(super) enum Unanswered {
    /// The log could not be read.
    Log(ReadError),
    /// The index could not be read, or reaches less far than it did.
    Index,
}

impl From<ReadError> for Unanswered {
    fn from(error: ReadError) -> Unanswered {
        Unanswered::Log(error)
    }
}

/// A page as it fills.
struct Page {
    found: Vec<(Event, Places)>,
    limit: usize,
    /// Events looked at.
    looked: usize,
    /// Position to read on after, once the page has ended.
    ends_at: Option<Position>,
}

impl Page {
    fn is_full(&self) -> bool {
        self.ends_at.is_some()
    }

    fn take(&mut self, text: &TextQuery, event: Event) {
        if self.is_full() {
            return;
        }
        self.looked += 1;
        let Some(places) = text.places(&event) else {
            return;
        };
        if self.found.len() >= self.limit {
            // One more is there: what the page begins after next time is its last hit.
            self.ends_at = self.found.last().map(|(event, _)| event.position);
            return;
        }
        self.found.push((event, places));
    }

    /// Ends the page behind this position if it has looked at enough.
    fn may_end(&mut self, at: Position) {
        if !self.is_full() && self.looked >= MAX_LOOKED {
            self.ends_at = Some(at);
        }
    }
}

fn hit((event, places): (Event, Places)) -> SearchHit {
    SearchHit {
        event: EventBrief::from(&event),
        actor: event.actor,
        matches: places.matches,
        more: places.more,
    }
}

/// Whether the query asks for more than a range of positions.
fn is_filtered(query: &EventQuery) -> bool {
    let EventQuery {
        stream,
        category,
        event_type,
        actor,
        correlation,
        from,
        to,
        known: _,
        direction: _,
        after: _,
    } = query;
    stream.is_some()
        || category.is_some()
        || event_type.is_some()
        || actor.is_some()
        || correlation.is_some()
        || from.is_some()
        || to.is_some()
}

/// First and last position that a page may hold, both inclusive.
fn bounds(query: &EventQuery, searched_to: Position) -> (Position, Position) {
    match (query.direction, query.after) {
        (_, None) => (Position(1), searched_to),
        (Direction::Forwards, Some(after)) => (after.next(), searched_to),
        (Direction::Backwards, Some(after)) => (
            Position(1),
            searched_to.min(Position(after.0.saturating_sub(1))),
        ),
    }
}
