//! The tree against the definition in RFC 6962, word by word, and against other people's vectors.

mod notes;
mod stored;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::Hash;
use super::tree::*;

fn leaf(n: u64) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0])
            .chain_update(n.to_string())
            .finalize()
            .into(),
    )
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(leaf).collect()
}

/// MTH(D[n]) of RFC 6962, section 2.1.
fn reference_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest(b"").into()),
        [one] => *one,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            let (left, right) = leaves.split_at(k);
            let hash = Sha256::new()
                .chain_update([1])
                .chain_update(reference_root(left).0)
                .chain_update(reference_root(right).0)
                .finalize();
            Hash(hash.into())
        }
    }
}

#[test]
fn roots_agree_with_the_definition_for_every_small_size() {
    let all = leaves(130);
    let mut frontier = Frontier::default();
    for size in 0..=all.len() {
        let want = reference_root(&all[..size]);
        assert_eq!(frontier.root(), want, "frontier of {size}");
        assert_eq!(root(&all[..size]), want, "root of {size}");
        let again = Frontier::from_parts(frontier.size(), frontier.roots().to_vec());
        assert_eq!(
            again.as_ref(),
            Some(&frontier),
            "stored and loaded at {size}"
        );
        if let Some(next) = all.get(size) {
            frontier.push(*next);
        }
    }
    assert_eq!(Frontier::from_parts(3, vec![leaf(0)]), None);
}

#[test]
fn every_proof_of_every_small_tree_verifies_and_no_other_does() {
    let all = leaves(20);
    for size in 1..=all.len() {
        let tree = &all[..size];
        let head = root(tree);
        for index in 0..size {
            let proof = inclusion_proof(tree, index as u64).unwrap();
            let verify = |i: usize, n: usize, hash: &Hash, proof: &[Hash]| {
                verify_inclusion(hash, i as u64, n as u64, proof, &head)
            };
            assert!(
                verify(index, size, &tree[index], &proof),
                "{index} of {size}"
            );
            assert!(!verify(index, size, &leaf(99), &proof), "other leaf");
            assert!(!verify(index + size, size, &tree[index], &proof), "outside");
            let long = [&proof[..], &[leaf(1)]].concat();
            assert!(!verify(index, size, &tree[index], &long), "one hash more");
            if let Some((_, short)) = proof.split_last() {
                assert!(!verify(index, size, &tree[index], short), "one hash less");
            }
            for other in (0..size).filter(|other| *other != index) {
                assert!(!verify(other, size, &tree[index], &proof), "other index");
            }
        }
        for old in 1..=size {
            let proof = consistency_proof(tree, old as u64).unwrap();
            let (from, to) = (root(&tree[..old]), head);
            let (old, size) = (old as u64, size as u64);
            assert!(
                verify_consistency(old, size, &proof, &from, &to),
                "{old} to {size}"
            );
            assert!(
                !verify_consistency(old, size, &proof, &leaf(99), &to),
                "other start"
            );
            assert!(
                !verify_consistency(old, size, &proof, &from, &leaf(99)),
                "other end"
            );
            let long = [&proof[..], &[leaf(1)]].concat();
            assert!(
                !verify_consistency(old, size, &long, &from, &to),
                "one hash more"
            );
            if let Some((_, short)) = proof.split_last() {
                assert!(
                    !verify_consistency(old, size, short, &from, &to),
                    "one hash less"
                );
            }
        }
        assert_eq!(inclusion_proof(tree, size as u64), None);
        assert_eq!(consistency_proof(tree, size as u64 + 1), None);
        assert_eq!(consistency_proof(tree, 0), None);
        assert!(!verify_consistency(
            0,
            size as u64,
            &[],
            &empty_root(),
            &head
        ));
    }
}

proptest! {
    #[test]
    fn proofs_of_larger_trees_verify(size in 1u64..700, a in 0u64..700, b in 0u64..700) {
        let all = leaves(size);
        let (index, old) = (a % size, 1 + b % size);
        let head = root(&all);
        prop_assert_eq!(head, reference_root(&all));
        let inclusion = inclusion_proof(&all, index).unwrap();
        prop_assert!(verify_inclusion(&leaf(index), index, size, &inclusion, &head));
        let consistency = consistency_proof(&all, old).unwrap();
        let from = root(&all[..old as usize]);
        prop_assert!(verify_consistency(old, size, &consistency, &from, &head));
    }
}

fn datasets() -> std::path::PathBuf {
    match option_env!("ANNALS_DATASETS") {
        Some(folder) => std::path::PathBuf::from(folder),
        None => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets"),
    }
}

