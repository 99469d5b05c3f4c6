use super::{Function, Trace};
use fastrand::Rng;
use isobar_core::measure::sha256_hex;

/// What a synthetic trace is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// How many functions.
    pub functions: usize,
    /// How many minutes.
    pub minutes: usize,
    /// No function is invoked more often than that in the mean of a day; the paper's highest rate is about 10^8.
    pub most_per_day: f64,
    /// The same seed gives the same trace.
    pub seed: u64,
}

/// The triggers with their shares of the functions, in per cent (Shahrad et al., figure 2).
const TRIGGERS: [(&str, f64); 7] = [
    ("http", 55.0),
    ("queue", 15.2),
    ("event", 2.2),
    ("orchestration", 6.9),
    ("timer", 15.6),
    ("storage", 2.8),
    ("others", 2.3),
];

/// The decimal logarithm of a function's invocations per day is normally distributed, with this mean and deviation. The
/// paper says that 45 % of the applications are invoked at most once per hour and 81 % at most once per minute (its figure
/// 5): log10(24) at z = -0.126 and log10(1440) at z = 0.878.
const LOG10_PER_DAY: (f64, f64) = (1.60, 1.77);

/// Timers fire every so many minutes: what people write into cron tables. 95 % of the paper's timers fire at most once per
/// minute.
const PERIODS_MIN: [usize; 9] = [1, 2, 5, 10, 15, 30, 60, 360, 1440];

/// The share of the load that follows the time of day; about half of the paper's does not (its figure 4).
const DIURNAL: f64 = 0.5;

/// The share of functions other than timers whose invocations come in bursts: 40 % of the paper's applications have
/// intervals with a coefficient of variation above 1.
const BURSTY: f64 = 0.4;

/// A burst goes on, and a pause goes on, with these probabilities from minute to minute: bursts of 5 minutes in 50.
const BURST: (f64, f64) = (0.8, 45.0 / 46.0);

/// A trace that has the properties of the one that cannot be shipped: rates over many orders of magnitude, a few functions
/// with nearly all invocations, timers, bursts, and the time of day.
pub fn synthetic(shape: Shape) -> Trace {
    let mut rng = Rng::with_seed(shape.seed);
    let functions = (0..shape.functions).map(|at| function(at, shape, &mut rng)).collect();
    Trace { functions }
}

fn function(at: usize, shape: Shape, rng: &mut Rng) -> Function {
    let hash = |kind: &str, number: usize| sha256_hex(format!("{kind} {number} {}", shape.seed).as_bytes());
    let trigger = trigger(rng);
    let (mean, deviation) = LOG10_PER_DAY;
    let per_day = 10_f64.powf(mean + deviation * normal(rng)).min(shape.most_per_day);
    let per_minute = match trigger {
        "timer" => periodic(per_day, shape.minutes, rng),
        _ if rng.f64() < BURSTY => bursty(per_day, shape.minutes, rng),
        _ => steady(per_day, shape.minutes, rng),
    };
    // About two functions to an application, and two of those to an owner.
    Function {
        owner: hash("owner", at / 4),
        app: hash("app", at / 2),
        name: hash("function", at),
        trigger: trigger.to_owned(),
        per_minute,
    }
}

fn trigger(rng: &mut Rng) -> &'static str {
    let mut left = rng.f64() * TRIGGERS.iter().map(|(_, share)| share).sum::<f64>();
    let found = TRIGGERS.iter().find(|(_, share)| {
        left -= share;
        left < 0.0
    });
    found.map_or("http", |(name, _)| name)
}

/// Once in each period, the one that is nearest to the rate.
fn periodic(per_day: f64, minutes: usize, rng: &mut Rng) -> Vec<u32> {
    let wanted = (1440.0 / per_day).ln();
    let far = |period: &&usize| ((**period as f64).ln() - wanted).abs();
    let period = PERIODS_MIN.iter().min_by(|a, b| far(a).total_cmp(&far(b))).copied().unwrap_or(1);
    let phase = rng.usize(..period);
    (0..minutes).map(|minute| u32::from(minute % period == phase)).collect()
}

/// Independent of each other.
fn steady(per_day: f64, minutes: usize, rng: &mut Rng) -> Vec<u32> {
    (0..minutes).map(|minute| poisson(per_day / 1440.0 * time_of_day(minute), rng)).collect()
}

