//! Signed keys as those meet them who attack them: published, minted, hostile and random tokens.
#![cfg(test)]

mod access_tokens;
mod attacks;
mod keyspaces;
mod minting;
mod mutations;
mod rfc;
mod support;
mod vectors;
mod weak_keys;
mod wycheproof;
