//! How commands that stay are ended.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// Ready when the process is asked to stop.
pub(super) fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = unix::signal(SignalKind::terminate())?;
    let mut interrupt = unix::signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
