//! What looks like personal data: by the form of a value, or by the name of its field.

use serde::Serialize;
use ts_rs::TS;

/// What a value or a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum PersonalKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// An international bank account number whose check digits fit.
    Iban,
    /// A payment card number whose check digit fits.
    Card,
    /// An IP address.
    IpAddress,
    /// A person's name, by the name of the field.
    Name,
    /// A postal address, by the name of the field.
    Address,
    /// A date of birth, by the name of the field.
    Birth,
    /// A number that a state or an insurer gave, by the name of the field.
    NationalId,
    /// A place, by the name of the field.
    Location,
    /// A device, a browser or a session, by the name of the field.
    Device,
    /// Health, by the name of the field.
    Health,
    /// A secret that lets somebody in, by the name of the field.
    Credential,
}

/// What a text looks like by its form.
pub(super) fn by_value(text: &str) -> Option<PersonalKind> {
    let text = text.trim();
    if text.len() > 320 || text.is_empty() {
        return None;
    }
    if is_email(text) {
        Some(PersonalKind::Email)
    } else if is_iban(text) {
        Some(PersonalKind::Iban)
    } else if text.parse::<std::net::IpAddr>().is_ok() {
        Some(PersonalKind::IpAddress)
    } else if is_card(text) {
        Some(PersonalKind::Card)
    } else if is_phone(text) {
        Some(PersonalKind::Phone)
    } else {
        None
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let word = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    !local.is_empty()
        && local.chars().all(word)
        && domain
            .rsplit_once('.')
            .is_some_and(|(host, end)| !host.is_empty() && end.len() >= 2)
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || ".-".contains(c))
}

/// ISO 13616: two letters, two check digits, and the rest; the number made of it is 1 modulo 97.
fn is_iban(text: &str) -> bool {
    let plain: Vec<u8> = text.bytes().filter(|b| *b != b' ').collect();
    let Some((head, rest)) = plain.split_at_checked(4) else {
        return false;
    };
    let fits = (15..=34).contains(&plain.len())
        && head[..2].iter().all(u8::is_ascii_uppercase)
        && head[2..].iter().all(u8::is_ascii_digit)
        && rest
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    fits && rest.iter().chain(head).fold(0u32, |sum, byte| {
        if byte.is_ascii_digit() {
            (sum * 10 + u32::from(byte - b'0')) % 97
        } else {
            (sum * 100 + u32::from(byte - b'A') + 10) % 97
        }
    }) == 1
}

/// ISO/IEC 7812: 13 to 19 digits, perhaps in groups, whose check digit fits (Luhn).
fn is_card(text: &str) -> bool {
    let grouped = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b' ' || b == b'-');
    let digits: Vec<u32> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|b| u32::from(b - b'0'))
        .collect();
    if !grouped || !(13..=19).contains(&digits.len()) || !(3..=6).contains(&digits[0]) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// With its country code, or in groups: a bare run of digits may be anything.
fn is_phone(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_digit() || b" ()-/.".contains(&b));
    let groups = rest
        .split([' ', '-', '/', '(', ')'])
        .filter(|g| !g.is_empty());
    let dated = rest.len() == 10 && rest.bytes().filter(|b| *b == b'-').count() == 2;
    plain
        && (8..=15).contains(&digits)
        && !dated
        && (text.starts_with('+')
            || rest.starts_with('(')
            || (rest.starts_with('0') && groups.count() >= 3))
}

