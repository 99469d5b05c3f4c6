//! What exists for no function: files, directories and sockets. The calls link, and are refused as wasmtime-wasi
//! refuses them. Other arguments than the descriptor are not looked at.

use super::errno::{Errno, answer};
use super::{Stop, Wasi};

/// Calls on files and directories: `badf` on every descriptor, because none is a file or directory.
macro_rules! refuse {
    ($($(#[$doc:meta])* fn $name:ident($($_arg:ident: $ty:ty),*);)*) => {
        #[expect(clippy::too_many_arguments, reason = "the signatures are those of WASI")]
        impl Wasi {
            $(
                $(#[$doc])*
                pub fn $name(&mut self, _memory: &mut [u8], $(_: $ty),*) -> Result<i32, Stop> {
                    answer(Err(Errno::Badf))
                }
            )*
        }
    };
}

refuse! {
    /// Always refused: no descriptor is a file.
    fn fd_advise(fd: i32, offset: i64, len: i64, advice: i32);
    /// Always refused: no descriptor is a file.
    fn fd_allocate(fd: i32, offset: i64, len: i64);
    /// Always refused: no descriptor is a file.
    fn fd_datasync(fd: i32);
    /// Always refused: no descriptor is a file.
    fn fd_fdstat_set_flags(fd: i32, flags: i32);
    /// Always refused: no descriptor is a file or a directory.
    fn fd_fdstat_set_rights(fd: i32, rights_base: i64, rights_inheriting: i64);
    /// Always refused: no descriptor is a file.
    fn fd_filestat_set_size(fd: i32, size: i64);
    /// Always refused: no descriptor is a file or a directory.
    fn fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, fst_flags: i32);
    /// Always refused, which tells a guest's libc that there are no preopened directories.
    fn fd_prestat_get(fd: i32, prestat: i32);
    /// Always refused: no descriptor is a directory.
    fn fd_readdir(fd: i32, buf: i32, buf_len: i32, cookie: i64, bufused: i32);
    /// Always refused: no descriptor is a file.
    fn fd_sync(fd: i32);
    /// Always refused: no descriptor is a directory.
    fn path_create_directory(fd: i32, path: i32, path_len: i32);
    /// Always refused: no descriptor is a directory.
    fn path_filestat_get(fd: i32, flags: i32, path: i32, path_len: i32, buf: i32);
    /// Always refused: no descriptor is a directory.
    fn path_filestat_set_times(
        fd: i32, flags: i32, path: i32, path_len: i32, atim: i64, mtim: i64, fst_flags: i32
    );
    /// Always refused: no descriptor is a directory.
    fn path_link(
        old_fd: i32, old_flags: i32, old_path: i32, old_path_len: i32, new_fd: i32, new_path: i32, new_path_len: i32
    );
    /// Always refused: no descriptor is a directory.
    fn path_open(
        fd: i32, dirflags: i32, path: i32, path_len: i32, oflags: i32, rights_base: i64, rights_inheriting: i64,
        fdflags: i32, opened_fd: i32
    );
    /// Always refused: no descriptor is a directory.
    fn path_readlink(fd: i32, path: i32, path_len: i32, buf: i32, buf_len: i32, bufused: i32);
    /// Always refused: no descriptor is a directory.
    fn path_remove_directory(fd: i32, path: i32, path_len: i32);
    /// Always refused: no descriptor is a directory.
    fn path_rename(fd: i32, old_path: i32, old_path_len: i32, new_fd: i32, new_path: i32, new_path_len: i32);
    /// Always refused: no descriptor is a directory.
    fn path_symlink(old_path: i32, old_path_len: i32, fd: i32, new_path: i32, new_path_len: i32);
    /// Always refused: no descriptor is a directory.
    fn path_unlink_file(fd: i32, path: i32, path_len: i32);
}

impl Wasi {
    /// Always refused: `notdir` on an open descriptor, `badf` on any other.
    pub fn fd_prestat_dir_name(
        &mut self,
        _memory: &mut [u8],
        fd: i32,
        _path: i32,
        _path_len: i32,
    ) -> Result<i32, Stop> {
        answer(self.stream(fd).and(Err(Errno::Notdir)))
    }

    /// Always refused: `notsock` on an open descriptor, `badf` on any other.
    pub fn sock_accept(&mut self, _memory: &mut [u8], fd: i32, _flags: i32, _connection: i32) -> Result<i32, Stop> {
        answer(self.no_socket(fd))
    }

    /// Always refused: `notsock` on an open descriptor, `badf` on any other.
    #[expect(clippy::too_many_arguments, reason = "the signature is that of WASI")]
    pub fn sock_recv(
        &mut self,
        _memory: &mut [u8],
        fd: i32,
        _ri_data: i32,
        _ri_data_len: i32,
        _ri_flags: i32,
        _ro_datalen: i32,
        _ro_flags: i32,
    ) -> Result<i32, Stop> {
        answer(self.no_socket(fd))
    }

    /// Always refused: `notsock` on an open descriptor, `badf` on any other.
    pub fn sock_send(
        &mut self,
        _memory: &mut [u8],
        fd: i32,
        _si_data: i32,
        _si_data_len: i32,
        _si_flags: i32,
        _so_datalen: i32,
    ) -> Result<i32, Stop> {
        answer(self.no_socket(fd))
    }

    /// Always refused: `notsock` on an open descriptor, `badf` on any other.
    pub fn sock_shutdown(&mut self, _memory: &mut [u8], fd: i32, _how: i32) -> Result<i32, Stop> {
        answer(self.no_socket(fd))
    }

    fn no_socket(&self, fd: i32) -> Result<(), Errno> {
        self.stream(fd).and(Err(Errno::Notsock))
    }
}
