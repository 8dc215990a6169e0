//! Methods that both forges' handles have, word for word.

/// Of a forge: what was asked of it.
macro_rules! looking_on {
    () => {
        /// Every request so far, in order.
        pub fn calls(&self) -> Vec<$crate::Call> {
            self.inner.world().calls.clone()
        }

        /// The requests with this method and route pattern, or path.
        pub fn requests_matching(&self, method: &str, route: &str) -> Vec<$crate::Call> {
            self.inner.world().matching(method, route)
        }

        /// What must not have happened: requests that no route takes, requests that would show more
        /// than one file, whatever the published schemas refuse, a token sent elsewhere. A test is
        /// not passed if there is one.
        pub fn problems(&self) -> Vec<String> {
            self.inner.world().problems.clone()
        }

        /// The problems so far, which are then forgotten.
        pub fn take_problems(&self) -> Vec<String> {
            std::mem::take(&mut self.inner.world().problems)
        }

        /// From now on the names of the files of a folder may be read; before, to read them is a
        /// problem.
        pub fn allow_listing(&self) {
            self.inner.world().listing = true;
        }
    };
}

/// Of a change: what state it is in.
macro_rules! states {
    () => {
        /// Its title.
        pub fn title(&self, title: &str) -> Self {
            self.set(|c| title.clone_into(&mut c.title))
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
    };
}

/// Of a change that can `commit`: what is pushed.
macro_rules! pushes {
    () => {
        /// Pushes a commit that writes these files; its sha.
        pub fn push(&self, files: &[(&str, &str)]) -> String {
            self.commit(|tree| $crate::tree::write(tree, files))
        }

        /// Pushes a commit that writes bytes, text or not; its sha.
        pub fn push_bytes(&self, path: &str, bytes: impl Into<bytes::Bytes>) -> String {
            let blob = $crate::tree::Blob::File(bytes.into());
            self.commit(|tree| drop(tree.insert(path.to_owned(), blob)))
        }

        /// Pushes a commit that removes these files; its sha.
        pub fn remove(&self, paths: &[&str]) -> String {
            self.commit(|tree| $crate::tree::remove(tree, paths))
        }

        /// Pushes a commit that moves a file; its sha.
        pub fn rename(&self, from: &str, to: &str) -> String {
            self.commit(|tree| $crate::tree::rename(tree, from, to))
        }

        /// Pushes a commit that has these files and no others; its sha.
        pub fn set_head_files(&self, files: &[(&str, &str)]) -> String {
            self.commit(|tree| {
                tree.clear();
                $crate::tree::write(tree, files);
            })
        }
    };
}

/// Of a forge's state: that it has a ledger.
macro_rules! ledger_of {
    ($world:ty) => {
        impl std::ops::Deref for $world {
            type Target = $crate::ledger::Ledger;

            fn deref(&self) -> &Self::Target {
                &self.ledger
            }
        }

        impl std::ops::DerefMut for $world {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.ledger
            }
        }
    };
}

pub(crate) use {ledger_of, looking_on, pushes, states};
