//! The clinic's aggregates, their rules and commands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::worlds::{Breach, Carry, link, stream};
use crate::command::{Aggregate, Amount, CommandError, Work};
use crate::event::NewLink;

/// Drugs that must not be given together.
pub(in crate::sample) const INTERACTIONS: [(&str, &str); 6] = [
    ("warfarin", "aspirin"),
    ("warfarin", "ibuprofen"),
    ("sildenafil", "nitroglycerin"),
    ("simvastatin", "clarithromycin"),
    ("lisinopril", "spironolactone"),
    ("tramadol", "sertraline"),
];

/// A prescription of the stay under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prescription {
    /// The drug.
    pub drug: String,
    /// Its strength, in milligrams.
    pub mg: u64,
    /// Doses that are still to be given.
    pub left: u64,
}

/// A patient, as the rules need them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patient {
    /// They are known.
    pub registered: bool,
    /// A stay is under way, from its appointment to the discharge.
    pub in_care: bool,
    /// Drugs that they do not bear.
    pub allergies: BTreeSet<String>,
    /// Codes of the stay's diagnoses.
    pub diagnoses: BTreeSet<String>,
    /// The stay's prescriptions, by id.
    pub prescriptions: BTreeMap<String, Prescription>,
    /// Vital signs were recorded since the last medication of the stay.
    pub checked: bool,
}

/// What a patient's record can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum ClinicCommand {
    RegisterPatient {
        patient_id: String,
        name: String,
        birth_date: String,
        #[serde(default)]
        allergies: Vec<String>,
    },
    ScheduleAppointment {
        patient_id: String,
        doctor_id: String,
        at: String,
        reason: String,
    },
    RecordVitalSigns {
        patient_id: String,
        systolic: u64,
        diastolic: u64,
        pulse: u64,
        temperature: Amount,
    },
    AddDiagnosis {
        patient_id: String,
        code: String,
        text: String,
    },
    PrescribeTreatment {
        patient_id: String,
        prescription_id: String,
        diagnosis: String,
        drug: String,
        mg: u64,
        doses: u64,
    },
    AdministerMedication {
        patient_id: String,
        prescription_id: String,
    },
    ReceiveTestResults {
        patient_id: String,
        test: String,
        value: Amount,
        unit: String,
        abnormal: bool,
    },
    CompleteDischarge {
        patient_id: String,
        summary: String,
    },
}

/// What can happen to a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
#[allow(
    missing_docs,
    reason = "the guide's events; the fields say what they are"
)]
pub enum PatientEvent {
    PatientRegistered {
        patient_id: String,
        name: String,
        birth_date: String,
        allergies: Vec<String>,
    },
    AppointmentScheduled {
        patient_id: String,
        doctor_id: String,
        at: String,
        reason: String,
    },
    VitalSignsRecorded {
        systolic: u64,
        diastolic: u64,
        pulse: u64,
        temperature: Amount,
    },
    DiagnosisAdded {
        code: String,
        text: String,
    },
    TreatmentPrescribed {
        prescription_id: String,
        diagnosis: String,
        drug: String,
        mg: u64,
        doses: u64,
    },
    MedicationAdministered {
        prescription_id: String,
        drug: String,
        mg: u64,
    },
    TestResultsReceived {
        test: String,
        value: Amount,
        unit: String,
        abnormal: bool,
    },
    DischargeCompleted {
        summary: String,
    },
}

impl Patient {
    fn known(&self) -> Result<(), Breach> {
        if self.registered {
            return Ok(());
        }
        let said = "there is no such patient";
        Err(Breach::new("patient-is-registered", &["status"], said))
    }

    fn in_care(&self) -> Result<(), Breach> {
        self.known()?;
        if self.in_care {
            return Ok(());
        }
        let said = "the patient is not in care: there is no appointment since the last discharge";
        Err(Breach::new("only-in-care", &["status"], said))
    }

