//! The behaviour of the REST interface, driven in the process; that of the server, over a socket.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

mod accounts;
mod accounts_import;
mod answer;
mod audit;
mod audit_trail;
mod bad_bodies;
mod bad_fields;
mod bad_keyspaces;
mod bad_paths;
mod bad_queries;
mod bad_times;
mod bad_tokens;
mod bad_types;
mod changes;
mod confined;
mod document;
mod envelope;
mod faulty;
mod import;
mod japikey;
mod jwks;
mod keys;
mod keyspaces;
mod management;
mod many;
mod nestjs;
mod nestjs_faults;
mod oauth;
mod pages;
mod postman;
mod protect;
mod reap;
mod revocation;
mod rights;
mod rotation;
mod sealed;
mod serve;
mod signed;
mod support;
mod switching;
mod verify;
