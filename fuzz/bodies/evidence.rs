//! Packages of any content: always an answer. The first byte says whether the rest is the archive itself, the
//! manifest of one, or its range proof.

use annals_core::evidence::names;
use annals_core::evidence::range::Range;
use annals_core::evidence::verify::{Trust, verify};
use annals_core::evidence::view::EvidenceOutcome;
use annals_core::evidence::zip::Writer;
use annals_core::progress::WorkProgress;

/// A package as `annals evidence make` wrote it, behind the byte that says so.
const MADE: &[u8] = include_bytes!("../seeds/evidence/package.bin");

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else {
        return;
    };
    let package = match first % 3 {
        0 => content.to_vec(),
        1 => {
            let mut writer = Writer::new(Vec::new());
            writer.add(names::MANIFEST, content).expect("a small file");
            writer.finish().expect("memory takes it")
        }
        _ => {
            if let Ok(range) = Range::read(content) {
                let accounted = range.closed + range.shown.len() as u64;
                assert_eq!(accounted, range.last + 1 - range.first);
                let leaves = vec![annals_core::integrity::tree::empty_root(); range.shown.len()];
                let _ = range.root(&leaves);
            }
            return;
        }
    };
    let answer = verify(&package, &Trust::default(), &WorkProgress::default());
    let answer = answer.expect("nobody cancels");
    // Nobody can sign by chance: the only package that is intact is the one that was made.
    assert!(answer.outcome != EvidenceOutcome::Intact || package == MADE[1..]);
}
