//! What redaction leaves, whatever it is given.

use chaffinch_core::{ExcerptLine, RepoPath};
use chaffinch_egress::{Door, RedactError, Redactor, Segment};
use proptest::{prelude::*, sample::select};

use crate::support::{ALNUM, BASE64, HEX, door, line, lines, policy, prompt, random};
use chaffinch_core::Reason;

/// A key block of made-up key material; `wide` lines of 64 characters.
fn key_block(title: &str, wide: usize) -> Vec<String> {
    let mut block = vec![format!("-----BEGIN {title}-----")];
    block.extend((0..wide as u64).map(|i| random(BASE64, 64, 900 + i)));
    block.push(format!("{}==", random(BASE64, 30, 999)));
    block.push(format!("-----END {title}-----"));
    block
}

fn rendered(door: &Door, question: &str, lines: Vec<ExcerptLine>) -> String {
    let inspected = door.inspect(prompt(question, lines)).unwrap();
    inspected.prompt().render().expose().to_owned()
}

fn redacted(text: &str) -> String {
    let redactor = Redactor::new().unwrap();
    let texts = redactor.redact(&[Segment { path: None, text }]).unwrap().texts;
    texts[0].expose().to_owned()
}

fn wide_door() -> Door {
    door(chaffinch_egress::Policy { excerpt_tokens: 50_000, prompt_tokens: 100_000, ..policy() })
}

