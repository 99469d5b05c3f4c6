//! isobar's adapters for what is no WebAssembly runtime but a process: the function's executable itself, in a sandbox, or in
//! a container; and its library, in the runner's own process. `docs/BASELINES.md` says what each of them is.

mod bundle;
mod cli;
mod collect;
mod cpio;
mod elf;
mod guest;
mod inside;
mod microvm;
mod native;
mod oci;
mod orphans;
mod place;
mod probe;
mod program;
mod serve;
mod spawn;
mod stay;
#[cfg(test)]
mod tests;
mod tool;
mod weigh;

use cli::Cli;
use inside::Inside;
use isobar_core::Runtime;
use isobar_core::runner::{NotHere, main_with};
use microvm::{Accelerator, Guest, Microvm};
use native::Native;
use oci::Oci;
use probe::Known;
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tool::Tool;

/// Where docker's daemon listens.
const DOCKER: &str = "/var/run/docker.sock";

/// What a remedy begins with, where a package is missing.
const INSTALL: &str = "scripts/setup --baselines";

/// A tool by which functions can be run.
struct Offer {
    program: &'static str,
    family: &'static str,
    /// The mode: `crun` of `container/crun`.
    mode: &'static str,
    /// What it needs beside its program: the files, of which another one is to be tried anew, or what is not here.
    needs: fn() -> Result<Vec<PathBuf>, String>,
    /// Whether it is tried by running a function in it, and not by its version alone.
    tried: bool,
    /// The runtimes that it gives; the first is tried.
    runtimes: fn(Tool, &str) -> Vec<Box<dyn Runtime>>,
    /// What a program says when it is asked for its version, and how it is asked.
    version: &'static [&'static str],
    remedy: &'static str,
}

static OFFERS: [Offer; 9] = [
    Offer {
        program: "unshare",
        family: "sandbox",
        mode: "unshare",
        needs: nothing,
        tried: true,
        runtimes: |tool, version| vec![Box::new(Native::unshare(tool, version))],
        version: &["--version"],
        remedy: "run it as root, or allow user namespaces",
    },
    Offer {
        program: "bwrap",
        family: "sandbox",
        mode: "bubblewrap",
        needs: nothing,
        tried: true,
        runtimes: |tool, version| vec![Box::new(Native::bubblewrap(tool, version))],
        version: &["--version"],
        remedy: "run it as root, or allow user namespaces",
    },
    oci("crun"),
    oci("runc"),
    oci("runsc"),
    Offer {
        program: "podman",
        family: "container",
        mode: "podman",
        needs: nothing,
        tried: true,
        runtimes: |tool, version| vec![Box::new(Cli::fresh(tool.clone(), version)), Box::new(Cli::exec(tool, version))],
        version: &["--version"],
        remedy: "run it as root",
    },
    Offer {
        program: "docker",
        family: "container",
        mode: "docker",
        needs: nothing,
        tried: true,
        runtimes: |tool, version| vec![Box::new(Cli::fresh(tool.clone(), version)), Box::new(Cli::exec(tool, version))],
        version: &["version", "--format", "{{.Server.Version}}"],
        remedy: "start its daemon",
    },
    Offer {
        program: QEMU,
        family: "microvm",
        mode: "qemu",
        needs: || match File::options().read(true).write(true).open("/dev/kvm") {
            Ok(_) => guest_files(),
            Err(e) => Err(format!("/dev/kvm: {e}; use a machine whose processor virtualises")),
        },
        tried: true,
        runtimes: |tool, version| machines(Accelerator::Kvm, tool, version),
        version: &["--version"],
        remedy: "no guest boots by KVM here: use a machine whose processor virtualises",
    },
    Offer {
        program: QEMU,
        family: "microvm",
        mode: "qemu-tcg",
        needs: guest_files,
        // It works wherever QEMU does, and booting takes it seconds.
        tried: false,
        runtimes: |tool, version| machines(Accelerator::Tcg, tool, version),
        version: &["--version"],
        remedy: INSTALL,
    },
];

const QEMU: &str = "qemu-system-x86_64";

fn nothing() -> Result<Vec<PathBuf>, String> {
    Ok(Vec::new())
}

fn guest_files() -> Result<Vec<PathBuf>, String> {
    Ok(Guest::find()?.files().map(Path::to_owned).to_vec())
}

fn machines(accelerator: Accelerator, qemu: Tool, version: &str) -> Vec<Box<dyn Runtime>> {
    let machine = |guest| -> Box<dyn Runtime> { Box::new(Microvm::new(accelerator, qemu, version, guest)) };
    Guest::find().map(machine).into_iter().collect()
}

