//! The conformance suite through the runner boundary, over every runtime, mode and variant that is present.
//!
//! `cargo test --test conformance wasmtime/winch` runs it over those whose name has that in it. Every runtime that can
//! run several threads is also measured on eight of them, since invocations over one runner take turns otherwise.

use isobar::registry::Registry;
use isobar::remote::RemoteRuntime;
use isobar_conformance::Boundary;
use isobar_core::measure::{Budget, measure};
use isobar_core::{Class, Form, Runtime};
use libtest_mimic::{Completion, Failed, Trial};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let registry = match Registry::discover(None) {
        Ok(registry) => registry,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for absent in registry.absent {
        let reason = absent.reason;
        trials.push(Trial::ignorable_test(absent.family, move || Ok(Completion::ignored_with(reason))));
    }
    trials.push(Trial::test("there is a runtime", {
        let present = !registry.runtimes.is_empty();
        move || if present { Ok(()) } else { Err("build the runners: cargo build --release --workspace".into()) }
    }));
    for runtime in registry.runtimes {
        let runtime = Arc::new(runtime);
        // What is asked over HTTP, or is a program that is given a module.
        let of_suite = match runtime.info().class {
            Class::Server => false,
            Class::Process => runtime.info().form != Form::Wasm,
            _ => true,
        };
        // Each invocation boots a machine, in software: seconds for each of the suite's.
        let of_suite = of_suite && !runtime.info().emulated;
        let other = (!of_suite).then(|| "it has tests of its own: tests/programs.rs, tests/baselines.rs".to_owned());
        if let Some(why) = other.or_else(|| isobar_conformance::obstacle(runtime.info())) {
            let name = runtime.info().id.to_string();
            trials.push(Trial::ignorable_test(name, move || Ok(Completion::ignored_with(why))));
            continue;
        }
        // Eight containers at once are the machine's test, not theirs; what gives no sandbox of its own is not the suite's.
        if runtime.info().concurrent && runtime.info().class != Class::Container && offers(&runtime, "throughput") {
            let runtime = runtime.clone();
            trials.push(Trial::test(format!("{} on eight threads", runtime.info().id), move || on_threads(&runtime)));
        }
        if offers(&runtime, "process-cold") || [Class::Container, Class::Wasm].contains(&runtime.info().class) {
            trials.push(isobar_conformance::trial(runtime, Boundary::Runner));
        }
    }
    isobar_conformance::run(trials)
}

fn offers(runtime: &RemoteRuntime, scenario: &str) -> bool {
    runtime.info().refusal(scenario).is_none()
}

/// Measuring checks every answer.
fn on_threads(runtime: &RemoteRuntime) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let task = isobar_conformance::task(runtime, folder.path())?;
    let (time_ns, precision) = (50_000_000, 0.0);
    let budget = Budget { warm_up_samples: 1, warm_up_ns: 1, min_samples: 1, max_samples: 100, time_ns, precision };
    let measurement = measure(runtime, "throughput/8".parse()?, &task, &budget)?;
    let completed = measurement.samples.column("completed");
    if !completed.is_empty() && completed.len().is_multiple_of(8) && completed.iter().all(|count| *count > 0) {
        Ok(())
    } else {
        Err(format!("not every thread completed an invocation: {completed:?}").into())
    }
}
