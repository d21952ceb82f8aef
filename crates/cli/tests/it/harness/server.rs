//! Servers of the built binary.

use std::net::TcpListener;
use std::path::Path;

use keyward_testkit::server::Server;

use super::command::program;

/// Starts a server in a folder and waits until it is ready.
pub(crate) fn serve(folder: &Path, arguments: &[&str]) -> Server {
    serve_with(folder, arguments, &[])
}

/// The same with an environment. Unless the arguments name one, the system chooses the port, so that no
/// other process can take it in between.
pub(crate) fn serve_with(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Server {
    let listen: &[_] =
        if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
    Server::start(program(), folder, &[listen, arguments].concat(), environment)
}

/// The same at a port that is known before, for servers that must know their own address. Another
/// process may take it in between, but the system does not give the same one out again so soon.
pub(crate) fn serve_at_known_port(folder: &Path, arguments: &[&str]) -> Server {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    serve(folder, &[&["--listen", &free], arguments].concat())
}
