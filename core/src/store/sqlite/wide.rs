//! The way to the events of a wide range of time, of all, of one type or of one actor: block by block, past those that
//! have nothing in the range ([`super::times`]). Whoever asks takes [`super::plan`]'s way where there is none.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params_from_iter};

use super::log::Log;
use super::reader::Reader;
use super::row;
use super::shares::Shares;
use super::times::{Block, Times};
use crate::event::Event;
use crate::position::Position;
use crate::store::{Direction, EventQuery, ReadError};
use crate::time::Time;

/// A row of a list is not looked for by blocks where more of them than these lie partly in the range: where positions do
/// not follow time, all of them would have to be read.
const PARTLY: u64 = 48;

impl Log {
    /// The way to the events of a wide range of time, where the query asks for nothing else but one type or one actor and
    /// it is known.
    pub(super) fn wide(
        &self,
        reader: &Reader,
        query: &EventQuery,
    ) -> Result<Option<Wide>, ReadError> {
        self.wide_for(reader, query, true)
    }

    /// The same for a histogram of one type or one actor, which may be of all time as well.
    pub(super) fn wide_of_name(
        &self,
        reader: &Reader,
        query: &EventQuery,
    ) -> Result<Option<Wide>, ReadError> {
        let wide = self.wide_for(reader, query, false)?;
        Ok(wide.filter(|wide| wide.key.is_some()))
    }

    fn wide_for(
        &self,
        reader: &Reader,
        query: &EventQuery,
        for_page: bool,
    ) -> Result<Option<Wide>, ReadError> {
        let EventQuery {
            stream: None,
            category: None,
            event_type,
            actor,
            correlation: None,
            from,
            to,
            known,
            direction,
            after,
        } = query
        else {
            return Ok(None);
        };
        let (found_in, name) = match (event_type, actor) {
            (None, None) => (None, ""),
            (Some(event_type), None) => (Some(FoundIn::TYPE), event_type.as_str()),
            (None, Some(actor)) => (Some(FoundIn::ACTOR), actor.as_str()),
            (Some(_), Some(_)) => return Ok(None),
        };
        if from.is_none() && to.is_none() && (found_in.is_none() || for_page) {
            return Ok(None);
        }
        let Some(times) = self.times(reader)? else {
            return Ok(None);
        };
        let (from, to) = (from.unwrap_or(Time::MIN), to.unwrap_or(Time::MAX));
        if times.about(from, to) < times.sizes.wide {
            return Ok(None);
        }
        let key = match &found_in {
            None => None,
            Some(table) => {
                let id: Option<(i64, u64)> = reader
                    .prepare_cached(table.id)?
                    .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                match id {
                    // Few are walked along as fast, and one that is not there needs no way.
                    Some((id, events)) if events >= times.sizes.wide => Some((table.clone(), id)),
                    _ => return Ok(None),
                }
            }
        };
        let size = super::log::head(reader)?.size.0;
        let (mut low, mut high) = (1, known.map_or(size, |known| known.0.min(size)));
        match (direction, after) {
            (_, None) => {}
            (Direction::Forwards, Some(after)) => low = after.0.saturating_add(1),
            (Direction::Backwards, Some(after)) => high = high.min(after.0.saturating_sub(1)),
        }
        let shares = match self.shares().filter(|_| key.is_some()) {
            Some(shares) if shares.hold(reader)? => Some(shares),
            _ => None,
        };
        Ok(Some(Wide {
            is_whole: low == 1 && high == size,
            shares,
            times,
            key,
            from,
            to,
            low,
            high,
            direction: *direction,
        }))
    }
}

/// A table that finds events by a name of theirs, and holds their times.
#[derive(Debug, Clone)]
pub(super) struct FoundIn {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// A statement that tells a name's id, and how many events have it.
    id: &'static str,
    /// A statement that tells the ids of names that have at least so many events.
    pub(super) many: &'static str,
}

impl FoundIn {
    pub(super) const TYPE: FoundIn = FoundIn {
        table: "by_type",
        column: "type",
        id: "SELECT id, events FROM types WHERE name = ?1",
        many: "SELECT id FROM types WHERE events >= ?1",
    };
    pub(super) const ACTOR: FoundIn = FoundIn {
        table: "by_actor",
        column: "actor",
        id: "SELECT id, events FROM actors WHERE name = ?1",
        many: "SELECT id FROM actors WHERE events >= ?1",
    };
}

