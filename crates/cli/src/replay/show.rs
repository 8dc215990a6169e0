//! What a replay shows: each prompt, and how often verdicts agree.

use std::fmt::Write as _;

use chaffinch_core::{ForgeKind, RepoId, Verdict};
use chaffinch_triage::evaluation::{Compared, Replayed};

use crate::plain::plain;

/// The verdicts of the table, and no verdict.
const COLUMNS: [Option<Verdict>; 4] =
    [Some(Verdict::TruePositive), Some(Verdict::FalsePositive), Some(Verdict::NeedsReview), None];

/// One object a line.
pub(super) fn json(replayed: &[Replayed]) -> serde_json::Result<String> {
    let mut out = String::new();
    for one in replayed {
        let mut line = serde_json::to_value(one)?;
        if let Some(fields) = line.as_object_mut() {
            fields.insert("agrees".to_owned(), one.agrees().into());
        }
        let _ = writeln!(out, "{line}");
    }
    Ok(out)
}

/// Each prompt, then the counts.
pub(super) fn table(repo: &RepoId, replayed: &[Replayed]) -> String {
    let sign = match repo.forge {
        ForgeKind::GitHub => '#',
        ForgeKind::GitLab => '!',
    };
    let mut out = String::new();
    for one in replayed {
        let Replayed { receipt, at, change, rule, .. } = one;
        let at = at.format("%Y-%m-%d %H:%M:%S");
        let rule = plain(rule.as_str(), 200);
        let _ = writeln!(out, "{receipt}  {at}  {}{sign}{change}  {rule}", repo.name);
        match &one.why {
            None => out.push_str("  rebuilt: the prompt has the same digest\n"),
            Some(why) => {
                let _ = writeln!(out, "  NOT REBUILT: {}", plain(why, 1_000));
            }
        }
        let _ = writeln!(out, "  then  {}", said(&one.before));
        if let Some(now) = &one.now {
            let differs = if one.agrees() == Some(false) { "   ← differs" } else { "" };
            let _ = writeln!(out, "  now   {}{differs}", said(now));
        }
    }
    let rebuilt = replayed.iter().filter(|one| one.rebuilt).count();
    let _ = writeln!(out, "\n{rebuilt} of {} prompts were rebuilt.", replayed.len());
    if replayed.iter().any(|one| one.now.is_some()) {
        agreement(replayed, &mut out);
    }
    out
}

fn said(what: &Compared) -> String {
    let verdict = match what.verdict {
        Some(_) => word(what.verdict).to_owned(),
        None => format!("no verdict ({})", plain(&what.outcome, 300)),
    };
    let evidence = match what.evidence_held {
        Some(true) => ", evidence held",
        Some(false) => ", evidence did not hold",
        None => "",
    };
    let Compared { tokens, milliseconds, .. } = what;
    format!("{verdict}{evidence}; {}, {tokens} tokens, {milliseconds} ms", plain(&what.model, 100))
}

fn agreement(replayed: &[Replayed], out: &mut String) {
    let _ = write!(out, "\n{:<16}", "then \\ now");
    for now in COLUMNS {
        let _ = write!(out, "{:>16}", word(now));
    }
    out.push('\n');
    let pairs =
        || replayed.iter().filter_map(|one| Some((one.before.verdict, one.now.as_ref()?.verdict)));
    for then in COLUMNS {
        let _ = write!(out, "{:<16}", word(then));
        for now in COLUMNS {
            let _ = write!(out, "{:>16}", pairs().filter(|pair| *pair == (then, now)).count());
        }
        out.push('\n');
    }
    let both = replayed.iter().filter_map(Replayed::agrees);
    let (both, same) = (both.clone().count(), both.filter(|same| *same).count());
    let _ = writeln!(out, "\n{same} of {both} verdicts agree.");
    let sum = |of: fn(&Compared) -> u64| {
        let asked = replayed.iter().filter_map(|one| Some((&one.before, one.now.as_ref()?)));
        asked.fold((0, 0), |(a, b), (then, now)| (a + of(then), b + of(now)))
    };
    let held = sum(|what| u64::from(what.evidence_held == Some(true)));
    let (tokens, took) = (sum(|what| what.tokens), sum(|what| what.milliseconds));
    let _ = writeln!(
        out,
        "Evidence held: {} then, {} now. Tokens: {} then, {} now. Milliseconds: {} then, {} now.",
        held.0, held.1, tokens.0, tokens.1, took.0, took.1
    );
}