/// Vectors of transparency-dev/merkle (Apache-2.0). They lie beside the project, not in it.
fn foreign_vectors(kind: &str) -> Vec<(String, serde_json::Value)> {
    let folder = datasets().join("tlog/merkle-testdata").join(kind);
    let mut found = Vec::new();
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((
                    path.display().to_string(),
                    serde_json::from_str(&text).unwrap(),
                ));
            }
        }
    }
    if found.is_empty() {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: {kind} vectors are not here");
    }
    found
}

/// Standard base64 with padding, as the vectors have it.
fn base64(value: &serde_json::Value) -> Option<Hash> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for c in value.as_str()?.bytes().filter(|c| *c != b'=') {
        bits = bits << 6 | DIGITS.iter().position(|d| *d == c)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    // Some vectors have other bytes for a root; what stands for them is at least as different.
    let short = |bytes: Vec<u8>| Hash(Sha256::digest(bytes).into());
    Some(bytes.try_into().map_or_else(short, Hash))
}

fn foreign_proof(value: &serde_json::Value) -> Option<Vec<Hash>> {
    match value.as_array() {
        None => Some(Vec::new()),
        Some(list) => list.iter().map(base64).collect(),
    }
}

#[test]
fn foreign_inclusion_vectors_come_out_as_they_say() {
    for (path, v) in foreign_vectors("inclusion") {
        let good = (|| {
            let leaf = base64(&v["leafHash"]).filter(|_| v["leafHash"] != "")?;
            let (root, proof) = (base64(&v["root"])?, foreign_proof(&v["proof"])?);
            let (index, size) = (v["leafIdx"].as_u64()?, v["treeSize"].as_u64()?);
            Some(verify_inclusion(&leaf, index, size, &proof, &root))
        })();
        assert_eq!(good.unwrap_or(false), v["wantErr"] == false, "{path}");
    }
}

#[test]
fn foreign_consistency_vectors_come_out_as_they_say() {
    for (path, v) in foreign_vectors("consistency") {
        let good = (|| {
            let (old, new) = (v["size1"].as_u64()?, v["size2"].as_u64()?);
            let (from, to) = (base64(&v["root1"])?, base64(&v["root2"])?);
            Some(verify_consistency(
                old,
                new,
                &foreign_proof(&v["proof"])?,
                &from,
                &to,
            ))
        })();
        assert_eq!(good.unwrap_or(false), v["wantErr"] == false, "{path}");
    }
}

#[test]
fn the_leaves_of_every_range_of_every_small_tree_prove_to_be_all_of_it() {
    let all = leaves(20);
    for size in 1..=all.len() {
        let tree = &all[..size];
        let head = root(tree);
        for first in 0..size {
            for end in first + 1..=size {
                let range = first as u64..end as u64;
                let proof = range_proof(tree, range).unwrap();
                let verify = |leaves: &[Hash], first: usize, size: usize, proof: &[Hash]| {
                    verify_range(leaves, first as u64, size as u64, proof, &head)
                };
                let within = &tree[first..end];
                let what = format!("{first}..{end} of {size}");
                assert!(verify(within, first, size, &proof), "{what}");
                assert!(
                    !verify(&within[1..], first, size, &proof),
                    "{what}: first left out"
                );
                assert!(
                    !verify(&within[1..], first + 1, size, &proof),
                    "{what}: first left out, told"
                );
                let (_, short) = within.split_last().unwrap();
                assert!(!verify(short, first, size, &proof), "{what}: last left out");
                let long = [within, &[leaf(99)]].concat();
                assert!(!verify(&long, first, size, &proof), "{what}: one more");
                let twice = [within, &within[within.len() - 1..]].concat();
                assert!(!verify(&twice, first, size, &proof), "{what}: last doubled");
                let other: Vec<Hash> = within.iter().rev().copied().collect();
                assert_eq!(
                    verify(&other, first, size, &proof),
                    within.len() == 1,
                    "{what}: turned"
                );
                assert!(
                    !verify(within, first + 1, size, &proof),
                    "{what}: other place"
                );
                let more = [&proof[..], &[leaf(1)]].concat();
                assert!(!verify(within, first, size, &more), "{what}: one hash more");
                if let Some((_, less)) = proof.split_last() {
                    assert!(!verify(within, first, size, less), "{what}: one hash less");
                }
            }
        }
    }
    assert_eq!(range_proof(&all, 3..3), None, "an empty range");
    assert_eq!(range_proof(&all, 3..21), None, "outside");
    assert!(!verify_range(&all, u64::MAX, u64::MAX, &[], &root(&all)));
}