/// A range of time and a range of positions, both ends inclusive.
#[derive(Debug)]
pub(super) struct Wide {
    times: Arc<Times>,
    /// How the events of common names lie along the log, where that was counted.
    shares: Option<Arc<Shares>>,
    /// The one type or actor that is asked for: the table that finds its events, and its id there.
    key: Option<(FoundIn, i64)>,
    from: Time,
    to: Time,
    low: u64,
    high: u64,
    /// No event is left out for its position.
    is_whole: bool,
    direction: Direction,
}

/// Positions that lie next to each other, both ends inclusive.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    low: u64,
    high: u64,
    /// All of its events are in the range of time.
    is_inside: bool,
    /// They are not in the tables that find events.
    is_tail: bool,
}

impl Wide {
    /// Calls `each` with the times of the events one by one, or with how many there are between the times of a stretch
    /// where `one` says of both that they count as one.
    pub(super) fn each_time(
        &self,
        reader: &Reader,
        one: &dyn Fn(Time, Time) -> bool,
        each: &mut dyn FnMut(Time, u64),
    ) -> Result<(), ReadError> {
        // Blocks next to each other, with the earliest and the latest time in them.
        let mut run: Option<(Stretch, Block)> = None;
        for stretch in self.by_blocks() {
            let whole = self.block_of(&stretch);
            let whole = whole.filter(|b| stretch.is_inside && one(b.first, b.last));
            if let (Some((last, of)), Some(b)) = (&mut run, whole)
                && last.high + 1 == stretch.low
                && one(of.first.min(b.first), of.last.max(b.last))
            {
                last.high = stretch.high;
                of.first = of.first.min(b.first);
                of.last = of.last.max(b.last);
                continue;
            }
            if let Some((done, of)) = run.take() {
                each(of.first, self.counted(reader, done)?);
            }
            match whole {
                Some(b) => run = Some((stretch, b)),
                None => self.each_time_in(reader, stretch, each)?,
            }
        }
        if let Some((done, of)) = run {
            each(of.first, self.counted(reader, done)?);
        }
        Ok(())
    }

    /// The block that a stretch begins in, if it is in one.
    fn block_of(&self, stretch: &Stretch) -> Option<Block> {
        let n = usize::try_from((stretch.low - 1) / self.times.sizes.block).ok()?;
        self.times.blocks.get(n).copied()
    }

