//! A clinic: patients register, come to appointments, are examined, treated and discharged.
//!
//! `rules` are its aggregates and commands, `world` decides who asks for what.

pub(super) mod rules;
#[cfg(test)]
mod tests;
mod world;

pub use self::rules::ClinicCommand;
pub(super) use self::world::Clinic;

/// Models of the clinic: file name and text.
pub(super) const MODELS: [(&str, &str); 2] = [
    ("doctor.toml", include_str!("doctor.toml")),
    ("patient.toml", include_str!("patient.toml")),
];

/// Its projections and dashboards: folder, file name and text.
pub(super) const BESIDE: &crate::sample::Beside = &[
    (
        "projections",
        "ward.toml",
        include_str!("projections/ward.toml"),
    ),
    (
        "projections",
        "patients.toml",
        include_str!("projections/patients.toml"),
    ),
    (
        "dashboards",
        "ward.toml",
        include_str!("dashboards/ward.toml"),
    ),
];
