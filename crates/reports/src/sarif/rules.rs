//! Which rule a result breaks, and what is known of it.

use std::{
    collections::{HashMap, hash_map::Entry},
    iter::successors,
    rc::Rc,
};

use chaffinch_core::{Confidence, Rule, RuleId, Severity};

use super::wire::{
    Component, ComponentReference, MessageParts, Messages, Properties, Reference, Rule as WireRule,
    RuleName, Run, SarifResult,
};
use crate::{
    cwe::Weaknesses,
    draft::{rule_id, title},
    lenient::{Object, Text},
    message, rating,
};

/// The name of a rule where a result has none.
const NO_RULE: &str = "unnamed";

/// The rules of one run. Each is read when a result first points at it.
pub(super) struct Rules<'r, 'a> {
    run: &'r Run<'a>,
    /// The driver, if there is one, then the extensions.
    components: Vec<Option<&'r Component<'a>>>,
    names: Option<HashMap<String, Key>>,
    read: HashMap<Key, Option<Rc<WireRule<'a>>>>,
    shared_messages: HashMap<usize, Rc<Messages<'a>>>,
    /// Semgrep and its fork write the same precision for every rule; it says nothing.
    has_precision: bool,
}

/// Levels of a name such as `CA1000/1` below the name of its rule.
const MAX_LEVELS: usize = 8;

/// Component and position.
type Key = (usize, usize);

/// What a result says, with all that its rule adds.
pub(super) struct Described {
    pub(super) rule: Rule,
    pub(super) message: String,
}

impl<'r, 'a> Rules<'r, 'a> {
    pub(super) fn new(run: &'r Run<'a>) -> Self {
        let tool = run.tool.get();
        let mut components = vec![tool.and_then(|tool| tool.driver.get())];
        components.extend(tool.iter().flat_map(|t| t.extensions.items.iter().map(Object::get)));
        let driver = components.first().copied().flatten();
        let name = driver.and_then(|driver| driver.name.get()).unwrap_or_default().to_lowercase();
        Self {
            run,
            components,
            names: None,
            read: HashMap::new(),
            shared_messages: HashMap::new(),
            has_precision: !name.starts_with("semgrep") && !name.starts_with("opengrep"),
        }
    }

    /// Reads a result together with its rule; texts end soon after `limit` bytes.
    pub(super) fn describe(&mut self, result: &SarifResult<'_>, limit: usize) -> Option<Described> {
        let key = self.resolve(result);
        let rule = key.and_then(|key| self.read(key));
        let rule = rule.as_deref();
        let message = self.message(result, key, rule, limit);
        let rule = Rule {
            id: name(result, rule)?,
            title: rule.and_then(rule_title),
            cwe: self.weaknesses(result, rule),
            severity: severity(result, rule),
            confidence: confidence(result, rule, self.has_precision),
        };
        Some(Described { rule, message })
    }

