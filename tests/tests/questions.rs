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

#[test]
fn form_and_text_are_one_question() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.click("rail-questions")?;
    window.click("question-by-form")?;
    // What is typed fills the form.
    window.fill(
        "question-text",
        "how long was user in department \"Engineering\", average, by month",
    )?;
    window.get(r#"question-form[data-kind="stay"]"#)?;
    window.click("question-statistic-p95")?;
    window.click("question-ask")?;
    window.text_when("answer-understood", |shown| {
        shown.contains("the average, p95 of how long")
    })?;
    // Two conditions, written by the form.
    window.fill(
        "question-text",
        "count user where department = 'Marketing' and name is present",
    )?;
    window.get(r#"question-form[data-conditions="2"]"#)?;
    window.click("question-condition-remove")?;
    window.click("question-ask")?;
    window.text_when("answer-understood", |shown| {
        shown.contains("of which name is present holds")
    })?;
    Ok(())
}

#[test]
fn a_picture_of_an_answer_leads_to_the_question_behind_its_marks() -> Outcome {
    let sample = Sample::open()?;
    let window = &sample.window;
    window.go("#/questions?q=count+user+during+2024-01")?;
    window.get(r#"answer-picture[data-kind="area"]"#)?;
    window.click("answer-twin")?;
    window.text_when("answer-table", |shown| shown.contains("2024-01-31"))?;
    window.go("#/questions?q=count+user+group+by+department")?;
    window.click("answer-group-ask")?;
    window.text_when("answer-understood", |shown| {
        shown.contains("of which department ")
    })?;
    Ok(())
}

#[test]
fn a_kept_question_on_a_dashboard_obeys_the_time_bar_and_leads_to_its_events() -> Outcome {
    let sample = Sample::open()?;
    let (window, store) = (&sample.window, text(&sample.store));
    annals(&[
        "ask",
        store,
        "balance of account-12345",
        "--save",
        "accounts/balance",
        "--json",
    ])?;
    let dashboards = sample.store.with_extension("annals.d").join("dashboards");
    std::fs::create_dir_all(&dashboards)?;
    let panel = "title = \"Asked\"\n[[panels]]\nkind = \"number\"\ntitle = \"Balance\"\nquestion = \"accounts/balance\"\n";
    std::fs::write(dashboards.join("asked.toml"), panel)?;
    window.go("#/dashboards?dashboard=asked")?;
    window.click("dashboard-twin")?;
    window.text_when("dashboard-table", |shown| shown.contains("1,247.83"))?;
    window.fill("timebar-input", "2024-01-10")?;
    window
        .session
        .press(&annals_tests::webdriver::key::ENTER.to_string())?;
    window.text_when("dashboard-table", |shown| shown.contains("1,450.00"))?;
    window.click("dashboard-twin")?;
    window.click("dashboard-mark")?;
    window.text_when("dashboard-behind", |shown| {
        shown.contains("accounts/balance") && shown.contains("position 7")
    })?;
    // The question by itself is one click away, and asked as of the same instant.
    window.click("dashboard-asked")?;
    window.text_when("question-as-of", |shown| shown.contains("2024-01-10"))?;
    window.text_when("answer-value", |shown| shown.contains("1450.00"))?;
    Ok(())
}
