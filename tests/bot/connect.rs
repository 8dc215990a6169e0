//! A maintainer's commands on GitLab: connect, doctor, rotate, and the page that tells of them.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{GitLab, Model, Project, needs_review};
use chaffinch_server::SystemClock;

use crate::harness::{
    Binary, Bot, Fake, REPOSITORY, SIGNING_TOKEN, SQLI, STORE_KEY, chaffinch, sarif, settings,
};

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
    let gitlab = bot.forge.gitlab();
    let project = without_hooks(gitlab);
    let desk = Desk::new(gitlab, &format!("http://{}", bot.address));
    // What the server reads already; where the file is not there, it is made.
    desk.write("hook", SIGNING_TOKEN);
    for made in ["Made", "Brought up to date"] {
        let (code, said) = desk.connect(&[]).await;
        assert_eq!(code, 0, "{said}");
        assert!(said.starts_with(made) && said.contains("A test delivery arrived (202)"), "{said}");
        assert!(said.contains("To undo"), "{said}");
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

    // The old ones are good no longer; and others are too good.
    desk.write("read", &read);
    desk.write(
        "write",
        &gitlab.project(REPOSITORY).token("x", &["api", "write_repository"], 50).value(),
    );
    let (code, said) = desk.run(&["doctor"]).await;
    assert_eq!(code, 1, "{said}");
    for says in ["expired or revoked", "write_repository", "role Owner; Developer is enough"] {
        assert!(said.contains(says), "{says}: {said}");
    }
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
    let server = Binary::serve_with(&settings, &desk.folder.path().join("chaffinch.toml"));
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

/// The blocks of a page that are to be typed.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = page.split("```sh\n").skip(1);
    blocks.by_ref().map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn free_ports() -> [u16; 3] {
    // Two that follow each other, and one more.
    for _ in 0..100 {
        let bind = |port| std::net::TcpListener::bind(("127.0.0.1", port));
        let Ok(first) = bind(0) else { continue };
        let port = first.local_addr().unwrap().port();
        let Some(next) = port.checked_add(1) else { continue };
        if let (Ok(_second), Ok(third)) = (bind(next), bind(0)) {
            return [port, next, third.local_addr().unwrap().port()];
        }
    }
    panic!("no free ports");
}

/// Started by a block of the page, killed when dropped.
struct Background(std::process::Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_types_what_stands_on_the_page_gets_a_first_comment() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../app-manifest/gitlab.md");
    let [gitlab, model, server] = free_ports().map(|port| port.to_string());
    let page = std::fs::read_to_string(page).unwrap();
    let page = page.replace("4181", &gitlab).replace("4182", &model).replace("8080", &server);
    let folder = tempfile::tempdir().unwrap();
    let program = chaffinch().get_program().to_owned();
    let path = Path::new(&program).parent().unwrap().display().to_string();
    let shell = |script: &str| {
        let mut command = Command::new("bash");
        command.arg("-euc").arg(script).current_dir(folder.path()).env_clear();
        command.env("PATH", format!("{path}:/usr/local/bin:/usr/bin:/bin")).stdin(Stdio::null());
        command
    };
    let mut running = Vec::new();
    let mut connected = 0;
    let (first, _) = page.split_once("\n## On your own GitLab").expect("the trial comes first");
    for block in blocks(first) {
        let stays =
            ["chaffinch sandbox", "chaffinch serve"].into_iter().find(|c| block.contains(c));
        if let Some(which) = stays {
            // Without the shell between, so that it is the program that is killed.
            let child = shell(&format!("exec {block}")).stdout(Stdio::null()).spawn().unwrap();
            running.push(Background(child));
            let port = if which.ends_with("serve") { &server } else { &model };
            listening(port).await;
            continue;
        }
        let ended = output(shell(&block)).await;
        let said = [ended.stdout, ended.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
        let first_time = block.contains("--make-tokens");
        connected += usize::from(block.contains("chaffinch connect"));
        // The server is not there the first time, and the page says so.
        assert_eq!(ended.status.code(), Some(i32::from(first_time)), "{block}\n{said}");
        if connected == 2 && !block.contains("--remove") {
            commented(&gitlab).await;
        }
    }
    assert!(connected >= 2 && running.len() == 2);
}

async fn listening(port: &str) {
    for _ in 0..400 {
        if tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing listens on port {port}");
}

async fn commented(gitlab: &str) {
    let url = format!("http://127.0.0.1:{gitlab}/orchard/shop/-/merge_requests/7");
    let http = chaffinch_server::http_client(None).unwrap();
    let mut page = String::new();
    for _ in 0..400 {
        page = http.get(&url).send().await.unwrap().text().await.unwrap();
        if page.contains("Real: ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no comment on {url}: {page}");
}
