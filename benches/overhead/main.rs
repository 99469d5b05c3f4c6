//! What isobar adds to a warm invocation: the same function through the runtime trait and hand-written against the
//! engine's own API, and the driver's own cost for each sample.
//!
//! Criterion prints both sides. What counts is the last table: there the two take turns within one process, batch by
//! batch, so that the machine's mood hits both alike, and the ratio has an interval.

mod wasmi_by_hand;
mod wasmtime_by_hand;

use criterion::Criterion;
use isobar::compare::selftest::driver_ns;
use isobar::registry::in_process;
use isobar::stats::{Summary, median};
use isobar::workload::{Catalogue, Workload};
use isobar_core::{Invocation, Module};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime_by_hand::Allocator;

/// One warm invocation by hand: standard output comes back.
type ByHand = Box<dyn FnMut() -> Vec<u8>>;

const BATCHES: usize = 400;
const BATCH: u32 = 50;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::load(&root.join("workloads")).expect("the committed functions are sound");
    let hello = catalogue.find("rust/hello").expect("the committed functions have a hello");
    let pairs: Vec<(&str, ByHand)> = vec![
        ("wasmtime/cranelift-aot", wasmtime_by_hand::warm(hello, Allocator::OnDemand)),
        ("wasmtime/cranelift-aot+pooling", wasmtime_by_hand::warm(hello, Allocator::Pooling)),
        // What `isobar serve --strategy pooled` runs, with its limits and isobar's own WASI host.
        (
            "wasmtime/cranelift-aot+pooling+resident+shared-wasi+limits",
            wasmtime_by_hand::warm(hello, Allocator::Resident),
        ),
        ("wasmi/eager", wasmi_by_hand::warm(hello)),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut criterion = Criterion::default().measurement_time(Duration::from_secs(2)).configure_from_args();
    // Started as a test, both sides run once and must agree: that is all.
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let mut lines = Vec::new();
    for (name, mut by_hand) in pairs {
        let module = load(name, hello, folder.path());
        let mut through_trait = || invoke(&*module, &hello.invocation);
        assert_eq!(through_trait(), by_hand(), "{name}: both sides give the same answer");
        let mut group = criterion.benchmark_group(format!("warm rust/hello in {name}"));
        group.bench_function("hand-written", |b| b.iter(&mut by_hand));
        group.bench_function("through the trait", |b| b.iter(&mut through_trait));
        group.finish();
        if measuring {
            lines.push(compare(name, &mut through_trait, &mut by_hand));
        }
    }
    criterion.final_summary();
    if !measuring {
        return;
    }
    println!("\n| warm `rust/hello` | hand-written | through the trait | difference | ratio [95 %] |");
    println!("| --- | ---: | ---: | ---: | --- |");
    lines.iter().for_each(|line| println!("{line}"));
    println!(
        "\nThe driver's own cost for each warm sample: {:.0} ns",
        driver_ns(200_000, 9).expect("nothing cannot fail")
    );
}

/// The adapter's module, artifacts in `folder`.
fn load(name: &str, workload: &Workload, folder: &Path) -> Box<dyn Module> {
    let runtimes = in_process();
    let runtime = runtimes.iter().find(|runtime| runtime.info().id.as_str() == name).expect("the runtime is linked");
    let engine = runtime.engine().expect("the engine starts");
    let artifact = folder.join(name.replace('/', "-"));
    engine.compile(&workload.module_path, &artifact).expect("hello compiles");
    engine.load(&artifact).expect("hello loads")
}

fn invoke(module: &dyn Module, invocation: &Invocation) -> Vec<u8> {
    let outcome = module.instantiate(invocation).and_then(|mut instance| instance.execute()).expect("hello answers");
    black_box(outcome.stdout)
}

/// Lets both sides take turns and tells them apart by the median of the batches' ratios.
fn compare(name: &str, through_trait: &mut dyn FnMut() -> Vec<u8>, by_hand: &mut dyn FnMut() -> Vec<u8>) -> String {
    let (mut trait_ns, mut hand_ns, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for batch in 0..BATCHES {
        // Who goes first alternates: the second finds warmer caches.
        let (with, without) = if batch % 2 == 0 {
            let with = per_call_ns(through_trait);
            (with, per_call_ns(by_hand))
        } else {
            let without = per_call_ns(by_hand);
            (per_call_ns(through_trait), without)
        };
        trait_ns.push(with);
        hand_ns.push(without);
        ratios.push(with / without);
    }
    let ratio = Summary::of(&[ratios], 1).expect("there are batches");
    let (with, without) = (median(&mut trait_ns).unwrap_or(0.0), median(&mut hand_ns).unwrap_or(0.0));
    format!(
        "| `{name}` | {without:.0} ns | {with:.0} ns | {:+.0} ns | {:.3} [{:.3}, {:.3}] |",
        with - without,
        ratio.median,
        ratio.low,
        ratio.high
    )
}

fn per_call_ns(call: &mut dyn FnMut() -> Vec<u8>) -> f64 {
    let start = Instant::now();
    (0..BATCH).for_each(|_| drop(black_box(call())));
    start.elapsed().as_nanos() as f64 / f64::from(BATCH)
}
