//! The authority that somebody names, and whether a stamp is its.

use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::TimeStampError;
use super::certificate::{Certificate, TIME_STAMPING, name_text};
use super::read::{HashKind, SignerId, TimeStamp};
use crate::time::Time;

/// `rsaEncryption` with its empty parameters: RSA signatures that leave their hash to another field.
const RSA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0];
/// An authority of more certificates is none.
const MAX_CERTIFICATES: usize = 100;

/// A time-stamping authority, as the certificates that somebody trusts for it.
///
/// Those of its certificate authorities that are not issued by another of them are trusted; the rest lead to them.
/// Where certificates of its own are among them, the stamp must be signed by one of these: authorities that share a
/// root are told apart so.
#[derive(Debug, Clone)]
pub struct Authority {
    name: String,
    certificates: Vec<CertificateDer<'static>>,
}

/// What a good stamp says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// When the authority saw the bytes.
    pub time: Time,
    /// Who signed, by its certificate: `CN=…, O=…`.
    pub signer: String,
}

impl Authority {
    /// Reads certificates in PEM, up to one that is trusted. `name` is what findings call it.
    ///
    /// # Errors
    /// [`TimeStampError::NoAuthority`], [`TimeStampError::Malformed`].
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Authority, TimeStampError> {
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let none = TimeStampError::NoAuthority("its certificates are no PEM that can be read");
            certificates.push(certificate.map_err(|_| none)?);
            if certificates.len() > MAX_CERTIFICATES {
                let many = "it has more than 100 certificates";
                return Err(TimeStampError::NoAuthority(many));
            }
        }
        if certificates.is_empty() {
            let none = "there is no certificate in PEM (-----BEGIN CERTIFICATE-----)";
            return Err(TimeStampError::NoAuthority(none));
        }
        let authority = Authority {
            name: name.to_owned(),
            certificates,
        };
        authority.anchors()?;
        Ok(authority)
    }

    /// What findings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The certificates that nobody else among them issued.
    fn anchors(&self) -> Result<Vec<TrustAnchor<'_>>, TimeStampError> {
        let read: Vec<Certificate<'_>> = self
            .certificates
            .iter()
            .map(|certificate| Certificate::parse(certificate))
            .collect::<Result<_, _>>()?;
        let mut anchors = Vec::new();
        for (n, certificate) in read.iter().enumerate() {
            let by_another = read
                .iter()
                .enumerate()
                .any(|(m, other)| m != n && other.subject == certificate.issuer && other.is_ca);
            let own = certificate.subject == certificate.issuer;
            if own || (certificate.is_ca && !by_another) {
                let anchor = anchor_from_trusted_cert(&self.certificates[n]).map_err(|_| {
                    TimeStampError::NoAuthority(
                        "one of its certificates cannot be trusted as a root",
                    )
                })?;
                anchors.push(anchor);
            }
        }
        match anchors.is_empty() {
            true => Err(TimeStampError::NoAuthority(
                "none of its certificates is a certificate authority's: give those up to the root",
            )),
            false => Ok(anchors),
        }
    }

    fn refuse(&self, reason: impl Into<String>) -> TimeStampError {
        TimeStampError::OtherAuthority {
            authority: self.name.clone(),
            reason: reason.into(),
        }
    }

    /// Says that the stamp is of `content` and that this authority made it, with a certificate that was good then.
    ///
    /// # Errors
    /// [`TimeStampError::OtherContent`], [`TimeStampError::OtherAuthority`], [`TimeStampError::Forged`],
    /// [`TimeStampError::Unsupported`].
    pub fn verify(&self, stamp: &TimeStamp, content: &[u8]) -> Result<Stamped, TimeStampError> {
        stamp.is_of(content)?;
        let (der, certificate) = self.signer(stamp)?;
        let own = |other: &CertificateDer<'_>| {
            Certificate::parse(other).is_ok_and(|c| c.is_for_stamps && !c.is_ca)
        };
        if self.certificates.iter().any(own) && !self.certificates.contains(&der) {
            return Err(self.refuse(format!(
                "{} signed it, whose certificate is not among those named",
                name_text(certificate.subject)
            )));
        }
        if !certificate.is_for_stamps || !certificate.may_sign {
            return Err(self.refuse(format!(
                "the certificate of {} is not for time stamps alone",
                name_text(certificate.subject)
            )));
        }
        self.path(stamp, &der)?;
        check_signature(stamp, &der)?;
        Ok(Stamped {
            time: stamp.time,
            signer: name_text(certificate.subject),
        })
    }

    /// The certificate that the stamp says signed it, from those named or those that came along.
    fn signer<'s>(
        &'s self,
        stamp: &'s TimeStamp,
    ) -> Result<(CertificateDer<'s>, Certificate<'s>), TimeStampError> {
        let (kind, hash) = &stamp.signer_hash;
        let named = self.certificates.iter().map(|c| c.as_ref());
        let along = stamp.certificates.iter().map(Vec::as_slice);
        let bytes = named
            .chain(along)
            .find(|bytes| kind.digest(bytes) == *hash)
            .ok_or_else(|| {
                self.refuse("the certificate that signed it is neither among those named nor in it")
            })?;
        let certificate = Certificate::parse(bytes)?;
        let same = match &stamp.signer {
            SignerId::Issued { issuer, serial } => {
                certificate.issuer == issuer && certificate.serial == serial
            }
            SignerId::Key(key) => certificate.key_id == Some(key.as_slice()),
        };
        match same {
            true => Ok((CertificateDer::from(bytes), certificate)),
            false => Err(TimeStampError::Forged(
                "it names two certificates as the one that signed",
            )),
        }
    }

    /// A path from the signer's certificate to one that is trusted, valid when the stamp was made.
    fn path(&self, stamp: &TimeStamp, signer: &CertificateDer<'_>) -> Result<(), TimeStampError> {
        let anchors = self.anchors()?;
        let along = stamp.certificates.iter().map(|c| c.as_slice());
        let between: Vec<CertificateDer<'_>> = self
            .certificates
            .iter()
            .map(|c| c.as_ref())
            .chain(along)
            .map(CertificateDer::from)
            .collect();
        let seconds = stamp.time.us().div_euclid(1_000_000);
        let seconds = u64::try_from(seconds).map_err(|_| self.refuse("it is from before 1970"))?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let end = EndEntityCert::try_from(signer).map_err(|error| self.refuse(words(&error)))?;
        end.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            time,
            KeyUsage::required(TIME_STAMPING),
            None,
            None,
        )
        .map_err(|error| self.refuse(words(&error)))?;
        Ok(())
    }
}