    fn each_time_in(
        &self,
        reader: &Reader,
        stretch: Stretch,
        each: &mut dyn FnMut(Time, u64),
    ) -> Result<(), ReadError> {
        let (from, values, table) = self.narrow(stretch);
        let mut statement = reader.prepare_cached(&format!(
            "SELECT {table}.position, {table}.time_us, {table}.time_sub_ns {from}"
        ))?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            each(row::time(row, 1, Position(row.get(0)?))?, 1);
        }
        Ok(())
    }

    /// The earliest or the latest time of its events.
    pub(super) fn extreme(
        &self,
        reader: &Reader,
        end: Direction,
    ) -> Result<Option<Time>, ReadError> {
        let is_before = |a: Time, b: Time| match end {
            Direction::Forwards => a < b,
            Direction::Backwards => a > b,
        };
        let (tail, mut blocks): (Vec<Stretch>, Vec<Stretch>) =
            self.by_blocks().into_iter().partition(|s| s.is_tail);
        // The best that a block can have.
        let best = |stretch: &Stretch| {
            self.block_of(stretch).map_or(self.from, |block| match end {
                Direction::Forwards => block.first,
                Direction::Backwards => block.last,
            })
        };
        match end {
            Direction::Forwards => blocks.sort_by_key(&best),
            Direction::Backwards => blocks.sort_by_key(|s| std::cmp::Reverse(best(s))),
        }
        let mut extreme: Option<Time> = None;
        for stretch in tail.into_iter().chain(blocks) {
            if extreme.is_some_and(|found| !stretch.is_tail && !is_before(best(&stretch), found)) {
                break;
            }
            self.each_time_in(reader, stretch, &mut |time, _| {
                if extreme.is_none_or(|found| is_before(time, found)) {
                    extreme = Some(time);
                }
            })?;
        }
        Ok(extreme)
    }

    /// The stretches in which there may be events, in order; blocks next to each other are one.
    fn stretches(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for stretch in self.by_blocks() {
            match stretches.last_mut() {
                Some(last)
                    if last.high + 1 == stretch.low
                        && last.is_inside == stretch.is_inside
                        && last.is_tail == stretch.is_tail =>
                {
                    last.high = stretch.high;
                }
                _ => stretches.push(stretch),
            }
        }
        stretches
    }

    /// The blocks in which there may be events, and what came since, in order.
    fn by_blocks(&self) -> Vec<Stretch> {
        let block = self.times.sizes.block;
        let covered = self.times.covered.0;
        let blocks = self.times.blocks.iter().zip(0u64..);
        let blocks = blocks
            .filter(|(lies, _)| lies.first <= self.to && lies.last >= self.from)
            .map(|(lies, n)| Stretch {
                low: n * block + 1,
                high: ((n + 1) * block).min(covered),
                is_inside: lies.first >= self.from && lies.last <= self.to,
                is_tail: false,
            });
        // What came since stands at the end.
        let rest = Stretch {
            low: covered + 1,
            high: u64::MAX,
            is_inside: false,
            is_tail: true,
        };
        let mut stretches: Vec<Stretch> = Vec::new();
        for mut stretch in blocks.chain([rest]) {
            stretch.low = stretch.low.max(self.low);
            stretch.high = stretch.high.min(self.high);
            if stretch.low > stretch.high {
                continue;
            }
            stretches.push(stretch);
        }
        stretches
    }

    fn in_direction(&self) -> Vec<Stretch> {
        let mut stretches = self.stretches();
        if self.direction == Direction::Backwards {
            stretches.reverse();
        }
        stretches
    }

    /// Whether so much lies partly in the range that counting by blocks is no gain.
    fn is_scattered(&self, stretches: &[Stretch]) -> bool {
        let partly = stretches.iter().filter(|s| !s.is_inside && !s.is_tail);
        let partly: u64 = partly.map(|s| s.high - s.low + 1).sum();
        partly > PARTLY * self.times.sizes.block
    }

    /// Reads the first `limit` events in the direction, until `each` returns `false`.
    pub(super) fn read(
        &self,
        reader: &Reader,
        limit: usize,
        each: &mut dyn FnMut(Event) -> bool,
    ) -> Result<(), ReadError> {
        let mut left = limit;
        for stretch in self.in_direction() {
            if left == 0 {
                break;
            }
            let (from, mut values) = self.of(stretch);
            values.push(super::log::sql_limit(left));
            let mut statement = reader.prepare_cached(&format!(
                "SELECT {} {from} ORDER BY {} LIMIT ?",
                row::EVENT,
                self.order(stretch)
            ))?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if !each(row::event(row, reader)?) {
                    return Ok(());
                }
                left -= 1;
            }
        }
        Ok(())
    }

    /// Number of events; `None` where other ways are better.
    pub(super) fn count(&self, reader: &Reader) -> Result<Option<u64>, ReadError> {
        if !self.is_whole || self.key.is_some() {
            return self.count_by_blocks(reader);
        }
        let end = match self.to {
            Time::MAX => self.times.covered.0,
            to => self.times.before(reader, to.next_ns())?,
        };
        let before = self.times.before(reader, self.from)?;
        let rest = self.stretches().into_iter().find(|s| s.is_tail);
        let rest = rest.map_or(Ok(0), |rest| self.counted(reader, rest))?;
        Ok(Some(end.saturating_sub(before) + rest))
    }

    fn count_by_blocks(&self, reader: &Reader) -> Result<Option<u64>, ReadError> {
        let stretches = self.stretches();
        if self.is_scattered(&stretches) {
            return Ok(None);
        }
        let counts = stretches.into_iter().map(|s| self.counted(reader, s));
        Ok(Some(counts.sum::<Result<u64, _>>()?))
    }

    fn counted(&self, reader: &Reader, stretch: Stretch) -> Result<u64, ReadError> {
        if stretch.is_inside && self.key.is_none() {
            return Ok(stretch.high - stretch.low + 1);
        }
        if let (Some(key), Some(shares), true) = (&self.key, &self.shares, stretch.is_inside)
            && let Some((count, end)) =
                shares.beginning(key, stretch.low..=stretch.high, self.times.sizes)
        {
            let rest = Stretch {
                low: end + 1,
                ..stretch
            };
            return match rest.low > rest.high {
                true => Ok(count),
                false => Ok(count + self.counted(reader, rest)?),
            };
        }
        let (from, values, _) = self.narrow(stretch);
        let mut statement = reader.prepare_cached(&format!("SELECT count(*) {from}"))?;
        Ok(statement.query_row(params_from_iter(values), |row| row.get(0))?)
    }

    /// From where positions and times of a stretch come, its values, and which table holds them: the one that finds
    /// events, which holds their times as well, so that no row is looked at.
    fn narrow(&self, stretch: Stretch) -> (String, Vec<i64>, &'static str) {
        match (&self.key, stretch.is_tail) {
            (Some((found_in, id)), false) => {
                let (condition, mut values) = self.conditions(stretch, "i");
                values.insert(0, *id);
                let FoundIn { table, column, .. } = found_in;
                let from = format!("FROM {table} i WHERE i.{column} = ? AND {condition}");
                (from, values, "i")
            }
            _ => {
                let (from, values) = self.of(stretch);
                (from, values, "e")
            }
        }
    }

    /// Position of the event that `row` others precede; `None` inside if there are not so many, outside where other ways
    /// are better.
    pub(super) fn nth(
        &self,
        reader: &Reader,
        row: u64,
    ) -> Result<Option<Option<Position>>, ReadError> {
        let stretches = self.in_direction();
        if self.is_scattered(&stretches) {
            return Ok(None);
        }
        let mut left = row;
        for stretch in stretches {
            let here = self.counted(reader, stretch)?;
            if left >= here {
                left -= here;
                continue;
            }
            if stretch.is_inside && self.key.is_none() {
                return Ok(Some(Some(Position(match self.direction {
                    Direction::Forwards => stretch.low + left,
                    Direction::Backwards => stretch.high - left,
                }))));
            }
            let (from, mut values) = self.of(stretch);
            values.push(i64::try_from(left).unwrap_or(i64::MAX));
            let mut statement = reader.prepare_cached(&format!(
                "SELECT e.position {from} ORDER BY {} LIMIT 1 OFFSET ?",
                self.order(stretch)
            ))?;
            let found = statement.query_row(params_from_iter(values), |row| row.get(0))?;
            return Ok(Some(Some(Position(found))));
        }
        Ok(Some(None))
    }

    fn order(&self, stretch: Stretch) -> String {
        let place = match (&self.key, stretch.is_tail) {
            (Some(_), false) => "i.position",
            _ => "e.position",
        };
        let order = match self.direction {
            Direction::Forwards => "ASC",
            Direction::Backwards => "DESC",
        };
        format!("{place} {order}")
    }

    /// From where the events `e` of a stretch come, with all conditions, and its values.
    fn of(&self, stretch: Stretch) -> (String, Vec<i64>) {
        let Some((found_in, id)) = &self.key else {
            let (condition, values) = self.conditions(stretch, "e");
            return (
                format!("FROM events e NOT INDEXED WHERE {condition}"),
                values,
            );
        };
        let FoundIn { table, column, .. } = found_in;
        let (condition, mut values) =
            self.conditions(stretch, if stretch.is_tail { "e" } else { "i" });
        values.insert(0, *id);
        let from = match stretch.is_tail {
            true => format!("FROM events e NOT INDEXED WHERE e.{column} = ? AND {condition}"),
            false => format!(
                "FROM {table} i CROSS JOIN events e ON e.position = i.position
                 WHERE i.{column} = ? AND {condition}"
            ),
        };
        (from, values)
    }

    /// What the table that holds position and time is asked for.
    fn conditions(&self, stretch: Stretch, table: &str) -> (String, Vec<i64>) {
        let place = |position: u64| i64::try_from(position).unwrap_or(i64::MAX);
        let mut condition = format!("{table}.position BETWEEN ? AND ?");
        let mut values = vec![place(stretch.low), place(stretch.high)];
        if !stretch.is_inside {
            condition += &format!(
                " AND ({table}.time_us, {table}.time_sub_ns) >= (?, ?)
                 AND ({table}.time_us, {table}.time_sub_ns) <= (?, ?)"
            );
            for time in [self.from, self.to] {
                values.extend([time.us(), i64::from(time.sub_ns())]);
            }
        }
        (condition, values)
    }
}
