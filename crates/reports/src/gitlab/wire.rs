//! The parts of a GitLab security report that are read. All else is passed over.

use serde::Deserialize;

use crate::lenient::{Array, Ends, Entries, Number, Object, Text};

/// The scan as a whole.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Scan<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) scanner: Object<Scanner<'a>>,
    pub(super) messages: Array<Object<Message<'a>>, 1_000>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Scanner<'a> {
    pub(super) name: Text<'a>,
    pub(super) version: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    pub(super) level: Text<'a>,
}

/// One result. Up to schema 14 it has its own category, message, confidence and scanner.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Vulnerability<'a> {
    pub(super) name: Text<'a>,
    pub(super) message: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) confidence: Text<'a>,
    pub(super) scanner: Object<Scanner<'a>>,
    pub(super) location: Object<Location<'a>>,
    pub(super) identifiers: Array<Object<Identifier<'a>>, 100>,
    pub(super) details: Entries<'a, Object<Detail<'a>>, 100>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Location<'a> {
    pub(super) file: Text<'a>,
    pub(super) start_line: Number,
    pub(super) end_line: Number,
}

/// A name of the weakness. The first is the rule's.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Identifier<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) value: Text<'a>,
}

/// Something that a scanner tells besides: a text, or (`code-flows`) lists of steps.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Detail<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) value: Text<'a>,
    pub(super) items: Array<Ends<Object<Node<'a>>>, 1>,
}

/// A step of a flow.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Node<'a> {
    pub(super) node_type: Text<'a>,
    pub(super) file_location: Object<FileLocation<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct FileLocation<'a> {
    pub(super) file_name: Text<'a>,
    pub(super) line_start: Number,
    pub(super) line_end: Number,
}
