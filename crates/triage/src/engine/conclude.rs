//! What is known of a change, now and from before, to what reviewers see.

use chaffinch_core::{Change, Discussion};

use super::Done;
use crate::{
    Announcement, Assessment, Engine, JobError, Outcome, Standing, plan, publish,
    record::{self, Earlier, Record},
    tool,
};

impl Engine {
    pub(super) async fn publish(
        &self,
        discussion: &dyn Discussion,
        change: &Change,
        mut fresh: Assessment,
        certain: bool,
        known: Option<Record>,
        announcement: Option<Announcement<'_>>,
    ) -> Result<Done, JobError> {
        // What a scan that did not come to its end is silent about may still be there.
        let unfinished = plan::unfinished(&fresh);
        let mut read = plan::read(&fresh.tools, &fresh.outcomes);
        let partial = Record::partial(known.as_ref(), &fresh);
        read.retain(|tool| !unfinished.contains(tool) && !partial.contains(tool));
        let Earlier { mut outcomes, mut waiting, forgotten } =
            known.as_ref().map(|record| record.earlier(&change.head, &read)).unwrap_or_default();
        // Without a record, nobody knows whose silence would prove anything.
        let remembers = known.is_some() && !forgotten;
        let certain = certain && remembers;
        waiting.retain(|tool| !unfinished.contains(&tool::key(tool)));
        // What was found out about these lines before stands where nothing could be found out now.
        for old in known.iter().flat_map(|record| record.cautious(&change.head)) {
            let own = |new: &Outcome| new.finding.fingerprint == old.finding.fingerprint;
            let before = fresh.outcomes.len();
            fresh.outcomes.retain(|new| !(own(new) && new.standing() == Standing::Failed));
            if fresh.outcomes.len() < before && !outcomes.iter().any(own) {
                outcomes.push(old.clone());
            }
        }
        outcomes.retain(|old| {
            fresh.outcomes.iter().all(|new| new.finding.fingerprint != old.finding.fingerprint)
        });
        let mut all = Assessment {
            outcomes: plan::together(&fresh.outcomes, &outcomes),
            waiting,
            forgotten,
            ..fresh.clone()
        };
        let found = plan::Found {
            fresh: &fresh.outcomes,
            earlier: &outcomes,
            read: &read,
            certain,
            remembers,
        };
        let config = &self.parts.config;
        let written =
            publish::publish(discussion, change, &mut all, &found, config, announcement).await?;
        let record = Record::after(known.as_ref(), &all);
        record::save(&*self.parts.vault, change, &record, self.parts.record_ttl()).await?;
        Ok(Done::Published {
            findings: all.outcomes.len(),
            real: all.count(Standing::Real),
            cached: all.outcomes.iter().filter(|outcome| outcome.cached).count(),
            written,
        })
    }
}
