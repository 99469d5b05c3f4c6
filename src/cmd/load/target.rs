//! The server, asked once: by its address, or started here.

use super::Load;
use crate::cmd::Places;
use crate::load::{self, LoadError, Platform, Request, Server, Url, invocation, probe};
use crate::record::Function;
use crate::workload::Workload;
use anyhow::{Context, Result, bail};
use isobar_core::{Outcome, Runtime, RuntimeId, RuntimeInfo};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long `isobar serve` may take until it listens.
const START: Duration = Duration::from_secs(60);

/// A server that was asked once for everything that it will be asked for.
pub(super) struct Target {
    pub(super) server: Server,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) requests: Vec<Request>,
    pub(super) functions: Vec<Function>,
    /// What records call it.
    pub(super) name: RuntimeId,
    /// Of a platform that was started with a runtime: which.
    pub(super) runtime: Option<RuntimeInfo>,
    /// What is asked for, or where.
    pub(super) url: String,
    /// How long the very first request took, if there was one before those that count.
    pub(super) first_request_ns: Option<u64>,
    /// Runs as long as this is there.
    _platform: Option<Platform>,
}

impl Target {
    pub(super) fn of(load: &Load, places: &Places) -> Result<Target> {
        let target = match (&load.url, &load.serve) {
            (Some(url), _) => Target::at(load, url)?,
            (None, Some(function)) => Target::started(load, function, places)?,
            (None, None) => bail!("name an address, or a function with --serve"),
        };
        target.asked(load.timeout)
    }

    fn at(load: &Load, url: &Url) -> Result<Target> {
        let paths = if load.replay.functions.is_empty() {
            vec![url.path.clone()]
        } else {
            let base = url.path.trim_end_matches('/');
            load.replay.functions.iter().map(|name| format!("{base}/{}", name.trim_start_matches('/'))).collect()
        };
        let mut requests = Vec::new();
        for path in &paths {
            // As a URL, it is checked like one.
            let whole = format!("http://{}{path}", url.server.authority());
            requests.push(load.what.request(&whole.parse::<Url>()?.path)?);
        }
        let of_server = |request: &Request| {
            load::function(
                &request.name,
                &request.method,
                &format!("http://{}{}", url.server.authority(), request.path),
            )
        };
        Ok(Target {
            server: url.server.clone(),
            addresses: Vec::new(),
            functions: requests.iter().map(of_server).collect(),
            requests,
            name: load.name.clone().unwrap_or_else(|| load::server_name(&url.server.authority())),
            runtime: None,
            url: url.to_string(),
            first_request_ns: None,
            _platform: None,
        })
    }

    fn started(load: &Load, function: &str, places: &Places) -> Result<Target> {
        let workloads = Target::workloads(load, function, places)?;
        let requests = workloads.iter().map(invocation).collect();
        Target::serving(load, places, &workloads, requests, &[])
    }

    /// The functions that are named.
    pub(super) fn workloads(load: &Load, function: &str, places: &Places) -> Result<Vec<Workload>> {
        if load.what.is_given() {
            bail!("--serve knows the request and its answer from the function's manifest; give a URL to choose them");
        }
        let catalogue = places.catalogue()?;
        let mut names = vec![function];
        names.extend(load.replay.functions.iter().map(String::as_str).filter(|name| *name != function));
        names.into_iter().map(|name| Ok(catalogue.find(name)?.clone())).collect()
    }

    /// A platform with the functions of a manifest, and a keep-alive policy. Nobody asks it for anything before those
    /// requests that count do, so its first starts count, too.
    pub(super) fn of_trace(
        load: &Load,
        places: &Places,
        workloads: &[Workload],
        requests: &[Request],
        manifest: &Path,
        policy: Option<&str>,
    ) -> Result<Target> {
        let mut options = vec!["--functions".to_owned(), manifest.display().to_string()];
        if let Some(policy) = policy {
            if option(&load.serve_options, "--keep-alive").is_none() {
                options.extend(["--keep-alive".to_owned(), policy.to_owned()]);
            }
            if option(&load.serve_options, "--clock-speed").is_none() {
                options.extend(["--clock-speed".to_owned(), load.replay.speed.to_string()]);
            }
        }
        let mut target = Target::serving(load, places, workloads, requests.to_vec(), &options)?;
        if let Some(policy) = policy {
            let word = policy.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            target.name = format!("{}+keep-{word}", target.name).parse().context("--keep-alive")?;
            target.runtime.iter_mut().for_each(|runtime| runtime.id = target.name.clone());
        }
        target.addresses = target.server.addresses().context("the platform has no address")?;
        Ok(target)
    }