    fn may_have(&self, drug: &str) -> Result<(), Breach> {
        if self.allergies.contains(drug) {
            let said = format!("the patient is allergic to {drug}");
            return Err(Breach::new("no-allergy", &["allergies"], said));
        }
        let active = self.prescriptions.values().filter(|rx| rx.left > 0);
        for other in active.map(|rx| rx.drug.as_str()) {
            let both =
                |(a, b): &(&str, &str)| (*a == drug && *b == other) || (*b == drug && *a == other);
            if INTERACTIONS.iter().any(both) {
                let said = format!("{drug} interacts with {other}, which the patient is given");
                return Err(Breach::new("no-interaction", &["prescriptions"], said));
            }
        }
        Ok(())
    }

    fn treated(&self) -> Result<(), Breach> {
        let left: u64 = self.prescriptions.values().map(|rx| rx.left).sum();
        let why = if left > 0 {
            format!("{left} doses are still to be given")
        } else if self.diagnoses.is_empty() {
            "there is no diagnosis".to_owned()
        } else if !self.checked {
            "vital signs were not recorded since the last medication".to_owned()
        } else {
            return Ok(());
        };
        let looked_at = &["openDoses", "diagnoses", "checked"];
        Err(Breach::new("discharge-when-treated", looked_at, why))
    }
}

impl Aggregate for Patient {
    type Command = ClinicCommand;
    type Event = PatientEvent;
    type Rejection = Breach;

    fn handle(&self, command: ClinicCommand) -> Result<Vec<PatientEvent>, Breach> {
        use ClinicCommand as C;
        match &command {
            C::RegisterPatient { .. } => {}
            C::ScheduleAppointment { .. } => self.known()?,
            _ => self.in_care()?,
        }
        Ok(vec![match command {
            C::RegisterPatient {
                patient_id,
                name,
                birth_date,
                allergies,
            } => {
                if self.registered {
                    let said = format!("{patient_id} was registered before");
                    return Err(Breach::new("registered-once", &["name"], said));
                }
                PatientEvent::PatientRegistered {
                    patient_id,
                    name,
                    birth_date,
                    allergies,
                }
            }
            C::ScheduleAppointment {
                patient_id,
                doctor_id,
                at,
                reason,
            } => {
                if self.in_care {
                    let said = "the patient is in care already";
                    return Err(Breach::new("one-stay-at-a-time", &["status"], said));
                }
                PatientEvent::AppointmentScheduled {
                    patient_id,
                    doctor_id,
                    at,
                    reason,
                }
            }
            C::RecordVitalSigns {
                patient_id: _,
                systolic,
                diastolic,
                pulse,
                temperature,
            } => PatientEvent::VitalSignsRecorded {
                systolic,
                diastolic,
                pulse,
                temperature,
            },
            C::AddDiagnosis {
                patient_id: _,
                code,
                text,
            } => PatientEvent::DiagnosisAdded { code, text },
            C::PrescribeTreatment {
                patient_id: _,
                prescription_id,
                diagnosis,
                drug,
                mg,
                doses,
            } => {
                if !self.diagnoses.contains(&diagnosis) {
                    let said = format!("{diagnosis} is no diagnosis of this stay");
                    return Err(Breach::new(
                        "prescribe-for-a-diagnosis",
                        &["diagnoses"],
                        said,
                    ));
                }
                if self.prescriptions.contains_key(&prescription_id) {
                    let said = format!("{prescription_id} was prescribed before");
                    return Err(Breach::new("prescribed-once", &["prescriptions"], said));
                }
                self.may_have(&drug)?;
                PatientEvent::TreatmentPrescribed {
                    prescription_id,
                    diagnosis,
                    drug,
                    mg,
                    doses,
                }
            }
            C::AdministerMedication {
                patient_id: _,
                prescription_id,
            } => {
                let Some(rx) = self.prescriptions.get(&prescription_id) else {
                    let said = format!("{prescription_id} was not prescribed in this stay");
                    return Err(Breach::new(
                        "administer-what-is-prescribed",
                        &["prescriptions"],
                        said,
                    ));
                };
                if rx.left == 0 {
                    let said = format!("all doses of {prescription_id} were given");
                    let rule = "never-more-doses-than-prescribed";
                    return Err(Breach::new(rule, &["prescriptions"], said));
                }
                PatientEvent::MedicationAdministered {
                    prescription_id,
                    drug: rx.drug.clone(),
                    mg: rx.mg,
                }
            }
            C::ReceiveTestResults {
                patient_id: _,
                test,
                value,
                unit,
                abnormal,
            } => PatientEvent::TestResultsReceived {
                test,
                value,
                unit,
                abnormal,
            },
            C::CompleteDischarge {
                patient_id: _,
                summary,
            } => {
                self.treated()?;
                PatientEvent::DischargeCompleted { summary }
            }
        }])
    }

