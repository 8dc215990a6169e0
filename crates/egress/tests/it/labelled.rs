//! How well redaction does, on a labelled set of our own: made-up secrets and addresses in their
//! real formats and in code of many languages, and what looks like them. It is not cut to fit: what
//! is missed stands here by name, and is taken from the list when it is found.

mod set;

use std::collections::{BTreeMap, BTreeSet};

use chaffinch_core::Reason;
use chaffinch_egress::{ClearError, Mode, Policy, Redact, Redactor, Segment};

use crate::support::{door, line, policy, prompt};
use set::{Case, emails, harmless, secrets};

/// Secrets that are not found.
const MISSED_SECRETS: &[&str] = &[
    "bare-random: connect(\"{}\")",
    "bare-random: x = '{}'",
    "framework-key: APP_SECRET={}",
    "joined-literals: $t = '\\A' . '\\B';",
    "joined-literals: const t = [\"\\A\", \"\\B\"].join(\"\");",
    "joined-literals: t = \"\\A\" + \"\\B\"",
    "joined-literals: t = (\"\\A\"⏎     \"\\B\")",
    "joined-password: String pwd = \"\\A\"⏎    + \"\\B\";",
    "joined-password: password = \"\\A\" + \"\\B\"",
    "kubernetes-secret: kind: Secret⏎data:⏎  config.yaml: {}⏎",
    "plain-word-password: login('admin', '{}')",
    "plain-word-password: password = \"{}\"",
];

/// Harmless texts in which something is redacted.
const SECRET_ALARMS: &[&str] = &[
    "placeholder-value: https://user:pass@example.com/",
    "public-key: \"publicKey\": \"{base64:43}=\"",
];

/// Addresses that are not found.
const MISSED_EMAILS: &[&str] = &[
    "bracketed: # {}",
    "in-pieces: m = \"jane\" + \"@\" + \"corp.example\"",
    "in-pieces: user + \"@corp.example\"",
    "quoted-local-part: to: {}",
    "spelled-out: # write to {}",
    "spelled-out: mail: {}",
];

/// Texts without an address in which something is redacted.
const EMAIL_ALARMS: &[&str] = &[];

fn redacted(redactor: &Redactor, case: &Case) -> String {
    let path = case.path.parse().unwrap();
    let segments = [Segment { path: Some(&path), text: &case.text }];
    redactor.redact(&segments).unwrap().texts.remove(0).expose().to_owned()
}

/// Whether any stretch of eight of its characters is left (all of it, where it is shorter).
fn leaks(shown: &str, secret: &str) -> bool {
    let characters: Vec<char> = secret.chars().collect();
    let width = characters.len().min(8);
    characters.windows(width).any(|w| shown.contains(&w.iter().collect::<String>()))
}

/// Holds the cases for which `wrong` is true against the list of those that are known, and their
/// share against the most that is allowed; says what is new, and shows all kinds.
fn hold(cases: &[Case], known: &[&str], most: f64, wrong: impl Fn(&Case) -> bool) {
    let mut kinds: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for case in cases {
        let (all, bad) = kinds.entry(&case.kind).or_default();
        *all += 1;
        if wrong(case) {
            *bad += 1;
            found.insert(case.name.as_str());
        }
    }
    let rows =
        kinds.iter().map(|(kind, (all, bad))| format!("{kind:32} {:4} of {all:4}\n", all - bad));
    let table = format!("{:32} right of cases\n{}", "kind", rows.collect::<String>());
    let known: BTreeSet<&str> = known.iter().copied().collect();
    let new: Vec<_> = found.difference(&known).collect();
    let mended: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty(), "{table}\nwrong, and in no list: {new:#?}");
    assert!(mended.is_empty(), "{table}\nright now; take them from the list: {mended:#?}");
    let share = found.len() as f64 / cases.len() as f64;
    assert!(share <= most, "{table}\n{} of {} are wrong", found.len(), cases.len());
}

#[test]
fn the_labelled_set_is_large_and_each_case_stands_in_it_once() {
    let ((secrets, harmless), (emails, alarms)) = ((secrets(), harmless()), emails());
    let kinds: BTreeSet<&str> = secrets.iter().map(|case| case.kind.as_str()).collect();
    assert!(secrets.len() >= 350 && kinds.len() >= 100, "{} {}", secrets.len(), kinds.len());
    assert!(harmless.len() >= 210, "{}", harmless.len());
    assert!(emails.len() >= 50 && alarms.len() >= 40, "{} {}", emails.len(), alarms.len());
    for set in [secrets, harmless, emails, alarms] {
        let names: BTreeSet<&str> = set.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), set.len());
        for case in &set {
            assert!(!case.text.contains("{}") || case.secret.is_empty(), "{}", case.name);
            assert!(!case.text.contains('¦'), "{}", case.name);
        }
    }
}

#[test]
fn labelled_secrets_are_found() {
    let redactor = Redactor::new().unwrap();
    hold(&secrets(), MISSED_SECRETS, 0.04, |case| leaks(&redacted(&redactor, case), &case.secret));
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    let redactor = Redactor::new().unwrap();
    hold(&harmless(), SECRET_ALARMS, 0.02, |case| redacted(&redactor, case) != case.text);
}

#[test]
fn labelled_addresses_are_found_and_nothing_that_looks_like_one() {
    let redactor = Redactor::new().unwrap();
    let (addresses, alarms) = emails();
    hold(&addresses, MISSED_EMAILS, 0.12, |case| leaks(&redacted(&redactor, case), &case.secret));
    hold(&alarms, EMAIL_ALARMS, 0.06, |case| redacted(&redactor, case) != case.text);
}

#[test]
fn block_mode_refuses_whatever_replace_mode_would_replace() {
    let redactor = Redactor::new().unwrap();
    let blocks = |secrets, emails| door(Policy { redact: Redact { secrets, emails }, ..policy() });
    let (secrets_blocked, emails_blocked) =
        (blocks(Mode::Block, Mode::Replace), blocks(Mode::Replace, Mode::Block));
    let mut classes = BTreeSet::new();
    for case in secrets().into_iter().chain(emails().0) {
        let path = case.path.parse().unwrap();
        let found = redactor.redact(&[Segment { path: Some(&path), text: &case.text }]).unwrap();
        let lines = case.text.split('\n').zip(1..);
        let lines = lines.map(|(text, number)| line(case.path, number, text, Reason::Function));
        let lines: Vec<_> = lines.collect();
        for (door, wanted) in [(&secrets_blocked, "secret:"), (&emails_blocked, "email")] {
            let blocked = match door.inspect(prompt("rule", lines.clone())) {
                Err(ClearError::Blocked { class }) => {
                    assert!(class.starts_with(wanted), "{}: {class}", case.name);
                    classes.insert(class);
                    true
                }
                Ok(_) => false,
                Err(other) => panic!("{}: {other}", case.name),
            };
            let due = found.counts.keys().any(|class| class.starts_with(wanted));
            assert_eq!(blocked, due, "{}", case.name);
        }
    }
    assert!(classes.len() >= 60, "{classes:?}");
}
