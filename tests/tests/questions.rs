//! End to end in the real window: a question is asked as text and by a form, and from its number one comes to the
//! events behind it.

use annals_tests::Outcome;
use annals_tests::sample::{Sample, annals, text};

#[test]
fn a_question_as_text_gives_every_reading_and_each_opens() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.click("rail-questions")?;
    window.fill("question-text", "balance of account-12345 on 2024-02-31")?;
    window.text_when("question-fault", |shown| {
        shown.contains("Character 29") && shown.contains("2024-02 has 29 days")
    })?;
    window.click("question-nearest")?;
    window.click("question-ask")?;
    window.text_when("answer-value", |shown| shown.contains("1247.83"))?;

    window.fill("question-text", "balance of account-12345 on 2024-01-10")?;
    window.click("question-ask")?;
    window.text_when("answer-value", |shown| shown.contains("1450.00"))?;
    window.text_when("answer-readings", |shown| {
        shown.contains("at the start of 2024-01-10") && shown.contains("950.00")
    })?;
    let question = "balance of account-12345 on 2024-01-10";
    let view = annals(&["ask", text(&sample.store), question, "--json"])?;
    assert_eq!(view["value"].to_string(), "1450.00");

    // The other reading has a question of its own.
    window.click("answer-reading-ask")?;
    window.text_when("answer-value", |shown| shown.contains("950.00"))?;
    // Its value leads to the event that set it: the withdrawal of 50.00 on January 3rd.
    window.click("answer-row-event")?;
    window.text_when("event-detail", |shown| shown.contains("WithdrawalMade"))?;
    Ok(())
}

#[test]
fn a_form_writes_a_question_and_its_number_opens_the_stream() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.click("rail-questions")?;
    window.click("question-by-form")?;
    window.fill("question-of", "user")?;
    window.fill("question-where", "department")?;
    window.fill("question-value", "Marketing")?;
    window.click("question-ask")?;
    window.text_when("answer-value", |shown| shown.contains('1'))?;
    window.text_when("answer-understood", |shown| {
        shown.contains("streams of category user of which department = \"Marketing\" holds")
    })?;
    window.text_when("answer-looked-at", |shown| shown.contains("interval index"))?;
    window.click("answer-row-stream")?;
    window.text_when("state-asof", |shown| !shown.is_empty())?;
    Ok(())
}

#[test]
fn a_question_is_kept_beside_the_store() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.click("rail-questions")?;
    window.fill("question-text", "count user")?;
    window.click("question-keep")?;
    window.fill("question-name", "people/all")?;
    window.click("question-save")?;
    window.click("question-kept")?;
    window.text_when("answer-value", |shown| shown.contains('2'))?;
    let view = annals(&["ask", text(&sample.store), "--list", "--json"])?;
    assert_eq!(view["questions"][0]["question"], "count user");
    Ok(())
}
