//! Tests of the host as a whole: the table, what is absent, and any guest with any memory.

use super::memory::load_u32;
use super::*;
use crate::contract::Limits;
use proptest::prelude::*;
use std::ops::Range;

const BADF: i32 = Errno::Badf as i32;

/// A function's name, the types of its arguments, and how to call it with arguments of any type.
type Function = (&'static str, &'static [&'static str], fn(&mut Wasi, &mut [u8], &[i64]) -> Result<Option<i32>, Stop>);

macro_rules! functions {
    ([] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        [$((stringify!($name), &[$(stringify!($ty)),*] as &[&str], |wasi, memory, args| {
            let mut args = args.iter().copied();
            $(let $arg = args.next().unwrap() as $ty;)*
            assert!(args.next().is_none());
            let returned = wasi.$name(memory, $($arg),*);
            functions!(@result returned $($result)?)
        })),*]
    };
    (@result $returned:ident i32) => { $returned.map(Some) };
    (@result $returned:ident) => { $returned.map(|()| None) };
}

const FUNCTIONS: [Function; 46] = crate::preview1!(functions);

fn call(wasi: &mut Wasi, memory: &mut [u8], name: &str, args: &[i64]) -> Result<Option<i32>, Stop> {
    FUNCTIONS.iter().find(|f| f.0 == name).unwrap().2(wasi, memory, args)
}

/// What tells one state of a host from another, for a guest.
fn state(wasi: &Wasi) -> (usize, [Option<Stream>; 3], Vec<u8>, Vec<u8>) {
    let [stdout, stderr] = [&wasi.stdout, &wasi.stderr].map(|capture| capture.bytes().to_vec());
    (wasi.stdin_position, wasi.descriptors, stdout, stderr)
}

#[test]
fn the_table_names_every_function_once_and_in_order() {
    assert!(FUNCTIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn only_proc_exit_does_not_return() {
    for (name, types, function) in FUNCTIONS {
        let returned = function(&mut Wasi::new(&Invocation::default()), &mut [0; 64], &vec![0; types.len()]);
        match name {
            "proc_exit" => assert_eq!(returned, Err(Stop::Exit(0))),
            _ => assert!(matches!(returned, Ok(Some(0..=76))), "{name}: {returned:?}"),
        }
    }
}

#[test]
fn nothing_is_a_file_a_directory_or_a_socket() {
    for fd in [0, 1, 2, 3, -1] {
        let (mut wasi, mut memory) = (Wasi::new(&Invocation::default()), [7; 64]);
        let before = state(&wasi);
        for (name, types, function) in FUNCTIONS {
            let open = (0..3).contains(&fd);
            let expected = match name {
                "sock_accept" | "sock_recv" | "sock_send" | "sock_shutdown" if open => Errno::Notsock as i32,
                "fd_prestat_dir_name" if open => Errno::Notdir as i32,
                "fd_seek" | "fd_tell" if open => Errno::Spipe as i32,
                "fd_seek" | "fd_tell" => BADF,
                "fd_advise"
                | "fd_allocate"
                | "fd_datasync"
                | "fd_fdstat_set_flags"
                | "fd_fdstat_set_rights"
                | "fd_filestat_set_size"
                | "fd_filestat_set_times"
                | "fd_prestat_get"
                | "fd_readdir"
                | "fd_sync" => BADF,
                _ if name.starts_with("path_") || name.starts_with("sock_") || name == "fd_prestat_dir_name" => BADF,
                _ => continue,
            };
            // Every other argument is 0, which is a valid address.
            let args: Vec<i64> = std::iter::once(fd).chain(types.iter().skip(1).map(|_| 0)).collect();
            assert_eq!(function(&mut wasi, &mut memory, &args), Ok(Some(expected)), "{name} {fd}");
        }
        assert_eq!((memory, state(&wasi)), ([7; 64], before));
    }
}

#[test]
fn a_scan_for_preopened_directories_ends_at_once() {
    let mut wasi = Wasi::new(&Invocation::default());
    assert_eq!(wasi.fd_prestat_get(&mut [0; 8], 3, 0), Ok(BADF));
}

#[test]
fn every_stop_is_an_end() {
    let ends = [Stop::Exit(3), Stop::OutputLimit, Stop::Timeout].map(End::from);
    assert_eq!(ends, [End::Exit(3), End::OutputLimit, End::Timeout]);
}

/// Arguments that are often, but not always, addresses and lengths inside a small memory.
fn argument() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..4i64, 6 => 0..300i64, 1 => -300..0i64, 1 => any::<i32>().prop_map(i64::from), 1 => any::<i64>()]
}

/// Bytes that are often small words, so that a guest's structures in them name its memory.
fn memory() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![6 => 0..200u32, 2 => Just(0u32), 1 => any::<u32>()];
    (prop::collection::vec(word, 0..64), prop::collection::vec(any::<u8>(), 0..4))
        .prop_map(|(words, rest)| words.into_iter().flat_map(u32::to_le_bytes).chain(rest).collect())
}

/// A host whose arguments take 2 pointers and 11 bytes, and whose environment takes 1 pointer and 5 bytes.
fn small_host() -> Wasi {
    let invocation = Invocation {
        args: vec!["a".into()],
        stdin: b"standard input".to_vec(),
        limits: Limits { output_bytes: 1000, ..Limits::default() },
        ..Invocation::with_env([("K", "v=")])
    };
    let mut wasi = Wasi::new(&invocation);
    // Any sleep that a random guest asks for ends at once.
    wasi.set_deadline(Instant::now());
    wasi
}

/// Where a call of the [`small_host`] that succeeded may have written.
fn writable(name: &str, args: &[i64], memory: &[u8]) -> Vec<Range<usize>> {
    let arg = |index: usize| args[index] as u32 as usize;
    let area = |index: usize, len: usize| arg(index)..arg(index) + len;
    match name {
        "args_get" => vec![area(0, 8), area(1, 11)],
        "environ_get" => vec![area(0, 4), area(1, 5)],
        "args_sizes_get" | "environ_sizes_get" => vec![area(0, 4), area(1, 4)],
        "clock_res_get" => vec![area(1, 8)],
        "clock_time_get" => vec![area(2, 8)],
        "fd_fdstat_get" => vec![area(1, 24)],
        "fd_filestat_get" => vec![area(1, 64)],
        "fd_read" => {
            let word = |at: usize| load_u32(memory, at as u64).unwrap() as usize;
            let buffers = (0..arg(2)).map(|i| arg(1) + i * 8).map(|at| word(at)..word(at) + word(at + 4));
            buffers.chain([area(3, 4)]).collect()
        }
        "fd_write" => vec![area(3, 4)],
        "poll_oneoff" => vec![area(1, arg(2) * 32), area(3, 4)],
        "random_get" => vec![area(0, arg(1))],
        _ => vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_call_with_any_memory_writes_only_where_it_may(
        mut memory in memory(),
        calls in prop::collection::vec((0..FUNCTIONS.len(), prop::array::uniform9(argument())), 1..8),
    ) {
        let mut wasi = small_host();
        for (index, args) in calls {
            let (name, types, function) = FUNCTIONS[index];
            let args = &args[..types.len()];
            let before = memory.clone();
            let state_before = state(&wasi);
            let returned = function(&mut wasi, &mut memory, args);
            let allowed = match returned {
                Ok(Some(0)) => writable(name, args, &before),
                // A read or a poll may find out late that it has overwritten what it was asked for.
                Ok(Some(21 | 28 | 8)) if name == "fd_read" || name == "poll_oneoff" => continue,
                _ => vec![],
            };
            for (at, (old, new)) in before.iter().zip(&memory).enumerate() {
                prop_assert!(old == new || allowed.iter().any(|a| a.contains(&at)), "{name} {args:?} wrote at {at}");
            }
            if let Ok(Some(1..)) = returned {
                prop_assert_eq!(state(&wasi), state_before, "{} {:?} was refused", name, args);
            }
        }
    }

    #[test]
    fn any_strings_arrive_unchanged(
        env in prop::collection::vec(("[^=\0]{1,8}", "[^\0]{0,20}"), 0..20),
        args in prop::collection::vec("[^\0]{0,20}", 0..20),
        gap in 0..9usize,
    ) {
        let invocation = Invocation { args, ..Invocation::with_env(env) };
        prop_assert_eq!(invocation.check(), Ok(()));
        let mut wasi = Wasi::new(&invocation);
        let variables: Vec<String> = invocation.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        prop_assert_eq!(strings(&mut wasi, "environ", gap), variables);
        prop_assert_eq!(strings(&mut wasi, "args", gap), invocation.argv().collect::<Vec<_>>());
    }

    #[test]
    fn any_buffers_are_written_and_read_in_order(
        bytes in prop::collection::vec(any::<u8>(), 100),
        stdin in prop::collection::vec(any::<u8>(), 0..200),
        buffers in prop::collection::vec((0..100usize, 0..30usize), 0..10),
    ) {
        let buffers: Vec<Range<usize>> = buffers.into_iter().map(|(at, len)| at..(at + len).min(100)).collect();
        let iovecs = buffers.iter().flat_map(|b| [b.start as u32, b.len() as u32]).flat_map(u32::to_le_bytes);
        let mut memory: Vec<u8> = bytes.iter().copied().chain(iovecs).chain([0; 4]).collect();
        let result = memory.len() as i64 - 4;
        let args = |fd| [fd, 100, buffers.len() as i64, result];

        let mut wasi = Wasi::new(&Invocation { stdin: stdin.clone(), ..Invocation::default() });
        prop_assert_eq!(call(&mut wasi, &mut memory, "fd_write", &args(1)), Ok(Some(0)));
        let gathered: Vec<u8> = buffers.iter().flat_map(|b| &bytes[b.clone()]).copied().collect();
        prop_assert_eq!(load_u32(&memory, result as u64), Ok(gathered.len() as u32));
        prop_assert_eq!(wasi.take_output(), (gathered, vec![]));

        prop_assert_eq!(call(&mut wasi, &mut memory, "fd_read", &args(0)), Ok(Some(0)));
        let (mut expected, mut rest) = (bytes, &stdin[..]);
        for buffer in buffers {
            let (now, later) = rest.split_at(buffer.len().min(rest.len()));
            expected[buffer.start..buffer.start + now.len()].copy_from_slice(now);
            rest = later;
        }
        prop_assert_eq!(load_u32(&memory, result as u64), Ok((stdin.len() - rest.len()) as u32));
        prop_assert_eq!(&memory[..100], expected);
    }
}

/// What a guest's libc finds in `args` or `environ`, in a memory that is just large enough, with a gap.
fn strings(wasi: &mut Wasi, what: &str, gap: usize) -> Vec<String> {
    let mut sizes = [0; 8];
    assert_eq!(call(wasi, &mut sizes, &format!("{what}_sizes_get"), &[0, 4]), Ok(Some(0)));
    let [count, size] = [0, 4].map(|at| load_u32(&sizes, at).unwrap() as usize);
    let buffer = count * 4 + gap;
    let mut memory = vec![0xff; buffer + size];
    assert_eq!(call(wasi, &mut memory, &format!("{what}_get"), &[0, buffer as i64]), Ok(Some(0)));
    assert!(memory[count * 4..buffer].iter().all(|byte| *byte == 0xff));
    let string = |index: usize| {
        let start = load_u32(&memory, index as u64 * 4).unwrap() as usize;
        memory[start..].split(|byte| *byte == 0).next().unwrap().to_vec()
    };
    (0..count).map(|index| String::from_utf8(string(index)).unwrap()).collect()
}
