//! From a wish to records: the plan (which cells), the artifacts (what ahead-of-time modes compile first), the schedule
//! (rounds, shuffled) and the run.

mod identity;
mod plan;
mod prepare;
mod run;
mod schedule;
mod shard;
#[cfg(test)]
mod tests;

pub use identity::{differences, plan_sha256};
pub(crate) use plan::Chosen;
pub use plan::{FunctionSet, Plan, PlanError};
pub use run::{Observer, RunError, run};
pub use schedule::{CellStop, Round, stops};
pub use shard::{EmptyShard, keep, split};