fn check_signature(stamp: &TimeStamp, signer: &CertificateDer<'_>) -> Result<(), TimeStampError> {
    let unreadable = TimeStampError::Malformed("the certificate that signed it cannot be read");
    let end = EndEntityCert::try_from(signer).map_err(|_| unreadable)?;
    let mut known = false;
    for algorithm in algorithms(stamp) {
        match end.verify_signature(algorithm, &stamp.signed, &stamp.signature) {
            Ok(()) => return Ok(()),
            // The same signature algorithm is there once for each kind of key.
            Err(Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
            Err(_) => known = true,
        }
    }
    match known {
        true => Err(TimeStampError::Forged(
            "its certificate's key did not sign it",
        )),
        false => Err(TimeStampError::Unsupported {
            what: "the signature algorithm",
            id: super::der::dotted(match stamp.algorithm.as_slice() {
                [0x06, length, rest @ ..] => rest.get(..usize::from(*length)).unwrap_or(rest),
                other => other,
            }),
        }),
    }
}

/// The algorithms that the stamp's own name may mean.
fn algorithms(stamp: &TimeStamp) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    use webpki::ring;
    if stamp.algorithm == RSA || stamp.algorithm == RSA[..RSA.len() - 2] {
        return match stamp.digest {
            HashKind::Sha1 => vec![],
            HashKind::Sha256 => vec![ring::RSA_PKCS1_2048_8192_SHA256],
            HashKind::Sha384 => vec![ring::RSA_PKCS1_2048_8192_SHA384],
            HashKind::Sha512 => vec![ring::RSA_PKCS1_2048_8192_SHA512],
        };
    }
    let named = webpki::ALL_VERIFICATION_ALGS.iter().copied();
    named
        .filter(|algorithm| algorithm.signature_alg_id().as_ref() == stamp.algorithm)
        .collect()
}

fn words(error: &Error) -> String {
    match error {
        Error::UnknownIssuer => "no path leads from its certificate to those named".into(),
        Error::CertExpired { .. } => {
            "a certificate on its path had expired at the time that it says".into()
        }
        Error::CertNotValidYet { .. } => {
            "a certificate on its path was not valid yet at the time that it says".into()
        }
        Error::InvalidSignatureForPublicKey => {
            "a certificate on its path is not signed by the one above it".into()
        }
        Error::CaUsedAsEndEntity => "a certificate authority signed it itself".into(),
        Error::RequiredEkuNotFoundContext(_) => {
            "a certificate on its path is not for time stamps".into()
        }
        other => format!("its certificate is refused: {other}"),
    }
}
