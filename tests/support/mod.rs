//! The program, and the smallest run that it can make.

#![allow(dead_code, reason = "each test program uses what it needs of this")]

use assert_cmd::Command;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Measures as little as can be: these options behind `isobar run`.
pub const TINY: [&str; 10] = [
    "--quick",
    "--filter",
    "wasmi/eager",
    "--filter",
    "wat/empty",
    "--processes",
    "1",
    "--max-processes",
    "1",
    "--cell-time=1ms",
];

/// The program, in isobar's own folder.
pub fn isobar() -> Command {
    isobar_in(Path::new(env!("CARGO_MANIFEST_DIR")))
}

/// The program in a folder of somebody else.
pub fn isobar_in(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(folder).env_remove("ISOBAR_RUNNERS").env("ISOBAR_ROOT", env!("CARGO_MANIFEST_DIR"));
    command.timeout(Duration::from_secs(240));
    command
}

/// Makes the run `folder/run` of Wasmi with the empty function, narrowed down by further options.
pub fn tiny_run(folder: &Path, options: &[&str]) -> PathBuf {
    let run = folder.join("run");
    isobar().arg("run").args(TINY).args(options).arg("--into").arg(&run).assert().success();
    run
}
