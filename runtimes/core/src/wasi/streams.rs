//! The descriptors 0, 1 and 2, and reading and writing.
//!
//! As in wasmtime-wasi without a terminal, their file type is *unknown*: a guest's libc takes a character device for a
//! terminal, and would write it line by line.
//!
//! Unlike wasmtime-wasi, which serves the first buffer that is not empty and leaves the rest to the guest's next call,
//! a read fills and a write takes all buffers. Both ways are within the specification.

use super::errno::{Errno, Refusal, answer};
use super::memory::{address, bytes, bytes_mut, load_u32, store};
use super::{Stop, Wasi};
use crate::capture::Overflow;

const RIGHT_FD_READ: u64 = 1 << 1;
const RIGHT_FD_WRITE: u64 = 1 << 6;

const IOVEC_BYTES: u64 = 8;

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdin,
    Stdout,
    Stderr,
}

/// A guest's array of buffers, which is inside its memory. The buffers need not be.
#[derive(Clone, Copy)]
struct Buffers {
    at: u64,
    count: u64,
}

impl Buffers {
    fn new(memory: &[u8], iovs: i32, iovs_len: i32) -> Result<Self, Errno> {
        let (at, count) = (address(iovs), address(iovs_len));
        bytes(memory, at, count * IOVEC_BYTES)?;
        Ok(Buffers { at, count })
    }

    /// Address and length of one buffer.
    fn get(self, memory: &[u8], index: u64) -> Result<(u64, u64), Errno> {
        let at = self.at + index * IOVEC_BYTES;
        Ok((load_u32(memory, at)?.into(), load_u32(memory, at + 4)?.into()))
    }

    /// The length of all buffers together, when all are inside the memory.
    fn total(self, memory: &[u8]) -> Result<u64, Errno> {
        let mut total = 0;
        for index in 0..self.count {
            let (at, len) = self.get(memory, index)?;
            bytes(memory, at, len)?;
            total += len;
        }
        Ok(total)
    }
}

