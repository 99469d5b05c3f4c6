//! Checked access to the guest's memory. Addresses are `u64`: an `i32` pointer plus any offset computed here fits.
//!
//! An access outside of memory is `fault`. The specification's legacy rules let it trap, and wasmtime-wasi does; most
//! other hosts answer `fault`, and a host that is shared by many engines cannot raise a trap in all of them alike.

use super::errno::Errno;
use std::ops::Range;

/// The address that a guest's pointer names.
pub(super) fn address(pointer: i32) -> u64 {
    u64::from(pointer.cast_unsigned())
}

fn range(at: u64, len: u64) -> Result<Range<usize>, Errno> {
    let end = at.checked_add(len).ok_or(Errno::Fault)?;
    let index = |address| usize::try_from(address).map_err(|_| Errno::Fault);
    Ok(index(at)?..index(end)?)
}

/// `len` bytes at `at`.
pub(super) fn bytes(memory: &[u8], at: u64, len: u64) -> Result<&[u8], Errno> {
    memory.get(range(at, len)?).ok_or(Errno::Fault)
}

/// `len` bytes at `at`, to be written.
pub(super) fn bytes_mut(memory: &mut [u8], at: u64, len: u64) -> Result<&mut [u8], Errno> {
    memory.get_mut(range(at, len)?).ok_or(Errno::Fault)
}

fn load<const N: usize>(memory: &[u8], at: u64) -> Result<[u8; N], Errno> {
    let bytes = bytes(memory, at, N as u64)?;
    bytes.try_into().map_err(|_| Errno::Fault)
}

/// The byte at `at`.
pub(super) fn load_u8(memory: &[u8], at: u64) -> Result<u8, Errno> {
    load(memory, at).map(u8::from_le_bytes)
}

/// The little-endian half-word at `at`.
pub(super) fn load_u16(memory: &[u8], at: u64) -> Result<u16, Errno> {
    load(memory, at).map(u16::from_le_bytes)
}

/// The little-endian word at `at`.
pub(super) fn load_u32(memory: &[u8], at: u64) -> Result<u32, Errno> {
    load(memory, at).map(u32::from_le_bytes)
}

/// The little-endian double word at `at`.
pub(super) fn load_u64(memory: &[u8], at: u64) -> Result<u64, Errno> {
    load(memory, at).map(u64::from_le_bytes)
}

/// Writes `source` at `at`.
pub(super) fn store(memory: &mut [u8], at: u64, source: &[u8]) -> Result<(), Errno> {
    bytes_mut(memory, at, source.len() as u64)?.copy_from_slice(source);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_is_inside_and_the_next_is_not() {
        let mut memory = [0; 8];
        assert_eq!(store(&mut memory, 4, &[1, 2, 3, 4]), Ok(()));
        assert_eq!(load_u32(&memory, 4), Ok(0x0403_0201));
        assert_eq!(load_u16(&memory, 6), Ok(0x0403));
        assert_eq!(load_u32(&memory, 5), Err(Errno::Fault));
        assert_eq!(store(&mut memory, 5, &[9; 4]), Err(Errno::Fault));
        assert_eq!(memory, [0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(bytes(&memory, 8, 0), Ok(&[][..]));
        assert_eq!(bytes(&memory, 9, 0), Err(Errno::Fault));
    }

    #[test]
    fn nothing_wraps_around() {
        assert_eq!(address(-1), 0xffff_ffff);
        assert_eq!(bytes(&[0; 8], u64::MAX, 1), Err(Errno::Fault));
        assert_eq!(bytes(&[0; 8], 1, u64::MAX), Err(Errno::Fault));
        assert_eq!(load_u64(&[0; 8], address(-4)), Err(Errno::Fault));
    }
}