#[test]
fn the_same_value_has_the_same_placeholder_in_question_and_excerpt() {
    let token = format!("{}{}", "ghp_", random(ALNUM, 36, 1));
    let other = format!("{}{}", "ghp_", random(ALNUM, 36, 2));
    let texts = [
        format!("a = '{token}'  # ask jane@corp.example"),
        format!("b = '{other}'"),
        format!("c = '{token}'"),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let question = format!("hard-coded {token}, by jane@corp.example or joe@corp.example");
    insta::assert_snapshot!(rendered(&door(policy()), &question, lines("a.py", 9, &texts)), @r"
    K7F3Q9| hard-coded ‹secret:github-pat#1›, by ‹email#1› or ‹email#2›
    K7F3Q9| file: a.py
    K7F3Q9|     9| a = '‹secret:github-pat#1›'  # ask ‹email#1›
    K7F3Q9|    10| b = '‹secret:github-pat#2›'
    K7F3Q9|    11| c = '‹secret:github-pat#1›'
    note: cut to the budget
    ");
}

#[test]
fn the_same_value_has_the_same_placeholder_in_every_file_of_a_prompt() {
    let token = |seed| format!("{}{}", "ghp_", random(ALNUM, 36, seed));
    let (one, two) = (token(1), token(2));
    let mut asked = lines("a.py", 1, &[&format!("a = '{one}'")]);
    asked.extend(lines("b/c.go", 7, &[&format!("b := `{two}`"), &format!("c := `{one}`")]));
    let shown = rendered(&door(policy()), "rule", asked);
    for line in [
        "1| a = '‹secret:github-pat#1›'",
        "7| b := `‹secret:github-pat#2›`",
        "8| c := `‹secret:github-pat#1›`",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_secret_is_replaced_also_where_no_rule_would_know_it() {
    let password = format!("{}7!x", random(ALNUM, 8, 5));
    let texts = [format!("password = \"{password}\""), format!("login(\"admin\", \"{password}\")")];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let shown =
        rendered(&door(policy()), &format!("literal {password} found"), lines("a.py", 1, &texts));
    assert!(!shown.contains(&password), "{shown}");
    assert_eq!(shown.matches("‹secret:password-literal#1›").count(), 3, "{shown}");
}

#[test]
fn a_short_or_common_value_does_not_blank_the_rest_of_the_code() {
    let texts = ["url = 'postgres://postgres:postgres@db/x'", "import postgres_driver"];
    let shown = rendered(&door(policy()), "rule", lines("a.py", 1, &texts));
    assert!(shown.contains("'postgres://postgres:‹secret:uri-password#1›@db/x'"), "{shown}");
    assert!(shown.contains("import postgres_driver"));
}

#[test]
fn a_key_block_over_several_lines_goes_and_its_lines_stay() {
    let block = key_block("RSA PRIVATE KEY", 3);
    let mut texts: Vec<&str> = vec!["KEY = '''"];
    texts.extend(block.iter().map(String::as_str));
    texts.push("'''");
    insta::assert_snapshot!(rendered(&wide_door(), "rule", lines("k.py", 1, &texts)), @r"
    K7F3Q9| rule
    K7F3Q9| file: k.py
    K7F3Q9|     1| KEY = '''
    K7F3Q9|     2| ‹secret:private-key#1›
    K7F3Q9|     3| ‹secret:private-key#1›
    K7F3Q9|     4| ‹secret:private-key#1›
    K7F3Q9|     5| ‹secret:private-key#1›
    K7F3Q9|     6| ‹secret:private-key#1›
    K7F3Q9|     7| ‹secret:private-key#1›
    K7F3Q9|     8| '''
    note: cut to the budget
    ");
}

#[test]
fn any_part_of_a_key_block_that_an_excerpt_picks_is_found() {
    let block = key_block("EC PRIVATE KEY", 6);
    let quoted: Vec<String> = block.iter().map(|l| format!("    \"{l}\\n\" +")).collect();
    for lines_of in [&block, &quoted] {
        for from in 0..block.len() {
            for to in from + 1..=block.len() {
                let picked: Vec<ExcerptLine> = (from..to)
                    .map(|i| line("k.js", 10 + i as u32, &lines_of[i], Reason::Window))
                    .collect();
                let shown = rendered(&wide_door(), "rule", picked);
                for body in &block[1..7] {
                    assert!(!shown.contains(&body[4..40]), "{from}..{to}\n{shown}");
                }
            }
        }
    }
}

#[test]
fn a_key_in_one_literal_is_found_also_when_it_is_cut() {
    let whole = format!("k = \"{}\" # x", key_block("PRIVATE KEY", 4).join("\\n"));
    assert_eq!(redacted(&whole), "k = \"‹secret:private-key#1›\" # x");
    let cut = &whole[..whole.len() - 60];
    assert!(redacted(cut).starts_with("k = \"‹secret:private-key#1›"), "{}", redacted(cut));
    assert!(!redacted(cut).contains(&whole[60..100]));
}

#[test]
fn what_is_public_or_only_names_a_key_stays() {
    for title in ["CERTIFICATE", "PUBLIC KEY", "PGP SIGNATURE"] {
        let block = key_block(title, 3).join("\n");
        assert_eq!(redacted(&block), block);
    }
    for code in [
        "if '-----BEGIN PRIVATE KEY-----' in text:\n    return parse(text)\n",
        "s = strip(s, \"-----BEGIN RSA PRIVATE KEY-----\", \"-----END RSA PRIVATE KEY-----\")",
        "b = '-----BEGIN PRIVATE KEY-----\\n' + base64_of(key_material, line_width)\n  + '\\n-----END PRIVATE KEY-----'",
    ] {
        assert_eq!(redacted(code), code);
    }
}

#[test]
fn a_placeholder_that_already_stands_in_the_text_is_not_reused() {
    let shown = redacted("x = '‹email#1›'; y = 'jane@corp.example'");
    assert_eq!(shown, "x = '‹email#1›'; y = '‹email#2›'");
}

#[test]
fn a_longer_token_leaves_no_tail() {
    let token = format!("{}{}", "ghp_", random(ALNUM, 200, 3));
    assert!(!redacted(&format!("t={token};")).contains(&token[150..]));
}

#[test]
fn more_secrets_than_a_prompt_can_be_about_are_refused() {
    let addresses = |n| (0..n).map(|i| format!("user-{i}@corp.example ")).collect::<String>();
    let redactor = Redactor::new().unwrap();
    let redact = |text: &str| redactor.redact(&[Segment { path: None, text }]).err();
    assert_eq!(redact(&addresses(1_000)), None);
    assert_eq!(redact(&addresses(1_001)), Some(RedactError::TooMany));
}

#[test]
fn a_rule_for_one_kind_of_file_looks_only_there() {
    let redactor = Redactor::new().unwrap();
    let text = "administrator_login_password = \"longenough\"";
    let changed = |path: Option<&RepoPath>| {
        let texts = redactor.redact(&[Segment { path, text }]).unwrap().texts;
        texts[0].expose() != text
    };
    let (tf, py) = ("a/main.tf".parse().unwrap(), "a/main.py".parse().unwrap());
    assert!(changed(Some(&tf)) && changed(None) && !changed(Some(&py)));
}

fn planted() -> impl Strategy<Value = String> {
    let kind = select(vec![
        ("ghp_", ALNUM, 36),
        ("AKIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        ("glpat-", ALNUM, 20),
        ("sk_live_", ALNUM, 24),
        ("AIza", ALNUM, 35),
        ("dop_v1_", HEX, 64),
        ("npm_", ALNUM, 36),
        ("hvs.", ALNUM, 90),
        ("shpat_", HEX, 32),
        ("gsk_", ALNUM, 52),
        ("whsec_", ALNUM, 32),
        ("lin_api_", ALNUM, 40),
    ]);
    let token = (kind, 1u64..u64::MAX).prop_map(|((prefix, alphabet, length), seed)| {
        format!("{prefix}{}", random(alphabet, length, seed))
    });
    let address = "[a-z]{1,12}\\.[a-z]{1,12}@[a-z]{2,12}\\.(com|org|example|co\\.uk)";
    prop_oneof![3 => token, 1 => address]
}

/// Ordinary text around a secret: it neither touches it with a word nor explains it.
fn around() -> impl Strategy<Value = (String, String)> {
    ("([a-zé ]{0,12}[ =:(\\[\"'])?", "([ ,;)\\]\"'][a-zü ]{0,12})?")
}

#[test]
fn a_placeholder_where_a_password_would_stand_is_left_as_it_is() {
    let redactor = Redactor::new().unwrap();
    let once = |text: &str| {
        let texts = redactor.redact(&[Segment { path: None, text }]).unwrap().texts;
        texts[0].expose().to_owned()
    };
    let first = once("db://user:hunter2hunter2@host/x");
    assert_eq!(first, "db://user:‹secret:uri-password#1›@host/x");
    assert_eq!(once(&first), first);
}

#[test]
fn a_secret_that_another_one_hid_is_found_too() {
    let text = "-----BEGIN -----BEGIN PRIVATE KEY-----passwordpasswordAKIApasswordPRIVATE KEY-----\"PRIVATE KEY-----password=passwordAKIAAKIApassword";
    let redactor = Redactor::new().unwrap();
    let once = redactor.redact(&[Segment { path: None, text }]).unwrap().texts;
    let again = redactor.redact(&[Segment { path: None, text: once[0].expose() }]).unwrap().texts;
    assert_eq!(again[0].expose(), once[0].expose());
    assert!(!once[0].expose().contains("passwordAKIAAKIApassword"), "{}", once[0].expose());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_planted_secret_is_left_and_lines_keep_their_numbers(
        planted in prop::collection::vec((planted(), around(), any::<bool>()), 1..8),
        gap in 1u32..4,
    ) {
        let mut picked = Vec::new();
        let mut question = String::from("rule: x");
        for (i, (secret, (before, after), asked)) in planted.iter().enumerate() {
            let text = format!("{before}{secret}{after}");
            if *asked {
                question.push_str(&format!("\n{text}"));
            }
            picked.push(line("a.py", 1 + i as u32 * gap, &text, Reason::Window));
        }
        let door = wide_door();
        let asked = prompt(&question, picked);
        let (numbers, count): (Vec<u32>, usize) = (
            asked.excerpt.lines().iter().map(|l| l.number).collect(),
            asked.render().expose().lines().count(),
        );
        let inspected = door.inspect(asked).unwrap();
        let sent = inspected.prompt();
        let shown = sent.render();
        for (secret, ..) in &planted {
            prop_assert!(!shown.expose().contains(secret), "{}", shown.expose());
        }
        let after: Vec<u32> = sent.excerpt.lines().iter().map(|l| l.number).collect();
        prop_assert_eq!(after, numbers);
        prop_assert_eq!(shown.expose().lines().count(), count);
        let replaced: u32 = inspected.redactions().values().sum();
        prop_assert_eq!(shown.expose().matches('‹').count(), replaced as usize);
        // The same value, the same placeholder: line by line against the question.
        for (line, (secret, ..)) in sent.excerpt.lines().iter().zip(&planted) {
            for (other, (same, ..)) in sent.excerpt.lines().iter().zip(&planted) {
                let name = |text: &str| {
                    let start = text.find('‹')?;
                    Some(text[start..].split('›').next()?.to_owned())
                };
                if secret == same {
                    prop_assert_eq!(name(line.text.expose()), name(other.text.expose()));
                }
            }
        }
    }

    #[test]
    fn any_text_is_redacted_or_refused_and_keeps_its_lines(
        text in "(\\PC|[\n\"'=@%:\\\\-]|password|secret|key|-----BEGIN |PRIVATE KEY-----|AKIA|eyJ|://){0,60}",
    ) {
        let redactor = Redactor::new().unwrap();
        let texts = redactor.redact(&[Segment { path: None, text: &text }]).unwrap().texts;
        prop_assert_eq!(texts[0].expose().split('\n').count(), text.split('\n').count());
        // What has no secret is not touched a second time.
        let again = redactor.redact(&[Segment { path: None, text: texts[0].expose() }]).unwrap().texts;
        prop_assert_eq!(again[0].expose(), texts[0].expose());
    }

    #[test]
    fn ordinary_code_is_left_alone(
        lines_of in prop::collection::vec((0usize..12, "[a-z][a-z_]{2,12}", "[a-z][a-zA-Z]{2,12}", 0u32..9999), 1..30),
    ) {
        let code: Vec<String> = lines_of
            .iter()
            .map(|(shape, a, b, n)| match shape {
                0 => format!("def {a}(self, {b}=None):"),
                1 => format!("    {a} = self.{b}.{a}({n})"),
                2 => format!("const {b} = await {a}.{b}({{ limit: {n} }});"),
                3 => format!("if ({a}.{b} === '{b}') {{ return {n}; }}"),
                4 => format!("import {{ {b} }} from './{a}/{b}';"),
                5 => format!("cursor.execute(\"SELECT {a} FROM {b} WHERE id = ?\", ({a}_id,))"),
                6 => format!("password = form.{b}.data"),
                7 => format!("{a}_token = tokens[{n}]"),
                8 => format!("api_key: config.{b}.{a},"),
                9 => format!("String {b}Secret = vault.read(\"{a}/{b}\");"),
                10 => format!("@{a}.route(\"/{a}/<int:{b}>\")"),
                _ => format!("# {a} {b} {n} {a}"),
            })
            .collect();
        let text = code.join("\n");
        let path: RepoPath = "src/a.py".parse().unwrap();
        let redactor = Redactor::new().unwrap();
        let texts = redactor.redact(&[Segment { path: Some(&path), text: &text }]).unwrap().texts;
        prop_assert_eq!(texts[0].expose(), &text);
    }
}
