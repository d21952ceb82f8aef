//! A proxy between a client and a server, which is as bad as the test wants it to be.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Passes bytes on between clients and one server, and can be told to do that badly.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy to a server at a port of this machine, on a port that is free.
    pub fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("no port: {e}"));
        let address = listener.local_addr().unwrap_or_else(|e| panic!("no address: {e}"));
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, server, &accepting));
        Self { address, shared }
    }

    /// The port on 127.0.0.1 where clients connect.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Holds up whatever is sent, in either direction, for so long.
    pub fn delay(&self, delay: Duration) {
        self.shared.set(|state| state.delay = delay);
    }

    /// Ends all connections. New ones are made as before.
    pub fn cut(&self) {
        self.shared.set(State::cut);
    }

    /// Ends all connections, and new ones as soon as they are made.
    pub fn refuse(&self) {
        self.shared.set(|state| {
            state.is_refusing = true;
            state.cut();
        });
    }

    /// Passes nothing on any more: connections stay, and new ones are made, but nobody hears anything.
    pub fn stall(&self) {
        self.shared.set(|state| state.is_stalled = true);
    }

    /// Is a good proxy again. What was held up is passed on.
    pub fn heal(&self) {
        self.shared.set(|state| {
            state.delay = Duration::ZERO;
            state.is_refusing = false;
            state.is_stalled = false;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.set(|state| {
            state.is_over = true;
            state.cut();
        });
        // Whoever accepts looks up.
        drop(TcpStream::connect(self.address));
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    connections: Vec<TcpStream>,
    delay: Duration,
    is_over: bool,
    is_refusing: bool,
    is_stalled: bool,
}

impl State {
    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            // One that has ended cannot be ended.
            drop(connection.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, set: impl FnOnce(&mut State)) {
        set(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits until something that was read may be passed on.
    fn hold_up(&self) {
        let delay = self.state().delay;
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        let stalled = |state: &mut State| state.is_stalled && !state.is_over;
        drop(self.changed.wait_while(self.state(), stalled));
    }
}

fn accept(listener: &TcpListener, server: u16, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        let mut state = shared.state();
        if state.is_over {
            return;
        }
        if state.is_refusing {
            continue;
        }
        // Where no server listens, the client hears of it by the end of its connection.
        let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (Ok(kept), Ok(from), Ok(to)) = (from.try_clone(), from.try_clone(), to.try_clone())
            else {
                continue;
            };
            // Small pieces go on their way at once.
            drop(to.set_nodelay(true));
            state.connections.push(kept);
            let shared = Arc::clone(shared);
            thread::spawn(move || pump(from, to, &shared));
        }
    }
}

/// Passes on what comes, until one side has no more.
fn pump(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        shared.hold_up();
        if to.write_all(buffer.get(..length).unwrap_or_default()).is_err() {
            break;
        }
    }
    // Either may have ended already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