/// Nothing in pauses, and in bursts so much that the day has as many in the mean.
fn bursty(per_day: f64, minutes: usize, rng: &mut Rng) -> Vec<u32> {
    let (stays, rests) = BURST;
    let share = (1.0 - rests) / (1.0 - rests + 1.0 - stays);
    let mut bursting = rng.f64() < share;
    let minute = |minute: usize| {
        bursting = rng.f64() < if bursting { stays } else { 1.0 - rests };
        if bursting { poisson(per_day / 1440.0 / share * time_of_day(minute), rng) } else { 0 }
    };
    (0..minutes).map(minute).collect()
}

/// How many times the mean: highest at noon.
fn time_of_day(minute: usize) -> f64 {
    let angle = (minute as f64 / super::DAY_MINUTES as f64 - 0.5) * std::f64::consts::TAU;
    1.0 + DIURNAL * angle.cos()
}

/// A normal variable (Box and Muller, 1958).
fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

/// A Poisson variable: by Knuth's product of uniform ones, and for large means by the normal distribution.
fn poisson(mean: f64, rng: &mut Rng) -> u32 {
    if mean > 50.0 {
        return (mean + mean.sqrt() * normal(rng)).round().max(0.0) as u32;
    }
    let (limit, mut product, mut count) = ((-mean).exp(), 1.0 - rng.f64(), 0);
    while product > limit {
        product *= 1.0 - rng.f64();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Shape = Shape { functions: 3000, minutes: 1440, most_per_day: 1e8, seed: 1 };

    #[test]
    fn the_same_seed_gives_the_same_trace() {
        let small = Shape { functions: 20, minutes: 60, most_per_day: 1e8, seed: 9 };
        assert_eq!(synthetic(small), synthetic(small));
        assert_ne!(synthetic(small), synthetic(Shape { seed: 10, ..small }));
        assert_eq!((synthetic(small).functions.len(), synthetic(small).minutes()), (20, 60));
    }

    /// What the paper says about its own trace, within what a sample of 3000 functions allows.
    #[test]
    fn it_is_like_the_paper_s() {
        let trace = synthetic(DAY);
        let mut totals: Vec<u64> =
            trace.functions.iter().map(|f| f.per_minute.iter().map(|count| u64::from(*count)).sum()).collect();
        totals.sort_unstable();
        let share = |most: u64| totals.iter().filter(|total| **total <= most).count() as f64 / totals.len() as f64;
        assert!((share(24) - 0.45).abs() < 0.06, "at most once per hour: {}", share(24));
        assert!((share(1440) - 0.81).abs() < 0.06, "at most once per minute: {}", share(1440));
        let popular: u64 = totals[(totals.len() as f64 * 0.814) as usize..].iter().sum();
        let of_popular = popular as f64 / trace.invocations() as f64;
        assert!(of_popular > 0.97, "the most popular 18.6 % have {of_popular}");
        let timers = trace.functions.iter().filter(|f| f.trigger == "timer");
        let timers: Vec<&Function> = timers.collect();
        assert!((timers.len() as f64 / 3000.0 - 0.156).abs() < 0.03, "{}", timers.len());
        for timer in timers {
            let at: Vec<usize> = (0..1440).filter(|minute| timer.per_minute[*minute] > 0).collect();
            assert!(at.windows(3).all(|w| w[1] - w[0] == w[2] - w[1]), "timers are periodic");
        }
    }

    /// Bursts make the counts vary more than a Poisson process would: their variance is above their mean.
    #[test]
    fn some_functions_are_bursty_and_others_are_not() {
        let mut rng = Rng::with_seed(2);
        let dispersion = |counts: Vec<u32>| {
            let mean = counts.iter().map(|c| f64::from(*c)).sum::<f64>() / counts.len() as f64;
            counts.iter().map(|c| (f64::from(*c) - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
        };
        let steady = dispersion(steady(14_400.0, 1440, &mut rng));
        let bursty = dispersion(bursty(14_400.0, 1440, &mut rng));
        assert!(steady < 4.0 && bursty > 10.0, "{steady} {bursty}");
    }

    #[test]
    fn poisson_variables_have_their_mean_and_variance() {
        let mut rng = Rng::with_seed(3);
        for mean in [0.01, 1.0, 20.0, 500.0] {
            let drawn: Vec<f64> = (0..20_000).map(|_| f64::from(poisson(mean, &mut rng))).collect();
            let average = drawn.iter().sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|x| (x - average).powi(2)).sum::<f64>() / 20_000.0;
            // Five standard errors of the mean; the variance's are wider.
            assert!((average - mean).abs() < 5.0 * (mean / 20_000.0).sqrt(), "{mean}: {average}");
            assert!((variance / mean - 1.0).abs() < 0.4, "{mean}: {variance}");
        }
    }
}
