//! What is wrong with the `NestJS` library 0.0.2, by the numbers that its defects (D) and weaknesses (W)
//! have in its contract, and right here, whichever the backend. What takes a process of its own is in
//! the tests of `keyward-cli`.

mod accounts;
mod cost;
mod credentials;
mod hostile;
mod input;
mod lists;
mod tenants;
mod times;

/// Texts that were made to break something.
const HOSTILE: [&str; 24] = [
    "'; DROP TABLE api_keys; --",
    "' OR '1'='1",
    "\" OR \"\"=\"",
    "1; DELETE FROM keys",
    "1 UNION SELECT client_secret FROM sa_info",
    "%",
    "_",
    "\\",
    "\\'",
    "*",
    "NULL",
    "null",
    "undefined",
    "true",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "a\u{0}b",
    "a\r\nx-header: b",
    "\u{202e}gnp.exe",
    "\u{1f511}\u{1d542}\u{20bb7}",
    "\u{feff}a\u{0301}",
    "\u{10ffff}",
];

/// Texts that are longer than anything may be.
fn long() -> [String; 3] {
    ["a".repeat(300), "\u{1f511}".repeat(2_001), "'%_".repeat(7_000)]
}
