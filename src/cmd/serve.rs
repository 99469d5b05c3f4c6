use super::Places;
use crate::registry::in_process;
use crate::remote::DEFAULT_MODES;
use crate::serve::http::{Ended, HttpSettings, serve};
use crate::serve::{KeepAlive, Platform, Settings, Source, Strategy, is_safe_in_process};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use isobar_core::{Form, Limits, Runtime};
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use tracing_appender::non_blocking::WorkerGuard;

/// The program that serves; it lies beside isobar.
const PROGRAM: &str = "isobar-platform";

/// The exit code of what was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// `--slice`: long beside what is fast, as a function is not slow when the system sets its thread aside.
const SLICE: Duration = Duration::from_millis(4);

/// Serve functions over HTTP: /name?KEY=value; docs/PLATFORM.md says how
#[derive(Debug, Args)]
#[command(
    after_help = "Each option can also stand in a TOML file (--config) under its own name, and in the environment as \
                  ISOBAR_ and its name; the command line wins over the environment, and that over the file.\n\n\
                  Examples:\n  isobar serve\n  isobar serve --strategy pooled --listen 0.0.0.0:8080\n  \
                  isobar serve --runtime wasmer/cranelift-aot --functions my-functions\n  curl 'localhost:8080/hello?NAME=you'"
)]
pub struct Serve {
    /// A file with options
    #[arg(long, value_name = "FILE", env = "ISOBAR_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// All of them may be left out: what is not on the command line is in the environment, in the file, or has a default.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Options {
    /// Where to listen; port 0 takes any that is free [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "ISOBAR_LISTEN")]
    listen: Option<String>,
    /// The runtime, as `isobar list` names it [default: wasmtime, in the mode that fits the strategy]
    #[arg(long, value_name = "RUNTIME/MODE", env = "ISOBAR_RUNTIME")]
    runtime: Option<String>,
    /// What is kept between requests [default: cached]
    #[arg(long, value_enum, value_name = "STRATEGY", env = "ISOBAR_STRATEGY")]
    strategy: Option<Strategy>,
    /// A folder of modules, or a manifest of functions [default: the workloads]
    #[arg(long, value_name = "PATH", env = "ISOBAR_FUNCTIONS")]
    functions: Option<PathBuf>,
    /// Threads that run functions [default: twice the processors]
    #[arg(long, value_name = "N", env = "ISOBAR_WORKERS")]
    workers: Option<NonZeroUsize>,
    /// How many of them one function may have at once [default: half of them]
    #[arg(long, value_name = "N", env = "ISOBAR_PER_FUNCTION")]
    per_function: Option<NonZeroUsize>,
    /// Threads that read requests and write answers [default: the processors]
    #[arg(long, value_name = "N", env = "ISOBAR_IO_THREADS")]
    io_threads: Option<NonZeroUsize>,
    /// Requests that may wait, at most half of them for one function [default: 4096]
    #[arg(long, value_name = "N", env = "ISOBAR_QUEUE")]
    queue: Option<NonZeroUsize>,
    /// How long a request may wait [default: 30s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_QUEUE_WAIT")]
    queue_wait: Option<Span>,
    /// How long a function may run [default: 10s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_WALL_TIME")]
    wall_time: Option<Span>,
    /// How long a function that was always fast may run where its request was read before it is begun anew on a worker; 0s:
    /// functions run on workers only [default: 4ms with pooled in this process, else 0s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_SLICE")]
    slice: Option<Span>,
    /// How much memory a function may have [default: 512 MiB]
    #[arg(long, value_name = "BYTES", env = "ISOBAR_MEMORY_BYTES")]
    memory_bytes: Option<u64>,
    /// How much a function may write [default: 16 MiB]
    #[arg(long, value_name = "BYTES", env = "ISOBAR_OUTPUT_BYTES")]
    output_bytes: Option<u64>,
    /// The longest body of a request [default: 8 MiB]
    #[arg(long, value_name = "BYTES", env = "ISOBAR_BODY_BYTES")]
    body_bytes: Option<usize>,
    /// How long the head of a request may take [default: 5s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_HEAD_TIME")]
    head_time: Option<Span>,
    /// How long the body of a request may take [default: 30s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_BODY_TIME")]
    body_time: Option<Span>,
    /// How long a connection may say nothing [default: 30s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_IDLE_TIME")]
    idle_time: Option<Span>,
    /// How many connections there may be [default: 25000]
    #[arg(long, value_name = "N", env = "ISOBAR_CONNECTIONS")]
    connections: Option<NonZeroUsize>,
    /// How long what is in flight may take when the platform is told to end [default: 30s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_SHUTDOWN_TIME")]
    shutdown_time: Option<Span>,
    /// How often files are looked at for changes; 0s for never [default: 1s]
    #[arg(long, value_name = "TIME", env = "ISOBAR_RELOAD")]
    reload: Option<Span>,
    /// How long modules stay in memory: forever, none, fixed:10m or histogram [default: forever, and nothing is counted]
    #[arg(long, value_name = "POLICY", env = "ISOBAR_KEEP_ALIVE")]
    keep_alive: Option<KeepAlive>,
    /// So many seconds of the keep-alive policy's clock are one: for traces that are replayed faster [default: 1]
    #[arg(long, value_name = "FACTOR", env = "ISOBAR_CLOCK_SPEED")]
    clock_speed: Option<f64>,
    /// Where `pooled` keeps what it compiles [default: isobar below the user's cache folder]
    #[arg(long, value_name = "FOLDER", env = "ISOBAR_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// What is logged to standard error; each answered request is at debug [default: info]
    #[arg(long, value_name = "error|warn|info|debug|trace", env = "ISOBAR_LOG")]
    log: Option<Level>,
    /// The form of a log line [default: text]
    #[arg(long, value_enum, value_name = "FORM", env = "ISOBAR_LOG_FORMAT")]
    log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum LogFormat {
    Text,
    Json,
}

/// A time as people write it: `10s`, `500ms`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl std::str::FromStr for Span {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Span)
    }
}

