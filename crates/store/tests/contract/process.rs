//! A Redis of our own, started from the binary on PATH and stopped by its pid.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub(crate) struct Server {
    child: Option<Child>,
    dir: TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// Without any persistence.
    pub(crate) fn start() -> Self {
        Self::with(&["--appendonly", "no"])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        let mut server = Self { child: None, dir, arguments };
        server.up();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// A connection past the store.
    pub(crate) fn raw(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Starts it on the same folder, and waits until it answers.
    pub(crate) fn up(&mut self) {
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        let child = Command::new("redis-server")
            // Uncompressed, so that a search through what is kept finds what is there.
            .args(["--port", "0", "--save", "", "--rdbcompression", "no", "--daemonize", "no", "--dir"])
            .arg(self.dir.path())
            .arg("--unixsocket")
            .arg(self.socket())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is not on PATH: install it (Debian: `apt-get install redis-server`; macOS: `brew install redis`)");
        self.child = Some(child);
        let start = Instant::now();
        while !answers(&self.socket()) {
            let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(start.elapsed() < Duration::from_secs(20), "redis-server: {}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it without a goodbye.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal ("STOP", "CONT").
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

/// Whether it says anything but that it is loading; "no password given" will do.
fn answers(socket: &Path) -> bool {
    let ask = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer[..5])?;
        Ok::<_, std::io::Error>(&answer[..5] == b"+PONG" || &answer[..5] == b"-NOAU")
    };
    ask().unwrap_or(false)
}
