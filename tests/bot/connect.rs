//! A maintainer's commands on GitLab: connect, doctor, rotate, and the page that tells of them.

mod page;
mod tokens;

use std::process::{Command, Output, Stdio};

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{GitLab, Project};

use crate::harness::{Bot, REPOSITORY, SIGNING_TOKEN, STORE_KEY, chaffinch};

/// Files of an operator: a configuration, and the secrets that it names.
struct Desk {
    folder: tempfile::TempDir,
    maintainer: String,
}

impl Desk {
    fn new(gitlab: &GitLab, server: &str) -> Self {
        let project = gitlab.project(REPOSITORY);
        let maintainer = project.token("maintainer", &["api"], 40).value();
        let desk = Self { folder: tempfile::tempdir().unwrap(), maintainer };
        let folder = desk.folder.path().display();
        let text = format!(
            "[server]\npublic_url = \"{server}\"\n[policy]\nrepositories = [\"{REPOSITORY}\"]\n\
             [model]\nbase_url = \"http://127.0.0.1:9/v1\"\nname = \"m\"\nauth = \"none\"\n\
             [store]\nkey = \"{STORE_KEY}\"\n[gitlab]\nurl = \"{}\"\n\
             [[gitlab.project]]\npath = \"{REPOSITORY}\"\nread_token_file = \"{folder}/read\"\n\
             write_token_file = \"{folder}/write\"\nwebhook_secret_file = \"{folder}/hook\"\n",
            gitlab.url(),
        );
        desk.write("chaffinch.toml", &text);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap().trim().to_owned()
    }

    async fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = chaffinch();
        command.args(arguments).args(["--config", "chaffinch.toml"]);
        command.env("CHAFFINCH_MAINTAINER_TOKEN", &self.maintainer);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        let ended = output(command).await;
        let said = [ended.stdout, ended.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
        for secret in [&self.maintainer, "glpat-", "whsec_"] {
            assert!(!said.contains(secret), "a secret is shown: {said}");
        }
        (ended.status.code().unwrap(), said)
    }