    fn serving(
        load: &Load,
        places: &Places,
        workloads: &[Workload],
        requests: Vec<Request>,
        options: &[String],
    ) -> Result<Target> {
        let exe = std::env::current_exe().context("cannot tell where isobar itself is")?;
        let mut command = Command::new(exe);
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(options).args(&load.serve_options);
        command.env("ISOBAR_ROOT", places.root()?);
        if let Some(runners) = &places.runners {
            command.arg("--runners").arg(runners);
        }
        let platform = Platform::start(command, START)?;
        let runtime = option(&load.serve_options, "--runtime");
        let name = match &load.name {
            Some(name) => name.clone(),
            None => served_name(runtime, option(&load.serve_options, "--strategy"))?,
        };
        let runtime = match runtime {
            Some(runtime) => {
                let registry = places.registry()?;
                registry.find(runtime).ok().map(|known| RuntimeInfo { id: name.clone(), ..known.info().clone() })
            }
            None => None,
        };
        Ok(Target {
            server: platform.url.server.clone(),
            addresses: Vec::new(),
            requests,
            functions: workloads.iter().map(|workload| crate::cmd::run::function(workload, false)).collect(),
            name,
            runtime,
            url: format!("isobar serve {}", load.serve_options.join(" ")).trim_end().to_owned(),
            first_request_ns: None,
            _platform: Some(platform),
        })
    }

    /// Asks for everything once: whether it is there, and what the right answers are.
    fn asked(mut self, timeout: Duration) -> Result<Target> {
        let mut scratch = Outcome { exit_code: 0, stdout: Vec::new(), stderr: Vec::new() };
        for (at, request) in self.requests.iter_mut().enumerate() {
            let first = probe(&self.server, request, timeout)?;
            let url = format!("http://{}{}", self.server.authority(), request.path);
            let checked = request.check.check(first.status, &first.body, &mut scratch);
            checked.map_err(|(_, what)| LoadError::Wrong { url, what })?;
            request.check.body.get_or_insert_with(|| first.same_body());
            if at == 0 {
                self.first_request_ns = Some(first.elapsed_ns);
                self.addresses = first.addresses;
            }
        }
        Ok(self)
    }
}

/// The value of an option of `isobar serve` in a list of arguments.
pub(super) fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().enumerate().find_map(|(at, arg)| match arg.strip_prefix(name)? {
        "" => args.get(at + 1).map(String::as_str),
        rest => rest.strip_prefix('='),
    })
}

/// `wasmtime/winch+pooled`; without a runtime the platform chooses one: `isobar/pooled`.
fn served_name(runtime: Option<&str>, strategy: Option<&str>) -> Result<RuntimeId> {
    let strategy = strategy.unwrap_or("cached");
    let name = runtime.map_or_else(|| format!("isobar/{strategy}"), |runtime| format!("{runtime}+{strategy}"));
    name.parse().context("--serve")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_runtime_has_its_strategy_in_its_name() {
        let args: Vec<String> = ["--runtime", "wasmtime/winch", "--strategy=pooled"].map(str::to_owned).into();
        assert_eq!((option(&args, "--runtime"), option(&args, "--strategy")), (Some("wasmtime/winch"), Some("pooled")));
        assert_eq!(option(&args, "--workers"), None);
        let name = |runtime, strategy| served_name(runtime, strategy).map(|name| name.to_string()).ok();
        assert_eq!(name(Some("wasmtime/winch"), Some("pooled")).as_deref(), Some("wasmtime/winch+pooled"));
        assert_eq!(name(None, None).as_deref(), Some("isobar/cached"));
        assert_eq!(name(Some("x"), None), None);
    }
}
