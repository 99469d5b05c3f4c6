use crate::names::nearest;
use crate::record::{Cell, Formless, Skipped};
use crate::remote::RemoteRuntime;
use crate::workload::{Comparison, Workload};
use globset::{Glob, GlobMatcher};
use isobar_core::measure::ScenarioId;
use isobar_core::{Form, Runtime, RuntimeId, RuntimeInfo};
use servers::Wanted;
use std::collections::{BTreeMap, BTreeSet};

mod servers;

/// The matrix: which runtimes, functions and scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The cells, by runtime, function and scenario.
    pub cells: Vec<Cell>,
    /// What was chosen and cannot be measured.
    pub skipped: Vec<Skipped>,
    /// Functions that were chosen, and of which some of the runtimes have nothing to load.
    pub formless: Vec<Formless>,
}

/// Which functions are measured when no filter names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionSet {
    /// Those whose manifest says `quick = true`.
    Quick,
    /// Those whose manifest says `default = true`.
    Default,
    /// All of them, in every language.
    All,
    /// Those by which languages are compared: of families that have `[languages]`, and only in the scenarios named there.
    Languages,
}

impl FunctionSet {
    /// Whether a function belongs to the set.
    pub fn holds(self, workload: &Workload) -> bool {
        match self {
            FunctionSet::Quick => workload.quick,
            FunctionSet::Default => workload.default,
            FunctionSet::All => true,
            FunctionSet::Languages => workload.comparison().is_some(),
        }
    }

    /// Whether a scenario belongs to what is measured of a function.
    fn measures(self, workload: &Workload, scenario: &ScenarioId) -> bool {
        let named = |comparison: &Comparison| comparison.scenarios.iter().any(|name| name == scenario.name());
        self != FunctionSet::Languages || workload.comparison().is_some_and(named)
    }
}

/// A wish that cannot be met. Displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The text is no glob.
    #[error("the filter '{0}' is no glob: {1}")]
    BadGlob(String, String),
    /// A filter that chooses nothing.
    #[error("the filter '{filter}' matches no runtime, function or scenario{}; `isobar list` shows them all", did_you_mean(.nearest))]
    MatchesNothing {
        /// The filter.
        filter: String,
        /// Names that it may have been meant to be.
        nearest: Vec<String>,
    },
    /// There is nothing at all to measure with.
    #[error("no runtime is present; `isobar doctor` says what is missing")]
    NoRuntime,
    /// No function says that it belongs to the set.
    #[error("no function belongs to the set; choose with --filter, or give --all-functions or --languages")]
    NoFunction,
    /// Functions that try what they must not do, and scenarios that measure others.
    #[error(
        "functions that try to get out of their sandbox are for the scenario isolation, and no other is: choose both or neither"
    )]
    NotTogether,
    /// Only runtimes behind isobar's platform were chosen, and nothing that is measured of them.
    #[error("runtimes behind isobar's platform are measured with --measure http, or by a filter like 'http-*'")]
    NotAsked,
    /// A filter chose nothing but emulated machines, and does not name one.
    #[error("{0} is emulated, and measured only where a filter is its whole name")]
    Emulated(RuntimeId),
    /// None of the functions exists in the form that the runtimes load.
    #[error("{runtime} cannot load {function}: {reason}")]
    NoForm {
        /// A function.
        function: String,
        /// A runtime.
        runtime: RuntimeId,
        /// Why not, and what to do.
        reason: String,
    },
}

fn did_you_mean(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!(" (did you mean {}?)", nearest.join(" or ")) }
}

