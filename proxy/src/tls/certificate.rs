//! What a client's certificate says of it. Conditions rest on this, so each thing has one text, and a
//! certificate in which something has none is not read at all.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use rustls::pki_types::DnsName;
use sha2::{Digest as _, Sha256};
use x509_parser::{
    asn1_rs::{Tag, ToDer as _},
    extensions::{GeneralName, SubjectAlternativeName},
    oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME,
    prelude::{AttributeTypeAndValue, FromDer as _, X509Certificate, X509Name},
};

use crate::client::Certificate;

/// Why a certificate is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no certificate.
    #[error("it is not an X.509 certificate in DER")]
    Certificate,
    /// A part of the subject has no one text.
    #[error("{attribute} in its subject {problem}")]
    Subject {
        /// The type of the attribute.
        attribute: String,
        /// What is wrong with the value.
        problem: &'static str,
    },
    /// The subject alternative name is not well-formed, or there are two.
    #[error("its subject alternative name can't be read")]
    Names,
    /// A name has no one text, or one that a name of another kind could have.
    #[error("the {kind} {name:?} in its subject alternative name is none")]
    Name {
        /// What it is said to be.
        kind: &'static str,
        /// Its text.
        name: String,
    },
}

/// Reads the certificate of a client, which is checked already: nothing here looks at signatures or
/// dates.
///
/// # Errors
/// Where something in it can't be read, or could be read in two ways.
pub fn read(der: &[u8]) -> Result<Certificate, Unreadable> {
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|_| Unreadable::Certificate)?;
    if !rest.is_empty() {
        return Err(Unreadable::Certificate);
    }
    Ok(Certificate {
        subject: subject(certificate.subject())?,
        names: names(&certificate)?,
        pin: hexadecimal(&Sha256::digest(certificate.public_key().raw)),
    })
}

/// RFC 4514: the last part first.
fn subject(name: &X509Name) -> Result<String, Unreadable> {
    let parts = name.iter_rdn().map(|part| {
        let attributes = part.iter().map(attribute).collect::<Result<Vec<_>, _>>()?;
        Ok(attributes.join("+"))
    });
    let mut parts = parts.collect::<Result<Vec<_>, Unreadable>>()?;
    parts.reverse();
    Ok(parts.join(","))
}

fn attribute(attribute: &AttributeTypeAndValue) -> Result<String, Unreadable> {
    let number = attribute.attr_type().to_id_string();
    let Some((_, name)) = ATTRIBUTES.iter().find(|(known, _)| *known == number) else {
        // RFC 4514 section 2.4: the value of a type that has no name is shown as its encoding.
        let encoding = attribute.attr_value().to_der_vec().map_err(|_| Unreadable::Certificate)?;
        return Ok(format!("{number}=#{}", hexadecimal(&encoding)));
    };
    let wrong = |problem| Unreadable::Subject { attribute: (*name).to_owned(), problem };
    Ok(format!("{name}={}", escaped(text(attribute).map_err(wrong)?)))
}

/// The types that RFC 4514 section 3 names, and others that are usual in certificates, by the names
/// that `openssl x509 -nameopt RFC2253` has for them.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

fn text<'a>(attribute: &'a AttributeTypeAndValue) -> Result<&'a str, &'static str> {
    let value = attribute.attr_value();
    // The older encodings, TeletexString above all, are read in different ways by different programs.
    let may_be_more_than_ascii = match value.tag() {
        Tag::Utf8String => true,
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString => false,
        _ => return Err("is in an encoding of text that is not read: use UTF8String"),
    };
    let text = std::str::from_utf8(value.data).map_err(|_| "is not UTF-8")?;
    if text.is_empty() {
        return Err("is empty");
    }
    if !may_be_more_than_ascii && !text.is_ascii() {
        return Err("is not ASCII, as its encoding has it");
    }
    if text.contains(is_unseen) {
        return Err("has a control character");
    }
    Ok(text)
}

