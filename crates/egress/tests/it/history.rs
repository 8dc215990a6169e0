//! What is announced, and what is in force.

use std::time::Duration;

use chaffinch_core::Rung;
use chaffinch_egress::{
    Direction, EvaluationLog, ExtraPattern, History, Listing, Mode, Moment, Policy, Redact, Terms,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*};

fn day(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::days(n)
}

fn policy(repositories: &[&str]) -> Policy {
    let repositories = repositories.iter().map(|p| p.parse().unwrap()).collect();
    Policy { repositories, ..Policy::default() }
}

fn names(policy: &Policy) -> Vec<&str> {
    policy.repositories.iter().map(|pattern| pattern.as_str()).collect()
}

fn vendor() -> Terms {
    Terms {
        origin: "https://api.vendor.example".into(),
        self_hosted: false,
        agreement: "DPA-7".into(),
        retention_days: 30,
        no_training: true,
        residency: String::new(),
    }
}

/// A policy with one endpoint, on terms that differ from the vendor's.
fn on(set: impl Fn(&mut Terms)) -> Policy {
    let mut terms = vendor();
    set(&mut terms);
    Policy { endpoints: vec![terms], ..policy(&["acme/*"]) }
}

/// Two of each field, the tighter one first.
fn pairs() -> Vec<(&'static str, Policy, Policy)> {
    let base = || policy(&["acme/*"]);
    let with = |set: &dyn Fn(&mut Policy)| {
        let mut policy = base();
        set(&mut policy);
        policy
    };
    let secret = |id: &str| ExtraPattern { id: id.into(), regex: format!("{id}-[0-9]+") };
    vec![
        ("repositories", policy(&["acme/shop"]), base()),
        ("a forge of its own", policy(&["github:acme/*"]), base()),
        ("one repository more", policy(&["acme/shop"]), policy(&["acme/shop", "solo/one"])),
        ("ceiling", with(&|p| p.ceiling = Rung::Slice), base()),
        ("listing", base(), with(&|p| p.listing = Listing::Names)),
        ("content_requests", with(&|p| p.content_requests = 5), base()),
        ("excerpt_tokens", with(&|p| p.excerpt_tokens = 100), base()),
        ("prompt_tokens", with(&|p| p.prompt_tokens = 3_000), base()),
        ("secrets", with(&|p| p.redact.secrets = Mode::Block), base()),
        ("emails", with(&|p| p.redact.emails = Mode::Block), base()),
        ("no endpoint", base(), with(&|p| p.endpoints = vec![vendor()])),
        (
            "one endpoint less",
            with(&|p| p.endpoints = vec![vendor()]),
            with(&|p| {
                p.endpoints = vec![vendor(), Terms { origin: "https://b".into(), ..vendor() }]
            }),
        ),
        ("retention", on(|t| t.retention_days = 0), on(|_| {})),
        ("training", on(|_| {}), on(|t| t.no_training = false)),
        ("residency", on(|t| t.residency = "EU".into()), on(|_| {})),
        ("self_hosted", on(|t| t.self_hosted = true), on(|_| {})),
        ("evaluation off", with(&|p| p.evaluation = EvaluationLog::Off), base()),
        ("evaluation", base(), with(&|p| p.evaluation = EvaluationLog::Full)),
        ("record_ttl_days", with(&|p| p.record_ttl_days = 7), base()),
        ("receipt_ttl_days", with(&|p| p.receipt_ttl_days = 30), base()),
        ("evaluation_ttl_days", with(&|p| p.evaluation_ttl_days = 30), base()),
        ("answer_ttl_days", with(&|p| p.answer_ttl_days = 1), base()),
        ("max_vendor_retention_days", with(&|p| p.max_vendor_retention_days = 0), base()),
        ("notice_days", with(&|p| p.notice_days = 60), base()),
        ("extra_patterns", with(&|p| p.extra_patterns = vec![secret("badge")]), base()),
    ]
}

