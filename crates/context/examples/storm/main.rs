//! The fuzz target on a stable compiler: throws changed odd files at it until the time is up.
//! `storm CORPUS SECONDS [SEED]`. A failure ends it, with the input in `storm-failure.bin`; the
//! slowest input is in `storm-slowest.bin`.

#[path = "../../fuzz/target.rs"]
mod target;

use std::{
    error::Error,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// Bytes of an input at most.
const LARGE: usize = 60_000;

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
    let mut dice = Dice(rest.first().map_or(Ok(1), |seed| seed.parse())?);
    let end = Instant::now() + Duration::from_secs(seconds.parse()?);
    let (mut runs, mut slowest, mut slow) = (0_u64, Duration::ZERO, Vec::new());
    while Instant::now() < end {
        let input = dice.input(&files);
        // What does not end is found here.
        fs::write("storm-current.bin", &input)?;
        let start = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| target::run(&input))).is_err() {
            fs::write("storm-failure.bin", &input)?;
            return Err(
                format!("failed after {runs} runs; the input is in storm-failure.bin").into()
            );
        }
        if start.elapsed() > slowest {
            slowest = start.elapsed();
            slow = input;
        }
        runs += 1;
    }
    fs::write("storm-slowest.bin", &slow)?;
    println!("{runs} runs without a failure, the slowest {} ms", slowest.as_millis());
    Ok(())
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
