//! The binary `chaffinch`.
fn main() {}
