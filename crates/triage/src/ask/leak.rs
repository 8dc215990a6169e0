//! Two mistakes on purpose: more lines than were chosen.

use chaffinch_core::{
    Excerpt, ExcerptLine, Finding, Reason, RepoPath,
    leaks::{Leak, is_on},
};

use super::Asker;

/// So many lines from the top of a file.
const LINES: usize = 2;

/// The excerpt, and what stands at the top of the finding's file, or of another one of the change.
pub(super) async fn wider(asker: &Asker<'_>, finding: &Finding, excerpt: &Excerpt) -> Excerpt {
    let own = finding.location.as_ref().map(|at| &at.path);
    let path = match own {
        Some(own) if is_on(Leak::Neighbours) => Some(own),
        Some(own) if is_on(Leak::OtherFile) => asker.changed.iter().find(|path| *path != own),
        _ => None,
    };
    let Some(path) = path else { return excerpt.clone() };
    let top = top(asker, path).await;
    let known = |line: &ExcerptLine| excerpt.line(path, line.number).is_none();
    let mut lines: Vec<ExcerptLine> = top.into_iter().filter(known).collect();
    lines.extend(excerpt.lines().iter().cloned());
    lines.sort_by(|a, b| (&a.path, a.number).cmp(&(&b.path, b.number)));
    let wider = Excerpt::new(lines, excerpt.rung(), excerpt.notes().to_vec());
    wider.unwrap_or_else(|_| excerpt.clone())
}

async fn top(asker: &Asker<'_>, path: &RepoPath) -> Vec<ExcerptLine> {
    let Ok(file) = asker.files.get(path).await else { return Vec::new() };
    let text = String::from_utf8_lossy(file.expose()).into_owned();
    let lines = (1..).zip(text.lines()).take(LINES).map(|(number, text)| ExcerptLine {
        path: path.clone(),
        number,
        text: text.into(),
        reason: Reason::Function,
    });
    lines.collect()
}
