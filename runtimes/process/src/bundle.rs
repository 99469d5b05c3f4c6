//! What an OCI runtime makes a container of: a root with the executable and a description, `config.json`.

use crate::place::{Place, Root};
use crate::tool::{FUNCTION, PAUSE};
use isobar_core::{Failure, Invocation, Limits};
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a container starts.
pub(crate) enum Start<'a> {
    Function(&'a Invocation),
    /// Nothing: it waits for what is executed in it.
    Pause,
}

/// A bundle, removed when nobody needs it any more.
pub(crate) struct Bundle {
    pub(crate) folder: Root,
    pub(crate) id: String,
    /// The root is others', too.
    _root: Arc<Root>,
}

impl Bundle {
    pub(crate) fn make(root: &Arc<Root>, start: Start<'_>) -> Result<Bundle, Failure> {
        let place = Place::get()?;
        let folder = Root(place.new_folder("bundle")?);
        let id = format!("{}-{}", place.name(), folder.0.file_name().and_then(|n| n.to_str()).unwrap_or_default());
        let config = config(&root.0, place.name(), &id, &start);
        let failed = |e: io::Error| Failure::host(format!("cannot write a container's config.json: {e}"));
        fs::write(folder.0.join("config.json"), config.to_string()).map_err(failed)?;
        Ok(Bundle { folder, id, _root: root.clone() })
    }

    pub(crate) fn path(&self) -> &str {
        self.folder.0.to_str().unwrap_or_default()
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.folder.0.join("pid")
    }
}

/// A process of a container, as `config.json` and `exec --process` have it.
pub(crate) fn process(start: &Start<'_>) -> Value {
    let (args, env, limits) = match start {
        Start::Pause => (vec![format!("/{PAUSE}")], Vec::new(), Limits::default()),
        Start::Function(invocation) => {
            let args = [format!("/{FUNCTION}")].into_iter().chain(invocation.args.iter().cloned()).collect();
            let env = invocation.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
            (args, env, invocation.limits)
        }
    };
    let bytes = limits.memory_bytes;
    json!({
        "terminal": false,
        "user": { "uid": 0, "gid": 0 },
        "args": args,
        "env": env,
        "cwd": "/",
        "capabilities": { "bounding": [], "effective": [], "inheritable": [], "permitted": [], "ambient": [] },
        "rlimits": [
            { "type": "RLIMIT_DATA", "hard": bytes, "soft": bytes },
            { "type": "RLIMIT_CORE", "hard": 0, "soft": 0 },
        ],
        "noNewPrivileges": true,
    })
}

/// The description of a container, after what `crun spec` and `runc spec` write.
fn config(root: &Path, group: &str, id: &str, start: &Start<'_>) -> Value {
    let quiet = ["nosuid", "noexec", "nodev"];
    json!({
        "ociVersion": "1.0.2",
        "process": process(start),
        "root": { "path": root, "readonly": true },
        "hostname": FUNCTION,
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
              "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [quiet[0], quiet[1], quiet[2], "ro"] },
        ],
        "linux": {
            "cgroupsPath": format!("/{group}/{id}"),
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [
                { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" },
            ],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    })
}
