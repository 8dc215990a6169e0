//! Handles on a repository and on a change, for whoever sets the scene.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Inner,
    changes::{ChangeState, CommentState, Fork},
    delivery::{Delivered, Parcel, Signature, send},
    payloads::payload,
    scanning::keep,
    views::{self, CheckView, ThreadView},
    world::{Blob, RepoState, Tree},
};

/// A repository. Its methods set the scene; they can be chained.
#[derive(Clone)]
pub struct Repo {
    inner: Arc<Inner>,
    at: usize,
}

impl Repo {
    pub(crate) fn new(inner: &Arc<Inner>, at: usize) -> Self {
        Self { inner: Arc::clone(inner), at }
    }

    fn with(&self, edit: impl FnOnce(&mut RepoState)) -> Self {
        edit(&mut self.inner.world().repos[self.at]);
        self.clone()
    }

    /// The forge's number for it.
    pub fn id(&self) -> u64 {
        self.inner.world().repos[self.at].id
    }

    /// A file that the next change adds, or alters where [`Repo::base_file`] has put another text.
    pub fn file(&self, path: &str, text: impl Into<Bytes>) -> Self {
        let blob = Blob::File(text.into());
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), blob);
        })
    }

    /// A file of the default branch. Changes that do not touch it have it too.
    pub fn base_file(&self, path: &str, text: impl Into<Bytes>) -> Self {
        let blob = Blob::File(text.into());
        self.with(|repo| {
            repo.base.insert(path.to_owned(), blob);
        })
    }

    /// A file of the next change that is this large, all `x`.
    pub fn huge_file(&self, path: &str, bytes: u64) -> Self {
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), Blob::Huge(bytes));
        })
    }

    /// A symbolic link of the next change.
    pub fn symlink(&self, path: &str, target: &str) -> Self {
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), Blob::Symlink(target.to_owned()));
        })
    }

    /// A submodule of the next change.
    pub fn submodule(&self, path: &str, url: &str) -> Self {
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), Blob::Submodule(url.to_owned()));
        })
    }

    /// A person and their role: `admin`, `maintain`, `write`, `triage`, `read` or `none`.
    pub fn person(&self, login: &str, role: &str) -> Self {
        self.with(|repo| {
            repo.roles.insert(login.to_owned(), role.to_owned());
        })
    }

    /// Takes the repository out of the installation.
    pub fn not_installed(&self) -> Self {
        self.with(|repo| repo.installed = false)
    }

    /// Switches code scanning off: its routes answer 403.
    pub fn without_code_scanning(&self) -> Self {
        self.with(|repo| repo.code_scanning = false)
    }

    /// The change with this number. If there is none, it is opened with the files that
    /// [`Repo::file`] and its like have named since the last one.
    pub fn change(&self, number: u64) -> Change {
        let mut world = self.inner.world();
        if !world.repos[self.at].changes.contains_key(&number) {
            let (id, now) = (world.id(), world.now());
            let repo = &mut world.repos[self.at];
            let base_tree = repo.base.clone();
            let mut head_tree = base_tree.clone();
            head_tree.append(&mut repo.proposed);
            let base = repo.commit(base_tree, &[]);
            let head = repo.commit(head_tree.clone(), &[&base]);
            let merge = repo.commit(head_tree, &[&base, &head]);
            let change = ChangeState {
                id,
                number,
                title: format!("Change {number}"),
                author: "contributor".to_owned(),
                branch: format!("change-{number}"),
                base,
                heads: vec![head.clone()],
                head,
                merge,
                open: true,
                merged: false,
                draft: false,
                fork: None,
                threads: Vec::new(),
                comments: Vec::new(),
                reviews: 0,
                created: now.clone(),
                updated: now,
            };
            repo.changes.insert(number, change);
        }
        Change { inner: Arc::clone(&self.inner), at: self.at, number }
    }
}

/// A pull request.
#[derive(Clone)]
pub struct Change {
    inner: Arc<Inner>,
    at: usize,
    number: u64,
}

impl Change {
    fn with<T>(&self, edit: impl FnOnce(&mut ChangeState) -> T) -> Option<T> {
        let mut world = self.inner.world();
        let now = world.now();
        let change = world.repos[self.at].changes.get_mut(&self.number)?;
        change.updated = now;
        Some(edit(change))
    }