impl Wasi {
    pub(super) fn stream(&self, fd: i32) -> Result<Stream, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::Badf)?;
        self.descriptors.get(index).copied().flatten().ok_or(Errno::Badf)
    }

    /// What can still be read.
    pub(super) fn unread(&self) -> &[u8] {
        self.stdin.get(self.stdin_position..).unwrap_or_default()
    }

    fn read(&mut self, memory: &mut [u8], fd: i32, iovs: (i32, i32), nread: i32) -> Result<(), Errno> {
        if self.stream(fd)? != Stream::Stdin {
            return Err(Errno::Badf);
        }
        let buffers = Buffers::new(memory, iovs.0, iovs.1)?;
        bytes(memory, address(nread), 4)?;
        buffers.total(memory)?;
        let mut rest = self.unread();
        rest = &rest[..rest.len().min(u32::MAX as usize)];
        let mut read = 0;
        for index in 0..buffers.count {
            if rest.is_empty() {
                break;
            }
            // What was read before may have overwritten the array: it is checked again.
            let (at, len) = buffers.get(memory, index)?;
            let target = bytes_mut(memory, at, len)?;
            let n = target.len().min(rest.len());
            let (now, later) = rest.split_at(n);
            target[..n].copy_from_slice(now);
            (rest, read) = (later, read + n);
        }
        self.stdin_position += read;
        store(memory, address(nread), &(read as u32).to_le_bytes())
    }

    fn write(&mut self, memory: &mut [u8], fd: i32, iovs: (i32, i32), nwritten: i32) -> Result<(), Refusal> {
        let capture = match self.stream(fd)? {
            Stream::Stdin => return Err(Errno::Badf.into()),
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let buffers = Buffers::new(memory, iovs.0, iovs.1)?;
        bytes(memory, address(nwritten), 4)?;
        // More than the result can say is `inval`, as it is for POSIX's writev.
        let total = u32::try_from(buffers.total(memory)?).map_err(|_| Errno::Inval)?;
        for index in 0..buffers.count {
            let (at, len) = buffers.get(memory, index)?;
            capture.write(bytes(memory, at, len)?).map_err(|Overflow| Stop::OutputLimit)?;
        }
        store(memory, address(nwritten), &total.to_le_bytes())?;
        Ok(())
    }

    fn renumber(&mut self, from: i32, to: i32) -> Result<(), Errno> {
        let stream = self.stream(from)?;
        self.stream(to)?;
        self.descriptors[from as usize] = None;
        self.descriptors[to as usize] = Some(stream);
        Ok(())
    }

    /// What a call that needs a position in a file gets.
    fn no_position(&self, fd: i32) -> Result<(), Errno> {
        self.stream(fd).and(Err(Errno::Spipe))
    }

    /// Writes all buffers to standard output or standard error.
    pub fn fd_write(
        &mut self,
        memory: &mut [u8],
        fd: i32,
        iovs: i32,
        iovs_len: i32,
        nwritten: i32,
    ) -> Result<i32, Stop> {
        answer(self.write(memory, fd, (iovs, iovs_len), nwritten))
    }

    /// Reads standard input into the buffers. At its end, 0 bytes are read.
    pub fn fd_read(&mut self, memory: &mut [u8], fd: i32, iovs: i32, iovs_len: i32, nread: i32) -> Result<i32, Stop> {
        answer(self.read(memory, fd, (iovs, iovs_len), nread))
    }

    /// Always refused: `spipe` on standard input, `badf` on any other descriptor.
    pub fn fd_pread(
        &mut self,
        _memory: &mut [u8],
        fd: i32,
        _iovs: i32,
        _iovs_len: i32,
        _offset: i64,
        _nread: i32,
    ) -> Result<i32, Stop> {
        answer(self.stream(fd).and_then(|s| Err(if s == Stream::Stdin { Errno::Spipe } else { Errno::Badf })))
    }

    /// Always refused: `spipe` on standard output and standard error, `badf` on any other descriptor.
    pub fn fd_pwrite(
        &mut self,
        _memory: &mut [u8],
        fd: i32,
        _iovs: i32,
        _iovs_len: i32,
        _offset: i64,
        _nwritten: i32,
    ) -> Result<i32, Stop> {
        answer(self.stream(fd).and_then(|s| Err(if s == Stream::Stdin { Errno::Badf } else { Errno::Spipe })))
    }

    /// Always refused: no descriptor has a position.
    pub fn fd_seek(
        &mut self,
        _memory: &mut [u8],
        fd: i32,
        _offset: i64,
        _whence: i32,
        _newoffset: i32,
    ) -> Result<i32, Stop> {
        answer(self.no_position(fd))
    }

    /// Always refused: no descriptor has a position.
    pub fn fd_tell(&mut self, _memory: &mut [u8], fd: i32, _offset: i32) -> Result<i32, Stop> {
        answer(self.no_position(fd))
    }

    /// Closes a descriptor.
    pub fn fd_close(&mut self, _memory: &mut [u8], fd: i32) -> Result<i32, Stop> {
        answer(self.stream(fd).map(|_| self.descriptors[fd as usize] = None))
    }

    /// Closes `to`, and gives its number to `fd`. Both must be open.
    pub fn fd_renumber(&mut self, _memory: &mut [u8], fd: i32, to: i32) -> Result<i32, Stop> {
        answer(self.renumber(fd, to))
    }

    /// Writes type (unknown), flags (none) and rights (to read or to write) of a descriptor.
    pub fn fd_fdstat_get(&mut self, memory: &mut [u8], fd: i32, stat: i32) -> Result<i32, Stop> {
        answer(self.stream(fd).and_then(|stream| {
            let rights = if stream == Stream::Stdin { RIGHT_FD_READ } else { RIGHT_FD_WRITE }.to_le_bytes();
            let mut fdstat = [0; 24];
            fdstat[8..16].copy_from_slice(&rights);
            fdstat[16..24].copy_from_slice(&rights);
            store(memory, address(stat), &fdstat)
        }))
    }

    /// Writes the attributes of a descriptor's file: type unknown, all else 0.
    pub fn fd_filestat_get(&mut self, memory: &mut [u8], fd: i32, buf: i32) -> Result<i32, Stop> {
        answer(self.stream(fd).and_then(|_| store(memory, address(buf), &[0; 64])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Invocation, Limits};

    const BADF: Result<i32, Stop> = Ok(Errno::Badf as i32);
    const FAULT: Result<i32, Stop> = Ok(Errno::Fault as i32);
    const SPIPE: Result<i32, Stop> = Ok(Errno::Spipe as i32);

    fn wasi(stdin: &[u8], output_bytes: u64) -> Wasi {
        let limits = Limits { output_bytes, ..Limits::default() };
        Wasi::new(&Invocation { stdin: stdin.to_vec(), limits, ..Invocation::default() })
    }

    /// A memory whose first bytes are these buffers' array.
    fn memory(buffers: &[(u32, u32)]) -> [u8; 64] {
        let mut memory = [b'.'; 64];
        for (i, (at, len)) in buffers.iter().enumerate() {
            memory[i * 8..i * 8 + 4].copy_from_slice(&at.to_le_bytes());
            memory[i * 8 + 4..i * 8 + 8].copy_from_slice(&len.to_le_bytes());
        }
        memory
    }

    #[test]
    fn a_write_gathers_all_buffers_in_order() {
        let mut memory = memory(&[(40, 3), (0, 0), (50, 2), (64, 0)]);
        memory[40..43].copy_from_slice(b"abc");
        memory[50..52].copy_from_slice(b"de");
        let mut wasi = wasi(b"", 100);
        assert_eq!(wasi.fd_write(&mut memory, 1, 0, 4, 60), Ok(0));
        assert_eq!(load_u32(&memory, 60), Ok(5));
        assert_eq!(wasi.fd_write(&mut memory, 2, 16, 1, 60), Ok(0));
        assert_eq!(load_u32(&memory, 60), Ok(2));
        assert_eq!(wasi.take_output(), (b"abcde".to_vec(), b"de".to_vec()));
    }

    #[test]
    fn a_read_scatters_until_the_end() {
        let mut memory = memory(&[(40, 3), (0, 0), (50, 9)]);
        let mut wasi = wasi(b"abcdef", 0);
        assert_eq!(wasi.fd_read(&mut memory, 0, 0, 1, 60), Ok(0));
        assert_eq!((&memory[40..44], load_u32(&memory, 60)), (&b"abc."[..], Ok(3)));
        assert_eq!(wasi.fd_read(&mut memory, 0, 8, 2, 60), Ok(0));
        assert_eq!((&memory[50..54], load_u32(&memory, 60)), (&b"def."[..], Ok(3)));
        assert_eq!(wasi.fd_read(&mut memory, 0, 0, 1, 60), Ok(0));
        assert_eq!((&memory[40..44], load_u32(&memory, 60)), (&b"abc."[..], Ok(0)));
    }

    #[test]
    fn a_bad_buffer_is_a_fault_before_anything_happens() {
        // The second buffer is outside, wraps around, or is longer than memory.
        for bad in [(65, 0), (60, 5), (u32::MAX, 1), (u32::MAX, u32::MAX), (0, u32::MAX)] {
            let mut memory = memory(&[(40, 3), bad]);
            let before = memory;
            let mut wasi = wasi(b"xyz", 100);
            assert_eq!(wasi.fd_write(&mut memory, 1, 0, 2, 20), FAULT, "{bad:?}");
            assert_eq!(wasi.fd_read(&mut memory, 0, 0, 2, 20), FAULT, "{bad:?}");
            assert_eq!((memory, wasi.unread()), (before, &b"xyz"[..]));
            assert_eq!(wasi.take_output(), (vec![], vec![]));
        }
    }

    #[test]
    fn a_bad_array_or_result_pointer_is_a_fault_before_anything_happens() {
        for (iovs, len, result) in [(0, -1, 20), (0, i32::MAX, 20), (-8, 1, 20), (57, 1, 20), (0, 1, 61), (0, 1, -1)] {
            let mut memory = memory(&[(40, 3)]);
            let before = memory;
            let mut wasi = wasi(b"xyz", 100);
            assert_eq!(wasi.fd_write(&mut memory, 1, iovs, len, result), FAULT, "{iovs} {len} {result}");
            assert_eq!(wasi.fd_read(&mut memory, 0, iovs, len, result), FAULT, "{iovs} {len} {result}");
            assert_eq!((memory, wasi.unread()), (before, &b"xyz"[..]));
            assert_eq!(wasi.take_output(), (vec![], vec![]));
        }
    }

    #[test]
    fn more_than_the_result_can_say_is_refused() {
        // 32 bytes of array name 4 GiB, in a memory of 1 GiB that is never touched.
        let mut memory = vec![0; 1 << 30];
        memory[..32].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0x40].repeat(4));
        let mut wasi = wasi(b"", u64::MAX);
        assert_eq!(wasi.fd_write(&mut memory, 1, 0, 4, 100), Ok(Errno::Inval as i32));
        assert_eq!(wasi.take_output(), (vec![], vec![]));
    }

    #[test]
    fn a_read_that_overwrites_its_own_array_is_harmless() {
        // The first buffer is the array itself, so that the second becomes (0xffffffff, 0xffffffff).
        let mut memory = memory(&[(0, 16), (40, 3)]);
        let mut wasi = wasi(&[0xff; 20], 0);
        assert_eq!(wasi.fd_read(&mut memory, 0, 0, 2, 20), FAULT);
        assert_eq!(memory[16..], [b'.'; 48]);
    }

    #[test]
    fn output_beyond_the_limit_stops_the_guest() {
        let mut memory = memory(&[(40, 3)]);
        let mut wasi = wasi(b"", 5);
        assert_eq!(wasi.fd_write(&mut memory, 1, 0, 1, 20), Ok(0));
        assert_eq!(wasi.fd_write(&mut memory, 2, 0, 1, 20), Ok(0));
        assert!(!wasi.overflowed());
        assert_eq!(wasi.fd_write(&mut memory, 2, 0, 1, 20), Err(Stop::OutputLimit));
        assert!(wasi.overflowed());
    }

    #[test]
    fn descriptors_have_a_direction() {
        let mut memory = memory(&[(40, 3)]);
        let mut wasi = wasi(b"x", 100);
        assert_eq!(wasi.fd_write(&mut memory, 0, 0, 1, 20), BADF);
        for fd in [1, 2, 3, -1, i32::MIN, i32::MAX] {
            assert_eq!(wasi.fd_read(&mut memory, fd, 0, 1, 20), BADF, "{fd}");
        }
        for (fd, pread, pwrite) in [(0, SPIPE, BADF), (1, BADF, SPIPE), (2, BADF, SPIPE), (3, BADF, BADF)] {
            assert_eq!(wasi.fd_pread(&mut memory, fd, 0, 1, 0, 20), pread, "{fd}");
            assert_eq!(wasi.fd_pwrite(&mut memory, fd, 0, 1, 0, 20), pwrite, "{fd}");
        }
    }

    #[test]
    fn a_closed_descriptor_is_gone() {
        let mut memory = memory(&[(40, 3)]);
        let mut wasi = wasi(b"x", 100);
        for fd in 0..3 {
            assert_eq!(wasi.fd_tell(&mut memory, fd, 20), SPIPE);
            assert_eq!(wasi.fd_close(&mut memory, fd), Ok(0));
            assert_eq!(wasi.fd_close(&mut memory, fd), BADF);
            assert_eq!(wasi.fd_seek(&mut memory, fd, 0, 0, 20), BADF);
            assert_eq!(wasi.fd_write(&mut memory, fd, 0, 1, 20), BADF);
            assert_eq!(wasi.fd_fdstat_get(&mut memory, fd, 20), BADF);
            assert_eq!(wasi.fd_filestat_get(&mut memory, fd, 0), BADF);
        }
    }

    #[test]
    fn renumbering_moves_a_stream() {
        let mut memory = memory(&[(40, 3)]);
        let mut wasi = wasi(b"x", 100);
        assert_eq!(wasi.fd_renumber(&mut memory, 1, 1), Ok(0));
        assert_eq!(wasi.fd_renumber(&mut memory, 1, 3), BADF);
        assert_eq!(wasi.fd_renumber(&mut memory, 3, 1), BADF);
        assert_eq!(wasi.fd_renumber(&mut memory, 1, 2), Ok(0));
        assert_eq!(wasi.fd_write(&mut memory, 1, 0, 1, 20), BADF);
        assert_eq!(wasi.fd_write(&mut memory, 2, 0, 1, 20), Ok(0));
        assert_eq!(wasi.fd_renumber(&mut memory, 2, 1), BADF);
        assert_eq!(wasi.take_output(), (b"...".to_vec(), vec![]));
    }

    #[test]
    fn a_stream_is_no_terminal_and_has_one_right() {
        let mut wasi = wasi(b"", 0);
        for (fd, rights) in [(0, 2), (1, 64), (2, 64)] {
            let mut memory = [7; 26];
            assert_eq!(wasi.fd_fdstat_get(&mut memory, fd, 1), Ok(0));
            let expected = [7, 0, 0, 0, 0, 0, 0, 0, 0, rights, 0, 0, 0, 0, 0, 0, 0, rights, 0, 0, 0, 0, 0, 0, 0, 7];
            assert_eq!(memory, expected);
            let mut memory = [7; 66];
            assert_eq!(wasi.fd_filestat_get(&mut memory, fd, 1), Ok(0));
            assert_eq!((memory[0], &memory[1..65], memory[65]), (7, &[0; 64][..], 7));
            assert_eq!(wasi.fd_fdstat_get(&mut memory, fd, 43), FAULT);
            assert_eq!(wasi.fd_filestat_get(&mut memory, fd, 3), FAULT);
        }
    }
}
