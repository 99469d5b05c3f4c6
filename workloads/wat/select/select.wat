;; Prints a digit for each of 0, 52 and 7 by a `select` within a `select`: "01?". Wasmi 2.0.0 gives "?1?": where the outer
;; condition holds it takes the inner value all the same.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; What is written: one byte at 16.
  (data (i32.const 0) "\10\00\00\00\01\00\00\00")

  (func $print (param $n i32)
    (i32.store8
      (i32.const 16)
      (select
        (i32.const 48)
        (select (i32.const 49) (i32.const 63) (i32.eq (local.get $n) (i32.const 52)))
        (i32.eqz (local.get $n))))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func (export "_start")
    (call $print (i32.const 0))
    (call $print (i32.const 52))
    (call $print (i32.const 7))))
