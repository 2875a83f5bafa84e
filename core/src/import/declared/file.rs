//! A mapping as a TOML file: read with the place of what is wrong, written so that a person can go on with it.

use std::fmt::Write as _;

use super::template::Template;
use super::{
    ChangeMapping, ColumnKind, ColumnMapping, ColumnTarget, EventMapping, Mapping, Reshape,
};
use crate::time::parse_zone;
use crate::written::line_and_column;

/// What is wrong with a mapping, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}")]
pub struct MappingError {
    /// The file, as the user named it; or what else the mapping came from.
    pub name: String,
    /// Line, first is 1.
    pub line: u64,
    /// Column in characters, first is 1.
    pub column: u64,
    /// What is wrong and what to do.
    pub message: String,
}

impl MappingError {
    /// Something wrong at a byte of the text.
    pub(in crate::import) fn at(
        name: &str,
        text: &str,
        at: usize,
        message: String,
    ) -> MappingError {
        let (line, column) = line_and_column(text, at);
        MappingError {
            name: name.to_owned(),
            line: line as u64,
            column: column as u64,
            message,
        }
    }
}

impl Mapping {
    /// Reads a mapping from TOML. `name` is what errors call it.
    ///
    /// # Errors
    /// [`MappingError`] with line and column: no TOML, an unknown key, a template that cannot be read, an
    /// unknown zone, a column listed twice.
    ///
    /// ```
    /// use annals_core::import::Mapping;
    /// let mapping = Mapping::from_toml("orders.toml", "[event]\nstream = \"order-{id}\"\n").unwrap();
    /// assert_eq!(mapping.event.stream.as_deref(), Some("order-{id}"));
    /// let wrong = Mapping::from_toml("orders.toml", "[event]\nstream = \"order-{id\"\n").unwrap_err();
    /// assert_eq!((wrong.line, wrong.column), (2, 1));
    /// ```
    pub fn from_toml(name: &str, text: &str) -> Result<Mapping, MappingError> {
        let error = |at, message| MappingError::at(name, text, at, message);
        let mapping: Mapping = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            error(at, format!("{}; see docs/mapping.md", e.message().trim()))
        })?;
        mapping.check().map_err(
            |Wrong {
                 table,
                 key,
                 message,
             }| error(place(text, table, &key), message),
        )?;
        Ok(mapping)
    }

    /// Checks what its types do not.
    pub(in crate::import) fn check(&self) -> Result<(), Wrong> {
        let top = |key: &str, message: String| {
            Err(Wrong {
                table: "",
                key: key.to_owned(),
                message,
            })
        };
        if let Some(delimiter) = &self.delimiter
            && !matches!(delimiter.as_bytes(), [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0))
        {
            return top(
                "delimiter",
                format!(
                    "the delimiter {delimiter:?} is not one ASCII character; such are \",\", \";\", \"|\" and \"\\t\""
                ),
            );
        }
        if let Some(zone) = &self.zone
            && let Err(e) = parse_zone(zone)
        {
            return top("zone", e.to_string());
        }
        if let Some(format) = &self.time_format
            && let Err(message) = super::clock::Clock::parse(format)
        {
            return top("time_format", message);
        }
        for (key, template) in self.event.places() {
            if let Some(template) = template
                && let Err(message) = Template::choices(template)
            {
                return Err(Wrong {
                    table: "event",
                    key: key.to_owned(),
                    message,
                });
            }
        }
        for (i, column) in self.columns.iter().enumerate() {
            if self.columns[..i].iter().any(|c| c.name == column.name) {
                return top(
                    "columns",
                    format!("the column {:?} is listed twice", column.name),
                );
            }
        }
        Ok(())
    }

    /// Writes the mapping as TOML that [`Mapping::from_toml`] reads back to the same.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Mapping {
            encoding,
            delimiter,
            header,
            decimal_comma,
            null,
            zone,
            time_format,
            records,
            inside,
            types,
            event,
            reshape,
            change,
            columns,
        } = self;
        let mut out = String::from("# How the rows of a table become events.\n");
        let words = |words: &Vec<String>| {
            let words: Vec<String> = words.iter().map(|w| text(w)).collect();
            format!("[{}]", words.join(", "))
        };
        let mut line = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(out, "{key} = {value}");
            }
        };
        line("encoding", encoding.map(|e| text(e.name())));
        line("delimiter", delimiter.as_deref().map(text));
        line("header", header.map(|h| h.to_string()));
        line("decimal_comma", decimal_comma.map(|d| d.to_string()));
        line("null", null.as_ref().map(words));
        line("zone", zone.as_deref().map(text));
        line("time_format", time_format.as_deref().map(text));
        line("records", records.as_deref().map(text));
        line("inside", inside.as_deref().map(text));
        let pairs = types
            .iter()
            .map(|(from, to)| format!("{} = {}", text(from), text(to)));
        let pairs: Vec<String> = pairs.collect();
        line(
            "types",
            (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", "))),
        );
        let shapes: Vec<String> = reshape
            .iter()
            .map(|shape| match shape {
                Reshape::NewestFirst => "newest_first".to_owned(),
                Reshape::Dynamodb => "dynamodb".to_owned(),
                Reshape::JsonInText => "json_in_text".to_owned(),
            })
            .collect();
        line("reshape", (!shapes.is_empty()).then(|| words(&shapes)));
        if let Some(ChangeMapping {
            before,
            after,
            deletes,
            creates,
            lists,
        }) = change
        {
            line("change.before", before.as_deref().map(text));
            line("change.after", after.as_deref().map(text));
            line("change.deletes", Some(words(deletes)));
            line("change.creates", Some(words(creates)));
            line("change.lists", Some(words(lists)));
        }
        // The columns come before the first table header, where TOML wants plain keys.
        if !columns.is_empty() {
            out.push_str("columns = [\n");
            for ColumnMapping { name, into, kind } in columns {
                let into = match into {
                    ColumnTarget::Data => "data",
                    ColumnTarget::Metadata => "metadata",
                    ColumnTarget::None => "none",
                };
                let kind = match kind {
                    ColumnKind::Text => "text",
                    ColumnKind::Number => "number",
                    ColumnKind::Boolean => "boolean",
                    ColumnKind::Json => "json",
                };
                let name = text(name);
                let _ = writeln!(
                    out,
                    "    {{ name = {name}, into = \"{into}\", kind = \"{kind}\" }},"
                );
            }
            out.push_str("]\n");
        }
        let places = event.places();
        if places.iter().any(|(_, template)| template.is_some()) {
            out.push_str("\n# {column} is the cell of that column; other text stands in every event.\n[event]\n");
        }
        for (key, template) in places {
            if let Some(template) = template {
                let _ = writeln!(out, "{key} = {}", text(template));
            }
        }
        out
    }

    /// This mapping, and `other` where it says nothing.
    pub(in crate::import) fn or(&self, other: &Mapping) -> Mapping {
        let own = self.clone();
        let theirs = other.clone();
        let EventMapping {
            stream,
            category,
            event_type,
            time,
            actor,
            id,
            correlation,
            causation,
            reason,
            version,
            position,
            recorded,
            data,
            metadata,
        } = own.event;
        let event = EventMapping {
            stream: stream.or(theirs.event.stream),
            category: category.or(theirs.event.category),
            event_type: event_type.or(theirs.event.event_type),
            time: time.or(theirs.event.time),
            actor: actor.or(theirs.event.actor),
            id: id.or(theirs.event.id),
            correlation: correlation.or(theirs.event.correlation),
            causation: causation.or(theirs.event.causation),
            reason: reason.or(theirs.event.reason),
            version: version.or(theirs.event.version),
            position: position.or(theirs.event.position),
            recorded: recorded.or(theirs.event.recorded),
            data: data.or(theirs.event.data),
            metadata: metadata.or(theirs.event.metadata),
        };
        let mut columns = theirs.columns;
        for column in own.columns {
            match columns.iter_mut().find(|c| c.name == column.name) {
                Some(guessed) => *guessed = column,
                None => columns.push(column),
            }
        }
        Mapping {
            encoding: own.encoding.or(theirs.encoding),
            delimiter: own.delimiter.or(theirs.delimiter),
            header: own.header.or(theirs.header),
            decimal_comma: own.decimal_comma.or(theirs.decimal_comma),
            null: own.null.or(theirs.null),
            zone: own.zone.or(theirs.zone),
            time_format: own.time_format.or(theirs.time_format),
            records: own.records.or(theirs.records),
            inside: own.inside.or(theirs.inside),
            types: match own.types.is_empty() {
                true => theirs.types,
                false => own.types,
            },
            reshape: match own.reshape.is_empty() {
                true => theirs.reshape,
                false => own.reshape,
            },
            change: own.change.or(theirs.change),
            event,
            columns,
        }
    }
}

