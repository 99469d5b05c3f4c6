//! What the conformance suite does not ask: when a module is rejected, and this engine's own corners.

use crate::runtimes;
use isobar_conformance::interpreters;
use isobar_conformance::interpreters::{each, invoke, program};
use isobar_core::{Enforcer, Outcome};

#[test]
fn what_is_no_module_is_rejected_when_it_is_loaded() {
    interpreters::what_is_no_module_is_rejected_when_it_is_loaded(runtimes());
}

#[test]
fn a_missing_proposal_is_named_wherever_the_function_is() {
    interpreters::a_missing_proposal_is_named_wherever_the_function_is(runtimes());
}

#[test]
fn the_enabled_proposals_work() {
    interpreters::the_enabled_proposals_work(runtimes());
}

#[test]
fn deep_recursion_that_ends_is_no_trap() {
    interpreters::deep_recursion_that_ends_is_no_trap(runtimes());
}

#[test]
fn a_start_section_runs_like_the_rest() {
    interpreters::a_start_section_runs_like_the_rest(runtimes());
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    interpreters::memory_beyond_the_limit_is_refused(runtimes());
}

#[test]
fn the_engine_itself_ends_what_takes_too_much_memory() {
    assert!(runtimes().iter().all(|runtime| runtime.info().enforcement.memory == Enforcer::Engine));
}

#[test]
fn what_takes_many_portions_of_fuel_still_ends() {
    each(runtimes(), |runtime| {
        let body = "(local i32) (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1)))
              (br_if $l (i32.ne (local.get 0) (i32.const 3000000))))
            (drop (memory.grow (i32.const 2000))) (memory.fill (i32.const 0) (i32.const 7) (i32.const 131072000))";
        assert_eq!(invoke(runtime, program("", body)), Ok(Outcome::default()));
    });
}

#[test]
fn the_versions_are_those_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock");
    let locked = |name: &str, version: &str| lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
    assert!(locked("wasmi", crate::VERSION));
    for library in crate::OWN_WASI.split(", ") {
        let (name, version) = library.split_once(' ').unwrap();
        assert!(locked(name, version), "{library}");
    }
}
