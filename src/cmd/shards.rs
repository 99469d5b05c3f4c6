use super::Cli;
use anyhow::{Result, bail};
use clap::{Args, Parser};
use std::fmt::Write;
use std::process::ExitCode;

/// Print what runs a plan in shards on a cluster: a Kubernetes Indexed Job, or a Slurm array
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("scheduler").required(true),
    after_help = "Examples:\n  isobar shards --of 5 --kubernetes --image registry.example/isobar:1 | kubectl apply -f -\n  \
                  isobar shards --of 5 --slurm -- --filter 'wasm*/*' > isobar.sbatch && sbatch isobar.sbatch\n\n\
                  What follows -- are options of `isobar run`. docs/SCALE.md says what the nodes need."
)]
pub struct Shards {
    /// Into how many shards the plan is cut; each one gets a node of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    of: u32,
    /// A manifest of a Kubernetes Job
    #[arg(long, group = "scheduler", requires = "image")]
    kubernetes: bool,
    /// A batch script for Slurm's sbatch
    #[arg(long, group = "scheduler")]
    slurm: bool,
    /// The name of the job
    #[arg(long, default_value = "isobar", value_parser = name)]
    name: String,
    /// The seed of all shards
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The folder of the shards' runs; by default /results for Kubernetes, results/NAME for Slurm
    #[arg(long, value_name = "FOLDER", value_parser = line)]
    into: Option<String>,
    /// The program, as the nodes find it
    #[arg(long, default_value = "isobar", value_parser = line)]
    program: String,
    /// Kubernetes: the image, with isobar and its runners
    #[arg(long, conflicts_with = "slurm", value_parser = line)]
    image: Option<String>,
    /// Kubernetes: the PersistentVolumeClaim that holds the results, mounted at --into
    #[arg(long, conflicts_with = "slurm", value_name = "NAME", default_value = "isobar-results", value_parser = name)]
    claim: String,
    /// Kubernetes: the processors of a shard, requested and granted
    #[arg(long, conflicts_with = "slurm", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    cpus: u32,
    /// Kubernetes: the memory of a shard in GiB, requested and granted
    #[arg(long, conflicts_with = "slurm", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    memory_gib: u32,
    /// Slurm: how long a shard may take
    #[arg(long, conflicts_with = "kubernetes", value_name = "HH:MM:SS", default_value = "04:00:00", value_parser = time)]
    time: String,
    /// Options of `isobar run`
    #[arg(last = true, value_name = "OPTION", value_parser = line)]
    options: Vec<String>,
}

