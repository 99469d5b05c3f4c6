//! Whether the suite notices what is wrong: runtimes that only pretend.

use crate::subject::Subject;
use crate::{Boundary, Report, report};
use isobar_core::settings::proposals;
use isobar_core::{
    Enforcement, Enforcer, Engine, Execution, Failure, Instance, Invocation, Module, Outcome, Runtime, RuntimeId,
    RuntimeInfo,
};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

/// A runtime that runs nothing: every function exits with 0 at once. What it leaves behind at each run is its fault.
#[derive(Clone)]
struct Pretender {
    info: RuntimeInfo,
    leak: fn(),
}

impl Runtime for Pretender {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Engine for Pretender {
    fn load(&self, _: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Module for Pretender {
    fn instantiate(&self, _: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Pretender {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        (self.leak)();
        Ok(Outcome::default())
    }
}

fn report_on(leak: fn()) -> Report {
    let enforcement = Enforcement { wall_time: Enforcer::Engine, memory: Enforcer::Engine, stack: Enforcer::Engine };
    let info = RuntimeInfo {
        version: "0".to_owned(),
        execution: Execution::Aot,
        concurrent: true,
        enforcement,
        proposals: proposals(&[]),
        ..RuntimeInfo::wasm(RuntimeId::new("pretender", "idle", &[]))
    };
    report(&Subject::new(Arc::new(Pretender { info, leak }), Boundary::InProcess).unwrap())
}

const WARM: &str = "a thousand warm invocations";

#[test]
fn only_what_an_idle_function_does_passes() {
    let report = report_on(|| ());
    let idle = [
        "no arguments",
        "empty standard input",
        "standard input that is not read",
        "empty standard output",
        "a nap ends",
        "two invocations do not see each other's state",
        "five thousand nested calls",
        WARM,
    ];
    assert_eq!(report.passed, idle);
    assert_eq!(report.left_out.len(), 1, "{:?}", report.left_out);
}

#[test]
fn memory_and_descriptors_that_are_left_behind_are_noticed() {
    let memory = || std::mem::forget(black_box(vec![1_u8; 40_000]));
    let descriptors = || std::mem::forget(std::fs::File::open("/dev/null"));
    for (leak, what) in [(memory as fn(), "memory"), (descriptors, "descriptors")] {
        let report = report_on(leak);
        assert!(report.failed.iter().any(|(name, _)| *name == WARM), "{what}");
    }
}
