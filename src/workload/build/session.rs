//! One call of `isobar build`: function by function, on several threads.

use super::{Accepted, Builder, Built, Function, Product, Target, ledger::Ledger, steps::Place};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// What became of a module, by its name.
type Outcome<'a> = (String, Result<Accepted<'a>, Built>);
type Once = Arc<OnceLock<Result<(), String>>>;

/// What the threads share.
pub(super) struct Session<'a> {
    builder: &'a Builder,
    /// Where modules are built.
    folder: &'a Path,
    ledger: &'a Ledger,
    missing: &'a BTreeMap<String, String>,
    told: &'a (dyn Fn(&str, &Built) + Sync),
    /// The languages' preparations, each made once.
    prepared: Mutex<BTreeMap<(String, Product), Once>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        builder: &'a Builder,
        folder: &'a Path,
        ledger: &'a Ledger,
        missing: &'a BTreeMap<String, String>,
        told: &'a (dyn Fn(&str, &Built) + Sync),
    ) -> Self {
        Session { builder, folder, ledger, missing, told, prepared: Mutex::default() }
    }

    /// Builds all, `jobs` functions at a time (0: one per core); the results are in the order of the work.
    pub(super) fn build(&self, work: &[(&'a Function, Vec<&'a Target>)], jobs: usize) -> Vec<Outcome<'a>> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = if jobs == 0 { cores() } else { jobs };
        let next = Mutex::new(0..work.len());
        let results = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(work.len()) {
                scope.spawn(|| {
                    while let Some(at) = take(&next) {
                        let (function, targets) = &work[at];
                        let built = self.function(function, targets);
                        lock(&results).insert(at, built);
                    }
                });
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().flatten().collect()
    }

    /// The plain module first: variants are made of it.
    fn function(&self, function: &Function, targets: &[&'a Target]) -> Vec<Outcome<'a>> {
        let mut plain = self.builder.store.join(&function.name).join(&function.manifest.module);
        let mut results = Vec::new();
        for &target in targets {
            let place = match target.product {
                Product::Module => target.variant.as_deref().unwrap_or("plain"),
                Product::Native => "native",
                Product::Library => "library",
                Product::Component => "component",
            };
            let folder = self.folder.join(&function.name).join(place);
            let ending = match target.product {
                Product::Native => "",
                Product::Library => ".so",
                Product::Module | Product::Component => ".wasm",
            };
            let out = folder.join(format!("{}{ending}", function.short_name()));
            let result = self.target(function, target, &out, &plain);
            if result.is_ok() && target.variant.is_none() {
                plain = out;
            }
            match &result {
                Err(built) => (self.told)(&target.name, built),
                Ok(accepted) => (self.told)(&target.name, &accepted.built(self.ledger)),
            }
            results.push((target.name.clone(), result));
        }
        results
    }

    fn target(&self, function: &Function, target: &'a Target, out: &Path, plain: &Path) -> Result<Accepted<'a>, Built> {
        let toolchains = self.builder.toolchains_of(target);
        if let Some(name) = toolchains.keys().find(|name| self.missing.contains_key(*name)) {
            return Err(Built::Lacks(name.clone()));
        }
        let cache = self.folder.join("cache");
        let root = &self.builder.root;
        let mut place = Place { root, cache: &cache, toolchains: BTreeMap::new(), env: BTreeMap::new() };
        for (name, toolchain) in toolchains {
            let found = toolchain.locate(root).ok_or_else(|| Built::Lacks(name.clone()))?;
            place.toolchains.insert(name, found);
            place.env.extend(toolchain.env.clone());
        }
        self.prepare(function, target.product, &place).map_err(Built::Failed)?;
        let module = target.variant.as_ref().map(|_| plain);
        let bytes = place.build(function, target, out, module).map_err(Built::Failed)?;
        self.builder.accept(target, function, bytes).map_err(Built::Failed)
    }

    /// Waits for the preparation of a language, which one thread makes.
    fn prepare(&self, function: &Function, product: Product, place: &Place) -> Result<(), String> {
        let once = lock(&self.prepared).entry((function.language.name.clone(), product)).or_default().clone();
        once.get_or_init(|| place.prepare(function, product)).clone()
    }
}

fn take(next: &Mutex<std::ops::Range<usize>>) -> Option<usize> {
    lock(next).next()
}

/// What is behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
