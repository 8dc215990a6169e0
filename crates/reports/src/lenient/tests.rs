use super::*;

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Sample<'a> {
    text: Text<'a>,
    number: Number,
    words: Words<'a>,
    object: Object<Inner<'a>>,
    array: Array<Object<Inner<'a>>, 2>,
    entries: Entries<'a, Text<'a>, 2>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Inner<'a> {
    text: Text<'a>,
}

fn read(json: &str) -> Sample<'_> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_member_of_any_unexpected_type_counts_as_absent() {
    for value in ["null", "true", "-1", "1.5", "\"x\"", "[[1]]", "{\"y\": {}}", "[]", "{}"] {
        for name in ["text", "number", "words", "object", "array", "entries"] {
            let json = format!("{{\"{name}\": {value}, \"unknown\": {value}}}");
            assert!(serde_json::from_str::<Sample<'_>>(&json).is_ok(), "{json}");
        }
    }
}

#[test]
fn texts_without_escapes_are_slices_of_the_input() {
    let sample = read(r#"{"text": "plain", "object": {"text": "a\nb"}}"#);
    assert!(matches!(sample.text.0, Some(Cow::Borrowed("plain"))));
    assert_eq!(sample.object.0.unwrap().text.get(), Some("a\nb"));
}

#[test]
fn a_lone_surrogate_is_replaced() {
    let sample = read(r#"{"text": "a\ud800b\n"}"#);
    let text = sample.text.get().unwrap();
    assert!(text.starts_with('a') && text.ends_with("b\n"), "{text:?}");
}

#[test]
fn numbers_may_stand_in_strings() {
    assert_eq!(read(r#"{"number": "98"}"#).number.position(), Some(98));
    assert_eq!(read(r#"{"number": 12.0}"#).number.position(), Some(12));
    for odd in ["0", "-1", "1.5", "1e300", "\"\"", "\"NaN\"", "99999999999"] {
        let json = format!("{{\"number\": {odd}}}");
        assert_eq!(read(&json).number.position(), None, "{odd}");
    }
}

#[test]
fn lists_keep_so_many_and_count_the_rest() {
    let sample = read(r#"{"array": [{"text": "a"}, 1, {"text": "c"}, {}]}"#);
    assert_eq!((sample.array.items.len(), sample.array.dropped), (2, 2));
    let sample = read(r#"{"entries": {"a": "1", "b": "2", "c": "3"}}"#);
    assert_eq!(sample.entries.find("b").and_then(Text::get), Some("2"));
    assert!(sample.entries.find("c").is_none());
}

#[test]
fn of_a_long_list_both_ends_are_kept() {
    for len in [0, 1, 100, 101, 199, 200, 201, 1_000] {
        let json = serde_json::to_string(&(0..len).collect::<Vec<_>>()).unwrap();
        let ends: Ends<usize> = serde_json::from_str(&json).unwrap();
        assert_eq!(ends.items.len() + ends.dropped, len);
        assert_eq!(ends.items.len(), len.min(100));
        assert_eq!(ends.items.last().copied(), len.checked_sub(1));
        assert!(ends.items.iter().take(50).copied().eq(0..len.min(50)));
    }
}

#[test]
fn one_or_many() {
    assert_eq!(read(r#"{"words": "a"}"#).words.iter().collect::<Vec<_>>(), ["a"]);
    assert_eq!(read(r#"{"words": ["a", 1, null]}"#).words.iter().collect::<Vec<_>>(), ["a", "1"]);
    assert_eq!(read(r#"{"array": {"text": "a"}}"#).array.items.len(), 1);
}
