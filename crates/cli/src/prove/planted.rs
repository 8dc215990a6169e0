//! What is planted, and where.

use chaffinch_core::{Entropy, Rung};

/// What the id of a key is made of.
const KEY: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a ceiling of whole files lets out.
const IN_THE_FILE: [&str; 2] = ["neighbouring lines", "beside what the model asks for"];

/// A marked word in one place.
#[derive(Debug, Clone)]
pub(super) struct Planted {
    pub(super) place: &'static str,
    pub(super) word: String,
    /// Why it may arrive all the same: the policy lets it.
    pub(super) allowed: Option<&'static str>,
}

/// Every word that is planted, and the one that must arrive.
pub(super) struct Words {
    pub(super) planted: Vec<Planted>,
    pub(super) control: String,
}

impl Words {
    pub(super) fn new(entropy: &dyn Entropy, ceiling: Rung) -> Self {
        let word = || format!("canary{}", entropy.hex(6));
        let mut planted: Vec<Planted> = [
            "title",
            "description",
            "author",
            "branch",
            "comment",
            "commenter",
            "neighbouring lines",
            "another changed file",
            "another file",
            "beside what the model asks for",
            "the report's other fields",
        ]
        .into_iter()
        .map(|place| Planted { place, word: word(), allowed: None })
        .collect();
        // The forms that redaction knows: of the letters of a real key, and as random.
        let random = entropy.hex(16);
        let letters =
            (0..16).filter_map(|i| u8::from_str_radix(random.get(2 * i..2 * i + 2)?, 16).ok());
        let letters: String = letters.map(|byte| char::from(KEY[usize::from(byte % 32)])).collect();
        planted.push(Planted {
            place: "a secret in the line",
            word: format!("{}{letters}", "AKIA"),
            allowed: None,
        });
        planted.push(Planted {
            place: "an e-mail address in the line",
            word: word(),
            allowed: None,
        });
        if ceiling == Rung::File {
            for one in planted.iter_mut().filter(|one| IN_THE_FILE.contains(&one.place)) {
                one.allowed = Some("policy.ceiling = \"file\"");
            }
        }
        Self { planted, control: format!("control{}", entropy.hex(6)) }
    }

    pub(super) fn of(&self, place: &str) -> &str {
        self.planted.iter().find(|one| one.place == place).map_or("", |one| &one.word)
    }
}
