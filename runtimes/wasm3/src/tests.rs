//! What the conformance suite does not ask: when a module is rejected, and this engine's own corners.

use crate::runtimes;
use isobar_conformance::interpreters;

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
