//! What is a question, and what is said of a text that is none.

use proptest::prelude::*;

use super::*;

#[test]
fn every_example_is_its_own_plainest_form() {
    for text in [
        "balance of account-12345 on 2024-01-10",
        r#"count order where status = "Pending" at end of 2024-01"#,
        r#"count order where status = "Pending" during 2024-01"#,
        "list customer active during 2024-11-20..2024-12-01",
        r#"sum total of order where region = "EU" group by status at 2024-06-30"#,
        r#"first time status = "Shipped" of order-789"#,
        r#"how long was order in status "Pending", average, p95, by month"#,
        "order where OrderPlaced not followed by PaymentProcessed within 2 days",
        "order where OrderPlaced followed by OrderShipped during 2024",
        r#"count order where a = 1 and (b < 2 or not (c is missing)) throughout 2024-01-01T00:00:00Z..2024-02 known 2024-03-01"#,
        r#"count order where a in ("x", 1, true) at any time during 2024 known 40"#,
        r#"count order where ["count"] = 1 on average during 2024"#,
        r#"count "list" where case["concept:name"].x[0] >= -1.5e3 entered during 2024"#,
        "count order group by a.b at start of 2024",
        r#"min x of "a b" at "2024-01-10 12:00""#,
        r#"how long was stream order-1 in a true, count, median, total, max during 2024-05"#,
        "list customer",
    ] {
        assert_eq!(Question::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn words_take_any_case_and_spaces() {
    let asked = Question::parse(
        "  COUNT order WHERE(status='Pending')AND total>=5 AT the END of 2024-01 ? ",
    );
    assert_eq!(
        asked.unwrap().to_string(),
        r#"count order where status = "Pending" and total >= 5 at end of 2024-01"#
    );
}

#[test]
fn a_text_that_is_no_question_names_place_and_nearest() {
    for (text, at, nearest) in [
        ("", 1, "count order"),
        ("cuont order", 1, "count order"),
        (
            "count order where status = Pending",
            28,
            r#"count order where status = "Pending""#,
        ),
        (
            "count order where status == 'a'",
            27,
            r#"count order where status = "a""#,
        ),
        ("count order at 2024-02-31", 16, "count order at 2024-02-29"),
        ("count order on 2024-02", 16, "count order on 2024-02-01"),
        ("balance account-1", 9, "balance of account-1"),
        (
            "count order where (status = 1",
            30,
            "count order where status = 1",
        ),
        (
            r#"count order where status = "Pend"#,
            28,
            r#"count order where status = "Pend""#,
        ),
        (
            "count order during 2024-03..2024-01",
            29,
            "count order during 2024-03..2024-03",
        ),
        ("list order group by x", 12, "list order"),
        (
            "how long was order in status 'a', p0",
            35,
            r#"how long was order in status "a", p95"#,
        ),
        (
            "sum total of order during 2024",
            20,
            "sum total of order at 2024",
        ),
        (
            "count order where x is null",
            24,
            "count order where x is missing",
        ),
        ("count ordér ünd", 13, "count ordér"),
    ] {
        let error = Question::parse(text).unwrap_err();
        assert_eq!(
            (error.at, error.nearest.as_str()),
            (at, nearest),
            "{text}: {error}"
        );
    }
}

#[test]
fn nesting_and_length_have_limits() {
    let deep = format!(
        "count order where {}a = 1{}",
        "(".repeat(40),
        ")".repeat(40)
    );
    let error = Question::parse(&deep).unwrap_err();
    assert!(error.message.contains("deeper than 32"), "{error}");
    let long = format!("count order where {}", "a = 1 or ".repeat(1_000));
    let error = Question::parse(&long).unwrap_err();
    assert_eq!(
        (error.at, error.message.as_str()),
        (2_001, "it is longer than 2000 characters")
    );
    assert!(Question::parse(&error.nearest).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_a_question_or_has_one_near(text in "\\PC{0,60}") {
        match Question::parse(&text) {
            Ok(question) => {
                let again = question.to_string();
                prop_assert_eq!(Question::parse(&again).unwrap().to_string(), again);
            }
            Err(error) => {
                prop_assert!(error.at <= text.chars().count() + 1);
                prop_assert!(Question::parse(&error.nearest).is_ok(), "{}", error.nearest);
            }
        }
    }

    #[test]
    fn words_in_any_order_never_panic(words in prop::collection::vec(prop::sample::select(vec![
        "count", "list", "sum", "of", "where", "and", "not", "(", ")", "=", "<", "\"x\"", "'", "[", "\"", "1e9",
        "order", "status", "at", "end", "of", "during", "2024-01", "..", "2024-02-31", "how", "long", "was", "in",
        ",", "p95", "by", "month", "known", "40", "first", "time", "followed", "within", "2", "days", "ß", "\u{202e}",
    ]), 0..14)) {
        let text = words.join(" ");
        match Question::parse(&text) {
            Ok(question) => {
                let again = question.to_string();
                prop_assert_eq!(Question::parse(&again).unwrap().to_string(), again);
            }
            Err(error) => prop_assert!(Question::parse(&error.nearest).is_ok()),
        }
    }
}