impl Plan {
    /// Every runtime with every function in every scenario, as far as the filters choose them.
    ///
    /// A filter is a glob over the names of runtimes (`wasmtime/*`), of functions (`rust/*`; without a slash it means
    /// the last part) or of scenarios (`warm`, `throughput/2`). Filters of one kind add to each other, filters of
    /// different kinds narrow each other down. Without a filter for functions it is those of `set`; those by which
    /// languages are compared are always only narrowed down. Variants (`+pooling`) are chosen by filters with a `+`, or all
    /// of them by `variants`. Scenarios that are left out by default are in it when a filter or one of `measures` names
    /// them. A runtime behind isobar's platform is chosen with the one that it is of, and an emulated one only by its whole
    /// name; servers are measured with the function hello where no filter names one. A scenario that gives verdicts brings
    /// along the functions that try something, which belong to no set and to no other scenario.
    pub fn new(
        runtimes: &[RemoteRuntime],
        workloads: &[Workload],
        cores: u32,
        set: FunctionSet,
        variants: bool,
        filters: &[String],
        measures: &[String],
    ) -> Result<Plan, PlanError> {
        let scenarios = ScenarioId::all(cores);
        let names = [
            runtimes.iter().map(|runtime| runtime.info().id.to_string()).collect(),
            workloads.iter().map(|workload| workload.name.clone()).collect(),
            scenarios.iter().map(ScenarioId::to_string).collect(),
        ];
        let chosen = Chosen::by(filters, &names)?;
        let wanted = Wanted { chosen: &chosen, runtimes, scenarios: &scenarios, variants, measures };
        let wanted: Vec<(&RuntimeInfo, Vec<ScenarioId>)> = wanted.by_runtime();
        let any = |is: &dyn Fn(&ScenarioId) -> bool| wanted.iter().any(|(_, scenarios)| scenarios.iter().any(is));
        let fits = |workload: &Workload, id: &ScenarioId| workload.is_hostile() == id.scenario().verdicts();
        let functions = chosen.functions(workloads, set, variants, any(&|id| id.scenario().verdicts()))?;
        let functions: Vec<&Workload> =
            functions.into_iter().filter(|workload| wanted.is_empty() || any(&|id| fits(workload, id))).collect();
        if functions.is_empty() {
            return Err(PlanError::NotTogether);
        }
        let of_plan = |workload: &Workload, id: &ScenarioId| {
            let shown = chosen.filtered[1] || functions.len() == 1 || !servers::is_of_servers(*id);
            let measured = chosen.filtered[2] || workload.is_hostile() || set.measures(workload, id);
            fits(workload, id) && measured && (shown || servers::shows(workload))
        };
        let formless = formless(&wanted, &functions, of_plan);
        let mut plan = Plan { cells: Vec::new(), skipped: Vec::new(), formless };
        for (info, wanted) in wanted {
            let obstacle = |id: &ScenarioId| refusal(info, *id).or_else(|| id.scenario().obstacle(info, id.threads()));
            let lacks = |workload: &&&Workload| {
                !plan.formless.iter().any(|lack| lack.function == workload.name && lack.runtimes.contains(&info.id))
            };
            let functions: Vec<&Workload> = functions.iter().filter(lacks).copied().collect();
            let (cannot, can): (Vec<ScenarioId>, Vec<ScenarioId>) =
                wanted.into_iter().partition(|id| obstacle(id).is_some());
            for workload in &functions {
                let cell = |&scenario| Cell { runtime: info.id.clone(), function: workload.name.clone(), scenario };
                plan.cells.extend(can.iter().filter(|id| of_plan(workload, id)).map(cell));
            }
            let skip = |scenario: ScenarioId| {
                Some(Skipped { runtime: info.id.clone(), scenario, reason: obstacle(&scenario)? })
            };
            let cannot = cannot.into_iter().filter(|id| functions.iter().any(|workload| of_plan(workload, id)));
            plan.skipped.extend(cannot.filter_map(skip));
        }
        match (plan.cells.is_empty(), plan.formless.first()) {
            (false, _) => Ok(plan),
            (true, None) if chosen.positions(0).any(|at| runtimes[at].served().is_some()) && chosen.filtered[0] => {
                Err(PlanError::NotAsked)
            }
            (true, None) if chosen.filtered[0] => {
                let emulated = chosen.positions(0).map(|at| runtimes[at].info()).find(|info| info.emulated);
                Err(emulated.map_or(PlanError::NoRuntime, |info| PlanError::Emulated(info.id.clone())))
            }
            (true, None) => Err(PlanError::NoRuntime),
            (true, Some(Formless { function, runtimes, reason, .. })) => {
                let (function, reason) = (function.clone(), reason.clone());
                Err(PlanError::NoForm { function, runtime: runtimes[0].clone(), reason })
            }
        }
    }

    /// Takes a runtime's cells out of the plan, with the reason.
    pub fn skip(&mut self, runtime: &RuntimeId, reason: &str) {
        let (cannot, can) = std::mem::take(&mut self.cells).into_iter().partition(|cell| cell.runtime == *runtime);
        self.cells = can;
        let skip = |cell: Cell| Skipped { runtime: cell.runtime, scenario: cell.scenario, reason: reason.to_owned() };
        self.skipped.extend(Vec::into_iter(cannot).map(skip));
    }
}

/// Why a runtime that says which scenarios it offers does not offer this one.
fn refusal(info: &RuntimeInfo, id: ScenarioId) -> Option<String> {
    let implied = id.scenario().implied_by().iter().any(|name| info.refusal(name).is_none());
    if implied { None } else { info.refusal(id.name()) }
}

