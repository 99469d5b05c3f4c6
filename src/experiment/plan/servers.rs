//! Which scenarios a plan has of each runtime: those of servers are for servers alone.

use super::Chosen;
use crate::remote::RemoteRuntime;
use crate::workload::Workload;
use isobar_core::measure::{Place, SCENARIOS, ScenarioId};
use isobar_core::{Runtime, RuntimeId, RuntimeInfo};

/// The function that servers are measured with where nobody chooses one: what is compared is the servers.
const SHOWN: &str = "hello";

/// What the filters choose, and how that is read.
pub(super) struct Wanted<'a> {
    pub(super) chosen: &'a Chosen,
    pub(super) runtimes: &'a [RemoteRuntime],
    pub(super) scenarios: &'a [ScenarioId],
    pub(super) variants: bool,
    pub(super) measures: &'a [String],
}

impl<'a> Wanted<'a> {
    /// The runtimes of which something is measured, and what.
    pub(super) fn by_runtime(&self) -> Vec<(&'a RuntimeInfo, Vec<ScenarioId>)> {
        let taken = (0..self.runtimes.len()).filter(|at| self.takes(*at));
        let wanted = taken.map(|at| (self.runtimes[at].info(), self.scenarios_of(at)));
        wanted.filter(|(_, scenarios)| !scenarios.is_empty()).collect()
    }

    fn takes(&self, at: usize) -> bool {
        let filtered = self.chosen.filtered[0];
        let Some(served) = self.runtimes[at].served() else {
            let info = self.runtimes[at].info();
            if info.emulated {
                return self.chosen.exact.contains(info.id.as_str());
            }
            let plain = info.id.variants().next().is_none();
            return self.chosen.keeps(0, at) && (filtered || self.variants || plain);
        };
        // By its own name, with the variant that it is of, or with the mode that it is the plain one of.
        let named = filtered && (self.chosen.keeps(0, at) || self.keeps(&served.base));
        named || served.plain().is_some_and(|plain| self.keeps(&plain)) || (self.variants && self.keeps(&served.base))
    }

    /// Whether a runtime is chosen.
    fn keeps(&self, id: &RuntimeId) -> bool {
        let at = self.runtimes.iter().position(|runtime| runtime.info().id == *id);
        at.is_some_and(|at| self.chosen.keeps(0, at))
    }

    fn scenarios_of(&self, at: usize) -> Vec<ScenarioId> {
        let runtime = &self.runtimes[at];
        // Who names a server wants to know what can be measured of it.
        let named = self.chosen.filtered[0] && runtime.served().is_none() && self.chosen.keeps(0, at);
        let asked = |id: &ScenarioId| match id.scenario().opt_in() {
            _ if self.chosen.filtered[2] => true,
            Some(_) if named && is_of_servers(*id) => true,
            Some(by) => self.measures.iter().any(|name| name == by),
            None => true,
        };
        let chosen = self.chosen.positions(2).map(|at| self.scenarios[at]);
        // Isobar's own platform takes no functions but those that it knows.
        let possible = |id: &ScenarioId| !id.scenario().verdicts() || runtime.served().is_none();
        chosen.filter(|id| asked(id) && possible(id) && applies(runtime.info(), *id)).collect()
    }
}

/// Whether a scenario makes sense for a runtime at all: what does not is no gap in a report.
fn applies(info: &RuntimeInfo, id: ScenarioId) -> bool {
    let of_servers = |name: &String| SCENARIOS.iter().any(|s| s.name() == name && s.place() == Place::Server);
    match (is_of_servers(id), &info.scenarios) {
        (true, offered) => offered.as_ref().is_some_and(|offered| offered.iter().any(|name| name == id.name())),
        (false, Some(_)) if id.scenario().verdicts() => true,
        (false, Some(offered)) => offered.is_empty() || !offered.iter().all(of_servers),
        (false, None) => true,
    }
}

/// Whether what is measured is a server.
pub(super) fn is_of_servers(id: ScenarioId) -> bool {
    id.scenario().place() == Place::Server
}

/// Whether servers are measured with a function that no filter names.
pub(super) fn shows(workload: &Workload) -> bool {
    workload.name.rsplit('/').next() == Some(SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(scenarios: Option<&[&str]>) -> RuntimeInfo {
        let scenarios = scenarios.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        RuntimeInfo { scenarios, ..RuntimeInfo::wasm(RuntimeId::new("mine", "x", &[])) }
    }

    #[test]
    fn what_is_measured_of_servers_is_measured_of_those_that_offer_it() {
        let applies = |offered: Option<&[&str]>, id: &str| applies(&info(offered), id.parse().unwrap());
        assert!(applies(None, "warm") && !applies(None, "http-start") && !applies(None, "http-closed/64"));
        let server: Option<&[&str]> = Some(&["http-start", "http-closed"]);
        assert!(applies(server, "isolation"), "a request is an invocation");
        assert!(applies(server, "http-start") && applies(server, "http-closed/1") && !applies(server, "http-knee"));
        assert!(!applies(server, "warm"), "that is no gap");
        let both: Option<&[&str]> = Some(&["warm", "http-start"]);
        assert!(applies(both, "warm") && applies(both, "http-start"));
        assert!(applies(both, "cold"), "the refusal is a line of the report");
    }
}