    fn resolve(&mut self, result: &SarifResult<'_>) -> Option<Key> {
        let reference = result.rule.get();
        let id = result.rule_id.get().or_else(|| reference?.id.get());
        let index = reference.and_then(|r| r.index.index()).or(result.rule_index.index());
        if let Some(index) = index {
            let component = reference.and_then(|r| r.tool_component.get());
            let key = (self.component(component), index);
            let is_it = |rule: &WireRule<'_>| {
                id.is_none_or(|id| is_or_is_below(id, rule.id.get().unwrap_or_default()))
            };
            if self.read(key).is_some_and(|rule| is_it(&rule)) {
                return Some(key);
            }
        }
        let names = self.names();
        let levels = successors(id, |id| id.rsplit_once('/').map(|(above, _)| above));
        levels.take(MAX_LEVELS).find_map(|id| names.get(id).copied())
    }

    fn component(&self, reference: Option<&ComponentReference<'_>>) -> usize {
        let Some(reference) = reference else { return 0 };
        if let Some(index) = reference.index.index() {
            return index + 1;
        }
        let same = |a: &Text<'_>, b: &Text<'_>| a.get().is_some() && a.get() == b.get();
        let is_it = |component: &Option<&Component<'_>>| {
            component
                .is_some_and(|c| same(&c.guid, &reference.guid) || same(&c.name, &reference.name))
        };
        self.components.iter().position(is_it).unwrap_or(0)
    }

    fn slice(&self, (component, index): Key) -> Option<&'a str> {
        let rules = &self.components.get(component).copied().flatten()?.rules.items;
        rules.get(index).map(|slice| slice.get())
    }

    fn names(&mut self) -> &HashMap<String, Key> {
        let components = &self.components;
        self.names.get_or_insert_with(|| {
            let mut names = HashMap::new();
            for (i, component) in components.iter().enumerate() {
                for (j, slice) in component.iter().flat_map(|c| c.rules.items.iter()).enumerate() {
                    names.entry(rule_name(slice.get())).or_insert((i, j));
                }
            }
            names.remove("");
            names
        })
    }

    fn read(&mut self, key: Key) -> Option<Rc<WireRule<'a>>> {
        let slice = self.slice(key)?;
        match self.read.entry(key) {
            Entry::Occupied(read) => read.get().clone(),
            Entry::Vacant(place) => {
                let rule: Object<WireRule<'a>> = serde_json::from_str(slice).unwrap_or_default();
                place.insert(rule.0.map(Rc::new)).clone()
            }
        }
    }

    fn message(
        &mut self,
        result: &SarifResult<'_>,
        key: Option<Key>,
        rule: Option<&WireRule<'a>>,
        limit: usize,
    ) -> String {
        let given = result.message.0.as_deref();
        let arguments: Vec<&str> = given
            .iter()
            .flat_map(|given| given.arguments.0.iter())
            .map(|a| a.get().unwrap_or(""))
            .collect();
        if let Some(text) = given.and_then(|given| given.text.get()) {
            return message::fill(text, &arguments, limit);
        }
        if let Some(id) = given.and_then(|given| given.id.get()) {
            let own = rule.and_then(|rule| rule.message_strings.find(id));
            if let Some(text) = own.and_then(|m| text_of(m.0.as_deref())) {
                return message::fill(text, &arguments, limit);
            }
            let component = key.map_or(0, |(component, _)| component);
            for component in [component, 0] {
                let shared = self.shared_messages(component);
                if let Some(text) = shared.find(id).and_then(|m| text_of(m.0.as_deref())) {
                    return message::fill(text, &arguments, limit);
                }
            }
        }
        if let Some(markdown) = given.and_then(|given| given.markdown.get()) {
            return message::fill(markdown, &arguments, limit);
        }
        let of_rule = rule.and_then(|rule| {
            text_of(rule.full_description.0.as_deref())
                .or_else(|| text_of(rule.short_description.0.as_deref()))
                .or_else(|| rule.name.get())
        });
        of_rule.unwrap_or_default().to_owned()
    }

    fn shared_messages(&mut self, component: usize) -> Rc<Messages<'a>> {
        let slice = self.components.get(component).copied().flatten();
        let slice = slice.and_then(|component| component.global_message_strings);
        let read = || slice.and_then(|slice| serde_json::from_str(slice.get()).ok());
        let entry = self.shared_messages.entry(component);
        Rc::clone(entry.or_insert_with(|| Rc::new(read().unwrap_or_default())))
    }

    fn weaknesses(&self, result: &SarifResult<'_>, rule: Option<&WireRule<'_>>) -> Vec<String> {
        let mut found = Weaknesses::default();
        for properties in both(result, rule) {
            properties.tags.iter().for_each(|tag| found.find_in(tag));
            properties.cwe.iter().for_each(|id| found.find_id(id));
        }
        let relationships = rule.into_iter().flat_map(|rule| rule.relationships.items.iter());
        let targets = relationships.filter_map(|r| r.get()?.target.get());
        for reference in targets.chain(result.taxa.items.iter().filter_map(Object::get)) {
            let Some(id) = reference.id.get() else { continue };
            match self.is_cwe(reference) {
                true => found.find_id(id),
                false => found.find_in(id),
            }
        }
        found.into_vec()
    }

    fn is_cwe(&self, reference: &Reference<'_>) -> bool {
        let is_name = |name: &Text<'_>| name.get().is_some_and(|n| n.eq_ignore_ascii_case("cwe"));
        let Some(component) = reference.tool_component.get() else { return false };
        if component.name.get().is_some() {
            return is_name(&component.name);
        }
        let taxonomies = &self.run.taxonomies.items;
        let by_guid = || {
            let guid = component.guid.get()?;
            taxonomies.iter().filter_map(Object::get).find(|t| t.guid.get() == Some(guid))
        };
        let by_index = || taxonomies.get(component.index.index()?)?.get();
        by_guid().or_else(by_index).is_some_and(|taxonomy| is_name(&taxonomy.name))
    }
}

