//! A virtual machine for each invocation, by QEMU's machine type "microvm": a kernel, and an archive with the function and a
//! small first program (`runtimes/process/guest/init.rs`), which answers through a port.

use crate::collect::{Finished, Status, Streams, outcome, run_with};
use crate::cpio::{Archive, Entry};
use crate::guest::answer;
use crate::native;
use crate::place::{Place, Root};
use crate::program::root;
use crate::spawn::Command;
use crate::tool::{Tool, last_line};
use isobar_core::{
    Class, Engine, Failure, Instance, Invocation, Limits, Module, Once, Outcome, Runtime, RuntimeId, RuntimeInfo,
};
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Where `scripts/setup-microvm` puts a kernel and the guest's first program, below isobar's own folder.
const FOLDER: &str = ".tools/microvm";

/// What a guest needs beside the memory that the function may have, in bytes.
const GUEST_BYTES: u64 = 256 << 20;

/// What a frame costs beside its bytes, and there may be one for every byte.
const FRAME_BYTES: u64 = 6;

/// The kernel's own options: nothing is printed, and a guest that is lost ends.
const OPTIONS: &str = "quiet panic=-1";

/// Who runs the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accelerator {
    /// The processor itself.
    Kvm,
    /// QEMU, in software.
    Tcg,
}

/// The files that every guest is made of.
#[derive(Clone)]
pub(crate) struct Guest {
    kernel: PathBuf,
    init: PathBuf,
}

impl Guest {
    /// What is here.
    ///
    /// # Errors
    /// What is not, and the remedy.
    pub(crate) fn find() -> Result<Guest, String> {
        const REMEDY: &str = "scripts/setup-microvm";
        if !cfg!(target_arch = "x86_64") {
            return Err("its guest is for x86-64 alone".to_owned());
        }
        let folder = root().map(|root| root.join(FOLDER)).unwrap_or_default();
        let [kernel, init] = ["vmlinuz", "init"].map(|name| folder.join(name));
        match (kernel.is_file(), init.is_file()) {
            (true, true) => Ok(Guest { kernel, init }),
            (false, _) => Err(format!("there is no kernel for a guest; {REMEDY}")),
            (_, false) => Err(format!("there is no first program for a guest; {REMEDY}")),
        }
    }

    /// The files, of which one that changes makes another guest.
    pub(crate) fn files(&self) -> [&Path; 2] {
        [&self.kernel, &self.init]
    }

    /// The kernel's release, as it says itself: the header of a bzImage has its place.
    fn release(&self) -> Option<String> {
        let mut file = fs::File::open(&self.kernel).ok()?;
        let mut place = [0; 2];
        file.seek(SeekFrom::Start(0x20e)).ok()?;
        file.read_exact(&mut place).ok()?;
        file.seek(SeekFrom::Start(0x200 + u64::from(u16::from_le_bytes(place)))).ok()?;
        let mut text = [0; 64];
        file.read_exact(&mut text).ok()?;
        let release: Vec<u8> = text.into_iter().take_while(|byte| byte.is_ascii_graphic()).collect();
        String::from_utf8(release).ok().filter(|release| !release.is_empty())
    }
}

/// One of the runtimes.
#[derive(Clone)]
pub(crate) struct Microvm {
    info: RuntimeInfo,
    accelerator: Accelerator,
    qemu: Tool,
    guest: Guest,
}

impl Microvm {
    pub(crate) fn new(accelerator: Accelerator, qemu: Tool, version: &str, guest: Guest) -> Microvm {
        let (mode, how) = match accelerator {
            Accelerator::Kvm => ("qemu", "the processor's, by KVM"),
            Accelerator::Tcg => ("qemu-tcg", "EMULATED in software: no comparison for anything else"),
        };
        let kernel = format!("Linux {}", guest.release().unwrap_or_else(|| "of an unknown release".to_owned()));
        let settings = [
            ("virtualisation", how),
            ("machine", "microvm, one processor, no devices but two ports"),
            ("kernel", &kernel),
            ("kernel options", OPTIONS),
            ("memory limit", "RLIMIT_DATA in the guest, which has 256 MiB more"),
        ];
        let id = RuntimeId::new("microvm", mode, &[]);
        let info = native::info(id, Class::Microvm, version, &settings);
        let scenarios = Some(vec!["process-cold".to_owned()]);
        let info = RuntimeInfo { scenarios, emulated: accelerator == Accelerator::Tcg, ..info };
        Microvm { info, accelerator, qemu, guest }
    }

    fn load(&self, artifact: &Path) -> Result<Loaded, Failure> {
        let read = |path: &Path| fs::read(path).map_err(|e| Failure::host(format!("{}: {e}", path.display())));
        let mut archive = Archive::default();
        archive.add("dev", &Entry::Folder);
        archive.add("dev/null", &Entry::Device(1, 3));
        archive.add("init", &Entry::File(0o755, &read(&self.guest.init)?));
        archive.add("function", &Entry::File(0o755, &read(artifact)?));
        Ok(Loaded { microvm: self.clone(), archive })
    }