#[test]
fn each_field_knows_its_tighter_side() {
    for (field, tight, loose) in pairs() {
        assert_eq!(Direction::between(&loose, &tight), Direction::Tighter, "{field}");
        assert_eq!(Direction::between(&tight, &loose), Direction::Looser, "{field}");
        assert_eq!(Direction::between(&tight, &tight), Direction::Same, "{field}");
        assert_eq!(tight.tightest(&loose).digest(), tight.digest(), "{field}");
        assert_eq!(loose.tightest(&tight).digest(), tight.digest(), "{field}");
    }
    let mixed = Policy { ceiling: Rung::Slice, answer_ttl_days: 90, ..policy(&["acme/*"]) };
    assert_eq!(Direction::between(&policy(&["acme/*"]), &mixed), Direction::Mixed);
}

#[test]
fn each_field_that_differs_is_said_and_no_other() {
    for (field, tight, loose) in pairs() {
        assert_eq!(loose.differences(&tight).len(), 1, "{field}");
        assert_eq!(tight.differences(&tight).len(), 0, "{field}");
    }
    let names: Vec<String> = (0..12).map(|n| format!("acme/r{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let before = Policy { ceiling: Rung::Slice, ..policy(&["Acme/Shop"]) };
    let now = Policy { endpoints: vec![vendor()], ..policy(&names) };
    insta::assert_snapshot!(now.differences(&before).join("\n"), @"
    repositories: without acme/shop; with acme/r0, acme/r1, acme/r2, acme/r3, acme/r4, acme/r5, acme/r6, acme/r7, acme/r8, acme/r9 and 2 more
    ceiling: slice → related
    endpoints: with https://api.vendor.example (agreement DPA-7, kept 30 days, no training)
    ");
}

#[test]
fn an_endpoint_in_another_place_is_another_endpoint() {
    let (eu, us) = (on(|t| t.residency = "EU".into()), on(|t| t.residency = "US".into()));
    assert_eq!(Direction::between(&eu, &us), Direction::Mixed);
    assert_eq!(eu.tightest(&us).endpoints, []);
    let renamed = on(|t| t.agreement = "DPA-8".into());
    assert_eq!(Direction::between(&on(|_| {}), &renamed), Direction::Same);
    assert_ne!(renamed.digest(), on(|_| {}).digest(), "the record still tells them apart");
}

#[test]
fn an_endpoint_that_is_named_twice_keeps_to_both() {
    let strict = Terms { retention_days: 0, ..vendor() };
    let twice = Policy { endpoints: vec![vendor(), strict.clone()], ..policy(&["acme/*"]) };
    assert_eq!(twice.tightest(&twice).endpoints, [strict]);
}

#[test]
fn where_nobody_is_owed_notice_a_policy_is_announced_as_the_first() {
    let mut kept = Kept::default();
    kept.announce(&on(|_| {}));
    let elsewhere = on(|t| t.origin = "https://b".into());
    kept.history.release();
    kept.announce(&elsewhere);
    let now = kept.moment(0);
    assert_eq!(kept.history.look(now).unwrap().endpoints, elsewhere.endpoints);
    assert_eq!(kept.history.pending(now.now), []);
    assert!(kept.history.was_in_force(now.now - TimeDelta::days(1)).is_none());
}

#[test]
fn what_both_lists_mean_is_said_once() {
    for (a, b, both) in [
        (
            &["acme/*", "solo/one"] as &[&str],
            &["Acme/shop", "acme/*"] as &[&str],
            &["acme/*"] as &[&str],
        ),
        (&["group/*/api"], &["group/web/*"], &["group/web/api"]),
        (&["acme/*"], &["github:acme/*"], &["github:acme/*"]),
        (&["acme/shop"], &["gitlab:acme/shop"], &["gitlab:acme/shop"]),
        (&["github:acme/*"], &["gitlab:acme/*"], &[]),
        (&["acme/a"], &["acme/a/b"], &[]),
        (&["acme/a"], &["acme/b"], &[]),
    ] {
        assert_eq!(names(&policy(a).tightest(&policy(b))), both, "{a:?} {b:?}");
        assert_eq!(names(&policy(b).tightest(&policy(a))), both, "{b:?} {a:?}");
    }
}

#[test]
fn long_lists_of_repositories_meet_in_no_time() {
    let many: Vec<String> = (0..10_000).map(|n| format!("acme/r{n}")).collect();
    let more: Vec<String> = (5_000..15_000).map(|n| format!("acme/r{n}")).collect();
    let of = |names: &[String]| policy(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(of(&many).tightest(&of(&more)).repositories.len(), 5_000);
}

#[test]
fn two_patterns_of_one_name_are_both_looked_for() {
    let of = |regex: &str| Policy {
        extra_patterns: vec![ExtraPattern { id: "badge".into(), regex: regex.into() }],
        ..policy(&[])
    };
    let both = of("B[0-9]+").tightest(&of("C[0-9]+")).extra_patterns;
    let both: Vec<_> = both.iter().map(|p| (p.id.as_str(), p.regex.as_str())).collect();
    assert_eq!(both, [("badge", "B[0-9]+"), ("badge-2", "C[0-9]+")]);
}

/// A history, and the true time, which its clock may tell or not.
#[derive(Default)]
struct Kept {
    history: History,
    truly: i64,
    /// By how many days the clock of the day is ahead; behind, if less than 0.
    ahead: i64,
}

impl Kept {
    fn moment(&self, elapsed: i64) -> Moment {
        let elapsed = Duration::from_secs(u64::try_from(elapsed * 24 * 60 * 60).unwrap());
        Moment { now: day(self.truly + self.ahead), elapsed }
    }

    fn announce(&mut self, policy: &Policy) -> Direction {
        let moment = self.moment(0);
        self.history.announce(policy, moment)
    }

    /// The policy in force after so many days more.
    fn after(&mut self, days: i64) -> Policy {
        self.truly += days;
        let moment = self.moment(days);
        self.history.look(moment).unwrap().clone()
    }

    /// The same after days in which nothing ran.
    fn off(&mut self, days: i64) -> Policy {
        self.truly += days;
        let moment = self.moment(0);
        let kept = serde_json::to_string(&self.history).unwrap();
        self.history = serde_json::from_str(&kept).unwrap();
        self.history.look(moment).unwrap().clone()
    }
}

fn after_100_days(policy: &Policy) -> Kept {
    let mut kept = Kept::default();
    kept.announce(policy);
    kept.after(100);
    kept
}

#[test]
fn tighter_acts_at_once_and_looser_after_the_notice() {
    for (field, tight, loose) in pairs().into_iter().filter(|(field, ..)| *field != "notice_days") {
        let mut kept = after_100_days(&tight);
        assert_eq!(kept.announce(&loose), Direction::Looser, "{field}");
        let pending = kept.history.pending(day(100));
        assert_eq!(pending.len(), 1, "{field}");
        assert_eq!((pending[0].from, pending[0].policy.digest()), (day(130), loose.digest()));
        assert_eq!(kept.after(29).digest(), tight.digest(), "{field}: the old value on day 29");
        assert_eq!(kept.after(1).digest(), loose.digest(), "{field}: the new one on day 30");
        assert!(kept.history.pending(day(130)).is_empty());

        kept.after(10);
        assert_eq!(kept.announce(&tight), Direction::Tighter, "{field}");
        assert_eq!(kept.after(0).digest(), tight.digest(), "{field}");
        assert!(kept.history.pending(day(140)).is_empty(), "{field}");
        let was = |n: i64| kept.history.was_in_force(day(n)).map(Policy::digest);
        assert_eq!(was(135), Some(loose.digest()), "{field}");
        assert_eq!(was(120), Some(tight.digest()), "{field}");
        assert_eq!(was(-1), None);
    }
}

#[test]
fn a_change_both_ways_is_taken_apart() {
    let after = Policy { ceiling: Rung::Slice, answer_ttl_days: 90, ..policy(&["acme/*"]) };
    let mut kept = after_100_days(&policy(&["acme/*"]));
    assert_eq!(kept.announce(&after), Direction::Mixed);
    let now = kept.after(0);
    assert_eq!((now.ceiling, now.answer_ttl_days), (Rung::Slice, 30));
    assert_eq!(kept.after(30).digest(), after.digest());
}

#[test]
fn what_is_loosened_and_taken_back_starts_again() {
    let loose = Policy { answer_ttl_days: 90, ..policy(&["acme/*"]) };
    let mut kept = after_100_days(&policy(&["acme/*"]));
    kept.announce(&loose);
    kept.after(20);
    kept.announce(&policy(&["acme/*"]));
    kept.announce(&loose);
    assert_eq!(kept.after(29).answer_ttl_days, 30);
    assert_eq!(kept.after(1).answer_ttl_days, 90);
}

#[test]
fn the_notice_itself_is_shortened_after_the_longer_notice() {
    let long = Policy { notice_days: 60, ..policy(&["acme/*"]) };
    let short = Policy { answer_ttl_days: 90, ..policy(&["acme/*"]) };
    let mut kept = after_100_days(&long);
    kept.announce(&short);
    let now = kept.after(59);
    assert_eq!((now.answer_ttl_days, now.notice_days), (30, 60));
    let now = kept.after(1);
    assert_eq!((now.answer_ttl_days, now.notice_days), (90, 30));
}

#[test]
fn without_a_history_nothing_looser_than_the_default_is_in_force_before_its_notice() {
    let wanted = Policy { ceiling: Rung::File, answer_ttl_days: 1, ..policy(&["acme/*"]) };
    let mut kept = Kept::default();
    assert_eq!(kept.history.look(kept.moment(0)), None);
    assert_eq!(kept.announce(&wanted), Direction::Mixed);
    let now = kept.after(0);
    assert_eq!((now.ceiling, now.answer_ttl_days), (Rung::Related, 1));
    assert_eq!(names(&now), ["acme/*"]);
    assert_eq!(kept.after(30).digest(), wanted.digest());
}

#[test]
fn neither_the_clock_nor_a_restart_shortens_the_notice() {
    let loose = Policy { answer_ttl_days: 90, ..policy(&["acme/*"]) };
    for (ahead, what) in [(-60, "put back"), (60, "put forward")] {
        let mut kept = after_100_days(&policy(&["acme/*"]));
        kept.ahead = ahead;
        kept.announce(&loose);
        kept.ahead = 0;
        assert_eq!(kept.after(1).answer_ttl_days, 30, "{what}, and right again");
        kept.ahead = 1_000;
        assert_eq!(kept.after(0).answer_ttl_days, 30, "{what}, and far ahead");
    }
    let mut kept = after_100_days(&policy(&["acme/*"]));
    kept.announce(&loose);
    assert_eq!(kept.off(365).answer_ttl_days, 30, "nobody could see the announcement");
    assert_eq!(kept.after(29).answer_ttl_days, 30);
    assert_eq!(kept.after(1).answer_ttl_days, 90);
}

#[test]
fn two_programs_count_the_same_day_once() {
    let loose = Policy { answer_ttl_days: 90, ..policy(&["acme/*"]) };
    let mut kept = after_100_days(&policy(&["acme/*"]));
    kept.announce(&loose);
    for _ in 0..29 {
        kept.after(1);
        let other = kept.moment(1);
        assert_eq!(kept.history.look(other).unwrap().answer_ttl_days, 30);
    }
    assert_eq!(kept.after(1).answer_ttl_days, 90);
}

/// What happens to an installation, one step after the other.
#[derive(Debug, Clone)]
enum Step {
    Edit(Policy),
    Wait(i64),
    Off(i64),
    /// The clock is so many days ahead from now on.
    Clock(i64),
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let origin = proptest::sample::select(vec!["https://a", "https://b"]);
    let place = proptest::sample::select(vec!["", "EU", "US"]);
    (origin, place, any::<bool>(), any::<bool>(), 0..=30u16).prop_map(
        |(origin, residency, self_hosted, no_training, retention_days)| Terms {
            origin: origin.into(),
            self_hosted,
            retention_days,
            no_training,
            residency: residency.into(),
            ..vendor()
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let repositories = proptest::sample::subsequence(vec!["acme/*", "acme/shop", "solo/one"], 0..3);
    let rung =
        proptest::sample::select(vec![Rung::Finding, Rung::Slice, Rung::Related, Rung::File]);
    let log = proptest::sample::select(vec![
        EvaluationLog::Off,
        EvaluationLog::References,
        EvaluationLog::Full,
    ]);
    let endpoints = vec(any_terms(), 0..3);
    let words = (repositories, rung, any::<bool>(), any::<bool>(), log, endpoints);
    (words, 1..=180u16, 30..=180u16, 30..=90u16).prop_map(
        |(words, answer_ttl_days, receipt_ttl_days, notice_days)| {
            let (repositories, ceiling, listing, block, evaluation, endpoints) = words;
            Policy {
                ceiling,
                evaluation,
                endpoints,
                receipt_ttl_days,
                listing: if listing { Listing::Names } else { Listing::Off },
                redact: Redact {
                    secrets: if block { Mode::Block } else { Mode::Replace },
                    ..Redact::default()
                },
                answer_ttl_days,
                notice_days,
                ..policy(&repositories)
            }
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any_policy().prop_map(Step::Edit),
        (1..=45i64).prop_map(Step::Wait),
        (0..=400i64).prop_map(Step::Off),
        (-200..=200i64).prop_map(Step::Clock),
    ]
}

proptest! {
    /// Whatever happens, what is in force was allowed by every policy that was set within the notice.
    #[test]
    fn nothing_is_in_force_that_was_loosened_less_than_the_notice_ago(
        steps in vec(any_step(), 1..40),
    ) {
        let mut kept = Kept::default();
        // Until when each policy was the latest one, by the true time.
        let mut set: Vec<(Option<i64>, Policy)> = Vec::new();
        for step in steps {
            match step {
                Step::Edit(policy) => {
                    kept.announce(&policy);
                    if let Some((until, _)) = set.last_mut() {
                        *until = Some(kept.truly);
                    }
                    set.push((None, policy));
                }
                Step::Clock(ahead) => kept.ahead = ahead,
                Step::Wait(_) | Step::Off(_) if set.is_empty() => {}
                Step::Wait(days) => drop(kept.after(days)),
                Step::Off(days) => drop(kept.off(days)),
            }
            if set.is_empty() {
                continue;
            }
            let now = kept.after(0);
            for (until, policy) in &set {
                let notice = i64::from(policy.notice_days);
                let within = until.is_none_or(|until| until + notice > kept.truly);
                prop_assert!(!within || now.is_within(policy), "{now:?} {policy:?}");
            }
        }
    }

    #[test]
    fn a_policy_that_stays_is_in_force_after_the_longest_notice(
        policies in vec(any_policy(), 1..6),
        gaps in vec(0..=60i64, 6),
    ) {
        let mut kept = Kept::default();
        for (policy, gap) in policies.iter().zip(gaps) {
            kept.announce(policy);
            kept.after(gap);
        }
        let last = policies.last().unwrap();
        prop_assert_eq!(kept.after(90).digest(), last.tightest(last).digest());
    }

    #[test]
    fn the_tightest_of_two_is_within_both(a in any_policy(), b in any_policy(), c in any_policy()) {
        let both = a.tightest(&b);
        prop_assert!(both.is_within(&a) && both.is_within(&b));
        prop_assert_eq!(both.digest(), b.tightest(&a).digest());
        prop_assert_eq!(both.tightest(&c).digest(), a.tightest(&b.tightest(&c)).digest());
    }
}
