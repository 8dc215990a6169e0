//! Report bytes (SARIF 2.1.0, Semgrep JSON) to findings with stable fingerprints.