    fn apply(&mut self, event: PatientEvent) {
        match event {
            PatientEvent::PatientRegistered { allergies, .. } => {
                self.registered = true;
                self.allergies = allergies.into_iter().collect();
            }
            PatientEvent::AppointmentScheduled { .. } => {
                self.in_care = true;
                self.checked = false;
                self.diagnoses.clear();
                self.prescriptions.clear();
            }
            PatientEvent::VitalSignsRecorded { .. } => self.checked = true,
            PatientEvent::DiagnosisAdded { code, .. } => {
                self.diagnoses.insert(code);
            }
            PatientEvent::TreatmentPrescribed {
                prescription_id,
                drug,
                mg,
                doses,
                ..
            } => {
                let rx = Prescription {
                    drug,
                    mg,
                    left: doses,
                };
                self.prescriptions.insert(prescription_id, rx);
            }
            PatientEvent::MedicationAdministered {
                prescription_id, ..
            } => {
                self.checked = false;
                if let Some(rx) = self.prescriptions.get_mut(&prescription_id) {
                    rx.left = rx.left.saturating_sub(1);
                }
            }
            PatientEvent::TestResultsReceived { .. } => {}
            PatientEvent::DischargeCompleted { .. } => self.in_care = false,
        }
    }

    fn links(&self, event: &PatientEvent) -> Vec<NewLink> {
        match event {
            PatientEvent::AppointmentScheduled { doctor_id, .. } => {
                vec![link(stream("doctor", doctor_id), "doctor")]
            }
            _ => Vec::new(),
        }
    }
}

/// A doctor's calendar: a stream of the appointments that are linked into it, and of nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doctor {
    /// When patients come.
    pub booked: BTreeSet<String>,
}

/// What a doctor's calendar can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoctorCommand {
    /// Nothing: refuses if somebody else comes then.
    MayBook {
        /// When.
        at: String,
    },
}

/// What can happen to a doctor's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the patient's event")]
pub enum DoctorEvent {
    AppointmentScheduled { at: String },
}

impl Aggregate for Doctor {
    type Command = DoctorCommand;
    type Event = DoctorEvent;
    type Rejection = Breach;

    fn handle(&self, command: DoctorCommand) -> Result<Vec<DoctorEvent>, Breach> {
        let DoctorCommand::MayBook { at } = command;
        if self.booked.contains(&at) {
            let said = format!("the doctor sees another patient at {at}");
            return Err(Breach::new("no-double-booking", &["booked"], said));
        }
        Ok(Vec::new())
    }

    fn apply(&mut self, event: DoctorEvent) {
        let DoctorEvent::AppointmentScheduled { at } = event;
        self.booked.insert(at);
    }
}

impl Carry for ClinicCommand {
    const NAMES: &'static [&'static str] = &[
        "RegisterPatient",
        "ScheduleAppointment",
        "RecordVitalSigns",
        "AddDiagnosis",
        "PrescribeTreatment",
        "AdministerMedication",
        "ReceiveTestResults",
        "CompleteDischarge",
    ];

    fn carry_out(self, work: &mut Work<'_>) -> Result<(), CommandError> {
        use ClinicCommand as C;
        let patient_id = match &self {
            C::ScheduleAppointment {
                patient_id,
                doctor_id,
                at,
                ..
            } => {
                let may = DoctorCommand::MayBook { at: at.clone() };
                work.send::<Doctor>(&stream("doctor", doctor_id), may)?;
                patient_id
            }
            C::RegisterPatient { patient_id, .. }
            | C::RecordVitalSigns { patient_id, .. }
            | C::AddDiagnosis { patient_id, .. }
            | C::PrescribeTreatment { patient_id, .. }
            | C::AdministerMedication { patient_id, .. }
            | C::ReceiveTestResults { patient_id, .. }
            | C::CompleteDischarge { patient_id, .. } => patient_id,
        };
        let patient = stream("patient", patient_id);
        work.send::<Patient>(&patient, self).map(|_| ())
    }
}
