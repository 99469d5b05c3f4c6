//! Invocations on one thread and on one for each processor.

mod suite;

fn main() {
    let all = format!("throughput/{}", isobar::record::cores());
    let scenarios: &[&str] = if isobar::record::cores() > 1 { &["throughput/1", &all] } else { &["throughput/1"] };
    suite::run("throughput", scenarios, isobar::experiment::FunctionSet::Quick)
}
