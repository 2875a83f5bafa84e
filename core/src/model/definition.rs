//! A model as a file: TOML tables of handlers whose values are expressions, checked whole before it is used.

mod projection;
mod rules;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ModelError;
use super::expression::{Expression, Root};
use super::operation::Operation;
use super::path::{FieldPath, Step};
use super::upcast::{self, Upcast};
use crate::written::line_and_column;
pub(crate) use projection::parse as parse_projection;
pub(crate) use rules::Rule;

/// Largest file of a model, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;

/// How the events of one category become its state.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) category: String,
    pub(crate) title: Option<String>,
    pub(crate) handlers: BTreeMap<String, Handler>,
    pub(crate) who: Who,
    /// Steps from one schema version to the next, by type.
    pub(crate) upcasts: BTreeMap<String, Vec<Upcast>>,
    /// Of a projection: the models of categories whose upcasters its inputs go through first.
    pub(crate) of_categories: BTreeMap<String, std::sync::Arc<super::Model>>,
    /// When an event counts, where that is not when it happened.
    pub(crate) time: Option<Expression>,
    /// The author's own name for this edition.
    pub(crate) version: Option<String>,
    /// What must hold before an event may happen.
    pub(crate) rules: Vec<Rule>,
    /// Which fields are personal, and whose.
    pub(crate) personal: Option<Personal>,
}

/// Which fields of the category's events are personal data, and whose.
#[derive(Debug)]
pub(crate) struct Personal {
    /// Tells whose data an event holds; reads the event alone.
    pub(crate) subject: Expression,
    /// Fields of the payload.
    pub(crate) data: Vec<FieldPath>,
    /// Fields of the context.
    pub(crate) metadata: Vec<FieldPath>,
}

/// Where the category's events say who did them and why, where that is not the usual place.
#[derive(Debug, Default)]
pub(crate) struct Who {
    pub(crate) actor: Option<Expression>,
    pub(crate) reason: Option<Expression>,
}

/// What an event of one type does.
#[derive(Debug)]
pub(crate) struct Handler {
    /// It does nothing where this is false.
    pub(crate) guard: Option<Expression>,
    /// A list: the lines that read `item` are done for each of its elements, the others once before.
    pub(crate) each: Option<Expression>,
    /// In the order written.
    pub(crate) actions: Vec<Action>,
    /// The fields of the payload that it reads, where it does not read the payload whole.
    pub(crate) data_fields: Option<Vec<String>>,
    /// The event's own fields that it reads, where these are known.
    pub(crate) event_fields: Option<Vec<String>>,
}

/// One line of a handler.
#[derive(Debug)]
pub(crate) struct Action {
    /// The field, as far as it is known without an event.
    pub(crate) path: FieldPath,
    /// The steps after it, from the first that is computed on.
    pub(crate) tail: Vec<TailStep>,
    pub(crate) operation: Operation,
    pub(crate) expression: Expression,
}

/// A step of a field after the first one that is computed.
#[derive(Debug)]
pub(crate) enum TailStep {
    Written(Step),
    /// The name is the value of this: `products[item.sku]`.
    Computed(Expression),
}

impl Action {
    /// Its expression, and those of its field.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let tail = self.tail.iter().filter_map(|step| match step {
            TailStep::Written(_) => None,
            TailStep::Computed(expression) => Some(expression),
        });
        tail.chain([&self.expression])
    }

    /// Whether it reads the element that a handler is done for.
    pub(crate) fn reads_item(&self) -> bool {
        self.expressions()
            .any(|expression| expression.reads(Root::Item))
    }
}

impl Handler {
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let alone = self.guard.iter().chain(&self.each);
        alone.chain(self.actions.iter().flat_map(Action::expressions))
    }

    /// Whether a line asks about each element of a list that it takes elements out of.
    pub(crate) fn looks_through(&self, action: &Action) -> bool {
        self.each.is_none() && action.expression.reads(Root::Item)
    }

    /// Whether any of its expressions reads this.
    pub(crate) fn reads(&self, root: Root) -> bool {
        self.expressions().any(|expression| expression.reads(root))
    }
}

