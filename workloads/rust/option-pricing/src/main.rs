//! The prices of a European call and put option, by a Monte Carlo simulation of `PATHS` paths.

use input::{Random, Refusal};
use std::process::ExitCode;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let contract = Contract::from_env()?;
    let paths = input::number("PATHS", 1..=1_000_000_000)?;
    let (call, put) = contract.prices(paths, Random::from_env()?);
    Ok(format!("call {call:.4} put {put:.4}"))
}

/// Amounts in units of money, rates per year.
struct Contract {
    spot: f64,
    strike: f64,
    rate: f64,
    volatility: f64,
    years: f64,
}

impl Contract {
    fn from_env() -> Result<Self, Refusal> {
        Ok(Contract {
            spot: f64::from(input::number("SPOT_CENTS", 1..=100_000_000)?) / 100.0,
            strike: f64::from(input::number("STRIKE_CENTS", 1..=100_000_000)?) / 100.0,
            rate: f64::from(input::number("RATE_BP", 0..=100_000)?) / 10_000.0,
            volatility: f64::from(input::number("VOLATILITY_BP", 0..=100_000)?) / 10_000.0,
            years: f64::from(input::number("DAYS", 0..=36_500)?) / 365.0,
        })
    }

    /// The prices of the call and of the put.
    fn prices(&self, paths: u32, mut random: Random) -> (f64, f64) {
        let drift = (self.rate - self.volatility * self.volatility / 2.0) * self.years;
        let spread = self.volatility * self.years.sqrt();
        let (mut call, mut put) = (0.0, 0.0);
        let mut pay = |z: f64| {
            let end = self.spot * (drift + spread * z).exp();
            call += (end - self.strike).max(0.0);
            put += (self.strike - end).max(0.0);
        };
        for _ in 0..paths / 2 {
            normals(&mut random).into_iter().for_each(&mut pay);
        }
        if paths % 2 == 1 {
            pay(normals(&mut random)[0]);
        }
        let discount = (-self.rate * self.years).exp();
        (discount * call / f64::from(paths), discount * put / f64::from(paths))
    }
}

/// Two normal numbers by Marsaglia's polar method.
fn normals(random: &mut Random) -> [f64; 2] {
    loop {
        let (a, b) = (uniform(random), uniform(random));
        let s = a * a + b * b;
        if s < 1.0 {
            let m = (-2.0 * s.ln() / s).sqrt();
            return [a * m, b * m];
        }
    }
}

/// From -1 to 1.
fn uniform(random: &mut Random) -> f64 {
    (f64::from(random.next_u32()) + 0.5) / 2_147_483_648.0 - 1.0
}
