//! Each way in which an endpoint is refused.

use std::sync::Arc;

use chaffinch_egress::{Attestation, Door, Endpoint, Policy, PolicyError};

use crate::support::{Ledger, Noon, Quarter, Same};

fn attested(days: u16) -> Option<Attestation> {
    Some(Attestation {
        agreement: "DPA-7".into(),
        retention_days: days,
        no_training: true,
        residency: String::new(),
    })
}

fn vendor() -> Endpoint {
    Endpoint {
        base_url: "https://api.vendor.example/v1".into(),
        model: "large".into(),
        attestation: attested(30),
        self_hosted: false,
    }
}

fn at(base_url: &str) -> Endpoint {
    Endpoint { base_url: base_url.into(), ..vendor() }
}

fn bare(base_url: &str) -> Endpoint {
    Endpoint { attestation: None, ..at(base_url) }
}

/// Why an endpoint is refused that the policy names on the endpoint's own terms.
fn refusal(policy: Policy, endpoint: Endpoint) -> Option<PolicyError> {
    let endpoints = endpoint.terms().into_iter().collect();
    refused(Policy { endpoints, ..policy }, endpoint)
}

fn refused(policy: Policy, endpoint: Endpoint) -> Option<PolicyError> {
    let ledger = Arc::new(Ledger::default());
    Door::new(policy, endpoint, ledger, Arc::new(Quarter), Arc::new(Noon), Arc::new(Same)).err()
}

#[test]
fn an_endpoint_that_nothing_is_known_of_is_refused_with_a_sentence() {
    let error = refusal(Policy::default(), bare("https://api.vendor.example/v1")).unwrap();
    insta::assert_snapshot!(error, @"the model endpoint https://api.vendor.example has no attestation: add its data-protection agreement, retention days and no-training promise, or declare it self-hosted if it is yours");
}

#[test]
fn an_attested_a_local_and_a_self_hosted_endpoint_are_taken() {
    for endpoint in [
        vendor(),
        bare("http://127.0.0.1:8080"),
        bare("http://127.8.9.1"),
        bare("http://localhost:11434/v1"),
        bare("http://[::1]:8080/v1"),
        Endpoint { self_hosted: true, ..bare("https://llm.corp.example") },
        Endpoint { self_hosted: true, ..bare("http://llm.corp.example:8000") },
    ] {
        assert_eq!(refusal(Policy::default(), endpoint.clone()), None, "{endpoint:?}");
    }
}

#[test]
fn what_only_looks_local_is_refused() {
    for url in [
        "https://localhost.vendor.example",
        "https://127.0.0.1.vendor.example",
        "https://127.0.0.1@vendor.example",
        "https://10.0.0.1",
        "https://[::2]",
        "https://0.0.0.0",
    ] {
        assert!(refusal(Policy::default(), bare(url)).is_some(), "{url}");
    }
}

#[test]
fn thirty_one_days_of_retention_are_refused() {
    let with = |days, max| {
        let policy = Policy { max_vendor_retention_days: max, ..Policy::default() };
        refusal(policy, Endpoint { attestation: attested(days), ..vendor() })
    };
    assert_eq!(with(30, 30), None);
    assert!(matches!(with(31, 30), Some(PolicyError::Retention { days: 31, max: 30, .. })));
    assert!(matches!(with(1, 0), Some(PolicyError::Retention { days: 1, max: 0, .. })));
    assert_eq!(with(0, 0), None);
    // And the policy itself cannot allow more.
    assert!(matches!(with(31, 31), Some(PolicyError::OutOfBounds { .. })));
}

#[test]
fn a_bad_attestation_is_refused_wherever_the_endpoint_is() {
    let attestation = |agreement: &str, no_training| {
        Some(Attestation {
            agreement: agreement.into(),
            retention_days: 0,
            no_training,
            residency: String::new(),
        })
    };
    for base in [vendor(), at("http://127.0.0.1"), Endpoint { self_hosted: true, ..vendor() }] {
        let training = Endpoint { attestation: attestation("DPA-7", false), ..base.clone() };
        let nameless = Endpoint { attestation: attestation(" ", true), ..base };
        let refused = refusal(Policy::default(), training);
        assert!(matches!(refused, Some(PolicyError::Training { .. })));
        let refused = refusal(Policy::default(), nameless);
        assert!(matches!(refused, Some(PolicyError::NoAgreement { .. })));
    }
}

#[test]
fn an_address_that_cannot_be_trusted_is_refused() {
    for url in [
        "",
        "api.vendor.example",
        "ftp://vendor.example",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@vendor.example",
        "http://api.vendor.example/v1",
    ] {
        let refused = refusal(Policy::default(), at(url));
        assert!(matches!(refused, Some(PolicyError::Address(_))), "{url:?} {refused:?}");
        assert!(!format!("{refused:?}").contains("pass@"));
    }
    let refused = refusal(Policy::default(), Endpoint { model: " ".into(), ..vendor() });
    assert!(matches!(refused, Some(PolicyError::NoModel { .. })));
}

#[test]
fn the_origin_is_scheme_host_and_port() {
    for (url, origin) in [
        ("https://API.vendor.example/v1/?api-version=1", "https://api.vendor.example"),
        ("https://api.vendor.example:443", "https://api.vendor.example"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
    ] {
        assert_eq!(at(url).origin().unwrap(), origin);
    }
}

#[test]
fn an_endpoint_is_taken_on_the_terms_alone_that_the_policy_names() {
    let on = |days| Policy {
        endpoints: vec![Endpoint { attestation: attested(days), ..vendor() }.terms().unwrap()],
        ..Policy::default()
    };
    assert_eq!(refused(on(30), vendor()), None);
    assert!(matches!(refused(on(29), vendor()), Some(PolicyError::NotInForce { .. })));
    let elsewhere = refused(on(30), at("https://api.other.example/v1"));
    assert!(matches!(elsewhere, Some(PolicyError::NotInForce { .. })));
    let none = refused(Policy::default(), bare("http://127.0.0.1:8080"));
    assert!(matches!(none, Some(PolicyError::NotInForce { .. })), "also on the loopback");
}
