//! The loops over a runtime that does nothing but count.

use super::*;
use crate::contract::Outcome;
use crate::runtime::{Enforcement, Enforcer, Engine, Execution, Instance, Module, RuntimeId, RuntimeInfo};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Answers "ok" to every invocation until the `fails_at`th, which traps.
pub(crate) struct Counting {
    info: RuntimeInfo,
    calls: Arc<AtomicU64>,
    fails_at: u64,
}

impl Counting {
    pub(crate) fn new(fails_at: u64) -> Self {
        let info = RuntimeInfo {
            version: "1".into(),
            concurrent: true,
            enforcement: Enforcement {
                wall_time: Enforcer::Process,
                memory: Enforcer::Engine,
                stack: Enforcer::Engine,
            },
            ..RuntimeInfo::wasm(RuntimeId::new("counting", "plain", &[]))
        };
        Counting { info, calls: Arc::default(), fails_at }
    }
}

struct Part(Arc<AtomicU64>, u64);

impl Runtime for Counting {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }
    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(Part(self.calls.clone(), self.fails_at)))
    }
}

impl Engine for Part {
    fn load(&self, _artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(Part(self.0.clone(), self.1)))
    }
}

impl Module for Part {
    fn instantiate(&self, _invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(Part(self.0.clone(), self.1)))
    }
}

impl Instance for Part {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        if self.0.fetch_add(1, SeqCst) + 1 >= self.1 {
            return Err(Failure::trap(crate::TrapKind::Unreachable, "as told", b""));
        }
        Ok(Outcome { exit_code: 0, stdout: b"ok".to_vec(), stderr: vec![] })
    }
}

fn task(stdout: &str) -> Task {
    Task {
        module: "none".into(),
        artifact: "none".into(),
        invocation: Invocation::default(),
        expectation: Expectation::exact(stdout),
    }
}

const BUDGET: Budget = Budget {
    warm_up_samples: 3,
    warm_up_ns: 1 << 40,
    min_samples: 2,
    max_samples: 5,
    time_ns: 1 << 40,
    precision: 0.0,
};

fn scenario(name: &str) -> ScenarioId {
    name.parse().unwrap()
}

#[test]
fn warm_and_cold_take_the_samples_that_the_budget_allows() {
    for (name, warm_up) in [("warm", 3), ("cold", 0)] {
        let runtime = Counting::new(u64::MAX);
        let measured = measure(&runtime, scenario(name), &task("ok"), &BUDGET).unwrap();
        assert_eq!(measured.samples.column("execute_ns").len(), 5);
        assert_eq!(measured.stop, Stop::Samples);
        assert_eq!(measured.samples.column("engine_ns").len(), if warm_up == 0 { 5 } else { 0 });
        assert_eq!(measured.warm_up.samples, warm_up);
        assert_eq!(runtime.calls.load(SeqCst), 5 + u64::from(warm_up));
    }
}

#[test]
fn a_budget_without_time_still_takes_the_fewest_samples() {
    let budget = Budget { time_ns: 0, warm_up_ns: 0, ..BUDGET };
    let measured = measure(&Counting::new(u64::MAX), scenario("warm"), &task("ok"), &budget).unwrap();
    assert_eq!((measured.samples.column("execute_ns").len(), measured.warm_up.samples), (2, 0));
}

#[test]
fn throughput_counts_every_thread() {
    let budget = Budget { time_ns: 1_000_000, ..BUDGET };
    let runtime = Counting::new(u64::MAX);
    let measured = measure(&runtime, scenario("throughput/3"), &task("ok"), &budget).unwrap();
    let counted: u64 = measured.samples.column("completed").iter().sum();
    assert_eq!(counted + 3, runtime.calls.load(SeqCst));
    let rates = scenario("throughput/3").values(&measured.samples);
    assert_eq!(rates.len() * 3, measured.samples.column("elapsed_ns").len());
    assert!(!rates.is_empty() && rates.iter().all(|rate| *rate > 0.0));
}

