//! Events along time: the histogram of the Time bar, and stepping from instant to instant.

use rusqlite::Connection;

use super::log::Log;
use super::plan::{Plan, extreme_time};
use super::reader::Reader;
use super::row;
use super::times::Times;
use super::wide::Wide;
use crate::position::Position;
use crate::store::{DensityView, Direction, EventQuery, ReadError};
use crate::time::Time;

/// Most slices that are counted.
const MAX_SLICES: usize = 10_000;

impl Log {
    /// Number of events per equal slice of time, over the query's range of time, or over that of its events
    /// where it names no range. `after` and `direction` are left aside; `slices` is at most 10,000.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn density(&self, query: &EventQuery, slices: usize) -> Result<DensityView, ReadError> {
        let slices = slices.clamp(1, MAX_SLICES);
        let query = whole(query);
        self.read(|conn| {
            if let Some(wide) = self.wide_of_name(conn, &query)? {
                return by_blocks(conn, &wide, &query, slices);
            }
            match Plan::make(conn, &query)? {
                None => Ok(nothing(slices)),
                Some(plan) if plan.is_whole_log(conn)? => {
                    count_slices(conn, self.times(conn)?.as_deref(), &query, slices)
                }
                Some(plan) => sort_into_slices(conn, &plan, &query, slices),
            }
        })
    }

    /// The distinct instants next before and next after `time` among the events that the query matches, for
    /// stepping. `after` and `direction` are left aside.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn neighbours(
        &self,
        time: Time,
        query: &EventQuery,
    ) -> Result<(Option<Time>, Option<Time>), ReadError> {
        let query = whole(query);
        self.read(|conn| {
            let Some(plan) = Plan::make(conn, &query)? else {
                return Ok((None, None));
            };
            if plan.is_along_time() {
                // Outside the query's range, its end is the nearest that can match.
                let below = query.to.map_or(time, |to| time.min(to.next_ns()));
                let above = query.from.map_or(time, |from| time.max(from.previous_ns()));
                let (mut before, mut after) = (None, None);
                if query.from.is_none_or(|from| from < below) {
                    before = plan.nearest(conn, below, Direction::Backwards)?;
                }
                if query.to.is_none_or(|to| to > above) {
                    after = plan.nearest(conn, above, Direction::Forwards)?;
                }
                return Ok((before, after));
            }
            let (mut before, mut after) = (None::<Time>, None::<Time>);
            plan.each_time(conn, &mut |row| {
                if let Some(t) = Time::from_parts(row.get(1)?, row.get(2)?) {
                    if t < time {
                        before = before.max(Some(t));
                    } else if t > time && after.is_none_or(|nearest| t < nearest) {
                        after = Some(t);
                    }
                }
                Ok(())
            })?;
            Ok((before, after))
        })
    }
}

fn whole(query: &EventQuery) -> EventQuery {
    EventQuery {
        after: None,
        direction: Direction::Forwards,
        ..query.clone()
    }
}

fn nothing(slices: usize) -> DensityView {
    DensityView {
        from: None,
        to: None,
        counts: vec![0; slices],
        events: 0,
    }
}

/// The whole log in a range of time: one count for each slice, over `by_time` where nothing is known of how events lie
/// along it, and the tail event by event.
fn count_slices(
    conn: &Connection,
    times: Option<&Times>,
    query: &EventQuery,
    slices: usize,
) -> Result<DensityView, ReadError> {
    let (Some(first), Some(last)) = (
        extreme_time(conn, Direction::Forwards)?,
        extreme_time(conn, Direction::Backwards)?,
    ) else {
        return Ok(nothing(slices));
    };
    let (from, to) = (query.from.unwrap_or(first), query.to.unwrap_or(last));
    if from > to {
        return Ok(nothing(slices));
    }
    let scale = Scale::new(from, to, slices);
    let mut count = conn.prepare_cached(
        "SELECT count(*) FROM by_time
         WHERE time_us BETWEEN ?1 AND ?3
           AND (time_us > ?1 OR time_sub_ns >= ?2) AND (time_us < ?3 OR time_sub_ns < ?4)",
    )?;
    let mut counts = Vec::with_capacity(slices);
    let mut before = match times {
        Some(times) => times.before(conn, from)?,
        None => 0,
    };
    for slice in 0..slices {
        let (start, end) = (scale.start(slice), scale.start(slice + 1));
        let in_slice: u64 = match times {
            None => count.query_row((start.0, start.1, end.0, end.1), |row| row.get(0))?,
            Some(times) => {
                let before_end = times.before_parts(conn, end)?;
                before_end - std::mem::replace(&mut before, before_end)
            }
        };
        counts.push(in_slice);
    }
    let mut tail = conn.prepare_cached(
        "SELECT position, time_us, time_sub_ns FROM events NOT INDEXED
         WHERE position > (SELECT indexed FROM head)",
    )?;
    let mut rows = tail.query([])?;
    while let Some(row) = rows.next()? {
        let time = row::time(row, 1, Position(row.get(0)?))?;
        if (from..=to).contains(&time) {
            counts[scale.slice(time)] += 1;
        }
    }
    Ok(view(from, to, counts))
}

