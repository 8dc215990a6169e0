//! The names of the files in a folder, where they may be asked for.

use std::sync::Arc;

use chaffinch_context::{Answer, Extractor, Limits, Step};

use crate::{
    AMPLE, TOKENS, finding,
    hops::{Asked, Files, read},
    region,
};

/// The files asked for where the names in each folder are `names`, and no other file exists.
fn asked_with(path: &str, source: &str, names: &[&str]) -> Vec<String> {
    let line = source.lines().position(|line| line.contains("<-- here")).unwrap() + 1;
    let line = u32::try_from(line).unwrap();
    let limits = Limits { listing: true, ..AMPLE };
    let mut extraction =
        Extractor::new(Arc::clone(&TOKENS)).start(&finding(path, Some(region(line, line))), limits);
    let mut asked = Vec::new();
    loop {
        match extraction.next() {
            Step::Want(wanted) if wanted.as_str() == path => {
                extraction.give(&wanted, Answer::Found(source.as_bytes()));
            }
            Step::Want(wanted) => {
                asked.push(wanted.to_string());
                extraction.give(&wanted, Answer::Missing);
            }
            Step::List(folder) => extraction.give_names(&folder, names),
            Step::Done(_) => return asked,
        }
    }
}

#[test]
fn a_full_page_of_names_rules_no_guess_out() {
    let source = "def find(db, term):\n    return db.execute(term) # <-- here\n";
    let names: Vec<String> = (0..1_000).map(|n| format!("n{n}.txt")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let asked = asked_with("shop/store.py", source, &names);
    assert!(asked.contains(&"shop/app.py".to_owned()), "{asked:?}");
    names.pop();
    let asked = asked_with("shop/store.py", source, &names);
    assert!(!asked.contains(&"shop/app.py".to_owned()), "{asked:?}");
}

/// The first line of what [`read`] tells: what was asked for.
fn log(files: Files<'_>, need: &str) -> (String, String) {
    let asked = Asked { needs: &[need], listing: true, ..Asked::default() };
    let text = read(files, &asked);
    let (log, rest) = text.split_once('\n').unwrap();
    (log.to_owned(), rest.to_owned())
}

const QUERY: &str = "@app.get('/x')\ndef find():\n    name = request.args['q']\n    return run(getattr(kit, 'clean')(name)) # <-- here\n";
const ESCAPE: &str = "def clean(text):\n    return text.strip()\n";

#[test]
fn a_path_that_is_almost_right_is_found_among_the_names() {
    let files = [("app/query.py", QUERY), ("lib/escapes.py", ESCAPE), ("lib/other.py", "x = 1\n")];
    let (log, shown) = log(&files, "lib/escape.py");
    let wanted = "no lib/escape.py, no app/lib/escape.py, names in lib, lib/escapes.py";
    assert!(log.contains(wanted), "{log}");
    assert!(shown.contains("2 asked for lib/escape.py"), "{shown}");
    assert!(!shown.contains("x = 1"), "{shown}");
}

#[test]
fn a_path_that_is_right_needs_no_names() {
    let files = [("app/query.py", QUERY), ("lib/escape.py", ESCAPE)];
    let (log, _) = log(&files, "lib/escape.py");
    assert!(!log.contains("names in lib"), "{log}");
}

#[test]
fn a_symbol_is_looked_for_among_the_names_of_its_folder() {
    let files = [("app/query.py", QUERY), ("app/cleaning.py", ESCAPE), ("app/x.py", "x = 1\n")];
    let (log, shown) = log(&files, "clean");
    assert!(log.contains("names in app, app/cleaning.py"), "{log}");
    assert!(shown.contains("2 asked for clean"), "{shown}");
}
