//! Arrays of which only so much is kept.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Object, absent, drain};
use crate::bounds::HALF_FLOW;

/// An array, of which at most `MAX` elements are kept.
pub(crate) struct Array<T, const MAX: usize> {
    /// The first elements.
    pub(crate) items: Vec<T>,
    /// How many more there were.
    pub(crate) dropped: usize,
}

impl<T, const MAX: usize> Default for Array<T, MAX> {
    fn default() -> Self {
        Self { items: Vec::new(), dropped: 0 }
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Array<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArrayVisitor<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ArrayVisitor<T, MAX> {
            type Value = Array<T, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX {
                    match seq.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(Array { items, dropped: 0 }),
                    }
                }
                Ok(Array { items, dropped: drain(&mut seq)? })
            }
            // One object where a list of them was meant.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let item = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Array { items: vec![item], dropped: 0 })
            }
            absent!(Array::default(); scalar, string);
        }
        deserializer.deserialize_any(ArrayVisitor(PhantomData))
    }
}

/// An array, of which the first and the last [`HALF_FLOW`] elements are kept.
pub(crate) struct Ends<T> {
    /// The elements.
    pub(crate) items: Vec<T>,
    /// How many there were between them.
    pub(crate) dropped: usize,
}

impl<T> Default for Ends<T> {
    fn default() -> Self {
        Self { items: Vec::new(), dropped: 0 }
    }
}

impl<T> Ends<T> {
    fn shorten(&mut self) {
        let excess = self.items.len().saturating_sub(2 * HALF_FLOW);
        if excess > 0 {
            self.items.drain(HALF_FLOW..HALF_FLOW + excess);
            self.dropped += excess;
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ends<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EndsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EndsVisitor<T> {
            type Value = Ends<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut ends = Ends::default();
                while let Some(item) = seq.next_element()? {
                    ends.items.push(item);
                    if ends.items.len() == 4 * HALF_FLOW {
                        ends.shorten();
                    }
                }
                ends.shorten();
                Ok(ends)
            }
            absent!(Ends::default(); scalar, string, object);
        }
        deserializer.deserialize_any(EndsVisitor(PhantomData))
    }
}

/// Whether there is something to it.
pub(crate) trait Filled {
    fn is_filled(&self) -> bool;
}

/// The first element of an array that is filled; the others are passed over.
pub(crate) struct First<T>(pub(crate) Option<T>);

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de> + Filled> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Filled> Visitor<'de> for FirstVisitor<T> {
            type Value = Option<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while let Some(item) = seq.next_element::<Object<T>>()? {
                    if let Some(item) = item.0.filter(T::is_filled) {
                        drain(&mut seq)?;
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let item = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Some(item).filter(T::is_filled))
            }
            absent!(None; scalar, string);
        }
        deserializer.deserialize_any(FirstVisitor(PhantomData)).map(Self)
    }
}
