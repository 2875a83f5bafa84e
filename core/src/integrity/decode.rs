//! Leaf and identity bytes read back: the other direction of [`super::leaf`], strict, so that what is read has one
//! encoding and gives the same bytes again.

use crate::integrity::Hash;
use crate::integrity::leaf::{Identity, Leaf, MAGIC, NO_METADATA, TimeFlags};
use crate::time::Time;

/// Why bytes are no leaf or no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub &'static str);

/// An identity, with room for its links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedIdentity<'b> {
    links: Vec<(&'b str, u64, &'b str)>,
    fields: Identity<'b>,
}

impl<'b> DecodedIdentity<'b> {
    /// The identity; its links are [`DecodedIdentity::links`].
    #[must_use]
    pub fn get(&self) -> &Identity<'b> {
        &self.fields
    }

    /// Further streams: name, version there, qualifier.
    #[must_use]
    pub fn links(&self) -> &[(&'b str, u64, &'b str)] {
        &self.links
    }
}

/// Reads leaf bytes (`docs/formats/leaf.md`).
///
/// # Errors
/// [`DecodeError`] where they are not exactly one leaf.
///
/// ```
/// use annals_core::integrity::decode;
/// assert!(decode::leaf(b"annals-leaf/2").is_err());
/// ```
pub fn leaf(bytes: &[u8]) -> Result<Leaf<'_>, DecodeError> {
    let mut reader = Reader(bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(DecodeError("it does not begin with annals-leaf/1"));
    }
    let leaf = Leaf {
        event_type: reader.text()?,
        version: reader.u64()?,
        time: reader.time()?,
        time_flags: reader.flags()?,
        time_text: reader.option()?,
        recorded_us: reader.i64()?,
        schema_version: reader.option()?,
        data_type: reader.text()?,
        metadata_type: reader.option()?,
        identity: reader.hash()?,
        data: reader.hash()?,
        metadata: reader.hash()?,
    };
    reader.end()?;
    if leaf.metadata_type.is_none() && leaf.metadata != NO_METADATA {
        return Err(DecodeError("it has a hash of metadata and no metadata"));
    }
    Ok(leaf)
}

/// Reads identity bytes.
///
/// # Errors
/// [`DecodeError`] where they are not exactly one identity.
pub fn identity(bytes: &[u8]) -> Result<DecodedIdentity<'_>, DecodeError> {
    let mut reader = Reader(bytes);
    let (id, stream, category) = (reader.text()?, reader.text()?, reader.text()?);
    let count = reader.u32()?;
    let mut links: Vec<(&str, u64, &str)> = Vec::new();
    for _ in 0..count {
        let link = (reader.text()?, reader.u64()?, reader.text()?);
        let in_order = links.last().is_none_or(|before| before.0 < link.0);
        if !in_order || link.0 == stream {
            return Err(DecodeError("its links are not in order"));
        }
        links.push(link);
    }
    let fields = Identity {
        id,
        stream,
        category,
        links: &[],
        source: reader.option()?,
        source_id: reader.option()?,
        source_version: reader.option()?,
        source_position: reader.option()?,
        source_recorded_at: match reader.u8()? {
            0 => None,
            1 => Some(reader.time()?),
            _ => return Err(DecodeError("a flag is neither 0 nor 1")),
        },
    };
    reader.end()?;
    Ok(DecodedIdentity { links, fields })
}

/// What is left of the bytes.
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'b [u8], DecodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(DecodeError("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(DecodeError("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, DecodeError> {
        Ok(Hash(self.array()?))
    }

    /// A length and so many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], DecodeError> {
        let len = self.u32()? as usize;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'b str, DecodeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DecodeError("a text is not UTF-8"))
    }

    fn option(&mut self) -> Result<Option<&'b str>, DecodeError> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(DecodeError("a flag is neither 0 nor 1")),
        }
    }

    fn time(&mut self) -> Result<Time, DecodeError> {
        let (us, sub_ns) = (self.i64()?, self.u16()?);
        Time::from_parts(us, sub_ns).ok_or(DecodeError("a time is outside the years 0001 to 9999"))
    }

    fn flags(&mut self) -> Result<TimeFlags, DecodeError> {
        let flags = self.u8()?;
        let known = TimeFlags::DATE_ONLY | TimeFlags::ZONE_ASSUMED | TimeFlags::AMBIGUOUS;
        if flags & !known != 0 {
            return Err(DecodeError("the time has flags that nobody knows"));
        }
        Ok(TimeFlags(flags))
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(DecodeError("bytes follow its end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Leaf<'static> {
        Leaf {
            event_type: "OrderPlaced",
            version: 3,
            time: Time::from_parts(-1, 999).unwrap(),
            time_flags: TimeFlags(TimeFlags::DATE_ONLY),
            time_text: Some(""),
            recorded_us: -5,
            schema_version: None,
            data_type: "application/json",
            metadata_type: Some("text/plain"),
            identity: Hash([1; 32]),
            data: Hash([2; 32]),
            metadata: Hash([3; 32]),
        }
    }

    #[test]
    fn a_leaf_is_read_as_it_was_written_and_no_other_bytes_are() {
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        assert_eq!(leaf(&bytes).unwrap(), sample());
        for len in 0..bytes.len() {
            assert!(leaf(&bytes[..len]).is_err(), "{len} bytes");
        }
        assert!(leaf(&[&bytes[..], &[0]].concat()).is_err());
        // Whatever is read gives the same bytes again.
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(read) = leaf(&changed) {
                    let mut again = Vec::new();
                    read.encode(&mut again);
                    assert_eq!(again, changed, "byte {at}");
                }
            }
        }
    }

    #[test]
    fn an_identity_is_read_as_it_was_written() {
        let links = [("a", 1, ""), ("b", 2, "payer")];
        let written = Identity {
            id: "e-1",
            stream: "order-1",
            category: "order",
            links: &links,
            source: Some("shop"),
            source_id: None,
            source_version: Some("7"),
            source_position: None,
            source_recorded_at: Some(Time::MIN),
        };
        let mut bytes = Vec::new();
        written.encode(&mut bytes);
        let read = identity(&bytes).unwrap();
        assert_eq!(read.links(), links);
        let fields = Identity {
            links: read.links(),
            ..read.get().clone()
        };
        assert_eq!(fields, written);
        for len in 0..bytes.len() {
            assert!(identity(&bytes[..len]).is_err(), "{len} bytes");
        }
    }
}
