//! How the bytes of a file spell text, and how they become UTF-8.
//!
//! UTF-8 and UTF-16 are told by the content. ISO-8859-1 and Windows-1252 never are: any bytes at all would be
//! text in them, so a guess would change names in silence.

use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How the bytes of a file spell text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub enum Encoding {
    /// UTF-8. Bytes that are none make the record a reject.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// ISO-8859-1: every byte is the character of that number.
    #[serde(rename = "latin-1")]
    Latin1,
    /// Windows-1252: as ISO-8859-1, with quotes, dashes and the euro sign at 0x80 to 0x9F.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// Every encoding, in the order of the documentation.
    pub const ALL: [Encoding; 5] = [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Latin1,
        Encoding::Windows1252,
    ];

    /// Name on the wire, on the command line and in mappings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
            Encoding::Latin1 => "latin-1",
            Encoding::Windows1252 => "windows-1252",
        }
    }
}

impl std::str::FromStr for Encoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Encoding, String> {
        let found = Encoding::ALL.into_iter().find(|e| e.name() == name);
        found.ok_or_else(|| {
            let names = Encoding::ALL.map(Encoding::name).join(", ");
            format!("{name:?} is no encoding that Annals reads; it reads {names}")
        })
    }
}

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// What the first bytes tell: the encoding, how many bytes its mark takes, and how it was told.
pub(super) fn tell(head: &[u8]) -> (Encoding, usize, &'static str) {
    if head.starts_with(UTF8_BOM) {
        return (Encoding::Utf8, 3, "");
    }
    if head.starts_with(b"\xFF\xFE") {
        return (Encoding::Utf16Le, 2, "UTF-16 by its byte-order mark, ");
    }
    if head.starts_with(b"\xFE\xFF") {
        return (Encoding::Utf16Be, 2, "UTF-16 by its byte-order mark, ");
    }
    match head {
        // The first character of JSON, XML and CSV is nearly always in ASCII, and no text holds a NUL.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            (Encoding::Utf16Le, 0, "UTF-16 by its zero bytes, ")
        }
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
            (Encoding::Utf16Be, 0, "UTF-16 by its zero bytes, ")
        }
        _ => (Encoding::Utf8, 0, ""),
    }
}

/// Number of bytes that a byte-order mark of this encoding takes at the beginning.
pub(super) fn mark_len(encoding: Encoding, head: &[u8]) -> usize {
    let mark: &[u8] = match encoding {
        Encoding::Utf8 => UTF8_BOM,
        Encoding::Utf16Le => b"\xFF\xFE",
        Encoding::Utf16Be => b"\xFE\xFF",
        Encoding::Latin1 | Encoding::Windows1252 => b"",
    };
    if head.starts_with(mark) {
        mark.len()
    } else {
        0
    }
}

/// Characters of Windows-1252 at 0x80 to 0x9F; the five that it leaves open are the control characters of
/// those numbers, as everywhere on the web.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads text of another encoding as UTF-8. What is no text in UTF-16 (half of a pair, half of a unit) becomes
/// bytes that are no UTF-8 either, so that the record it is in is rejected and no other.
pub(super) struct Decoded<R> {
    inner: R,
    encoding: Encoding,
    /// UTF-8 that is ready, from `at` on.
    ready: Vec<u8>,
    at: usize,
    /// First half of a unit, and of a pair.
    odd: Option<u8>,
    high: Option<u16>,
    ended: bool,
}

const CHUNK_BYTES: usize = 64 * 1024;

