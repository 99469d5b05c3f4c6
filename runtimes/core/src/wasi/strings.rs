//! Arguments and environment variables: built once, in the form in which the guest gets them.

use super::errno::{Errno, answer};
use super::memory::{address, bytes, bytes_mut, store};
use super::{Stop, Wasi};
use crate::contract::Invocation;

/// Strings that end with NUL, one after the other, and where each begins.
#[derive(Clone, Debug)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Strings {
    /// The arguments of an invocation, the program's name first.
    pub(super) fn args(invocation: &Invocation) -> Self {
        Strings::new(invocation.args.len() + 1, invocation.argv().map(|arg| [arg, "", ""]))
    }

    /// The environment of an invocation, as `NAME=value`.
    pub(super) fn env(invocation: &Invocation) -> Self {
        let variables = invocation.env.iter().map(|(name, value)| [name.as_str(), "=", value.as_str()]);
        Strings::new(invocation.env.len(), variables)
    }

    fn new<'a>(count: usize, strings: impl Iterator<Item = [&'a str; 3]> + Clone) -> Self {
        let total = strings.clone().flatten().map(str::len).sum::<usize>() + count;
        let (mut bytes, mut starts) = (Vec::with_capacity(total), Vec::with_capacity(count));
        for parts in strings {
            starts.push(bytes.len());
            parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
            bytes.push(0);
        }
        Strings { bytes, starts }
    }

    fn sizes(&self, memory: &mut [u8], count: i32, size: i32) -> Result<(), Errno> {
        let [count_at, size_at] = [address(count), address(size)];
        let word = |n: usize| u32::try_from(n).map(u32::to_le_bytes).map_err(|_| Errno::Overflow);
        let (count, size) = (word(self.starts.len())?, word(self.bytes.len())?);
        bytes(memory, size_at, 4)?;
        store(memory, count_at, &count)?;
        store(memory, size_at, &size)
    }

    fn copy(&self, memory: &mut [u8], table: i32, buffer: i32) -> Result<(), Errno> {
        let [table_at, buffer_at] = [address(table), address(buffer)];
        bytes(memory, buffer_at, self.bytes.len() as u64)?;
        let table = bytes_mut(memory, table_at, self.starts.len() as u64 * 4)?;
        for (entry, start) in table.chunks_exact_mut(4).zip(&self.starts) {
            let pointer = u32::try_from(buffer_at + *start as u64).map_err(|_| Errno::Fault)?;
            entry.copy_from_slice(&pointer.to_le_bytes());
        }
        store(memory, buffer_at, &self.bytes)
    }
}

impl Wasi {
    /// Writes pointers to the arguments to `argv`, and the arguments to `argv_buf`.
    pub fn args_get(&mut self, memory: &mut [u8], argv: i32, argv_buf: i32) -> Result<i32, Stop> {
        answer(self.args.copy(memory, argv, argv_buf))
    }

    /// Writes the number of arguments, and their size with their NULs, in bytes.
    pub fn args_sizes_get(&mut self, memory: &mut [u8], argc: i32, argv_buf_size: i32) -> Result<i32, Stop> {
        answer(self.args.sizes(memory, argc, argv_buf_size))
    }

    /// Writes pointers to the environment variables to `environ`, and the variables to `environ_buf`.
    pub fn environ_get(&mut self, memory: &mut [u8], environ: i32, environ_buf: i32) -> Result<i32, Stop> {
        answer(self.env.copy(memory, environ, environ_buf))
    }

    /// Writes the number of environment variables, and their size with their NULs, in bytes.
    pub fn environ_sizes_get(&mut self, memory: &mut [u8], count: i32, environ_buf_size: i32) -> Result<i32, Stop> {
        answer(self.env.sizes(memory, count, environ_buf_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasi::memory::load_u32;

    const FAULT: Result<i32, Stop> = Ok(Errno::Fault as i32);

    #[test]
    fn arguments_begin_with_the_name_of_the_program() {
        let mut wasi = Wasi::new(&Invocation { args: vec!["-é".into(), String::new()], ..Invocation::default() });
        let mut memory = [0xff; 64];
        assert_eq!(wasi.args_sizes_get(&mut memory, 0, 4), Ok(0));
        assert_eq!((load_u32(&memory, 0), load_u32(&memory, 4)), (Ok(3), Ok(9 + 4 + 1)));
        assert_eq!(wasi.args_get(&mut memory, 8, 30), Ok(0));
        assert_eq!([8, 12, 16].map(|at| load_u32(&memory, at).unwrap()), [30, 39, 43]);
        assert_eq!(&memory[30..44], "function\0-é\0\0".as_bytes());
        assert_eq!((&memory[20..30], &memory[44..]), (&[0xff; 10][..], &[0xff; 20][..]));
    }

    #[test]
    fn a_value_may_hold_an_equals_sign_and_the_order_is_kept() {
        let mut wasi = Wasi::new(&Invocation::with_env([("B", "x=y="), ("A", ""), ("B", "again")]));
        let mut memory = [0; 64];
        assert_eq!(wasi.environ_get(&mut memory, 0, 12), Ok(0));
        assert_eq!(&memory[12..31], b"B=x=y=\0A=\0B=again\0\0");
        assert_eq!([0, 4, 8].map(|at| load_u32(&memory, at).unwrap()), [12, 19, 22]);
    }

    #[test]
    fn an_empty_environment_needs_no_memory() {
        let mut wasi = Wasi::new(&Invocation::default());
        assert_eq!(wasi.environ_get(&mut [], 0, 0), Ok(0));
        let mut memory = [0xff; 8];
        assert_eq!(wasi.environ_sizes_get(&mut memory, 0, 4), Ok(0));
        assert_eq!(memory, [0; 8]);
    }

    #[test]
    fn what_does_not_fit_is_not_begun() {
        let mut wasi = Wasi::new(&Invocation::with_env([("NAME", "value")]));
        let mut memory = [7; 16];
        for (table, buffer) in [(0, 6), (13, 4), (-1, 4), (0, -1), (i32::MIN, i32::MIN)] {
            assert_eq!(wasi.environ_get(&mut memory, table, buffer), FAULT, "{table} {buffer}");
        }
        for (count, size) in [(0, 13), (13, 0), (-4, 0), (0, -4)] {
            assert_eq!(wasi.environ_sizes_get(&mut memory, count, size), FAULT, "{count} {size}");
        }
        assert_eq!(memory, [7; 16]);
        assert_eq!(wasi.environ_get(&mut memory, 0, 5), Ok(0));
    }
}
