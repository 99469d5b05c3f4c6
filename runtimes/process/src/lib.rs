//! isobar's adapters for what is no WebAssembly runtime but a process: the function's executable itself, in a sandbox, or in
//! a container. `docs/BASELINES.md` says what each of them is.

mod bundle;
mod cli;
mod collect;
mod elf;
mod inside;
mod native;
mod oci;
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
use native::Native;
use oci::Oci;
use probe::Known;
use std::os::unix::net::UnixStream;
use std::path::Path;
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
    /// Its name, and that of the mode: `crun` of `container/crun`.
    program: &'static str,
    family: &'static str,
    /// The runtimes that it gives; the first is tried.
    runtimes: fn(Tool, &str) -> Vec<Box<dyn Runtime>>,
    /// What a program says when it is asked for its version, and how it is asked.
    version: &'static [&'static str],
    remedy: &'static str,
}

static OFFERS: [Offer; 7] = [
    Offer {
        program: "unshare",
        family: "sandbox",
        runtimes: |tool, version| vec![Box::new(Native::unshare(tool, version))],
        version: &["--version"],
        remedy: "run it as root, or allow user namespaces",
    },
    Offer {
        program: "bwrap",
        family: "sandbox",
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
        runtimes: |tool, version| vec![Box::new(Cli::fresh(tool.clone(), version)), Box::new(Cli::exec(tool, version))],
        version: &["--version"],
        remedy: "run it as root",
    },
    Offer {
        program: "docker",
        family: "container",
        runtimes: |tool, version| vec![Box::new(Cli::fresh(tool.clone(), version)), Box::new(Cli::exec(tool, version))],
        version: &["version", "--format", "{{.Server.Version}}"],
        remedy: "start its daemon",
    },
];

const fn oci(program: &'static str) -> Offer {
    Offer {
        program,
        family: "container",
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
                let program = if offer.program == "bwrap" { "bubblewrap" } else { offer.program };
                absent.push(NotHere { runtime: format!("{}/{program}", offer.family), reason });
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
    let reason = "isobar has no virtual machine monitor and no guest to boot: docs/BASELINES.md".to_owned();
    absent.push(NotHere { runtime: "microvm".to_owned(), reason });
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
        let key = tool.as_ref().map(|tool| probe::key(offer.program, tool));
        match (tool, key) {
            (None, _) | (_, None) => {
                let reason = format!("{} is not installed; {INSTALL}", offer.program);
                let _ = sender.send((None, Answer { key: None, result: Err(reason) }));
            }
            (Some(tool), Some(key)) => match known.get(&key) {
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
        let runtimes = (self.runtimes)(tool.clone(), &version);
        let first = runtimes.first().ok_or("it gives no runtime")?;
        probe::try_out(&**first).map(|()| version)
    }
}
