//! Numbers in as few bytes as they need (LEB128). How many bytes are read at most, and what one that is cut off means,
//! is said where they are read.

/// Writes a number, seven bits a byte, the lowest first; all bytes but the last have the highest bit set.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        #[allow(clippy::cast_possible_truncation, reason = "seven bits fit")]
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "seven bits fit")]
    out.push(number as u8);
}
