//! The platform itself: functions by name, workers, and what looks after both.

use super::ServeError;
use super::artifacts::Artifacts;
use super::backend::{Backend, Phases, Start, Strategy};
use super::function::{Function, Spec};
use super::keep_alive::{Held, KeepAlive, Keeping, Prewarm};
use super::metrics::{Metrics, Now};
use super::queue::{Bounds, Busy, FairQueue};
use super::source::{Source, Stamp};
use arc_swap::{ArcSwap, Guard};
use isobar_core::measure::nanoseconds;
use isobar_core::runner::panic_message;
use isobar_core::settings::NATIVE_STACK_BYTES;
use isobar_core::{Failure, Invocation, Limits, Outcome, Runtime};
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often the platform looks after what waits.
const ROUND: Duration = Duration::from_millis(100);

/// How the platform is set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is kept between requests.
    pub strategy: Strategy,
    /// Threads that run functions.
    pub workers: usize,
    /// How many of them one function may have at once.
    pub per_function: usize,
    /// Requests that may wait; half of them for one function.
    pub queue: usize,
    /// How long a request may wait.
    pub queue_wait: Duration,
    /// What one request may use.
    pub limits: Limits,
    /// How long a function that was always fast may run on the thread that asks for it, before it is begun anew on a
    /// worker; never without it. Those threads need [`NATIVE_STACK_BYTES`].
    pub slice: Option<Duration>,
    /// Where artifacts are kept beyond the end of the process.
    pub cache_dir: Option<PathBuf>,
    /// How often files are looked at for changes; never without it.
    pub reload: Option<Duration>,
    /// The rule by which modules leave memory; without one they stay, and nothing of it is counted.
    pub keep_alive: Option<KeepAlive>,
    /// How many seconds of that rule's windows a second takes: above 1 where a trace is replayed faster than it was.
    pub clock_speed: f64,
}

/// A request as the platform sees it.
pub struct Call<'a> {
    /// The function.
    pub function: &'a Arc<Function>,
    /// The variables; those of the manifest are added to them, and win.
    pub env: Vec<(String, String)>,
    /// Standard input.
    pub stdin: Vec<u8>,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The answer.
    pub result: Result<Outcome, Failure>,
    /// Whether the module was in memory.
    pub start: Start,
    /// Where the time went.
    pub phases: Phases,
}

/// A request that the platform has taken on.
pub struct Admitted<'a> {
    function: &'a Arc<Function>,
    invocation: Invocation,
    held: Option<Held>,
}

struct Job {
    function: Arc<Function>,
    invocation: Invocation,
    reply: oneshot::Sender<Result<Reply, Busy>>,
    /// Where modules are kept by a rule: this one stays until that is dropped.
    held: Option<Held>,
}

/// What a worker does.
enum Work {
    Call(Job),
    Load(Prewarm),
}

/// The functions that there are.
#[derive(Default)]
pub struct Table {
    by_path: HashMap<String, Arc<Function>>,
    by_name: BTreeMap<String, Arc<Function>>,
}

impl Table {
    /// The function of this name: nothing but the names that are in the table, compared byte for byte.
    pub fn find(&self, name: &str) -> Option<&Arc<Function>> {
        self.by_path.get(name)
    }

    /// Every function once, ordered by name.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.by_name.values()
    }

    /// The shorter name that also leads to a function.
    pub fn short_name<'a>(&self, function: &'a Function) -> Option<&'a str> {
        let (_, short) = function.spec.name.rsplit_once('/')?;
        self.by_path.get(short).is_some_and(|found| found.spec.name == function.spec.name).then_some(short)
    }
}

/// A running platform. Dropping it ends the workers, once they have answered what waits.
pub struct Platform {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    settings: Settings,
    backend: Backend,
    queue: FairQueue<Work>,
    table: ArcSwap<Table>,
    metrics: Metrics,
    source: Source,
    keeping: Option<Arc<Keeping>>,
    stopping: Mutex<bool>,
    stop: Condvar,
}

