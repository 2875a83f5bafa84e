//! A projection as a file: a model's handlers, and what a projection says beside them.

use toml::Spanned;
use toml::de::DeValue;

use super::super::ModelError;
use super::super::expression::{Expression, Root};
use super::super::path::Step;
use super::super::projected::{Keys, OnFault, Parts, Scope, Strategy};
use super::{Definition, File, Who, in_order};

/// Reads and checks the definition of a projection.
pub(crate) fn parse(name: &str, text: &str) -> Result<(Definition, Parts), ModelError> {
    let file = File { name, text };
    let table = file.table()?;
    let mut definition = Definition {
        category: String::new(),
        title: None,
        handlers: std::collections::BTreeMap::new(),
        who: Who::default(),
        upcasts: std::collections::BTreeMap::new(),
        of_categories: std::collections::BTreeMap::new(),
        time: None,
        version: None,
        rules: Vec::new(),
        personal: None,
    };
    let mut parts = Parts {
        description: None,
        keys: Keys {
            of_all: None,
            by_type: std::collections::BTreeMap::new(),
        },
        derived: Vec::new(),
        shown: None,
        scope: Scope::default(),
        strategy: Strategy::default(),
        on_fault: OnFault::default(),
        every_seconds: None,
    };
    let mut every_at = 0;
    for (key, value) in in_order(table.get_ref()) {
        match key.get_ref().as_ref() {
            "name" => definition.title = Some(file.string(value, "name")?.to_owned()),
            "description" => {
                parts.description = Some(file.string(value, "description")?.to_owned());
            }
            "version" => definition.version = Some(file.version(value)?),
            "on" => definition.handlers = file.handlers(value)?,
            "who" => definition.who = file.who(value)?,
            "upcast" => definition.upcasts = file.upcasts(value)?,
            "key" => parts.keys = file.keys(value)?,
            "from" => parts.scope.names = file.names(value, "from")?,
            "derived" => parts.derived = file.derived(value)?,
            "show" => parts.shown = Some(file.names(value, "show")?),
            "strategy" => parts.strategy = file.strategy(value)?,
            "on_fault" => parts.on_fault = file.on_fault(value)?,
            "every" => {
                every_at = value.span().start;
                parts.every_seconds = Some(file.every(value)?);
            }
            other => {
                return Err(file.error(
                    key.span().start,
                    format!(
                        "unknown key `{other}`: a projection has name, description, version, key, from, strategy, every, on_fault, show, [derived], [who], [upcast.EventType] and [on.EventType]"
                    ),
                ));
            }
        }
    }
    if definition.handlers.is_empty() {
        return Err(file.error(
            0,
            "there is no handler: write for example [on.OrderPlaced]".to_owned(),
        ));
    }
    for event_type in definition.handlers.keys() {
        if parts.keys.of(event_type).is_none() {
            return Err(file.error(
                0,
                format!(
                    "the key is missing for {event_type}: it says which document an event belongs to; write for example key = \"data.customerId\""
                ),
            ));
        }
    }
    let unhandled = |name: &&String| !definition.handlers.contains_key(*name);
    if let Some(stray) = parts.keys.by_type.keys().find(unhandled) {
        return Err(file.error(
            0,
            format!("key names {stray}, and there is no [on.{stray}]"),
        ));
    }
    if parts.every_seconds.is_some() && parts.strategy != Strategy::Batch {
        return Err(file.error(
            every_at,
            "`every` is for strategy = \"batch\"; the other strategies do not wait".to_owned(),
        ));
    }
    Ok((definition, parts))
}

impl File<'_> {
    /// Reads `key`: an expression, or one a type.
    fn keys(&self, value: &Spanned<DeValue<'_>>) -> Result<Keys, ModelError> {
        let mut keys = Keys {
            of_all: None,
            by_type: std::collections::BTreeMap::new(),
        };
        match value.get_ref() {
            DeValue::Table(types) => {
                for (event_type, value) in in_order(types) {
                    let key = self.of_the_event(value, "key")?;
                    keys.by_type.insert(event_type.get_ref().to_string(), key);
                }
            }
            _ => keys.of_all = Some(self.of_the_event(value, "key")?),
        }
        Ok(keys)
    }

    /// A list of names, or one.
    fn names(&self, value: &Spanned<DeValue<'_>>, what: &str) -> Result<Vec<String>, ModelError> {
        let one = std::slice::from_ref(value);
        let values = match value.get_ref() {
            DeValue::Array(values) => values.iter().collect::<Vec<_>>(),
            _ => one.iter().collect(),
        };
        let mut names: Vec<String> = Vec::new();
        for value in values {
            let name = self.string(value, &format!("a name in `{what}`"))?;
            if name.is_empty() || names.iter().any(|known| known == name) {
                return Err(self.error(
                    value.span().start,
                    format!("`{what}` is a list of names, each once"),
                ));
            }
            names.push(name.to_owned());
        }
        if names.is_empty() {
            return Err(self.error(
                value.span().start,
                format!("`{what}` names nothing: leave it out for all"),
            ));
        }
        Ok(names)
    }

    /// Reads `[derived]`: fields that are computed from the state when a document is shown.
    fn derived(
        &self,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<(String, Expression)>, ModelError> {
        let mut derived = Vec::new();
        for (path, value) in self.entries(value, "derived")? {
            let [Step::Key(name)] = &path.0[..] else {
                return Err(self.error(
                    value.span().start,
                    format!("a derived field has one name, not a path such as {path}"),
                ));
            };
            let expression = self.expression(value, name)?;
            let others = [Root::Data, Root::Meta, Root::Event, Root::Item];
            if others.into_iter().any(|root| expression.reads(root)) {
                return Err(self.error(
                    value.span().start,
                    "a derived field reads `state` alone: it is computed when the document is shown"
                        .to_owned(),
                ));
            }
            derived.push((name.clone(), expression));
        }
        Ok(derived)
    }

    fn strategy(&self, value: &Spanned<DeValue<'_>>) -> Result<Strategy, ModelError> {
        let word = self.string(value, "strategy")?;
        let all = [
            Strategy::Sync,
            Strategy::Async,
            Strategy::Batch,
            Strategy::Live,
        ];
        all.into_iter()
            .find(|strategy| strategy.name() == word)
            .ok_or_else(|| {
                self.error(
                    value.span().start,
                    format!("there is no strategy {word:?}: there is sync, async, batch and live"),
                )
            })
    }

    fn on_fault(&self, value: &Spanned<DeValue<'_>>) -> Result<OnFault, ModelError> {
        match self.string(value, "on_fault")? {
            "continue" => Ok(OnFault::Continue),
            "stop" => Ok(OnFault::Stop),
            other => Err(self.error(
                value.span().start,
                format!("on_fault is \"continue\" or \"stop\", not {other:?}"),
            )),
        }
    }

    /// Reads `every`: `30s`, `10m`, `6h`, `1d`; in seconds.
    fn every(&self, value: &Spanned<DeValue<'_>>) -> Result<u64, ModelError> {
        let text = self.string(value, "every")?;
        let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
        let seconds = units.into_iter().find_map(|(unit, seconds)| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            count.checked_mul(seconds)
        });
        seconds.filter(|seconds| *seconds > 0).ok_or_else(|| {
            self.error(
                value.span().start,
                "`every` is a time such as \"30s\", \"10m\", \"6h\" or \"1d\"".to_owned(),
            )
        })
    }
}
