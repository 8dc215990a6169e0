//! Lays file and environment over the defaults, and names the nearest key where one is unknown.

use toml::{Table, Value};

use super::{Config, ConfigError};

/// The defaults, with their documentation.
pub const EXAMPLE: &str = include_str!("../../../../chaffinch.example.toml");

const PREFIX: &str = "CHAFFINCH__";

/// The largest configuration file, in bytes.
const MAX_FILE: usize = 1 << 20;

pub(super) fn merge(
    file: Option<&str>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table: Table = EXAMPLE
        .parse()
        .map_err(|e| ConfigError::one(format!("the compiled-in defaults are damaged: {e}")))?;
    if let Some(text) = file {
        if text.len() > MAX_FILE {
            return Err(ConfigError::one("the configuration file is larger than 1 MiB"));
        }
        let layer = text.parse().map_err(|e| ConfigError::one(syntax(text, &e)))?;
        overlay(&mut table, layer);
    }
    for (name, text) in environment {
        if let Some(path) = name.strip_prefix(PREFIX) {
            let path: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
            set(&mut table, &path, &text)
                .map_err(|why| ConfigError::one(format!("{name}: {why}")))?;
        }
    }
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|e| {
        let path = e.path().to_string();
        ConfigError::one(describe(&path, e.inner().message()))
    })
}

/// Where a file is not TOML. The line itself may hold a secret, so it is not shown.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| format!(", line {}", before.matches('\n').count() + 1));
    format!("the configuration file{}: {}", line.unwrap_or_default(), error.message())
}

/// Tables are merged, everything else is replaced.
fn overlay(table: &mut Table, layer: Table) {
    for (key, value) in layer {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Puts a value from the environment where it belongs. Its type is that of the default; a setting
/// without a default is text, or, where it reads as one, a list of tables (`[[gitlab.project]]`).
fn set(table: &mut Table, path: &[String], text: &str) -> Result<(), String> {
    let Some((key, above)) = path.split_last() else { return Ok(()) };
    let mut table = table;
    for section in above {
        let entry = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        table = entry.as_table_mut().ok_or_else(|| format!("`{section}` is not a section"))?;
    }
    let value = match table.get(key) {
        None => tables(text).unwrap_or_else(|| Value::String(text.to_owned())),
        Some(Value::String(_)) => Value::String(text.to_owned()),
        Some(default) => {
            let value = parsed(text).filter(|v| v.same_type(default));
            value.ok_or_else(|| format!("wants {}, as in a TOML file", default.type_str()))?
        }
    };
    table.insert(key.clone(), value);
    Ok(())
}

fn parsed(text: &str) -> Option<Value> {
    format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"))
}

fn tables(text: &str) -> Option<Value> {
    let list = parsed(text)?;
    let all = list.as_array()?;
    (!all.is_empty() && all.iter().all(Value::is_table)).then_some(list)
}

fn describe(path: &str, message: &str) -> String {
    let at = if path.is_empty() || path == "." { String::new() } else { format!("{path}: ") };
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return format!("{at}{}", without_value(message));
    };
    let Some((unknown, expected)) = rest.split_once('`') else {
        return format!("{at}{message}");
    };
    let known = expected.split('`').skip(1).step_by(2);
    match known.min_by_key(|known| distance(unknown, known)) {
        Some(nearest) => format!("unknown setting `{path}`; the nearest known one is `{nearest}`"),
        None => format!("unknown setting `{path}`"),
    }
}

/// What was wanted, without what was found: that may be a secret.
fn without_value(message: &str) -> String {
    let quotes = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if !quotes.iter().any(|quote| message.starts_with(quote)) {
        return message.to_owned();
    }
    let (found, wanted) = message.rsplit_once(", expected ").unwrap_or((message, "something else"));
    let kind = found.strip_prefix("invalid type: ").and_then(|found| found.split(' ').next());
    match kind {
        Some(kind) => format!("wants {wanted}, not a {kind}"),
        None => format!("wants {wanted}"),
    }
}

/// Levenshtein's distance, over bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
