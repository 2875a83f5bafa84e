//! What happens at the clinic: who comes with what, and how they are treated.

use serde_json::{Value, json};

use super::super::shop::name;
use super::super::worlds::calendar::{DAY, HOUR, MINUTE, SECOND, Visitors, days, time, working};
use super::super::worlds::stage::{Doing, Happening, Stage, undecided};
use super::super::worlds::{Book, Play};
use super::rules::ClinicCommand;
use crate::command::Amount;

/// Code, text, and drugs that help, with their strength in milligrams.
type Ill = (&'static str, &'static str, &'static [(&'static str, u64)]);

/// What people come with.
const ILLS: [Ill; 8] = [
    (
        "I48",
        "Atrial fibrillation",
        &[("warfarin", 5), ("metoprolol", 50)],
    ),
    (
        "I10",
        "Hypertension",
        &[("lisinopril", 10), ("spironolactone", 25)],
    ),
    (
        "J18",
        "Pneumonia",
        &[("amoxicillin", 500), ("clarithromycin", 250)],
    ),
    ("E78", "High cholesterol", &[("simvastatin", 20)]),
    ("M54", "Back pain", &[("ibuprofen", 400), ("tramadol", 50)]),
    ("R51", "Headache", &[("aspirin", 500), ("ibuprofen", 400)]),
    ("F32", "Depression", &[("sertraline", 50)]),
    ("I20", "Angina", &[("nitroglycerin", 1), ("metoprolol", 50)]),
];
const ALLERGIES: [&str; 4] = ["amoxicillin", "aspirin", "ibuprofen", "sertraline"];
const NURSES: [&str; 5] = [
    "nurse.ada",
    "nurse.bo",
    "nurse.cem",
    "nurse.dana",
    "nurse.eli",
];
const TESTS: [(&str, i64, i64, &str); 4] = [
    ("Haemoglobin", 110, 180, "g/L"),
    ("Creatinine", 50, 140, "umol/L"),
    ("Potassium", 30, 60, "0.1 mmol/L"),
    ("CRP", 1, 160, "mg/L"),
];

#[derive(Debug)]
struct Person {
    allergy: Option<&'static str>,
    in_care: bool,
    given: u64,
    stays: u64,
    /// Prescriptions of the stay whose doses were all given.
    finished: Vec<(String, &'static str, u64)>,
}

#[derive(Debug)]
struct Stay {
    person: usize,
    number: u64,
    doctor: String,
    ill: usize,
    /// Prescriptions: id, drug, strength, doses left.
    drugs: Vec<(String, &'static str, u64, u64)>,
    last: u64,
}

impl Stay {
    fn doing<'a>(&self, actor: &'a str) -> Doing<'a> {
        Doing {
            actor,
            journey: Some(("stay", self.number)),
            cause: Some(self.last),
        }
    }
}

/// Something to come.
#[derive(Debug)]
enum Due {
    Hour(i64),
    /// Somebody calls for an appointment.
    Call(usize),
    See(Box<Stay>),
    Treat(Box<Stay>),
    Test(usize, u64, u64),
    Discharge(Box<Stay>),
}

/// See the module.
#[derive(Debug)]
pub(in crate::sample) struct Clinic {
    seed: u64,
    stage: Stage<Due>,
    people: Vec<Person>,
    stays: u64,
    prescriptions: u64,
    doctors: u64,
    visitors: Visitors,
}

/// Events of one stay, about.
const EVENTS_PER_STAY: u64 = 13;

fn patient_id(person: usize) -> String {
    format!("patient-{}", person + 1)
}

impl Clinic {
    /// A clinic before its first day, of a size that makes about `events` in its time.
    pub(in crate::sample) fn new(events: u64, seed: u64) -> Clinic {
        let mut stage = Stage::new(seed ^ 0x0c11);
        stage.plan(7 * HOUR, Due::Hour(7));
        let per_day = (events / days(events) / EVENTS_PER_STAY).max(3);
        Clinic {
            seed,
            stage,
            people: Vec::new(),
            stays: 0,
            prescriptions: 0,
            doctors: (per_day / 6).clamp(2, 60),
            visitors: Visitors::new(per_day),
        }
    }

