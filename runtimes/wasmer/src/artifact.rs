//! The file of a module that was compiled ahead of time.
//!
//! Wasmer loads what any of its compilers wrote, and runs what a broken disk made of it. So a seal follows Wasmer's
//! bytes: who compiled them, how many there are, and their hash. It guards against mistakes, not against malice.

use bytes::Bytes;
use isobar_core::Failure;
use shared_buffer::OwnedBuffer;
use std::fs::File;
use std::path::Path;
use xxhash_rust::xxh64::xxh64;

const MAGIC: [u8; 8] = *b"isobar-w";
const MAKER_BYTES: usize = 40;
const SEAL_BYTES: usize = MAKER_BYTES + 8 + 8 + MAGIC.len();

/// Who writes artifacts as `made_by`: the compiler, Wasmer's version, the processor.
fn maker(made_by: &str) -> [u8; MAKER_BYTES] {
    let text = format!("{made_by} {} {}-{}", crate::VERSION, std::env::consts::ARCH, std::env::consts::OS);
    let mut maker = [0; MAKER_BYTES];
    let len = text.len().min(MAKER_BYTES);
    maker[..len].copy_from_slice(&text.as_bytes()[..len]);
    maker
}

/// `code`, serialised by Wasmer, as a file's content.
pub(crate) fn seal(made_by: &str, code: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(code.len() + SEAL_BYTES);
    file.extend_from_slice(code);
    file.extend_from_slice(&maker(made_by));
    file.extend_from_slice(&(code.len() as u64).to_le_bytes());
    file.extend_from_slice(&xxh64(code, 0).to_le_bytes());
    file.extend_from_slice(&MAGIC);
    file
}

/// What Wasmer serialised into the file `path`, mapped into memory.
///
/// # Errors
/// [`Failure::Host`] for a file that cannot be read, [`Failure::Rejected`] for one that [`seal`] did not write for this
/// maker, or that has changed since.
pub(crate) fn open(made_by: &str, path: &Path) -> Result<Bytes, Failure> {
    let file = File::open(path).and_then(|file| OwnedBuffer::from_file(&file).map_err(std::io::Error::other));
    let file = file.map_err(|e| Failure::host(format!("cannot read {}: {e}", path.display())))?;
    match checked(made_by, file.as_slice()) {
        Ok(len) => Ok(Bytes::from_owner(file).slice(..len)),
        Err(why) => Err(Failure::rejected(format!("{} is no artifact of this runtime: {why}", path.display()))),
    }
}

/// How many of the file's bytes are Wasmer's.
fn checked(made_by: &str, file: &[u8]) -> Result<usize, String> {
    let Some((code, seal)) = file.split_last_chunk::<SEAL_BYTES>().filter(|(_, seal)| seal.ends_with(&MAGIC)) else {
        return Err("it was not written by isobar, or is cut short".to_owned());
    };
    let (found, rest) = seal.split_at(MAKER_BYTES);
    let wanted = maker(made_by);
    if found != wanted {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
        return Err(format!("it was compiled by {}, not by {}", text(found), text(&wanted)));
    }
    if rest[..8] != (code.len() as u64).to_le_bytes() || rest[8..16] != xxh64(code, 0).to_le_bytes() {
        return Err("it is corrupt".to_owned());
    }
    Ok(code.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_file_opens() {
        let file = seal("cranelift", b"code");
        assert_eq!(checked("cranelift", &file), Ok(4));
    }

    #[test]
    fn another_file_does_not() {
        let file = seal("cranelift", b"code");
        assert!(checked("singlepass", &file).unwrap_err().contains("not by singlepass"));
        assert!(checked("cranelift", b"").is_err());
        for i in 0..file.len() {
            let mut changed = file.clone();
            changed[i] ^= 1;
            assert!(checked("cranelift", &changed).is_err(), "byte {i} changed");
            assert!(checked("cranelift", &file[..i]).is_err(), "cut at {i}");
            assert!(checked("cranelift", &file[i + 1..]).is_err(), "without the first {}", i + 1);
        }
    }
}