const fn oci(program: &'static str) -> Offer {
    Offer {
        program,
        family: "container",
        mode: program,
        needs: nothing,
        tried: true,
        runtimes: |tool, version| vec![Box::new(Oci::fresh(tool.clone(), version)), Box::new(Oci::exec(tool, version))],
        version: &["--version"],
        remedy: "run it as root",
    }
}

/// The runner's `main`.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if let (Some(first), Some(folder)) = (arguments.next(), arguments.next())
        && first == place::GUARD
    {
        place::guard(Path::new(&folder));
        return ExitCode::SUCCESS;
    }
    let (runtimes, absent) = offered();
    main_with(runtimes, absent)
}

/// What works on this machine, and why the rest does not.
fn offered() -> (Vec<Box<dyn Runtime>>, Vec<NotHere>) {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = format!("Linux {}", kernel.trim());
    let mut runtimes: Vec<Box<dyn Runtime>> = vec![Box::new(Native::process(&kernel)), Box::new(Inside::new(&kernel))];
    let mut absent = Vec::new();
    let known = Known::read();
    let mut found = Vec::new();
    for (offer, (tool, answer)) in OFFERS.iter().zip(answers(&known)) {
        match (tool, answer.result.clone()) {
            (Some(tool), Ok(version)) => runtimes.extend((offer.runtimes)(tool, &version)),
            (_, Err(reason)) => {
                absent.push(NotHere { runtime: format!("{}/{}", offer.family, offer.mode), reason });
            }
            (None, Ok(_)) => {}
        }
        found.extend(answer.key.map(|key| (key, answer.result)));
    }
    if !found.is_empty() {
        known.add(&found);
    }
    let (programs, missing) = program::all();
    runtimes.extend(programs);
    absent.extend(missing);
    let (servers, missing) = serve::all();
    runtimes.extend(servers);
    absent.extend(missing);
    (runtimes, absent)
}

/// How long tools are tried, all together.
const PATIENCE: Duration = Duration::from_secs(12);

/// What each tool answers, or that it does not. They are tried all at once: one that hangs keeps nobody else waiting.
fn answers(known: &Known) -> Vec<(Option<Tool>, Answer)> {
    let until = Instant::now() + PATIENCE;
    let ask = |offer: &'static Offer| {
        let (sender, receiver) = mpsc::channel();
        let tool = Tool::find(offer.program);
        let missing = || format!("{} is not installed; {INSTALL}", offer.program);
        let found =
            tool.ok_or_else(missing).and_then(|tool| Ok((probe::key(offer.mode, &tool, &(offer.needs)()?), tool)));
        match found {
            Err(reason) => {
                let _ = sender.send((None, Answer { key: None, result: Err(reason) }));
            }
            Ok((key, tool)) => match known.get(&key) {
                Some(result) => drop(sender.send((Some(tool), Answer { key: None, result }))),
                None => drop(std::thread::spawn(move || {
                    let result = offer.try_out(&tool).map_err(|what| format!("{what}; {}", offer.remedy));
                    let _ = sender.send((Some(tool), Answer { key: Some(key), result }));
                })),
            },
        }
        receiver
    };
    let late = |offer: &Offer| {
        let reason = format!("{} did not run a function within {} s", offer.program, PATIENCE.as_secs());
        (None, Answer { key: None, result: Err(reason) })
    };
    let receivers: Vec<_> = OFFERS.iter().map(ask).collect();
    let answer = |(receiver, offer): (mpsc::Receiver<_>, &Offer)| {
        receiver.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or_else(|_| late(offer))
    };
    receivers.into_iter().zip(&OFFERS).map(answer).collect()
}

/// What is known of a tool: its version, or why it does not work; with the key to keep it under, if that is new.
struct Answer {
    key: Option<String>,
    result: Result<String, String>,
}

impl Offer {
    fn try_out(&self, tool: &Tool) -> Result<String, String> {
        // The command itself takes seconds to say so.
        if self.program == "docker" && UnixStream::connect(DOCKER).is_err() {
            return Err(format!("no daemon answers at {DOCKER}"));
        }
        let said = tool.call(self.version).map_err(|failure| failure.to_string())?;
        let version = tool::version(&said);
        if !self.tried {
            return Ok(version);
        }
        let runtimes = (self.runtimes)(tool.clone(), &version);
        let first = runtimes.first().ok_or("it gives no runtime")?;
        probe::try_out(&**first).map(|()| version)
    }
}