    fn begin_hour(&mut self, hour: i64) {
        for _ in 0..self.visitors.of_hour(hour, 1) {
            let person = if self.people.is_empty() || self.stage.random.chance(400) {
                let allergic = self.stage.random.chance(180);
                let allergy = allergic.then(|| *self.stage.random.pick(&ALLERGIES));
                self.people.push(Person {
                    allergy,
                    in_care: false,
                    given: 0,
                    stays: 0,
                    finished: Vec::new(),
                });
                self.people.len() - 1
            } else {
                self.stage.random.below(self.people.len() as u64) as usize
            };
            self.stage.plan_within(0, HOUR - 1, Due::Call(person));
        }
        self.stage.plan((hour + 1) * HOUR, Due::Hour(hour + 1));
    }

    /// Somebody calls: new ones are registered, and whoever is not in care gets an appointment.
    fn call(&mut self, person: usize) {
        let id = patient_id(person);
        let desk = Doing {
            actor: "front-desk",
            journey: Some(("stay", self.stays + 1)),
            cause: None,
        };
        let mut last = None;
        if self.people[person].stays == 0 && !self.people[person].in_care {
            let year = 1935 + self.stage.random.below(80);
            let day = 1 + self.stage.random.below(28);
            let month = 1 + self.stage.random.below(12);
            let register = ClinicCommand::RegisterPatient {
                patient_id: id.clone(),
                name: name(self.seed, person as u64 + 140_000),
                birth_date: format!("{year}-{month:02}-{day:02}"),
                allergies: self.people[person]
                    .allergy
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            };
            last = self.stage.ask(desk, register).ok();
        }
        let ill = self.stage.random.below(ILLS.len() as u64) as usize;
        let doctor = format!("doctor-{}", 1 + self.stage.random.below(self.doctors));
        let ahead = self
            .stage
            .random
            .between(2 * HOUR / SECOND, 4 * DAY / SECOND)
            * SECOND;
        let mut at = working(self.stage.now + ahead, &mut self.stage.random);
        let doing = Doing {
            cause: last,
            ..desk
        };
        // Who is booked already offers the next quarter of an hour.
        for _ in 0..24 {
            at = at / (15 * MINUTE) * 15 * MINUTE + 15 * MINUTE;
            let schedule = ClinicCommand::ScheduleAppointment {
                patient_id: id.clone(),
                doctor_id: doctor.clone(),
                at: time(at).to_string(),
                reason: ILLS[ill].1.to_owned(),
            };
            match self.stage.ask(doing, schedule) {
                Ok(scheduled) => {
                    self.stays += 1;
                    let entry = &mut self.people[person];
                    entry.in_care = true;
                    entry.stays += 1;
                    entry.finished.clear();
                    let stays = entry.stays;
                    let book = &mut self.stage.book;
                    book.note(&id, "status", scheduled, "In care".into());
                    book.note(&id, "stays", scheduled, json!(stays));
                    let stay = Stay {
                        person,
                        number: self.stays,
                        doctor,
                        ill,
                        drugs: Vec::new(),
                        last: scheduled,
                    };
                    return self.stage.plan(at, Due::See(Box::new(stay)));
                }
                Err(refused) if refused.rule == "no-double-booking" => {}
                // In care already: the front desk says so, and that is that.
                Err(_) => return,
            }
        }
    }

    fn vitals(&mut self, stay: &Stay) -> u64 {
        let random = &mut self.stage.random;
        let record = ClinicCommand::RecordVitalSigns {
            patient_id: patient_id(stay.person),
            systolic: random.between(95, 175) as u64,
            diastolic: random.between(55, 105) as u64,
            pulse: random.between(48, 120) as u64,
            temperature: Amount(rust_decimal::Decimal::new(random.between(358, 398), 1)),
        };
        let nurse = *random.pick(&NURSES);
        self.stage.have(stay.doing(nurse), record)
    }

