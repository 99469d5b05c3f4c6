//! From a wish to records: the plan (which cells), the artifacts (what ahead-of-time modes compile first), the schedule
//! (rounds, shuffled) and the run.

mod brought;
mod http;
mod identity;
mod plan;
mod prepare;
mod requests;
mod run;
mod schedule;
mod shard;
#[cfg(test)]
mod tests;
mod trial;

pub use brought::{Lost, keep_brought, record_brought, restore_brought};
pub use identity::{differences, plan_sha256};
pub(crate) use plan::Chosen;
pub use plan::{FunctionSet, Plan, PlanError};
pub use prepare::loaded;
pub use run::{Observer, RunError, processors, run};
pub use schedule::{CellStop, Round, stops};
pub use shard::{EmptyShard, keep, split};
pub use trial::{NoAnswer, Trial, agreed, attempt, invoke};
