//! The page that leads from nothing to the first comment, typed as it stands.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::output;
use crate::harness::chaffinch;

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
    // What the page makes of secrets is for nobody else.
    for secret in ["store.key", "maintainer.token", "gitlab.read", "gitlab.write", "gitlab.hook"] {
        let mode = std::fs::metadata(folder.path().join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret}");
    }
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
