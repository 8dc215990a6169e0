//! Server-sent events, of which only the data matters.

use std::borrow::Cow;

/// The data of each event, in order, up to `[DONE]` or the end. An event without the blank line
/// after it counts too: if it was cut, it does not parse.
pub(super) fn events(body: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    Events { lines: body.split(|b| *b == b'\n') }
        .take_while(|data| !data.trim_ascii().eq(b"[DONE]"))
}

struct Events<L> {
    lines: L,
}

impl<'a, L: Iterator<Item = &'a [u8]>> Iterator for Events<L> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut data: Option<Cow<'a, [u8]>> = None;
        for line in self.lines.by_ref() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(value) = line.strip_prefix(b"data:") {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                match &mut data {
                    None => data = Some(Cow::Borrowed(value)),
                    Some(before) => {
                        let before = before.to_mut();
                        before.push(b'\n');
                        before.extend_from_slice(value);
                    }
                }
            } else if line.is_empty() && data.is_some() {
                break;
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<String> {
        events(body.as_bytes()).map(|e| String::from_utf8_lossy(&e).into_owned()).collect()
    }

    #[test]
    fn only_the_data_is_read_up_to_the_end_mark() {
        let body = ": hello\r\nevent: x\r\ndata: 1\r\n\r\nid: 7\ndata:2\ndata: 3\n\n\n\ndata: [DONE]\n\ndata: 4\n\n";
        assert_eq!(read(body), ["1", "2\n3"]);
        assert_eq!(read("data: 1\n\ndata: 2"), ["1", "2"]);
        assert!(read("").is_empty());
        assert!(read("\n\n<html>\n\n").is_empty());
    }
}
