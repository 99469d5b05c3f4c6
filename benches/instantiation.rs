//! Making a sandbox and releasing it, the module resident; nothing runs in it.

mod suite;

fn main() {
    suite::run("instantiation", &["instantiate/1"], isobar::experiment::FunctionSet::Quick)
}
