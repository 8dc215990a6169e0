//! One result on its way from a format to a finding: its texts are cut, its paths not yet fitted.

use std::collections::HashMap;

use chaffinch_core::{FlowRole, FlowStep, Location, Region, Rule, RuleId, SourceText};

use crate::{
    Format, Options, Report, ReportError, Sign, Skipped, Tool, Unfinished, Unidentified,
    bounds::{Limits, REPORT_STEPS, TITLE, TOOL_FINGERPRINT, cut},
    message,
    paths::{PlaceId, Places, Settled},
};

/// One result.
pub(crate) struct Draft {
    pub(crate) tool: Tool,
    pub(crate) rule: Rule,
    pub(crate) message: SourceText,
    /// Where it is; each gives a finding.
    pub(crate) spots: Vec<Spot>,
    pub(crate) flow: Vec<DraftStep>,
    pub(crate) suppressed: bool,
    pub(crate) tool_fingerprint: Option<String>,
}

/// Where a result is.
pub(crate) struct Spot {
    pub(crate) place: PlaceId,
    pub(crate) region: Option<Region>,
    pub(crate) snippet: Option<SourceText>,
}

/// A step of a flow.
pub(crate) struct DraftStep {
    pub(crate) role: FlowRole,
    pub(crate) place: PlaceId,
    pub(crate) region: Option<Region>,
    pub(crate) message: Option<SourceText>,
}

/// What is collected while a report is read.
pub(crate) struct Collector<'o> {
    pub(crate) limits: &'o Limits,
    pub(crate) places: Places<'o>,
    pub(crate) skipped: Skipped,
    pub(crate) tools: Vec<String>,
    unfinished: Vec<Unfinished>,
    /// The bound that was passed, for which reading stopped.
    pub(crate) passed: Option<ReportError>,
    drafts: Vec<Draft>,
    results: usize,
    steps: usize,
}

impl<'o> Collector<'o> {
    pub(crate) fn new(options: &'o Options<'o>) -> Self {
        Self {
            limits: &options.limits,
            places: Places::new(options.known_paths),
            skipped: Skipped::default(),
            tools: Vec::new(),
            unfinished: Vec::new(),
            passed: None,
            drafts: Vec::new(),
            results: 0,
            steps: 0,
        }
    }

    /// Counts a result before it is kept. After an error, reading must stop.
    pub(crate) fn count_result<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.results += 1;
        if self.results <= self.limits.results {
            return Ok(());
        }
        self.passed = Some(ReportError::TooManyResults { limit: self.limits.results });
        Err(E::custom("too many results"))
    }

    /// Whether so many more steps of flows may be kept.
    pub(crate) fn take_steps(&mut self, steps: usize) -> bool {
        let fits = self.steps + steps <= REPORT_STEPS;
        match fits {
            true => self.steps += steps,
            false => self.skipped.flow_steps += steps,
        }
        fits
    }

    /// Names a tool that had a run.
    pub(crate) fn add_tool(&mut self, name: &str) {
        if !self.tools.iter().any(|known| known == name) {
            self.tools.push(name.to_owned());
        }
    }

    /// Says that a scan did not come to its end.
    pub(crate) fn unfinished(&mut self, tool: Option<&str>, sign: Sign) {
        let scan = Unfinished { tool: tool.map(str::to_owned), sign };
        if !self.unfinished.contains(&scan) {
            self.unfinished.push(scan);
        }
    }

    /// Says so of all tools.
    pub(crate) fn all_unfinished(&mut self, sign: Sign) {
        for tool in self.tools.clone() {
            self.unfinished(Some(&tool), sign);
        }
    }

    /// Keeps a result.
    pub(crate) fn add(&mut self, draft: Draft) {
        if draft.spots.is_empty() {
            self.skipped.without_location += 1;
        } else {
            self.drafts.push(draft);
        }
    }

    /// A message for people: links folded, cut.
    pub(crate) fn message(&mut self, text: &str) -> SourceText {
        let text = self.cut(text, 4 * self.limits.text);
        let mut plain = message::plain(text.trim());
        self.skipped.cut_texts += usize::from(cut(&mut plain, self.limits.text));
        plain.into()
    }

    /// A quotation of source, cut; `None` where the tool withholds it.
    pub(crate) fn quotation(&mut self, text: Option<&str>) -> Option<SourceText> {
        let text = text.filter(|text| !is_withheld(text))?;
        Some(self.cut(text, self.limits.text).into())
    }

    fn cut(&mut self, text: &str, limit: usize) -> String {
        let end = text.char_indices().nth(limit).map(|(end, _)| end);
        self.skipped.cut_texts += usize::from(end.is_some());
        text[..end.unwrap_or(text.len())].to_owned()
    }

    /// The report.
    pub(crate) fn finish(mut self, format: Format) -> Report {
        let settled = self.places.settle();
        let mut results = Vec::with_capacity(self.drafts.len());
        for draft in std::mem::take(&mut self.drafts) {
            self.settle(draft, &settled, &mut results);
        }
        let Self { tools, skipped, unfinished, .. } = self;
        Report { format, tools, results, skipped, unfinished }
    }

    fn settle(&mut self, draft: Draft, settled: &Settled, results: &mut Vec<Unidentified>) {
        let Draft { tool, rule, message, spots, flow, suppressed, tool_fingerprint } = draft;
        let given = flow.len();
        let flow = flow.into_iter().filter_map(|step| {
            let location = Location { path: settled.get(step.place)?.clone(), region: step.region };
            Some(FlowStep { role: step.role, location, message: step.message })
        });
        let mut flow: Vec<FlowStep> = flow.collect();
        self.skipped.flow_steps += given - flow.len();
        flow.dedup();
        let spots: Vec<_> =
            spots.into_iter().filter_map(|s| Some((settled.get(s.place)?.clone(), s))).collect();
        if spots.is_empty() {
            self.skipped.outside += 1;
        }
        for (path, spot) in spots {
            results.push(Unidentified {
                tool: tool.clone(),
                rule: rule.clone(),
                message: message.clone(),
                location: Location { path, region: spot.region },
                flow: std::mem::take(&mut flow),
                suppressed,
                tool_fingerprint: tool_fingerprint.clone(),
                snippet: spot.snippet,
            });
        }
    }
}

