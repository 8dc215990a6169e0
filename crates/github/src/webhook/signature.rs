//! `X-Hub-Signature-256`: HMAC-SHA256 over the raw body.

use aws_lc_rs::hmac;

/// A webhook secret, ready to verify with. Its `Debug` shows the algorithm only.
#[derive(Debug)]
pub(super) struct Key(hmac::Key);

impl Key {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Whether `header` (`sha256=` and 64 lower-case hexadecimal digits) signs `body`. The comparison
    /// takes the same time wherever the two differ.
    pub(super) fn signed(&self, body: &[u8], header: &str) -> bool {
        let digits = header.strip_prefix("sha256=").unwrap_or_default();
        if digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return false;
        }
        let mut tag = [0; 32];
        hex::decode_to_slice(digits, &mut tag).is_ok() && hmac::verify(&self.0, body, &tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        secret: String,
        body_base64: String,
        header: String,
        valid: bool,
    }

    #[test]
    fn the_documented_signature_is_accepted_and_no_other() {
        let key = Key::new(b"It's a Secret to Everybody");
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(key.signed(b"Hello, World!", right));
        let upper = format!("sha256={}", right[7..].to_uppercase());
        let long = format!("{right}00");
        for wrong in
            [&right[7..], &right[..69], "sha256=", "", "sha1=00", &upper, &long, "sha256=ä"]
        {
            assert!(!key.signed(b"Hello, World!", wrong), "{wrong:?}");
        }
        assert!(!key.signed(b"Hello, World?", right));
        assert!(!Key::new(b"other").signed(b"Hello, World!", right));
    }

    #[test]
    fn testdata_every_signature_vector_is_judged_as_published() {
        let Some(folder) = crate::testdata::folder("protocol/github") else { return };
        let text = std::fs::read(folder.join("signature-vectors.json")).unwrap();
        let Vectors { vectors } = serde_json::from_slice(&text).unwrap();
        assert!(vectors.len() >= 11);
        for v in vectors {
            let body = BASE64_STANDARD.decode(v.body_base64).unwrap();
            let signed = Key::new(v.secret.as_bytes()).signed(&body, &v.header);
            assert_eq!(signed, v.valid, "{}", v.name);
        }
    }
}