/// What a field looks like by its name, whatever the case and the signs between its words.
pub(super) fn by_name(name: &str) -> Option<PersonalKind> {
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let ends = |endings: &[&str]| endings.iter().any(|end| plain.ends_with(end));
    let is = |names: &[&str]| names.contains(&plain.as_str());
    use PersonalKind as Kind;
    if ends(&["email", "emailaddress", "mailaddress"]) {
        Some(Kind::Email)
    } else if ends(&[
        "phone",
        "phonenumber",
        "telephone",
        "mobile",
        "mobilenumber",
        "fax",
    ]) {
        Some(Kind::Phone)
    } else if is(&["iban", "bankaccount", "accountholder"]) {
        Some(Kind::Iban)
    } else if ends(&["cardnumber", "creditcard"]) {
        Some(Kind::Card)
    } else if is(&[
        "ip",
        "ipaddress",
        "clientip",
        "remoteaddr",
        "sourceip",
        "sourceipaddress",
    ]) {
        Some(Kind::IpAddress)
    } else if is(&["name", "surname", "patient"])
        || ends(&[
            "firstname",
            "lastname",
            "fullname",
            "givenname",
            "familyname",
            "maidenname",
            "customername",
            "patientname",
            "displayname",
        ])
    {
        Some(Kind::Name)
    } else if is(&["address", "street", "zip", "postcode"])
        || ends(&[
            "streetaddress",
            "postaladdress",
            "billingaddress",
            "shippingaddress",
            "homeaddress",
            "zipcode",
            "postalcode",
        ])
    {
        Some(Kind::Address)
    } else if is(&["dob", "birthday"])
        || ends(&["dateofbirth", "birthdate", "birthyear", "birthplace"])
    {
        Some(Kind::Birth)
    } else if is(&["ssn", "nino", "passport", "taxid", "mrn"])
        || ends(&[
            "socialsecuritynumber",
            "passportnumber",
            "nationalid",
            "insurancenumber",
            "driverslicense",
            "medicalrecordnumber",
        ])
    {
        Some(Kind::NationalId)
    } else if is(&["latitude", "longitude", "lat", "lon", "lng", "geolocation"]) {
        Some(Kind::Location)
    } else if is(&[
        "useragent",
        "deviceid",
        "sessionid",
        "cookie",
        "fingerprint",
    ]) {
        Some(Kind::Device)
    } else if is(&[
        "diagnosis",
        "allergies",
        "bloodtype",
        "medication",
        "symptoms",
    ]) {
        Some(Kind::Health)
    } else if is(&[
        "password",
        "passwordhash",
        "secret",
        "apikey",
        "accesstoken",
        "refreshtoken",
    ]) {
        Some(Kind::Credential)
    } else {
        None
    }
}

/// A value that shows what it is like and not what it is: its first character, its signs, and how long it is.
pub(super) fn masked(text: &str) -> String {
    const SHOWN: usize = 24;
    let mut out = String::new();
    for (at, c) in text.chars().take(SHOWN).enumerate() {
        out.push(if at == 0 || "@.-+: /".contains(c) {
            c
        } else {
            '•'
        });
    }
    if text.chars().count() > SHOWN {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_by_their_form() {
        use PersonalKind as Kind;
        for (text, want) in [
            ("ada@example.com", Some(Kind::Email)),
            ("o'neil+x@mail.example.co.uk", Some(Kind::Email)),
            ("ada@localhost", None),
            ("not an @ddress. really", None),
            ("DE89 3704 0044 0532 0130 00", Some(Kind::Iban)),
            ("DE88370400440532013000", None),
            ("192.0.2.7", Some(Kind::IpAddress)),
            ("2001:db8::1", Some(Kind::IpAddress)),
            ("1.2.3", None),
            ("4111 1111 1111 1111", Some(Kind::Card)),
            ("4111 1111 1111 1112", None),
            ("+49 30 901820", Some(Kind::Phone)),
            ("(555) 123-4567", Some(Kind::Phone)),
            ("2024-01-15", None),
            ("1704067200", None),
            ("1704067200123", None),
            ("order-789", None),
            ("109.97", None),
            ("1Z999AA1234567890", None),
            ("", None),
        ] {
            assert_eq!(by_value(text), want, "{text:?}");
        }
    }

    #[test]
    fn fields_are_told_by_their_names() {
        for (name, want) in [
            ("customer_email", Some(PersonalKind::Email)),
            ("firstName", Some(PersonalKind::Name)),
            ("IP-Address", Some(PersonalKind::IpAddress)),
            ("productName", None),
            ("status", None),
            ("description", None),
        ] {
            assert_eq!(by_name(name), want, "{name:?}");
        }
    }

    #[test]
    fn a_masked_value_does_not_tell() {
        assert_eq!(masked("ada@example.com"), "a••@•••••••.•••");
        assert_eq!(masked(&"x".repeat(40)), format!("x{}…", "•".repeat(23)));
    }
}
