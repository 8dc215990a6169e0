#![doc = include_str!("../README.md")]

mod budget;
mod engine;
mod extraction;
mod language;
mod lines;
mod origin;
mod paths;
mod sparse;
mod syntax;
mod template;
mod tokens;
mod window;

pub use extraction::{Answer, Extraction, Extractor, Limits, NoExcerpt, Step};
pub use lines::{CUT, WholeLines};
pub use syntax::syntax_errors;
pub use tokens::O200k;
