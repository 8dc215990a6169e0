//! One endpoint to the Model port: Responses and Chat Completions.
