//! Whole-bot tests that read as a conversation.
