//! Lines of a file around one, so that a finding or a reject can be looked at where it stands.

use std::io::{BufRead, Read};
use std::path::Path;

use serde::Serialize;
use ts_rs::TS;

use super::detect::{self, Asked};
use super::encoding::Encoding;
use super::files::{self, Origin, Source};
use super::{Format, ImportError, Progress};

/// Bytes of a line that are shown.
const SHOWN_BYTES: usize = 8 * 1024;

/// Lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LinesView {
    /// The file.
    pub file: String,
    /// The line asked for, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// It and those around it; none where the file has fewer lines.
    pub lines: Vec<LineView>,
    /// The last line of the file is among them, or before them.
    pub ended: bool,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LineView {
    /// Its number, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// Its text without the end of line; `\u{FFFD}` stands for what is no text.
    pub text: String,
    /// It is longer than what is shown, 8 KiB.
    pub cut: bool,
}

/// Reads a line of a file and `context` lines before and after it, unpacked and decoded as an import would.
///
/// # Errors
/// [`ImportError::Io`] where the file cannot be read, [`ImportError::Malformed`] where its packing is damaged.
///
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// let file = folder.path().join("events.jsonl");
/// std::fs::write(&file, "{\"a\":1}\nbroken\n{\"a\":3}\n").unwrap();
/// let view = annals_core::import::lines(&file, 2, 1, None).unwrap();
/// assert_eq!(view.lines.len(), 3);
/// assert_eq!(view.lines[1].text, "broken");
/// ```
pub fn lines(
    path: &Path,
    line: u64,
    context: u32,
    encoding: Option<Encoding>,
) -> Result<LinesView, ImportError> {
    let progress = Progress::default();
    let asked = Asked {
        // Told or not, its lines are shown.
        format: Format::Jsonl,
        encoding,
    };
    let source = files::find(path).unwrap_or_else(|| Source {
        path: path.to_owned(),
        origin: Origin::File,
        name: String::new(),
        in_folder: None,
        bytes: 0,
    });
    let mut input = detect::open(&source, asked, &progress)?;
    let context = u64::from(context);
    let mut view = LinesView {
        file: input.names.file.clone(),
        line,
        lines: Vec::new(),
        ended: false,
    };
    let terminator = if !input.head.contains(&b'\n') && input.head.contains(&b'\r') {
        b'\r'
    } else {
        b'\n'
    };
    let mut number = 0;
    while number < line.saturating_add(context) {
        number += 1;
        let is_shown = number.saturating_add(context) >= line;
        let read = read_line(&mut *input.reader, terminator, is_shown);
        let Some((text, cut)) = read.map_err(|e| input.names.unreadable(number, e))? else {
            view.ended = true;
            return Ok(view);
        };
        if is_shown {
            view.lines.push(LineView {
                line: number,
                text: String::from_utf8_lossy(&text).into_owned(),
                cut,
            });
        }
    }
    let rest = input.reader.fill_buf();
    view.ended = rest
        .map_err(|e| input.names.unreadable(number, e))?
        .is_empty();
    Ok(view)
}

/// Reads to the end of a line and gives its beginning, and whether it is longer; `None` at the end of the file.
fn read_line(
    reader: &mut dyn BufRead,
    terminator: u8,
    is_shown: bool,
) -> std::io::Result<Option<(Vec<u8>, bool)>> {
    let mut text = Vec::new();
    let room = if is_shown { SHOWN_BYTES as u64 } else { 1 };
    if (&mut *reader)
        .take(room)
        .read_until(terminator, &mut text)?
        == 0
    {
        return Ok(None);
    }
    let mut cut = false;
    if text.last() != Some(&terminator) {
        let mut rest = Vec::new();
        loop {
            rest.clear();
            let read = (&mut *reader)
                .take(1 << 16)
                .read_until(terminator, &mut rest)?;
            let is_end = read == 0 || rest.last() == Some(&terminator);
            cut |= rest.iter().any(|b| *b != terminator && *b != b'\r');
            if is_end {
                break;
            }
        }
    } else {
        text.pop();
    }
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    Ok(Some((text, cut)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_they_stand_and_long_ones_cut() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        let long = "x".repeat(SHOWN_BYTES * 3);
        std::fs::write(
            &file,
            [b"one\r\n\xff two\n", long.as_bytes(), b"\nlast"].concat(),
        )
        .unwrap();
        let seen = |line, context| {
            let view = lines(&file, line, context, None).unwrap();
            let shown: Vec<_> = view
                .lines
                .iter()
                .map(|l| (l.line, l.text.len(), l.cut))
                .collect();
            (shown, view.ended)
        };
        assert_eq!(seen(1, 0), (vec![(1, 3, false)], false));
        assert_eq!(
            seen(3, 1),
            (
                vec![(2, 7, false), (3, SHOWN_BYTES, true), (4, 4, false)],
                true
            )
        );
        assert_eq!(seen(9, 1), (vec![], true));
        let latin = lines(&file, 2, 0, Some(Encoding::Latin1)).unwrap();
        assert_eq!(latin.lines[0].text, "ÿ two");
        assert!(lines(&folder.path().join("none"), 1, 0, None).is_err());
    }
}