    /// The appointment: vital signs, a diagnosis, prescriptions; what interacts is refused, and another drug tried.
    fn see(&mut self, mut stay: Box<Stay>) {
        stay.last = self.vitals(&stay);
        let (code, text, drugs) = ILLS[stay.ill];
        let id = patient_id(stay.person);
        let doctor = stay.doctor.clone();
        let add = ClinicCommand::AddDiagnosis {
            patient_id: id.clone(),
            code: code.to_owned(),
            text: text.to_owned(),
        };
        stay.last = self.stage.have(stay.doing(&doctor), add);
        let (mut wanted, mut second) = (drugs.to_vec(), None);
        if self.stage.random.chance(250) {
            let other = self.stage.random.below(ILLS.len() as u64) as usize;
            if other != stay.ill {
                let (code, text, drugs) = ILLS[other];
                let add = ClinicCommand::AddDiagnosis {
                    patient_id: id.clone(),
                    code: code.to_owned(),
                    text: text.to_owned(),
                };
                stay.last = self.stage.have(stay.doing(&doctor), add);
                wanted.extend(drugs);
                second = Some((code, drugs));
            }
        }
        if wanted.len() > 1 && self.stage.random.chance(500) {
            wanted.truncate(1);
        }
        for (drug, mg) in wanted {
            let theirs = |drugs: &[(&str, u64)]| drugs.iter().any(|(own, _)| *own == drug);
            let diagnosis = match second {
                Some((other, drugs)) if theirs(drugs) => other,
                _ => code,
            };
            let doses = self.stage.random.between(1, 4) as u64;
            let prescription_id = format!("rx-{}", self.prescriptions + 1);
            let prescribe = ClinicCommand::PrescribeTreatment {
                patient_id: id.clone(),
                prescription_id: prescription_id.clone(),
                diagnosis: diagnosis.to_owned(),
                drug: drug.to_owned(),
                mg,
                doses,
            };
            if let Ok(prescribed) = self.stage.ask(stay.doing(&doctor), prescribe) {
                self.prescriptions += 1;
                stay.last = prescribed;
                stay.drugs.push((prescription_id, drug, mg, doses));
            }
        }
        self.note_open(&stay);
        if self.stage.random.chance(450) {
            let test = Due::Test(stay.person, stay.number, stay.last);
            self.stage.plan_within(HOUR, 9 * HOUR, test);
        }
        self.stage
            .plan_within(30 * MINUTE, 3 * HOUR, Due::Treat(stay));
    }

    /// Writes down how many doses are still to be given.
    fn note_open(&mut self, stay: &Stay) {
        let left: u64 = stay.drugs.iter().map(|(.., left)| left).sum();
        let id = patient_id(stay.person);
        self.stage
            .book
            .note(&id, "openDoses", stay.last, json!(left));
    }

    fn treat(&mut self, mut stay: Box<Stay>) {
        let Some(at) = stay.drugs.iter().position(|(.., left)| *left > 0) else {
            return self
                .stage
                .plan_within(HOUR, 20 * HOUR, Due::Discharge(stay));
        };
        let (prescription, drug, mg, left) = &mut stay.drugs[at];
        *left -= 1;
        let finished = (*left == 0).then(|| (prescription.clone(), *drug, *mg));
        let administer = ClinicCommand::AdministerMedication {
            patient_id: patient_id(stay.person),
            prescription_id: prescription.clone(),
        };
        let nurse = *self.stage.random.pick(&NURSES);
        stay.last = self.stage.have(stay.doing(nurse), administer);
        let person = &mut self.people[stay.person];
        person.given += 1;
        person.finished.extend(finished);
        let (id, given) = (patient_id(stay.person), person.given);
        let book = &mut self.stage.book;
        book.note(&id, "dosesGiven", stay.last, json!(given));
        self.note_open(&stay);
        self.stage.plan_within(2 * HOUR, 8 * HOUR, Due::Treat(stay));
    }

