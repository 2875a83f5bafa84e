//! The arguments of tables: a category, an instant, what was known.

use annals_tables::{Asked, Value};

use super::scene::Scene;
use super::view::SqlReading;
use crate::position::Position;
use crate::temporal::{AsOf, AtReading, parse_at};

/// Reads `at` and `known` from two arguments of a table, and notes how they were understood.
pub(super) fn as_of(
    scene: &Scene,
    table: &str,
    asked: &Asked,
    (at, known): (Option<usize>, usize),
) -> Result<AsOf, String> {
    let mut readings = Vec::new();
    let at = match at.and_then(|at| asked.argument(at)) {
        None | Some(Value::Null) => None,
        Some(Value::Text(text)) => {
            let AtReading { at, reading } = parse_at(text, scene.zone).map_err(|error| {
                format!("{table}: the instant: {error}; write '2024-01-31' for the end of a day, '2024-01-31T14:30:00Z' for an instant")
            })?;
            readings.extend(reading);
            Some(at)
        }
        Some(_) => {
            return Err(format!(
                "{table}: an instant is a text: '2024-01-31' for the end of a day, '2024-01-31T14:30:00Z' for an instant"
            ));
        }
    };
    let known = match asked.argument(known) {
        None | Some(Value::Null) => scene.known,
        Some(Value::Integer(position)) => position_of(scene, table, u64::try_from(*position).ok())?,
        Some(Value::Text(text)) if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() => {
            position_of(scene, table, text.parse().ok())?
        }
        Some(Value::Text(text)) => {
            let AtReading { at, reading } = parse_at(text, scene.zone).map_err(|error| {
                format!("{table}: what was known: {error}; write a position of the log, or a time of recording")
            })?;
            let position = scene.log.known_at(at).map_err(|e| scene.fail(e.into()))?;
            let position = position.min(scene.known);
            let what = reading.unwrap_or_else(|| at.to_string());
            readings.push(format!("known: recorded by {what}, position {position}"));
            position
        }
        Some(_) => {
            return Err(format!(
                "{table}: what was known is a position of the log, or a time of recording"
            ));
        }
    };
    scene.read_as(SqlReading {
        table: table.to_owned(),
        at,
        known,
        reading: (!readings.is_empty()).then(|| readings.join("; ")),
    });
    Ok(AsOf {
        at,
        known: Some(known),
    })
}

fn position_of(scene: &Scene, table: &str, position: Option<u64>) -> Result<Position, String> {
    match position {
        Some(position) if position <= scene.known.0 => Ok(Position(position)),
        _ => Err(format!(
            "{table}: the log has {} positions; what was known is one of 0 to {}",
            scene.known, scene.known
        )),
    }
}

/// Reads an argument that has to be a text.
pub(super) fn text<'a>(
    asked: &'a Asked,
    column: usize,
    table: &str,
    what: &str,
) -> Result<&'a str, String> {
    match asked.argument(column) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(format!("{table} needs {what}")),
    }
}
