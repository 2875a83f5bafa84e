//! What is there before the work begins: a log that is large already, so that what is measured is not its growth.

use annals_core::event::{NewEvent, Payload};
use annals_core::id::StreamId;
use annals_core::position::Version;
use annals_core::search::IndexProgress;
use annals_core::store::{Extraction, LogWriter};
use annals_core::time::{SourceTime, Time};
use annals_tests::Outcome;
use annals_tests::seeded::{Ranks, Seeded, data, metadata};

use super::work::{LIFE, SHELVES, Site, answer};

/// Streams that a million events are spread over; fewer events have a tenth as many.
const STREAMS: u64 = 100_000;
/// Events of one bulk append.
const CHUNK: u64 = 500_000;
/// When the first of them happened: 2024-01-01. One every three seconds after it.
const BEGIN_US: i64 = 1_704_067_200_000_000;
const STEP_US: i64 = 3_153_600;

/// Streams that were there before, and have so many events at least that reading so many of them is always the same work.
#[derive(Debug)]
pub struct Long(Vec<StreamId>);

/// Events that a long stream has at least.
pub const LONG: u32 = 50;

impl Long {
    /// One of them.
    pub fn any(&self, seed: &mut Seeded) -> &StreamId {
        &self.0[seed.below(self.0.len() as u64) as usize]
    }
}

/// Fills a log with so many events of orders, whose streams are of all lengths, and with the shelves.
pub fn fill(writer: &LogWriter, events: u64) -> Outcome<Long> {
    let streams = (events / 10).clamp(1, STREAMS);
    let ranks = Ranks::new(streams);
    let mut lengths = vec![0u32; usize::try_from(streams)?];
    let mut seed = Seeded(1);
    let mut filled = 0;
    while filled < events {
        let end = events.min(filled + CHUNK);
        let mut bulk = writer.bulk("soak", &Extraction::standard())?;
        for n in filled..end {
            let (name, kind) = if n < SHELVES {
                (format!("shelf-{n}"), "StockCounted")
            } else {
                let rank = ranks.draw(&mut seed);
                let length = &mut lengths[usize::try_from(rank)?];
                *length += 1;
                let (kind, _) = LIFE[(*length as usize - 1) % LIFE.len()];
                (named(rank), kind)
            };
            let mut event = NewEvent::json(kind, &data(&mut seed))?;
            event.metadata = Some(Payload::json(metadata(&mut seed))?);
            let us = BEGIN_US + i64::try_from(n)? * STEP_US;
            event.time = Time::from_parts(us, 0).map(SourceTime::unwritten);
            bulk.add(&StreamId::new(name)?, None, event)?;
        }
        bulk.commit()?;
        filled = end;
    }
    let long = (0..streams).zip(&lengths);
    let long = long.filter(|(_, length)| **length >= LONG);
    let long: Vec<StreamId> = long
        .map(|(rank, _)| StreamId::new(named(rank)))
        .collect::<Result<_, _>>()?;
    match long.is_empty() {
        true => Err("no stream is long; take more events (--events)".into()),
        false => Ok(Long(long)),
    }
}

fn named(rank: u64) -> String {
    format!("order-early-{rank}")
}

/// Brings everything that follows the log to its head.
pub fn bring(site: &Site) -> Outcome {
    site.projections.catch_up(&[])?;
    site.text.catch_up(&IndexProgress::default())?;
    answer(site, Some(&site.index), site.now())?;
    Ok(())
}

/// A version of a long stream whose state is folded from few events.
pub fn early(seed: &mut Seeded) -> Version {
    Version(seed.below(20) + 1)
}