    async fn connect(&self, more: &[&str]) -> (i32, String) {
        let arguments = ["connect", "gitlab", "--project", REPOSITORY];
        self.run(&[&arguments, more].concat()).await
    }
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Without the hook that the harness has made.
fn without_hooks(gitlab: &GitLab) -> Project {
    let project = gitlab.project(REPOSITORY);
    project.hooks().iter().for_each(|hook| drop(hook.set_url("http://127.0.0.1:9/another")));
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_makes_one_hook_with_the_events_that_are_needed_and_tries_it_out() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    bot.sqli_change(7);
    bot.consent().await;
    let gitlab = bot.forge.gitlab();
    let project = without_hooks(gitlab);
    let desk = Desk::new(gitlab, &format!("http://{}", bot.address));
    // What the server reads already; where the file is not there, it is made.
    desk.write("hook", SIGNING_TOKEN);
    for made in ["Made", "Brought up to date"] {
        let (code, said) = desk.connect(&[]).await;
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("were not looked at") && said.contains("read: No such file"),
            "{said}"
        );
        let made = format!("\n{made} webhook ");
        assert!(said.contains(&made) && said.contains("A test delivery arrived (202)"), "{said}");
        let hook = project.hooks().remove(1);
        for says in [
            format!("removes webhook {} to http://{}/webhooks/gitlab", hook.id(), bot.address),
            format!("{}/acme/shop/-/settings/access_tokens", gitlab.url()),
        ] {
            assert!(said.contains("To undo: ") && said.contains(&says), "{says}: {said}");
        }
        assert_eq!(project.hooks().len(), 2);
        let hook = project.hooks().remove(1);
        assert_eq!(hook.events(), ["merge_requests_events", "pipeline_events"]);
        assert_eq!(hook.url(), format!("http://{}/webhooks/gitlab", bot.address));
    }
    assert_eq!(bot.work().await, ["not_yet"], "the test is a real event");
    let (code, said) = desk.connect(&["--remove"]).await;
    assert!(code == 0 && said.contains("Removed"), "{said}");
    assert_eq!(project.hooks().len(), 1, "another's is left alone");
    let (code, said) = desk.connect(&["--remove"]).await;
    assert!(code == 0 && said.contains("nothing to remove"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_says_what_stands_in_the_way() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let gitlab = bot.forge.gitlab();
    let desk = Desk::new(gitlab, &format!("http://{}", bot.address));
    // Nothing is there to be told of yet.
    let (code, said) = desk.connect(&[]).await;
    assert!(code == 0 && said.contains("Made a random signing token"), "{said}");
    bot.sqli_change(7);
    // The server knows another signing token.
    let (code, said) = desk.connect(&[]).await;
    assert!(code == 1 && said.contains("(401)"), "{said}");
    let (code, said) = desk.connect(&["--server", "http://127.0.0.1:9"]).await;
    assert!(code == 1 && said.contains("start the server"), "{said}");
    let (code, said) = desk.run(&["connect", "gitlab", "--project", "acme/payroll"]).await;
    assert!(code == 2 && said.contains("no [[gitlab.project]]"), "{said}");
    let weak =
        Desk { maintainer: gitlab.project(REPOSITORY).token("w", &["api"], 30).value(), ..desk };
    let (code, said) = weak.connect(&[]).await;
    assert!(code == 2 && said.contains("role Maintainer"), "{said}");
    let none = Desk { maintainer: String::new(), ..weak };
    let mut command = chaffinch();
    command.args(["connect", "gitlab", "--project", REPOSITORY, "--config", "chaffinch.toml"]);
    command.current_dir(none.folder.path()).stdin(Stdio::null());
    let said = String::from_utf8(output(command).await.stderr).unwrap();
    assert!(said.contains("--token-file FILE, or set CHAFFINCH_MAINTAINER_TOKEN"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_rotated_and_looked_at() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    bot.sqli_change(7);
    let gitlab = bot.forge.gitlab();
    let desk = Desk::new(gitlab, &format!("http://{}", bot.address));
    let (code, said) = desk.connect(&["--make-tokens"]).await;
    assert!(code == 1 && said.contains("scope read_api, role Reporter"), "{said}");
    assert!(said.contains("scope api, role Developer"), "{said}");
    // Whoever undoes it must know which tokens are left.
    assert!(said.contains("The tokens \"chaffinch-read\" and \"chaffinch-write\" are"), "{said}");
    let (read, write) = (desk.read("read"), desk.read("write"));
    let (code, said) = desk.run(&["doctor"]).await;
    assert!(code == 0 && said.contains("All is well."), "{said}");
    let (code, said) = desk.run(&["doctor", "--within", "100"]).await;
    assert!(code == 1 && said.contains("chaffinch rotate gitlab"), "{said}");

    let (code, said) =
        desk.run(&["rotate", "gitlab", "--project", REPOSITORY, "--days", "200"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(desk.read("read") != read && desk.read("write") != write);
    let (code, said) = desk.run(&["doctor", "--within", "100"]).await;
    assert!(code == 0 && said.contains("All is well."), "{said}");

    // Of a group, some project must be named, or its tokens are not looked at.
    let file = desk.read("chaffinch.toml");
    let of_group = file.replace(
        "[[gitlab.project]]\npath = \"acme/shop\"",
        "[[gitlab.project]]\npath = \"acme/*\"",
    );
    let of_group =
        of_group.replace("repositories = [\"acme/shop\"]", "repositories = [\"acme/*\"]");
    desk.write("chaffinch.toml", &of_group);
    let (code, said) = desk.run(&["doctor", "--within", "100"]).await;
    assert!(code == 1 && said.contains("its tokens were not looked at"), "{said}");
    let (code, said) = desk.run(&["doctor", "--within", "100", "--project", REPOSITORY]).await;
    assert!(code == 0 && said.contains("All is well."), "{said}");
    desk.write("chaffinch.toml", &file);

    // The old ones are good no longer.
    desk.write("read", &read);
    let (code, said) = desk.run(&["doctor"]).await;
    assert!(code == 1 && said.contains("the read token: "), "{said}");
    assert!(said.contains("expired or revoked"), "{said}");
}