/// Reads and checks a definition.
pub(crate) fn parse(name: &str, text: &str) -> Result<Definition, ModelError> {
    let file = File { name, text };
    let table = file.table()?;
    let mut category = None;
    let mut title = None;
    let mut handlers = BTreeMap::new();
    let mut who = Who::default();
    let mut upcasts = BTreeMap::new();
    let mut time = None;
    let mut version = None;
    let mut rules = Vec::new();
    let mut personal = None;
    for (key, value) in in_order(table.get_ref()) {
        match key.get_ref().as_ref() {
            "category" => category = Some(file.string(value, "category")?.to_owned()),
            "name" => title = Some(file.string(value, "name")?.to_owned()),
            "description" => {
                file.string(value, "description")?;
            }
            "on" => handlers = file.handlers(value)?,
            "who" => who = file.who(value)?,
            "upcast" => upcasts = file.upcasts(value)?,
            "time" => time = Some(file.of_the_event(value, "time")?),
            "version" => version = Some(file.version(value)?),
            "rules" => rules = file.rules(value)?,
            "personal" => personal = Some(file.personal(value)?),
            other => {
                return Err(file.error(
                    key.span().start,
                    format!(
                        "unknown key `{other}`: a model has category, name, version, description, time, [who], [[rules]], [personal], [upcast.EventType] and [on.EventType]"
                    ),
                ));
            }
        }
    }
    let Some(category) = category.filter(|category| !category.is_empty()) else {
        return Err(file.error(
            0,
            "the category is missing: write for example category = \"order\"".to_owned(),
        ));
    };
    let holds_nothing = handlers.is_empty()
        && upcasts.is_empty()
        && time.is_none()
        && rules.is_empty()
        && personal.is_none();
    if holds_nothing {
        return Err(file.error(
            0,
            "there is no handler: write for example [on.OrderPlaced]".to_owned(),
        ));
    }
    Ok(Definition {
        category,
        title,
        handlers,
        who,
        upcasts,
        of_categories: BTreeMap::new(),
        time,
        version,
        rules,
        personal,
    })
}

/// The category that a text names, whatever else is wrong with it; `None` if that is not sure.
pub(crate) fn category_in(text: &str) -> Option<String> {
    if text.len() > MAX_FILE_BYTES {
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let (_, value) = table
        .get_ref()
        .iter()
        .find(|(key, _)| key.get_ref() == "category")?;
    // A fault on the same line may have cut the text short.
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end);
    let line = value.span().start..=line_end(value.span().end.min(text.len()));
    let at_fault =
        |error: &toml::de::Error| error.span().is_none_or(|span| line.contains(&span.start));
    if errors.iter().any(at_fault) {
        return None;
    }
    let category = value.get_ref().as_str()?;
    (!category.is_empty()).then(|| category.to_owned())
}

type Entry<'t, 'i> = (
    &'t Spanned<std::borrow::Cow<'i, str>>,
    &'t Spanned<DeValue<'i>>,
);

/// The entries of a table as they stand in the file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<Entry<'t, 'i>> {
    let mut entries: Vec<Entry> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// The file being read, for its errors.
struct File<'f> {
    name: &'f str,
    text: &'f str,
}

impl<'f> File<'f> {
    /// The whole file as a table.
    fn table(&self) -> Result<Spanned<DeTable<'f>>, ModelError> {
        if self.text.len() > MAX_FILE_BYTES {
            return Err(self.error(0, format!("a model is at most {MAX_FILE_BYTES} bytes long")));
        }
        DeTable::parse(self.text).map_err(|error| {
            self.error(
                error.span().map_or(0, |span| span.start),
                format!("this is not TOML: {}", error.message()),
            )
        })
    }
}

