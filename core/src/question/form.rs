//! A question as the fields of a form: what a form shows of a text, and writes again.

use serde::Serialize;
use ts_rs::TS;

use super::grammar::{
    Ask, Condition, Known, Literal, Manner, Measure, PathText, Question, Selection, Subject, That,
    When,
};
use super::scan::Scan;

/// A question as the fields of a form. Texts are as a person types them: a value without quotes where it reads as the
/// same value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct QuestionForm {
    /// What is asked: `count`, `list`, `value`, `sum`, `avg`, `min`, `max`, `first`, `last`, `stay`, `followed`.
    pub kind: String,
    /// A category, or the stream where it is about one.
    pub of: String,
    /// It is about one stream.
    pub of_stream: bool,
    /// Path of the field that is measured, asked for or stayed in.
    pub field: String,
    /// What must hold, one by one.
    pub conditions: Vec<ConditionForm>,
    /// One of them is enough; else all must hold.
    pub any: bool,
    /// The condition as text where it is no plain list of conditions; `null` where it is.
    pub condition: Option<String>,
    /// The streams are those with an event in the period.
    pub active: bool,
    /// Path of the field that it is grouped by; empty for none.
    pub group: String,
    /// When: `now`, `at`, `on`, `start`, `end`, `during`, `any`, `throughout`, `average`, `entered`, `left`.
    pub time: String,
    /// The instant or period.
    pub when: String,
    /// The value that was stayed in.
    pub value: String,
    /// What to say of stays: `average`, `p95`.
    pub statistics: Vec<String>,
    /// By `day`, `month` or `year`; empty for none.
    pub by: String,
    /// Type of the first event.
    pub first: String,
    /// Type of the event that follows.
    pub then: String,
    /// It did not follow.
    pub not: bool,
    /// Within which time; empty for any.
    pub within: String,
    /// What was known; empty for all.
    pub known: String,
}

/// One condition of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ConditionForm {
    /// It does not hold.
    pub not: bool,
    /// Path of the field.
    pub field: String,
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `is missing`, `is present`.
    pub sign: String,
    /// The value; of `in` all of them, with commas between; empty where there is none.
    pub value: String,
}

impl QuestionForm {
    /// The fields of a question.
    #[must_use]
    pub fn of(question: &Question) -> QuestionForm {
        let mut form = QuestionForm {
            time: "now".to_owned(),
            known: match &question.known {
                None => String::new(),
                Some(Known::Position(position)) => position.to_string(),
                Some(Known::Time(stamp)) => stamp.to_string(),
            },
            ..QuestionForm::default()
        };
        match &question.ask {
            Ask::Value { path, stream, when } => {
                form.kind = "value".to_owned();
                form.field = PathText(path).to_string();
                form.stream(stream.as_str());
                form.when(when);
            }
            Ask::Count { what, group, when } => {
                form.kind = "count".to_owned();
                form.selection(what);
                form.group = group
                    .as_ref()
                    .map(|path| PathText(path).to_string())
                    .unwrap_or_default();
                form.when(when);
            }
            Ask::List { what, when } => {
                form.kind = "list".to_owned();
                form.selection(what);
                form.when(when);
            }
            Ask::Measure {
                measure,
                path,
                what,
                group,
                when,
            } => {
                form.kind = Measure::word(*measure).to_owned();
                form.field = PathText(path).to_string();
                form.selection(what);
                form.group = group
                    .as_ref()
                    .map(|path| PathText(path).to_string())
                    .unwrap_or_default();
                form.when(when);
            }
            Ask::Moment {
                last,
                condition,
                stream,
            } => {
                form.kind = if *last { "last" } else { "first" }.to_owned();
                form.condition(condition);
                form.stream(stream.as_str());
            }
            Ask::Stay {
                of,
                path,
                value,
                statistics,
                by,
                during,
            } => {
                form.kind = "stay".to_owned();
                match of {
                    Subject::Category(category) => category.as_str().clone_into(&mut form.of),
                    Subject::Stream(stream) => form.stream(stream.as_str()),
                }
                form.field = PathText(path).to_string();
                form.value = typed(value);
                form.statistics = statistics.iter().map(ToString::to_string).collect();
                form.by = by.map(|unit| unit.word().to_owned()).unwrap_or_default();
                form.during(during.as_ref());
            }
            Ask::Followed {
                category,
                first,
                not,
                then,
                within,
                during,
            } => {
                form.kind = "followed".to_owned();
                category.as_str().clone_into(&mut form.of);
                form.first = first.to_string();
                form.then = then.to_string();
                form.not = *not;
                form.within = within.map(|span| span.to_string()).unwrap_or_default();
                form.during(during.as_ref());
            }
        }
        form
    }

    fn stream(&mut self, stream: &str) {
        stream.clone_into(&mut self.of);
        self.of_stream = true;
    }

    fn selection(&mut self, what: &Selection) {
        what.category.as_str().clone_into(&mut self.of);
        match &what.that {
            That::Exists => {}
            That::Active => self.active = true,
            That::Where(condition) => self.condition(condition),
        }
    }

    /// A chain of one word is a list; anything else is a text.
    fn condition(&mut self, condition: &Condition) {
        let mut list = Vec::new();
        self.any = matches!(condition, Condition::Or(..));
        if gathered(condition, self.any, &mut list) {
            self.conditions = list;
        } else {
            self.any = false;
            self.condition = Some(condition.to_string());
        }
    }

