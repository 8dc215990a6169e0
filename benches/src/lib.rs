//! What is measured, against what, and how to run it.
