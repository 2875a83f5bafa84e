//! The report templates of a store: those that come with Annals, and the user's own beside the log.

use std::path::Path;

use serde::Serialize;
use ts_rs::TS;

use super::file::{self, TemplateError};
use super::{LayoutFile, Need, SubjectRule, Template};
use crate::compliance::report::{Entry, Layout, TemplateOrigin, TemplateRef};
use crate::model::folder;

/// The templates that come with Annals.
const SHIPPED: [(&str, &str); 12] = [
    ("audit-trail", include_str!("../templates/audit-trail.toml")),
    (
        "sox-change-register",
        include_str!("../templates/sox-change-register.toml"),
    ),
    (
        "hipaa-access",
        include_str!("../templates/hipaa-access.toml"),
    ),
    (
        "hipaa-disclosures",
        include_str!("../templates/hipaa-disclosures.toml"),
    ),
    (
        "gdpr-subject",
        include_str!("../templates/gdpr-subject.toml"),
    ),
    (
        "gdpr-portable",
        include_str!("../templates/gdpr-portable.toml"),
    ),
    (
        "gdpr-processing",
        include_str!("../templates/gdpr-processing.toml"),
    ),
    (
        "mifid-order-lifecycle",
        include_str!("../templates/mifid-order-lifecycle.toml"),
    ),
    (
        "trade-reconstruction",
        include_str!("../templates/trade-reconstruction.toml"),
    ),
    (
        "basel-position",
        include_str!("../templates/basel-position.toml"),
    ),
    (
        "part11-record",
        include_str!("../templates/part11-record.toml"),
    ),
    (
        "actor-activity",
        include_str!("../templates/actor-activity.toml"),
    ),
];

/// Every template of a store, by name; those that come with Annals first.
#[derive(Debug, Default)]
pub struct TemplateSet {
    templates: Vec<Template>,
    broken: Vec<TemplateError>,
}

/// The templates of a store: `annals report list --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct TemplatesView {
    /// The templates, those that come with Annals first.
    pub templates: Vec<TemplateRow>,
    /// Files in the store's folder that are wrong and were left out. Where one stands in for a template that comes
    /// with Annals, that one is used.
    pub broken: Vec<TemplateError>,
}

/// One template.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct TemplateRow {
    /// Which one.
    pub template: TemplateRef,
    /// Title of its reports.
    pub title: String,
    /// Rule that they answer to.
    pub regime: String,
    /// What it is for, in one line.
    pub about: String,
    /// How its pages lie.
    pub layout: Layout,
    /// Whether its reports are about a subject: `none`, `optional`, `required`.
    pub subject: String,
    /// Parts of the scope that must be stated: `actor`, `stream`, `period`, `at`.
    pub needs: Vec<String>,
    /// Its settings.
    pub settings: Vec<SettingRow>,
}

/// One setting of a template.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SettingRow {
    /// Name and title.
    pub name: Entry,
    /// What is taken where nothing is chosen.
    pub default: String,
    /// What can be chosen; empty: a whole number.
    pub choices: Vec<String>,
}

/// What came of checking a template file: `annals report check --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CheckedTemplateView {
    /// The template, if the file is one.
    pub template: Option<TemplateRow>,
    /// What is wrong; `null` if nothing is.
    pub error: Option<TemplateError>,
}

impl TemplateSet {
    /// The templates that come with Annals.
    #[must_use]
    pub fn shipped() -> TemplateSet {
        let mut set = TemplateSet::default();
        for (name, text) in SHIPPED {
            match file::parse(name, text, TemplateOrigin::Shipped) {
                Ok(template) => set.templates.push(template),
                Err(error) => set.broken.push(error),
            }
        }
        set
    }

    /// Those and the files `reports/*.toml` in the store's folder. A file of the same name as a shipped template
    /// stands in for it; one that is wrong is left out and listed. A file `NAME.typ` beside them is the layout of the
    /// template NAME, a shipped one too.
    ///
    /// # Errors
    /// The system's error if the folder is there and cannot be read.
    pub fn load(store: &Path) -> std::io::Result<TemplateSet> {
        let mut set = TemplateSet::shipped();
        let reports = folder(store).join("reports");
        for path in crate::model::toml_files(&reports)? {
            let text_of = |part: Option<&std::ffi::OsStr>| {
                part.map(|part| part.to_string_lossy().into_owned())
                    .unwrap_or_default()
            };
            let (stem, name) = (text_of(path.file_stem()), text_of(path.file_name()));
            let place = set.templates.iter().position(|t| t.reference.name == stem);
            let origin = match place {
                Some(_) => TemplateOrigin::Override,
                None => TemplateOrigin::Own,
            };
            let read = std::fs::read_to_string(&path).map_err(|error| TemplateError {
                name: name.clone(),
                line: 1,
                column: 1,
                message: format!("the file cannot be read: {error}"),
                hint: "make it readable, as UTF-8".to_owned(),
            });
            match read.and_then(|text| file::parse(&stem, &text, origin)) {
                Ok(template) => match place {
                    Some(place) => set.templates[place] = template,
                    None => set.templates.push(template),
                },
                Err(error) => set.broken.push(TemplateError { name, ..error }),
            }
        }
        for template in &mut set.templates {
            match super::read_layout(&reports, &template.reference.name) {
                Ok(files) => template.take_layout(files),
                Err(error) => set.broken.push(error),
            }
        }
        Ok(set)
    }