impl Platform {
    /// Reads the functions, starts the runtime and the workers.
    ///
    /// # Errors
    /// Functions that cannot be read, a runtime that does not start, a cache that cannot be used.
    pub fn start(settings: Settings, runtime: Box<dyn Runtime>, source: Source) -> Result<Platform, ServeError> {
        // Only what is worth it: artifacts of `cached` are gone with the process, as its modules are.
        let cache = settings.cache_dir.as_deref().filter(|_| settings.strategy == Strategy::Pooled);
        let artifacts = Artifacts::open(cache, runtime.info())?;
        let name = runtime.info().id.to_string();
        let backend = Backend::new(runtime, settings.strategy, artifacts, settings.workers)
            .map_err(|failure| ServeError::Runtime { runtime: name, failure })?;
        let queue = FairQueue::new(Bounds {
            queued: settings.queue,
            queued_per_lane: settings.queue.div_ceil(2),
            running_per_lane: settings.per_function,
        });
        let keeping = settings.keep_alive.map(|policy| Keeping::new(policy, settings.clock_speed));
        let shared = Arc::new(Shared {
            metrics: Metrics::new(settings.keep_alive),
            settings,
            backend,
            queue,
            table: ArcSwap::default(),
            source,
            keeping,
            stopping: Mutex::new(false),
            stop: Condvar::new(),
        });
        let stamp = shared.source.stamp();
        let table = shared.read_all(&shared.source.read()?)?;
        shared.set_table(table);
        let mut threads = Vec::new();
        for worker in 0..shared.settings.workers {
            let shared = shared.clone();
            threads.push(thread(format!("worker {worker}"), move || shared.work(worker))?);
        }
        let keeper = shared.clone();
        threads.push(thread("keeper".to_owned(), move || keeper.keep(stamp))?);
        if let Some(keeping) = shared.keeping.clone() {
            let shared = shared.clone();
            let load = move |prewarm: Prewarm| shared.ask_for(prewarm);
            threads.push(thread("keep-alive".to_owned(), move || keeping.run(load))?);
        }
        Ok(Platform { shared, threads })
    }

    /// The functions that there are now.
    pub fn table(&self) -> Guard<Arc<Table>> {
        self.shared.table.load()
    }