    fn during(&mut self, period: Option<&super::stamp::Period>) {
        if let Some(period) = period {
            self.time = "during".to_owned();
            self.when = period.to_string();
        }
    }

    fn when(&mut self, when: &When) {
        let (time, text) = match when {
            When::Now => ("now", String::new()),
            When::At(stamp) => ("at", stamp.to_string()),
            When::On(stamp) => ("on", stamp.to_string()),
            When::Start(period) => ("start", period.to_string()),
            When::End(period) => ("end", period.to_string()),
            When::During(manner, period) => (
                match manner {
                    Manner::Unsaid => "during",
                    Manner::AnyTime => "any",
                    Manner::Throughout => "throughout",
                    Manner::Average => "average",
                    Manner::Entered => "entered",
                    Manner::Left => "left",
                },
                period.to_string(),
            ),
        };
        self.time = time.to_owned();
        self.when = text;
    }
}

/// Takes the single conditions of a chain of `and`, or of `or`; says whether it is one.
fn gathered(condition: &Condition, any: bool, into: &mut Vec<ConditionForm>) -> bool {
    match (condition, any) {
        (Condition::And(a, b), false) | (Condition::Or(a, b), true) => {
            // Chains lean to the left; another shape has its own parentheses.
            let is_chain = !matches!(
                (&**b, any),
                (Condition::And(..), false) | (Condition::Or(..), true)
            );
            is_chain && gathered(a, any, into) && gathered(b, any, into)
        }
        (Condition::Not(inner), _) => match single(inner) {
            Some(single) => {
                into.push(ConditionForm {
                    not: true,
                    ..single
                });
                true
            }
            None => false,
        },
        (other, _) => match single(other) {
            Some(single) => {
                into.push(single);
                true
            }
            None => false,
        },
    }
}

fn single(condition: &Condition) -> Option<ConditionForm> {
    let (path, sign, value) = match condition {
        Condition::Compare {
            path,
            comparison,
            value,
        } => (path, comparison.sign(), typed(value)),
        Condition::In { path, values } => {
            // A comma in a value would part it.
            let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            (path, "in", texts.join(", "))
        }
        Condition::Missing(path) => (path, "is missing", String::new()),
        Condition::Present(path) => (path, "is present", String::new()),
        Condition::Not(_) | Condition::And(..) | Condition::Or(..) => return None,
    };
    Some(ConditionForm {
        not: false,
        field: PathText(path).to_string(),
        sign: sign.to_owned(),
        value,
    })
}

fn is_number(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.number().is_some() && scan.at == text.len()
}

/// A value as a person types it: a text without quotes unless it would read as something else.
fn typed(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => {
            let is_other = text.is_empty()
                || text.trim() != text
                || matches!(text.as_str(), "true" | "false")
                || text.starts_with(['"', '\''])
                || is_number(text);
            if is_other {
                literal.to_string()
            } else {
                text.clone()
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> QuestionForm {
        QuestionForm::of(&Question::parse(text).unwrap())
    }

    #[test]
    fn a_question_fills_the_fields_of_its_kind() {
        let stay = form(
            "how long was stream order-1 in status \"5\", average, p95, by month during 2024 known 40",
        );
        assert_eq!(
            (stay.kind.as_str(), stay.of.as_str(), stay.of_stream),
            ("stay", "order-1", true)
        );
        assert_eq!(
            stay.value, "\"5\"",
            "a text that reads as a number keeps its quotes"
        );
        assert_eq!(stay.statistics, ["average", "p95"]);
        assert_eq!(
            (
                stay.by.as_str(),
                stay.time.as_str(),
                stay.when.as_str(),
                stay.known.as_str()
            ),
            ("month", "during", "2024", "40")
        );
        let followed = form("order where A not followed by B within 2 days");
        assert!(followed.not);
        assert_eq!(
            (
                followed.first.as_str(),
                followed.then.as_str(),
                followed.within.as_str()
            ),
            ("A", "B", "2 days")
        );
        assert_eq!(form("last time a = 1 of order-1").kind, "last");
        assert!(form("list customer active during 2024").active);
    }

    #[test]
    fn chains_are_lists_and_everything_else_is_text() {
        let signs = |text: &str| -> Vec<String> {
            let form = form(&format!("count order where {text}"));
            let one = |c: &ConditionForm| {
                let not = if c.not { "not " } else { "" };
                format!("{not}{} {} {}", c.field, c.sign, c.value)
            };
            match form.condition {
                Some(text) => vec![format!("text: {text}")],
                None => form.conditions.iter().map(one).collect(),
            }
        };
        assert_eq!(
            signs("a = 'x' and b != 2 and c is missing"),
            ["a = x", "b != 2", "c is missing "]
        );
        assert_eq!(
            signs("a in ('x', 2) or not b < 1"),
            ["a in \"x\", 2", "not b < 1"]
        );
        assert_eq!(
            signs("a = 1 and (b = 2 or c = 3)"),
            ["text: a = 1 and (b = 2 or c = 3)"]
        );
        assert!(form("count order where a = 1 or b = 2").any);
    }
}
