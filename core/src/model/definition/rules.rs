//! Rules of the business: what must hold before an event may happen.

use toml::Spanned;
use toml::de::DeValue;

use super::super::ModelError;
use super::super::expression::{Expression, Root};
use super::{File, in_order};

/// What must be so before an event happens.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Types of the events that it is about; empty: all.
    pub(crate) on: Vec<String>,
    /// True where the event may happen.
    pub(crate) require: Expression,
    /// The rule in a sentence.
    pub(crate) message: Option<String>,
}

impl Rule {
    /// Whether it is about events of this type.
    pub(crate) fn is_about(&self, event_type: &str) -> bool {
        self.on.is_empty() || self.on.iter().any(|on| on == event_type)
    }
}

impl File<'_> {
    /// Reads `[[rules]]`.
    pub(super) fn rules(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Rule>, ModelError> {
        let DeValue::Array(tables) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                "`rules` is a list of tables: write [[rules]]".to_owned(),
            ));
        };
        let mut rules: Vec<Rule> = Vec::new();
        for table in tables {
            let rule = self.rule(table)?;
            if rules.iter().any(|other| other.name == rule.name) {
                return Err(self.error(
                    table.span().start,
                    format!("there is a rule {} already", rule.name),
                ));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    fn rule(&self, table: &Spanned<DeValue<'_>>) -> Result<Rule, ModelError> {
        let at = table.span().start;
        let DeValue::Table(fields) = table.get_ref() else {
            return Err(self.error(at, "a rule is a table: write [[rules]]".to_owned()));
        };
        let (mut name, mut on, mut require, mut message) = (None, Vec::new(), None, None);
        for (key, value) in in_order(fields) {
            match key.get_ref().as_ref() {
                "name" => name = Some(self.string(value, "the name of a rule")?.to_owned()),
                "message" => message = Some(self.string(value, "a message")?.to_owned()),
                "on" => {
                    let one = std::slice::from_ref(value);
                    let types = match value.get_ref() {
                        DeValue::Array(types) => types.iter().collect::<Vec<_>>(),
                        _ => one.iter().collect(),
                    };
                    for event_type in types {
                        on.push(self.string(event_type, "an event type")?.to_owned());
                    }
                }
                "require" => {
                    let expression = self.expression(value, "require")?;
                    if expression.reads(Root::Item) {
                        return Err(self.error(
                            value.span().start,
                            "`require` reads state, data, meta and event".to_owned(),
                        ));
                    }
                    require = Some(expression);
                }
                other => {
                    return Err(self.error(
                        key.span().start,
                        format!("unknown key `{other}`: a rule has name, on, require and message"),
                    ));
                }
            }
        }
        let Some(name) = name.filter(|name| !name.trim().is_empty()) else {
            return Err(self.error(
                at,
                "a rule needs a name: write name = \"no-change-after-shipped\"".to_owned(),
            ));
        };
        let Some(require) = require else {
            return Err(self.error(
                at,
                format!("rule {name} requires nothing: write require = \"state.total > 0\""),
            ));
        };
        Ok(Rule {
            name,
            on,
            require,
            message,
        })
    }
}
