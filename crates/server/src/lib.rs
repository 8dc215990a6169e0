//! Routes, workers, pages, telemetry: a library that wires ports together.
