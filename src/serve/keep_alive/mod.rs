//! How long modules stay in memory after their last invocation.
//!
//! [`KeepAlive`] is the rule, [`keeper::Keeper`] applies it to functions by a clock that is passed in, and
//! [`keeping::Keeping`] is what the platform does about it.

mod histogram;
mod keeper;
mod keeping;
#[cfg(test)]
mod tests;

pub(super) use keeper::Account;
pub(super) use keeping::{Held, Keeping, Prewarm};

use histogram::{IdleTimes, Windows};
use isobar_core::measure::nanoseconds;
use std::time::Duration;

/// The rule by which modules leave memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum KeepAlive {
    /// Never.
    Forever,
    /// When the last invocation ends.
    None,
    /// When the function was idle for so long: what providers do (10 minutes at AWS, 20 at Azure, says the paper below).
    Fixed(Duration),
    /// When the function's own idle times say that it will not be called soon; it comes back before it will. The hybrid
    /// histogram policy of Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020, section 4), without its part for
    /// functions whose idle times are mostly longer than the histogram, which forecasts by ARIMA: those are treated as
    /// functions that are not known yet.
    Histogram,
}

impl KeepAlive {
    /// When a module is there, after an execution that ended with these idle times known.
    fn windows(self, idle: &IdleTimes) -> Windows {
        match self {
            KeepAlive::Forever => Windows { prewarm_ns: 0, keep_ns: None },
            KeepAlive::None => Windows { prewarm_ns: 0, keep_ns: Some(0) },
            KeepAlive::Fixed(time) => Windows { prewarm_ns: 0, keep_ns: Some(nanoseconds(time)) },
            KeepAlive::Histogram => idle.windows(),
        }
    }
}

impl std::str::FromStr for KeepAlive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("fixed:")) {
            ("forever", _) => Ok(KeepAlive::Forever),
            ("none", _) => Ok(KeepAlive::None),
            ("histogram", _) => Ok(KeepAlive::Histogram),
            (_, Some(time)) => {
                humantime::parse_duration(time).map(KeepAlive::Fixed).map_err(|e| format!("{time}: {e}"))
            }
            _ => Err("write forever, none, fixed:10m or histogram".to_owned()),
        }
    }
}

impl TryFrom<String> for KeepAlive {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::fmt::Display for KeepAlive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeepAlive::Forever => f.write_str("forever"),
            KeepAlive::None => f.write_str("none"),
            // One word, as it is given.
            KeepAlive::Fixed(time) => {
                write!(f, "fixed:{}", humantime::format_duration(*time).to_string().replace(' ', ""))
            }
            KeepAlive::Histogram => f.write_str("histogram"),
        }
    }
}
