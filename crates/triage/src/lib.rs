//! Findings to verdicts to rendered comments, over the ports.