/// A runtime with the scenarios that it is measured in.
type Asked<'a> = (&'a RuntimeInfo, Vec<ScenarioId>);

/// What there is not, of the functions in the forms that these runtimes load, as far as it would be measured.
fn formless(
    wanted: &[Asked],
    functions: &[&Workload],
    of_plan: impl Fn(&Workload, &ScenarioId) -> bool,
) -> Vec<Formless> {
    let mut alike: BTreeMap<Form, Vec<&Asked>> = BTreeMap::new();
    for one in wanted {
        alike.entry(one.0.form).or_default().push(one);
    }
    let mut formless = Vec::new();
    for (form, runtimes) in alike {
        for workload in functions {
            let Err(error) = workload.form(form) else { continue };
            let would = runtimes.iter().filter(|(_, scenarios)| scenarios.iter().any(|id| of_plan(workload, id)));
            let runtimes: Vec<RuntimeId> = would.map(|(info, _)| info.id.clone()).collect();
            if !runtimes.is_empty() {
                let reason = error.reason();
                formless.push(Formless { function: workload.name.clone(), form, runtimes, reason });
            }
        }
    }
    formless
}

/// Which names of the three kinds (runtime, function, scenario) the filters choose.
pub(crate) struct Chosen {
    /// Names that a filter is, and not only matches.
    exact: BTreeSet<String>,
    /// Whether any filter was about this kind.
    filtered: [bool; 3],
    keep: [Vec<bool>; 3],
}

impl Chosen {
    pub(crate) fn by(filters: &[String], names: &[Vec<String>; 3]) -> Result<Chosen, PlanError> {
        let exact = filters.iter().cloned().collect();
        let keep = names.each_ref().map(|names| vec![false; names.len()]);
        let mut chosen = Chosen { exact, filtered: [false; 3], keep };
        for filter in filters {
            let glob = Glob::new(filter).map_err(|e| PlanError::BadGlob(filter.clone(), e.kind().to_string()))?;
            let glob = glob.compile_matcher();
            let mut any = false;
            for (kind, names) in names.iter().enumerate() {
                for (at, name) in names.iter().enumerate() {
                    if matches(&glob, filter, kind, name) {
                        (chosen.keep[kind][at], chosen.filtered[kind], any) = (true, true, true);
                    }
                }
            }
            if !any {
                // A function that many languages have is one name.
                let bare = |name: &'_ str| name.rsplit_once('/').map_or(name, |(_, last)| last).to_owned();
                let functions =
                    names[1].iter().map(|name| if filter.contains('/') { name.clone() } else { bare(name) });
                let functions: BTreeSet<String> = functions.collect();
                let known = names[0].iter().chain(&functions).chain(&names[2]).map(String::as_str);
                let nearest = nearest(filter, known).into_iter().map(str::to_owned).collect();
                return Err(PlanError::MatchesNothing { filter: filter.clone(), nearest });
            }
        }
        Ok(chosen)
    }

    /// The places of the names of a kind that are chosen.
    pub(crate) fn positions(&self, kind: usize) -> impl Iterator<Item = usize> {
        (0..self.keep[kind].len()).filter(move |at| self.keeps(kind, *at))
    }

    /// Whether the name at a place of a kind is chosen.
    fn keeps(&self, kind: usize, at: usize) -> bool {
        !self.filtered[kind] || self.keep[kind][at]
    }

    /// The functions that are chosen; without a filter for them, those that try something only if they are wanted.
    fn functions<'a>(
        &self,
        workloads: &'a [Workload],
        set: FunctionSet,
        variants: bool,
        hostile: bool,
    ) -> Result<Vec<&'a Workload>, PlanError> {
        let chosen: BTreeSet<&str> = self.positions(1).map(|at| workloads[at].name.as_str()).collect();
        let plain = |name: &str| name.split('+').next().map(|plain| chosen.contains(plain)).unwrap_or_default();
        let of_set = |workload: &&Workload| match set {
            _ if workload.is_hostile() && !self.filtered[1] => hostile && (variants || workload.variant.is_none()),
            // Where languages are compared, a filter for a function means its snapshots, too.
            FunctionSet::Languages if !workload.is_hostile() => {
                set.holds(workload) && (chosen.contains(workload.name.as_str()) || plain(&workload.name))
            }
            // A variant is measured when a filter names it, or when all are wanted.
            _ if self.filtered[1] => chosen.contains(workload.name.as_str()),
            _ => set.holds(workload) && (variants || workload.variant.is_none()),
        };
        let functions: Vec<&Workload> = workloads.iter().filter(of_set).collect();
        if functions.is_empty() { Err(PlanError::NoFunction) } else { Ok(functions) }
    }
}

