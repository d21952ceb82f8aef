//! Temporary folders that no busy disk holds up.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::path::Path;

use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// How many bytes must be free there: containers often get little.
const ENOUGH: u64 = 1 << 30;

/// A folder in memory where there is such a place, or else on the disk. What is killed in tests is a
/// process, never the machine, so that whatever was written is still there.
pub fn in_memory() -> TempDir {
    let in_memory = has_room(Path::new(MEMORY)).then(|| tempfile::tempdir_in(MEMORY).ok());
    let folder = in_memory.flatten().map_or_else(TempDir::new, Ok);
    folder.unwrap_or_else(|e| panic!("no temporary folder: {e}"))
}

fn has_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|found| found.f_bavail * found.f_frsize > ENOUGH)
}