    fn command(&self, archive: &Path, limits: &Limits) -> Result<Command, Failure> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let (kernel, archive) = (path(&self.guest.kernel), path(archive));
        let memory = (limits.memory_bytes.saturating_add(GUEST_BYTES) >> 20).to_string();
        let [accelerator, processor] = match self.accelerator {
            Accelerator::Kvm => ["kvm", "host"],
            Accelerator::Tcg => ["tcg", "max"],
        };
        self.qemu.command([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-machine",
            "microvm,acpi=off,rtc=off,isa-serial=off",
            "-accel",
            accelerator,
            "-cpu",
            processor,
            "-smp",
            "1",
            "-m",
            &memory,
            "-kernel",
            &kernel,
            "-initrd",
            &archive,
            "-append",
            OPTIONS,
            "-chardev",
            "file,id=answers,path=/dev/stdout",
            "-device",
            "isa-debugcon,iobase=0xe9,chardev=answers",
            "-device",
            "isa-debug-exit,iobase=0xf4,iosize=1",
        ])
    }
}

impl Runtime for Microvm {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn prepare(&self) -> Result<(), Failure> {
        Place::get().map(drop)
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        let mut machine = self.load(artifact)?.prepare(invocation)?;
        let finished = machine.finish()?;
        let peak_rss_bytes = Some(finished.max_rss_bytes);
        // What QEMU's own process weighs says nothing of the function's memory.
        let once = native::once(Finished { max_rss_bytes: 0, ..finished }, &machine.limits)?;
        Ok(Once { peak_rss_bytes, ..once })
    }
}

impl Engine for Microvm {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(Microvm::load(self, artifact)?))
    }
}

/// What all machines of a function begin with.
struct Loaded {
    microvm: Microvm,
    archive: Archive,
}

impl Loaded {
    fn prepare(&self, invocation: &Invocation) -> Result<Machine, Failure> {
        let folder = Root(Place::get()?.new_folder("machine")?);
        let file = folder.0.join("archive");
        let mut archive = self.archive.clone();
        archive.add("stdin", &Entry::File(0o644, &invocation.stdin));
        archive.add("invocation", &Entry::File(0o644, &texts(invocation)));
        let failed = |e: io::Error| Failure::host(format!("{}: {e}", file.display()));
        fs::write(&file, archive.finish()).map_err(failed)?;
        let limits = invocation.limits;
        let command = self.microvm.command(&file, &limits)?;
        // Both streams come through one, in frames.
        let output_bytes = limits.output_bytes.saturating_mul(2 + 2 * FRAME_BYTES).saturating_add(1 << 16);
        let streams = Some(Streams::open(b"", &Limits { output_bytes, ..limits })?);
        Ok(Machine { command, streams, limits, _folder: folder })
    }
}

/// What the guest's first program is told: texts that end with NUL.
fn texts(invocation: &Invocation) -> Vec<u8> {
    let numbers = [invocation.limits.memory_bytes, invocation.args.len() as u64].map(|number| number.to_string());
    let variables = invocation.env.iter().map(|(name, value)| format!("{name}={value}"));
    let all = numbers.into_iter().chain(invocation.args.iter().cloned()).chain(variables);
    all.flat_map(|text| text.into_bytes().into_iter().chain([0])).collect()
}

impl Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.prepare(invocation)?))
    }
}

/// A machine that was not started yet.
struct Machine {
    command: Command,
    streams: Option<Streams>,
    limits: Limits,
    _folder: Root,
}

impl Machine {
    /// How the function ended, by what the guest said.
    fn finish(&mut self) -> Result<Finished, Failure> {
        let streams = self.streams.take().ok_or_else(|| Failure::host("the machine was started already"))?;
        let ended = run_with(&self.command, streams, &self.limits)?;
        let answer = answer(&ended.stdout).map_err(|what| {
            let said = last_line(&ended.stderr);
            Failure::host(format!("QEMU ended ({}) and its guest {what}{said}", ended.status))
        })?;
        let flooded = [&answer.stdout, &answer.stderr].iter().any(|s| s.len() as u64 > self.limits.output_bytes);
        match answer.status {
            _ if flooded => Err(Failure::OutputLimit { limit_bytes: self.limits.output_bytes }),
            -1 => Err(Failure::host(last_line(&answer.stderr).trim_start_matches(": ").to_owned())),
            status => {
                let (status, stdout, stderr) = (Status::of(status), answer.stdout, answer.stderr);
                Ok(Finished { status, stdout, stderr, ..ended })
            }
        }
    }
}

impl Instance for Machine {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        // As above.
        outcome(Finished { max_rss_bytes: 0, ..self.finish()? }, &self.limits)
    }
}
