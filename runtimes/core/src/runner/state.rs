use super::protocol::{NotHere, PROTOCOL, Reply, Request};
use crate::contract::{Failure, Invocation};
use crate::measure::{self, MeasureError, nanoseconds};
use crate::process::{AllocationLimit, limit_allocation};
use crate::runtime::{Enforcer, Engine, Instance, Module, Runtime, RuntimeId, Server};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// What a runner holds between requests.
pub(super) struct State<'a> {
    runtimes: &'a [Box<dyn Runtime>],
    absent: &'a [NotHere],
    // Dropped in this order: sandboxes, modules, engine.
    instances: HashMap<u64, (Box<dyn Instance>, Option<AllocationLimit>)>,
    modules: HashMap<u64, Box<dyn Module>>,
    engine: Option<(&'a dyn Runtime, Box<dyn Engine>)>,
    servers: HashMap<u64, Box<dyn Server>>,
    last_handle: u64,
}

impl<'a> State<'a> {
    pub(super) fn new(runtimes: &'a [Box<dyn Runtime>], absent: &'a [NotHere]) -> Self {
        let (instances, modules, servers) = (HashMap::new(), HashMap::new(), HashMap::new());
        State { runtimes, absent, instances, modules, engine: None, servers, last_handle: 0 }
    }

    pub(super) fn answer(&mut self, request: Request) -> Reply {
        let result = match request {
            Request::Describe => Ok(self.describe()),
            Request::Engine { runtime } => self.start(&runtime),
            Request::Compile { wasm, artifact } => self.engine().and_then(|(_, engine)| {
                let start = Instant::now();
                engine.compile(&wasm, &artifact)?;
                Ok(done(start))
            }),
            Request::Load { artifact } => self.load(&artifact),
            Request::Instantiate { module, invocation } => self.instantiate(module, &invocation),
            Request::Execute { instance } => self.execute(instance),
            Request::Release { handle } => {
                let start = Instant::now();
                let known = self.instances.remove(&handle).is_some()
                    || self.modules.remove(&handle).is_some()
                    || self.servers.remove(&handle).is_some();
                if known { Ok(done(start)) } else { Err(unknown(handle)) }
            }
            Request::Run { runtime, artifact, invocation } => self.run(&runtime, &artifact, &invocation),
            Request::Serve { runtime, artifact, invocation } => self.serve(&runtime, &artifact, &invocation),
            Request::Measure { runtime, scenario, task, budget } => {
                return match self.measure(&runtime, scenario, &task, &budget) {
                    Ok(measurement) => Reply::Measured { measurement },
                    Err(error) => Reply::Failed { error },
                };
            }
        };
        result.unwrap_or_else(Reply::from)
    }

    fn describe(&self) -> Reply {
        Reply::Described {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runtimes: self.runtimes.iter().map(|runtime| runtime.info().clone()).collect(),
            absent: self.absent.to_vec(),
        }
    }

    fn find(&self, id: &RuntimeId) -> Result<&'a dyn Runtime, Failure> {
        let found = self.runtimes.iter().find(|runtime| runtime.info().id == *id);
        found.map(|runtime| &**runtime).ok_or_else(|| Failure::host(format!("this runner has no runtime {id}")))
    }

    fn start(&mut self, id: &RuntimeId) -> Result<Reply, Failure> {
        let runtime = self.find(id)?;
        self.instances.clear();
        self.modules.clear();
        self.engine = None;
        let start = Instant::now();
        self.engine = Some((runtime, runtime.engine()?));
        Ok(done(start))
    }

    fn engine(&self) -> Result<&(&'a dyn Runtime, Box<dyn Engine>), Failure> {
        self.engine.as_ref().ok_or_else(|| Failure::host("no engine was created yet"))
    }

    fn load(&mut self, artifact: &Path) -> Result<Reply, Failure> {
        let (_, engine) = self.engine()?;
        let start = Instant::now();
        let module = engine.load(artifact)?;
        let elapsed_ns = nanoseconds(start.elapsed());
        let handle = self.next_handle();
        self.modules.insert(handle, module);
        Ok(Reply::Made { handle, elapsed_ns })
    }

    fn instantiate(&mut self, module: u64, invocation: &Invocation) -> Result<Reply, Failure> {
        let (runtime, _) = self.engine()?;
        invocation.check()?;
        let limit = limit_by_process(*runtime, invocation, 1);
        let module = self.modules.get(&module).ok_or_else(|| unknown(module))?;
        let start = Instant::now();
        let instance = module.instantiate(invocation)?;
        let elapsed_ns = nanoseconds(start.elapsed());
        let handle = self.next_handle();
        self.instances.insert(handle, (instance, limit));
        Ok(Reply::Made { handle, elapsed_ns })
    }

    fn execute(&mut self, handle: u64) -> Result<Reply, Failure> {
        let (instance, _) = self.instances.get_mut(&handle).ok_or_else(|| unknown(handle))?;
        let start = Instant::now();
        let outcome = instance.execute()?;
        Ok(Reply::Executed { outcome, elapsed_ns: nanoseconds(start.elapsed()) })
    }

    fn run(&mut self, id: &RuntimeId, artifact: &Path, invocation: &Invocation) -> Result<Reply, Failure> {
        let runtime = self.find(id)?;
        invocation.check()?;
        runtime.prepare()?;
        let _limit = limit_by_process(runtime, invocation, 1);
        let once = runtime.run_once(artifact, invocation)?;
        Ok(Reply::Executed { outcome: once.outcome, elapsed_ns: once.elapsed_ns })
    }

    fn serve(&mut self, id: &RuntimeId, artifact: &Path, invocation: &Invocation) -> Result<Reply, Failure> {
        let runtime = self.find(id)?;
        invocation.check()?;
        let server = runtime.serve(artifact, invocation)?;
        let (handle, url, elapsed_ns) = (self.next_handle(), server.url().to_owned(), server.listening_ns());
        self.servers.insert(handle, server);
        Ok(Reply::Serving { handle, url, elapsed_ns })
    }

    fn measure(
        &mut self,
        id: &RuntimeId,
        scenario: measure::ScenarioId,
        task: &measure::Task,
        budget: &measure::Budget,
    ) -> Result<measure::Measurement, MeasureError> {
        let runtime = self.find(id)?;
        task.invocation.check()?;
        runtime.prepare()?;
        let live = scenario.scenario().live_instances(scenario.threads());
        let _limit = limit_by_process(runtime, &task.invocation, live);
        measure::measure(runtime, scenario, task, budget)
    }

    fn next_handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }
}

/// The process' own memory limit, for runtimes that have none, or whose stack grows as long as there is memory.
fn limit_by_process(runtime: &dyn Runtime, invocation: &Invocation, live: u32) -> Option<AllocationLimit> {
    let bytes = invocation.limits.memory_bytes.saturating_mul(u64::from(live));
    let enforcement = runtime.info().enforcement;
    [enforcement.memory, enforcement.stack].contains(&Enforcer::Process).then(|| limit_allocation(bytes))
}

fn done(start: Instant) -> Reply {
    Reply::Done { elapsed_ns: nanoseconds(start.elapsed()) }
}

fn unknown(handle: u64) -> Failure {
    Failure::host(format!("there is no module, no sandbox and no server with the number {handle}"))
}
