//! A command that stays until it is asked to end.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::command::{Ended, content};
use super::wait_for;

/// A command that runs. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    stderr: File,
    stdout: File,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        Self { child, stderr, stdout }
    }

    /// Waits until this stands in its standard error.
    pub(crate) fn complains(&mut self, of: &str) {
        wait_for(of, || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", content(&mut self.stderr));
            content(&mut self.stderr).contains(of).then_some(())
        });
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.end()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait_for("the command to end", || self.child.try_wait().unwrap());
        let code = status.code().unwrap_or(-1);
        Ended { code, stdout: content(&mut self.stdout), stderr: content(&mut self.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