impl TryFrom<String> for Span {
    type Error = humantime::DurationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Level(tracing::Level);

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Level).map_err(|_| "error, warn, info, debug or trace".to_owned())
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Options {
    /// These, and where one is missing, the other ones.
    fn or(self, other: Options) -> Options {
        macro_rules! each {
            ($($field:ident),* $(,)?) => { Options { $($field: self.$field.or(other.$field)),* } };
        }
        each! {
            listen, runtime, strategy, functions, workers, per_function, io_threads, queue, queue_wait, slice, wall_time,
            memory_bytes, output_bytes, body_bytes, head_time, body_time, idle_time, connections, shutdown_time, reload,
            keep_alive, clock_speed, cache_dir, log, log_format,
        }
    }

    fn read(path: &Path) -> Result<Options> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            anyhow!("{}: line {line}: {}; `isobar serve --help` names the options", path.display(), e.message())
        })
    }

    fn settings(&self) -> Result<Settings> {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = self.workers.map_or(2 * processors, NonZeroUsize::get);
        let wall_time = span(self.wall_time, 10);
        if wall_time.is_zero() {
            bail!("no function ends in no time: give --wall-time 10s, say");
        }
        let reload = span(self.reload, 1);
        let strategy = self.strategy.unwrap_or(Strategy::Cached);
        if self.keep_alive.is_some() && strategy == Strategy::Naive {
            bail!(
                "--keep-alive is for strategies that keep modules, and naive keeps none: --strategy cached or pooled"
            );
        }
        let clock_speed = self.clock_speed.unwrap_or(1.0);
        if !(clock_speed.is_finite() && clock_speed > 0.0 && clock_speed <= 1e6) {
            bail!("--clock-speed {clock_speed}: write a positive number, at most a million");
        }
        Ok(Settings {
            strategy,
            workers,
            per_function: self.per_function.map_or(workers.div_ceil(2), NonZeroUsize::get).min(workers),
            queue: self.queue.map_or(4096, NonZeroUsize::get),
            queue_wait: span(self.queue_wait, 30),
            limits: Limits {
                wall_time_ns: isobar_core::measure::nanoseconds(wall_time),
                memory_bytes: self.memory_bytes.unwrap_or(512 << 20),
                output_bytes: self.output_bytes.unwrap_or(16 << 20),
            },
            slice: Some(self.slice.map_or(SLICE, |Span(slice)| slice)).filter(|slice| !slice.is_zero()),
            cache_dir: Some(self.cache_dir.clone().unwrap_or_else(cache_dir)),
            reload: (!reload.is_zero()).then_some(reload),
            keep_alive: self.keep_alive,
            clock_speed,
        })
    }

    fn http(&self) -> HttpSettings {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        HttpSettings {
            listen: self.listen.clone().unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            io_threads: self.io_threads.map_or(processors, NonZeroUsize::get),
            body_bytes: self.body_bytes.unwrap_or(8 << 20),
            head_time: span(self.head_time, 5),
            body_time: span(self.body_time, 30),
            keep_alive: span(self.idle_time, 30),
            connections: self.connections.map_or(25_000, NonZeroUsize::get),
            shutdown_time: span(self.shutdown_time, 30),
        }
    }

    fn source(&self, places: &Places) -> Result<Source> {
        match &self.functions {
            Some(path) if !path.exists() => {
                bail!("there is no {}: --functions names a folder of modules or a manifest", path.display())
            }
            Some(path) => Ok(Source::at(path)),
            None => Ok(Source::Workloads(places.root()?.join("workloads"))),
        }
    }

    fn log(&self) -> Result<WorkerGuard> {
        // Whoever reads the log slowly, or not at all, must not keep requests waiting: then lines are lost.
        let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
        let Level(level) = self.log.unwrap_or(Level(tracing::Level::INFO));
        let filter =
            tracing_subscriber::filter::Targets::new().with_default(tracing::Level::WARN).with_target("isobar", level);
        let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
        use tracing_subscriber::prelude::*;
        let lines = match self.log_format.unwrap_or(LogFormat::Text) {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().context("cannot start the log")?;
        Ok(guard)
    }
}

