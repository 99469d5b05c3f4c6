//! The table of all functions, from which an adapter binds them to its engine.

/// Hands every function of WASI preview 1, with its WebAssembly signature, to the macro `callback`:
/// `preview1!(callback, tokens)` becomes `callback! { [tokens] fn fd_write(fd: i32, ...) -> i32; ... }`. Without
/// tokens the brackets are empty. `proc_exit` alone has no result. The method of [`Wasi`](crate::wasi::Wasi) of the
/// same name takes the memory, then these arguments.
///
/// ```
/// macro_rules! types {
///     ([$only:literal] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
///         [$((stringify!($name), stringify!($($ty)*))),*].iter().find(|(name, _)| *name == $only)
///     };
/// }
/// assert_eq!(isobar_core::preview1!(types, "clock_time_get"), Some(&("clock_time_get", "i32 i64 i32")));
/// ```
#[macro_export]
macro_rules! preview1 {
    ($($callback:ident)::+) => {
        $crate::preview1!($($callback)::+,)
    };
    ($($callback:ident)::+, $($tokens:tt)*) => {
        $($callback)::+! {
            [$($tokens)*]
            fn args_get(argv: i32, argv_buf: i32) -> i32;
            fn args_sizes_get(argc: i32, argv_buf_size: i32) -> i32;
            fn clock_res_get(id: i32, resolution: i32) -> i32;
            fn clock_time_get(id: i32, precision: i64, time: i32) -> i32;
            fn environ_get(environ: i32, environ_buf: i32) -> i32;
            fn environ_sizes_get(count: i32, environ_buf_size: i32) -> i32;
            fn fd_advise(fd: i32, offset: i64, len: i64, advice: i32) -> i32;
            fn fd_allocate(fd: i32, offset: i64, len: i64) -> i32;
            fn fd_close(fd: i32) -> i32;
            fn fd_datasync(fd: i32) -> i32;
            fn fd_fdstat_get(fd: i32, stat: i32) -> i32;
            fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
            fn fd_fdstat_set_rights(fd: i32, rights_base: i64, rights_inheriting: i64) -> i32;
            fn fd_filestat_get(fd: i32, buf: i32) -> i32;
            fn fd_filestat_set_size(fd: i32, size: i64) -> i32;
            fn fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, fst_flags: i32) -> i32;
            fn fd_pread(fd: i32, iovs: i32, iovs_len: i32, offset: i64, nread: i32) -> i32;
            fn fd_prestat_dir_name(fd: i32, path: i32, path_len: i32) -> i32;
            fn fd_prestat_get(fd: i32, prestat: i32) -> i32;
            fn fd_pwrite(fd: i32, iovs: i32, iovs_len: i32, offset: i64, nwritten: i32) -> i32;
            fn fd_read(fd: i32, iovs: i32, iovs_len: i32, nread: i32) -> i32;
            fn fd_readdir(fd: i32, buf: i32, buf_len: i32, cookie: i64, bufused: i32) -> i32;
            fn fd_renumber(fd: i32, to: i32) -> i32;
            fn fd_seek(fd: i32, offset: i64, whence: i32, newoffset: i32) -> i32;
            fn fd_sync(fd: i32) -> i32;
            fn fd_tell(fd: i32, offset: i32) -> i32;
            fn fd_write(fd: i32, iovs: i32, iovs_len: i32, nwritten: i32) -> i32;
            fn path_create_directory(fd: i32, path: i32, path_len: i32) -> i32;
            fn path_filestat_get(fd: i32, flags: i32, path: i32, path_len: i32, buf: i32) -> i32;
            fn path_filestat_set_times(
                fd: i32, flags: i32, path: i32, path_len: i32, atim: i64, mtim: i64, fst_flags: i32
            ) -> i32;
            fn path_link(
                old_fd: i32, old_flags: i32, old_path: i32, old_path_len: i32,
                new_fd: i32, new_path: i32, new_path_len: i32
            ) -> i32;
            fn path_open(
                fd: i32, dirflags: i32, path: i32, path_len: i32, oflags: i32,
                rights_base: i64, rights_inheriting: i64, fdflags: i32, opened_fd: i32
            ) -> i32;
            fn path_readlink(fd: i32, path: i32, path_len: i32, buf: i32, buf_len: i32, bufused: i32) -> i32;
            fn path_remove_directory(fd: i32, path: i32, path_len: i32) -> i32;
            fn path_rename(
                fd: i32, old_path: i32, old_path_len: i32, new_fd: i32, new_path: i32, new_path_len: i32
            ) -> i32;
            fn path_symlink(old_path: i32, old_path_len: i32, fd: i32, new_path: i32, new_path_len: i32) -> i32;
            fn path_unlink_file(fd: i32, path: i32, path_len: i32) -> i32;
            fn poll_oneoff(subscriptions: i32, events: i32, nsubscriptions: i32, nevents: i32) -> i32;
            fn proc_exit(code: i32);
            fn proc_raise(sig: i32) -> i32;
            fn random_get(buf: i32, buf_len: i32) -> i32;
            fn sched_yield() -> i32;
            fn sock_accept(fd: i32, flags: i32, connection: i32) -> i32;
            fn sock_recv(
                fd: i32, ri_data: i32, ri_data_len: i32, ri_flags: i32, ro_datalen: i32, ro_flags: i32
            ) -> i32;
            fn sock_send(fd: i32, si_data: i32, si_data_len: i32, si_flags: i32, so_datalen: i32) -> i32;
            fn sock_shutdown(fd: i32, how: i32) -> i32;
        }
    };
}
