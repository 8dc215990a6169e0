//! What loosens the policy acts 30 days after it was announced, and not before.

use std::{net::TcpListener, sync::Arc};

use chaffinch_core::{Clock as _, ForgeKind};
use chaffinch_sandbox::needs_review;
use chrono::TimeDelta;
use tempfile::TempDir;

use super::{run, said, stored_in};
use crate::harness::{Bot, HandClock, Setup, on_both_forges, sarif};

on_both_forges! {
    p06_a_looser_policy_acts_only_after_its_notice,
    a_tighter_policy_acts_at_once,
    neither_restarts_nor_clocks_nor_an_edit_back_shorten_the_notice,
    what_is_announced_stands_in_one_comment_and_on_the_page,
    another_endpoint_is_sent_to_only_after_its_notice,
    as_long_as_nobody_has_enabled_anything_the_endpoint_may_be_put_right,
    the_policy_of_any_past_day_can_be_asked_for,
}

/// What outlives a bot: its store, the time, and where the model is.
struct Place {
    folder: TempDir,
    clock: Arc<HandClock>,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::default(), port }
    }

    fn setup(&self, on: ForgeKind) -> Setup {
        let setup = Bot::with(on).set("STORE__URL", stored_in(self.folder.path()));
        setup.clock(self.clock.clone())
    }
}

async fn start(on: ForgeKind, place: &Place, ceiling: &str) -> Bot {
    let setup = place.setup(on).set("POLICY__CEILING", ceiling).model_port(place.port);
    let bot = setup.start().await;
    bot.forge.repo("acme/shop");
    bot.consent().await;
    bot
}

/// How many lines are sent for a finding that a whole function could be sent for.
async fn lines_sent(bot: &Bot, number: u64) -> usize {
    // Each has lines of its own, so that no answer is in the cache.
    let source = crate::harness::SQLI.replace("users", &format!("users_{number}"));
    bot.forge.repo("acme/shop").base_file("README", "x\n").file("app/db.py", source);
    let change = bot.forge.repo("acme/shop").change(number);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("opened", number).await, ["published"]);
    change.threads();
    change.summary();
    bot.model.requests().last().unwrap().lines().len()
}

async fn p06_a_looser_policy_acts_only_after_its_notice(on: ForgeKind) {
    let place = Place::new();
    drop(start(on, &place, "finding").await);
    let bot = start(on, &place, "function").await;
    assert_eq!(lines_sent(&bot, 1).await, 1, "on the day of the announcement");
    bot.pass_days(29).await;
    assert_eq!(lines_sent(&bot, 2).await, 1, "on day 29");
    bot.pass_days(1).await;
    assert!(lines_sent(&bot, 3).await > 1, "on day 30");
}

async fn a_tighter_policy_acts_at_once(on: ForgeKind) {
    let place = Place::new();
    let bot = start(on, &place, "function").await;
    assert!(lines_sent(&bot, 1).await > 1);
    drop(bot);
    let bot = start(on, &place, "finding").await;
    assert_eq!(lines_sent(&bot, 2).await, 1);
}

async fn neither_restarts_nor_clocks_nor_an_edit_back_shorten_the_notice(on: ForgeKind) {
    let place = Place::new();
    drop(start(on, &place, "finding").await);
    // Started again and again, with the clock put forward and back in between.
    for days in [40, -100, 150] {
        start(on, &place, "function").await.is_turned_back();
        place.clock.advance(TimeDelta::days(days));
    }
    let bot = start(on, &place, "function").await;
    assert_eq!(lines_sent(&bot, 1).await, 1);
    bot.pass_days(29).await;
    drop(bot);
    // An edit back begins anew.
    drop(start(on, &place, "finding").await);
    let bot = start(on, &place, "function").await;
    bot.pass_days(29).await;
    assert_eq!(lines_sent(&bot, 2).await, 1);
    bot.pass_days(1).await;
    assert!(lines_sent(&bot, 3).await > 1);
}

async fn what_is_announced_stands_in_one_comment_and_on_the_page(on: ForgeKind) {
    let place = Place::new();
    drop(start(on, &place, "finding").await);
    let bot = start(on, &place, "function").await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("README", "x\n");
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    let mut told = Vec::new();
    for number in [1, 2] {
        repo.file("app/db.py", crate::harness::SQLI.replace("users", &format!("users_{number}")));
        let change = repo.change(number);
        change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
        bot.deliver("opened", number).await;
        change.threads();
        told.push(change.summary().contains("ceiling: finding → function"));
    }
    assert_eq!(told, [true, false], "once, with the next comment");
    // It stays where it was said.
    bot.ask_again(1).await;
    let summary = repo.change(1).summary();
    assert!(summary.contains("From 2026-12-22 on"), "{summary}");
    repo.change(1).threads();
    let (_, page) = bot.get("/policy").await;
    assert!(page.contains("From 2026-12-22 on"), "{page}");
    assert!(page.contains("ceiling: finding → function"), "{page}");
    bot.pass_days(30).await;
    let (_, page) = bot.get("/policy").await;
    assert!(page.contains("At present nothing is announced."), "{page}");
    assert!(lines_sent(&bot, 3).await > 1);
    assert!(!repo.change(3).summary().contains("ceiling:"), "it has come");
}

async fn another_endpoint_is_sent_to_only_after_its_notice(on: ForgeKind) {
    let place = Place::new();
    drop(start(on, &place, "function").await);
    let bot = place.setup(on).set("POLICY__CEILING", "function").start().await;
    bot.consent().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    assert!(bot.model.requests().is_empty(), "the old one is gone, the new one not in force");
    assert_eq!(change.conclusion(), "neutral");
    assert!(change.summary().contains("does not allow the model endpoint"), "{}", change.summary());
    change.threads();
    let (_, page) = bot.get("/policy").await;
    assert!(page.contains("At present nothing is sent"), "{page}");
    bot.pass_days(30).await;
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.ask_again(7).await;
    assert_eq!(bot.model.requests().len(), 1);
    change.threads();
    change.summary();
}

async fn as_long_as_nobody_has_enabled_anything_the_endpoint_may_be_put_right(on: ForgeKind) {
    let place = Place::new();
    drop(place.setup(on).start().await);
    let bot = place.setup(on).start().await;
    assert!(lines_sent(&bot, 1).await > 1, "notice is owed to those who enabled something");
}

async fn the_policy_of_any_past_day_can_be_asked_for(on: ForgeKind) {
    let place = Place { clock: HandClock::of_now(), ..Place::new() };
    let began = place.clock.now();
    drop(start(on, &place, "finding").await);
    let bot = start(on, &place, "function").await;
    bot.pass_days(30).await;
    let ask = async |args: &[&str]| said(&run(&bot, &place.folder, args).await);
    let day = began.format("%Y-%m-%d").to_string();
    let then = ask(&["policy", "--on", &day]).await;
    assert!(then.contains("ceiling: related → finding"), "{then}");
    let now = ask(&["policy"]).await;
    assert!(now.contains("ceiling: related → function"), "{now}");
    let all = ask(&["policy", "--format", "json"]).await;
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!(all["in_force"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(all["policy"]["ceiling"], "function");
    let never = ask(&["policy", "--on", "2020-01-01"]).await;
    assert!(never.contains("no policy is on record for 2020-01-01"), "{never}");
}
