//! Taint traces: a location, or a call with what happens on its way and in the function called.

use std::{collections::VecDeque, fmt, marker::PhantomData};

use chaffinch_core::FlowRole;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::wire::Location;
use crate::{
    bounds::HALF_FLOW,
    lenient::{Ends, Object, Text, absent, drain},
};

/// What Semgrep calls `dataflow_trace`.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Trace<'a> {
    taint_source: CallTrace<'a>,
    intermediate_vars: Ends<Spot<'a>>,
    taint_sink: CallTrace<'a>,
}

/// A location, and the source text there.
#[derive(Default)]
pub(super) struct Spot<'a> {
    pub(super) location: Object<Location<'a>>,
    pub(super) content: Text<'a>,
}

/// One step of a trace.
pub(super) type TraceStep<'a> = (FlowRole, Spot<'a>);

/// The calls of a source or sink, from the outermost to the place itself.
#[derive(Default)]
struct CallTrace<'a> {
    calls: Vec<Call<'a>>,
    place: Option<Spot<'a>>,
}

/// A call, and the variables that the value passes in the function called.
struct Call<'a> {
    site: Spot<'a>,
    variables: Ends<Spot<'a>>,
}

impl<'a> Trace<'a> {
    /// The steps from source to sink, in the order in which the value takes them, and how many were
    /// left out of the middle.
    pub(super) fn into_steps(self) -> (Vec<TraceStep<'a>>, usize) {
        let mut dropped = self.intermediate_vars.dropped;
        let step = |spot| (FlowRole::Step, spot);
        let mut steps = VecDeque::new();
        steps.extend(self.taint_source.place.map(|spot| (FlowRole::Source, spot)));
        for call in self.taint_source.calls.into_iter().rev() {
            dropped += call.variables.dropped;
            steps.extend(call.variables.items.into_iter().map(step));
            steps.push_back(step(call.site));
        }
        steps.extend(self.intermediate_vars.items.into_iter().map(step));
        for call in self.taint_sink.calls {
            dropped += call.variables.dropped;
            steps.push_back(step(call.site));
            steps.extend(call.variables.items.into_iter().map(step));
        }
        steps.extend(self.taint_sink.place.map(|spot| (FlowRole::Sink, spot)));
        let mut steps = Vec::from(steps);
        let excess = steps.len().saturating_sub(2 * HALF_FLOW);
        if excess > 0 {
            steps.drain(HALF_FLOW..HALF_FLOW + excess);
        }
        (steps, dropped + excess)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for CallTrace<'a> {
    /// `["CliLoc", [location, content]]`, `["CliCall", [spot, variables, trace]]`, or the object
    /// of a location that older versions wrote.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TraceVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TraceVisitor<'a> {
            type Value = CallTrace<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a trace")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let kind = seq.next_element::<Text<'a>>()?;
                let trace = match kind.as_ref().and_then(Text::get) {
                    Some("CliLoc") => {
                        CallTrace { calls: Vec::new(), place: seq.next_element::<Spot<'a>>()? }
                    }
                    Some("CliCall") => {
                        seq.next_element::<CallBody<'a>>()?.map(|body| body.0).unwrap_or_default()
                    }
                    _ => CallTrace::default(),
                };
                drain(&mut seq)?;
                Ok(trace)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let place = SpotVisitor(PhantomData).visit_map(map)?;
                Ok(CallTrace { calls: Vec::new(), place: Some(place) })
            }
            absent!(CallTrace::default(); scalar, string);
        }
        deserializer.deserialize_any(TraceVisitor(PhantomData))
    }
}

/// `[spot, variables, trace]`.
#[derive(Default)]
struct CallBody<'a>(CallTrace<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for CallBody<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for BodyVisitor<'a> {
            type Value = CallBody<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a call")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let site = seq.next_element::<Spot<'a>>()?.unwrap_or_default();
                let variables = seq.next_element()?.unwrap_or_default();
                let mut inner: CallTrace<'a> = seq.next_element()?.unwrap_or_default();
                drain(&mut seq)?;
                inner.calls.insert(0, Call { site, variables });
                Ok(CallBody(inner))
            }
            absent!(CallBody::default(); scalar, string, object);
        }
        deserializer.deserialize_any(BodyVisitor(PhantomData))
    }
}

/// `[location, content]`, or an object with these names.
struct SpotVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for SpotVisitor<'a> {
    type Value = Spot<'a>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a location with its content")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let location = seq.next_element()?.unwrap_or_default();
        let content = seq.next_element()?.unwrap_or_default();
        drain(&mut seq)?;
        Ok(Spot { location, content })
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Named<'a> {
            location: Object<Location<'a>>,
            content: Text<'a>,
        }
        let named = Named::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Spot { location: named.location, content: named.content })
    }
    absent!(Spot::default(); scalar, string);
}

impl<'de: 'a, 'a> Deserialize<'de> for Spot<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpotVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(json: &str) -> Vec<String> {
        let trace: Trace<'_> = serde_json::from_str(json).unwrap();
        let (steps, dropped) = trace.into_steps();
        assert_eq!(dropped, 0);
        let shown = |(role, spot): &TraceStep<'_>| {
            format!("{role:?} {}", spot.content.get().unwrap_or("-"))
        };
        steps.iter().map(shown).collect()
    }

    #[test]
    fn a_call_on_the_way_to_the_sink_is_entered_after_its_site() {
        let json = r#"{
            "taint_source": ["CliLoc", [{}, "get()"]],
            "intermediate_vars": [{"location": {}, "content": "name"}],
            "taint_sink": ["CliCall", [[{}, "f(name)"], [{"location": {}, "content": "arg"}],
                ["CliCall", [[{}, "g(arg)"], [], ["CliLoc", [{}, "run(x)"]]]]]]}"#;
        assert_eq!(
            steps(json),
            ["Source get()", "Step name", "Step f(name)", "Step arg", "Step g(arg)", "Sink run(x)"]
        );
    }

    #[test]
    fn a_call_on_the_way_from_the_source_is_left_before_its_site() {
        let json = r#"{
            "taint_source": ["CliCall", [[{}, "read()"], [{"content": "line"}],
                ["CliLoc", [{}, "stdin"]]]],
            "taint_sink": ["CliLoc", [{}, "run(x)"]]}"#;
        assert_eq!(steps(json), ["Source stdin", "Step line", "Step read()", "Sink run(x)"]);
    }

    #[test]
    fn older_and_odd_shapes_are_read() {
        let json = r#"{"taint_source": {"location": {}, "content": "old"}, "taint_sink": null}"#;
        assert_eq!(steps(json), ["Source old"]);
        for odd in ["[]", "[1]", "\"x\"", "[\"CliLoc\"]", "[\"CliCall\", 1]", "[\"CliNew\", []]"] {
            let json = format!("{{\"taint_source\": {odd}, \"taint_sink\": {odd}}}");
            assert!(serde_json::from_str::<Trace<'_>>(&json).is_ok(), "{odd}");
        }
    }
}
