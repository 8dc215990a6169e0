//! The fakes, over real HTTP.

mod client;
mod conformance;
mod delivery;
mod discussion;
mod faults;
mod gitlab;
mod model;
mod page;
mod source;
mod tokens;