    fn set(&self, edit: impl FnOnce(&mut ChangeState)) -> Self {
        self.with(edit);
        self.clone()
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The proposed commit.
    pub fn head(&self) -> String {
        self.with(|c| c.head.clone()).unwrap_or_default()
    }

    /// The target commit.
    pub fn base(&self) -> String {
        self.with(|c| c.base.clone()).unwrap_or_default()
    }

    /// The commit that GitHub would make by merging it now.
    pub fn merge_commit(&self) -> String {
        self.with(|c| c.merge.clone()).unwrap_or_default()
    }

    /// Its page.
    pub fn page(&self) -> String {
        let world = self.inner.world();
        let repo = world.links.repo_web(&world.repos[self.at].full_name());
        format!("{repo}/pull/{}", self.number)
    }

    /// Its title.
    pub fn title(&self, title: &str) -> Self {
        self.set(|c| title.clone_into(&mut c.title))
    }

    /// Its author's login.
    pub fn author(&self, login: &str) -> Self {
        self.set(|c| login.clone_into(&mut c.author))
    }

    /// Its branch.
    pub fn branch(&self, branch: &str) -> Self {
        self.set(|c| branch.clone_into(&mut c.branch))
    }

    /// Makes it a draft.
    pub fn draft(&self) -> Self {
        self.set(|c| c.draft = true)
    }

    /// Marks it as ready.
    pub fn ready(&self) -> Self {
        self.set(|c| c.draft = false)
    }

    /// Closes it.
    pub fn close(&self) -> Self {
        self.set(|c| c.open = false)
    }

    /// Merges it.
    pub fn merged(&self) -> Self {
        self.set(|c| (c.open, c.merged) = (false, true))
    }

    /// Opens it again.
    pub fn reopen(&self) -> Self {
        self.set(|c| c.open = true)
    }

    /// Lets it come from a fork.
    pub fn from_fork(&self) -> Self {
        let id = self.inner.world().id();
        self.set(|c| c.fork = Some(Fork { owner: c.author.clone(), id, deleted: false }))
    }

    /// Lets it come from a fork that is gone.
    pub fn fork_deleted(&self) -> Self {
        let id = self.inner.world().id();
        self.set(|c| c.fork = Some(Fork { owner: c.author.clone(), id, deleted: true }))
    }

    /// Proposes the same commit as another change: one branch, two pull requests.
    pub fn same_head_as(&self, other: &Self) -> Self {
        let (head, merge) = (other.head(), other.merge_commit());
        self.set(|c| {
            c.heads.push(head.clone());
            (c.head, c.merge) = (head, merge);
        })
    }

    /// Pushes a commit that writes these files; its sha.
    pub fn push(&self, files: &[(&str, &str)]) -> String {
        self.commit(|tree| {
            for (path, text) in files {
                let blob = Blob::File(Bytes::copy_from_slice(text.as_bytes()));
                tree.insert((*path).to_owned(), blob);
            }
        })
    }

    /// Pushes a commit that writes bytes, text or not; its sha.
    pub fn push_bytes(&self, path: &str, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        self.commit(|tree| {
            tree.insert(path.to_owned(), Blob::File(bytes));
        })
    }

    /// Pushes a commit that removes these files; its sha.
    pub fn remove(&self, paths: &[&str]) -> String {
        self.commit(|tree| tree.retain(|path, _| !paths.contains(&path.as_str())))
    }

    /// Pushes a commit that moves a file; its sha.
    pub fn rename(&self, from: &str, to: &str) -> String {
        self.commit(|tree| {
            if let Some(blob) = tree.remove(from) {
                tree.insert(to.to_owned(), blob);
            }
        })
    }

    /// Pushes a commit that has these files and no others; its sha.
    pub fn set_head_files(&self, files: &[(&str, &str)]) -> String {
        self.commit(|tree| {
            let blob = |text: &str| Blob::File(Bytes::copy_from_slice(text.as_bytes()));
            *tree = files.iter().map(|(path, text)| ((*path).to_owned(), blob(text))).collect();
        })
    }

    fn commit(&self, edit: impl FnOnce(&mut Tree)) -> String {
        let head = self.head();
        let sha = {
            let mut world = self.inner.world();
            let repo = &mut world.repos[self.at];
            let mut tree = repo.commits.get(&head).cloned().unwrap_or_default();
            edit(&mut tree);
            let base = repo.changes.get(&self.number).map(|c| c.base.clone()).unwrap_or_default();
            let sha = repo.commit(tree.clone(), &[&head]);
            let merge = repo.commit(tree, &[&base, &sha]);
            if let Some(change) = repo.changes.get_mut(&self.number) {
                change.head.clone_from(&sha);
                change.heads.push(sha.clone());
                change.merge = merge;
            }
            sha
        };
        self.set(|_| ());
        sha
    }

    /// Lets the head's files be gone: reads at it answer 404.
    pub fn lose_head(&self) -> Self {
        let (head, merge) = (self.head(), self.merge_commit());
        let mut world = self.inner.world();
        world.repos[self.at].commits.remove(&head);
        world.repos[self.at].commits.remove(&merge);
        drop(world);
        self.clone()
    }

    /// The default branch moves, so GitHub makes another trial merge of the same head; its sha.
    pub fn base_moves(&self) -> String {
        let mut world = self.inner.world();
        let repo = &mut world.repos[self.at];
        let Some(change) = repo.changes.get(&self.number) else { return String::new() };
        let (head, base) = (change.head.clone(), change.base.clone());
        let tree = |repo: &RepoState, sha: &str| repo.commits.get(sha).cloned().unwrap_or_default();
        let tip = repo.commit(tree(repo, &base), &[&base]);
        let merge = repo.commit(tree(repo, &head), &[&tip, &head]);
        if let Some(change) = repo.changes.get_mut(&self.number) {
            change.merge.clone_from(&merge);
        }
        merge
    }

    /// A code-scanning upload for the head, on `refs/pull/N/head`. SARIF.
    pub fn report(&self, sarif: impl AsRef<[u8]>) -> Self {
        self.analysis(sarif, &format!("refs/pull/{}/head", self.number), &self.head())
    }

    /// A code-scanning upload for the merge commit, on `refs/pull/N/merge`. SARIF.
    pub fn report_on_merge(&self, sarif: impl AsRef<[u8]>) -> Self {
        self.analysis(sarif, &format!("refs/pull/{}/merge", self.number), &self.merge_commit())
    }

    /// A code-scanning upload for any commit, on any ref. SARIF.
    pub fn analysis(&self, sarif: impl AsRef<[u8]>, reference: &str, commit: &str) -> Self {
        keep(&mut self.inner.world(), self.at, reference, commit, sarif.as_ref());
        self.clone()
    }

    /// Delivers an event about it ("pull_request.opened").
    pub async fn deliver(&self, event: &str) -> Delivered {
        deliver(&self.inner, self.at, self.number, event).await
    }

    /// Its threads.
    pub fn threads(&self) -> Vec<ThreadView> {
        views::threads(&mut self.inner.world(), self.at, self.number)
    }

    /// Its thread at `path:line`, or at `path` for the file as a whole, as text. More than one are
    /// shown one after the other; if there is none, the text says which there are.
    pub fn thread(&self, place: &str) -> String {
        views::thread(&mut self.inner.world(), self.at, self.number, place)
    }

    /// The App's comments on it as a whole, as text.
    pub fn summary(&self) -> String {
        views::summary(&mut self.inner.world(), self.at, self.number)
    }

    /// The checks of its head, as text.
    pub fn check(&self) -> String {
        views::checks_text(&self.checks())
    }

    /// The checks of its head.
    pub fn checks(&self) -> Vec<CheckView> {
        let head = self.head();
        let world = self.inner.world();
        world.repos[self.at].checks.iter().filter(|c| c.head == head).map(CheckView::of).collect()
    }

    /// A person answers in the thread at `path:line`. The comment's id, if there is such a thread.
    pub fn reply(&self, place: &str, login: &str, text: &str) -> Option<u64> {
        let mut world = self.inner.world();
        let (id, now) = (world.id(), world.now());
        let at = views::find(&world, self.at, self.number, place).into_iter().next()?;
        let change = world.repos[self.at].changes.get_mut(&self.number)?;
        let thread = change.threads.get_mut(at)?;
        let mut comment = CommentState::new(id, "PRRC", login, text, &now);
        comment.reply_to = thread.comments.first().map(|c| c.id);
        comment.read = true;
        thread.comments.push(comment);
        Some(id)
    }

    /// A person writes on it as a whole. The comment's id.
    pub fn comment(&self, login: &str, text: &str) -> u64 {
        let mut world = self.inner.world();
        let (id, now) = (world.id(), world.now());
        let mut comment = CommentState::new(id, "IC", login, text, &now);
        comment.read = true;
        if let Some(change) = world.repos[self.at].changes.get_mut(&self.number) {
            change.comments.push(comment);
        }
        id
    }

    /// A person resolves the thread at `path:line`, or opens it again. Whether there is one.
    pub fn resolve(&self, place: &str, login: &str, resolved: bool) -> bool {
        let mut world = self.inner.world();
        let Some(at) = views::find(&world, self.at, self.number, place).into_iter().next() else {
            return false;
        };
        if let Some(change) = world.repos[self.at].changes.get_mut(&self.number) {
            change.threads[at].resolved_by = resolved.then(|| login.to_owned());
        }
        true
    }
}

pub(crate) async fn deliver(inner: &Arc<Inner>, at: usize, number: u64, event: &str) -> Delivered {
    let body = {
        let mut world = inner.world();
        let body = world.repos.get(at).and_then(|repo| payload(&world, repo, number, event));
        if body.is_none() {
            world.problem(format!("sandbox: there is no {event} about change {number}"));
        }
        body
    };
    let event = event.split('.').next().unwrap_or_default();
    #[cfg(feature = "conformance")]
    if let (Some(schemas), Some(body)) = (&inner.schemas, &body) {
        let found = {
            let mut schemas = schemas.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            schemas.hook(event, body)
        };
        let mut world = inner.world();
        for finding in found {
            world.problem(format!("schema: delivery of {event}: {finding}"));
        }
    }
    let parcel = Parcel {
        event: event.to_owned(),
        payload: body.unwrap_or_default().to_string().into(),
        signature: Signature::Right,
        guid: None,
        redelivery: false,
    };
    send(inner, parcel).await
}

/// Sends the first delivery that `which` picks once more.
pub(crate) async fn redeliver(
    inner: &Arc<Inner>,
    which: impl Fn(&Delivered) -> bool,
) -> Option<Delivered> {
    let first = inner.world().deliveries.iter().find(|d| which(d)).cloned()?;
    let parcel = Parcel {
        event: first.event,
        payload: first.payload,
        signature: Signature::Right,
        guid: Some(first.delivery),
        redelivery: true,
    };
    Some(send(inner, parcel).await)
}
