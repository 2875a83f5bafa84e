//! Archives that others made, and what may be wrong with one.

use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::import::Format;
use crate::import::files::expand;
use crate::import::tests::zip;

fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn open(bytes: &[u8]) -> std::io::Result<Vec<(String, std::io::Result<Vec<u8>>)>> {
    let (_folder, path) = written(bytes);
    let archive = Arc::new(Archive::open(&path)?);
    let read = |(index, member): (usize, &Member)| {
        let mut text = Vec::new();
        let read = archive.read(index);
        let read = read.and_then(|mut reader| reader.read_to_end(&mut text));
        (member.name.clone(), read.map(|_| text))
    };
    Ok(archive.members.iter().enumerate().map(read).collect())
}

/// What `expand` makes of it: the sources, and what it skips.
fn sources(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (folder, path) = written(bytes);
    let (sources, skips) = expand(&[path], Format::Auto).unwrap();
    let bare = |text: &str| text.replace(&format!("{}/", folder.path().display()), "");
    (
        sources.into_iter().map(|source| source.name).collect(),
        skips
            .iter()
            .map(|skip| bare(&format!("{}: {}", skip.file, skip.why)))
            .collect(),
    )
}

#[test]
fn members_are_read_in_their_order() {
    let long = "line of text\n".repeat(50_000);
    let archive = zip(&[
        ("b/two.jsonl", long.as_bytes()),
        ("one.csv", b"a,b\n1,2\n"),
        ("empty", b""),
    ]);
    let found = open(&archive).unwrap();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b/two.jsonl", "one.csv", "empty"]);
    assert!(found[0].1.as_ref().unwrap() == long.as_bytes());
    assert_eq!(found[1].1.as_ref().unwrap(), b"a,b\n1,2\n");
    let prefixed = [b"#!/bin/sh\n".as_slice(), &archive].concat();
    assert_eq!(open(&prefixed).unwrap().len(), 3, "bytes before an archive");
}

#[test]
fn archives_in_archives_are_gone_into_and_their_path_is_the_source() {
    let inner = zip(&[("x.jsonl", b"{}\n")]);
    let deep = zip(&[
        ("deep/inner.zip", &inner),
        (".hidden", b"{}"),
        ("__MACOSX/y", b"{}"),
        ("y.jsonl", b"{}\n"),
    ]);
    assert_eq!(
        sources(&deep),
        (
            vec![
                "a.zip/deep/inner.zip/x.jsonl".to_owned(),
                "a.zip/y.jsonl".to_owned()
            ],
            vec![]
        )
    );
    let mut nested = inner;
    for _ in 0..6 {
        nested = zip(&[("again.zip", &nested)]);
    }
    let (found, skips) = sources(&nested);
    assert_eq!(found, [""; 0]);
    assert!(skips[0].contains("nested over 4 deep"), "{skips:?}");
}

#[test]
fn members_that_lead_outside_are_refused_and_said() {
    let archive = zip(&[
        ("../../etc/passwd", b"{}"),
        ("/absolute.jsonl", b"{}"),
        ("a/..\\b.jsonl", b"{}"),
        ("C:/x.jsonl", b"{}"),
        ("good.jsonl", b"{}\n"),
        ("good.jsonl", b"{}\n"),
    ]);
    let (found, skips) = sources(&archive);
    assert_eq!(found, ["a.zip/good.jsonl"]);
    assert_eq!(skips.len(), 5, "{skips:?}");
    assert!(
        skips[..4]
            .iter()
            .all(|skip| skip.contains("leads out of the archive"))
    );
    assert!(skips[4].contains("two of this name"));
}

#[test]
fn damage_is_told_and_nothing_panics() {
    let archive = zip(&[("a.jsonl", "{\"a\":1}\n".repeat(100).as_bytes())]);
    let around = zip(&[("inner.zip", &zip(&[("x", b"{}")]))]);
    assert!(
        open(&around[..around.len() - 30]).is_err(),
        "the one inside is not it"
    );
    for cut in 4..archive.len() {
        let _ = open(&archive[..cut]);
    }
    assert!(open(&archive[..archive.len() - 30]).is_err(), "cut off");
    for at in 0..archive.len() {
        for bit in [0x01, 0x80] {
            let mut flipped = archive.clone();
            flipped[at] ^= bit;
            if let Ok(found) = open(&flipped) {
                let whole = "{\"a\":1}\n".repeat(100);
                let same = |(_, text): &(String, std::io::Result<Vec<u8>>)| {
                    text.as_ref().is_ok_and(|text| text != whole.as_bytes())
                };
                assert!(
                    !found.iter().any(same),
                    "byte {at} gives other text without a word"
                );
            }
        }
    }
}

/// All members are the same packed bytes: each by itself is harmless.
#[test]
fn a_bomb_is_not_unpacked_to_its_end() {
    let zeros = vec![0; 16 << 20];
    let one = zip(&[("zeros", &zeros)]);
    let list_at = one.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let end_at = one.len() - 22;
    let list = one[list_at..end_at].repeat(20);
    let mut end = one[end_at..].to_vec();
    end[8..10].copy_from_slice(&20_u16.to_le_bytes());
    end[10..12].copy_from_slice(&20_u16.to_le_bytes());
    end[12..16].copy_from_slice(&(list.len() as u32).to_le_bytes());
    let (_folder, path) = written(&[&one[..list_at], &list, &end].concat());
    let archive = Arc::new(Archive::open(&path).unwrap());
    let read = |index| std::io::copy(&mut archive.read(index).unwrap(), &mut std::io::sink());
    assert!(read(0).is_ok());
    let error = (1..20).find_map(|index| read(index).err()).unwrap();
    assert!(error.to_string().contains("250 times"), "{error}");
}

#[test]
fn other_packings_are_refused_by_name() {
    let mut archive = zip(&[("a.jsonl", b"{}\n")]);
    let list = archive.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    archive[list + 10] = 14;
    let found = open(&archive).unwrap();
    let error = found[0].1.as_ref().unwrap_err();
    assert!(error.to_string().contains("method 14"), "{error}");
    archive[list + 10] = 8;
    archive[list + 8] |= 1;
    assert!(sources(&archive).1[0].contains("encrypted"));
    let mut out = Vec::new();
    out.write_all(b"PK\x05\x06").unwrap();
    out.resize(22, 0);
    assert!(sources(&out).1[0].contains("empty"));
}
