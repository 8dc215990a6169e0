//! The bounds of one extraction.

use chaffinch_core::Rung;

/// What an extraction may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens, as [`Excerpt::cost`] counts them. Never exceeded.
    pub budget: usize,
    /// The highest rung of the ladder of disclosure.
    pub ceiling: Rung,
    /// Files asked for about one finding, those that do not exist included, in all rounds
    /// ([`Extraction::after`]).
    pub content_requests: u32,
    /// Steps for parsing one file; past them it counts as one without a grammar. A step is a hundred
    /// operations of the parser: 45 to 100 bytes of source and about 0.03 ms. What is hard to read
    /// costs more of them. Of a long file 40 KiB are parsed at most, which take 400 to 900 steps, and
    /// no more than three of four; the last quarter is for the lines nearest to the finding, should
    /// the rest be too hard to read.
    pub parse_steps: u32,
    /// Bytes of a file beyond which it counts as one without a grammar.
    pub max_file_bytes: usize,
    /// Whether the names of the files of one folder may be asked for; of at most as many folders as
    /// files.
    pub listing: bool,
}

impl Default for Limits {
    /// 900 tokens, related files, 6 requests, 1,000 steps, 1 MiB, no names of files.
    fn default() -> Self {
        Self {
            budget: 900,
            ceiling: Rung::Related,
            content_requests: 6,
            parse_steps: 1_000,
            max_file_bytes: 1 << 20,
            listing: false,
        }
    }
}