fn matches(glob: &GlobMatcher, filter: &str, kind: usize, name: &str) -> bool {
    const RUNTIME: usize = 0;
    const FUNCTION: usize = 1;
    const SCENARIO: usize = 2;
    match kind {
        RUNTIME if !filter.contains('+') => !name.contains('+') && glob.is_match(name),
        FUNCTION if !filter.contains('+') && name.contains('+') => false,
        FUNCTION if !filter.contains('/') => glob.is_match(name.rsplit_once('/').map_or(name, |(_, last)| last)),
        SCENARIO => glob.is_match(name) || name.split('/').next() == Some(filter),
        _ => glob.is_match(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> [Vec<String>; 3] {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        [
            own(&["wasm3/lazy", "wasmtime/cranelift", "wasmtime/cranelift+pooling"]),
            own(&["rust/hello", "wat/empty"]),
            own(&["cold", "warm", "throughput/1", "throughput/2"]),
        ]
    }

    fn chosen(filters: &[&str]) -> Result<[Vec<usize>; 3], PlanError> {
        let filters: Vec<String> = filters.iter().map(|f| (*f).to_owned()).collect();
        let chosen = Chosen::by(&filters, &names())?;
        Ok([0, 1, 2].map(|kind| chosen.positions(kind).collect()))
    }

    #[test]
    fn a_set_of_functions_is_what_their_manifests_say() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
        let catalogue = crate::workload::Catalogue::load(&folder).unwrap();
        let count =
            |set: FunctionSet| catalogue.workloads().iter().filter(|w| w.variant.is_none() && set.holds(w)).count();
        assert_eq!((count(FunctionSet::Quick), count(FunctionSet::Default)), (3, 6));
        assert!(count(FunctionSet::All) > 60);
        // A family in every language, and the snapshots that are languages of their own.
        let compared = |family: &str| {
            let of_family =
                catalogue.workloads().iter().filter(|w| w.family.as_ref().is_some_and(|f| f.name == family));
            of_family.filter(|w| FunctionSet::Languages.holds(w)).filter_map(Workload::compared_as).collect::<Vec<_>>()
        };
        let hello = compared("hello");
        assert!(hello.len() > 9 && ["Zig", "JavaScript + Wizer"].iter().all(|name| hello.contains(name)), "{hello:?}");
        assert!(compared("fibonacci").len() > 6 && compared("sudoku").is_empty());
    }

    #[test]
    fn what_tries_something_is_in_no_set() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
        let catalogue = crate::workload::Catalogue::load(&folder).unwrap();
        let names = [vec![], catalogue.workloads().iter().map(|w| w.name.clone()).collect(), vec![]];
        let hostile = |filters: &[String], set, wanted| {
            let chosen = Chosen::by(filters, &names).unwrap();
            let functions = chosen.functions(catalogue.workloads(), set, true, wanted).unwrap();
            functions.iter().filter(|workload| workload.is_hostile()).count()
        };
        for set in [FunctionSet::Quick, FunctionSet::Default, FunctionSet::All, FunctionSet::Languages] {
            assert_eq!(hostile(&[], set, false), 0);
            assert!(hostile(&[], set, true) >= 2, "a Rust and a C one are committed");
        }
        assert_eq!(hostile(&["c/hostile".to_owned()], FunctionSet::Quick, false), 1);
    }

    #[test]
    fn without_filters_everything_is_chosen() {
        assert_eq!(chosen(&[]).unwrap(), [vec![0, 1, 2], vec![0, 1], vec![0, 1, 2, 3]]);
    }

    #[test]
    fn filters_choose_by_kind_and_narrow_each_other_down() {
        assert_eq!(chosen(&["wasmtime/*"]).unwrap()[0], [1]);
        assert_eq!(chosen(&["wasmtime/*+*"]).unwrap()[0], [2]);
        assert_eq!(chosen(&["hello", "warm"]).unwrap(), [vec![0, 1, 2], vec![0], vec![1]]);
        assert_eq!(chosen(&["throughput"]).unwrap()[2], [2, 3]);
        assert_eq!(chosen(&["wasm3/*", "wasmtime/cranelift"]).unwrap()[0], [0, 1]);
    }

    #[test]
    fn a_filter_that_chooses_nothing_names_the_nearest() {
        let error = chosen(&["wasm3/lasy"]).unwrap_err().to_string();
        assert!(error.contains("did you mean wasm3/lazy"), "{error}");
        assert!(matches!(chosen(&["[x"]), Err(PlanError::BadGlob(..))));
    }
}
