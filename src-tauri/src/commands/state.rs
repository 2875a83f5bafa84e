//! State at a moment, and the difference between two.

use annals_core::position::Position;
use annals_core::store::Log;
use annals_core::temporal::{AsOf, Moment, parse_at};
use tauri::State;

use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host};
use crate::wire::{DiffArgs, MomentArgs, StateArgs};

/// A stream's state at a moment.
#[tauri::command]
pub async fn state(host: State<'_, Host>, args: StateArgs) -> Answer {
    let StateArgs {
        stream,
        at,
        known,
        version,
    } = args;
    let asked = MomentArgs { at, known, version };
    let name = stream.clone();
    let answer = host
        .ask_long(move |store, log, _| {
            let (moment, reading) = moment(log, &asked)?;
            let models = store.models();
            let mut view = models.cache.state(log, &models.set, &stream, &moment)?;
            view.reading = reading;
            Ok::<_, HostError>(view)
        })
        .await?;
    host.read_whole(name)?;
    Ok(answer)
}

/// What differs between two moments of a stream.
#[tauri::command]
pub async fn diff(host: State<'_, Host>, args: DiffArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (from, from_reading) = moment(log, &args.from)?;
        let (to, to_reading) = moment(log, &args.to)?;
        let models = store.models();
        let mut view = models
            .cache
            .diff(log, &models.set, &args.stream, &from, &to)?;
        view.from.reading = from_reading;
        view.to.reading = to_reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Reads where a user wants to stand; the second part says how a text was read that left a choice.
pub(super) fn moment(log: &Log, asked: &MomentArgs) -> Result<(Moment, Option<String>), HostError> {
    let MomentArgs { at, known, version } = asked;
    if let Some(version) = version {
        if at.is_some() || known.is_some() {
            let message = "a version says both what had happened and what was known, so it excludes a time and a position";
            return Err(HostError::new(ErrorCode::BadInput, message));
        }
        return Ok((Moment::Version(*version), None));
    }
    let mut readings = Vec::new();
    let mut read = |text: &str| {
        let answer = parse_at(text, chrono_tz::UTC)?;
        readings.extend(answer.reading);
        Ok::<_, HostError>(answer.at)
    };
    let at = at.as_deref().map(&mut read).transpose()?;
    let known = match known.as_deref() {
        None => None,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => Some(position(text)?),
        Some(text) => Some(log.known_at(read(text)?)?),
    };
    let reading = (!readings.is_empty()).then(|| readings.join("; "));
    Ok((Moment::AsOf(AsOf { at, known }), reading))
}

/// Reads what was known: a position, or a time of recording.
pub(super) fn known(log: &Log, text: &str) -> Result<Position, HostError> {
    match text.bytes().all(|b| b.is_ascii_digit()) {
        true => position(text),
        false => Ok(log.known_at(parse_at(text, chrono_tz::UTC)?.at)?),
    }
}

fn position(text: &str) -> Result<Position, HostError> {
    let number = text.parse().map_err(|_| {
        HostError::new(
            ErrorCode::BadInput,
            format!("{text:?} is no position and no time"),
        )
    })?;
    Ok(Position(number))
}

/// Reads an instant on the whole log, and says how it was understood.
pub(super) fn as_of(
    log: &Log,
    at: Option<String>,
    known: Option<String>,
) -> Result<(AsOf, Option<String>), HostError> {
    let asked = MomentArgs {
        at,
        known,
        version: None,
    };
    match moment(log, &asked)? {
        (Moment::AsOf(as_of), reading) => Ok((as_of, reading)),
        (Moment::Version(_), reading) => Ok((AsOf::default(), reading)),
    }
}
