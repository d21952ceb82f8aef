//! The rules of Keyward as its users meet them.
#![cfg(test)]

mod accounts;
mod alphabet;
mod clock;
mod ending;
mod expiry;
mod format;
mod instants;
mod judge;
mod keyspace;
mod lifecycle;
mod printing;
mod rotation;
mod scopes;
mod support;
mod table;
mod values;
mod vectors;