/// Whether a character would let two texts look alike, or move the cursor of a terminal.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// RFC 4514 section 2.4 has two ways to escape. Of these only the hexadecimal one leaves no `,`, `+`
/// or `=` in the text of a value: a pattern that ends in `,O=Example` is never met by a value that
/// has these characters in it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.len() - text.chars().next_back().map_or(0, char::len_utf8);
    for (place, character) in text.char_indices() {
        let special = match character {
            '"' | '+' | ',' | ';' | '<' | '=' | '>' | '\\' => true,
            '#' => place == 0,
            ' ' => place == 0 || place == last,
            _ => false,
        };
        if special {
            // All of these are ASCII.
            let _ = write!(escaped, "\\{:02X}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn names(certificate: &X509Certificate) -> Result<Vec<String>, Unreadable> {
    let extension = certificate.get_extension_unique(&OID_X509_EXT_SUBJECT_ALT_NAME);
    let Some(extension) = extension.map_err(|_| Unreadable::Names)? else {
        return Ok(Vec::new());
    };
    let read = SubjectAlternativeName::from_der(extension.value);
    let (rest, names) = read.map_err(|_| Unreadable::Names)?;
    if !rest.is_empty() || names.general_names.is_empty() {
        return Err(Unreadable::Names);
    }
    names.general_names.iter().filter_map(|name| name_of(name).transpose()).collect()
}

/// The text of a name, which tells its kind: an address has an `@`, a URI a scheme, and neither is the
/// name of a host. None for the kinds that have no text of their own; no condition can speak of them.
fn name_of(name: &GeneralName) -> Result<Option<String>, Unreadable> {
    let (kind, text, is_so) = match *name {
        GeneralName::DNSName(text) => ("DNS name", text, is_host(text)),
        GeneralName::RFC822Name(text) => ("e-mail address", text, is_mailbox(text)),
        GeneralName::URI(text) => ("URI", text, is_uri(text)),
        GeneralName::IPAddress(octets) => return ip(octets).map(Some),
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_) => return Ok(None),
        GeneralName::Invalid(..) => return Err(Unreadable::Names),
    };
    if !is_so {
        return Err(Unreadable::Name { kind, name: text.to_owned() });
    }
    // RFC 4343: the case of a DNS name means nothing.
    Ok(Some(match name {
        GeneralName::DNSName(_) => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    }))
}

/// RFC 5280 section 4.2.1.6, with the wildcard of RFC 6125. What is an IP address is no DNS name.
fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    DnsName::try_from(name).is_ok() && !name.ends_with('.')
}

/// A mailbox as RFC 5321 has it, without the rare forms that have quotes or an address in brackets.
fn is_mailbox(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !br#""(),:;<>@[\]"#.contains(&byte);
        !local.is_empty() && local.bytes().all(is_plain) && is_host(host)
    })
}

/// RFC 3986 section 3.1: a scheme and more. A short scheme and hexadecimal digits can be an address.
fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.parse::<IpAddr>().is_err()
}