/// What is wrong with a mapping, before it is known where that stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Wrong {
    /// Table that the key is in; empty at the top.
    pub table: &'static str,
    pub key: String,
    pub message: String,
}

/// Offset of a key in TOML text; of its beginning where it is not found on a line of its own.
fn place(text: &str, table: &str, key: &str) -> usize {
    let mut offset = 0;
    let mut current = String::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if let Some(name) = bare.strip_prefix('[') {
            current = name.trim_matches(['[', ']', ' ']).to_owned();
        }
        let indent = line.len() - line.trim_start().len();
        let dotted = format!("{table}.{key}");
        let found = |key: &str| {
            let rest = bare.strip_prefix(key);
            rest.is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        if (current == table && found(key)) || (current.is_empty() && found(&dotted)) {
            return offset + indent;
        }
        offset += line.len();
    }
    0
}

/// Text as a TOML string.
fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::encoding::Encoding;

    #[test]
    fn a_mapping_comes_back_from_its_own_toml() {
        let mapping = Mapping {
            encoding: Some(Encoding::Windows1252),
            delimiter: Some("\t".into()),
            header: Some(false),
            decimal_comma: Some(true),
            null: Some(vec![String::new(), "N/A \"x\"\n".into()]),
            zone: Some("Europe/Berlin".into()),
            records: Some("Records[] || items[]".into()),
            inside: Some("detail || message".into()),
            types: [("c \"x\"".to_owned(), "Created".to_owned())].into(),
            reshape: vec![Reshape::NewestFirst, Reshape::Dynamodb, Reshape::JsonInText],
            change: Some(ChangeMapping {
                before: Some("{before}".into()),
                deletes: vec!["Deleted".into()],
                ..ChangeMapping::default()
            }),
            time_format: Some("%d.%m.%Y %H:%M".into()),
            event: EventMapping {
                stream: Some("order-{id}".into()),
                event_type: Some("Moved".into()),
                actor: Some(String::new()),
                ..EventMapping::default()
            },
            columns: vec![ColumnMapping {
                name: "größe \"[x]\" = '".into(),
                into: ColumnTarget::Metadata,
                kind: ColumnKind::Number,
            }],
        };
        let toml = mapping.to_toml();
        assert_eq!(Mapping::from_toml("x", &toml), Ok(mapping), "{toml}");
        assert_eq!(
            Mapping::from_toml("x", &Mapping::default().to_toml()),
            Ok(Mapping::default())
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        for (toml, want) in [
            (
                "zone = \"Mars\"\n",
                "m.toml:1:1: unknown time zone \"Mars\"",
            ),
            (
                "\n[event]\n  time = \"{a\"\n",
                "m.toml:3:3: \"{a\" does not close",
            ),
            ("event.time = \"}\"\n", "m.toml:1:1: \"}\" closes a brace"),
            ("[event]\ntime = 5\n", "m.toml:2:8: invalid type"),
            (
                "[event]\nstreem = \"x\"\n",
                "m.toml:2:1: unknown field `streem`, expected one of `stream`",
            ),
            ("delimiter = \"::\"\n", "m.toml:1:1: the delimiter"),
            ("header = maybe\n", "m.toml:1:10:"),
            ("time_format = \"%Q\"\n", "m.toml:1:1: \"%Q\""),
            (
                "columns = [{name=\"a\"},{name=\"a\"}]\n",
                "m.toml:1:1: the column \"a\" is listed twice",
            ),
        ] {
            let error = Mapping::from_toml("m.toml", toml).unwrap_err().to_string();
            assert!(error.starts_with(want), "{toml:?}: {error}");
        }
    }
}
