//! The clinic's rules, one by one.

use super::rules::*;
use crate::command::{Given, given};

fn registered(allergies: &[&str]) -> PatientEvent {
    PatientEvent::PatientRegistered {
        patient_id: "patient-1".to_owned(),
        name: "Ada".to_owned(),
        birth_date: "1970-01-01".to_owned(),
        allergies: allergies.iter().map(ToString::to_string).collect(),
    }
}

fn scheduled() -> PatientEvent {
    PatientEvent::AppointmentScheduled {
        patient_id: "patient-1".to_owned(),
        doctor_id: "doctor-1".to_owned(),
        at: "2024-01-15T10:30:00Z".to_owned(),
        reason: "pain".to_owned(),
    }
}

fn diagnosed() -> PatientEvent {
    PatientEvent::DiagnosisAdded {
        code: "I48".to_owned(),
        text: "Atrial fibrillation".to_owned(),
    }
}

fn prescribed(id: &str, drug: &str, doses: u64) -> PatientEvent {
    PatientEvent::TreatmentPrescribed {
        prescription_id: id.to_owned(),
        diagnosis: "I48".to_owned(),
        drug: drug.to_owned(),
        mg: 5,
        doses,
    }
}

fn prescribe(id: &str, drug: &str, diagnosis: &str) -> ClinicCommand {
    ClinicCommand::PrescribeTreatment {
        patient_id: "patient-1".to_owned(),
        prescription_id: id.to_owned(),
        diagnosis: diagnosis.to_owned(),
        drug: drug.to_owned(),
        mg: 5,
        doses: 1,
    }
}

fn given_dose(id: &str, drug: &str) -> PatientEvent {
    PatientEvent::MedicationAdministered {
        prescription_id: id.to_owned(),
        drug: drug.to_owned(),
        mg: 5,
    }
}

fn administer(id: &str) -> ClinicCommand {
    ClinicCommand::AdministerMedication {
        patient_id: "patient-1".to_owned(),
        prescription_id: id.to_owned(),
    }
}

fn discharge() -> ClinicCommand {
    ClinicCommand::CompleteDischarge {
        patient_id: "patient-1".to_owned(),
        summary: "recovered".to_owned(),
    }
}

fn discharged() -> PatientEvent {
    PatientEvent::DischargeCompleted {
        summary: "recovered".to_owned(),
    }
}

fn vitals() -> PatientEvent {
    PatientEvent::VitalSignsRecorded {
        systolic: 120,
        diastolic: 80,
        pulse: 60,
        temperature: "36.6".parse().unwrap(),
    }
}

fn patient(then: impl IntoIterator<Item = PatientEvent>) -> Given<Patient> {
    let first = [registered(&["aspirin"]), scheduled(), diagnosed()];
    given::<Patient>(first.into_iter().chain(then))
}

#[test]
fn prescriptions_are_for_a_diagnosis_and_for_no_allergy_and_do_not_interact() {
    patient([])
        .when(prescribe("rx-1", "warfarin", "I48"))
        .then([prescribed("rx-1", "warfarin", 1)]);
    patient([])
        .when(prescribe("rx-1", "warfarin", "I10"))
        .then_rejected("prescribe-for-a-diagnosis");
    patient([])
        .when(prescribe("rx-1", "aspirin", "I48"))
        .then_rejected("no-allergy");
    patient([prescribed("rx-1", "ibuprofen", 1)])
        .when(prescribe("rx-2", "warfarin", "I48"))
        .then_rejected("no-interaction");
    // What was given to the end interacts no more.
    patient([
        prescribed("rx-1", "ibuprofen", 1),
        given_dose("rx-1", "ibuprofen"),
    ])
    .when(prescribe("rx-2", "warfarin", "I48"))
    .then([prescribed("rx-2", "warfarin", 1)]);
    patient([prescribed("rx-1", "metoprolol", 1)])
        .when(prescribe("rx-1", "metoprolol", "I48"))
        .then_rejected("prescribed-once");
}

#[test]
fn only_what_is_prescribed_is_given_and_never_more_of_it() {
    patient([prescribed("rx-1", "warfarin", 1)])
        .when(administer("rx-1"))
        .then([given_dose("rx-1", "warfarin")]);
    patient([
        prescribed("rx-1", "warfarin", 1),
        given_dose("rx-1", "warfarin"),
    ])
    .when(administer("rx-1"))
    .then_rejected("never-more-doses-than-prescribed");
    patient([])
        .when(administer("rx-1"))
        .then_rejected("administer-what-is-prescribed");
}

#[test]
fn a_patient_goes_home_when_treated_and_is_in_care_until_then() {
    let rule = "discharge-when-treated";
    patient([vitals()]).when(discharge()).then([discharged()]);
    patient([]).when(discharge()).then_rejected(rule);
    patient([vitals(), prescribed("rx-1", "warfarin", 1)])
        .when(discharge())
        .then_rejected(rule);
    patient([
        vitals(),
        prescribed("rx-1", "warfarin", 1),
        given_dose("rx-1", "warfarin"),
    ])
    .when(discharge())
    .then_rejected(rule);
    given::<Patient>([registered(&[]), scheduled(), vitals()])
        .when(discharge())
        .then_rejected(rule);
    patient([vitals(), discharged()])
        .when(administer("rx-1"))
        .then_rejected("only-in-care");
    given::<Patient>([registered(&[])])
        .when(discharge())
        .then_rejected("only-in-care");
    given::<Patient>([])
        .when(discharge())
        .then_rejected("patient-is-registered");
}

#[test]
fn a_patient_is_in_one_stay_and_a_doctor_in_one_room() {
    let schedule = || ClinicCommand::ScheduleAppointment {
        patient_id: "patient-1".to_owned(),
        doctor_id: "doctor-1".to_owned(),
        at: "2024-01-15T10:30:00Z".to_owned(),
        reason: "pain".to_owned(),
    };
    given::<Patient>([registered(&[])])
        .when(schedule())
        .then([scheduled()]);
    patient([])
        .when(schedule())
        .then_rejected("one-stay-at-a-time");
    patient([vitals(), discharged()])
        .when(schedule())
        .then([scheduled()]);
    let at = "2024-01-15T10:30:00Z".to_owned();
    let booked = DoctorEvent::AppointmentScheduled { at: at.clone() };
    given::<Doctor>([])
        .when(DoctorCommand::MayBook { at: at.clone() })
        .then([]);
    given::<Doctor>([])
        .linked(booked, "doctor")
        .when(DoctorCommand::MayBook { at })
        .then_rejected("no-double-booking");
    let again = ClinicCommand::RegisterPatient {
        patient_id: "patient-1".to_owned(),
        name: "Ada".to_owned(),
        birth_date: "1970-01-01".to_owned(),
        allergies: vec![],
    };
    given::<Patient>([registered(&[])])
        .when(again)
        .then_rejected("registered-once");
}