impl File<'_> {
    fn error(&self, at: usize, message: String) -> ModelError {
        let (line, column) = line_and_column(self.text, at);
        ModelError {
            name: self.name.to_owned(),
            line,
            column,
            message,
        }
    }

    fn string<'v>(
        &self,
        value: &'v Spanned<DeValue<'_>>,
        what: &str,
    ) -> Result<&'v str, ModelError> {
        value.get_ref().as_str().ok_or_else(|| {
            self.error(
                value.span().start,
                format!(
                    "{what} is text in quotes, not {}",
                    value.get_ref().type_str()
                ),
            )
        })
    }

    fn handlers(
        &self,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, Handler>, ModelError> {
        let DeValue::Table(types) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                "`on` holds tables: write [on.EventType]".to_owned(),
            ));
        };
        let mut handlers = BTreeMap::new();
        for (key, value) in in_order(types) {
            let event_type = key.get_ref().to_string();
            let DeValue::Table(fields) = value.get_ref() else {
                return Err(self.error(
                    key.span().start,
                    format!("[on.{event_type}] is a table of fields and their expressions"),
                ));
            };
            let mut handler = Handler {
                guard: None,
                each: None,
                actions: Vec::new(),
                data_fields: None,
                event_fields: None,
            };
            let each = fields.iter().find(|(key, _)| key.get_ref() == "each");
            if let Some((_, each)) = each.filter(|(_, each)| each.get_ref().is_str()) {
                handler.each = Some(self.each(each)?);
            }
            self.fields(fields, &[], &mut handler)?;
            let fields_of = |root| {
                let mut fields = Vec::new();
                let mut expressions = handler.expressions();
                let known = expressions.all(|expression| expression.fields_of(root, &mut fields));
                known.then_some(fields)
            };
            (handler.data_fields, handler.event_fields) =
                (fields_of(Root::Data), fields_of(Root::Event));
            if handler.actions.is_empty() {
                return Err(self.error(
                    key.span().start,
                    format!("the handler of {event_type} sets no field"),
                ));
            }
            handlers.insert(event_type, handler);
        }
        Ok(handlers)
    }

    fn who(&self, value: &Spanned<DeValue<'_>>) -> Result<Who, ModelError> {
        let DeValue::Table(fields) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                "`who` is a table: write [who] and below it reason = \"data.reason\"".to_owned(),
            ));
        };
        let mut who = Who::default();
        for (key, value) in in_order(fields) {
            let place = match key.get_ref().as_ref() {
                "actor" => &mut who.actor,
                "reason" => &mut who.reason,
                other => {
                    return Err(self.error(
                        key.span().start,
                        format!("unknown key `{other}`: [who] has actor and reason"),
                    ));
                }
            };
            *place = Some(self.of_the_event(value, key.get_ref())?);
        }
        Ok(who)
    }

    /// Reads `[personal]`: whose data it is, and which fields are personal.
    fn personal(&self, value: &Spanned<DeValue<'_>>) -> Result<Personal, ModelError> {
        let DeValue::Table(fields) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                "`personal` is a table: write [personal] and below it subject = \"data.customerId\""
                    .to_owned(),
            ));
        };
        let (mut subject, mut data, mut metadata) = (None, Vec::new(), Vec::new());
        for (key, value) in in_order(fields) {
            match key.get_ref().as_ref() {
                "subject" => subject = Some(self.of_the_event(value, "subject")?),
                "data" => data = self.personal_fields(value, "data")?,
                "metadata" => metadata = self.personal_fields(value, "metadata")?,
                other => {
                    return Err(self.error(
                        key.span().start,
                        format!("unknown key `{other}`: [personal] has subject, data and metadata"),
                    ));
                }
            }
        }
        let Some(subject) = subject else {
            return Err(self.error(
                value.span().start,
                "[personal] does not say whose data it is: write subject = \"data.customerId\""
                    .to_owned(),
            ));
        };
        if data.is_empty() && metadata.is_empty() {
            return Err(self.error(
                value.span().start,
                "[personal] names no field: write data = [\"name\", \"email\"]".to_owned(),
            ));
        }
        Ok(Personal {
            subject,
            data,
            metadata,
        })
    }

    fn personal_fields(
        &self,
        value: &Spanned<DeValue<'_>>,
        what: &str,
    ) -> Result<Vec<FieldPath>, ModelError> {
        let DeValue::Array(paths) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                format!("`{what}` is a list of fields: {what} = [\"name\", \"address.street\"]"),
            ));
        };
        let paths = paths.iter().map(|path| {
            let written = self.string(path, "a field")?;
            self.path(written, path.span().start)
        });
        paths.collect()
    }

    /// An expression that reads the event alone.
    fn of_the_event(
        &self,
        value: &Spanned<DeValue<'_>>,
        field: &str,
    ) -> Result<Expression, ModelError> {
        let expression = self.expression(value, field)?;
        if expression.reads(Root::State) || expression.reads(Root::Item) {
            return Err(self.error(
                value.span().start,
                format!("`{field}` reads the event alone: data, meta and event"),
            ));
        }
        Ok(expression)
    }

    /// A text in quotes, or a whole number.
    fn version(&self, value: &Spanned<DeValue<'_>>) -> Result<String, ModelError> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            DeValue::Integer(number) => Ok(number.to_string()),
            _ => Err(self.error(
                value.span().start,
                "a version is a whole number or text in quotes".to_owned(),
            )),
        }
    }

    /// Reads `[upcast.OrderPlaced]`, or several `[[upcast.OrderPlaced]]`.
    fn upcasts(
        &self,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, Vec<Upcast>>, ModelError> {
        let DeValue::Table(types) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                "`upcast` holds tables: write [upcast.EventType]".to_owned(),
            ));
        };
        let mut upcasts = BTreeMap::new();
        for (key, value) in in_order(types) {
            let one = [value];
            let tables: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
                DeValue::Array(tables) => tables.iter().collect(),
                _ => one.to_vec(),
            };
            let mut steps = Vec::new();
            let mut places = Vec::new();
            for table in tables {
                places.push(self.place_of_step(table, key));
                steps.push(self.upcast(table, key)?);
            }
            upcast::check_chain(&steps).map_err(|(at, message)| {
                let place = places.get(at).copied().unwrap_or_default();
                self.error(place, format!("upcast.{}: {message}", key.get_ref()))
            })?;
            upcasts.insert(key.get_ref().to_string(), steps);
        }
        Ok(upcasts)
    }

    /// Where a step stands: at its `to`, else at its type.
    fn place_of_step(
        &self,
        table: &Spanned<DeValue<'_>>,
        key: &Spanned<std::borrow::Cow<'_, str>>,
    ) -> usize {
        let to = match table.get_ref() {
            DeValue::Table(fields) => fields.iter().find(|(name, _)| name.get_ref() == "to"),
            _ => None,
        };
        to.map_or(key.span().start, |(name, _)| name.span().start)
    }

    fn upcast(
        &self,
        table: &Spanned<DeValue<'_>>,
        key: &Spanned<std::borrow::Cow<'_, str>>,
    ) -> Result<Upcast, ModelError> {
        let event_type = key.get_ref();
        let DeValue::Table(fields) = table.get_ref() else {
            return Err(self.error(
                table.span().start,
                format!("[upcast.{event_type}] is a table with from, to and what changes"),
            ));
        };
        let mut from = None;
        let mut to = None;
        let mut step = Upcast {
            from: None,
            to: String::new(),
            rename: Vec::new(),
            default: Vec::new(),
            compute: Vec::new(),
            remove: Vec::new(),
        };
        for (name, value) in in_order(fields) {
            match name.get_ref().as_ref() {
                "from" => from = Some(self.version(value)?),
                "to" => to = Some(self.version(value)?),
                "rename" => {
                    for (old, new) in self.entries(value, "rename")? {
                        let new = self.path(self.string(new, "the new name")?, new.span().start)?;
                        step.rename.push((old, new));
                    }
                }
                "default" => step.default = self.computed(value, "default")?,
                "compute" => step.compute = self.computed(value, "compute")?,
                "remove" => {
                    let DeValue::Array(paths) = value.get_ref() else {
                        return Err(self.error(
                            value.span().start,
                            "`remove` is a list of fields: remove = [\"old\"]".to_owned(),
                        ));
                    };
                    for path in paths {
                        let written = self.string(path, "a field")?;
                        step.remove.push(self.path(written, path.span().start)?);
                    }
                }
                other => {
                    return Err(self.error(
                        name.span().start,
                        format!(
                            "unknown key `{other}`: a step has from, to, rename, default, compute and remove"
                        ),
                    ));
                }
            }
        }
        step.from = from;
        step.to = to.ok_or_else(|| {
            self.error(
                key.span().start,
                format!("the step of {event_type} does not say `to` which schema version it leads"),
            )
        })?;
        Ok(step)
    }

    /// The entries of a table of fields.
    fn entries<'v, 'i>(
        &self,
        value: &'v Spanned<DeValue<'i>>,
        what: &str,
    ) -> Result<Vec<(FieldPath, &'v Spanned<DeValue<'i>>)>, ModelError> {
        let DeValue::Table(fields) = value.get_ref() else {
            return Err(self.error(
                value.span().start,
                format!("`{what}` is a table: {what} = {{ field = … }}"),
            ));
        };
        in_order(fields)
            .into_iter()
            .map(|(key, value)| Ok((self.path(key.get_ref(), key.span().start)?, value)))
            .collect()
    }

    fn computed(
        &self,
        value: &Spanned<DeValue<'_>>,
        what: &str,
    ) -> Result<Vec<(FieldPath, Expression)>, ModelError> {
        self.entries(value, what)?
            .into_iter()
            .map(|(path, value)| {
                let name = path.to_string();
                Ok((path, self.of_the_event(value, &name)?))
            })
            .collect()
    }

    /// Reads the lines of a handler; a dotted key is a table inside a table.
    fn fields(
        &self,
        table: &DeTable<'_>,
        outer: &[Step],
        handler: &mut Handler,
    ) -> Result<(), ModelError> {
        for (key, value) in in_order(table) {
            let written = key.get_ref().as_ref();
            let at = key.span().start;
            if let DeValue::Table(inner) = value.get_ref() {
                let mut steps = outer.to_vec();
                steps.extend(self.path(written, at)?.0);
                self.fields(inner, &steps, handler)?;
                continue;
            }
            if outer.is_empty() && written == "when" {
                let guard = self.expression(value, "when")?;
                self.no_item(handler, &guard, value.span().start)?;
                handler.guard = Some(guard);
                continue;
            }
            if outer.is_empty() && written == "each" && handler.each.is_some() {
                continue;
            }
            let mut steps = outer.to_vec();
            let (inner, computed) = self.field(written, key)?;
            steps.extend(inner.0);
            let (path, operation) = self.split(steps, at)?;
            let expression = self.expression(value, written)?;
            if operation != Operation::Remove {
                self.no_item(handler, &expression, value.span().start)?;
            }
            for computed in &computed {
                self.no_item(handler, computed, at)?;
            }
            let (path, tail) = with_computed(path, computed);
            handler.actions.push(Action {
                path,
                tail,
                operation,
                expression,
            });
        }
        Ok(())
    }

    /// Reads `each`: the list whose elements a handler is done for.
    fn each(&self, value: &Spanned<DeValue<'_>>) -> Result<Expression, ModelError> {
        let each = self.expression(value, "each")?;
        if each.reads(Root::Item) {
            return Err(self.error(
                value.span().start,
                "`item` is an element of the list that `each` names; there is none here".to_owned(),
            ));
        }
        Ok(each)
    }

    /// Refuses `item` where there is none.
    fn no_item(
        &self,
        handler: &Handler,
        expression: &Expression,
        at: usize,
    ) -> Result<(), ModelError> {
        if handler.each.is_none() && expression.reads(Root::Item) {
            return Err(self.error(
                at,
                "`item` is an element of the list that `remove` looks through; there is none here (each = \"data.items\" does a handler for each element)"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Reads a field that may have computed names: `products[item.sku].units`. Each of these stands in the path as a
    /// name that no field has.
    fn field(
        &self,
        written: &str,
        key: &Spanned<std::borrow::Cow<'_, str>>,
    ) -> Result<(FieldPath, Vec<Expression>), ModelError> {
        let at = key.span().start;
        let mut plain = String::with_capacity(written.len());
        let mut computed = Vec::new();
        let mut rest = written;
        while let Some(open) = rest.find('[') {
            let inside = &rest[open + 1..];
            let Some(close) = closing(inside) else { break };
            let text = &inside[..close];
            let is_written = text.is_empty()
                || text.starts_with(['"', '\''])
                || text.bytes().all(|b| b.is_ascii_digit());
            if is_written {
                plain.push_str(&rest[..=open + 1 + close]);
            } else {
                let expression = Expression::parse(text).map_err(|error| {
                    self.error(at, format!("in the name [{text}]: {}", error.message))
                })?;
                plain.push_str(&rest[..open]);
                plain.push_str(&format!("[\"{COMPUTED}{}\"]", computed.len()));
                computed.push(expression);
            }
            rest = &inside[close + 1..];
        }
        plain.push_str(rest);
        if computed.is_empty() {
            return Ok((self.path(written, at)?, computed));
        }
        Ok((self.path(&plain, at)?, computed))
    }

    fn path(&self, written: &str, at: usize) -> Result<FieldPath, ModelError> {
        let path: FieldPath = written
            .parse()
            .map_err(|error: super::PathError| self.error(at, error.to_string()))?;
        if path.0.is_empty() {
            return Err(self.error(at, "a field has a name".to_owned()));
        }
        Ok(path)
    }

    /// Takes the operation off the end of a field. The only name, or the name before `.set`, is never one.
    fn split(&self, mut steps: Vec<Step>, at: usize) -> Result<(FieldPath, Operation), ModelError> {
        let last = match steps.last() {
            Some(Step::Key(name)) if steps.len() > 1 => name.clone(),
            _ => return Ok((FieldPath(steps), Operation::Set)),
        };
        if let Some(operation) = Operation::of(&last) {
            steps.pop();
            return Ok((FieldPath(steps), operation));
        }
        if let Some(meant) = meant(&last) {
            let names: Vec<&str> = Operation::ALL.iter().map(|op| op.name()).collect();
            return Err(self.error(
                at,
                format!(
                    "unknown operation `{last}`, did you mean `{}`? There is {}. \
                     (A field of that name is written \"{}.set\".)",
                    meant.name(),
                    names.join(", "),
                    FieldPath(steps)
                ),
            ));
        }
        Ok((FieldPath(steps), Operation::Set))
    }

    fn expression(
        &self,
        value: &Spanned<DeValue<'_>>,
        field: &str,
    ) -> Result<Expression, ModelError> {
        let span = value.span();
        let DeValue::String(text) = value.get_ref() else {
            return Err(self.error(
                span.start,
                format!(
                    "`{field}` is an expression in quotes, for example {field} = \"{}\"",
                    self.text.get(span).unwrap_or("data.field").trim()
                ),
            ));
        };
        Expression::parse(text).map_err(|error| {
            let raw = self.text.get(span.clone()).unwrap_or_default();
            let inside = char_offsets(raw)
                .filter(|offsets| offsets.len() == text.chars().count() + 1)
                .map_or(0, |offsets| offsets[error.at.min(offsets.len() - 1)]);
            self.error(span.start + inside, error.message)
        })
    }
}

/// Begins the name that stands for a computed one while a field is read.
const COMPUTED: &str = "\u{e000}computed ";

/// Where the bracket closes that was opened before the text, passing over quotes and brackets inside.
fn closing(text: &str) -> Option<usize> {
    let mut deep = 0usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => deep += 1,
            (None, ']') if deep == 0 => return Some(at),
            (None, ']') => deep -= 1,
            _ => {}
        }
    }
    None
}

/// Takes a field apart where its first computed name stands.
fn with_computed(path: FieldPath, computed: Vec<Expression>) -> (FieldPath, Vec<TailStep>) {
    let is_computed = |step: &Step| matches!(step, Step::Key(key) if key.starts_with(COMPUTED));
    let mut steps = path.0;
    let Some(first) = steps.iter().position(is_computed) else {
        return (FieldPath(steps), Vec::new());
    };
    let mut computed = computed.into_iter();
    let tail = steps
        .split_off(first)
        .into_iter()
        .map(
            |step| match is_computed(&step).then(|| computed.next()).flatten() {
                Some(expression) => TailStep::Computed(expression),
                None => TailStep::Written(step),
            },
        )
        .collect();
    (FieldPath(steps), tail)
}

/// The operation that a name comes close to, or is another word for.
fn meant(name: &str) -> Option<Operation> {
    let lower = name.to_lowercase();
    let synonym = match lower.as_str() {
        "increment" | "inc" | "plus" | "sum" | "addto" | "increase" => Some(Operation::Add),
        "decrement" | "dec" | "minus" | "subtract" | "decrease" => Some(Operation::Sub),
        "append" | "addtoset" | "concat" => Some(Operation::Push),
        "delete" | "pull" | "drop" => Some(Operation::Remove),
        "insert" | "upsert" | "merge" => Some(Operation::Put),
        "assign" | "replace" => Some(Operation::Set),
        _ => None,
    };
    synonym.or_else(|| {
        Operation::ALL
            .into_iter()
            .find(|op| op.name().len() > 2 && one_letter_off(&lower, op.name()))
    })
}

/// Whether one letter more, less, other or swapped makes one word of the other.
fn one_letter_off(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same_before = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same_before..], &b[same_before..]);
    let same_after = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (a, b) = (&a[..a.len() - same_after], &b[..b.len() - same_after]);
    match (a, b) {
        ([x, y], [z, w]) => x == w && y == z,
        _ => a.len() <= 1 && b.len() <= 1,
    }
}

