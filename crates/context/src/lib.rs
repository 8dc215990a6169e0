//! Picks the least source text that suffices to judge a finding.
