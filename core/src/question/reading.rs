//! The ways to understand when a question asks: each with a name, what it looks at, and words that ask for it alone.

use chrono_tz::Tz;

use super::grammar::{Manner, That, When};
use super::stamp::{Interval, Period, Stamp};
use crate::time::Time;

/// One way to understand when.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// Its name: `at the end of 2024-01-10`.
    pub(super) name: String,
    /// What it looks at.
    pub(super) over: Over,
    /// What asks for it; `None` where there are no words for it.
    pub(super) when: Option<When>,
    /// It is about streams that have begun, whatever else was asked of them.
    pub(super) any_stream: bool,
}

/// What a reading looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// States at an instant.
    At(Time),
    /// Whether it held at some time.
    AnyTime(Interval),
    /// Whether it held all the time.
    Throughout(Interval),
    /// How many it held of, on average over time.
    Average(Interval),
    /// Whether it came to hold.
    Entered(Interval),
    /// Whether it ceased to hold.
    Left(Interval),
    /// Whether there was an event.
    Event(Interval),
}

impl Over {
    pub(super) fn interval(self) -> Option<Interval> {
        match self {
            Over::At(_) => None,
            Over::AnyTime(i)
            | Over::Throughout(i)
            | Over::Average(i)
            | Over::Entered(i)
            | Over::Left(i)
            | Over::Event(i) => Some(i),
        }
    }
}

/// A period that holds no instant in the zone.
pub(super) struct EmptyPeriod(pub(super) Period);

/// The readings of a `when` that is about instants, the chosen one first.
pub(super) fn at_instants(when: &When, zone: Tz) -> Result<Vec<Reading>, EmptyPeriod> {
    let reading = |name: String, at: Time, when: Option<When>| Reading {
        name,
        over: Over::At(at),
        when,
        any_stream: false,
    };
    let single = |stamp: &Stamp| Period {
        first: stamp.clone(),
        last: None,
    };
    Ok(match when {
        When::Now => vec![reading(
            "after all events".to_owned(),
            Time::MAX,
            Some(When::Now),
        )],
        When::At(stamp) | When::On(stamp) if stamp.is_stretch() => {
            both_ends(&single(stamp), true, zone)?
        }
        When::At(stamp) | When::On(stamp) => {
            match stamp.two_instants(zone) {
                None => vec![reading(
                    format!("at {stamp}"),
                    stamp.start(zone),
                    Some(when.clone()),
                )],
                Some(two) => {
                    let how = if two.skipped {
                        "no clock showed it"
                    } else {
                        "clocks showed it twice"
                    };
                    [(two.earlier, "before"), (two.later, "after")]
                    .into_iter()
                    .map(|(at, side)| {
                        let exact = Stamp::parse(&at.to_string()).ok().map(When::At);
                        reading(
                            format!("at {stamp} by the offset {side} the change of clocks ({how}): {at}"),
                            at,
                            exact,
                        )
                    })
                    .collect()
                }
            }
        }
        When::Start(period) => both_ends(period, false, zone)?,
        When::End(period) => both_ends(period, true, zone)?,
        When::During(_, period) => both_ends(period, true, zone)?,
    })
}

/// At the end of a period and at its start.
fn both_ends(period: &Period, end_first: bool, zone: Tz) -> Result<Vec<Reading>, EmptyPeriod> {
    let interval = interval(period, zone)?;
    let end = Reading {
        name: format!("at the end of {period}"),
        over: Over::At(interval.last_instant()),
        when: Some(When::End(period.clone())),
        any_stream: false,
    };
    let start = Reading {
        name: format!("at the start of {period}"),
        over: Over::At(interval.from.previous_ns()),
        when: Some(When::Start(period.clone())),
        any_stream: false,
    };
    Ok(if end_first {
        vec![end, start]
    } else {
        vec![start, end]
    })
}

pub(super) fn interval(period: &Period, zone: Tz) -> Result<Interval, EmptyPeriod> {
    period
        .interval(zone)
        .ok_or_else(|| EmptyPeriod(period.clone()))
}

/// The readings of a `when` for streams of which something holds, the chosen one first.
pub(super) fn of_streams(that: &That, when: &When, zone: Tz) -> Result<Vec<Reading>, EmptyPeriod> {
    let When::During(manner, period) = when else {
        return at_instants(when, zone);
    };
    let all = interval(period, zone)?;
    if *that == That::Active {
        return Ok(of_activity(period, all, zone));
    }
    let during = |name: &str, over: Over, manner: Manner| Reading {
        name: name.to_owned(),
        over,
        when: Some(When::During(manner, period.clone())),
        any_stream: false,
    };
    let mut readings = vec![
        during("at some time in it", Over::AnyTime(all), Manner::AnyTime),
        Reading {
            name: "at its end".to_owned(),
            over: Over::At(all.last_instant()),
            when: Some(When::End(period.clone())),
            any_stream: false,
        },
        during("on average over it", Over::Average(all), Manner::Average),
        during("came to be so in it", Over::Entered(all), Manner::Entered),
        during("ceased to be so in it", Over::Left(all), Manner::Left),
        during(
            "all the time in it",
            Over::Throughout(all),
            Manner::Throughout,
        ),
        Reading {
            name: "at its start".to_owned(),
            over: Over::At(all.from.previous_ns()),
            when: Some(When::Start(period.clone())),
            any_stream: false,
        },
    ];
    let chosen = match manner {
        Manner::Unsaid | Manner::AnyTime => 0,
        Manner::Average => 2,
        Manner::Entered => 3,
        Manner::Left => 4,
        Manner::Throughout => 5,
    };
    let first = readings.remove(chosen);
    readings.insert(0, first);
    if let Some(without_last) = period.interval_without_last(zone) {
        let first = &readings[0];
        let over = match first.over {
            Over::Throughout(_) => Over::Throughout(without_last),
            Over::Average(_) => Over::Average(without_last),
            Over::Entered(_) => Over::Entered(without_last),
            Over::Left(_) => Over::Left(without_last),
            Over::At(_) | Over::AnyTime(_) | Over::Event(_) => Over::AnyTime(without_last),
        };
        readings.push(last_left_out(first, over, period));
    }
    Ok(readings)
}

/// The readings of `active`: what it may mean that a stream was active in a period.
fn of_activity(period: &Period, all: Interval, zone: Tz) -> Vec<Reading> {
    let mut readings = vec![
        Reading {
            name: "had an event in it".to_owned(),
            over: Over::Event(all),
            when: Some(When::During(Manner::Unsaid, period.clone())),
            any_stream: false,
        },
        Reading {
            name: "had begun by its end".to_owned(),
            over: Over::At(all.last_instant()),
            when: Some(When::End(period.clone())),
            any_stream: true,
        },
        Reading {
            name: "began in it".to_owned(),
            over: Over::Entered(all),
            when: Some(When::During(Manner::Entered, period.clone())),
            any_stream: true,
        },
    ];
    if let Some(without_last) = period.interval_without_last(zone) {
        readings.push(last_left_out(
            &readings[0],
            Over::Event(without_last),
            period,
        ));
    }
    readings
}

/// A reading without the last stretch that a period names.
fn last_left_out(reading: &Reading, over: Over, period: &Period) -> Reading {
    let last = period.last.as_ref().unwrap_or(&period.first);
    Reading {
        name: format!("{}, {last} left out", reading.name),
        over,
        when: None,
        any_stream: reading.any_stream,
    }
}