/// For each character of a TOML string, its byte in the raw text with the quotes, and the end.
fn char_offsets(raw: &str) -> Option<Vec<usize>> {
    let (quote, body) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find_map(|quote| Some((quote, raw.strip_prefix(quote)?.strip_suffix(quote)?)))?;
    let start = quote.len();
    let escapes = quote.starts_with('"');
    let skipped = if quote.len() == 3 {
        if body.starts_with("\r\n") {
            2
        } else {
            usize::from(body.starts_with('\n'))
        }
    } else {
        0
    };
    let mut offsets = Vec::new();
    let mut chars = body[skipped..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let offset = start + skipped + at;
        if c != '\\' || !escapes {
            offsets.push(offset);
            continue;
        }
        match chars.next()?.1 {
            'u' => drop(chars.nth(3)),
            'U' => drop(chars.nth(7)),
            'x' => drop(chars.nth(1)),
            // A backslash at the end of a line joins it with the next word.
            c if c.is_whitespace() => {
                while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                continue;
            }
            _ => {}
        }
        offsets.push(offset);
    }
    offsets.push(start + body.len());
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, usize, String) {
        let ModelError {
            line,
            column,
            message,
            ..
        } = parse("order", text).unwrap_err();
        (line, column, message)
    }

    #[test]
    fn a_definition_is_read_in_the_order_written() {
        let definition = parse(
            "order",
            "category = \"order\"\ndescription = \"x\"\n[on.OrderPlaced]\nstatus = \"'Placed'\"\n\
             when = \"data.ok\"\n\"items.push\" = \"data\"\naddress.city = \"data.city\"\n\
             total.add = \"data.price * data.quantity\"\nadd = \"1\"\n\"when.set\" = \"event.time\"\n\
             'case[\"concept:name\"]' = \"1\"\n[on.\"SRM: Created\"]\nstatus = \"'x'\"\n",
        )
        .unwrap();
        let handler = &definition.handlers["OrderPlaced"];
        let lines: Vec<_> = handler
            .actions
            .iter()
            .map(|a| (a.path.to_string(), a.operation))
            .collect();
        use Operation::*;
        assert_eq!(
            lines,
            [
                ("status".to_owned(), Set),
                ("items".to_owned(), Push),
                ("address.city".to_owned(), Set),
                ("total".to_owned(), Add),
                ("add".to_owned(), Set),
                ("when".to_owned(), Set),
                ("case[\"concept:name\"]".to_owned(), Set),
            ]
        );
        assert!(handler.guard.is_some() && handler.reads(Root::Event));
        assert!(definition.handlers.contains_key("SRM: Created"));
    }

    #[test]
    fn errors_say_line_column_and_what_to_do() {
        let head = "category = \"order\"\n[on.A]\n";
        for (body, line, column, message) in [
            ("x = ", 3, 5, "this is not TOML"),
            (
                "x = \"1\"\nx = \"2\"",
                4,
                1,
                "this is not TOML: duplicate key",
            ),
            (
                "\"total.ad\" = \"1\"",
                3,
                1,
                "unknown operation `ad`, did you mean `add`? There is set, add, sub, push, remove, put, unset.",
            ),
            (
                "\"items.append\" = \"1\"",
                3,
                1,
                "unknown operation `append`, did you mean `push`?",
            ),
            (
                "x = \"data.a + dta.b\"",
                3,
                15,
                "there is no variable `dta`",
            ),
            (
                "x = \"'\\u00e9\\\"' + dta\"",
                3,
                19,
                "there is no variable `dta`",
            ),
            ("x = '''\n  data.a\n  + é'''", 5, 5, "unexpected 'é'"),
            ("x = 'data.a +'", 3, 14, ""),
            (
                "x = 12",
                3,
                5,
                "`x` is an expression in quotes, for example x = \"12\"",
            ),
            ("\"a b\" = \"1\"", 3, 1, "\"a b\" is no path"),
            ("", 2, 5, "the handler of A sets no field"),
            ("when = \"true\"", 2, 5, "the handler of A sets no field"),
            ("x = \"item\"", 3, 5, "`item` is an element"),
        ] {
            let (l, c, m) = error(&format!("{head}{body}"));
            assert_eq!((l, c), (line, column), "{body}: {m}");
            assert!(m.starts_with(message), "{body}: {m}");
        }
        assert_eq!(
            error("colour = \"red\"").2.split(':').next(),
            Some("unknown key `colour`")
        );
        assert_eq!(error("[on.A]\nx = \"1\"").0, 1);
        assert!(
            error("category = \"a\"")
                .2
                .starts_with("there is no handler")
        );
        assert!(
            error("category = \"a\"\non = 1")
                .2
                .starts_with("`on` holds tables")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(body in "[ -~\\n\"'\\\\é=.]{0,60}") {
            let _ = parse("x", &body);
            let _ = parse("x", &format!("category = \"a\"\n[on.A]\n{body}"));
            let _ = parse("x", &format!("category = \"a\"\n[on.A]\nx = \"{body}\""));
        }
    }
}