/// The events of one type or one actor: counted block by block where all of a block falls into one slice, else one by
/// one.
fn by_blocks(
    reader: &Reader,
    wide: &Wide,
    query: &EventQuery,
    slices: usize,
) -> Result<DensityView, ReadError> {
    let end = |given: Option<Time>, end| match given {
        Some(given) => Ok(Some(given)),
        None => wide.extreme(reader, end),
    };
    let (Some(from), Some(to)) = (
        end(query.from, Direction::Forwards)?,
        end(query.to, Direction::Backwards)?,
    ) else {
        return Ok(nothing(slices));
    };
    if from > to {
        return Ok(nothing(slices));
    }
    let scale = Scale::new(from, to, slices);
    let mut counts = vec![0; slices];
    wide.each_time(
        reader,
        &|a, b| scale.slice(a) == scale.slice(b),
        &mut |time, events| counts[scale.slice(time)] += events,
    )?;
    Ok(view(from, to, counts))
}

/// Any query: its events sorted into slices one by one.
fn sort_into_slices(
    conn: &Connection,
    plan: &Plan,
    query: &EventQuery,
    slices: usize,
) -> Result<DensityView, ReadError> {
    let mut times = Vec::new();
    let mut damaged = None;
    plan.each_time(conn, &mut |row| {
        match Time::from_parts(row.get(1)?, row.get(2)?) {
            Some(time) => times.push(time),
            None => damaged = Some(Position(row.get(0)?)),
        }
        Ok(())
    })?;
    if let Some(position) = damaged {
        return Err(ReadError::Damaged {
            position,
            reason: "its time is outside the years 0001 to 9999".into(),
        });
    }
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return Ok(nothing(slices));
    };
    let (from, to) = (query.from.unwrap_or(*first), query.to.unwrap_or(*last));
    let scale = Scale::new(from, to, slices);
    let mut counts = vec![0; slices];
    for time in times {
        counts[scale.slice(time)] += 1;
    }
    Ok(view(from, to, counts))
}

fn view(from: Time, to: Time, counts: Vec<u64>) -> DensityView {
    let events = counts.iter().sum();
    if events == 0 {
        return nothing(counts.len());
    }
    DensityView {
        from: Some(from),
        to: Some(to),
        counts,
        events,
    }
}

/// Equal slices of a range of time, in nanoseconds, both ends inclusive.
struct Scale {
    from_ns: i128,
    len_ns: i128,
    slices: i128,
}

impl Scale {
    fn new(from: Time, to: Time, slices: usize) -> Scale {
        Scale {
            from_ns: ns(from),
            len_ns: ns(to) - ns(from) + 1,
            slices: slices as i128,
        }
    }

    /// The slice that a time inside the range falls into.
    fn slice(&self, time: Time) -> usize {
        let at = (ns(time) - self.from_ns) * self.slices / self.len_ns;
        usize::try_from(at.clamp(0, self.slices - 1)).unwrap_or(0)
    }

    /// First instant of a slice, in microseconds and nanoseconds on top. The slice after the last one starts
    /// one nanosecond after the range.
    fn start(&self, slice: usize) -> (i64, i64) {
        let offset = (slice as i128 * self.len_ns + self.slices - 1) / self.slices;
        let ns = self.from_ns + offset;
        let us = i64::try_from(ns.div_euclid(1000)).unwrap_or(i64::MAX);
        (us, ns.rem_euclid(1000) as i64)
    }
}

fn ns(time: Time) -> i128 {
    i128::from(time.us()) * 1000 + i128::from(time.sub_ns())
}
