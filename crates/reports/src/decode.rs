//! Bytes to text: byte order marks, UTF-16, and bytes that are not UTF-8.

use std::borrow::Cow;

use chaffinch_core::SourceText;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The text of a report: a slice of its bytes where they are UTF-8.
pub(crate) enum Decoded<'a> {
    /// UTF-8 as it stood.
    Slice(&'a str),
    /// Converted; wiped when dropped.
    Converted(SourceText),
}

impl Decoded<'_> {
    /// The text, without a byte order mark.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Slice(text) => text,
            Self::Converted(text) => text.expose(),
        }
    }
}

/// Decodes by the byte order mark, else by where the NULs of the first character are; what is
/// malformed becomes U+FFFD.
pub(crate) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or_else(|| (guess(bytes), 0));
    let (text, _) = encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default());
    match text {
        Cow::Borrowed(text) => Decoded::Slice(text),
        Cow::Owned(text) => Decoded::Converted(text.into()),
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0, first, ..] if *first != 0 => UTF_16BE,
        [first, 0, second, ..] if *first != 0 && *second != 0 => UTF_16LE,
        _ => UTF_8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "{\"ü\": 1}";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.clone().into_bytes(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_str(), text);
        }
    }

    #[test]
    fn utf_8_is_not_copied() {
        assert!(matches!(decode(b"\xef\xbb\xbf{}"), Decoded::Slice("{}")));
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        assert_eq!(decode(b"{\"a\": \"\xe4\"}").as_str(), "{\"a\": \"\u{fffd}\"}");
        assert_eq!(decode(b"").as_str(), "");
    }
}
