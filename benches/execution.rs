//! A whole invocation, the module resident: sandbox, function, answer, release.

mod suite;

fn main() {
    suite::run("execution", &["warm"], isobar::experiment::FunctionSet::Default)
}