    /// The laboratory reports hours after the blood was taken, so the log learns of it late.
    fn test(&mut self, person: usize, number: u64, cause: u64) {
        if !self.people[person].in_care {
            return;
        }
        self.stage.lag = self.stage.random.between(30 * 60, 3 * 60 * 60) * SECOND;
        let (test, low, high, unit) = *self.stage.random.pick(&TESTS);
        let value = self.stage.random.between(low, high);
        let receive = ClinicCommand::ReceiveTestResults {
            patient_id: patient_id(person),
            test: test.to_owned(),
            value: Amount(value.into()),
            unit: unit.to_owned(),
            abnormal: value > high - (high - low) / 5,
        };
        let doing = Doing {
            actor: "laboratory",
            journey: Some(("stay", number)),
            cause: Some(cause),
        };
        self.stage.have(doing, receive);
    }

    /// The doctor wants to send somebody home, and is told if something is missing.
    fn discharge(&mut self, mut stay: Box<Stay>) {
        let summaries = ["recovered", "improved", "to be seen again in a month"];
        let discharge = ClinicCommand::CompleteDischarge {
            patient_id: patient_id(stay.person),
            summary: (*self.stage.random.pick(&summaries)).to_owned(),
        };
        let doctor = stay.doctor.clone();
        match self.stage.ask(stay.doing(&doctor), discharge) {
            Ok(discharged) => {
                self.people[stay.person].in_care = false;
                let id = patient_id(stay.person);
                let book = &mut self.stage.book;
                book.note(&id, "status", discharged, "Discharged".into());
            }
            Err(_) => {
                stay.last = self.vitals(&stay);
                self.stage
                    .plan_within(10 * MINUTE, HOUR, Due::Discharge(stay));
            }
        }
    }
}

impl Play for Clinic {
    fn step(&mut self) {
        match self.stage.turn() {
            Due::Hour(hour) => self.begin_hour(hour),
            Due::Call(person) => self.call(person),
            Due::See(stay) => self.see(stay),
            Due::Treat(stay) => self.treat(stay),
            Due::Test(person, number, cause) => self.test(person, number, cause),
            Due::Discharge(stay) => self.discharge(stay),
        }
    }

    fn ready(&mut self) -> Option<Happening> {
        self.stage.ready()
    }

    fn book(&mut self) -> &mut Book {
        &mut self.stage.book
    }

    fn harmless(&self) -> &'static [&'static str] {
        &["TestResultsReceived"]
    }

    fn forge(&mut self, number: u64) -> Option<(&'static str, Vec<Happening>)> {
        let people = self.people.iter().enumerate();
        let with = |want: &dyn Fn(&Person) -> bool| -> Vec<usize> {
            let found = people.clone().filter(|(_, person)| want(person));
            found.map(|(person, _)| person).collect()
        };
        let (rule, actor, candidates) = match number % 3 {
            1 => {
                let home = with(&|person| !person.in_care && person.stays > 0);
                ("only-in-care", NURSES[0], home)
            }
            2 => {
                let allergic = with(&|person| person.in_care && person.allergy.is_some());
                ("no-allergy", "doctor-1", allergic)
            }
            _ => {
                let treated = with(&|person| person.in_care && !person.finished.is_empty());
                ("never-more-doses-than-prescribed", NURSES[1], treated)
            }
        };
        if candidates.is_empty() {
            return None;
        }
        let at = *self.stage.random.pick(&candidates);
        let person = &self.people[at];
        let (event_type, data): (&str, Value) = match rule {
            "only-in-care" => (
                "VitalSignsRecorded",
                json!({"systolic": 120, "diastolic": 80, "pulse": 70, "temperature": 37}),
            ),
            "no-allergy" => (
                "TreatmentPrescribed",
                json!({"prescriptionId": format!("rx-forged-{number}"), "diagnosis": "Z88", "drug": person.allergy, "mg": 1, "doses": 0}),
            ),
            _ => {
                let (prescription, drug, mg) = person.finished.last()?;
                (
                    "MedicationAdministered",
                    json!({"prescriptionId": prescription, "drug": drug, "mg": mg}),
                )
            }
        };
        let events = vec![undecided(patient_id(at), event_type, &data)];
        Some((rule, self.stage.forge(events, actor, number)))
    }
}
