//! Two executables that need no compiler: one that says "ok", by which runtimes are tried, and one that waits for ever, which
//! keeps a container alive.

/// What [`greeter`] writes to standard output.
pub(crate) const GREETING: &[u8] = b"ok\n";

/// An executable that writes [`GREETING`] and exits with 0.
pub(crate) fn greeter() -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    let code: &[u8] = &[
        0xb8, 1, 0, 0, 0, // mov eax, write
        0x89, 0xc7, // mov edi, eax
        0x48, 0x8d, 0x35, 16, 0, 0, 0, // lea rsi, [greeting]
        0xba, 3, 0, 0, 0, // mov edx, 3
        0x0f, 0x05, // syscall
        0xb8, 60, 0, 0, 0, // mov eax, exit
        0x31, 0xff, // xor edi, edi
        0x0f, 0x05, // syscall
        b'o', b'k', b'\n',
    ];
    #[cfg(target_arch = "aarch64")]
    let code: &[u8] = &words(&[
        0xd280_0020, // mov x0, 1
        0x1000_00e1, // adr x1, greeting
        0xd280_0062, // mov x2, 3
        0xd280_0808, // mov x8, write
        0xd400_0001, // svc 0
        0xd280_0000, // mov x0, 0
        0xd280_0ba8, // mov x8, exit
        0xd400_0001, // svc 0
        u32::from_le_bytes(*b"ok\n\0"),
    ]);
    executable(code)
}

/// An executable that does nothing and never ends.
pub(crate) fn pause() -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    let code: &[u8] = &[
        0xb8, 34, 0, 0, 0, // mov eax, pause
        0x0f, 0x05, // syscall
        0xeb, 0xf7, // jmp to the start
    ];
    #[cfg(target_arch = "aarch64")]
    let code: &[u8] = &words(&[
        0xd280_0000, // mov x0, 0
        0xd280_0001, // mov x1, 0
        0xd280_0002, // mov x2, 0
        0xd280_0003, // mov x3, 0
        0xd280_0004, // mov x4, 0
        0xd280_0928, // mov x8, ppoll
        0xd400_0001, // svc 0
        0x17ff_fff9, // b to the start
    ]);
    executable(code)
}

#[cfg(target_arch = "aarch64")]
fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A 64-bit ELF executable of one segment, which holds the headers and this code.
fn executable(code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let size = HEADERS + code.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |file: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|v| file.extend(v.to_le_bytes()));
    half(&mut file, &[2, machine]);
    file.extend(1_u32.to_le_bytes());
    for value in [BASE + HEADERS, 64, 0] {
        file.extend(u64::to_le_bytes(value));
    }
    file.extend(0_u32.to_le_bytes());
    half(&mut file, &[64, 56, 1, 64, 0, 0]);
    // One loadable segment, readable and executable.
    file.extend([1_u32.to_le_bytes(), 5_u32.to_le_bytes()].concat());
    for value in [0, BASE, BASE, size, size, 0x1000] {
        file.extend(u64::to_le_bytes(value));
    }
    file.extend(code);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::{Status, run};
    use crate::spawn::{Command, File};
    use isobar_core::{Failure, Limits};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn written(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
        let path = folder.path().join("program");
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn start(bytes: &[u8], limits: &Limits) -> Result<crate::collect::Finished, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let file = File::open(&written(&folder, bytes)).unwrap();
        run(&Command::new(file, ["program"], []).unwrap(), b"", limits)
    }

    #[test]
    fn one_greets_and_the_other_waits() {
        let greeted = start(&greeter(), &Limits::default()).unwrap();
        assert_eq!((greeted.status, &*greeted.stdout), (Status::Exit(0), GREETING));
        let limits = Limits { wall_time_ns: 50_000_000, ..Limits::default() };
        let waits = start(&pause(), &limits).err();
        assert_eq!(waits, Some(Failure::Timeout { limit_ns: 50_000_000 }));
    }
}
