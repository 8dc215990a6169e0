//! What a policy allows, and what it may say.

use chaffinch_core::{ForgeKind, RepoName, Rung};
use chaffinch_egress::{ExtraPattern, Listing, Mode, Policy, PolicyError, Redact, RepoPattern};

fn allowing(patterns: &[&str]) -> Policy {
    let repositories = patterns.iter().map(|p| p.parse().unwrap()).collect();
    Policy { repositories, ..Policy::default() }
}

fn repo(name: &str) -> RepoName {
    RepoName::new(name).unwrap()
}

#[test]
fn an_empty_allow_list_allows_nothing() {
    assert!(!Policy::default().allows(ForgeKind::GitHub, &repo("acme/shop")));
}

#[test]
fn a_star_stands_for_exactly_one_whole_segment() {
    let policy = allowing(&["acme/*", "group/*/api", "solo/one"]);
    for allowed in ["acme/shop", "Acme/Shop", "group/x/api", "solo/one"] {
        assert!(policy.allows(ForgeKind::GitHub, &repo(allowed)), "{allowed}");
    }
    for refused in [
        "acme/a/b",
        "acmes/shop",
        "group/api",
        "group/x/y/api",
        "group/x/apis",
        "solo/two",
        "x/solo/one",
    ] {
        assert!(!policy.allows(ForgeKind::GitHub, &repo(refused)), "{refused}");
    }
}

#[test]
fn a_pattern_may_be_for_one_forge_alone() {
    let policy = allowing(&["gitlab:acme/*", "solo/one"]);
    let allowed = |forge, name| policy.allows(forge, &repo(name));
    assert!(allowed(ForgeKind::GitLab, "acme/shop") && !allowed(ForgeKind::GitHub, "acme/shop"));
    assert!(allowed(ForgeKind::GitLab, "solo/one") && allowed(ForgeKind::GitHub, "solo/one"));
}

#[test]
fn a_pattern_names_an_owner_and_no_part_of_a_segment() {
    for bad in [
        "",
        "*",
        "*/*",
        "*/shop",
        "acme",
        "acme/sh*",
        "acme/**",
        "acme/",
        "acme/..",
        "a b/c",
        "svn:a/b",
        ":a/b",
        "gitlab:",
        "gitlab:*/b",
    ] {
        let error = RepoPattern::new(bad).err();
        assert!(matches!(error, Some(PolicyError::Repository { .. })), "{bad:?}");
    }
}

#[test]
fn the_default_policy_is_valid() {
    assert_eq!(Policy::default().validate(), Ok(()));
}

#[test]
fn a_number_out_of_its_bounds_is_refused_with_what_to_do() {
    let ok = Policy::default;
    let table: [(Policy, &str); 7] = [
        (Policy { answer_ttl_days: 181, ..ok() }, "answer_ttl_days is 181: set it to 1 to 180"),
        (Policy { answer_ttl_days: 0, ..ok() }, "answer_ttl_days is 0: set it to 1 to 180"),
        (
            Policy { max_vendor_retention_days: 31, ..ok() },
            "max_vendor_retention_days is 31: set it to 0 to 30",
        ),
        (Policy { excerpt_tokens: 0, ..ok() }, "excerpt_tokens is 0: set it to 1 to 100000"),
        (Policy { prompt_tokens: 899, ..ok() }, "prompt_tokens is 899: set it to 900 to 200000"),
        (
            Policy { prompt_tokens: 200_001, ..ok() },
            "prompt_tokens is 200001: set it to 900 to 200000",
        ),
        (
            Policy { excerpt_tokens: 100_001, prompt_tokens: 200_000, ..ok() },
            "excerpt_tokens is 100001: set it to 1 to 100000",
        ),
    ];
    for (policy, sentence) in table {
        assert_eq!(policy.validate().unwrap_err().to_string(), sentence);
    }
    let bounds = Policy { answer_ttl_days: 180, max_vendor_retention_days: 0, ..ok() };
    assert_eq!(bounds.validate(), Ok(()));
}

#[test]
fn a_pattern_of_the_customer_is_small_and_matches_something() {
    let with = |id: &str, regex: &str| Policy {
        extra_patterns: vec![ExtraPattern { id: id.into(), regex: regex.into() }],
        ..Policy::default()
    };
    assert_eq!(with("badge", r"\bB-\d{6}\b").validate(), Ok(()));
    for (id, regex) in [
        ("Badge", "x"),
        ("", "x"),
        ("badge", "("),
        ("badge", "x*"),
        ("badge", r"(?:a{1000}){1000}"),
        ("badge", &"x".repeat(1_001)),
    ] {
        let error = with(id, regex).validate().err();
        assert!(matches!(error, Some(PolicyError::ExtraPattern { .. })), "{id} {regex:.9}");
    }
    let mut twice = with("badge", "x");
    twice.extra_patterns.extend(twice.extra_patterns.clone());
    assert!(matches!(twice.validate(), Err(PolicyError::ExtraPattern { .. })));
}

#[test]
fn the_digest_changes_with_the_meaning_and_only_with_it() {
    let base = allowing(&["acme/a", "acme/b"]);
    assert_eq!(base.digest().len(), 64);
    assert_eq!(base.digest(), allowing(&["ACME/b", "acme/a", "acme/A"]).digest());
    let emails = Redact { emails: Mode::Block, ..Redact::default() };
    let extra = vec![ExtraPattern { id: "x".into(), regex: "y".into() }];
    let others = [
        allowing(&["acme/a"]),
        Policy { ceiling: Rung::File, ..base.clone() },
        Policy { listing: Listing::Names, ..base.clone() },
        Policy { content_requests: 7, ..base.clone() },
        Policy { excerpt_tokens: 601, ..base.clone() },
        Policy { prompt_tokens: 4_001, ..base.clone() },
        Policy { redact: emails, ..base.clone() },
        Policy { redact: Redact { secrets: Mode::Block, ..Redact::default() }, ..base.clone() },
        Policy { answer_ttl_days: 31, ..base.clone() },
        Policy { max_vendor_retention_days: 29, ..base.clone() },
        Policy { extra_patterns: extra, ..base.clone() },
    ];
    let mut digests: Vec<String> = others.iter().chain([&base]).map(Policy::digest).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), others.len() + 1);
}

#[test]
fn redaction_cannot_be_configured_away() {
    for text in
        [r#"{"redact": {"secrets": "off"}}"#, r#"{"redact": null}"#, r#"{"redact": {"x": 1}}"#]
    {
        assert!(serde_json::from_str::<Policy>(text).is_err(), "{text}");
    }
    let policy: Policy = serde_json::from_str(r#"{"repositories": ["acme/*"]}"#).unwrap();
    assert_eq!(policy, allowing(&["acme/*"]));
    assert_eq!(policy.redact, Redact { secrets: Mode::Replace, emails: Mode::Replace });
}
