//! What a file says of its own package, held against its own path: where other packages are.

use chaffinch_core::RepoPath;

use crate::lines::SourceFile;

/// Lines in which a file says its package.
const TOP: u32 = 200;

/// First words that many share.
const DOMAINS: [&str; 24] = [
    "ai", "app", "at", "be", "br", "ch", "cn", "co", "com", "de", "dev", "edu", "eu", "fr", "gov",
    "io", "it", "jp", "me", "net", "nl", "org", "se", "uk",
];

/// The package that a file says it is in, and how its parts are written as folders.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Package {
    names: Vec<String>,
    /// The folders that hold the first package whose name is a folder.
    root: Vec<String>,
    /// The folders that the last names are, as many as fit.
    folders: Vec<String>,
}

/// Where another package is.
#[cfg_attr(test, derive(Debug))]
#[derive(PartialEq, Eq)]
pub(crate) enum Located {
    /// At this path, without an ending.
    At(String),
    /// Not in this repository.
    Elsewhere,
    /// That is not told.
    Unknown,
}

impl Package {
    /// What the head of `file` says.
    pub(crate) fn of(file: &SourceFile) -> Option<Self> {
        let said = (1..=file.len().min(TOP)).find_map(|line| declared(file.line(line)))?;
        let names: Vec<String> = said.split(['.', '\\']).map(str::to_owned).collect();
        Some(Self::at(names, &file.path))
    }

    fn at(names: Vec<String>, path: &RepoPath) -> Self {
        let mut root: Vec<String> = path.as_str().split('/').map(str::to_owned).collect();
        root.pop();
        let same = |(name, folder): &(&String, &String)| name.eq_ignore_ascii_case(folder);
        let fits = names.iter().rev().zip(root.iter().rev()).take_while(same).count();
        let folders = root.split_off(root.len() - fits);
        Self { names, root, folders }
    }

    /// Where the type `parts` is, its packages first.
    pub(crate) fn locate(&self, parts: &[&str]) -> Located {
        let shared = self.names.iter().zip(parts).take_while(|(a, b)| a == *b).count();
        // The first word is often no more than `com`.
        let least = if self.first_is_a_domain() { 2 } else { 1 };
        if shared < least.min(self.names.len()) {
            return Located::Elsewhere;
        }
        let unwritten = self.names.len() - self.folders.len();
        if self.folders.is_empty() || shared < unwritten || parts.len() <= unwritten {
            return Located::Unknown;
        }
        let plain = self.names[unwritten..].iter().zip(&self.folders).all(|(a, b)| a == b);
        let is_lower = |folder: &String| !folder.contains(char::is_uppercase);
        let lower = !plain && self.folders.iter().all(is_lower);
        let own = shared - unwritten;
        let rest = parts[shared..].iter().enumerate().map(|(at, part)| {
            let is_folder = shared + at + 1 < parts.len();
            if lower && is_folder { part.to_ascii_lowercase() } else { (*part).to_owned() }
        });
        let folders = self.root.iter().chain(&self.folders[..own]).cloned();
        Located::At(folders.chain(rest).collect::<Vec<_>>().join("/"))
    }

    fn first_is_a_domain(&self) -> bool {
        let first = self.names.first().map(String::as_str);
        self.names.len() > 1 && first.is_some_and(|first| DOMAINS.contains(&first))
    }
}

/// The package that a line declares.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}').trim_start();
    let line = line.strip_prefix("<?php").unwrap_or(line).trim_start();
    let rest = line.strip_prefix("package ").or_else(|| line.strip_prefix("namespace "))?;
    let end = rest.find([';', '{', ' ', '\t', '/']).unwrap_or(rest.len());
    let name = rest.get(..end)?.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '\\' | '_');
    (!name.is_empty() && name.len() < 200 && name.chars().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(package: &str, path: &str, wanted: &str) -> Located {
        let names = package.split('.').map(str::to_owned).collect();
        let parts: Vec<&str> = wanted.split('.').collect();
        Package::at(names, &path.parse().unwrap()).locate(&parts)
    }

    fn at(path: &str) -> Located {
        Located::At(path.to_owned())
    }

    #[test]
    fn a_package_that_is_a_folder_tells_where_the_others_are() {
        let java = "core/src/main/java/com/acme/web/Shop.java";
        assert_eq!(
            located("com.acme.web", java, "com.acme.db.Store"),
            at("core/src/main/java/com/acme/db/Store")
        );
        let short = "src/main/kotlin/web/Shop.kt";
        assert_eq!(
            located("com.acme.web", short, "com.acme.db.Store"),
            at("src/main/kotlin/db/Store")
        );
        let named = "Shop/Pages/Cart.cs";
        assert_eq!(
            located("Acme.Shop.Net.Pages", named, "Acme.Shop.Net.Data.Store"),
            at("Shop/Data/Store")
        );
    }

    #[test]
    fn folders_keep_the_case_in_which_they_are_written() {
        let laravel = "app/Space/Site.php";
        assert_eq!(located("App.Space", laravel, "App.Models.User"), at("app/Models/User"));
        let lower = "application/security/Login.php";
        assert_eq!(
            located("Shop.Security", lower, "Shop.Config.Manager"),
            at("application/config/Manager")
        );
    }

    #[test]
    fn what_shares_no_beginning_is_not_in_the_repository() {
        let java = "src/main/java/com/acme/web/Shop.java";
        for foreign in ["org.apache.Foo", "com.google.Foo"] {
            assert_eq!(located("com.acme.web", java, foreign), Located::Elsewhere);
        }
        assert_eq!(located("App", "app/Site.php", "GuzzleHttp.Client"), Located::Elsewhere);
    }

    #[test]
    fn a_package_that_is_no_folder_tells_little() {
        assert_eq!(located("acme.web", "Shop.java", "acme.db.Store"), Located::Unknown);
        assert_eq!(located("acme.web", "web/Shop.java", "acme.Store"), at("Store"));
    }

    #[test]
    fn a_package_is_read_from_its_line() {
        assert_eq!(declared("package a.b; // x"), Some("a.b"));
        assert_eq!(declared("namespace A\\B;"), Some("A\\B"));
        assert_eq!(declared("\u{feff}namespace A.B {"), Some("A.B"));
        assert_eq!(declared("<?php namespace A;"), Some("A"));
        assert_eq!(declared("package main"), Some("main"));
        for none in ["// package a", "packages a", "namespace {", "namespace a-b;"] {
            assert_eq!(declared(none), None, "{none}");
        }
    }
}
