//! A report template as a file: TOML, checked whole before it is used; every fault has its line and column.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use toml::Spanned;

use super::columns::{self, EventCol, ToldCol};
use super::raw::{
    RawChart, RawCheck, RawCheckKind, RawField, RawKeys, RawKind, RawNeed, RawSection, RawSetting,
    RawSource, RawSubject, RawTable, RawTemplate, RawTier,
};
use super::{
    AnswerRule, ChartRule, Check, Col, Dropped, Field, FieldRoot, Fills, KeyClass, NamedField,
    Need, Rule, SectionRule, Setting, SubjectRule, TableRule, TableSource, Template, Tier, Types,
};
use crate::compliance::report::{CellKind, Layout, TemplateOrigin, TemplateRef};
use crate::integrity::Hash;
use crate::model::{FieldPath, Step};
use crate::written::{line_and_column, wrong_and_right};

/// Largest file of a template, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;

/// Where a report template is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, ts_rs::TS)]
#[ts(export)]
#[error("{name}:{line}:{column}: {message}")]
pub struct TemplateError {
    /// File, as the user named it, or the template's name.
    pub name: String,
    /// Line in the file, first is 1.
    #[ts(type = "number")]
    pub line: usize,
    /// Column in characters, first is 1.
    #[ts(type = "number")]
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl Template {
    /// Reads and checks a template.
    ///
    /// # Errors
    /// [`TemplateError`] with the place of the first fault.
    ///
    /// ```
    /// use annals_core::compliance::Template;
    /// let error = Template::parse("mine", "titel = 'x'").unwrap_err();
    /// assert_eq!((error.line, error.column), (1, 1));
    /// assert!(error.message.contains("titel"));
    /// ```
    pub fn parse(name: &str, text: &str) -> Result<Template, TemplateError> {
        parse(name, text, TemplateOrigin::Own)
    }
}

/// Reads a template; says where it comes from.
pub(super) fn parse(
    name: &str,
    text: &str,
    origin: TemplateOrigin,
) -> Result<Template, TemplateError> {
    let file = File { name, text };
    if text.len() > MAX_FILE_BYTES {
        let message = format!("a report template is at most {MAX_FILE_BYTES} bytes long");
        return Err(file.error(0, message, "split it into two templates"));
    }
    let raw: RawTemplate = toml::from_str(text).map_err(|error| file.toml_error(&error))?;
    let reference = TemplateRef {
        name: name.to_owned(),
        version: file.filled(&raw.version, "version")?,
        hash: Hash(Sha256::digest(text.as_bytes()).into()),
        origin,
        own_layout: None,
    };
    file.template(raw, reference)
}

/// The file being read, for its errors.
struct File<'f> {
    name: &'f str,
    text: &'f str,
}

/// What the names in a file may refer to.
struct Known<'k> {
    fields: &'k [NamedField],
    settings: &'k BTreeMap<String, Setting>,
}