impl<R: Read> Decoded<R> {
    /// Reads `inner`, whose mark was taken off.
    pub(super) fn new(inner: R, encoding: Encoding) -> Decoded<R> {
        Decoded {
            inner,
            encoding,
            ready: Vec::new(),
            at: 0,
            odd: None,
            high: None,
            ended: false,
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.ready.clear();
        self.at = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        while self.ready.is_empty() && !self.ended {
            let read = self.inner.read(&mut chunk)?;
            self.ended = read == 0;
            self.take(&chunk[..read]);
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        let unit: fn([u8; 2]) -> u16 = match self.encoding {
            Encoding::Utf8 => return self.ready.extend_from_slice(bytes),
            Encoding::Latin1 | Encoding::Windows1252 => {
                for byte in bytes {
                    let character = match byte {
                        0x80..=0x9F if self.encoding == Encoding::Windows1252 => {
                            WINDOWS_1252[usize::from(byte - 0x80)]
                        }
                        byte => char::from(*byte),
                    };
                    self.push(character);
                }
                return;
            }
            Encoding::Utf16Le => u16::from_le_bytes,
            Encoding::Utf16Be => u16::from_be_bytes,
        };
        let mut rest = bytes;
        if let (Some(odd), [first, more @ ..]) = (self.odd, rest) {
            self.odd = None;
            rest = more;
            self.unit(unit([odd, *first]));
        }
        let mut pairs = rest.chunks_exact(2);
        for pair in &mut pairs {
            self.unit(unit([pair[0], pair[1]]));
        }
        if let [odd] = pairs.remainder() {
            self.odd = Some(*odd);
        }
        if self.ended {
            if self.odd.take().is_some() {
                self.ready.push(0xFF);
            }
            self.lone();
        }
    }

    fn unit(&mut self, unit: u16) {
        match (self.high, unit) {
            (Some(high), 0xDC00..=0xDFFF) => {
                self.high = None;
                for character in char::decode_utf16([high, unit]).flatten() {
                    self.push(character);
                }
            }
            (_, 0xD800..=0xDBFF) => {
                self.lone();
                self.high = Some(unit);
            }
            (_, unit) => {
                self.lone();
                match char::from_u32(u32::from(unit)) {
                    Some(character) => self.push(character),
                    None => self.surrogate(unit),
                }
            }
        }
    }

    /// Half of a pair whose other half did not come.
    fn lone(&mut self) {
        if let Some(high) = self.high.take() {
            self.surrogate(high);
        }
    }

    fn surrogate(&mut self, unit: u16) {
        let [high, low] = unit.to_be_bytes();
        let bytes = [
            0xED,
            0x80 | (high & 0x0F) << 2 | low >> 6,
            0x80 | (low & 0x3F),
        ];
        self.ready.extend_from_slice(&bytes);
    }

    fn push(&mut self, character: char) {
        let mut utf8 = [0; 4];
        self.ready
            .extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let ready = self.fill_buf()?;
        let len = ready.len().min(buffer.len());
        buffer[..len].copy_from_slice(&ready[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl<R: Read> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.at >= self.ready.len() {
            self.fill()?;
        }
        Ok(&self.ready[self.at..])
    }

    fn consume(&mut self, len: usize) {
        self.at += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every unit and pair is cut.
    struct Drops<'b>(&'b [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let (Some(first), Some(place)) = (self.0.first(), buffer.first_mut()) else {
                return Ok(0);
            };
            *place = *first;
            self.0 = &self.0[1..];
            Ok(1)
        }
    }

    fn decoded(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
        let mut whole = Vec::new();
        Decoded::new(bytes, encoding)
            .read_to_end(&mut whole)
            .unwrap();
        let mut dripped = Vec::new();
        Decoded::new(Drops(bytes), encoding)
            .read_to_end(&mut dripped)
            .unwrap();
        assert_eq!(whole, dripped, "however the bytes come");
        whole
    }

    #[test]
    fn utf16_becomes_utf8() {
        let text = "größe,\u{10348},日本\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(&le, Encoding::Utf16Le), text.as_bytes());
        assert_eq!(decoded(&be, Encoding::Utf16Be), text.as_bytes());
    }

    #[test]
    fn what_is_no_utf16_becomes_no_utf8_where_it_stands() {
        for units in [
            vec![0x61, 0xD800, 0x62],
            vec![0xDC00, 0x62],
            vec![0x61, 0xD800],
        ] {
            let bytes: Vec<u8> = units.iter().flat_map(|u: &u16| u.to_le_bytes()).collect();
            let text = decoded(&bytes, Encoding::Utf16Le);
            assert!(std::str::from_utf8(&text).is_err(), "{units:?}: {text:?}");
            assert_eq!(text.contains(&b'b'), units.contains(&0x62));
        }
        assert_eq!(decoded(b"a\0b", Encoding::Utf16Le), b"a\xFF");
    }

    #[test]
    fn single_bytes_become_characters() {
        assert_eq!(
            decoded(b"caf\xE9 \x80 \x93", Encoding::Windows1252),
            "café € “".as_bytes()
        );
        assert_eq!(
            decoded(b"caf\xE9 \x80", Encoding::Latin1),
            "café \u{80}".as_bytes()
        );
        let all: Vec<u8> = (0..=255).collect();
        let want: String = all.iter().map(|b| *b as char).collect();
        assert_eq!(decoded(&all, Encoding::Latin1), want.as_bytes());
    }

    #[test]
    fn encodings_are_told_by_marks_and_zero_bytes() {
        for (head, want) in [
            (&b"\xFF\xFEa\0"[..], (Encoding::Utf16Le, 2)),
            (b"\xFE\xFF\0a", (Encoding::Utf16Be, 2)),
            (b"{\0\"\0", (Encoding::Utf16Le, 0)),
            (b"\0{\0\"", (Encoding::Utf16Be, 0)),
            (b"\xEF\xBB\xBFa", (Encoding::Utf8, 3)),
            (b"a,b", (Encoding::Utf8, 0)),
            (b"caf\xE9", (Encoding::Utf8, 0)),
            (b"", (Encoding::Utf8, 0)),
        ] {
            let (encoding, mark, _) = tell(head);
            assert_eq!((encoding, mark), want, "{head:?}");
        }
    }
}