impl Shards {
    pub fn run(self) -> Result<ExitCode> {
        self.check_options()?;
        super::print(&if self.kubernetes { self.kubernetes() } else { self.slurm() })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Finds out now what the nodes would find out later.
    fn check_options(&self) -> Result<()> {
        let own = ["--shard", "--seed", "--into", "--results"];
        let named = |option: &str| self.options.iter().any(|o| o.split('=').next() == Some(option));
        if let Some(option) = own.into_iter().find(|option| named(option)) {
            bail!(
                "{option} cannot stand behind --: each shard gets its own; `isobar shards --help` shows what can be set"
            );
        }
        let run = ["isobar", "run"].into_iter().chain(self.options.iter().map(String::as_str));
        if let Err(error) = Cli::try_parse_from(run) {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            bail!("the options behind -- are none of `isobar run`: {first}");
        }
        Ok(())
    }

    fn folder(&self) -> String {
        let default = || if self.kubernetes { "/results".to_owned() } else { format!("results/{}", self.name) };
        self.into.clone().unwrap_or_else(default)
    }

    /// What a node does: it begins its shard, or goes on with it after it was cut off.
    fn script(&self, index: &str) -> Vec<String> {
        let (of, program, folder) = (self.of, quoted(&self.program), quoted(&self.folder()));
        let mut run = format!("exec {program} run --shard \"$shard/{of}\" --seed {} --into \"$into\"", self.seed);
        for option in &self.options {
            let _ = write!(run, " {}", quoted(option));
        }
        vec![
            "set -eu".to_owned(),
            format!("shard=$(({index} + 1))"),
            format!("into={folder}/shard-$shard-of-{of}"),
            "if [ -e \"$into/run.json\" ]; then".to_owned(),
            format!("    exec {program} resume \"$into\""),
            "fi".to_owned(),
            run,
        ]
    }

    fn merge_line(&self) -> String {
        let (program, folder, of) = (quoted(&self.program), quoted(&self.folder()), self.of);
        format!("# When all shards are done: {program} merge {folder}/shard-*-of-{of} --into {folder}/merged")
    }

    fn slurm(&self) -> String {
        let Shards { name, time, .. } = self;
        let head = [
            "#!/bin/sh".to_owned(),
            format!("#SBATCH --job-name={name}"),
            format!("#SBATCH --array=0-{}", self.of - 1),
            "#SBATCH --nodes=1".to_owned(),
            "#SBATCH --ntasks=1".to_owned(),
            "#SBATCH --exclusive".to_owned(),
            "#SBATCH --mem=0".to_owned(),
            format!("#SBATCH --time={time}"),
            format!("#SBATCH --output={name}-%A_%a.log"),
            self.merge_line(),
        ];
        let mut text = head.join("\n");
        for line in self.script("SLURM_ARRAY_TASK_ID") {
            let _ = write!(text, "\n{line}");
        }
        text + "\n"
    }

    fn kubernetes(&self) -> String {
        let Shards { of, name, claim, cpus, memory_gib, .. } = self;
        // Kubernetes would take $(X) for a variable of its own.
        let escaped = |line: String| if line.starts_with("shard=") { line } else { line.replace("$(", "$$(") };
        let script = self.script("JOB_COMPLETION_INDEX").into_iter().map(escaped);
        let script: String = script.map(|line| format!("              {line}\n")).collect();
        // A JSON string is a YAML string.
        let [image, folder] = [self.image.clone().unwrap_or_default(), self.folder()].map(|s| serde_json::json!(s));
        let merge = self.merge_line();
        format!(
            r#"{merge}
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: isobar
    app.kubernetes.io/instance: {name}
spec:
  completionMode: Indexed
  completions: {of}
  parallelism: {of}
  backoffLimit: {of}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: isobar
        app.kubernetes.io/instance: {name}
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: false
      enableServiceLinks: false
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels:
                  app.kubernetes.io/name: isobar
      containers:
        - name: isobar
          image: {image}
          command: ["/bin/sh", "-c"]
          args:
            - |
{script}          resources:
            requests:
              cpu: "{cpus}"
              memory: {memory_gib}Gi
            limits:
              cpu: "{cpus}"
              memory: {memory_gib}Gi
          volumeMounts:
            - name: results
              mountPath: {folder}
      volumes:
        - name: results
          persistentVolumeClaim:
            claimName: {claim}
"#
        )
    }
}

/// A word for a shell. What [`line`] lets through can be quoted.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
}

/// A text that fits a line of a script.
fn line(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err("give a text without line breaks or other control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// A label of DNS, as Kubernetes wants the names of jobs: with the shard's number behind it, it has at most 63 characters.
fn name(text: &str) -> Result<String, String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if text.is_empty() || text.len() > 57 || !ends || !text.bytes().all(inner) {
        return Err("use up to 57 of a-z, 0-9 and -, no - at the ends".to_owned());
    }
    Ok(text.to_owned())
}

/// `HH:MM:SS`, perhaps with days in front: `1-00:00:00`.
fn time(text: &str) -> Result<String, String> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !number(days) || clock.split(':').count() != 3 || !clock.split(':').all(number) {
        return Err("write HH:MM:SS or D-HH:MM:SS".to_owned());
    }
    Ok(text.to_owned())
}
