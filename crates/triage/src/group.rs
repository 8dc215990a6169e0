//! Which findings are one question.

use chaffinch_core::{Finding, RepoPath};

use crate::Touch;

/// Findings that are asked about once: the same rule on the same lines by the same way, whichever
/// tool says so. The first one stands for all.
pub(crate) type Group = Vec<(Finding, Touch)>;

/// Puts findings into groups, the most pressing first: what the diff shows before what it does not,
/// then the graver.
pub(crate) fn groups(findings: Vec<(Finding, Touch)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut findings = findings;
    findings.sort_by(|(a, _), (b, _)| key(a).cmp(&key(b)).then(a.fingerprint.cmp(&b.fingerprint)));
    for (finding, touch) in findings {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|(first, _)| is_same(first, &finding)) => {
                group.push((finding, touch));
            }
            _ => groups.push(vec![(finding, touch)]),
        }
    }
    groups.sort_by_key(|group| {
        let nearest = group.iter().map(|(_, touch)| order(*touch)).min();
        let gravest = group.iter().map(|(finding, _)| finding.rule.severity).max();
        (nearest, std::cmp::Reverse(gravest))
    });
    groups
}

fn order(touch: Touch) -> u8 {
    match touch {
        Touch::Lines(_) => 0,
        Touch::Flow => 1,
        Touch::Unknown => 2,
        Touch::File => 3,
    }
}

type Key<'a> = (Option<&'a RepoPath>, Option<(u32, u32)>, &'a str, Vec<(&'a RepoPath, u32)>);

fn key(finding: &Finding) -> Key<'_> {
    let at = finding.location.as_ref();
    let lines = at.and_then(|at| at.region).map(|region| (region.lines.start, region.lines.end));
    (at.map(|at| &at.path), lines, finding.rule.id.as_str(), way(finding))
}

fn way(finding: &Finding) -> Vec<(&RepoPath, u32)> {
    let steps = finding.flow.iter().map(|step| &step.location);
    steps.map(|at| (&at.path, at.region.map_or(0, |region| region.lines.start))).collect()
}

fn is_same(a: &Finding, b: &Finding) -> bool {
    a.location.is_some() && key(a) == key(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_core::{
        Confidence, Fingerprint, FlowRole, FlowStep, LineRange, Location, Region, Rule, Severity,
    };

    fn at(line: u32) -> Location {
        let lines = LineRange::new(line, line);
        Location {
            path: "a.py".parse().unwrap(),
            region: Some(Region { lines, start_column: None, end_column: None }),
        }
    }

    fn finding(id: u8, rule: &str, line: u32, severity: Severity) -> Finding {
        Finding {
            fingerprint: Fingerprint::from_digest([id; 16]),
            tool: format!("tool{id}"),
            rule: Rule {
                id: rule.parse().unwrap(),
                title: None,
                cwe: vec![],
                severity,
                confidence: Confidence::Unknown,
            },
            message: "".into(),
            location: Some(at(line)),
            flow: vec![],
            suppressed: false,
        }
    }

    fn ids(groups: &[Group]) -> Vec<Vec<u8>> {
        let id = |f: &Finding| u8::from_str_radix(&f.fingerprint.to_string()[..2], 16).unwrap();
        groups.iter().map(|group| group.iter().map(|(f, _)| id(f)).collect()).collect()
    }

    #[test]
    fn the_same_rule_on_the_same_lines_by_the_same_way_is_one_question() {
        let step = |line| FlowStep { role: FlowRole::Source, location: at(line), message: None };
        let mut by_another_way = finding(4, "r", 1, Severity::Low);
        by_another_way.flow = vec![step(7)];
        let findings = vec![
            finding(1, "r", 1, Severity::Low),
            finding(2, "r", 1, Severity::Low),
            finding(3, "s", 1, Severity::Low),
            by_another_way,
            finding(5, "r", 2, Severity::Low),
        ];
        let mut groups = ids(&groups(findings.into_iter().map(|f| (f, Touch::File)).collect()));
        groups.sort();
        assert_eq!(groups, [vec![1, 2], vec![3], vec![4], vec![5]]);
    }

    #[test]
    fn findings_without_a_place_are_never_one_question() {
        let nowhere = |id| Finding { location: None, ..finding(id, "r", 1, Severity::Low) };
        assert_eq!(groups(vec![(nowhere(1), Touch::File), (nowhere(2), Touch::File)]).len(), 2);
    }

    #[test]
    fn the_most_pressing_come_first() {
        let shown = Touch::Lines(LineRange::new(1, 1));
        let groups = groups(vec![
            (finding(1, "r", 1, Severity::Critical), Touch::File),
            (finding(2, "r", 2, Severity::Low), shown),
            (finding(3, "r", 3, Severity::High), shown),
        ]);
        assert_eq!(ids(&groups), [[3], [2], [1]]);
    }
}