    /// Takes on a request: what the function gets is settled, and its module stays in memory.
    pub fn admit<'a>(&self, call: Call<'a>) -> Admitted<'a> {
        let Call { function, mut env, stdin } = call;
        let spec = &function.spec;
        if !spec.set.is_empty() {
            env.retain(|(name, _)| !spec.set.contains_key(name));
            env.extend(spec.set.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let limits = spec.limits.within(self.shared.settings.limits);
        let invocation = Invocation { args: spec.args.clone(), env, stdin, limits };
        let held = self.shared.keeping.as_ref().map(|keeping| keeping.hold(function));
        Admitted { function, invocation, held }
    }

    /// Runs a function on the calling thread for a slice of time, if it was always fast. Nothing if it was not, or is not this
    /// time: then nothing has happened that anybody could have seen, and a worker is asked.
    pub fn at_once(&self, admitted: &mut Admitted<'_>) -> Option<Reply> {
        let reply = self.shared.in_a_slice(admitted.function, &mut admitted.invocation)?;
        drop(admitted.held.take().map(Held::end));
        Some(reply)
    }

    /// Asks the workers to run a function, before this returns. What is returned waits for one of them.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full, and when no worker was free in time.
    pub fn queue(&self, admitted: Admitted<'_>) -> impl Future<Output = Result<Reply, Busy>> + use<> {
        let (reply, receiver) = oneshot::channel();
        let Admitted { function, invocation, held } = admitted;
        let job = Job { function: function.clone(), invocation, reply, held };
        let pushed = self.shared.queue.push(function.number, Work::Call(job));
        async move {
            pushed?;
            // Without a reply the platform is about to end.
            receiver.await.unwrap_or(Err(Busy))
        }
    }

    /// How the platform is set.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The runtime that functions run in.
    pub fn runtime(&self) -> &dyn Runtime {
        self.shared.backend.runtime()
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// How many requests wait, and how many are worked on.
    pub fn load(&self) -> (usize, usize) {
        self.shared.queue.load()
    }

    /// What was counted, for Prometheus.
    pub(super) fn metrics_text(&self) -> String {
        let (queued, running) = self.load();
        let resident = self.table().functions().map(|function| function.copies_now()).sum();
        let account = self.shared.keeping.as_ref().map(|keeping| keeping.account());
        self.metrics().text(Now { queued, running, resident, account })
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        *self.shared.stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stop.notify_all();
        self.shared.keeping.iter().for_each(|keeping| keeping.stop());
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Functions run on these threads, and modules are compiled on them: a runtime chooses how much stack that takes.
fn thread(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServeError> {
    let builder = std::thread::Builder::new().name(name).stack_size(NATIVE_STACK_BYTES);
    builder.spawn(work).map_err(|e| ServeError::Server(format!("cannot start a thread: {e}")))
}

impl Shared {
    fn work(&self, worker: usize) {
        let mut done = None;
        while let Some(taken) = self.queue.next(done) {
            done = Some(taken.lane);
            let Job { function, invocation, reply, held } = match taken.item {
                Work::Call(job) => job,
                Work::Load(prewarm) => {
                    self.prewarm(&prewarm);
                    continue;
                }
            };
            if reply.is_closed() {
                // Whoever asked has gone.
                continue;
            }
            let mut phases = Phases { queue_ns: Some(nanoseconds(taken.waited)), ..Phases::default() };
            let invoke = || self.backend.invoke(worker, &function, &invocation, &mut phases);
            let (start, result) = self.counted(invoke).unwrap_or_else(|failure| (Start::Cold, Err(failure)));
            function.counters.invoked(start, &phases);
            function.pace.ran(phases.sandboxed());
            // Taken out of memory before the answer, so that the next request is cold; what that takes is not the answer's.
            let released = held.map(Held::end);
            // Whoever asked may have gone meanwhile.
            let _ = reply.send(Ok(Reply { result, start, phases }));
            drop(released);
        }
    }

    fn in_a_slice(&self, function: &Function, invocation: &mut Invocation) -> Option<Reply> {
        let slice_ns = nanoseconds(self.settings.slice?);
        if !function.pace.is_fast() || !self.backend.slices {
            return None;
        }
        let limit_ns = invocation.limits.wall_time_ns;
        invocation.limits.wall_time_ns = limit_ns.min(slice_ns);
        let mut phases = Phases::default();
        let invoked = self.counted(|| self.backend.invoke_resident(function, invocation, &mut phases));
        invocation.limits.wall_time_ns = limit_ns;
        let result = invoked.unwrap_or_else(|failure| Some(Err(failure)))?;
        if matches!(result, Err(Failure::Timeout { .. })) && slice_ns < limit_ns {
            function.pace.overran();
            function.counters.overran();
            return None;
        }
        function.pace.ran(phases.sandboxed());
        function.counters.invoked(Start::Warm, &phases);
        Some(Reply { result, start: Start::Warm, phases })
    }

    /// Counts a sandbox while it is there. A panic is a crash of the one invocation.
    fn counted<T>(&self, invoke: impl FnOnce() -> T) -> Result<T, Failure> {
        self.metrics.live.inc();
        let invoked = catch_unwind(AssertUnwindSafe(invoke));
        self.metrics.live.dec();
        invoked.map_err(|panic| Failure::crashed(panic_message(&*panic)))
    }

    fn prewarm(&self, prewarm: &Prewarm) {
        let Prewarm { function, slots } = prewarm;
        let load = AssertUnwindSafe(|| self.backend.prewarm(function, slots));
        let loaded = catch_unwind(load).unwrap_or_else(|panic| Err(Failure::crashed(panic_message(&*panic))));
        if let Err(failure) = loaded {
            tracing::warn!(function = %function.spec.name, %failure, "not loaded before it is called");
        }
        self.keeping.iter().for_each(|keeping| keeping.loaded(function));
    }

    /// Leaves it to the workers to load a module. Without a place in the queue it is loaded when it is called.
    fn ask_for(&self, prewarm: Prewarm) {
        let function = prewarm.function.clone();
        if self.queue.push(function.number, Work::Load(prewarm)).is_err() {
            self.keeping.iter().for_each(|keeping| keeping.loaded(&function));
        }
    }

    fn refuse(&self, work: Work) {
        match work {
            Work::Call(job) => drop(job.reply.send(Err(Busy))),
            Work::Load(prewarm) => self.keeping.iter().for_each(|keeping| keeping.loaded(&prewarm.function)),
        }
    }

    fn set_table(&self, table: Table) {
        let table = Arc::new(table);
        self.table.store(table.clone());
        self.keeping.iter().for_each(|keeping| keeping.adopt(table.functions()));
    }

    /// Looks after what waits and what changes, until the platform stops.
    fn keep(&self, mut stamp: Stamp) {
        let mut since_look = std::time::Instant::now();
        let mut stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopping {
            stopping = self.stop.wait_timeout(stopping, ROUND).unwrap_or_else(PoisonError::into_inner).0;
            for work in self.queue.sweep(self.settings.queue_wait) {
                self.refuse(work);
            }
            if self.settings.reload.is_some_and(|every| since_look.elapsed() >= every) {
                drop(stopping);
                self.look(&mut stamp);
                since_look = std::time::Instant::now();
                stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Takes over what has changed on disk. What is broken leaves what was there.
    fn look(&self, stamp: &mut Stamp) {
        let now = self.source.stamp();
        if now == *stamp {
            return;
        }
        match self.source.read() {
            Err(error) => {
                tracing::error!(%error, "the functions cannot be read; those that were there stay");
                self.metrics.reloaded("failed");
            }
            Ok(specs) => {
                let table = self.read_changed(&specs);
                self.set_table(table);
            }
        }
        *stamp = now;
    }

    fn read(&self, spec: Spec, number: u64) -> Result<Function, Failure> {
        let counters = self.metrics.function(&spec.name);
        Function::read(spec, self.backend.engines(), counters, number)
    }

    fn read_all(&self, specs: &[Spec]) -> Result<Table, ServeError> {
        let mut by_name = BTreeMap::new();
        for (spec, number) in specs.iter().zip(0..) {
            let function = self.read(spec.clone(), number).map_err(|e| ServeError::function(&spec.name, e))?;
            by_name.insert(spec.name.clone(), Arc::new(function));
        }
        Ok(self.source.table(by_name))
    }

    fn read_changed(&self, specs: &[Spec]) -> Table {
        let old = self.table.load();
        let unused = old.functions().map(|function| function.number + 1).max().unwrap_or(0);
        let mut by_name = BTreeMap::new();
        for (spec, next) in specs.iter().zip(unused..) {
            let before = old.by_name.get(&spec.name);
            let number = before.map_or(next, |before| before.number);
            let same = |new: &Function| before.is_some_and(|old| old.spec == new.spec && old.sha256 == new.sha256);
            match self.read(spec.clone(), number) {
                Ok(new) if same(&new) => by_name.extend(before.map(|before| (spec.name.clone(), before.clone()))),
                Ok(new) => match self.backend.preload(&new) {
                    Ok(()) => {
                        tracing::info!(function = %spec.name, sha256 = %new.sha256, "a function was taken over");
                        self.metrics.reloaded("taken over");
                        by_name.insert(spec.name.clone(), Arc::new(new));
                    }
                    Err(failure) => by_name.extend(self.keep_old(&spec.name, before, &failure)),
                },
                Err(failure) => by_name.extend(self.keep_old(&spec.name, before, &failure)),
            }
        }
        for gone in old.by_name.keys().filter(|name| !by_name.contains_key(*name)) {
            tracing::info!(function = %gone, "a function is gone");
        }
        self.source.table(by_name)
    }

    fn keep_old(
        &self,
        name: &str,
        before: Option<&Arc<Function>>,
        failure: &Failure,
    ) -> Option<(String, Arc<Function>)> {
        tracing::error!(function = %name, %failure, kept = before.is_some(), "a changed function cannot be taken over");
        self.metrics.reloaded("failed");
        before.map(|before| (name.to_owned(), before.clone()))
    }
}

impl Table {
    /// A table in which each function has its own name and no other.
    pub(super) fn exact(by_name: BTreeMap<String, Arc<Function>>) -> Table {
        Table { by_path: by_name.iter().map(|(name, function)| (name.clone(), function.clone())).collect(), by_name }
    }

    /// A table with a shorter name for each function that has no rival for it; `first` decides between rivals.
    pub(super) fn new(by_name: BTreeMap<String, Arc<Function>>, first: &[&str]) -> Table {
        let mut by_path: HashMap<String, Arc<Function>> = HashMap::new();
        let rank = |name: &str| {
            let folder = name.split('/').next().unwrap_or_default();
            first.iter().position(|first| *first == folder).unwrap_or(first.len())
        };
        let mut ordered: Vec<&Arc<Function>> = by_name.values().collect();
        ordered.sort_by_key(|function| rank(&function.spec.name));
        for function in &ordered {
            by_path.insert(function.spec.name.clone(), Arc::clone(function));
        }
        for function in ordered {
            if let Some((_, short)) = function.spec.name.rsplit_once('/') {
                by_path.entry(short.to_owned()).or_insert_with(|| function.clone());
            }
        }
        Table { by_path, by_name }
    }
}
