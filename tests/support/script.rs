//! Runners that are shell scripts, brought by a manifest.

#![allow(dead_code, reason = "each test program uses what it needs of this")]

use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The beginning of a script, with a function `describe` that offers an interpreter `family/name` for each name.
pub fn head(family: &str, names: &[&str]) -> String {
    let enforcement = json!({ "wall_time": "process", "memory": "process", "stack": "process" });
    let runtime = |name: &&str| {
        json!({ "id": format!("{family}/{name}"), "version": "1.0", "wasi": "none", "execution": "interpreter",
            "concurrent": false, "proposals": [], "enforcement": enforcement, "settings": {} })
    };
    let runtimes: Vec<_> = names.iter().map(runtime).collect();
    let described = json!({ "reply": "described", "protocol": 2, "version": "1", "runtimes": runtimes });
    format!("#!/bin/sh\ndescribe() {{\n    echo '{described}'\n}}\n")
}

/// Makes a script the runner of a family, in a folder of manifests.
pub fn install(folder: &Path, family: &str, script: &str) {
    let program = folder.join(format!("{family}.sh"));
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = format!("family = \"{family}\"\nprogram = \"./{family}.sh\"\nremedy = \"mend it\"\n");
    fs::write(folder.join(format!("{family}.toml")), manifest).unwrap();
}
