//! Redis, and an embedded twin on SQLite: cache, queue, dedupe, receipts.
