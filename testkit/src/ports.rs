//! Ports that stay free while nobody listens on them.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give out by themselves: such a one could be taken by any client while
/// the server that it is for is down.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;
/// How many ports beside each other a process tries first.
const SHARE: u32 = 40;

static TRIED: AtomicU16 = AtomicU16::new(0);

/// An address on this machine where nobody listens now. Another process may begin to, but no other test
/// is likely to: each looks elsewhere first.
pub fn free_address() -> SocketAddr {
    let start = process::id().wrapping_mul(SHARE) % u32::from(COUNT);
    let start = u16::try_from(start).unwrap_or_default();
    for _ in 0..COUNT {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(tried) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("there is no free port")
}