/// Semgrep writes this where one must log in to see a value.
pub(crate) fn is_withheld(text: &str) -> bool {
    text.trim().is_empty() || text.trim().eq_ignore_ascii_case("requires login")
}

/// The name of a rule, fit for [`RuleId`].
pub(crate) fn rule_id(text: Option<&str>) -> Option<RuleId> {
    let mut id: String =
        text?.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(1_024).collect();
    while id.len() > 1_024 {
        id.pop();
    }
    RuleId::new(id).ok()
}

/// A title or name on one line, cut.
pub(crate) fn title(text: &str) -> String {
    let mut title = text.trim().lines().next().unwrap_or_default().trim_end().to_owned();
    cut(&mut title, TITLE);
    title
}

/// One fingerprint a result, of those that its tool gives: the first that no other result of the
/// run has.
pub(crate) fn unique_fingerprints(given: Vec<Vec<String>>) -> Vec<Option<String>> {
    let usable = |text: &&String| !is_withheld(text) && text.len() <= TOOL_FINGERPRINT;
    let mut times: HashMap<&str, usize> = HashMap::new();
    for one in given.iter().flatten().filter(usable) {
        *times.entry(one).or_default() += 1;
    }
    let unique = |text: &&String| usable(text) && times.get(text.as_str()) == Some(&1);
    given.iter().map(|of_result| of_result.iter().find(unique).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_fingerprint_counts_only_if_it_tells_something() {
        let given = ["a", "a", "", "  ", "requires login", "b"];
        let mut given: Vec<Vec<String>> = given.iter().map(|f| vec![(*f).to_owned()]).collect();
        given.push(vec!["a".to_owned(), "c".to_owned()]);
        given.push(vec!["x".repeat(2_000)]);
        let unique = unique_fingerprints(given);
        let unique: Vec<_> = unique.iter().map(Option::as_deref).collect();
        assert_eq!(unique, [None, None, None, None, None, Some("b"), Some("c"), None]);
    }

    #[test]
    fn rule_ids_are_made_valid() {
        assert_eq!(rule_id(Some(" a\nb ")).unwrap().as_str(), "a b");
        assert_eq!(rule_id(Some(&"ü".repeat(2_000))).unwrap().as_str().len(), 1_024);
        assert_eq!(rule_id(Some(" ")), None);
        assert_eq!(rule_id(None), None);
    }
}
