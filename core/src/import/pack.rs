//! Packed files: gzip and Zstandard, all members one after the other, with a limit against bombs.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a file is packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// Told by the first bytes.
    pub(super) fn of(start: &[u8]) -> Compression {
        match start {
            [0x1F, 0x8B, ..] => Compression::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Compression::Zstd,
            [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }

    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

const BUFFER_BYTES: usize = 256 * 1024;

/// Unpacked bytes from which on the ratio counts: what a small file unpacks to does no harm.
const BOMB_BYTES: u64 = 256 << 20;
/// Most unpacked bytes for one packed byte. Logs of nothing but repetitions reach some fifty.
const BOMB_RATIO: u64 = 250;

/// Unpacks a reader whose packed bytes are counted in `packed`.
pub(super) fn unpacked<'p>(
    reader: impl BufRead + 'p,
    compression: Compression,
    packed: Arc<AtomicU64>,
) -> Box<dyn BufRead + 'p> {
    let inner: Box<dyn Read + 'p> = match compression {
        Compression::None => return Box::new(reader),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        Compression::Zstd => Box::new(Frames {
            reader,
            decoder: FrameDecoder::new(),
            inside: false,
        }),
    };
    let limited = Limited {
        inner,
        packed,
        unpacked: 0,
    };
    Box::new(BufReader::with_capacity(BUFFER_BYTES, limited))
}

/// Stops where a file unpacks to far more than data does.
struct Limited<'p> {
    inner: Box<dyn Read + 'p>,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.packed.load(Ordering::Relaxed).max(1);
        if self.unpacked > BOMB_BYTES && self.unpacked / packed > BOMB_RATIO {
            return Err(Error::new(
                ErrorKind::FileTooLarge,
                format!(
                    "it unpacks to more than {BOMB_RATIO} times its size, which data does not; if it is data, unpack it yourself"
                ),
            ));
        }
        Ok(read)
    }
}

/// Zstandard frames one after the other; frames to be skipped are.
struct Frames<R> {
    reader: R,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: BufRead> Frames<R> {
    /// Begins the next frame; `false` at the end.
    fn begin(&mut self) -> std::io::Result<bool> {
        loop {
            if self.reader.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.reader) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped =
                        std::io::copy(&mut (&mut self.reader).take(length), &mut std::io::sink())?;
                    if skipped < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
    }

    /// Compares the frame's checksum, where it has one.
    fn end(&mut self) -> std::io::Result<()> {
        self.inside = false;
        match self.decoder.get_checksum_from_data() {
            Some(said) if self.decoder.get_calculated_checksum() != Some(said) => {
                Err(Error::new(ErrorKind::InvalidData, "a checksum is wrong"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.inside && !self.begin()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.reader, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(damaged)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.end()?;
        }
    }
}

fn damaged(error: FrameDecoderError) -> Error {
    Error::new(ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
        let count = Arc::new(AtomicU64::new(packed.len() as u64));
        let mut out = Vec::new();
        unpacked(packed, Compression::of(packed), count).read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn every_member_is_read() {
        let long = "{\"a\":1}\n".repeat(100_000);
        for pack in [gzip, zstd] {
            let members = [pack(b"one\n"), pack(b""), pack(long.as_bytes())].concat();
            let want = format!("one\n{long}");
            assert!(unpack(&members).unwrap() == want.as_bytes());
        }
        let skippable = [&b"\x50\x2A\x4D\x18\x03\0\0\0abc"[..], &zstd(b"one")].concat();
        assert_eq!(unpack(&skippable).unwrap(), b"one");
    }

    #[test]
    fn what_is_cut_off_damaged_or_followed_by_other_bytes_is_an_error() {
        let text = "some text of a file, with words in it\n".repeat(50);
        for pack in [gzip, zstd] {
            let whole = pack(text.as_bytes());
            for cut in [3, whole.len() / 2, whole.len() - 1] {
                assert!(unpack(&whole[..cut.max(4)]).is_err(), "cut at {cut}");
            }
            let trailing = [&whole[..], b"trailing bytes that are no member"].concat();
            assert!(unpack(&trailing).is_err());
            let mut flipped = whole.clone();
            let last = flipped.len() - 2;
            flipped[last] ^= 1;
            assert!(unpack(&flipped).is_err(), "a checksum is compared");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked_to_its_end() {
        let zeros = vec![0; 16 << 20];
        let bomb: Vec<u8> = std::iter::repeat_n(gzip(&zeros), 40).flatten().collect();
        let count = Arc::new(AtomicU64::new(bomb.len() as u64));
        let mut reader = unpacked(&bomb[..], Compression::Gzip, count);
        let error = std::io::copy(&mut reader, &mut std::io::sink()).unwrap_err();
        assert!(error.to_string().contains("250 times"), "{error}");
    }
}