impl File<'_> {
    fn error(&self, at: usize, message: String, hint: &str) -> TemplateError {
        let (line, column) = line_and_column(self.text, at);
        TemplateError {
            name: self.name.to_owned(),
            line,
            column,
            message,
            hint: hint.to_owned(),
        }
    }

    /// A fault that the TOML reader found. Its own words list what would have been right.
    fn toml_error(&self, error: &toml::de::Error) -> TemplateError {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', " ");
        let (message, hint) = match wrong_and_right(&message) {
            Some((wrong, right)) => (wrong.to_owned(), format!("expected {right}")),
            None if message.starts_with("missing field") => (
                message,
                "docs/reports.md lists what a template must say; annals report list --text NAME prints one".to_owned(),
            ),
            None => (message, "docs/reports.md shows a whole template".to_owned()),
        };
        self.error(at, message, &hint)
    }

    fn filled(&self, text: &Spanned<String>, what: &str) -> Result<String, TemplateError> {
        match text.get_ref().trim().is_empty() {
            false => Ok(text.get_ref().clone()),
            true => Err(self.error(
                text.span().start,
                format!("{what} is empty"),
                &format!("write {what} = \"…\""),
            )),
        }
    }

    fn word(&self, text: &Spanned<String>, what: &str) -> Result<String, TemplateError> {
        let word = text.get_ref();
        let fits = word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        match fits {
            true => Ok(word.clone()),
            false => Err(self.error(
                text.span().start,
                format!("{word:?} is no name of a {what}"),
                "use small letters, digits and _, a letter first",
            )),
        }
    }

    fn template(
        &self,
        raw: RawTemplate,
        reference: TemplateRef,
    ) -> Result<Template, TemplateError> {
        let RawTemplate {
            version: _,
            title,
            regime,
            about,
            retention,
            layout,
            subject,
            subject_fields,
            needs,
            not_checked,
            totals,
            drop_keys,
            settings,
            fields,
            tiers,
            keys,
            checks,
            sections,
        } = raw;
        let settings = settings
            .into_iter()
            .map(|(name, setting)| Ok((name, self.setting(setting)?)))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        let fields = fields
            .into_iter()
            .map(|(id, field)| self.named_field(&id, field))
            .collect::<Result<Vec<_>, _>>()?;
        let known = Known {
            fields: &fields,
            settings: &settings,
        };
        let all = |fields: Vec<Spanned<String>>| {
            let read = fields.iter().map(|field| self.field(field));
            read.collect::<Result<Vec<_>, _>>()
        };
        let checks = self.unlike(checks, |check| &check.id, |check| self.check(check, &known))?;
        if sections.is_empty() {
            let hint = "write [[sections]] with id, title and a table";
            return Err(self.error(0, "there is no section".to_owned(), hint));
        }
        let sections = self.unlike(
            sections,
            |section| &section.id,
            |section| self.section(section, &known),
        )?;
        Ok(Template {
            reference,
            title: self.filled(&title, "title")?,
            regime: self.filled(&regime, "regime")?,
            about: self.filled(&about, "about")?,
            retention: self.filled(&retention, "retention")?,
            layout: self.layout(layout)?,
            own_layout: Vec::new(),
            subject: match subject {
                RawSubject::None => SubjectRule::None,
                RawSubject::Optional => SubjectRule::Optional,
                RawSubject::Required => SubjectRule::Required,
            },
            subject_fields: all(subject_fields)?,
            needs: needs
                .into_iter()
                .map(|need| match need {
                    RawNeed::Actor => Need::Actor,
                    RawNeed::Stream => Need::Stream,
                    RawNeed::Period => Need::Period,
                    RawNeed::At => Need::At,
                })
                .collect(),
            not_checked,
            totals: all(totals)?,
            dropped: Dropped {
                keys: drop_keys.iter().map(|key| plain(key)).collect(),
                written: drop_keys,
            },
            tiers: tiers
                .into_iter()
                .map(|tier| self.tier(tier))
                .collect::<Result<_, _>>()?,
            keys: keys
                .into_iter()
                .map(|RawKeys { class, keys }| {
                    Ok(KeyClass {
                        class: self.filled(&class, "class")?,
                        keys: keys.iter().map(|key| plain(key)).collect(),
                    })
                })
                .collect::<Result<_, TemplateError>>()?,
            settings,
            fields,
            checks,
            sections,
        })
    }

    fn layout(&self, name: Option<Spanned<String>>) -> Result<Layout, TemplateError> {
        let Some(name) = name else {
            return Ok(Layout::default());
        };
        let mut all = Layout::ALL.into_iter();
        all.find(|layout| layout.name() == name.get_ref())
            .ok_or_else(|| {
                let names = Layout::ALL.map(Layout::name).join(", ");
                self.error(
                    name.span().start,
                    format!("there is no layout {:?}", name.get_ref()),
                    &format!("write one of {names}"),
                )
            })
    }

    /// Reads a list whose members must have ids of their own.
    fn unlike<R, T>(
        &self,
        list: Vec<R>,
        id: impl Fn(&R) -> &Spanned<String>,
        read: impl Fn(R) -> Result<T, TemplateError>,
    ) -> Result<Vec<T>, TemplateError> {
        let mut seen: Vec<String> = Vec::new();
        let mut all = Vec::new();
        for raw in list {
            let id = id(&raw);
            if seen.contains(id.get_ref()) {
                return Err(self.error(
                    id.span().start,
                    format!("there is a second {:?}", id.get_ref()),
                    "give each an id of its own",
                ));
            }
            seen.push(id.get_ref().clone());
            all.push(read(raw)?);
        }
        Ok(all)
    }

    fn setting(&self, raw: RawSetting) -> Result<Setting, TemplateError> {
        let RawSetting {
            title,
            default,
            choices,
        } = raw;
        let at = default.span().start;
        let default = default.into_inner();
        if choices.is_empty() && default.parse::<u32>().is_err() {
            return Err(self.error(
                at,
                format!("{default:?} is no whole number, and there are no choices"),
                "write a number in quotes, or choices = [\"…\"]",
            ));
        }
        if !choices.is_empty() && !choices.contains(&default) {
            return Err(self.error(
                at,
                format!("{default:?} is none of the choices"),
                &format!("write one of {}", choices.join(", ")),
            ));
        }
        Ok(Setting {
            title,
            default,
            choices,
        })
    }

    fn named_field(
        &self,
        id: &Spanned<String>,
        raw: RawField,
    ) -> Result<NamedField, TemplateError> {
        let RawField { title, from, kind } = raw;
        let name = self.word(id, "field")?;
        if Col::known(&name).is_some() {
            return Err(self.error(
                id.span().start,
                format!("{name} is a column that every report knows"),
                "give the field another name",
            ));
        }
        if from.is_empty() {
            return Err(self.error(
                title.span().start,
                format!("field {name} is read from nowhere"),
                "write from = [\"data.…\"]",
            ));
        }
        Ok(NamedField {
            id: name,
            title: self.filled(&title, "title")?,
            from: from
                .iter()
                .map(|field| self.field(field))
                .collect::<Result<_, _>>()?,
            kind: match kind {
                RawKind::Text => CellKind::Text,
                RawKind::Name => CellKind::Name,
                RawKind::Number => CellKind::Number,
                RawKind::Value => CellKind::Value,
            },
        })
    }

    fn field(&self, text: &Spanned<String>) -> Result<Field, TemplateError> {
        let wrong = |why: String| {
            self.error(
                text.span().start,
                why,
                "write for example data.patientId or metadata[\"odd key\"]",
            )
        };
        let written = text.get_ref();
        let FieldPath(steps) = written
            .parse::<FieldPath>()
            .map_err(|error| wrong(error.to_string()))?;
        let (first, rest) = match steps.split_first() {
            Some((Step::Key(first), rest)) if !rest.is_empty() => (first.as_str(), rest),
            _ => return Err(wrong(format!("{written:?} names no field"))),
        };
        let root = match first {
            "data" => FieldRoot::Data,
            "metadata" => FieldRoot::Metadata,
            _ => {
                return Err(wrong(format!(
                    "{written:?} begins with neither data nor metadata"
                )));
            }
        };
        Ok(Field {
            text: written.clone(),
            root,
            path: FieldPath(rest.to_vec()),
        })
    }

    fn tier(&self, raw: RawTier) -> Result<Tier, TemplateError> {
        let RawTier { name, digits, text } = raw;
        if *digits.get_ref() > 9 {
            return Err(self.error(
                digits.span().start,
                "times are kept to the nanosecond".to_owned(),
                "write digits from 0 to 9",
            ));
        }
        Ok(Tier {
            name: self.filled(&name, "name")?,
            digits: digits.into_inner(),
            text,
        })
    }

    /// A column by its id; `told` are those that the table knows beside what every event has.
    fn col(
        &self,
        id: &Spanned<String>,
        known: &Known<'_>,
        events: bool,
        told: &[ToldCol],
    ) -> Result<Col, TemplateError> {
        let name = id.get_ref();
        let field = known.fields.iter().position(|field| field.id == *name);
        let col = Col::known(name).or(field.map(Col::Field));
        let fits = match col {
            Some(Col::Told(col)) => told.contains(&col),
            Some(Col::Event(_) | Col::Field(_)) => events,
            None => false,
        };
        match col {
            Some(col) if fits => Ok(col),
            _ => {
                let mut right = columns::told_ids(told).join(", ");
                if events {
                    columns::event_ids().for_each(|id| right.push_str(&format!(", {id}")));
                    let own = known.fields.iter();
                    own.for_each(|field| right.push_str(&format!(", {}", field.id)));
                }
                let right = right.trim_start_matches(", ");
                let what = match col {
                    None => format!("there is no column {name:?}"),
                    Some(_) => format!("this table has no column {name:?}"),
                };
                Err(self.error(
                    id.span().start,
                    what,
                    &format!(
                        "it has {}; a field of your own is declared as [fields.name]",
                        right
                    ),
                ))
            }
        }
    }

    fn check(&self, raw: RawCheck, known: &Known<'_>) -> Result<Check, TemplateError> {
        let RawCheck {
            id,
            title,
            kind,
            types,
            fields,
            prepare,
            approve,
            approver,
            number,
            setting,
            starts,
            ends,
            fills,
            remaining,
            filled,
            ordered,
        } = raw;
        let at = kind.span().start;
        let missing =
            |what: &str, hint: &str| Err(self.error(at, format!("this check needs {what}"), hint));
        let event_col = |id: &Spanned<String>| self.col(id, known, true, &[]);
        let approver = approver.as_ref().map(event_col).transpose()?;
        let rule = match kind.get_ref() {
            RawCheckKind::Recorded => {
                if fields.is_empty() {
                    return missing("fields", "write fields = [\"who\", \"why\"]");
                }
                Rule::Recorded {
                    columns: fields.iter().map(event_col).collect::<Result<_, _>>()?,
                }
            }
            RawCheckKind::Segregation => {
                if approve.is_empty() && approver.is_none() {
                    return missing("approve or approver", "write approve = [\"*Approved\"]");
                }
                Rule::Segregation {
                    prepare: Types(prepare),
                    approve: Types(approve),
                    approver,
                }
            }
            RawCheckKind::Approved => {
                if approve.is_empty() && approver.is_none() {
                    return missing("approve or approver", "write approve = [\"*Approved\"]");
                }
                Rule::Approved {
                    approve: Types(approve),
                    approver,
                }
            }
            RawCheckKind::Order => Rule::Order,
            RawCheckKind::Sequence => match &number {
                Some(number) => Rule::Sequence {
                    column: event_col(number)?,
                },
                None => return missing("number", "write number = \"source_version\""),
            },
            RawCheckKind::Granularity => match setting {
                Some(setting) if known.settings.contains_key(setting.get_ref()) => {
                    Rule::Granularity {
                        setting: setting.into_inner(),
                    }
                }
                Some(setting) => {
                    let message = format!("there is no setting {:?}", setting.get_ref());
                    let hint = "declare it: [settings.tier] with title, default and choices";
                    return Err(self.error(setting.span().start, message, hint));
                }
                None => return missing("setting", "write setting = \"tier\""),
            },
            RawCheckKind::Offset => Rule::Offset,
            RawCheckKind::Lifecycle => {
                if starts.is_empty() {
                    return missing(
                        "starts",
                        "write starts = [\"*Placed\"], ends = [\"*Filled\"]",
                    );
                }
                let column = |id: Option<Spanned<String>>| id.as_ref().map(event_col).transpose();
                let fills = Fills {
                    types: Types(fills),
                    remaining: column(remaining)?,
                    filled: column(filled)?,
                    ordered: column(ordered)?,
                };
                let told = fills.remaining.is_some()
                    || (fills.filled.is_some() && fills.ordered.is_some());
                if !fills.types.0.is_empty() && !told {
                    return missing(
                        "remaining, or filled and ordered: what says that a fill was the last",
                        "write remaining = \"…\", a column that says what is left to be filled",
                    );
                }
                Rule::Lifecycle {
                    starts: Types(starts),
                    ends: Types(ends),
                    fills: (!fills.types.0.is_empty()).then_some(fills),
                }
            }
            RawCheckKind::Erased => Rule::Erased,
        };
        Ok(Check {
            id: self.word(&id, "check")?,
            title: self.filled(&title, "title")?,
            types: Types(types),
            rule,
        })
    }

    fn section(&self, raw: RawSection, known: &Known<'_>) -> Result<SectionRule, TemplateError> {
        let RawSection {
            id,
            title,
            text,
            charts,
            checks,
            table,
            question,
            query,
            exceptions,
        } = raw;
        let has_table = table.is_some();
        let answer = match (&question, &query) {
            (Some(question), None) => Some((
                question,
                AnswerRule::Question(self.filled(question, "question")?),
            )),
            (None, Some(query)) => Some((query, AnswerRule::Query(self.filled(query, "query")?))),
            (None, None) => None,
            (Some(_), Some(query)) => {
                let message = "question and query stand beside each other".to_owned();
                return Err(self.error(query.span().start, message, "keep one of them"));
            }
        };
        if let (Some((name, _)), true) = (&answer, has_table) {
            let message = "a section has a table or an answer".to_owned();
            let hint = "write a section of its own for the answer";
            return Err(self.error(name.span().start, message, hint));
        }
        Ok(SectionRule {
            id: self.word(&id, "section")?,
            title: self.filled(&title, "title")?,
            text,
            charts: charts
                .into_iter()
                .map(|chart| match chart {
                    RawChart::OverTime => ChartRule::OverTime,
                    RawChart::ByActor => ChartRule::ByActor,
                    RawChart::ByType => ChartRule::ByType,
                })
                .collect(),
            checks,
            table: table.map(|table| self.table(table, known)).transpose()?,
            answer: answer.map(|(_, rule)| rule),
            exceptions,
        })
    }

    fn table(&self, raw: RawTable, known: &Known<'_>) -> Result<TableRule, TemplateError> {
        let RawTable {
            source,
            types,
            columns,
            by,
            of,
            size,
            seed,
            empty,
        } = raw;
        let at = source.span().start;
        let event_cols = |ids: &[Spanned<String>], what: &str| {
            if ids.is_empty() {
                return Err(self.error(
                    at,
                    format!("this table needs {what}"),
                    &format!("write {what} = [\"who\"]"),
                ));
            }
            let cols = ids.iter().map(|id| self.col(id, known, true, &[]));
            cols.collect::<Result<Vec<_>, _>>()
        };
        let setting = |name: Option<Spanned<String>>, what: &str| match name {
            Some(name) if known.settings.contains_key(name.get_ref()) => Ok(name.into_inner()),
            Some(name) => Err(self.error(
                name.span().start,
                format!("there is no setting {:?}", name.get_ref()),
                &format!(
                    "declare it: [settings.{}] with title and default",
                    name.get_ref()
                ),
            )),
            None => Err(self.error(
                at,
                format!("a sample needs {what}"),
                &format!("write {what} = \"{what}\" and declare [settings.{what}]"),
            )),
        };
        use ToldCol::{
            After, Before, Change, Class, Delta, Digits, EndInZero, Events, First, FirstMissing,
            Frequency, Holding, Key, Last, Missing, Origin, Path, State, Times, Value,
        };
        let (events, told): (bool, &[ToldCol]) = match source.get_ref() {
            RawSource::Events | RawSource::Sample => (true, &[]),
            RawSource::Changes => (true, &[Path, Change, Before, After, Delta]),
            RawSource::Versions => (true, &[State]),
            RawSource::State => (true, &[Path, Value, Times]),
            RawSource::Lineage => (true, &[Path, Change, Before, After, Delta, Origin]),
            RawSource::Groups => (true, &[Events, First, Last, Frequency]),
            RawSource::Coverage => (
                false,
                &[ToldCol::Field, Events, Holding, Missing, FirstMissing],
            ),
            RawSource::Digits => (false, &[Digits, Events, EndInZero, First, Last]),
            RawSource::Keys => (false, &[Class, Key, Events, First, Last]),
        };
        let source = match source.get_ref() {
            RawSource::Events => TableSource::Events,
            RawSource::Changes => TableSource::Changes,
            RawSource::Versions => TableSource::Versions,
            RawSource::State => TableSource::State,
            RawSource::Lineage => TableSource::Lineage,
            RawSource::Groups => TableSource::Groups {
                by: event_cols(&by, "by")?,
            },
            RawSource::Sample => TableSource::Sample {
                size: setting(size, "size")?,
                seed: setting(seed, "seed")?,
            },
            RawSource::Coverage => TableSource::Coverage {
                of: event_cols(&of, "of")?,
            },
            RawSource::Digits => TableSource::Digits,
            RawSource::Keys => TableSource::Keys,
        };
        if columns.is_empty() {
            let hint = "write columns = [\"time\", \"type\", \"who\"]";
            return Err(self.error(at, "this table has no columns".to_owned(), hint));
        }
        let col = |id: &Spanned<String>| match (events, id.get_ref().as_str()) {
            // These tables are made one row a type.
            (false, "type") => Ok(Col::Event(EventCol::Type)),
            _ => self.col(id, known, events, told),
        };
        let mut cols = Vec::new();
        for id in &columns {
            let col = col(id)?;
            if cols.contains(&col) {
                let message = format!("column {:?} comes twice", id.get_ref());
                return Err(self.error(id.span().start, message, "leave the second out"));
            }
            cols.push(col);
        }
        Ok(TableRule {
            source,
            types: Types(types),
            columns: cols,
            empty,
        })
    }
}

/// A key as classes of keys compare it: small letters and digits.
pub(in crate::compliance) fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
