//! What tokens allow: named by `doctor`, refused unless acknowledged; and how they are rotated.

use std::{process::Stdio, sync::Arc, time::Duration};

use chaffinch_core::{Clock, ForgeKind};
use chaffinch_sandbox::{Model, needs_review};
use chaffinch_server::SystemClock;
use chrono::TimeDelta;

use super::{Desk, output};
use crate::harness::{
    Binary, Bot, Fake, REPOSITORY, SIGNING_TOKEN, SQLI, chaffinch, sarif, settings,
};

fn in_days(days: u64) -> String {
    let today = SystemClock.now().date_naive();
    (today + chrono::Days::new(days)).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_every_excess_and_every_day_on_which_a_token_expires() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    bot.sqli_change(7);
    let gitlab = bot.forge.gitlab();
    let project = gitlab.project(REPOSITORY);
    let desk = Desk::new(gitlab, &format!("http://{}", bot.address));
    desk.write("hook", SIGNING_TOKEN);
    let read = project.token("reader", &["read_api", "read_repository"], 40).expires(&in_days(9));
    let write = project.token("writer", &["api", "sudo"], 50).expires(&in_days(300));
    desk.write("read", &read.value());
    desk.write("write", &write.value());
    let (code, said) = desk.run(&["doctor"]).await;
    let said = said.replace(&in_days(9), "DAY").replace(&in_days(300), "LATER");
    assert_eq!(code, 1, "{said}");
    insta::assert_snapshot!(said, @r#"
    The configuration is complete.

    acme/shop on GitLab: reached.
      read token "reader": scope read_api, read_repository, role Maintainer, until DAY
      write token "writer": scope api, sudo, role Owner, until LATER
      ! the read token has the scope read_repository, which nothing needs: make one with read_api alone (or acknowledge_excess "read scope read_repository")
      ! the read token's user has the role Maintainer; Reporter is enough (or acknowledge_excess "read role Maintainer")
      ! the read token expires in 9 days: rotate with `chaffinch rotate gitlab --project acme/shop`
      ! the write token has the scope sudo, which nothing needs: make one with api alone (or acknowledge_excess "write scope sudo")
      ! the write token's user has the role Owner; Developer is enough (or acknowledge_excess "write role Owner")

    5 things should be changed.
    "#);

    // What is acknowledged is said, and nothing that should be changed.
    let file = desk.read("chaffinch.toml");
    let all = "\nacknowledge_excess = [\"read scope read_repository\", \"read role Maintainer\", \
               \"write scope sudo\", \"write role Owner\"]\n";
    desk.write("chaffinch.toml", &(file.clone() + all));
    let (code, said) = desk.run(&["doctor", "--within", "5"]).await;
    assert!(code == 0 && said.contains("    acknowledged: write scope sudo\n"), "{said}");
    assert_eq!(said.matches("acknowledged: ").count(), 4, "{said}");
    desk.write("chaffinch.toml", &(file + "\nacknowledge_excess = [\"sudo\"]\n"));
    let (code, said) = desk.run(&["doctor"]).await;
    assert!(code == 2 && said.contains("nothing is called `sudo`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_allows_too_much_is_refused_unless_exactly_that_is_acknowledged() {
    chaffinch_server::install_crypto();
    let fake = Fake::start(ForgeKind::GitLab, Arc::new(SystemClock), "").await;
    let model = Model::start().await.unwrap();
    let desk = Desk::new(fake.gitlab(), "http://127.0.0.1:9");
    let project = fake.gitlab().project(REPOSITORY);
    desk.write("hook", SIGNING_TOKEN);
    desk.write("read", &project.token("r", &["read_api"], 20).value());
    desk.write("write", &project.token("w", &["api", "write_repository"], 40).value());
    let mut settings = settings(&fake, &model, &desk.folder);
    settings.retain(|(key, _)| key != "CHAFFINCH__GITLAB__PROJECT");
    let config = desk.folder.path().join("chaffinch.toml");
    let serve = || {
        let mut command = chaffinch();
        command.arg("serve").arg("--config").arg(&config).envs(settings.clone());
        command.stdin(Stdio::null());
        output(command)
    };
    let file = desk.read("chaffinch.toml");
    let wants = "allow more than is needed (write scope write_repository, write role Maintainer)";
    let ended = serve().await;
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(2) && said.contains(wants), "{said}");
    // The words that are offered are those that it takes.
    let offered = said.split("acknowledge_excess = [").nth(1).unwrap().split(']').next().unwrap();
    let (code, said) = desk.connect(&[]).await;
    assert!(code == 2 && said.contains(wants), "{said}");
    assert!(project.hooks().is_empty(), "nothing was connected");

    let some = "\nacknowledge_excess = [\"write scope write_repository\"]\n";
    desk.write("chaffinch.toml", &format!("{file}{some}"));
    let ended = serve().await;
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("needed (write role Maintainer)"), "{said}");
    desk.write("chaffinch.toml", &format!("{file}\nacknowledge_excess = [{offered}]\n"));
    drop(Binary::serve_with(&settings, &config));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_server_runs_no_project_is_opened_with_tokens_that_allow_too_much() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    let Fake::GitLab(lab) = &bot.forge else { panic!("this test runs on GitLab") };
    lab.writer.role(40);
    let ended = bot.deliver("opened", 7).await;
    assert!(ended[0].contains("write role Maintainer") && ended.len() == 1, "{ended:?}");
    let worked = || bot.forge.calls().iter().any(|call| call.route.contains("merge_requests"));
    assert!(!worked(), "nothing is read or written");

    lab.writer.role(30);
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.clock.advance(TimeDelta::minutes(1));
    assert_eq!(bot.work().await, ["published"]);
    assert!(worked());
    // Within a day it is not asked again; then it is.
    let asked = || {
        let calls = bot.forge.calls();
        calls.iter().filter(|call| call.route == "/personal_access_tokens/self").count()
    };
    let before = asked();
    bot.ask_again(7).await;
    assert_eq!(asked(), before);
    bot.clock.advance(TimeDelta::hours(25));
    bot.ask_again(7).await;
    assert_eq!(asked(), before + 2);
    change.threads();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_rotated_that_could_not_be_kept() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let gitlab = bot.forge.gitlab();
    let desk = Desk::new(gitlab, &format!("http://{}", bot.address));
    desk.connect(&["--make-tokens"]).await;
    let held = [desk.read("read"), desk.read("write")];
    // In the way of the new write token's file.
    let in_the_way = desk.folder.path().join("write.new/x");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let rotate = ["rotate", "gitlab", "--project", REPOSITORY];
    let (code, said) = desk.run(&rotate).await;
    assert!(code == 2 && said.contains("cannot write"), "{said}");
    assert_eq!([desk.read("read"), desk.read("write")], held);
    let (code, said) = desk.run(&["doctor"]).await;
    assert!(code == 0 && said.contains("All is well."), "both are still good: {said}");
    std::fs::remove_dir_all(in_the_way.parent().unwrap()).unwrap();
    let (code, said) = desk.run(&rotate).await;
    assert_eq!(code, 0, "{said}");
    let kept = std::fs::read_dir(desk.folder.path()).unwrap();
    let kept: Vec<_> = kept.map(|file| file.unwrap().file_name()).collect();
    assert!(!kept.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_runs_takes_tokens_that_are_rotated() {
    chaffinch_server::install_crypto();
    let fake = Fake::start(ForgeKind::GitLab, Arc::new(SystemClock), "").await;
    let model = Model::start().await.unwrap();
    model.answer_with(|_| needs_review("Not enough is shown."));
    let desk = Desk::new(fake.gitlab(), "http://127.0.0.1:9");
    desk.connect(&["--make-tokens"]).await;
    let mut settings = settings(&fake, &model, &desk.folder);
    settings.retain(|(key, _)| key != "CHAFFINCH__GITLAB__PROJECT");
    settings.push(("CHAFFINCH__SERVER__WORKERS".to_owned(), "1".to_owned()));
    let file = desk.folder.path().join("chaffinch.toml");
    crate::harness::enable(Some(&file), &settings, &fake).await;
    let server = Binary::serve_with(&settings, &file);
    fake.deliver_to(&server.address);
    fake.gitlab().project(REPOSITORY).hooks().iter().for_each(|hook| {
        hook.signing_token(&desk.read("hook"));
    });
    fake.repo(REPOSITORY).base_file("README", "x\n").file("app/db.py", SQLI);
    let change = fake.change(7);
    for (event, end) in [("opened", ""), ("pushed", "# more\n")] {
        change.push(&[("app/db.py", &format!("{SQLI}{end}"))]);
        change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
        assert_eq!(fake.deliver(event, 7).await.status, 202, "{event}");
        for _ in 0..400 {
            if change.conclusion() == "neutral" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(change.conclusion(), "neutral", "{event}");
        let (code, said) = desk.run(&["rotate", "gitlab", "--project", REPOSITORY]).await;
        assert_eq!(code, 0, "{said}");
    }
    assert_eq!(change.threads().len(), 1, "the user is the same, and so the thread is its own");
    let log = server.kill();
    assert!(!log.contains("given up"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_while_gitlab_does_not_answer() {
    chaffinch_server::install_crypto();
    let fake = Fake::start(ForgeKind::GitLab, Arc::new(SystemClock), "").await;
    let model = Model::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&fake, &model, &folder);
    settings.push(("CHAFFINCH__GITLAB__URL".to_owned(), "http://127.0.0.1:9".to_owned()));
    let server = Binary::serve(&settings);
    let policy = format!("http://{}/policy", server.address);
    let answer = chaffinch_server::http_client(None).unwrap().get(policy).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}
