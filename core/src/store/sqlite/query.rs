//! Reading and counting events by query. [`super::plan`] finds the way to them.

use super::log::Log;
use super::plan::Plan;
use super::reader::Reader;
use super::row;
use super::walk::Long;
use crate::event::Event;
use crate::position::Position;
use crate::store::{Direction, EventPage, EventQuery, LinkView, ReadError};

impl Log {
    /// One page of at most `limit` events, in position order or against it.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row. A stream, type or actor that is not there is no error:
    /// nothing matches.
    ///
    /// ```
    /// # use annals_core::{event::NewEvent, id::*, store::*, surroundings::Surroundings};
    /// # let folder = tempfile::tempdir()?;
    /// # let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
    /// # writer.append(vec![StreamAppend {
    /// #     stream: StreamId::new("order-1")?, category: None, expected: ExpectedVersion::Any,
    /// #     events: vec![NewEvent::json("OrderPlaced", "{}")?, NewEvent::json("OrderShipped", "{}")?],
    /// # }])?;
    /// let query = EventQuery { category: Some(Category::new("order")?), ..EventQuery::default() };
    /// let page = writer.log().events(&query, 1)?;
    /// let rest = writer.log().events(&EventQuery { after: page.next, ..query }, 10)?;
    /// assert_eq!(rest.events[0].event_type.as_str(), "OrderShipped");
    /// assert_eq!(rest.next, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events(&self, query: &EventQuery, limit: usize) -> Result<EventPage, ReadError> {
        let page = self.read(|reader| self.page(reader, query, limit))?;
        self.tell_read(page.events.len())?;
        Ok(page)
    }

    /// One page of at most `limit` events, `skip` matching events further on than [`Log::events`] would begin: the
    /// row `skip` of the list, however deep, without the pages before it. Empty if there are not so many.
    ///
    /// Costs a walk along the narrow table that finds the events, not along the events themselves.
    ///
    /// # Errors
    /// As [`Log::events`].
    ///
    /// ```
    /// # use annals_core::{event::NewEvent, id::*, store::*, surroundings::Surroundings};
    /// # let folder = tempfile::tempdir()?;
    /// # let writer = LogWriter::create(&folder.path().join("x.annals"), Surroundings::system())?;
    /// # let event = |n| NewEvent::json("Counted", &format!("{n}"));
    /// # writer.append(vec![StreamAppend {
    /// #     stream: StreamId::new("a-1")?, category: None, expected: ExpectedVersion::Any,
    /// #     events: (0..100).map(event).collect::<Result<_, _>>()?,
    /// # }])?;
    /// let counted = EventQuery { event_type: Some(EventType::new("Counted")?), ..EventQuery::default() };
    /// let page = writer.log().events_from(&counted, 70, 10)?;
    /// assert_eq!(page.events[0].position.0, 71);
    /// assert_eq!(writer.log().row_of(&counted, page.events[0].position)?, Some(70));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events_from(
        &self,
        query: &EventQuery,
        skip: u64,
        limit: usize,
    ) -> Result<EventPage, ReadError> {
        let Some(before) = skip.checked_sub(1) else {
            return self.events(query, limit);
        };
        self.read(|reader| {
            let wide = self.wide(reader, query)?;
            let last = match wide.map(|wide| wide.nth(reader, before)).transpose()? {
                Some(Some(last)) => last,
                Some(None) | None => match Plan::make(reader, query)? {
                    Some(plan) => plan.nth(reader, before)?,
                    None => None,
                },
            };
            let Some(after) = last else {
                return Ok(EventPage {
                    events: Vec::new(),
                    next: None,
                });
            };
            let rest = EventQuery {
                after: Some(after),
                ..query.clone()
            };
            self.page(reader, &rest, limit)
        })
    }

    /// One page of at most `limit` events.
    pub(super) fn page(
        &self,
        reader: &Reader,
        query: &EventQuery,
        limit: usize,
    ) -> Result<EventPage, ReadError> {
        let mut events = Vec::new();
        let mut take = |event| {
            events.push(event);
            true
        };
        let most = limit.saturating_add(1);
        if let Some(wide) = self.wide(reader, query)? {
            wide.read(reader, most, &mut take)?;
        } else if let Some(plan) = Plan::make(reader, query)? {
            plan.read(reader, most, &mut take)?;
        }
        let more = events.len() > limit;
        events.truncate(limit);
        let next = events.last().filter(|_| more).map(|e: &Event| e.position);
        Ok(EventPage { events, next })
    }

    fn counted(&self, reader: &Reader, query: &EventQuery) -> Result<u64, ReadError> {
        if let Some(wide) = self.wide(reader, query)?
            && let Some(count) = wide.count(reader)?
        {
            return Ok(count);
        }
        match Plan::make(reader, query)? {
            None => Ok(0),
            Some(plan) => plan.count(reader),
        }
    }

    /// How many matching events precede the one at `position` in the query's direction: its row in the list, from 0;
    /// `None` if it does not match. `after` is left aside.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn row_of(&self, query: &EventQuery, position: Position) -> Result<Option<u64>, ReadError> {
        let known_to = |known: u64| EventQuery {
            after: None,
            direction: Direction::Forwards,
            known: Some(Position(query.known.map_or(known, |k| k.0.min(known)))),
            ..query.clone()
        };
        if position.0 == 0 || query.known.is_some_and(|known| position > known) {
            return Ok(None);
        }
        self.read(|conn| {
            let before = self.counted(conn, &known_to(position.0 - 1))?;
            let through = self.counted(conn, &known_to(position.0))?;
            Ok(match query.direction {
                _ if through == before => None,
                Direction::Forwards => Some(before),
                Direction::Backwards => Some(self.counted(conn, &known_to(u64::MAX))? - through),
            })
        })
    }

    /// Calls `each` with every event that the query matches and the streams it is linked into, in the query's
    /// direction, until it returns `false`. All of them come from one moment of the log, found once; no more than a few
    /// megabytes of them are held, read ahead by two threads where many are walked.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn for_each_event(
        &self,
        query: &EventQuery,
        each: &mut dyn FnMut(Event, Vec<LinkView>) -> bool,
    ) -> Result<(), ReadError> {
        let Some(long) = self.each_by_one(query, true, each)? else {
            return Ok(());
        };
        if !self.walk(query, long, each)? {
            self.each_by_one(query, false, each)?;
        }
        Ok(())
    }

    /// As [`Log::for_each_event`], by one reader; where several `may_share` it and it is worth that, nothing is done.
    fn each_by_one(
        &self,
        query: &EventQuery,
        may_share: bool,
        each: &mut dyn FnMut(Event, Vec<LinkView>) -> bool,
    ) -> Result<Option<Long>, ReadError> {
        self.read(|reader| {
            let Some(plan) = Plan::make(reader, query)? else {
                return Ok(None);
            };
            if may_share && let Some(long) = Long::of(reader, &plan)? {
                return Ok(Some(long));
            }
            let links = row::FurtherLinks::look(reader)?;
            let mut failed = None;
            plan.read(
                reader,
                usize::MAX,
                &mut |event| match links.of(reader, event.position) {
                    Ok(links) => each(event, links),
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                },
            )?;
            failed.map_or(Ok(None), |error| Err(error.into()))
        })
    }

    /// How many events the query matches; `after` and `direction` are left aside.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn count(&self, query: &EventQuery) -> Result<u64, ReadError> {
        let whole = EventQuery {
            after: None,
            direction: Direction::Forwards,
            ..query.clone()
        };
        self.read(|reader| self.counted(reader, &whole))
    }
}
