//! The folder in which a runner keeps what would outlive it, and who clears it away: the runner as it ends, a guardian
//! process when the runner was killed, and the next runner when even the guardian was.

use crate::tool;
use isobar_core::Failure;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How the names of these folders, and of all that is made in them, begin.
const PREFIX: &str = "isobar-process-";

/// The file that whoever needs a folder has locked.
const LOCK: &str = "lock";

/// The guardian's argument, before the folder.
pub(crate) const GUARD: &str = "--guard";

/// The folder of this process.
pub(crate) struct Place {
    path: PathBuf,
    /// Locked as long as this process lives.
    _lock: File,
    /// The guardian reads from it until this process ends.
    _guardian: ChildStdin,
}

impl Place {
    /// The folder, made when first asked for; what earlier runners left is cleared away then.
    pub(crate) fn get() -> Result<&'static Place, Failure> {
        static PLACE: OnceLock<Result<Place, Failure>> = OnceLock::new();
        let make = || {
            sweep_leftovers(&std::env::temp_dir());
            Place::make(&std::env::temp_dir()).map_err(|e| Failure::host(format!("no folder for containers: {e}")))
        };
        PLACE.get_or_init(make).as_ref().map_err(Failure::clone)
    }

    fn make(parent: &Path) -> io::Result<Place> {
        let unnamed = parent.join(format!(".{PREFIX}{}", std::process::id()));
        // One of that name is of a process that is gone.
        let _ = fs::remove_dir_all(&unnamed);
        fs::DirBuilder::new().mode(0o700).create(&unnamed)?;
        let lock = File::create(unnamed.join(LOCK))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        // Nobody sweeps it without the lock, and nobody finds it before it has this name.
        let started = fs::metadata(&unnamed)?;
        let path = parent.join(format!("{PREFIX}{}-{:x}", std::process::id(), started.ctime_nsec()));
        fs::rename(&unnamed, &path)?;
        let mut guardian = Command::new("/proc/self/exe");
        guardian.arg(GUARD).arg(&path).env_clear().process_group(0);
        guardian.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut guardian = guardian.spawn()?;
        let stdin = guardian.stdin.take().ok_or_else(|| io::Error::other("the guardian has no standard input"))?;
        Ok(Place { path, _lock: lock, _guardian: stdin })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's name: by it, what is made elsewhere is known to be of this process.
    pub(crate) fn name(&self) -> &str {
        name(&self.path)
    }

    /// A name that nothing in the folder has yet.
    pub(crate) fn new_name(&self, kind: &str) -> String {
        static LAST: AtomicU64 = AtomicU64::new(0);
        format!("{kind}{}", LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// A new folder in it.
    pub(crate) fn new_folder(&self, kind: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(self.new_name(kind));
        fs::create_dir(&path).map_err(|e| Failure::host(format!("{}: {e}", path.display())))?;
        Ok(path)
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The guardian: waits until the runner is gone, then clears its folder away.
pub(crate) fn guard(folder: &Path) {
    let mut nothing = [0; 1];
    while matches!(io::stdin().read(&mut nothing), Err(e) if e.kind() == io::ErrorKind::Interrupted) {}
    // The runner is ending; its lock goes with it.
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if sweep_if_left(folder) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Clears away what runners left that are gone.
fn sweep_leftovers(parent: &Path) {
    let mine = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let owned = entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == mine);
        if owned && entry.file_name().to_string_lossy().starts_with(PREFIX) {
            sweep_if_left(&entry.path());
        }
    }
}

/// Clears a folder away unless somebody needs it. Returns whether it is gone.
fn sweep_if_left(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return !folder.exists() };
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    sweep(folder);
    !folder.exists()
}

/// Ends and removes all that was made in a folder, and the folder. Errors have nobody to be told to: the next sweep tries
/// again.
fn sweep(folder: &Path) {
    crate::oci::sweep(folder);
    crate::cli::sweep(folder, name(folder));
    // A tool that was killed in the middle of its work may not be able to go on with it.
    end_processes(folder);
    remove_cgroups(name(folder), 20);
    for mount in mounts_below(folder).iter().rev() {
        let _ = unmount(mount);
    }
    let _ = fs::remove_dir_all(folder);
}

/// The programs that watch containers or are machines, and name our folder in their command lines.
const WATCHERS: [&str; 7] = ["conmon", "crun", "runc", "runsc", "podman", "exe", "qemu-system"];

/// Ends the processes whose root is below a folder, and the programs that watch them.
fn end_processes(folder: &Path) {
    let name = name(folder);
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|id| id.parse::<i32>().ok()) else { continue };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let mounts = String::from_utf8_lossy(&read("mountinfo")).into_owned();
        // number, parent, device, root within its file system, where it is mounted
        let inside = mounts.lines().any(|line| {
            let mut fields = line.split(' ').skip(3);
            fields.next().is_some_and(|root| root.contains(name)) && fields.next() == Some("/")
        });
        let comm = String::from_utf8_lossy(&read("comm")).trim().to_owned();
        let starts = |watcher: &&str| comm.starts_with(watcher);
        let watches =
            WATCHERS.iter().any(starts) && String::from_utf8_lossy(&read("cmdline")).contains(&format!("{name}/"));
        if (inside || watches) && id != std::process::id() as i32 {
            // SAFETY: a signal; a process that is gone needs none.
            unsafe { libc::kill(id, libc::SIGKILL) };
        }
    }
}

