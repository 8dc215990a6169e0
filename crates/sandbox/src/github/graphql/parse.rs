//! The part of GraphQL that a client of review threads uses: one operation, fields, arguments,
//! aliases, inline fragments.

use serde_json::{Map, Value};

/// A field that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Under which name the answer holds it.
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) fields: Vec<Field>,
    /// The type that it is asked of, inside an inline fragment.
    pub(super) on: Option<String>,
}

pub(super) struct Operation {
    pub(super) mutation: bool,
    pub(super) fields: Vec<Field>,
}

/// Reads a query document with its variables filled in.
pub(super) fn parse(query: &str, variables: &Value) -> Result<Operation, String> {
    let mut reader = Reader { tokens: tokens(query)?, at: 0, variables, depth: 0 };
    let mut mutation = false;
    let mut defaults = Map::new();
    if let Some(Token::Name(word)) = reader.peek() {
        mutation = word == "mutation";
        reader.at += 1;
        if let Some(Token::Name(_)) = reader.peek() {
            reader.at += 1;
        }
        if reader.take("(") {
            defaults = reader.declarations()?;
        }
    }
    let mut merged = defaults;
    if let Some(given) = variables.as_object() {
        merged.extend(given.clone());
    }
    let merged = Value::Object(merged);
    reader.variables = &merged;
    let fields = reader.selection(None)?;
    if reader.peek().is_some() {
        return Err("only one operation, and no named fragments, are understood here".to_owned());
    }
    Ok(Operation { mutation, fields })
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(i64),
    Mark(String),
}

fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(c) = chars.next() {
        let mut word = |first: char, more: fn(char) -> bool| {
            let mut text = first.to_string();
            while let Some(c) = chars.peek().copied().filter(|c| more(*c)) {
                text.push(c);
                chars.next();
            }
            text
        };
        match c {
            c if c.is_whitespace() || c == ',' => {}
            '#' => {
                word('#', |c| c != '\n');
            }
            '.' => {
                word('.', |c| c == '.');
                out.push(Token::Mark("...".to_owned()));
            }
            '"' => {
                let text = word('"', |c| c != '"');
                out.push(Token::Text(text[1..].to_owned()));
                chars.next();
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                out.push(Token::Name(word(c, |c| c.is_ascii_alphanumeric() || c == '_')));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let text = word(c, |c| c.is_ascii_digit());
                out.push(Token::Number(text.parse().map_err(|_| "a malformed number")?));
            }
            c if "{}()[]:$!=@".contains(c) => out.push(Token::Mark(c.to_string())),
            c => return Err(format!("unexpected character {c:?}")),
        }
        if out.len() > 2_000 {
            return Err("the query is too long".to_owned());
        }
    }
    Ok(out)
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    variables: &'a Value,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, mark: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Mark(m)) if m == mark);
        self.at += usize::from(here);
        here
    }

    fn want(&mut self, mark: &str) -> Result<(), String> {
        if self.take(mark) {
            Ok(())
        } else {
            Err(format!("expected {mark:?}, got {:?}", self.peek()))
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            other => Err(format!("expected a name, got {other:?}")),
        }
    }

    /// `$owner: String!, $first: Int = 50)`: the defaults.
    fn declarations(&mut self) -> Result<Map<String, Value>, String> {
        let mut out = Map::new();
        while !self.take(")") {
            self.want("$")?;
            let name = self.name()?;
            self.want(":")?;
            while self.take("[") || self.take("!") || self.take("]") {}
            self.name()?;
            while self.take("!") || self.take("]") {}
            if self.take("=") {
                out.insert(name, self.value()?);
            }
        }
        Ok(out)
    }

    fn selection(&mut self, on: Option<&str>) -> Result<Vec<Field>, String> {
        self.depth += 1;
        if self.depth > 20 {
            return Err("the query is nested too deeply".to_owned());
        }
        self.want("{")?;
        let mut out = Vec::new();
        while !self.take("}") {
            if self.take("...") {
                if self.name()? != "on" {
                    return Err("named fragments are not understood here".to_owned());
                }
                let kind = self.name()?;
                out.extend(self.selection(Some(&kind))?);
                continue;
            }
            let mut name = self.name()?;
            let mut alias = name.clone();
            if self.take(":") {
                name = self.name()?;
            } else {
                alias.clone_from(&name);
            }
            let mut arguments = Map::new();
            if self.take("(") {
                while !self.take(")") {
                    let key = self.name()?;
                    self.want(":")?;
                    arguments.insert(key, self.value()?);
                }
            }
            let opens = matches!(self.peek(), Some(Token::Mark(m)) if m == "{");
            let fields = if opens { self.selection(None)? } else { Vec::new() };
            out.push(Field { alias, name, arguments, fields, on: on.map(str::to_owned) });
        }
        self.depth -= 1;
        Ok(out)
    }

    fn value(&mut self) -> Result<Value, String> {
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Number(number)) => Ok(Value::from(number)),
            Some(Token::Name(name)) => Ok(match name.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => Value::String(name),
            }),
            Some(Token::Mark(mark)) if mark == "$" => {
                let name = self.name()?;
                Ok(self.variables.get(&name).cloned().unwrap_or(Value::Null))
            }
            Some(Token::Mark(mark)) if mark == "{" => {
                let mut out = Map::new();
                while !self.take("}") {
                    let key = self.name()?;
                    self.want(":")?;
                    out.insert(key, self.value()?);
                }
                Ok(Value::Object(out))
            }
            Some(Token::Mark(mark)) if mark == "[" => {
                let mut out = Vec::new();
                while !self.take("]") {
                    out.push(self.value()?);
                }
                Ok(Value::Array(out))
            }
            other => Err(format!("expected a value, got {other:?}")),
        }
    }
}