    /// The template of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|t| t.reference.name == name)
    }

    /// Names of the templates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.iter().map(|t| t.reference.name.as_str())
    }

    /// Files that are wrong and were left out.
    #[must_use]
    pub fn broken(&self) -> &[TemplateError] {
        &self.broken
    }

    /// What hosts show of the set.
    #[must_use]
    pub fn view(&self) -> TemplatesView {
        TemplatesView {
            templates: self.templates.iter().map(row).collect(),
            broken: self.broken.clone(),
        }
    }

    /// The text of a template that comes with Annals, to begin one's own with.
    #[must_use]
    pub fn shipped_text(name: &str) -> Option<&'static str> {
        let found = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
        found.map(|(_, text)| *text)
    }
}

/// Checks the text of a template file.
#[must_use]
pub fn check(name: &str, text: &str) -> CheckedTemplateView {
    match Template::parse(name, text) {
        Ok(template) => CheckedTemplateView {
            template: Some(row(&template)),
            error: None,
        },
        Err(error) => CheckedTemplateView {
            template: None,
            error: Some(error),
        },
    }
}

fn row(template: &Template) -> TemplateRow {
    TemplateRow {
        template: template.reference.clone(),
        title: template.title.clone(),
        regime: template.regime.clone(),
        about: template.about.clone(),
        layout: template.layout,
        subject: match template.subject {
            SubjectRule::None => "none",
            SubjectRule::Optional => "optional",
            SubjectRule::Required => "required",
        }
        .to_owned(),
        needs: template
            .needs
            .iter()
            .map(|need| need.name().to_owned())
            .collect(),
        settings: template
            .settings
            .iter()
            .map(|(name, setting)| SettingRow {
                name: Entry::new(name, &setting.title),
                default: setting.default.clone(),
                choices: setting.choices.clone(),
            })
            .collect(),
    }
}

impl Template {
    /// Has its pages set by a layout of the user's own, if that has files.
    fn take_layout(&mut self, files: Vec<LayoutFile>) {
        let references = files.iter().map(LayoutFile::reference).collect();
        self.reference.own_layout = (!files.is_empty()).then_some(references);
        self.own_layout = files;
    }
}

impl Need {
    /// What it is called.
    pub(in crate::compliance) fn name(self) -> &'static str {
        match self {
            Need::Actor => "actor",
            Need::Stream => "stream",
            Need::Period => "period",
            Need::At => "at",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_template_is_right() {
        let set = TemplateSet::shipped();
        assert_eq!(set.broken, []);
        assert_eq!(set.templates.len(), SHIPPED.len());
    }

    #[test]
    fn a_file_stands_in_for_a_shipped_template_or_adds_one() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("x.annals");
        let reports = folder(&store).join("reports");
        std::fs::create_dir_all(&reports).unwrap();
        let text = TemplateSet::shipped_text("audit-trail").unwrap();
        std::fs::write(reports.join("audit-trail.toml"), text).unwrap();
        std::fs::write(reports.join("mine.toml"), text).unwrap();
        std::fs::write(reports.join("sox-change-register.toml"), "title = 7").unwrap();
        std::fs::write(reports.join("zz.toml"), b"\xff").unwrap();
        std::fs::write(reports.join("gdpr-subject.typ"), "= Mine").unwrap();
        let set = TemplateSet::load(&store).unwrap();
        let origin = |name: &str| set.get(name).unwrap().reference.origin;
        assert_eq!(origin("audit-trail"), TemplateOrigin::Override);
        assert_eq!(origin("mine"), TemplateOrigin::Own);
        let layout = |name: &str| set.get(name).unwrap().reference.own_layout.clone();
        let own = layout("gdpr-subject").unwrap();
        assert_eq!((own.len(), own[0].name.as_str()), (1, "gdpr-subject.typ"));
        assert_eq!(layout("mine"), None);
        assert_eq!(origin("sox-change-register"), TemplateOrigin::Shipped);
        let broken: Vec<(&str, usize)> = set
            .broken
            .iter()
            .map(|e| (e.name.as_str(), e.line))
            .collect();
        assert_eq!(broken, [("sox-change-register.toml", 1), ("zz.toml", 1)]);
    }
}
