//! Files of ten thousand lines and more, of every shape and language.

#[path = "../../examples/shapes/source.rs"]
mod source;

use chaffinch_context::Limits;
use source::{ALL, Shape, source};

use crate::{AMPLE, excerpt, finding, region, show};

/// Asserts that in each language the syntax is told of such a file.
fn is_read(shape: Shape) {
    for writes in &ALL {
        let (text, line) = source(writes, shape, 10_000);
        let found = finding(writes.path, Some(region(line, line)));
        let sent = excerpt(&found, &[(writes.path, text.as_bytes())], AMPLE).unwrap();
        let told = sent.notes().join("; ");
        assert!(!told.contains("instead"), "{}: {told}", writes.path);
        assert!(sent.line(&writes.path.parse().unwrap(), line).is_some(), "{}", writes.path);
    }
}

#[test]
fn ten_thousand_single_lines_are_read_within_the_steps() {
    is_read(Shape::Singles);
}

#[test]
fn a_function_of_ten_thousand_lines_is_read_within_the_steps() {
    is_read(Shape::OneFunction);
}

#[test]
fn a_list_of_ten_thousand_lines_is_read_within_the_steps() {
    is_read(Shape::OneList);
}

#[test]
fn a_quote_that_does_not_end_hides_nothing_far_from_it() {
    is_read(Shape::QuoteOpens);
}

#[test]
fn where_a_long_file_is_broken_the_finding_and_what_is_near_are_shown() {
    for writes in &ALL {
        for shape in [Shape::BrokenNear, Shape::BrokenAll] {
            let (text, line) = source(writes, shape, 10_000);
            let found = finding(writes.path, Some(region(line, line)));
            let sent = excerpt(&found, &[(writes.path, text.as_bytes())], AMPLE).unwrap();
            let shown = |line| sent.line(&writes.path.parse().unwrap(), line).is_some();
            assert!(shown(line) && shown(line - 1), "{}", writes.path);
        }
    }
}

#[test]
fn in_a_long_file_the_function_around_is_the_same_as_in_a_short_one() {
    for writes in &ALL {
        let texts = |lines| {
            let (text, line) = source(writes, Shape::Functions, lines);
            let found = finding(writes.path, Some(region(line, line)));
            let limits = Limits { ceiling: chaffinch_core::Rung::Slice, ..AMPLE };
            let shown = show(&excerpt(&found, &[(writes.path, text.as_bytes())], limits));
            // The numbers differ.
            shown.chars().filter(|c| !c.is_ascii_digit() && *c != ' ').collect::<String>()
        };
        assert_eq!(texts(10_000), texts(200), "{}", writes.path);
    }
}
