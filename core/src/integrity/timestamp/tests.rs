//! Stamps of our own making (by `openssl ts`, `vectors/`), stamps of others, each with what is wrong in it named, and
//! a whole authority played by OpenSSL.

use proptest::prelude::*;

use super::*;

const CONTENT: &[u8] = include_bytes!("vectors/content");
const ELLIPTIC: &[u8] = include_bytes!("vectors/elliptic.tsr");
const ELLIPTIC_ROOT: &[u8] = include_bytes!("vectors/elliptic-root.pem");
const ELLIPTIC_OWN: &[u8] = include_bytes!("vectors/elliptic.pem");
const RSA: &[u8] = include_bytes!("vectors/rsa.tsr");
const RSA_ROOT: &[u8] = include_bytes!("vectors/rsa-root.pem");

fn authority(pem: &[u8]) -> Authority {
    Authority::from_pem("the authority", pem).unwrap()
}

fn judge(stamp: &[u8], pem: &[u8], content: &[u8]) -> Result<Stamped, TimeStampError> {
    authority(pem).verify(&TimeStamp::parse(stamp)?, content)
}

/// The stamp with the last place of `from` in it made `to`, of the same length.
fn with(stamp: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = stamp.windows(from.len()).rposition(|window| window == from);
    let mut bytes = stamp.to_vec();
    bytes[at.unwrap()..][..to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn request_is_the_one_that_openssl_writes() {
    let theirs = include_bytes!("vectors/request.tsq");
    assert_eq!(request(CONTENT), theirs);
}

#[test]
fn stamps_of_both_kinds_of_keys_are_good_against_their_authority() {
    for (stamp, root, signer) in [
        (ELLIPTIC, ELLIPTIC_ROOT, "CN=first stamps, O=Annals tests"),
        (RSA, RSA_ROOT, "CN=second stamps, O=Annals tests"),
    ] {
        let read = TimeStamp::parse(stamp).unwrap();
        assert_eq!(read.time.to_string(), "2026-11-26T05:09:38Z");
        assert_eq!(read.accuracy_us, Some(1_500_000));
        assert_eq!(
            (read.serial.as_str(), read.policy.as_str()),
            ("02", "1.2.3.4.1")
        );
        let stamped = judge(stamp, root, CONTENT).unwrap();
        assert_eq!(stamped.signer, signer);
        // The token alone, as packages of others hold it.
        let token = &stamp[9..];
        assert_eq!(judge(token, root, CONTENT), Ok(stamped));
    }
}

#[test]
fn certificate_of_the_authority_itself_tells_it_from_others_under_its_root() {
    let both = [ELLIPTIC_OWN, ELLIPTIC_ROOT].concat();
    assert!(judge(ELLIPTIC, &both, CONTENT).is_ok());
    // The root that signed it is there, but so is a certificate of somebody else's stamps.
    let others = [ELLIPTIC_OWN, RSA_ROOT].concat();
    let error = judge(RSA, &others, CONTENT).unwrap_err();
    assert!(
        error.to_string().contains("not among those named"),
        "{error}"
    );
}

#[test]
fn authority_that_is_none_is_refused() {
    for (pem, why) in [
        (&b"no certificate"[..], "no certificate in PEM"),
        (ELLIPTIC_OWN, "up to the root"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be read",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
            "no PEM",
        ),
    ] {
        let error = Authority::from_pem("x", pem).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// Each with what is wrong in it, and a word of why it is refused.
fn mutations() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = ELLIPTIC;
    let time = b"20261126050938Z";
    let parsed = TimeStamp::parse(whole).unwrap();
    let mut last = whole.to_vec();
    *last.last_mut().unwrap() ^= 1;
    let mut imprint = parsed.imprint.clone();
    imprint[0] ^= 1;
    let mut own = parsed.signer_hash.1.clone();
    own[5] ^= 1;
    let mut attribute = parsed.signed.clone();
    let at = attribute.len() - 1;
    attribute[at] ^= 1;
    let refused = [&[0x30, 0x03, 0x02, 0x01, 0x02][..], &whole[9..]].concat();
    let sha256 = read::SHA256;
    vec![
        (
            "time changed",
            with(whole, time, b"20251126050938Z"),
            "something else",
        ),
        (
            "hash changed",
            with(whole, &parsed.imprint, &imprint),
            "something else",
        ),
        (
            "policy changed",
            with(whole, &[0x2A, 3, 4, 1], &[0x2A, 3, 4, 2]),
            "something else",
        ),
        (
            "own certificate changed",
            with(whole, &parsed.signer_hash.1, &own),
            "neither among",
        ),
        (
            "signed attribute changed",
            with(whole, &parsed.signed[1..], &attribute[1..]),
            "",
        ),
        ("signature changed", last, "did not sign it"),
        (
            "hash algorithm named otherwise",
            with(
                whole,
                sha256,
                &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
            ),
            "",
        ),
        (
            "hash algorithm unknown",
            with(
                whole,
                sha256,
                &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 9],
            ),
            "not known here",
        ),
        (
            "content named otherwise",
            with(whole, &[9, 0x10, 1, 4], &[9, 0x10, 1, 5]),
            "",
        ),
        (
            "refused by the authority",
            write_response(&refused),
            "status 2",
        ),
        ("byte at the end", [whole, &[0]].concat(), "one sequence"),
        ("cut off", whole[..whole.len() - 1].to_vec(), "one sequence"),
        ("empty", Vec::new(), "one sequence"),
        (
            "length longer than needed",
            [&[0x30, 0x84, 0, 0], &whole[2..]].concat(),
            "one sequence",
        ),
    ]
}

fn write_response(body: &[u8]) -> Vec<u8> {
    der::write(der::SEQUENCE, body)
}

#[test]
fn every_mutation_is_refused() {
    for (name, stamp, why) in mutations() {
        let error = judge(&stamp, ELLIPTIC_ROOT, CONTENT)
            .expect_err(name)
            .to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
}

#[test]
fn stamp_by_another_authority_and_of_another_content_are_refused() {
    let error = judge(ELLIPTIC, RSA_ROOT, CONTENT).unwrap_err();
    assert!(
        matches!(error, TimeStampError::OtherAuthority { .. }),
        "{error}"
    );
    let error = judge(ELLIPTIC, ELLIPTIC_ROOT, b"something else").unwrap_err();
    assert!(
        matches!(error, TimeStampError::OtherContent { .. }),
        "{error}"
    );
}

/// No byte can be changed so that the stamp says something else and is still good.
#[test]
fn no_changed_byte_gives_another_statement() {
    for (stamp, root) in [(ELLIPTIC, ELLIPTIC_ROOT), (RSA, RSA_ROOT)] {
        let good = judge(stamp, root, CONTENT).unwrap();
        let mut kept = 0;
        for at in 0..stamp.len() {
            for bit in [0x01, 0x80] {
                let mut bytes = stamp.to_vec();
                bytes[at] ^= bit;
                if let Ok(said) = judge(&bytes, root, CONTENT) {
                    assert_eq!(said, good, "byte {at}");
                    kept += 1;
                }
            }
        }
        // What no signature covers: versions, the list of hashes, names of what is signed anyway.
        assert!(kept < 60, "{kept} changed bytes change nothing");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = TimeStamp::parse(&bytes);
        let _ = Authority::from_pem("x", &bytes);
        let _ = certificate::Certificate::parse(&bytes);
        let _ = certificate::name_text(&bytes);
        let _ = der::dotted(&bytes);
    }

    #[test]
    fn any_cut_and_paste_of_a_stamp_is_answered(at in 0usize..949, len in 0usize..60, with in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut bytes = ELLIPTIC.to_vec();
        let end = (at + len).min(bytes.len());
        bytes.splice(at..end, with);
        let _ = judge(&bytes, ELLIPTIC_ROOT, CONTENT);
    }

    #[test]
    fn what_is_written_is_read(body in proptest::collection::vec(any::<u8>(), 0..70_000)) {
        let bytes = der::write(der::OCTET_STRING, &body);
        let mut reader = der::Reader::new(&bytes);
        prop_assert_eq!(reader.value(der::OCTET_STRING, "x").unwrap().body, &body[..]);
        prop_assert!(reader.is_empty());
    }
}

/// Stamps of sigstore's staging authority over `hello`, with what their collectors say of them.
#[test]
fn stamps_of_a_real_authority() {
    let Some(folder) = datasets().map(|folder| folder.join("rfc3161")) else {
        let mut out = std::io::stderr();
        let _ = std::io::Write::write_all(&mut out, b"skipped: no data sets\n");
        return;
    };
    let read = |name: &str| std::fs::read(folder.join("sigstage").join(name)).unwrap();
    let facts: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("facts.json")).unwrap()).unwrap();
    let chain = read("ts_chain.pem");
    let mut seen = 0;
    for (file, fact) in facts["facts"].as_object().unwrap() {
        let name = file.strip_prefix("sigstage/").unwrap();
        let stamp = TimeStamp::parse(&read(name));
        if name == "response-invalid-signature.tsr" {
            let error = stamp.and_then(|stamp| authority(&chain).verify(&stamp, b"hello"));
            assert!(matches!(error, Err(TimeStampError::Forged(_))), "{error:?}");
            continue;
        }
        let stamp = stamp.unwrap();
        assert_eq!(
            format!("0x{}", stamp.serial.to_uppercase()),
            fact["serial"].as_str().unwrap()
        );
        assert_eq!(stamp.policy, fact["policy"].as_str().unwrap());
        let when = stamp
            .time
            .to_utc()
            .format("%b %e %H:%M:%S %Y GMT")
            .to_string();
        assert_eq!(
            when.replace("  ", " "),
            fact["time_stamp"].as_str().unwrap().replace("  ", " ")
        );
        let stamped = authority(&chain).verify(&stamp, b"hello").unwrap();
        assert_eq!(stamped.signer, "CN=sigstore-tsa, O=sigstore.dev", "{name}");
        assert!(authority(ELLIPTIC_ROOT).verify(&stamp, b"hello").is_err());
        seen += 1;
    }
    assert_eq!(seen, 4, "responses that are good");
}

fn datasets() -> Option<std::path::PathBuf> {
    let folder = match option_env!("ANNALS_DATASETS") {
        Some(folder) => std::path::PathBuf::from(folder),
        None => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets"),
    };
    folder.join("rfc3161").is_dir().then_some(folder)
}
