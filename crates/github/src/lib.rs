//! GitHub: verify and decode deliveries, mint narrow tokens, implement the ports.
