//! Code goes to a vendor under an agreement, or to nobody.

use chaffinch_core::ForgeKind;

use crate::harness::{Bot, on_both_forges};

on_both_forges! {
    p07_a_bare_endpoint_is_refused_at_start,
}

async fn p07_a_bare_endpoint_is_refused_at_start(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = crate::harness::settings(&bot.forge, &bot.model, &folder);
    settings.push(("CHAFFINCH__MODEL__BASE_URL".to_owned(), "https://model.example/v1".to_owned()));
    let ended = crate::harness::chaffinch().arg("serve").envs(settings).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("agreement") && said.contains("self-hosted"), "{said}");
}
