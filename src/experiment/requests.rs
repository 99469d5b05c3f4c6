//! A server as a runtime: a request is an invocation. For scenarios that want to know what a function gets, not how fast.

use crate::load::{LoadError, Url, probe, request};
use isobar_core::measure::{Budget, Expectation, MeasureError, Measurement, ScenarioId, StdoutRule, Task};
use isobar_core::runtime::{Engine, Instance, Module, Remote, Runtime, RuntimeInfo, Server};
use isobar_core::{Failure, Invocation, Outcome};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A runtime that offers nothing but servers.
pub(super) struct ByRequests {
    info: RuntimeInfo,
    runtime: Arc<dyn Runtime>,
}

impl ByRequests {
    pub(super) fn new(runtime: Box<dyn Runtime>) -> ByRequests {
        ByRequests { info: runtime.info().clone(), runtime: Arc::from(runtime) }
    }
}

impl Runtime for ByRequests {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(Loader(self.runtime.clone())))
    }

    fn remote(&self) -> Option<&dyn Remote> {
        Some(self)
    }
}

impl Remote for ByRequests {
    fn measure(&self, scenario: ScenarioId, _: &Task, _: &Budget) -> Result<Measurement, MeasureError> {
        Err(Failure::host(format!("{scenario} is not measured of servers")).into())
    }

    fn under(&self, launcher: &[OsString]) -> Box<dyn Runtime> {
        match self.runtime.remote() {
            Some(remote) => Box::new(ByRequests::new(remote.under(launcher))),
            None => Box::new(ByRequests { info: self.info.clone(), runtime: self.runtime.clone() }),
        }
    }
}

struct Loader(Arc<dyn Runtime>);

impl Engine for Loader {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let (runtime, artifact) = (self.0.clone(), artifact.to_owned());
        Ok(Box::new(Loaded { runtime, artifact, server: Mutex::new(None) }))
    }
}

/// A function and the server that answers for it, which is started for the first invocation: its limits are the server's.
struct Loaded {
    runtime: Arc<dyn Runtime>,
    artifact: PathBuf,
    server: Mutex<Option<Box<dyn Server>>>,
}

impl Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if server.is_none() {
            *server = Some(self.runtime.serve(&self.artifact, invocation)?);
        }
        let url = server.as_ref().map_or("", |server| server.url());
        let url = url.parse().map_err(|e: LoadError| Failure::host(format!("the runner's server: {e}")))?;
        Ok(Box::new(Asked { url, invocation: invocation.clone() }))
    }
}

/// A request that is to be sent. Nothing of it is in the server yet.
struct Asked {
    url: Url,
    invocation: Invocation,
}

impl Instance for Asked {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let any = Expectation { exit_code: 0, stdout: StdoutRule::Any };
        let request = request("", &self.url.path, &self.invocation, &any);
        let limit_ns = self.invocation.limits.wall_time_ns;
        let (limit, since) = (Duration::from_nanos(limit_ns), Instant::now());
        match probe(&self.url.server, &request, limit) {
            Ok(answer) if answer.status == 200 => Ok(Outcome { exit_code: 0, stdout: answer.body, stderr: Vec::new() }),
            // What a function exits with is no part of the answer; that it failed is.
            Ok(answer) => {
                let said = format!("status {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                Ok(Outcome { exit_code: 1, stdout: Vec::new(), stderr: said.into_bytes() })
            }
            Err(_) if since.elapsed() >= limit => Err(Failure::Timeout { limit_ns }),
            Err(LoadError::Unreachable { what, .. }) => {
                Err(Failure::crashed(format!("the server gave no answer: {what}")))
            }
            Err(e) => Err(Failure::host(e.to_string())),
        }
    }
}
