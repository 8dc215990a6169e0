//! What one failure means for the questions that were not asked yet: each would be one more
//! disclosure for nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chaffinch_core::Cause;
use chaffinch_egress::ModelError;
use chrono::{DateTime, TimeDelta, Utc};

use crate::JobError;

/// After so many failures in a row by which no question was answered, no more is asked: of those that
/// may pass, in a last attempt; of those that cannot (no such model, a redirect), in any.
const MISSES: u32 = 3;

/// Shared by the questions of one run.
pub(crate) struct Brake(Mutex<State>);

#[derive(Default)]
struct State {
    left: usize,
    retry: Option<JobError>,
    stopped: Option<Cause>,
    misses: u32,
}

impl Brake {
    /// Allows `most` questions.
    pub(crate) fn new(most: usize) -> Self {
        Self(Mutex::new(State { left: most, ..State::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before each disclosure, which it counts: a cause means that it must not be made.
    ///
    /// # Errors
    /// The job is to come again.
    pub(crate) fn check(&self, late: bool, last: bool) -> Result<Option<Cause>, JobError> {
        let mut state = self.state();
        if let Some(retry) = &state.retry {
            return Err(retry.clone());
        }
        let why = "the time of this run was used up";
        match &state.stopped {
            Some(cause) => Ok(Some(cause.clone())),
            None if late && last => Ok(Some(Cause::Unavailable(why.into()))),
            None if late => {
                let retry = JobError::Retry { at: None, why: why.into() };
                Err(state.retry.insert(retry).clone())
            }
            None if state.left == 0 => Ok(Some(Cause::OverLimit)),
            None => {
                state.left -= 1;
                Ok(None)
            }
        }
    }

    /// The endpoint has answered.
    pub(crate) fn answered(&self) {
        self.state().misses = 0;
    }

    /// Remembers that the job is to come again; the latest time wins.
    pub(crate) fn retry(&self, error: JobError) -> JobError {
        let mut state = self.state();
        let at = |error: &JobError| match error {
            JobError::Retry { at, .. } => *at,
            JobError::Fail { .. } => None,
        };
        let known = state.retry.take().filter(|known| at(known) >= at(&error));
        state.retry.insert(known.unwrap_or(error)).clone()
    }

    /// Why the job is to come again, if it is.
    pub(crate) fn into_retry(self) -> Option<JobError> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).retry
    }

    /// What a failure of the model means.
    ///
    /// # Errors
    /// The job is to come again.
    pub(crate) fn failure(
        &self,
        error: ModelError,
        now: DateTime<Utc>,
        last: bool,
    ) -> Result<Cause, JobError> {
        let at = match &error {
            ModelError::RateLimited { after } => {
                after.and_then(|after| now.checked_add_signed(TimeDelta::from_std(after).ok()?))
            }
            _ => None,
        };
        match error {
            ModelError::RateLimited { .. }
            | ModelError::Unavailable(_)
            | ModelError::Unreachable(_)
                if !last =>
            {
                Err(self.retry(JobError::Retry { at, why: format!("the model endpoint: {error}") }))
            }
            ModelError::RateLimited { .. } => Ok(self.missed("it limits our rate")),
            ModelError::Unavailable(why) | ModelError::Unreachable(why) => Ok(self.missed(&why)),
            ModelError::Quota => Ok(self.stop(Cause::Quota)),
            ModelError::Denied => {
                Ok(self.stop(Cause::Unavailable("it refuses our credential".into())))
            }
            ModelError::Refused => Ok(self.replied(Cause::ModelRefused)),
            ModelError::Cut => Ok(self.replied(Cause::Cut)),
            ModelError::Filtered => Ok(self.replied(Cause::Filtered)),
            ModelError::Malformed(_) => Ok(Cause::Malformed),
            ModelError::TooLarge => {
                Ok(Cause::Unavailable("the prompt does not fit the model's context".into()))
            }
            other => Ok(self.missed(&other.to_string())),
        }
    }

    /// It did not judge, but this is the model's own word.
    fn replied(&self, cause: Cause) -> Cause {
        self.answered();
        cause
    }

    fn missed(&self, why: &str) -> Cause {
        let cause = Cause::Unavailable(why.to_owned());
        let misses = {
            let mut state = self.state();
            state.misses += 1;
            state.misses
        };
        if misses >= MISSES { self.stop(cause) } else { cause }
    }

    fn stop(&self, cause: Cause) -> Cause {
        self.state().stopped.get_or_insert(cause).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(brake: &Brake, error: ModelError) -> Cause {
        brake.failure(error, DateTime::UNIX_EPOCH, false).unwrap()
    }

    fn other() -> ModelError {
        ModelError::Other("status 404".into())
    }

    #[test]
    fn an_endpoint_that_can_never_answer_is_asked_three_times() {
        let brake = Brake::new(50);
        for _ in 0..3 {
            assert_eq!(brake.check(false, false).unwrap(), None);
            fails(&brake, other());
        }
        let why = Cause::Unavailable("status 404".into());
        assert_eq!(brake.check(false, false).unwrap(), Some(why));
    }

    #[test]
    fn one_bad_request_among_answers_stops_nothing() {
        let brake = Brake::new(50);
        for between in [None, Some(ModelError::Cut), Some(ModelError::Refused)] {
            fails(&brake, other());
            fails(&brake, other());
            match between {
                None => brake.answered(),
                Some(error) => drop(fails(&brake, error)),
            }
        }
        assert_eq!(brake.check(false, false).unwrap(), None);
    }
}
