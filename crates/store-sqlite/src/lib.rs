//! Keyward records in one SQLite file.
