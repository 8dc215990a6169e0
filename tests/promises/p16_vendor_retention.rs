//! A vendor keeps copies for at most 30 days, or is not asked.

use chaffinch_core::ForgeKind;

use super::said;
use crate::harness::{Bot, chaffinch, on_both_forges, settings};

on_both_forges! {
    p16_thirty_one_days_of_vendor_retention_are_refused,
}

async fn p16_thirty_one_days_of_vendor_retention_are_refused(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let folder = tempfile::tempdir().unwrap();
    for (days, most, refused) in [(30, 30, false), (31, 30, true), (1, 0, true), (31, 31, true)] {
        let mut settings = settings(&bot.forge, &bot.model, &folder);
        for (key, value) in [
            ("MODEL__BASE_URL", "https://model.example/v1".to_owned()),
            ("MODEL__ATTESTATION__AGREEMENT", "DPA-7".to_owned()),
            ("MODEL__ATTESTATION__NO_TRAINING", "true".to_owned()),
            ("MODEL__ATTESTATION__RETENTION_DAYS", days.to_string()),
            ("POLICY__MAX_VENDOR_RETENTION_DAYS", most.to_string()),
        ] {
            settings.push((format!("CHAFFINCH__{key}"), value));
        }
        let ended = chaffinch().args(["config", "check"]).envs(settings).output().unwrap();
        assert_eq!(ended.status.code() == Some(2), refused, "{days}, {most}: {}", said(&ended));
        assert_eq!(said(&ended).contains("retention"), refused, "{}", said(&ended));
    }
}
