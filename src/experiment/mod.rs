//! From a wish to records: the plan (which cells), the artifacts (what ahead-of-time modes compile first), the schedule
//! (rounds, shuffled) and the run.

mod plan;
mod prepare;
mod run;
mod shard;

pub use plan::{Plan, PlanError};
pub use run::{Observer, RunError, run};
pub use shard::{most, split};
