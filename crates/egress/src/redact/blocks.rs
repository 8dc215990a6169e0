//! Key blocks: whole ones, ones that an excerpt cuts, and their lines alone.

use super::{Class, Span, floor, rule::entropy};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const PRIVATE: Class<'static> = Class::Secret("private-key");
const BASE64: Class<'static> = Class::Generic("base64-block");

/// How far the end of a block is looked for: the longest keys in use take a fifth of it.
const REACH: usize = 64 << 10;

/// Adds key blocks, and lines that can only be parts of one.
pub(super) fn find(text: &str, spans: &mut Vec<Span<'_>>) {
    let mut public = Vec::new();
    for (start, _) in text.match_indices(BEGIN) {
        let title = text[start + BEGIN.len()..].split("-----").next().unwrap_or_default();
        let body = start + BEGIN.len() + title.len() + 5;
        if title.len() > 100 || title.contains('\n') || body > text.len() {
            continue;
        }
        let rest = &text[body..floor(text, body + REACH)];
        let next = rest.find(BEGIN).unwrap_or(rest.len());
        let end = match rest[..next].find(END) {
            Some(at) => {
                let after = &rest[at + END.len()..];
                let close = after.find("-----").filter(|i| *i <= 100).map_or(0, |i| i + 5);
                body + at + END.len() + close
            }
            None => body + cut_body(&rest[..next]),
        };
        if !title.to_ascii_uppercase().contains("PRIVATE KEY") {
            public.push((start, end));
        } else if holds_key(&text[body..end]) {
            spans.push(Span { start, end, class: PRIVATE });
        }
    }
    lone_lines(text, &public, spans);
}

/// How much of what follows a beginning without an end can belong to the block.
fn cut_body(rest: &str) -> usize {
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        let body = strip(line);
        let header = body.contains(": ") && body.len() < 100 && !body.contains(['(', '=', '{']);
        if !body.is_empty() && !header && !is_base64(body) && !is_escaped(body) {
            break;
        }
        length += line.len();
    }
    // On the line of the beginning itself, the block may end with its literal.
    let first = rest.split('\n').next().unwrap_or_default();
    let literal = first.find(['"', '\'', '`']).unwrap_or(first.len());
    length.max(literal)
}

/// Whether there is key material, and not only code that puts a block together or takes it apart.
fn holds_key(body: &str) -> bool {
    let mut run = 0;
    let mut total = 0;
    for byte in body.bytes() {
        if is_base64_byte(byte) {
            run += 1;
            continue;
        }
        total += if run >= 32 { run } else { 0 };
        run = 0;
    }
    total + if run >= 32 { run } else { 0 } >= 32
}

/// Lines that hold nothing but base64: two or more of them, or one as wide as key files have it.
fn lone_lines(text: &str, public: &[(usize, usize)], spans: &mut Vec<Span<'_>>) {
    let mut group: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for line in text.split('\n').chain([""]) {
        let body = strip(line);
        let at = start + line.find(body).unwrap_or_default();
        let next = public.partition_point(|(_, to)| *to <= start);
        let inside = public.get(next).is_some_and(|(from, _)| *from <= start);
        let wide = body.len() >= 40 && is_random(body);
        let tail = !group.is_empty() && body.len() >= 4 && body.len() <= 76;
        if !inside && is_base64(body) && (wide || tail) {
            group.push((at, at + body.len()));
        } else {
            let alone = |(from, to): &(usize, usize)| {
                matches!(to - from, 64 | 70 | 76) && entropy(&text.as_bytes()[*from..*to]) >= 4.8
            };
            if group.len() >= 2 || group.first().is_some_and(alone) {
                let spans_of = group.iter().map(|(start, end)| Span {
                    start: *start,
                    end: *end,
                    class: BASE64,
                });
                spans.extend(spans_of);
            }
            group.clear();
        }
        start += line.len() + 1;
    }
}

/// A line without what stands around a piece of a literal or comment.
fn strip(line: &str) -> &str {
    let line = line.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '`' | ',' | ';' | '.' | '#' | '*' | '(' | ')' | '\\')
    });
    let line = line.strip_suffix("\\n").unwrap_or(line);
    let line = line.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    match line.strip_suffix('+') {
        // `"…" +`: the sign joins literals; without the blank it is base64.
        Some(rest) if rest.ends_with([' ', '"', '\'']) => strip(rest),
        _ => line,
    }
}

fn is_base64_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn is_base64(body: &str) -> bool {
    !body.is_empty() && body.bytes().all(is_base64_byte)
}

fn is_escaped(body: &str) -> bool {
    body.len() >= 32 && body.replace("\\n", "").bytes().all(is_base64_byte)
}

fn is_random(body: &str) -> bool {
    let has = |wanted: fn(&u8) -> bool| body.as_bytes().iter().any(wanted);
    has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && entropy(body.as_bytes()) > 4.3
}