#[test]
fn a_wrong_answer_or_a_failure_is_no_measurement() {
    let artifact = tempfile::NamedTempFile::new().unwrap();
    let task = |stdout| Task { artifact: artifact.path().to_owned(), ..task(stdout) };
    for name in ["cold", "process-cold", "warm", "throughput/2", "density"] {
        let wrong = measure(&Counting::new(u64::MAX), scenario(name), &task("no"), &BUDGET).unwrap_err();
        assert_eq!(wrong, MeasureError::WrongAnswer(r#""ok" instead of "no""#.into()));
        let failed = measure(&Counting::new(3), scenario(name), &task("ok"), &BUDGET).unwrap_err();
        assert!(matches!(failed, MeasureError::Failure(Failure::Trap { .. })), "{failed}");
    }
}

#[test]
fn instantiating_executes_once_before_and_once_after_the_samples() {
    for name in ["instantiate/1", "instantiate/3", "load-instantiate"] {
        let runtime = Counting::new(u64::MAX);
        let measured = measure(&runtime, scenario(name), &task("ok"), &BUDGET).unwrap();
        assert_eq!(measured.samples.column("instantiate_ns").len(), 5, "{name}");
        assert_eq!((scenario(name).values(&measured.samples).len(), measured.warm_up.samples), (5, 3));
        assert_eq!(runtime.calls.load(SeqCst), 2, "{name}");
        let wrong = measure(&Counting::new(u64::MAX), scenario(name), &task("no"), &BUDGET).unwrap_err();
        assert_eq!(wrong, MeasureError::WrongAnswer(r#""ok" instead of "no""#.into()));
        for fails_at in [1, 2] {
            let failed = measure(&Counting::new(fails_at), scenario(name), &task("ok"), &BUDGET).unwrap_err();
            assert!(matches!(failed, MeasureError::Failure(Failure::Trap { .. })), "{failed}");
        }
    }
}

/// Every instantiation fails but the first `until`.
struct Refusing(Arc<AtomicU64>, u64);

impl Module for Refusing {
    fn instantiate(&self, _invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        if self.0.fetch_add(1, SeqCst) >= self.1 {
            return Err(Failure::host("no more"));
        }
        Ok(Box::new(Part(Arc::default(), u64::MAX)))
    }
}

impl Engine for Refusing {
    fn load(&self, _artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(Refusing(self.0.clone(), self.1)))
    }
}

struct RefusingRuntime(RuntimeInfo, u64);

impl Runtime for RefusingRuntime {
    fn info(&self) -> &RuntimeInfo {
        &self.0
    }
    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(Refusing(Arc::default(), self.1)))
    }
}

#[test]
fn an_instantiation_that_fails_anywhere_ends_the_measurement() {
    for until in [0, 1, 2, 3, 6] {
        for threads in ["instantiate/1", "instantiate/2", "instantiate/4"] {
            let runtime = RefusingRuntime(Counting::new(1).info, until);
            let failed = measure(&runtime, scenario(threads), &task("ok"), &BUDGET).unwrap_err();
            assert!(failed.to_string().contains("no more"), "{until} {threads}: {failed}");
        }
    }
}

#[test]
fn more_threads_than_a_runtime_allows_are_refused() {
    let mut runtime = Counting::new(u64::MAX);
    runtime.info.concurrent = false;
    for name in ["throughput/2", "instantiate/2"] {
        let refused = measure(&runtime, scenario(name), &task("ok"), &BUDGET);
        assert!(matches!(refused, Err(MeasureError::Failure(Failure::Host { .. }))));
    }
}

#[test]
fn rules_for_standard_output() {
    let outcome = |exit_code, stdout: &str| Outcome { exit_code, stdout: stdout.into(), stderr: vec![] };
    let rule = |stdout| Expectation { exit_code: 0, stdout };
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(rule(StdoutRule::Sha256(abc.into())).check(&outcome(0, "abc")).is_ok());
    assert!(rule(StdoutRule::Sha256(abc.into())).check(&outcome(0, "abd")).is_err());
    assert!(rule(StdoutRule::Prefix(b"ab".into())).check(&outcome(0, "abc")).is_ok());
    assert!(rule(StdoutRule::Prefix(b"ac".into())).check(&outcome(0, "abc")).is_err());
    assert!(rule(StdoutRule::Any).check(&outcome(1, "abc")).unwrap_err().contains("exit code 1 instead of 0"));
    let long = Expectation::exact("x").check(&outcome(0, &"y".repeat(100))).unwrap_err();
    assert!(long.ends_with("(100 bytes) instead of \"x\""), "{long}");
}

#[test]
fn density_doubles_and_counts() {
    let artifact = tempfile::NamedTempFile::new().unwrap();
    let task = Task { artifact: artifact.path().to_owned(), ..task("ok") };
    let measured = measure(&Counting::new(u64::MAX), scenario("density"), &task, &BUDGET).unwrap();
    assert_eq!(measured.samples.column("instances"), [1, 2, 4]);
    assert_eq!(measured.samples.column("modules_pss_bytes").len(), 3);
    let density = scenario("density");
    assert_eq!(density.values(&measured.samples).len(), 1);
    assert_eq!(density.scenario().part_values("module_bytes", &measured.samples).len(), 1);
    assert_eq!(measured.readings["invocations"], 4);
}

#[test]
fn deployment_is_for_those_who_compile_ahead_of_time() {
    let info = Counting::new(1).info;
    let deploy = scenario("deploy").scenario();
    assert!(deploy.obstacle(&info, 1).is_some());
    assert!(deploy.obstacle(&RuntimeInfo { execution: Execution::Aot, ..info }, 1).is_none());
}

#[test]
fn a_slope_that_is_known() {
    let anscombe = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0]
        .into_iter()
        .zip([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]);
    assert!((least_squares_slope(anscombe).unwrap() - 0.50009).abs() < 1e-5);
    assert_eq!(least_squares_slope([(1.0, 2.0)].into_iter()), None);
}
