//! The names of the files in a folder → which paths there are.

use chaffinch_core::RepoPath;

use super::{
    Extraction,
    asker::{alike, folder_of},
    questions::Question,
};
use crate::paths;

/// So many names are a forge's page: the folder may hold more.
const PAGE: usize = 1_000;

/// What the names of the files in a folder tell: which of the paths there are, and which others may
/// help.
pub(super) fn give(extraction: &mut Extraction, folder: &str, names: &[&str]) {
    let Some(own) = extraction.files.first().map(|f| f.path().clone()) else { return };
    let all: Vec<RepoPath> = names.iter().filter_map(|name| within(folder, name)).collect();
    if all.is_empty() {
        return;
    }
    let stem = paths::base(&own);
    let inside = |path: &RepoPath| folder_of(path) == folder;
    let helps = |path: &&RepoPath| path.extension() == own.extension() && **path != own;
    let about = |q: &&mut Question| q.folders.iter().any(|f| f == folder);
    for question in extraction.questions.all.iter_mut().filter(about) {
        let guesses = std::mem::take(&mut question.candidates);
        let (here, elsewhere): (Vec<_>, Vec<_>) = guesses.into_iter().partition(inside);
        let (mut order, open): (Vec<_>, Vec<_>) = here.into_iter().partition(|p| all.contains(p));
        let need = question.need.as_deref().map(paths::named);
        let is_alike = |path: &&RepoPath| match need {
            Some(need) => alike(paths::named(path.file_name()), need) > 0,
            None => path.file_name().to_ascii_lowercase().contains(&stem),
        };
        order.extend(all.iter().filter(helps).filter(is_alike).cloned());
        order.extend(open.into_iter().filter(|_| names.len() >= PAGE));
        order.extend(elsewhere);
        order.extend(all.iter().filter(helps).cloned());
        for path in order {
            if !question.candidates.contains(&path) {
                question.candidates.push_back(path);
            }
        }
    }
}

fn within(folder: &str, name: &str) -> Option<RepoPath> {
    match folder {
        "" => name.parse().ok(),
        folder => format!("{folder}/{name}").parse().ok(),
    }
}