fn span(given: Option<Span>, seconds: u64) -> Duration {
    given.map_or(Duration::from_secs(seconds), |Span(span)| span)
}

fn cache_dir() -> PathBuf {
    let below = |name: &str, rest: &str| std::env::var_os(name).map(|folder| PathBuf::from(folder).join(rest));
    let cache = below("XDG_CACHE_HOME", "").filter(|path| path.is_absolute()).or_else(|| below("HOME", ".cache"));
    cache.unwrap_or_else(std::env::temp_dir).join("isobar").join("artifacts")
}

impl Serve {
    /// Becomes the program that serves, with the same arguments.
    pub fn start(self) -> Result<ExitCode> {
        let exe = std::env::current_exe().context("cannot tell where isobar is")?;
        let beside = exe.ancestors().skip(1).take(2).map(|folder| folder.join(PROGRAM)).find(|path| path.is_file());
        let program = beside.with_context(|| {
            format!("{PROGRAM} is not beside {}; cargo build --release --workspace builds it", exe.display())
        })?;
        let error = Command::new(&program).args(std::env::args_os().skip(1)).exec();
        Err(error).with_context(|| format!("cannot start {}", program.display()))
    }

    /// Serves in this process.
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let file = self.config.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        let options = self.options.or(file);
        let _log = options.log()?;
        let source = options.source(places)?;
        let settings = options.settings()?;
        let runtime = choose(options.runtime.as_deref(), settings.strategy, places)?;
        let what = format!("{} in {}", settings.strategy, runtime.info().id);
        let platform = Platform::start(settings, runtime, source)?;
        let functions = platform.table().functions().count();
        let ready = move |addresses: &[SocketAddr]| {
            for address in addresses {
                println!("listening on http://{address}");
            }
            tracing::info!(functions, what, ?addresses, "ready");
        };
        let ended = serve(platform, options.http(), ready);
        crate::remote::end_all();
        match ended? {
            Ended::Terminated => Ok(ExitCode::SUCCESS),
            Ended::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        }
    }
}

/// A runtime whose engine holds functions to all their limits runs in this process, any other in runner processes, which
/// can be killed.
fn choose(name: Option<&str>, strategy: Strategy, places: &Places) -> Result<Box<dyn Runtime>> {
    let default = DEFAULT_MODES.iter().find(|(of, _)| *of == strategy.to_string()).map(|(_, name)| *name);
    let wanted = name.or(default).unwrap_or_default();
    let here = in_process().into_iter().find(|runtime| runtime.info().id.as_str() == wanted);
    if let Some(runtime) = here.filter(|runtime| is_safe_in_process(&**runtime)) {
        return Ok(runtime);
    }
    let registry = places.registry()?;
    let found = registry.find(wanted).map_err(|line| anyhow!(line))?;
    if found.info().form != Form::Wasm {
        bail!("{wanted} loads no modules, and the platform runs nothing else: `isobar run` measures it");
    }
    Ok(Box::new(found.clone()))
}
