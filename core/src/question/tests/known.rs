//! The guide's own questions, every reading worked out by hand.

use super::*;
use crate::model::ModelSet;
use crate::store::Log;
use crate::temporal::AsOf;

/// Every reading of an answer: name and value.
pub(super) fn readings(answer: &AnswerView) -> Vec<(String, String)> {
    let value = |reading: &ReadingView| {
        reading
            .value
            .as_ref()
            .map_or("none", |v| v.get())
            .to_owned()
    };
    let all = answer.readings.iter();
    all.map(|reading| (reading.name.clone(), value(reading)))
        .collect()
}

fn guide(question: &str) -> AnswerView {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("guide.annals");
    crate::sample::questions(&store).unwrap();
    let log = Log::explore(&store).unwrap();
    let (models, _) = ModelSet::load(&store).unwrap();
    let asking = Asking {
        log: &log,
        models: &models,
        zone: chrono_tz::UTC,
        limit: ROWS,
        index: None,
        as_of: AsOf::default(),
    };
    ask(&asking, &Question::parse(question).unwrap(), &mut |_| true).unwrap()
}

#[test]
fn the_balance_on_a_day_with_a_deposit_has_two_answers() {
    let answer = guide("balance of account-12345 on 2024-01-10");
    assert_eq!(
        readings(&answer),
        [
            ("at the end of 2024-01-10".to_owned(), "1450.00".to_owned()),
            ("at the start of 2024-01-10".to_owned(), "950.00".to_owned()),
        ]
    );
    assert_eq!(answer.rows[0].position, Some(crate::position::Position(7)));
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Pending: 801 from 2023-12-20 to 2024-01-04, 802 from 01-08 to 01-18, 803 from 01-25 to 02-03, 804 from 01-31 12:00
/// on, 805 from 02-05 on, 806 on 01-10 from 10:00 to 16:00.
#[test]
fn how_many_orders_were_pending_last_month_has_seven_answers() {
    let answer = guide(r#"count order where status = "Pending" during 2024-01"#);
    assert_eq!(
        readings(&answer),
        named(&[
            ("at some time in it", "5"),
            ("at its end", "2"),
            // 3 + 10 + 7 + 0.5 + 0.25 days of 31: 20.75 / 31.
            ("on average over it", "0.669355"),
            ("came to be so in it", "4"),
            ("ceased to be so in it", "3"),
            ("all the time in it", "0"),
            ("at its start", "1"),
        ])
    );
    let streams: Vec<&str> = answer.rows.iter().map(|row| row.stream.as_str()).collect();
    assert_eq!(
        streams,
        [
            "order-801",
            "order-802",
            "order-803",
            "order-804",
            "order-806"
        ]
    );
    // Each reading's own question gives that reading.
    for reading in &answer.readings {
        let own = guide(reading.question.as_ref().unwrap());
        assert_eq!(
            own.value.unwrap().get(),
            reading.value.as_ref().unwrap().get(),
            "{}",
            reading.name
        );
    }
}

#[test]
fn which_customers_were_active_during_the_promotion_has_four_answers() {
    let answer = guide("list customer active during 2024-11-20..2024-12-01");
    assert_eq!(
        readings(&answer),
        named(&[
            ("had an event in it", "3"),
            ("had begun by its end", "4"),
            ("began in it", "1"),
            ("had an event in it, 2024-12-01 left out", "2"),
        ])
    );
    let streams: Vec<&str> = answer.rows.iter().map(|row| row.stream.as_str()).collect();
    assert_eq!(streams, ["customer-1", "customer-2", "customer-3"]);
    for reading in answer
        .readings
        .iter()
        .filter(|reading| reading.question.is_some())
    {
        let own = guide(reading.question.as_ref().unwrap());
        assert_eq!(
            own.value.unwrap().get(),
            reading.value.as_ref().unwrap().get(),
            "{}",
            reading.name
        );
    }
}

#[test]
fn sums_are_exact_and_by_group() {
    let answer = guide(r#"sum total of order where region = "EU" group by status at 2024-01-31"#);
    // 120.00 + 80.50 confirmed, 60.00 cancelled; order-805 came later.
    assert_eq!(answer.value.unwrap().get(), "260.50");
    let groups: Vec<(&str, &str)> = answer
        .groups
        .iter()
        .map(|g| {
            (
                g.group.as_ref().unwrap().get(),
                g.value.as_ref().unwrap().get(),
            )
        })
        .collect();
    assert_eq!(
        groups,
        [("\"Cancelled\"", "60.00"), ("\"Confirmed\"", "200.50")]
    );
}

#[test]
fn stays_are_told_by_the_month_in_which_they_began() {
    let answer = guide(r#"how long was order in status "Pending", count, average, p95, by month"#);
    let by_month: Vec<(&str, &str)> = answer
        .groups
        .iter()
        .map(|g| {
            (
                g.group.as_ref().unwrap().get(),
                g.value.as_ref().unwrap().get(),
            )
        })
        .collect();
    assert_eq!(
        by_month,
        [
            (
                "\"2023-12\"",
                r#"{"count":1,"average":1296000,"p95":1296000}"#
            ),
            // 10 days, 9 days, 6 hours.
            (
                "\"2024-01\"",
                r#"{"count":3,"average":554400,"p95":864000}"#
            ),
        ]
    );
    assert_eq!(
        answer.notes,
        [
            "2 stays had not ended when the last event of these streams happened, at 2024-02-05T00:00:00Z"
        ]
    );
}

#[test]
fn what_was_not_followed_is_told_with_what_is_still_open() {
    let answer = guide("order where OrderReceived not followed by OrderConfirmed within 11 days");
    assert_eq!(
        readings(&answer),
        named(&[
            // 801 after 15 days, 806 never.
            ("not followed, and the time for it is over", "2"),
            (
                "not followed so far, also where there is time left at the last event (2024-02-05T00:00:00Z)",
                "4"
            ),
            ("not followed in time, and not later either", "1"),
        ])
    );
}
