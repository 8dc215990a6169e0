//! The App's key: made at start, its public half judges JWTs.

use std::{fs, path::Path};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::SandboxError;

/// A private key as GitHub hands it out, and its public half.
pub(crate) struct AppKey {
    /// PKCS#1 in PEM.
    pub(crate) pem: String,
    /// PKCS#1 in DER.
    pub(crate) public: Vec<u8>,
}

impl AppKey {
    /// The key kept at `path`; a new one, kept there, if there is none that can be read.
    pub(crate) fn at(path: Option<&Path>) -> Result<Self, SandboxError> {
        let Some(path) = path else { return Self::generate() };
        if let Some(key) = fs::read_to_string(path).ok().and_then(|pem| Self::read(&pem)) {
            return Ok(key);
        }
        let key = Self::generate()?;
        // Two runs may do this at once: each must find the other's file whole or not at all.
        let half = path.with_extension(Uuid::new_v4().to_string());
        fs::write(&half, &key.pem)?;
        fs::rename(&half, path)?;
        Ok(key)
    }

    fn read(pem: &str) -> Option<Self> {
        let text: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
        let pair = KeyPair::from_der(&BASE64_STANDARD.decode(text).ok()?).ok()?;
        Some(Self { pem: pem.to_owned(), public: pair.public_key().as_ref().to_vec() })
    }

    pub(crate) fn generate() -> Result<Self, SandboxError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| SandboxError::Key)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SandboxError::Key)?;
        let inner = pkcs1(der.as_ref()).ok_or(SandboxError::Key)?;
        let mut pem = "-----BEGIN RSA PRIVATE KEY-----\n".to_owned();
        for line in BASE64_STANDARD.encode(inner).as_bytes().chunks(64) {
            pem.extend(line.iter().map(|b| char::from(*b)));
            pem.push('\n');
        }
        pem.push_str("-----END RSA PRIVATE KEY-----\n");
        Ok(Self { pem, public: pair.public_key().as_ref().to_vec() })
    }
}

/// The RSA key inside PKCS#8: sequence { version, algorithm, octets }.
fn pkcs1(der: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(der)?;
    let (_, rest) = element(outer)?;
    let (_, rest) = element(rest)?;
    Some(element(rest)?.0)
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&short, mut rest) = der.get(1..)?.split_first()?;
    let mut length = usize::from(short);
    if short & 0x80 != 0 {
        let (bytes, after) = rest.split_at_checked(usize::from(short & 0x7f))?;
        length = bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b));
        rest = after;
    }
    rest.split_at_checked(length)
}

/// Judges an App's JWT; the error is GitHub's text.
pub(crate) fn verify(
    jwt: &str,
    public: &[u8],
    issuers: &[&str],
    now: DateTime<Utc>,
) -> Result<(), &'static str> {
    const UNREADABLE: &str = "A JSON web token could not be decoded";
    let mut parts = jwt.split('.');
    let (Some(head), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(UNREADABLE);
    };
    let json = |part: &str| -> Option<Value> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let (Some(header), Some(body), Ok(signature)) =
        (json(head), json(claims), BASE64_URL_SAFE_NO_PAD.decode(signature))
    else {
        return Err(UNREADABLE);
    };
    if header["alg"] != "RS256" {
        return Err(UNREADABLE);
    }
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    if key.verify(format!("{head}.{claims}").as_bytes(), &signature).is_err() {
        return Err(UNREADABLE);
    }
    let issuer = match &body["iss"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err("Missing 'issuer' claim ('iss') in assertion"),
    };
    if !issuers.contains(&issuer.as_str()) {
        return Err("Integration not found");
    }
    let seconds = |claim: &str| body[claim].as_f64().map(|s| s as i64);
    let now = now.timestamp();
    match seconds("exp") {
        Some(exp) if exp > now + 600 => {
            return Err("'Expiration time' claim ('exp') is too far in the future");
        }
        Some(exp) if exp > now => {}
        _ => {
            return Err(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            );
        }
    }
    match seconds("iat") {
        Some(iat) if iat <= now => Ok(()),
        _ => Err(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ),
    }
}
