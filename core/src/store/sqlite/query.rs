//! Reading and counting events by query. [`super::plan`] finds the way to them.

use super::log::Log;
use super::plan::Plan;
use super::row;
use crate::event::Event;
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
        self.read(|conn| {
            let mut events = Vec::new();
            if let Some(plan) = Plan::make(conn, query)? {
                plan.read(conn, limit.saturating_add(1), &mut |event| {
                    events.push(event);
                    true
                })?;
            }
            let more = events.len() > limit;
            events.truncate(limit);
            let next = events.last().filter(|_| more).map(|e: &Event| e.position);
            Ok(EventPage { events, next })
        })
    }

    /// Calls `each` with every event that the query matches and the streams it is linked into, in the query's
    /// direction, until it returns `false`. All of them come from one moment of the log, found once; none is held.
    ///
    /// # Errors
    /// [`ReadError`] of the engine or of a damaged row.
    pub fn for_each_event(
        &self,
        query: &EventQuery,
        each: &mut dyn FnMut(Event, Vec<LinkView>) -> bool,
    ) -> Result<(), ReadError> {
        self.read(|conn| {
            let Some(plan) = Plan::make(conn, query)? else {
                return Ok(());
            };
            let mut failed = None;
            plan.read(
                conn,
                usize::MAX,
                &mut |event| match row::links(conn, event.position) {
                    Ok(links) => each(event, links),
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                },
            )?;
            failed.map_or(Ok(()), |error| Err(error.into()))
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
        self.read(|conn| match Plan::make(conn, &whole)? {
            None => Ok(0),
            Some(plan) => plan.count(conn),
        })
    }
}
