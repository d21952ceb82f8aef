//! API keys done right.
