//! What disturbs a measurement: how busy the machine is with other things, how it is set, what the records show of it. Each
//! finding is a [`Warning`]: one line, with the remedy.

mod busy;
mod cells;
mod load;
mod settings;
mod system;

pub use cells::of_cells;
pub use load::Load;
pub use system::System;

use std::time::Duration;

/// For how long the machine is watched before a run.
const WATCH: Duration = Duration::from_millis(200);

/// Something that makes figures less trustworthy than they could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What was found, with its number.
    pub finding: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Warning {
    fn new(finding: impl Into<String>, remedy: &'static str) -> Self {
        Warning { finding: finding.into(), remedy }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.finding, self.remedy)
    }
}

/// What may disturb a whole run, found before it starts. Watches the machine for a fifth of a second.
pub fn before_run(system: &System) -> Vec<Warning> {
    let (load, processes) = (Load::now(system), busy::Processes::now(system));
    std::thread::sleep(WATCH);
    let noise = Load::now(system).noise_since(&load);
    let mut warnings = settings::check(system);
    warnings.extend(load::pressure(system));
    warnings.extend(noise.and_then(|noise| load::steal(&noise)));
    warnings.extend(busy::check(&processes, &busy::Processes::now(system), std::process::id()));
    warnings
}

/// A share as people read it: `12 %`, `0.4 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}
