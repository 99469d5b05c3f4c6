//! Cold starts: in a process that is there, and with one that is started for it.

mod suite;

fn main() {
    suite::run("startup", &["cold", "process-cold"], isobar::experiment::FunctionSet::Quick)
}
