//! Whether a request states what its template needs.

use std::collections::BTreeMap;

use super::template::{Need, SubjectRule, Template};
use super::{ReportError, ReportRequest};
use crate::store::EventQuery;

/// That the request states what the template needs, and nothing that it does not take.
pub(super) fn state_needs(template: &Template, request: &ReportRequest) -> Result<(), ReportError> {
    let EventQuery {
        stream,
        actor,
        from,
        to,
        ..
    } = &request.query;
    let needs = |what: &'static str| {
        Err(ReportError::Needs {
            template: template.reference.name.clone(),
            what,
        })
    };
    match (template.subject, &request.subject) {
        (SubjectRule::Required, None) => return needs("subject"),
        (SubjectRule::None, Some(_)) => {
            return Err(ReportError::NoSubject {
                template: template.reference.name.clone(),
            });
        }
        _ => {}
    }
    for need in &template.needs {
        let stated = match need {
            Need::Actor => actor.is_some(),
            Need::Stream => stream.is_some(),
            Need::Period => from.is_some() && (to.is_some() || request.at.is_some()),
            Need::At => request.at.is_some(),
        };
        if !stated {
            return needs(need.name());
        }
    }
    Ok(())
}

/// The settings: what was chosen, else the template's defaults.
pub(super) fn settings(
    template: &Template,
    request: &ReportRequest,
) -> Result<BTreeMap<String, String>, ReportError> {
    let mut settings: BTreeMap<String, String> = template
        .settings
        .iter()
        .map(|(name, setting)| (name.clone(), setting.default.clone()))
        .collect();
    for (name, chosen) in &request.settings {
        let wrong = |expected: String| ReportError::BadSetting {
            template: template.reference.name.clone(),
            name: name.clone(),
            value: chosen.clone(),
            expected,
        };
        let Some(setting) = template.settings.get(name) else {
            let known: Vec<&str> = template.settings.keys().map(String::as_str).collect();
            return Err(wrong(match known[..] {
                [] => "the template has no settings".to_owned(),
                _ => format!("its settings are {}", known.join(", ")),
            }));
        };
        if !setting.choices.is_empty() && !setting.choices.contains(chosen) {
            return Err(wrong(format!("one of {}", setting.choices.join(", "))));
        }
        if setting.choices.is_empty() && chosen.parse::<u32>().is_err() {
            return Err(wrong("a whole number below 4294967296".to_owned()));
        }
        settings.insert(name.clone(), chosen.clone());
    }
    Ok(settings)
}
