//! JSON types that take what real tools write: a member of an unexpected type counts as absent.

mod list;

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

pub(crate) use self::list::{Array, Ends, Filled, First};

/// Implements the visitor methods for JSON values that count as absent here.
macro_rules! absent {
    ($value:expr; $($kind:ident),+) => { $(crate::lenient::absent!(@ $kind $value);)+ };
    (@ scalar $value:expr) => {
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> { Ok($value) }
        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ string $value:expr) => {
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ array $value:expr) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            crate::lenient::drain(&mut seq)?;
            Ok($value)
        }
    };
    (@ object $value:expr) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}
pub(crate) use absent;

/// Reads the rest of an array away; how many there were.
pub(crate) fn drain<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<usize, A::Error> {
    let mut rest = 0;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        rest += 1;
    }
    Ok(rest)
}

/// Hands over the elements of an array one by one, each as its own slice, so that one that cannot be
/// read does not take the rest with it. Whether it is an array.
pub(crate) fn each<'de>(
    list: &'de RawValue,
    take: impl FnMut(&'de RawValue) -> serde_json::Result<()>,
) -> serde_json::Result<bool> {
    struct Each<F>(F);
    impl<'de, F: FnMut(&'de RawValue) -> serde_json::Result<()>> Visitor<'de> for Each<F> {
        type Value = bool;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("results")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<bool, A::Error> {
            while let Some(slice) = seq.next_element::<&'de RawValue>()? {
                (self.0)(slice).map_err(de::Error::custom)?;
            }
            Ok(true)
        }
        absent!(false; scalar, string, object);
    }
    serde_json::Deserializer::from_str(list.get()).deserialize_any(Each(take))
}

/// A string, number or truth value as text; a slice of the input where it has no escapes.
#[derive(Default, Clone)]
pub(crate) struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// The text, unless it is absent or blank.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// The text, unless it is absent or blank.
    pub(crate) fn take(self) -> Option<Cow<'a, str>> {
        self.0.filter(|text| !text.trim().is_empty())
    }

    fn read(json: &'a str) -> Self {
        let Some(inner) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return match json.as_bytes().first() {
                Some(b'{' | b'[' | b'n') | None => Self(None),
                Some(_) => Self(Some(Cow::Borrowed(json))),
            };
        };
        if !inner.contains('\\') {
            return Self(Some(Cow::Borrowed(inner)));
        }
        if let Ok(text) = serde_json::from_str::<String>(json) {
            return Self(Some(Cow::Owned(text)));
        }
        // A lone surrogate, as tools write that quote bytes which are not UTF-8.
        let bytes = serde_json::from_str::<Bytes>(json).unwrap_or_default().0;
        Self(Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(|raw| Self::read(raw.get()))
    }
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

/// A number, or a string that holds one.
#[derive(Default, Clone, Copy)]
pub(crate) struct Number(Option<f64>);

impl Number {
    /// A line or column: whole and at least 1.
    pub(crate) fn position(self) -> Option<u32> {
        self.index().filter(|n| *n >= 1).and_then(|n| u32::try_from(n).ok())
    }

    /// An index into an array: whole and at least 0.
    pub(crate) fn index(self) -> Option<usize> {
        let n = self.0?;
        let whole = n.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&n);
        whole.then_some(n as usize)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let number = raw.trim_matches('"').trim().parse::<f64>();
        Ok(Self(number.ok().filter(|n| n.is_finite())))
    }
}

/// An object.
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<T> Object<T> {
    /// The object, if there is one.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Option<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
            absent!(None; scalar, string, array);
        }
        deserializer.deserialize_any(ObjectVisitor(PhantomData)).map(Self)
    }
}

/// An object with any names, of which at most `MAX` entries are kept.
pub(crate) struct Entries<'a, T, const MAX: usize>(pub(crate) Vec<(Text<'a>, T)>);

impl<T, const MAX: usize> Entries<'_, T, MAX> {
    /// The value of `name`.
    pub(crate) fn find(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key.get() == Some(name)).map(|(_, value)| value)
    }
}

impl<T, const MAX: usize> Default for Entries<'_, T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Entries<'a, T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<'a, T, const MAX: usize>(PhantomData<(&'a (), T)>);
        impl<'de: 'a, 'a, T: Deserialize<'de>, const MAX: usize> Visitor<'de>
            for EntriesVisitor<'a, T, MAX>
        {
            type Value = Entries<'a, T, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<Text<'a>>()? {
                    if entries.len() < MAX {
                        entries.push((name, map.next_value()?));
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Entries(entries))
            }
            absent!(Entries::default(); scalar, string, array);
        }
        deserializer.deserialize_any(EntriesVisitor(PhantomData))
    }
}

/// One text, or a list of texts, of which at most 100 are kept.
#[derive(Default)]
pub(crate) struct Words<'a>(pub(crate) Vec<Text<'a>>);

impl Words<'_> {
    /// Those that are not blank.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Text::get)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        if !raw.starts_with('[') {
            return Ok(Self(vec![Text::read(raw)]));
        }
        let list = serde_json::from_str::<Array<Text<'de>, 100>>(raw).map_err(de::Error::custom)?;
        Ok(Self(list.items))
    }
}

#[cfg(test)]
mod tests;
