;; The suite's guest: it does what its first argument says. One module for nearly all cases, since some runtimes take
;; long to compile one. Exit codes above 90 are failures of the WASI calls themselves.
;;
;; Memory, in bytes: below 0x400 scratch (0 an iovec, 8 a result, 12 the recursion's, 16 and 20 sizes, 32 a subscription,
;; 96 an event, 128 clocks and random bytes); 0x400 the actions; 0x600 operands; 0x700 texts; 0x8000 pointers to
;; arguments; 0x10000 arguments; 0x20000 pointers to variables, or a chunk; 0x28000 variables; 0x30000 a page of state.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (type $nothing (func))
  (type $number (func (param i32) (result i32)))
  (memory (export "memory") 4)
  (table 4 funcref)
  (elem (i32.const 0) $idle)
  (global $used (mut i32) (i32.const 0))

  (data (i32.const 0x400) "echo")
  (data (i32.const 0x410) "cat")
  (data (i32.const 0x420) "exit")
  (data (i32.const 0x430) "write")
  (data (i32.const 0x440) "flood")
  (data (i32.const 0x450) "both")
  (data (i32.const 0x460) "state")
  (data (i32.const 0x470) "loop")
  (data (i32.const 0x480) "sleep")
  (data (i32.const 0x490) "recurse")
  (data (i32.const 0x4a0) "bomb")
  (data (i32.const 0x4b0) "cope")
  (data (i32.const 0x4c0) "panic")
  (data (i32.const 0x4d0) "clocks")
  (data (i32.const 0x4e0) "random")
  (data (i32.const 0x4f0) "divide")
  (data (i32.const 0x500) "overflow")
  (data (i32.const 0x510) "convert")
  (data (i32.const 0x520) "load")
  (data (i32.const 0x530) "offset")
  (data (i32.const 0x540) "fill")
  (data (i32.const 0x550) "table")
  (data (i32.const 0x560) "null")
  (data (i32.const 0x570) "signature")
  (data (i32.const 0x600) "\00\00\00\80\ff\ff\ff\ff\00\00\c0\7f\01")
  (data (i32.const 0x700) "out\nerr\npanicked at the end of the world\n")

  (func $idle)

  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (i32.const 99)))))

  ;; Writes all of it, in as many calls as it takes.
  (func $write (param $fd i32) (param $at i32) (param $length i32)
    (block $done
      (loop $more
        (br_if $done (i32.eqz (local.get $length)))
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (call $check (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
        (if (i32.eqz (i32.load (i32.const 8))) (then (call $proc_exit (i32.const 98))))
        (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
        (local.set $length (i32.sub (local.get $length) (i32.load (i32.const 8))))
        (br $more))))

  (func $length (param $text i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $text))
    (block $done
      (loop $more
        (br_if $done (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $more)))
    (i32.sub (local.get $end) (local.get $text)))

  ;; Prints the count, then each text behind its length.
  (func $write_texts (param $count i32) (param $pointers i32)
    (i32.store (i32.const 12) (local.get $count))
    (call $write (i32.const 1) (i32.const 12) (i32.const 4))
    (block $done
      (loop $more
        (br_if $done (i32.eqz (local.get $count)))
        (i32.store (i32.const 12) (call $length (i32.load (local.get $pointers))))
        (call $write (i32.const 1) (i32.const 12) (i32.const 4))
        (call $write (i32.const 1) (i32.load (local.get $pointers)) (i32.load (i32.const 12)))
        (local.set $pointers (i32.add (local.get $pointers) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $more))))

  (func $read_args
    (call $check (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (if (i32.or (i32.gt_u (i32.load (i32.const 16)) (i32.const 0x2000)) (i32.gt_u (i32.load (i32.const 20)) (i32.const 0x10000)))
      (then (call $proc_exit (i32.const 97))))
    (call $check (call $args_get (i32.const 0x8000) (i32.const 0x10000))))

  (func $echo
    (call $write_texts (i32.load (i32.const 16)) (i32.const 0x8000))
    (call $check (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (if (i32.or (i32.gt_u (i32.load (i32.const 16)) (i32.const 0x2000)) (i32.gt_u (i32.load (i32.const 20)) (i32.const 0x18000)))
      (then (call $proc_exit (i32.const 96))))
    (call $check (call $environ_get (i32.const 0x20000) (i32.const 0x28000)))
    (call $write_texts (i32.load (i32.const 16)) (i32.const 0x20000)))

  ;; Whether the first argument is this text.
  (func $asked (param $text i32) (result i32)
    (local $arg i32)
    (local.set $arg (i32.load (i32.const 0x8004)))
    (loop $more
      (if (i32.ne (i32.load8_u (local.get $arg)) (i32.load8_u (local.get $text))) (then (return (i32.const 0))))
      (if (i32.eqz (i32.load8_u (local.get $arg))) (then (return (i32.const 1))))
      (local.set $arg (i32.add (local.get $arg) (i32.const 1)))
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (br $more))
    (unreachable))

  ;; An argument as a number: the second is 2.
  (func $number (param $index i32) (result i32)
    (local $digit i32) (local $number i32)
    (local.set $digit (i32.load (i32.add (i32.const 0x8000) (i32.mul (local.get $index) (i32.const 4)))))
    (block $done
      (loop $more
        (br_if $done (i32.eqz (i32.load8_u (local.get $digit))))
        (local.set $number (i32.mul (local.get $number) (i32.const 10)))
        (local.set $number (i32.add (local.get $number) (i32.sub (i32.load8_u (local.get $digit)) (i32.const 48))))
        (local.set $digit (i32.add (local.get $digit) (i32.const 1)))
        (br $more)))
    (local.get $number))

  (func $cat
    (loop $more
      (i32.store (i32.const 0) (i32.const 0x20000))
      (i32.store (i32.const 4) (i32.const 0x10000))
      (call $check (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8))
        (then
          (call $write (i32.const 1) (i32.const 0x20000) (i32.load (i32.const 8)))
          (br $more)))))

  ;; 64 KiB of the bytes 0 to 255, over and over.
  (func $fill_chunk
    (local $index i32)
    (loop $more
      (i32.store8 offset=0x20000 (local.get $index) (local.get $index))
      (local.set $index (i32.add (local.get $index) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $index) (i32.const 0x10000)))))

  (func $write_chunks (param $fd i32) (param $length i32)
    (call $fill_chunk)
    (block $done
      (loop $more
        (br_if $done (i32.le_u (local.get $length) (i32.const 0x10000)))
        (call $write (local.get $fd) (i32.const 0x20000) (i32.const 0x10000))
        (local.set $length (i32.sub (local.get $length) (i32.const 0x10000)))
        (br $more)))
    (call $write (local.get $fd) (i32.const 0x20000) (local.get $length)))

  ;; 1 GiB, whatever the calls answer.
  (func $flood (param $fd i32)
    (local $count i32)
    (local.set $count (i32.const 0x4000))
    (loop $more
      (i32.store (i32.const 0) (i32.const 0x20000))
      (i32.store (i32.const 4) (i32.const 0x10000))
      (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $more (local.get $count))))

  (func $both
    (call $write (i32.const 1) (i32.const 0x700) (i32.const 4))
    (call $write (i32.const 2) (i32.const 0x704) (i32.const 4))
    (call $write (i32.const 1) (i32.const 0x700) (i32.const 4))
    (call $write (i32.const 2) (i32.const 0x704) (i32.const 4)))

  ;; Exits with what it finds of an earlier invocation (1 global, 2 memory, 4 data, 8 grown memory), then leaves all that.
  (func $state
    (local $found i32) (local $at i32)
    (local.set $found
      (i32.or
        (i32.or
          (i32.ne (global.get $used) (i32.const 0))
          (i32.shl (i32.ne (i32.load (i32.const 0x30000)) (i32.const 0)) (i32.const 1)))
        (i32.or
          (i32.shl (i32.ne (i32.load8_u (i32.const 0x60c)) (i32.const 1)) (i32.const 2))
          (i32.shl (i32.ne (memory.size) (i32.const 4)) (i32.const 3)))))
    (global.set $used (i32.const 1))
    (i32.store8 (i32.const 0x60c) (i32.const 2))
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (call $proc_exit (i32.const 95))))
    (loop $more
      (i32.store offset=0x30000 (local.get $at) (i32.const -1))
      (local.set $at (i32.add (local.get $at) (i32.const 0x1000)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 0x20000))))
    (call $proc_exit (local.get $found)))

  (func $sleep (param $milliseconds i32)
    (i32.store (i32.const 48) (i32.const 1))
    (i64.store (i32.const 56) (i64.mul (i64.extend_i32_u (local.get $milliseconds)) (i64.const 1000000)))
    (call $check (call $poll_oneoff (i32.const 32) (i32.const 96) (i32.const 1) (i32.const 8))))

  (func $recurse (param $depth i32) (result i32)
    (local $below i32)
    (if (i32.eqz (local.get $depth)) (then (return (i32.load (i32.const 12)))))
    (local.set $below (call $recurse (i32.sub (local.get $depth) (i32.const 1))))
    ;; No compiler makes a loop of this.
    (i32.store (i32.const 12) (local.get $below))
    (i32.xor (local.get $below) (local.get $depth)))

  ;; Grows its memory, and uses it, until that is refused.
  (func $grow
    (local $old i32)
    (block $refused
      (loop $more
        (local.set $old (memory.grow (i32.const 32)))
        (br_if $refused (i32.eq (local.get $old) (i32.const -1)))
        (i32.store (i32.mul (local.get $old) (i32.const 0x10000)) (i32.const 1))
        (br $more))))

  ;; The time of day, and the steady clock before and after it advanced.
  (func $clocks
    (local $left i32)
    (local.set $left (i32.const 10000000))
    (call $check (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 128)))
    (call $check (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 136)))
    (loop $more
      (call $check (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 144)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $more
        (i32.and
          (i64.eq (i64.load (i32.const 136)) (i64.load (i32.const 144)))
          (i32.ne (local.get $left) (i32.const 0)))))
    (call $write (i32.const 1) (i32.const 128) (i32.const 24)))

  (func $random
    (call $check (call $random_get (i32.const 128) (i32.const 16)))
    (call $check (call $random_get (i32.const 144) (i32.const 16)))
    (call $write (i32.const 1) (i32.const 128) (i32.const 32)))

  ;; Its operands are in memory, and its results go there, so that no compiler takes the trap away.
  (func $trap
    (if (call $asked (i32.const 0x4f0))
      (then (i32.store (i32.const 12) (i32.div_s (i32.const 1) (i32.load (i32.const 12))))))
    (if (call $asked (i32.const 0x500))
      (then (i32.store (i32.const 12) (i32.div_s (i32.load (i32.const 0x600)) (i32.load (i32.const 0x604))))))
    (if (call $asked (i32.const 0x510))
      (then (i32.store (i32.const 12) (i32.trunc_f32_s (f32.load (i32.const 0x608))))))
    (if (call $asked (i32.const 0x520))
      (then (i32.store (i32.const 12) (i32.load (i32.const -16)))))
    (if (call $asked (i32.const 0x530))
      (then (i32.store (i32.const 12) (i32.load offset=0xffffffff (i32.load (i32.const 0x604))))))
    (if (call $asked (i32.const 0x540))
      (then (memory.fill (i32.const 0x3ffff) (i32.const 1) (i32.const 2))))
    (if (call $asked (i32.const 0x550))
      (then (call_indirect (type $nothing) (i32.const 99))))
    (if (call $asked (i32.const 0x560))
      (then (call_indirect (type $nothing) (i32.const 1))))
    (if (call $asked (i32.const 0x570))
      (then (i32.store (i32.const 12) (call_indirect (type $number) (i32.const 1) (i32.const 0))))))

  (func (export "_start")
    (call $read_args)
    (if (i32.lt_u (i32.load (i32.const 16)) (i32.const 2)) (then (return)))
    (if (call $asked (i32.const 0x400)) (then (call $echo) (return)))
    (if (call $asked (i32.const 0x410)) (then (call $cat) (return)))
    (if (call $asked (i32.const 0x420)) (then (call $proc_exit (call $number (i32.const 2)))))
    (if (call $asked (i32.const 0x430)) (then (call $write_chunks (call $number (i32.const 2)) (call $number (i32.const 3))) (return)))
    (if (call $asked (i32.const 0x440)) (then (call $flood (call $number (i32.const 2))) (return)))
    (if (call $asked (i32.const 0x450)) (then (call $both) (return)))
    (if (call $asked (i32.const 0x460)) (then (call $state)))
    (if (call $asked (i32.const 0x470)) (then (loop $forever (br $forever))))
    (if (call $asked (i32.const 0x480)) (then (call $sleep (call $number (i32.const 2))) (return)))
    (if (call $asked (i32.const 0x490)) (then (drop (call $recurse (call $number (i32.const 2)))) (return)))
    (if (call $asked (i32.const 0x4a0)) (then (call $grow) (unreachable)))
    (if (call $asked (i32.const 0x4b0))
      (then
        (call $grow)
        (i32.store (i32.const 12) (memory.size))
        (call $write (i32.const 1) (i32.const 12) (i32.const 4))
        (return)))
    (if (call $asked (i32.const 0x4c0))
      (then
        (call $write (i32.const 2) (i32.const 0x708) (i32.const 33))
        (unreachable)))
    (if (call $asked (i32.const 0x4d0)) (then (call $clocks) (return)))
    (if (call $asked (i32.const 0x4e0)) (then (call $random) (return)))
    (call $trap)
    ;; Nobody knows what was asked, or it did not trap.
    (call $proc_exit (i32.const 94))))
