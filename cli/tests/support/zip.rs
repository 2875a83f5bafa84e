//! ZIP archives whose members are stored as they are.

/// An archive with these members.
pub fn stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let size = (bytes.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 8, 0, 0, 0, 0, 0, 0];
        common.extend(crc(bytes).to_le_bytes());
        common.extend(size);
        common.extend(size);
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let at = (out.len() as u32).to_le_bytes();
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*bytes);
        list.extend(b"PK\x01\x02\x14\x03");
        list.extend(&common);
        list.extend([0; 10]);
        list.extend(at);
        list.extend(name.as_bytes());
    }
    let count = (members.len() as u16).to_le_bytes();
    let at = (out.len() as u32).to_le_bytes();
    out.extend(&list);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend((list.len() as u32).to_le_bytes());
    out.extend(at);
    out.extend([0, 0]);
    out
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
