//! The fuzz target on a stable compiler: throws changed odd files at it until the time is up, and
//! holds each run to a bound on time and memory. `storm CORPUS SECONDS [SEED]`; to be run in release.
//! `storm CORPUS 0` runs the corpus alone.
//!
//! A failure ends it, with the input in `storm-failure.bin`. What is being run is in
//! `storm-current.bin`, should the process be killed; the slowest input is in `storm-slowest.bin`.

mod memory;
#[path = "../../fuzz/target.rs"]
mod target;

use std::{
    error::Error,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

/// Bytes of most inputs at most.
const LARGE: usize = 60_000;

/// Bytes of any input at most: the largest file that is parsed.
const LARGEST: usize = 1 << 20;

/// What a run may take: three extractions of up to six files each, at 50 ms a file; four times that, for
/// a busy machine.
const TIME: Duration = Duration::from_secs(4);

/// What may be resident in a run beyond what was before the first, in KiB.
const MEMORY: u64 = 64 << 10;

/// Pieces that are thrown in.
const PIECES: [&[u8]; 16] = [
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b"(",
    b"'",
    b"\"\"\"",
    b"`",
    b"<%= ",
    b"%>",
    b"\n\0\0\n",
    b"\xFF\xFE",
    b"\xE2\x80",
    b"  if (!x) return;\n",
    b"def f(x):\n    return g(x)\n",
    b"import {a} from './a'\n",
];

#[expect(clippy::print_stdout, reason = "an example for people")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [corpus, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("usage: storm CORPUS SECONDS [SEED]".into());
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(corpus)? {
        files.push(fs::read(entry?.path())?);
    }
    files.sort();
    warm(&files);
    let mut storm = Storm { rest: memory::peak(), watch: watch(), ..Storm::default() };
    for file in &files {
        storm.run(file)?;
    }
    let mut dice = Dice(rest.first().map_or(Ok(1), |seed| seed.parse())?);
    let end = Instant::now() + Duration::from_secs(seconds.parse()?);
    while Instant::now() < end {
        storm.run(&dice.input(&files))?;
    }
    fs::write("storm-slowest.bin", &storm.slow)?;
    let Storm { runs, slowest, grown, .. } = storm;
    let memory = grown.map_or("not measured here".into(), |kib| format!("{} MiB", kib >> 10));
    println!(
        "{runs} runs without a failure; the slowest {} ms, memory over what is there at rest {memory}",
        slowest.as_millis()
    );
    Ok(())
}

/// Loads the grammars, which stay: a short file of each.
fn warm(files: &[Vec<u8>]) {
    for path in 0..=u8::MAX {
        target::run(&[path, 0, 0, 3, 99, b'x', b'\n']);
    }
    files.iter().filter(|file| file.len() < 1_000).for_each(|file| target::run(file));
}

#[derive(Default)]
struct Storm {
    runs: u64,
    slowest: Duration,
    slow: Vec<u8>,
    /// Peak memory before the first run, and how much the peak has grown since.
    rest: Option<u64>,
    grown: Option<u64>,
    watch: Option<Sender<bool>>,
}

impl Storm {
    fn run(&mut self, input: &[u8]) -> Result<(), Box<dyn Error>> {
        fs::write("storm-current.bin", input)?;
        let failed = |runs: u64, why: String| {
            fs::write("storm-failure.bin", input)?;
            Err(format!("{why}, after {runs} runs; the input is in storm-failure.bin").into())
        };
        self.watched(true);
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target::run(input)));
        let took = start.elapsed();
        self.watched(false);
        if outcome.is_err() {
            return failed(self.runs, "it broke a promise".into());
        }
        if took > TIME && !cfg!(debug_assertions) {
            return failed(self.runs, format!("it took {} ms", took.as_millis()));
        }
        self.grown = memory::peak().zip(self.rest).map(|(now, rest)| now.saturating_sub(rest));
        if let Some(kib) = self.grown.filter(|kib| *kib > MEMORY && !cfg!(debug_assertions)) {
            return failed(self.runs, format!("it took {} MiB of memory", kib >> 10));
        }
        if took > self.slowest {
            self.slowest = took;
            self.slow = input.to_vec();
        }
        self.runs += 1;
        Ok(())
    }

    fn watched(&self, running: bool) {
        if let Some(watch) = &self.watch {
            watch.send(running).ok();
        }
    }
}

/// Ends the process if a run does not end.
#[expect(clippy::print_stderr, reason = "an example for people")]
fn watch() -> Option<Sender<bool>> {
    let (sender, runs) = channel();
    thread::spawn(move || {
        let mut running = false;
        loop {
            match runs.recv_timeout(6 * TIME) {
                Ok(now) => running = now,
                Err(RecvTimeoutError::Timeout) if running => {
                    eprintln!("a run does not end; the input is in storm-current.bin");
                    std::process::exit(1);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    Some(sender)
}

/// Numbers that look like chance and are the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((x ^ (x >> 31)) >> 16).unwrap_or_default() % sides.max(1)
    }

    fn input(&mut self, files: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(files);
        for _ in 0..self.roll(8) {
            self.change(&mut input, files);
        }
        input.truncate(LARGE);
        if self.roll(100) == 0 {
            let from = input.len().min(5);
            let body = input.split_off(from);
            let times = (1 + self.roll(LARGEST)) / body.len().max(1);
            input.extend(body.repeat(times));
        }
        if self.roll(3) > 0 {
            // Mostly a line that the file has.
            let lines = input.iter().filter(|b| **b == b'\n').count() + 1;
            let line = u16::try_from(self.roll(lines)).unwrap_or_default().to_le_bytes();
            input.iter_mut().skip(1).zip(line).for_each(|(at, byte)| *at = byte);
        }
        for at in [0, 3, 4] {
            if self.roll(4) == 0 {
                let byte = u8::try_from(self.roll(256)).unwrap_or_default();
                input.iter_mut().skip(at).take(1).for_each(|b| *b = byte);
            }
        }
        input
    }

    fn pick(&mut self, files: &[Vec<u8>]) -> Vec<u8> {
        let at = self.roll(files.len());
        files.get(at).cloned().unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>, files: &[Vec<u8>]) {
        let length = input.len();
        let from = 5 + self.roll(length.saturating_sub(5));
        let to = (from + self.roll(80)).min(length);
        match self.roll(7) {
            _ if from >= length => input.extend_from_slice(b"x\n"),
            0 => drop(input.drain(from..to)),
            1 => {
                let part: Vec<u8> = input.get(from..to).unwrap_or_default().to_vec();
                let times = 1 + self.roll(40);
                let many = part.repeat(times);
                input.splice(from..from, many);
            }
            2 => {
                let at = self.roll(PIECES.len());
                let piece = PIECES.get(at).copied().unwrap_or_default().repeat(1 + self.roll(30));
                input.splice(from..from, piece);
            }
            3 => {
                let byte = u8::try_from(self.roll(256)).unwrap_or_default();
                input.iter_mut().skip(from).take(1).for_each(|b| *b = byte);
            }
            4 => input.truncate(from),
            5 => {
                let other = self.pick(files);
                input.splice(from..to, other.into_iter().skip(5).take(4_000));
            }
            _ => {
                let other = self.pick(files);
                input.extend_from_slice(b"\n\0\0\n");
                input.extend(other.into_iter().skip(5));
            }
        }
    }
}
