//! The parts of SARIF 2.1.0 that are read. All else in a document is passed over.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    bounds::LOCATIONS,
    lenient::{Array, Ends, Entries, Filled, First, Number, Object, Text, Words},
};

/// Slices of the document, each read only if something points at it.
pub(crate) type Slices<'a> = Array<&'a RawValue, 500_000>;

/// A run. Its results are a slice too: they are read when all that they may point at is known.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Run<'a> {
    pub(crate) tool: Object<Tool<'a>>,
    /// Null counts as absent.
    pub(crate) results: Option<&'a RawValue>,
    pub(crate) artifacts: Slices<'a>,
    pub(crate) original_uri_base_ids: Entries<'a, Object<ArtifactLocation<'a>>, 1_000>,
    pub(crate) invocations: Array<Object<Invocation<'a>>, 100>,
    pub(crate) taxonomies: Array<Object<Taxonomy<'a>>, 200>,
    pub(crate) thread_flow_locations: Slices<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Tool<'a> {
    pub(crate) driver: Object<Component<'a>>,
    pub(crate) extensions: Array<Object<Component<'a>>, 200>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Component<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) guid: Text<'a>,
    pub(crate) version: Text<'a>,
    pub(crate) semantic_version: Text<'a>,
    pub(crate) rules: Slices<'a>,
    pub(crate) global_message_strings: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Rule<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) short_description: Message<'a>,
    pub(crate) full_description: Message<'a>,
    pub(crate) default_configuration: Object<Configuration<'a>>,
    pub(crate) message_strings: Messages<'a>,
    pub(crate) relationships: Array<Object<Relationship<'a>>, 100>,
    pub(crate) properties: Object<Properties<'a>>,
}

/// Message strings by their names.
pub(crate) type Messages<'a> = Entries<'a, Message<'a>, 200>;

/// The name of a rule and nothing else.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct RuleName<'a> {
    pub(crate) id: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Configuration<'a> {
    pub(crate) level: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Relationship<'a> {
    pub(crate) target: Object<Reference<'a>>,
}

/// Points at a rule, or at an entry of a taxonomy.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Reference<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) index: Number,
    pub(crate) tool_component: Object<ComponentReference<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ComponentReference<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) guid: Text<'a>,
    pub(crate) index: Number,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Taxonomy<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) guid: Text<'a>,
}

/// What tools write about results and rules beyond the standard.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Properties<'a> {
    pub(crate) tags: Words<'a>,
    pub(crate) cwe: Words<'a>,
    #[serde(rename = "security-severity")]
    pub(crate) security_severity: Text<'a>,
    #[serde(rename = "problem.severity")]
    pub(crate) problem_severity: Text<'a>,
    pub(crate) precision: Text<'a>,
    pub(crate) confidence: Text<'a>,
    pub(crate) issue_confidence: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Invocation<'a> {
    pub(crate) working_directory: Object<ArtifactLocation<'a>>,
    pub(crate) execution_successful: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct SarifResult<'a> {
    pub(crate) rule_id: Text<'a>,
    pub(crate) rule_index: Number,
    pub(crate) rule: Object<Reference<'a>>,
    pub(crate) kind: Text<'a>,
    pub(crate) level: Text<'a>,
    pub(crate) message: Message<'a>,
    pub(crate) locations: Array<Object<Location<'a>>, LOCATIONS>,
    pub(crate) code_flows: CodeFlows<'a>,
    pub(crate) fingerprints: Entries<'a, OwnFingerprint<'a>, 20>,
    pub(crate) suppressions: Array<Object<Suppression<'a>>, 100>,
    pub(crate) baseline_state: Text<'a>,
    pub(crate) taxa: Array<Object<Reference<'a>>, 100>,
    pub(crate) properties: Object<Properties<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Suppression<'a> {
    pub(crate) status: Text<'a>,
    pub(crate) state: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Location<'a> {
    pub(crate) physical_location: Object<PhysicalLocation<'a>>,
    pub(crate) message: Note<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct PhysicalLocation<'a> {
    pub(crate) artifact_location: Object<ArtifactLocation<'a>>,
    pub(crate) region: Object<Region<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct ArtifactLocation<'a> {
    pub(crate) uri: Text<'a>,
    pub(crate) uri_base_id: Text<'a>,
    pub(crate) index: Number,
}

/// An entry of the table of artifacts.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Artifact<'a> {
    pub(crate) location: Object<ArtifactLocation<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Region<'a> {
    pub(crate) start_line: Number,
    pub(crate) start_column: Number,
    pub(crate) end_line: Number,
    pub(crate) end_column: Number,
    pub(crate) snippet: Note<'a>,
}

/// A message: an object, or a bare string as some tools write it.
#[derive(Default)]
pub(crate) struct Message<'a>(pub(crate) Option<Box<MessageParts<'a>>>);

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct MessageParts<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) markdown: Text<'a>,
    pub(crate) id: Text<'a>,
    pub(crate) arguments: Words<'a>,
}

/// A message of which only the text matters.
#[derive(Default)]
pub(crate) struct Note<'a>(pub(crate) Text<'a>);

/// A tool's own fingerprint: a string, or one in an object as some tools write it.
#[derive(Default)]
pub(crate) struct OwnFingerprint<'a>(pub(crate) Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Message<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        let parts = match raw.get().as_bytes().first() {
            Some(b'{') => read(raw)?,
            _ => MessageParts { text: read(raw)?, ..MessageParts::default() },
        };
        Ok(Self(Some(Box::new(parts))))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Note<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Parts<'a> {
            text: Text<'a>,
            markdown: Text<'a>,
        }
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return read(raw).map(Self);
        }
        let parts: Parts<'a> = read(raw)?;
        let text = if parts.text.get().is_some() { parts.text } else { parts.markdown };
        Ok(Self(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for OwnFingerprint<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Nested<'a> {
            value: Text<'a>,
        }
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return read(raw).map(Self);
        }
        read::<Nested<'a>, D::Error>(raw).map(|nested| Self(nested.value))
    }
}

fn read<'de, T: Deserialize<'de>, E: serde::de::Error>(raw: &'de RawValue) -> Result<T, E> {
    serde_json::from_str(raw.get()).map_err(E::custom)
}

/// The first flow that has steps.
pub(crate) type CodeFlows<'a> = First<CodeFlow<'a>>;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct CodeFlow<'a> {
    pub(crate) thread_flows: First<ThreadFlow<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ThreadFlow<'a> {
    pub(crate) locations: Ends<Object<Step<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Step<'a> {
    pub(crate) location: Object<Location<'a>>,
    /// Into the run's `threadFlowLocations`.
    pub(crate) index: Number,
}

impl Filled for CodeFlow<'_> {
    fn is_filled(&self) -> bool {
        self.thread_flows.0.is_some()
    }
}

impl Filled for ThreadFlow<'_> {
    fn is_filled(&self) -> bool {
        !self.locations.items.is_empty()
    }
}