fn word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::TruePositive) => "true_positive",
        Some(Verdict::FalsePositive) => "false_positive",
        Some(Verdict::NeedsReview) => "needs_review",
        None => "no verdict",
    }
}

#[cfg(test)]
mod tests {
    use chaffinch_core::Fingerprint;
    use chrono::DateTime;

    use super::*;

    fn compared(verdict: Option<Verdict>, held: Option<bool>) -> Compared {
        Compared {
            outcome: if verdict.is_some() { "answered" } else { "unavailable" }.into(),
            verdict,
            evidence_held: held,
            model: "small\u{1b}[2J".into(),
            tokens: 150,
            milliseconds: 12,
            receipt: None,
        }
    }

    #[test]
    fn a_changed_verdict_is_marked_and_counted() {
        let repo = RepoId {
            forge: ForgeKind::GitLab,
            installation: 1,
            id: 2,
            name: "acme/shop".parse().unwrap(),
        };
        let real = compared(Some(Verdict::TruePositive), Some(true));
        let one = Replayed {
            receipt: "00000000f00d0001".into(),
            at: DateTime::UNIX_EPOCH,
            change: 7,
            head: "a".repeat(40).parse().unwrap(),
            finding: Fingerprint::from_digest([1; 16]),
            rule: "python.sqli".parse().unwrap(),
            rebuilt: true,
            why: None,
            before: real.clone(),
            now: Some(real),
        };
        let other = compared(Some(Verdict::FalsePositive), Some(false));
        let changed = Replayed { now: Some(other), ..one.clone() };
        let failed = Replayed { now: Some(compared(None, None)), ..one.clone() };
        let why = Some("app/db.py is not there at that commit any more".into());
        let gone = Replayed { rebuilt: false, why, now: None, ..one.clone() };
        insta::assert_snapshot!(table(&repo, &[one.clone(), changed, failed, gone]), @r"
        00000000f00d0001  1970-01-01 00:00:00  acme/shop!7  python.sqli
          rebuilt: the prompt has the same digest
          then  true_positive, evidence held; small\u{1b}[2J, 150 tokens, 12 ms
          now   true_positive, evidence held; small\u{1b}[2J, 150 tokens, 12 ms
        00000000f00d0001  1970-01-01 00:00:00  acme/shop!7  python.sqli
          rebuilt: the prompt has the same digest
          then  true_positive, evidence held; small\u{1b}[2J, 150 tokens, 12 ms
          now   false_positive, evidence did not hold; small\u{1b}[2J, 150 tokens, 12 ms   ← differs
        00000000f00d0001  1970-01-01 00:00:00  acme/shop!7  python.sqli
          rebuilt: the prompt has the same digest
          then  true_positive, evidence held; small\u{1b}[2J, 150 tokens, 12 ms
          now   no verdict (unavailable); small\u{1b}[2J, 150 tokens, 12 ms
        00000000f00d0001  1970-01-01 00:00:00  acme/shop!7  python.sqli
          NOT REBUILT: app/db.py is not there at that commit any more
          then  true_positive, evidence held; small\u{1b}[2J, 150 tokens, 12 ms

        3 of 4 prompts were rebuilt.

        then \ now         true_positive  false_positive    needs_review      no verdict
        true_positive                  1               1               0               1
        false_positive                 0               0               0               0
        needs_review                   0               0               0               0
        no verdict                     0               0               0               0

        1 of 2 verdicts agree.
        Evidence held: 3 then, 1 now. Tokens: 450 then, 450 now. Milliseconds: 36 then, 36 now.
        ");
        let line: serde_json::Value = serde_json::from_str(&json(&[one]).unwrap()).unwrap();
        assert_eq!((&line["agrees"], &line["rebuilt"]), (&true.into(), &true.into()));
    }
}
