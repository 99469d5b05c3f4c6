use super::aa::Aa;
use crate::stats::Verdict;

/// How often equal cells are called different when everything is right.
pub const NOMINAL: f64 = 0.05;

/// With fewer pairs even a comparison that is wrong every fifth time would pass.
const ENOUGH_PAIRS: u64 = 20;

/// Why measurements on this machine cannot be trusted at a precision, each with what to do; none if they can.
pub fn reasons(aa: &Aa, precision: f64) -> Vec<String> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut reasons = Vec::new();
    if aa.half_width > precision {
        reasons.push(format!(
            "after {} processes the median is known to ±{} only, the target being ±{}: end other programs, bind runners to \
             processors (isobar run --pin), or ask for less (--precision)",
            aa.per_cell,
            percent(aa.half_width),
            percent(precision)
        ));
    }
    if aa.called.low > NOMINAL {
        reasons.push(format!(
            "{} of {} pairs of equal cells were called different, at least {} in truth instead of {}: something disturbs \
             some processes and not others; do not believe small differences on this machine",
            aa.called.happened,
            aa.called.trials,
            percent(aa.called.low),
            percent(NOMINAL)
        ));
    }
    if aa.called.trials < ENOUGH_PAIRS {
        reasons.push(format!(
            "only {} pairs could be measured in the time, which is too few to say anything: take a function that is quicker \
             (--function), or a quieter machine",
            aa.called.trials
        ));
    }
    let drifted = aa.drift.filter(|drift| drift.verdict() != Verdict::NoDifference);
    if let Some(drift) = drifted.filter(|drift| drift.ratio.ln().abs() > precision) {
        reasons.push(format!(
            "the machine drifts: the last third of the processes took {:.3} times as long as the first; let it cool down or \
             come to rest, and do not compare runs of different times",
            drift.ratio
        ));
    }
    reasons
}
