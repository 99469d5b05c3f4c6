//! The tools that load a server, and how their answers are read.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::{Command, Output};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Wrk,
    Oha,
    Isobar,
}

/// What a tool found.
pub(super) struct Load {
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) p999_us: f64,
    pub(super) failed: u64,
}

/// What wrk runs at its end: one line that is easy to read. Its own times are in microseconds.
const WRK_SCRIPT: &str = r#"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("isobar %f %f %f %f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"#;

impl Tool {
    /// Those that are not isobar's own.
    pub(super) const ALL: [Tool; 2] = [Tool::Wrk, Tool::Oha];

    pub(super) fn name(self) -> &'static str {
        match self {
            Tool::Wrk => "wrk",
            Tool::Oha => "oha",
            Tool::Isobar => "isobar load",
        }
    }

    pub(super) fn remedy(self) -> &'static str {
        match self {
            Tool::Wrk => "wrk; install Debian's package wrk.",
            Tool::Oha => "oha; `cargo install oha`, and have it on the PATH.",
            Tool::Isobar => "isobar.",
        }
    }

    pub(super) fn is_here(self) -> bool {
        Command::new(self.name()).arg("--version").output().is_ok()
    }

    /// Its name and version.
    pub(super) fn version(self) -> Result<String> {
        let output = Command::new(self.name()).arg("--version").output()?;
        let said = [output.stdout, output.stderr].concat();
        let line = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned();
        // `wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer`
        Ok(line.split(" [").next().unwrap_or_default().to_owned())
    }

    /// A closed loop.
    pub(super) fn load(self, url: &str, connections: u32, time: Duration) -> Result<Load> {
        let (connections, seconds) = (connections.to_string(), format!("{}s", time.as_secs()));
        match self {
            Tool::Wrk => {
                let script = tempfile::Builder::new().suffix(".lua").tempfile()?;
                std::fs::write(script.path(), WRK_SCRIPT)?;
                let mut wrk = Command::new("wrk");
                wrk.args(["-t1", "-c", &connections, "-d", &seconds, "--timeout", "10s", "-s"]).arg(script.path());
                from_wrk(&said(wrk.arg(url).output()?)?)
            }
            Tool::Oha => {
                let mut oha = Command::new("oha");
                oha.args(["--no-tui", "--output-format", "json", "-c", &connections, "-z", &seconds, url]);
                from_oha(&said(oha.output()?)?)
            }
            Tool::Isobar => {
                let mut isobar = Command::new(env!("CARGO_BIN_EXE_isobar"));
                isobar.args(["load", url, "--format", "json", "--connections", &connections, "--duration", &seconds]);
                let record = &from_isobar(&said(isobar.args(["--warm-up", "0s"]).output()?)?)?;
                let of = |column: &str| {
                    record["result"]["Ok"]["samples"][column].as_array().into_iter().flatten().filter_map(Value::as_f64)
                };
                let per_second = of("completed").sum::<f64>() / of("elapsed_ns").sum::<f64>() * 1e9;
                let unknown = f64::NAN;
                Ok(Load { per_second, p50_us: unknown, p99_us: unknown, p999_us: unknown, failed: 0 })
            }
        }
    }
}

/// The share of requests that isobar sends late in an open loop.
pub(super) fn late_share(url: &str, rate: u32, time: Duration) -> Result<f64> {
    let mut isobar = Command::new(env!("CARGO_BIN_EXE_isobar"));
    let (rate, seconds) = (rate.to_string(), format!("{}s", time.as_secs()));
    isobar.args(["load", url, "--format", "json", "--rate", &rate, "--duration", &seconds, "--warm-up", "1s"]);
    let record = from_isobar(&said(isobar.output()?)?)?;
    let number = |name: &str| record["load"][name].as_f64().with_context(|| format!("no {name} in the record"));
    Ok(number("late")? / number("due")?)
}

pub(super) fn said(output: Output) -> Result<String> {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "the tool failed: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

fn from_wrk(text: &str) -> Result<Load> {
    let line = text.lines().find_map(|line| line.strip_prefix("isobar ")).context("wrk ran no script")?;
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [per_second, p50_us, p99_us, p999_us, failed] = numbers[..] else { anyhow::bail!("wrk said '{line}'") };
    Ok(Load { per_second, p50_us, p99_us, p999_us, failed: failed as u64 })
}

fn from_oha(text: &str) -> Result<Load> {
    let value: Value = serde_json::from_str(text)?;
    let percentile = |name: &str| value["latencyPercentiles"][name].as_f64().map(|seconds| seconds * 1e6);
    let sum = |of: &Value| of.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum::<u64>();
    let statuses = &value["statusCodeDistribution"];
    // What was on its way when the time was up is no failure of the server.
    let aborted = value["errorDistribution"]["aborted due to deadline"].as_u64().unwrap_or(0);
    let wrong = sum(statuses) - statuses["200"].as_u64().unwrap_or(0);
    Ok(Load {
        per_second: value["summary"]["requestsPerSec"].as_f64().context("oha gives no requestsPerSec")?,
        p50_us: percentile("p50").context("oha gives no p50")?,
        p99_us: percentile("p99").context("oha gives no p99")?,
        p999_us: percentile("p99.9").context("oha gives no p99.9")?,
        failed: wrong + sum(&value["errorDistribution"]) - aborted,
    })
}

/// The one record of a load.
pub(super) fn from_isobar(text: &str) -> Result<Value> {
    let mut value: Value = serde_json::from_str(text)?;
    let record = value["records"][0].take();
    ensure!(record.is_object(), "isobar gave no record");
    Ok(record)
}
