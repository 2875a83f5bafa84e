//! Events that were, or were not, followed by another in their stream.

use super::amount::{raw, raw_count, seconds};
use super::answer::{QuestionError, Work};
use super::course;
use super::grammar::{Ask, Subject};
use super::stamp::between_ns;
use super::view::{AnswerRow, AnswerView, PeriodView, ReadingView};
use crate::id::StreamId;
use crate::position::{Position, Version};
use crate::time::Time;

/// An event of the first type.
struct First {
    stream: String,
    time: Time,
    position: Position,
    version: Version,
    /// When the first event of the other type after it happened.
    followed: Option<Time>,
}

/// Answers which events were, or were not, followed.
pub(super) fn answer(
    work: &mut Work<'_>,
    mut view: AnswerView,
) -> Result<AnswerView, QuestionError> {
    let zone = work.asking.zone;
    let Ask::Followed {
        category,
        first,
        not,
        then,
        within,
        during,
    } = &work.question.ask
    else {
        return Ok(view);
    };
    let interval = work.interval(during.as_ref())?;
    let mut firsts: Vec<First> = Vec::new();
    let (mut seen_first, mut seen_then) = (false, false);
    let subject = Subject::Category(category.clone());
    let cut = work.cut();
    work.each_stream(&subject, &mut |work, row| {
        let Ok(stream) = StreamId::new(row.stream.as_str()) else {
            return Ok(());
        };
        let mut events: Vec<(Time, Version, Position, bool, bool)> = Vec::new();
        let (mut looked_at, mut latest) = (0, None);
        work.asking.log.for_each_in_stream(
            &stream,
            Version::FIRST,
            Some(work.known),
            &mut |event| {
                looked_at += 1;
                let is = |wanted: &crate::id::EventType| event.event.event_type == *wanted;
                let (a, b) = (is(first), is(then));
                // That there are such events is said of all of them.
                seen_first |= a;
                seen_then |= b;
                if cut.is_some_and(|cut| event.event.time.time > cut) {
                    return true;
                }
                latest = latest.max(Some(event.event.time.time));
                if a || b {
                    let position = event.event.position;
                    events.push((event.event.time.time, event.version, position, a, b));
                }
                true
            },
        )?;
        if looked_at > 0 {
            work.streams += 1;
            work.latest = work.latest.max(latest);
        }
        work.events += looked_at;
        if work.streams.is_multiple_of(100) {
            work.go_on()?;
        }
        events.sort_unstable();
        let mut next: Option<Time> = None;
        let mut found = Vec::new();
        for (time, version, position, a, b) in events.into_iter().rev() {
            if a && interval.is_none_or(|i| i.from <= time && time < i.to) {
                found.push(First {
                    stream: row.stream.clone(),
                    time,
                    position,
                    version,
                    followed: next,
                });
            }
            if b {
                next = Some(time);
            }
        }
        firsts.extend(found.into_iter().rev());
        Ok(())
    })?;
    for (seen, event_type) in [(seen_first, first), (seen_then, then)] {
        if !seen && work.streams > 0 {
            work.note(format!("no stream of {category} has an event {event_type}"));
        }
    }
    let latest = work.now().unwrap_or(Time::MIN);
    let in_time = |one: &First| {
        one.followed
            .is_some_and(|at| within.is_none_or(|span| between_ns(one.time, at) <= span.ns()))
    };
    // Whether it can still come: the time that it has is not over yet.
    let may_come = |one: &First| match within {
        Some(span) => !in_time(one) && between_ns(one.time, latest) <= span.ns(),
        None => false,
    };
    let chosen = |one: &First| in_time(one) != *not && !(*not && may_come(one));
    let count = |of: &dyn Fn(&First) -> bool| firsts.iter().filter(|one| of(one)).count() as u64;
    let mut readings = Vec::new();
    let reckoned = match cut {
        Some(_) => "at the instant that it is asked as of",
        None => "at the last event",
    };
    let not_text = if *not { "not followed" } else { "followed" };
    if *not && within.is_some() {
        readings.push((
            format!("{not_text}, and the time for it is over"),
            count(&chosen),
        ));
        readings.push((
            format!("{not_text} so far, also where there is time left {reckoned} ({latest})"),
            count(&|one| !in_time(one)),
        ));
        readings.push((
            "not followed in time, and not later either".to_owned(),
            count(&|one| chosen(one) && one.followed.is_none()),
        ));
    } else {
        readings.push((not_text.to_owned(), count(&chosen)));
    }
    view.readings = readings
        .into_iter()
        .map(|(name, count)| ReadingView {
            name,
            value: Some(raw_count(count)),
            question: None,
        })
        .collect();
    let rows = firsts.iter().filter(|one| chosen(one));
    let times: Vec<Time> = rows.clone().map(|one| one.time).collect();
    view.course = course::happened(
        &format!("events {first} that were {not_text}"),
        work.question,
        &times,
        zone,
    );
    view.rows_count = rows.clone().count() as u64;
    view.rows = rows
        .take(work.asking.limit)
        .map(|one| AnswerRow {
            stream: one.stream.clone(),
            from: Some(one.time),
            to: one.followed,
            position: Some(one.position),
            version: Some(one.version),
            value: one
                .followed
                .map(|at| raw(&seconds(between_ns(one.time, at)))),
            group: None,
        })
        .collect();
    view.unit = Some("events".to_owned());
    view.period = interval.map(|interval| PeriodView {
        from: interval.from,
        to: interval.to,
    });
    let not_word = if *not { "not " } else { "" };
    let within_text = within.map_or_else(String::new, |span| format!(" within {span}"));
    let during_text = match during {
        Some(period) => format!(", of those that happened during {period}"),
        None => String::new(),
    };
    view.understood = format!(
        "the events {first} in streams of category {category} that were {not_word}followed by {then} in the same stream{within_text}{during_text} ({zone})"
    );
    Ok(view)
}