fn rule_name(slice: &str) -> String {
    let name: Object<RuleName<'_>> = serde_json::from_str(slice).unwrap_or_default();
    name.get().and_then(|name| name.id.get()).unwrap_or_default().to_owned()
}

/// Whether `id` is that of the rule called `named`, or one below it: `CA1000/1` is of `CA1000`.
fn is_or_is_below(id: &str, named: &str) -> bool {
    let rest = id.strip_prefix(named);
    named.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn name(result: &SarifResult<'_>, rule: Option<&WireRule<'_>>) -> Option<RuleId> {
    let reference = result.rule.get();
    rule_id(result.rule_id.get())
        .or_else(|| rule_id(reference?.id.get()))
        .or_else(|| rule_id(rule?.id.get()))
        .or_else(|| rule_id(rule?.name.get()))
        .or_else(|| rule_id(Some(NO_RULE)))
}

/// The rule's title, where it says more than its name.
fn rule_title(rule: &WireRule<'_>) -> Option<String> {
    let id = rule.id.get().unwrap_or_default();
    let short = text_of(rule.short_description.0.as_deref());
    let says_more = |text: &&str| !text.trim_end().ends_with(id) || id.is_empty();
    let text = short.filter(says_more).or_else(|| rule.name.get().filter(says_more))?;
    Some(title(text))
}

fn text_of<'m>(message: Option<&'m MessageParts<'_>>) -> Option<&'m str> {
    message.and_then(|m| m.text.get().or_else(|| m.markdown.get()))
}

fn both<'p, 'a>(
    result: &'p SarifResult<'a>,
    rule: Option<&'p WireRule<'a>>,
) -> impl Iterator<Item = &'p Properties<'a>> {
    result.properties.get().into_iter().chain(rule.and_then(|rule| rule.properties.get()))
}

fn severity(result: &SarifResult<'_>, rule: Option<&WireRule<'_>>) -> Severity {
    if result.kind.get() == Some("informational") {
        return Severity::Info;
    }
    if let Some(severity) = both(result, rule).find_map(|p| scored(p.security_severity.get()?)) {
        return severity;
    }
    let configured = || rule?.default_configuration.get()?.level.get();
    let problem = || both(result, rule).find_map(|p| p.problem_severity.get());
    let word = result.level.get().or_else(configured).or_else(problem);
    word.and_then(rating::severity).unwrap_or(Severity::Medium)
}

/// A score, or the word that some tools write in its place; 0 says that it is not known.
fn scored(text: &str) -> Option<Severity> {
    match text.trim().parse::<f64>() {
        Ok(score) => Some(score).filter(|score| *score > 0.0).map(rating::score),
        Err(_) => rating::severity(text),
    }
}

fn confidence(
    result: &SarifResult<'_>,
    rule: Option<&WireRule<'_>>,
    has_precision: bool,
) -> Confidence {
    let said = both(result, rule).find_map(|p| {
        let word = p.confidence.get().or_else(|| p.issue_confidence.get());
        word.and_then(rating::confidence).or_else(|| p.tags.iter().find_map(rating::confidence_tag))
    });
    let precision = || both(result, rule).find_map(|p| rating::confidence(p.precision.get()?));
    said.or_else(|| precision().filter(|_| has_precision)).unwrap_or(Confidence::Unknown)
}
