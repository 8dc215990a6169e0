//! Reads the labelled set and fills its templates.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::support::{ALNUM, BASE64, HEX, LOWER, random};

/// A text, and what in it must not leave.
pub(crate) struct Case {
    pub(crate) kind: String,
    /// The kind and the template: what a case is called.
    pub(crate) name: String,
    pub(crate) path: &'static str,
    pub(crate) text: String,
    /// Empty where the text is harmless.
    pub(crate) secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    kind: Vec<Kind>,
    #[serde(default)]
    alarm: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    id: String,
    #[serde(default)]
    value: String,
    /// `last`: only the part behind the last slash or `_` is secret.
    #[serde(default)]
    leak: String,
    /// The name under which it stands in some of [`CARRIERS`].
    name: Option<String>,
    #[serde(default)]
    lines: Vec<String>,
}

/// How files of many forms name a value; `{n}` is the name.
const CARRIERS: &[(&str, &str)] = &[
    (".env", "{n}={}"),
    ("config.yaml", "{n}: {}"),
    ("config.yml", "  {n}: \"{}\""),
    ("config.json", "  \"{n}\": \"{}\","),
    ("config.toml", "{n} = \"{}\""),
    ("app.properties", "{n}={}"),
    ("Dockerfile", "ENV {n}={}"),
    ("run.sh", "export {n}='{}'"),
    ("app.py", "{n} = '{}'"),
    ("app.js", "const {n} = `{}`;"),
    ("app.min.js", "var a=1,b={{n}:\"{}\"},c;"),
    ("App.java", "String {n} = \"{}\";"),
    ("app.go", "{n} := \"{}\""),
    ("app.rb", "{n}: '{}',"),
    ("app.php", "define('{n}', '{}');"),
    ("App.cs", "var {n} = @\"{}\";"),
    ("main.tf", "  {n} = \"{}\""),
    ("web.config", "<add key=\"{n}\" value=\"{}\"/>"),
    ("app.xml", "<{n}>{}</{n}>"),
    ("seed.sql", "INSERT INTO s VALUES ('{n}', '{}');"),
    ("call.sh", "curl -H 'X-{n}: {}' https://x.example"),
    ("README.md", "Use `{n}` with `{}`."),
    ("app.rs", "const K: &str = \"{}\"; // {n}"),
    ("app.kt", "val {n} = \"\"\"{}\"\"\""),
];
/// In how many of them a kind stands.
const CARRIED: usize = 4;

/// Made-up secrets.
pub(crate) fn secrets() -> Vec<Case> {
    cases(&read(include_str!("secrets.toml")).kind)
}

/// Texts that hold nothing to hide.
pub(crate) fn harmless() -> Vec<Case> {
    cases(&read(include_str!("harmless.toml")).kind)
}

/// Addresses, and texts that hold none.
pub(crate) fn emails() -> (Vec<Case>, Vec<Case>) {
    let set = read(include_str!("emails.toml"));
    (cases(&set.kind), cases(&set.alarm))
}

fn read(file: &str) -> Set {
    toml::from_str(file).unwrap()
}

fn cases(kinds: &[Kind]) -> Vec<Case> {
    let mut out = Vec::new();
    for (number, kind) in kinds.iter().enumerate() {
        for line in &kind.lines {
            out.push(case(kind, "src/settings.py", line));
        }
        for i in 0..kind.name.as_ref().map_or(0, |_| CARRIED) {
            let (path, form) = CARRIERS[(number * CARRIED + i) % CARRIERS.len()];
            let line = form.replace("{n}", kind.name.as_deref().unwrap());
            out.push(case(kind, path, &line));
        }
    }
    out
}

fn case(kind: &Kind, path: &'static str, line: &str) -> Case {
    let name = format!("{}: {line}", kind.id).replace('\n', "⏎");
    let mut seed =
        name.bytes().fold(7u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x1_0000_01b3));
    let value = filled(&kind.value, &mut seed);
    let (first, second) = value.split_at(value.len() / 2 - value.len() % 2);
    let text = filled(line, &mut seed);
    let text = text.replace("{}", &value).replace("\\A", first).replace("\\B", second);
    let secret = match kind.leak.as_str() {
        "last" => value.rsplit(['/', '_']).next().unwrap().to_owned(),
        _ => value,
    };
    Case { kind: kind.id.clone(), name, path, text, secret }
}

/// A template with random text of the wanted kind; other braces stay.
fn filled(template: &str, seed: &mut u64) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let close = rest.find('}').map_or(0, |at| at + 1);
        *seed = seed.wrapping_add(1);
        match made(rest[..close].trim_matches(['{', '}']), *seed) {
            Some(text) => {
                out.push_str(&text);
                rest = &rest[close..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    (out + rest).replace('¦', "")
}

fn made(what: &str, seed: u64) -> Option<String> {
    if what == "uuid" {
        let hex = random(HEX, 32, seed);
        let parts = [&hex[..8], &hex[8..12], "4b7a", &hex[16..20], &hex[20..]];
        return Some(parts.join("-"));
    }
    let (alphabet, length) = what.split_once(':')?;
    let length = length.parse().ok()?;
    let alphabet = match alphabet {
        "alnum" => ALNUM,
        "alnumup" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "lower" => LOWER,
        "low" => "abcdefghijklmnopqrstuvwxyz",
        "letter" => "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "hex" | "hexdigit" => HEX,
        "hexup" => "0123456789ABCDEF",
        "digit" => "0123456789",
        "digit19" => "123456789",
        "b32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "b32low" => "abcdefghijklmnopqrstuvwxyz234567",
        "age" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        "word" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
        "symbols" => "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)",
        "base64" => BASE64,
        "base64of" => return Some(BASE64_STANDARD.encode(random(ALNUM, length, seed))),
        _ => return None,
    };
    Some(random(alphabet, length, seed))
}
