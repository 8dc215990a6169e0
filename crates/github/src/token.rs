//! The token behind one handle: made when it is first used, renewed before it ends, destroyed at last.

use std::sync::Arc;

use chaffinch_core::{ForgeError, RepoId};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::{
    app::{App, Which},
    permissions::Permission,
};

/// A token this near its end is not used any more: a request may take a while.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// How long a token is used whose end our clock calls past. Then one of the two clocks is wrong, and
/// GitHub's 401 tells when it is over.
const UNKNOWN_END: TimeDelta = TimeDelta::minutes(30);
/// A job that needs more tokens than this is being refused, not renewed.
const MOST_TOKENS: usize = 8;

/// A token for one repository.
pub(crate) struct Token {
    app: Arc<App>,
    repo: RepoId,
    permissions: Vec<Permission>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    minted: Vec<Held>,
    closed: bool,
}

struct Held {
    secret: SecretString,
    renew_at: DateTime<Utc>,
}

/// A token, and its turn: the how-manieth of its handle it is.
pub(crate) struct Lent {
    pub(crate) secret: SecretString,
    pub(crate) turn: usize,
}

impl Token {
    pub(crate) fn new(app: Arc<App>, repo: RepoId, permissions: Vec<Permission>) -> Self {
        Self { app, repo, permissions, state: Mutex::default() }
    }

    /// The token in force. `refused` is the turn that GitHub answered 401; the next one is made then,
    /// unless another caller has made it. The lock is held while it is made: one at a time.
    pub(crate) async fn lend(&self, refused: Option<usize>) -> Result<Lent, ForgeError> {
        let mut state = self.state.lock().await;
        if state.closed {
            return Err(ForgeError::Other("github: the handle is closed".to_owned()));
        }
        let turn = state.minted.len();
        let now = self.app.api.clock().now();
        if let Some(held) = state.minted.last()
            && now < held.renew_at
            && refused != Some(turn)
        {
            return Ok(Lent { secret: held.secret.clone(), turn });
        }
        if turn == MOST_TOKENS {
            return Err(ForgeError::Denied {
                needs: "a token that GitHub goes on accepting".to_owned(),
            });
        }
        let which = Which::Id(self.repo.id);
        let minted = self.app.mint(self.repo.installation, which, &self.permissions).await?;
        let known_end = minted.expires_at - MARGIN;
        let renew_at = if known_end > now { known_end } else { now + UNKNOWN_END };
        state.minted.push(Held { secret: minted.token.clone(), renew_at });
        Ok(Lent { secret: minted.token, turn: turn + 1 })
    }

    /// Destroys what was made; none can be made any more. All are tried, the first error is told.
    pub(crate) async fn revoke(&self) -> Result<(), ForgeError> {
        let mut state = self.state.lock().await;
        state.closed = true;
        let mut outcome = Ok(());
        for held in std::mem::take(&mut state.minted) {
            let revoked = self.app.revoke(&held.secret).await;
            outcome = outcome.and(revoked);
        }
        outcome
    }
}
