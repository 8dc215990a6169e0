//! What becomes of an answer that repeats a placeholder.

use chaffinch_core::VaultKind;
use serde_json::{Value, json};

use crate::{
    double::{World, answer},
    reports::{hit, semgrep},
};

/// The token of the code below, as the model sees it: another text of this form stands there already.
const OURS: &str = "‹secret:github-pat#2›";
/// That text.
const THEIRS: &str = "‹secret:github-pat#1›";

/// A function that holds a token, an address and a text that only looks like a placeholder.
fn shop() -> World {
    let world = World::new();
    let token = format!("{}{}", "ghp_", "x7Qb2Lw9Zr4Tn6Vk1Ms8Hd3Gf5Jp0Yc2Ae4U");
    let source = format!(
        "def find(cursor, name):\n    token = \"{token}\"  # jane@corp.example\n    query = \"{THEIRS}\" + name\n    cursor.execute(query)\n"
    );
    world.forge.adds("app/db.py", &source);
    world.forge.report(semgrep(&[hit("python.sqli", "app/db.py", 4)]));
    world
}

fn says(world: &World, verdict: &str, reason: &str, evidence: (u32, &str), fix: &str) {
    let evidence = [("app/db.py", evidence.0, evidence.1)];
    let mut answer: Value = serde_json::from_str(&answer(verdict, reason, &evidence)).unwrap();
    answer["fix"] = json!(fix);
    if verdict == "true_positive" {
        answer["remediation"] = json!(format!("Revoke {OURS}.\nTell <email#1>."));
    }
    world.model.says(answer.to_string());
}

async fn comment(world: &World) -> String {
    world.run().await.unwrap();
    let sent = world.model.seen.lock().unwrap()[0].clone();
    assert!(sent.contains(&format!("token = \"{OURS}\"  # ‹email#1›")), "{sent}");
    assert!(sent.contains(&format!("query = \"{THEIRS}\" + name")), "{sent}");
    world.forge.bodies().concat()
}

#[tokio::test]
async fn a_placeholder_is_shown_as_words_and_its_evidence_holds() {
    let world = shop();
    let reason = format!("The token {OURS} (secret:github-pat#2) is in the code.");
    says(&world, "true_positive", &reason, (2, &format!("token = \"{OURS}\"")), "");
    let body = comment(&world).await;
    assert!(body.contains("The token (a redacted secret) ((a redacted secret)) is in the code."));
    assert!(body.contains("- Revoke (a redacted secret).\n- Tell (a redacted e-mail address)."));
    assert!(body.contains("See `app/db.py:2`."), "the quotation was sent like this: {body}");
    assert!(!body.contains('‹') && !body.contains("github-pat"), "{body}");
    // The same from the cache, which has not kept it either.
    let kept = String::from_utf8(world.vault.all(VaultKind::Answer)[0].clone()).unwrap();
    assert!(!kept.contains('‹') && !kept.contains("secret:github-pat#2"), "{kept}");
    assert_eq!(comment(&world).await, body);
    assert_eq!(world.model.asked(), 1);
}

#[tokio::test]
async fn a_false_positive_may_quote_a_line_with_a_placeholder() {
    let world = shop();
    let reason = format!("{OURS} is not used.");
    says(&world, "false_positive", &reason, (2, &format!("token = \"{OURS}\"")), "");
    let body = comment(&world).await;
    assert!(body.contains("**Likely a false positive"), "{body}");
    assert!(body.contains("ignore. (a redacted secret) is not used."), "{body}");
    // What was not sent is no evidence: the token itself, or another number.
    for made_up in ["token = \"‹secret:github-pat#3›\"", "token = \"ghp_x7Qb2Lw9\""] {
        let world = shop();
        says(&world, "false_positive", "Fine.", (2, made_up), "");
        assert!(!comment(&world).await.contains("false positive"), "{made_up}");
    }
}

#[tokio::test]
async fn a_change_that_would_write_a_placeholder_is_not_suggested() {
    let call = |argument: &str| format!("    cursor.execute(query, ({argument},))");
    for (argument, suggested) in [
        ("name", true),
        (&*format!("\"{OURS}\""), false),
        ("\"<secret:github-pat#2>\"", false),
        ("\"secret:github-pat#2\"", false),
        ("\"‹email#1›\"", false),
        ("\"‹secret:made-up#9›\"", false),
        // The repository's own text is nobody's secret.
        (&*format!("\"{THEIRS}\""), true),
    ] {
        let world = shop();
        says(&world, "true_positive", "It is.", (4, "cursor.execute(query)"), &call(argument));
        let body = comment(&world).await;
        assert_eq!(body.contains("```suggestion"), suggested, "{argument}: {body}");
    }
}

#[tokio::test]
async fn a_text_of_the_code_that_looks_like_a_placeholder_is_quoted_as_it_is() {
    let world = shop();
    let reason = format!("It starts with {THEIRS}, not with {OURS}.");
    says(&world, "true_positive", &reason, (3, &format!("query = \"{THEIRS}\"")), "");
    let body = comment(&world).await.replace('\u{200b}', "");
    let said = format!("It starts with {THEIRS}, not with (a redacted secret).");
    assert!(body.contains(&said), "{body}");
}
