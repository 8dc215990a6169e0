//! A receipt says what was sent, and without one nothing is.

use std::{sync::Arc, time::Duration};

use chaffinch_core::{Excerpt, Reason, Receipt, Rung, TokenCount};
use chaffinch_egress::{ClearError, Completion, Ending, ModelError, Policy, Usage, prompt_digest};

use crate::support::{
    ALNUM, Ledger, Quarter, disclosure, door, door_with, line, policy, prompt, random,
};

fn excerpt() -> Excerpt {
    let token = format!("{}{}", "ghp_", random(ALNUM, 36, 1));
    let texts = [
        line("app/db.py", 3, "def find(name):", Reason::Signature),
        line("app/db.py", 4, &format!("    token = '{token}'"), Reason::Function),
        line("app/db.py", 5, "    # jane@corp.example", Reason::Function),
        line("app/db.py", 9, "    run(name)", Reason::Finding),
        line("app/web.py", 9, "find(request)", Reason::Definition("find".into())),
    ];
    Excerpt::new(texts.to_vec(), Rung::Function, vec![]).unwrap()
}

#[tokio::test]
async fn the_numbers_of_a_receipt_are_those_of_what_is_sent() {
    let ledger = Arc::new(Ledger::default());
    let door = door_with(policy(), ledger.clone());
    let asked = prompt("mail jane@corp.example", excerpt().lines().to_vec());
    let inspected = door.inspect(asked).unwrap();
    let cleared = door.clear(inspected, &disclosure("acme/shop")).await.unwrap();
    let (sent, receipt) = (cleared.prompt(), cleared.receipt());
    let rendered = sent.render();

    let numbered = rendered.expose().lines().filter(|l| {
        let number = l.trim_start_matches("K7F3Q9| ").split('|').next().unwrap_or_default();
        number.trim().parse::<u32>().is_ok()
    });
    assert_eq!(receipt.lines as usize, numbered.count());
    let tokens = Quarter.count(sent.instructions) + Quarter.count(rendered.expose());
    assert_eq!(receipt.tokens as usize, tokens);
    assert_eq!(receipt.prompt_digest, prompt_digest(sent));
    for (class, count) in &receipt.redactions {
        assert_eq!(rendered.expose().matches(&format!("‹{class}#")).count(), *count as usize);
    }
    let replaced: u32 = receipt.redactions.values().sum();
    assert_eq!(rendered.expose().matches("‹").count(), replaced as usize);

    let ranges: Vec<String> = receipt
        .sent
        .iter()
        .map(|s| format!("{} {}-{} {}", s.path, s.start, s.end, s.reason))
        .collect();
    insta::assert_snapshot!(ranges.join("\n"), @r"
    app/db.py 3-3 signature
    app/db.py 4-5 function
    app/db.py 9-9 finding
    app/web.py 9-9 definition of find
    ");
    assert_eq!(receipt.id.len(), 16);
    assert_eq!(receipt.endpoint, "http://127.0.0.1:8080");
    assert_eq!(receipt.policy_digest, policy().digest());
    assert_eq!(ledger.kept.lock().unwrap().as_slice(), std::slice::from_ref(receipt));
}

#[tokio::test]
async fn a_receipt_holds_no_source() {
    let door = door(policy());
    let inspected = door.inspect(prompt("rule", excerpt().lines().to_vec())).unwrap();
    let cleared = door.clear(inspected, &disclosure("acme/shop")).await.unwrap();
    let stored = serde_json::to_string::<Receipt>(cleared.receipt()).unwrap();
    for source in ["def find", "token", "run(name)", "request", "jane"] {
        // The names of the rule, the class and the fields are not source.
        let ours = ["secret:github-token", "\"tokens\"", "\"requests\""];
        let stored = ours.iter().fold(stored.clone(), |text, name| text.replace(name, ""));
        assert!(!stored.contains(source), "{source}: {stored}");
    }
}

#[tokio::test]
async fn without_a_durable_receipt_nothing_is_cleared() {
    let ledger = Arc::new(Ledger { broken: true, ..Ledger::default() });
    let door = door_with(policy(), ledger);
    let inspected = door.inspect(prompt("rule", excerpt().lines().to_vec())).unwrap();
    let cleared = door.clear(inspected, &disclosure("acme/shop")).await;
    assert!(matches!(cleared.err(), Some(ClearError::Receipt(_))));
}

#[tokio::test]
async fn a_repository_that_is_not_listed_gets_no_receipt_and_no_way_out() {
    let ledger = Arc::new(Ledger::default());
    for refused in [policy(), Policy { repositories: vec![], ..policy() }] {
        let door = door_with(refused, ledger.clone());
        let inspected = door.inspect(prompt("rule", excerpt().lines().to_vec())).unwrap();
        let cleared = door.clear(inspected, &disclosure("other/shop")).await;
        assert!(matches!(cleared.err(), Some(ClearError::Repository)));
    }
    assert!(ledger.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_became_of_a_disclosure_is_kept_as_long_as_its_receipt() {
    let ledger = Arc::new(Ledger::default());
    let door = door_with(Policy { receipt_ttl_days: 42, ..policy() }, ledger.clone());
    let inspected = door.inspect(prompt("rule", excerpt().lines().to_vec())).unwrap();
    let cleared = door.clear(inspected, &disclosure("acme/shop")).await.unwrap();
    let answer = Completion {
        text: "{}".into(),
        usage: Usage::default(),
        model: "small".into(),
        request_id: Some(format!("req\n{}\u{202e}", "7".repeat(300))),
    };
    door.settle(cleared.receipt(), Ending::of_answer("answered", &answer)).await.unwrap();
    let refused = Ending::of_failure(&ModelError::Refused);
    door.settle(cleared.receipt(), refused).await.unwrap();
    let settled = ledger.settled.lock().unwrap();
    let (first, keep) = &settled[0];
    assert_eq!(*keep, Duration::from_secs(42 * 24 * 60 * 60));
    assert_eq!((&first.receipt, first.outcome.as_str()), (&cleared.receipt().id, "answered"));
    assert_eq!(first.request_id, Some(format!("req{}", "7".repeat(197))));
    let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(first.answer_digest.as_deref(), Some(empty));
    assert_eq!((settled[1].0.outcome.as_str(), &settled[1].0.answer_digest), ("refused", &None));
}