/// What is mounted below a folder, in the order of mounting.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    points.filter(|point| point.starts_with(folder)).collect()
}

/// Takes a mount away, at once for everybody who comes, later for who is there.
fn unmount(point: &Path) -> io::Result<()> {
    let point = std::ffi::CString::new(point.as_os_str().as_encoded_bytes())?;
    // SAFETY: a plain system call with a text that ends with NUL.
    if unsafe { libc::umount2(point.as_ptr(), libc::MNT_DETACH) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Removes the control groups of this name, which are about to be empty, in every hierarchy; each is tried so often.
pub(crate) fn remove_cgroups(name: &str, attempts: u32) {
    let top = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(top).into_iter().flatten().flatten().map(|entry| entry.path());
    for group in hierarchies.chain([top.to_owned()]).map(|hierarchy| hierarchy.join(name)) {
        remove_group(&group, attempts);
    }
}

/// Removes a control group and those below it. What was killed in one takes a moment to leave it.
fn remove_group(group: &Path, attempts: u32) {
    for below in fs::read_dir(group).into_iter().flatten().flatten() {
        if below.path().is_dir() {
            remove_group(&below.path(), attempts);
        }
    }
    for _ in 0..attempts {
        match fs::remove_dir(group) {
            Err(e) if e.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(Duration::from_millis(5)),
            _ => return,
        }
    }
}

/// Lets the tools of containers work that this thread, and those that it starts, call: where the system mounts a version 2
/// hierarchy beside version 1, crun refuses both, so it is taken out of a mount namespace of one's own.
pub(crate) fn own_mounts() -> Result<(), Failure> {
    thread_local!(static DONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    const UNIFIED: &str = "/sys/fs/cgroup/unified";
    if DONE.get() || !mounts_below(Path::new(UNIFIED)).iter().any(|point| point == Path::new(UNIFIED)) {
        return Ok(());
    }
    let failed = |e: io::Error| Failure::host(format!("no mount namespace of one's own ({e}): run it as root"));
    // SAFETY: a plain system call; this thread leaves the namespace of mounts, and nothing else.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(failed(io::Error::last_os_error()));
    }
    // SAFETY: as above; what is mounted here from now on is not seen elsewhere, and the other way round.
    let private = unsafe {
        let (nowhere, flags) = (std::ptr::null(), libc::MS_PRIVATE | libc::MS_REC);
        libc::mount(nowhere, c"/".as_ptr(), nowhere, flags, std::ptr::null())
    };
    if private != 0 {
        return Err(failed(io::Error::last_os_error()));
    }
    unmount(Path::new(UNIFIED)).map_err(failed)?;
    DONE.set(true);
    Ok(())
}

/// A folder that is the root of a function's file system: the executable, and where to mount what else there is.
pub(crate) fn make_root(executable: &Path) -> Result<PathBuf, Failure> {
    let folder = Place::get()?.new_folder("root")?;
    let failed = |e: io::Error| Failure::host(format!("cannot copy {}: {e}", executable.display()));
    for name in ["proc", "dev", "sys", "etc", "run", "tmp"] {
        fs::create_dir(folder.join(name)).map_err(failed)?;
    }
    let function = folder.join(tool::FUNCTION);
    // Somebody who can write the original could change what runs; a copy is ours.
    fs::copy(executable, &function).map_err(failed)?;
    fs::set_permissions(&function, std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(failed)?;
    fs::write(folder.join(tool::PAUSE), crate::elf::pause()).map_err(failed)?;
    fs::set_permissions(folder.join(tool::PAUSE), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .map_err(failed)?;
    Ok(folder)
}

/// A root that is removed when nobody needs it any more.
pub(crate) struct Root(pub(crate) PathBuf);

impl Drop for Root {
    fn drop(&mut self) {
        // The guardian removes what cannot be removed now.
        let _ = fs::remove_dir_all(&self.0);
    }
}
