//! isobar: a barometer for isolation runtimes. The library behind the program of the same name.

pub mod affinity;
pub mod chart;
pub mod cmd;
pub mod compare;
pub mod experiment;
pub mod load;
pub mod names;
pub mod noise;
mod parallel;
pub mod record;
pub mod registry;
pub mod remote;
pub mod report;
#[cfg(feature = "serve")]
pub mod serve;
pub mod stats;
pub mod thesis;
pub mod verify;
pub mod workload;
