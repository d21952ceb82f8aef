//! Keyward as its users meet it, over every backend.
#![cfg(test)]

mod accounts;
mod acts;
mod audit;
mod cache;
mod changes;
mod first_start;
mod flights;
mod instances;
mod keypal_faults;
mod lease;
mod life;
mod lists;
mod peppers;
mod printing;
mod rate_limit;
mod reap;
mod revoke_all;
mod rotation;
mod shared_cache;
mod signing;
mod support;
mod taking_over;
mod taking_over_accounts;
mod traffic;
mod updates;
mod usage;