fn ip(octets: &[u8]) -> Result<String, Unreadable> {
    let ip = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::from(Ipv4Addr::from(octets)));
    let ip = ip.or_else(|_| <[u8; 16]>::try_from(octets).map(|o| Ipv6Addr::from(o).into()));
    let wrong = |_| Unreadable::Name { kind: "IP address", name: hexadecimal(octets) };
    ip.map(|ip| ip.to_string()).map_err(wrong)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension, DnType, DnValue, SanType};

    use super::*;
    use crate::tls::authority::{self, Authority};

    #[test]
    fn a_certificate_has_a_subject_names_and_a_pin() {
        let mut params = authority::client("ci");
        params.subject_alt_names = vec![
            SanType::DnsName("CI.example.com".try_into().unwrap()),
            SanType::Rfc822Name("ci@example.com".try_into().unwrap()),
            SanType::URI("spiffe://example.com/ci".try_into().unwrap()),
            SanType::IpAddress("10.0.0.5".parse().unwrap()),
            SanType::IpAddress("fd00::5".parse().unwrap()),
            SanType::OtherName((vec![1, 3, 6, 1], "hidden".into())),
        ];
        let issued = Authority::new("authority").issue(&params);
        let read = read(&issued.der).unwrap();
        assert_eq!(read.subject, "CN=ci,O=Example");
        assert_eq!(
            read.names,
            ["ci.example.com", "ci@example.com", "spiffe://example.com/ci", "10.0.0.5", "fd00::5"]
        );
        let key = rcgen::KeyPair::from_pem(&issued.key).unwrap();
        let public = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert_eq!(read.pin, hexadecimal(&Sha256::digest(public)));
        assert!(read.pin.len() == 64 && !read.pin.contains(char::is_uppercase));
    }

    /// The examples of RFC 4514 section 4, with its hexadecimal way to escape, and more.
    #[test]
    fn a_subject_is_written_as_rfc_4514_has_it() {
        const CN: &[u8] = &[0x55, 4, 3];
        const OU: &[u8] = &[0x55, 4, 11];
        const DC: &[u8] = &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 100, 1, 25];
        const UID: &[u8] = &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 100, 1, 1];
        const OTHER: &[u8] = &[0x2b, 6, 1, 4, 1, 0x8b, 0x3a, 0];
        let (net, example) = (one(DC, 22, b"net"), one(DC, 22, b"example"));
        for (parts, text) in [
            (
                vec![net.clone(), example.clone(), one(UID, 12, b"jsmith")],
                "UID=jsmith,DC=example,DC=net",
            ),
            (
                vec![
                    net.clone(),
                    tlv(49, &[av(OU, 12, b"Sales"), av(CN, 12, b"J.  Smith")].concat()),
                ],
                "OU=Sales+CN=J.  Smith,DC=net",
            ),
            (
                vec![net.clone(), one(CN, 12, b"James \"Jim\" Smith, III")],
                "CN=James \\22Jim\\22 Smith\\2C III,DC=net",
            ),
            (vec![net, one(OTHER, 4, b"Hi")], "1.3.6.1.4.1.1466.0=#04024869,DC=net"),
            (vec![one(CN, 12, "Lučić".as_bytes())], "CN=Lučić"),
            (vec![one(CN, 12, b"ci,O=Example")], "CN=ci\\2CO\\3DExample"),
            (vec![one(CN, 19, b"# a+b#;<c>\\ ")], "CN=\\23 a\\2Bb#\\3B\\3Cc\\3E\\5C\\20"),
            (vec![one(CN, 12, b" ")], "CN=\\20"),
            (vec![one(CN, 12, b"a"), one(CN, 12, b"b")], "CN=b,CN=a"),
            (vec![], ""),
        ] {
            let der = tlv(48, &parts.concat());
            assert_eq!(subject(&X509Name::from_der(&der).unwrap().1).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_subject_without_one_text_is_refused() {
        const CN: &[u8] = &[0x55, 4, 3];
        for (tag, value) in [
            (12, "ci\0".as_bytes()),
            (12, b"ci\n"),
            (12, b"ci\x1b[31m"),
            (12, "c\u{202e}i".as_bytes()),
            (12, "c\u{200b}i".as_bytes()),
            (12, b"\xff"),
            (12, b""),
            (22, "\u{e9}".as_bytes()),
            (20, b"ci"),
            (30, b"\0c\0i"),
            (4, b"ci"),
        ] {
            let der = tlv(48, &one(CN, tag, value));
            let read = X509Name::from_der(&der).map_err(|_| ()).and_then(|(_, name)| {
                subject(&name).map_err(|why| assert!(why.to_string().starts_with("CN "), "{why}"))
            });
            assert_eq!(read, Err(()), "{tag} {value:?}");
        }
    }

    #[test]
    fn a_name_that_could_be_of_another_kind_is_refused() {
        const EMAIL: u8 = 0x81;
        const DNS: u8 = 0x82;
        const URI: u8 = 0x86;
        const IP: u8 = 0x87;
        for (kind, name) in [
            (DNS, &b"ci.example.com\0.evil.com"[..]),
            (DNS, b"ci@example.com"),
            (DNS, b"10.0.0.5"),
            (DNS, b"::1"),
            (DNS, b"ci example.com"),
            (DNS, b"ci.example.com."),
            (DNS, b"a.*.example.com"),
            (DNS, b"https://ci"),
            (DNS, "č.example.com".as_bytes()),
            (DNS, b"\xff"),
            (DNS, b""),
            (EMAIL, b"ci.example.com"),
            (EMAIL, b"ci\n@example.com"),
            (EMAIL, b"urn:a@example.com"),
            (EMAIL, b"a@b@example.com"),
            (EMAIL, b"\"a b\"@example.com"),
            (EMAIL, b"@example.com"),
            (URI, b"ci.example.com"),
            (URI, b"ci@example.com"),
            (URI, b"fd00::5"),
            (URI, b"urn:a b"),
            (URI, b"urn:a\0"),
            (IP, &[10, 0, 0]),
            (IP, &[10, 0, 0, 0, 255, 255, 255, 0]),
        ] {
            let names = tlv(48, &tlv(kind, name));
            let read = read(&with_names(&[names]));
            assert!(
                matches!(read, Err(Unreadable::Name { .. } | Unreadable::Names)),
                "{kind:x} {:?}: {read:?}",
                String::from_utf8_lossy(name)
            );
        }
    }

    #[test]
    fn names_that_are_there_twice_or_not_whole_are_refused() {
        let names = tlv(48, &tlv(0x82, b"ci.example.com"));
        assert_eq!(
            read(&with_names(std::slice::from_ref(&names))).unwrap().names,
            ["ci.example.com"]
        );
        for wrong in [
            vec![names.clone(), names.clone()],
            vec![[names.clone(), tlv(0x82, b"more.example.com")].concat()],
            vec![tlv(48, b"")],
            vec![tlv(48, &tlv(0x89, b"a"))],
            vec![names[..names.len() - 1].to_vec()],
            vec![tlv(49, &names)],
        ] {
            assert_eq!(read(&with_names(&wrong)), Err(Unreadable::Names), "{wrong:x?}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let issued = Authority::new("authority").client("ci");
        let (whole, half) = (issued.der.clone(), &issued.der[..issued.der.len() / 2]);
        for der in [&b""[..], b"ci", half, &[&whole[..], b"\0"].concat()] {
            assert_eq!(read(der), Err(Unreadable::Certificate));
        }
    }

    #[test]
    fn other_encodings_of_text_are_refused_by_name() {
        let mut params = authority::client("ci");
        let old = DnValue::TeletexString("ci".try_into().unwrap());
        params.distinguished_name.push(DnType::OrganizationalUnitName, old);
        let issued = Authority::new("authority").issue(&params);
        assert_eq!(
            read(&issued.der).unwrap_err().to_string(),
            "OU in its subject is in an encoding of text that is not read: use UTF8String"
        );
    }

    /// A certificate with these as contents of extensions for names.
    fn with_names(contents: &[Vec<u8>]) -> Vec<u8> {
        let extension =
            |content: &Vec<u8>| CustomExtension::from_oid_content(&[2, 5, 29, 17], content.clone());
        let mut params: CertificateParams = authority::client("ci");
        params.custom_extensions = contents.iter().map(extension).collect();
        Authority::new("authority").issue(&params).der
    }

    /// A part of a name with one attribute.
    fn one(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        tlv(49, &av(kind, tag, value))
    }

    /// An attribute: its type, and a value with its tag.
    fn av(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        tlv(48, &[tlv(6, kind), tlv(tag, value)].concat())
    }

    /// DER with a short length.
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).ok().filter(|length| *length < 128).unwrap();
        [&[tag, length], content].concat()
    }
}
