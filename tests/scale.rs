//! A plan in shards: the scripts that run them on a cluster, the runs that they leave, and what joining them refuses.

mod support;

use isobar::record::{Run, Shard};
use k8s_openapi::api::batch::v1::Job;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{TINY, isobar, isobar_in, tiny_run};

const DOCUMENTED: &str = include_str!("../docs/SCALE.md");

fn printed(args: &[&str]) -> String {
    String::from_utf8(isobar().args(args).assert().success().get_output().stdout.clone()).unwrap()
}

fn complaint(folder: &Path, args: &[&str]) -> String {
    let output = isobar_in(folder).args(args).assert().failure().get_output().clone();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

/// Kubernetes' own types know every field: what they do not would be lost.
fn job(manifest: &str) -> Job {
    let job: Job = serde_yaml_ng::from_str(manifest).unwrap();
    let known = serde_json::to_value(&job).unwrap();
    assert_eq!(known, serde_yaml_ng::from_str::<serde_json::Value>(manifest).unwrap());
    job
}

#[test]
fn the_kubernetes_manifest_is_an_indexed_job_with_a_node_for_each_shard() {
    let image = "registry.example/isobar:\"1\"";
    let args =
        ["shards", "--of", "7", "--kubernetes", "--image", image, "--cpus", "3", "--memory-gib", "5", "--name", "a-b"];
    let manifest = printed(&[&args[..], &["--into", "/r s", "--", "--filter", "$(HOME)/'*'"]].concat());
    let job = job(&manifest);
    assert_eq!(job.metadata.name.as_deref(), Some("a-b"));
    let spec = job.spec.unwrap();
    assert_eq!(
        (spec.completions, spec.parallelism, spec.completion_mode.as_deref()),
        (Some(7), Some(7), Some("Indexed"))
    );
    let labels = spec.template.metadata.unwrap().labels.unwrap();
    let pod = spec.template.spec.unwrap();
    // These two allow each other: `backoffLimitPerIndex` would want pods that are not restarted.
    assert_eq!((pod.restart_policy.as_deref(), spec.backoff_limit_per_index), (Some("OnFailure"), None));
    let terms = pod.affinity.unwrap().pod_anti_affinity.unwrap();
    let term = &terms.required_during_scheduling_ignored_during_execution.unwrap()[0];
    assert_eq!(term.topology_key, "kubernetes.io/hostname");
    let avoided = term.label_selector.as_ref().unwrap().match_labels.as_ref().unwrap();
    assert!(!avoided.is_empty() && avoided.iter().all(|(key, value)| labels.get(key) == Some(value)));
    let container = &pod.containers[0];
    assert_eq!(container.image.as_deref(), Some(image));
    let resources = container.resources.as_ref().unwrap();
    assert_eq!(resources.requests, resources.limits, "which is the quality of service Guaranteed");
    let limits = resources.limits.as_ref().unwrap();
    assert_eq!((limits["cpu"].0.as_str(), limits["memory"].0.as_str()), ("3", "5Gi"));
    let mount = &container.volume_mounts.as_ref().unwrap()[0];
    let volume = &pod.volumes.unwrap()[0];
    assert_eq!((&mount.name, mount.mount_path.as_str()), (&volume.name, "/r s"));
    assert_eq!(volume.persistent_volume_claim.as_ref().unwrap().claim_name, "isobar-results");
    let script = &container.args.as_ref().unwrap()[0];
    checked(script);
    assert!(script.contains("into='/r s'/shard-$shard-of-7") && script.contains("\"$shard/7\" --seed 1 "), "{script}");
    // Kubernetes replaces $(HOME) in arguments, and takes $$ for $.
    assert!(script.contains("$$(HOME)/") && !script.replace("$$(", "").contains("$(HOME"), "{script}");
}

/// Whether a shell can read a script.
fn checked(script: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let output = Command::new("bash").arg("-n").arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What the manual page of sbatch (Slurm 24.05) lists, of what a script may use here.
const SBATCH: [&str; 12] = [
    "--array",
    "--constraint",
    "--cpus-per-task",
    "--exclusive",
    "--hint",
    "--job-name",
    "--mem",
    "--nodes",
    "--ntasks",
    "--output",
    "--partition",
    "--time",
];

#[test]
fn the_slurm_script_is_one_for_sbatch() {
    let script = printed(&["shards", "--of", "4", "--slurm", "--time", "1-02:00:00", "--", "--quick"]);
    checked(&script);
    let options: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix("#SBATCH ")).collect();
    let unknown: Vec<&&str> =
        options.iter().filter(|option| !SBATCH.contains(&option.split('=').next().unwrap())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for wanted in ["--array=0-3", "--exclusive", "--nodes=1", "--ntasks=1", "--time=1-02:00:00"] {
        assert!(options.contains(&wanted), "{wanted} is not in {options:?}");
    }
    // sbatch reads no option behind the first command.
    let lines = script.lines().collect::<Vec<_>>();
    let first_command = lines.iter().position(|line| !line.starts_with('#')).unwrap();
    assert!(lines[first_command..].iter().all(|line| !line.starts_with("#SBATCH")));
}

/// What a run is of, its times left out: every cell with its rounds.
fn measured(run: &Run) -> BTreeSet<(String, u32)> {
    let set: BTreeSet<_> = run.records.iter().map(|record| (record.cell.to_string(), record.round)).collect();
    assert_eq!(set.len(), run.records.len(), "nothing is there twice");
    set
}

/// The shards of the tiny plan, run by the script that Slurm would run on its nodes.
fn run_by_slurm(folder: &Path, of: u32) -> Vec<PathBuf> {
    let program = assert_cmd::cargo::cargo_bin("isobar");
    let of_text = of.to_string();
    let args = ["shards", "--of", &of_text, "--slurm", "--into", "out", "--seed", "5", "--program"];
    let script = printed(&[&args[..], &[program.to_str().unwrap(), "--"], &TINY].concat());
    std::fs::write(folder.join("isobar.sbatch"), script).unwrap();
    let run = |task: u32| {
        let mut command = Command::new("sh");
        command.current_dir(folder).arg("isobar.sbatch").env("SLURM_ARRAY_TASK_ID", task.to_string());
        command.env("ISOBAR_ROOT", env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    };
    (0..of).for_each(|task| drop(run(task)));
    assert!(run(0).contains("nothing is left to measure"), "the script goes on with a shard that was begun");
    (1..=of).map(|index| folder.join(format!("out/shard-{index}-of-{of}"))).collect()
}

#[test]
fn shards_that_slurm_ran_are_the_whole_when_they_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Run::read(&tiny_run(folder.path(), &["--seed", "5"])).unwrap();
    let shards = run_by_slurm(folder.path(), 3);
    let parts: Vec<Run> = shards.iter().map(|shard| Run::read(shard).unwrap()).collect();
    assert!(parts.iter().all(|part| part.header.cells.len() < whole.header.cells.len()));
    // The command that the script's own comment names.
    let merge = "merge out/shard-1-of-3 out/shard-2-of-3 out/shard-3-of-3 --into out/merged";
    let script = std::fs::read_to_string(folder.path().join("isobar.sbatch")).unwrap();
    assert!(script.contains(" merge out/shard-*-of-3 --into out/merged\n"), "{script}");
    let output = isobar_in(folder.path()).args(merge.split(' ')).assert().success().get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    // What the shards were warned of (a busy machine, say) is passed on.
    assert!(said.lines().all(|line| line.starts_with("warning: shard ")), "nothing is missing: {said}");
    let merged = Run::read(&folder.path().join("out/merged")).unwrap();
    assert_eq!(measured(&merged), measured(&whole));
    let (a, b) = (&merged.header, &whole.header);
    assert_eq!((&a.cells, &a.plan_sha256, &a.machines), (&b.cells, &b.plan_sha256, &b.machines));
    assert_eq!((&a.runtimes, &a.functions, &a.schedule), (&b.runtimes, &b.functions, &b.schedule));
    assert_eq!((a.seed, a.shard, a.elsewhere.len()), (5, None, 0));
    assert_eq!(a.merged, (1..=3).map(|index| Shard { index, of: 3 }).collect::<Vec<_>>());
    let report = std::fs::read_to_string(folder.path().join("out/merged/report.md")).unwrap();
    assert!(report.contains("1/3, 2/3, 3/3") && !report.contains("Incomplete"), "{report}");

    // Whichever order they are given in, the same bytes.
    isobar_in(folder.path()).args(["merge", "--into", "again"]).args(shards.iter().rev()).assert().success();
    for file in ["run.json", "records.jsonl", "report.md"] {
        let read = |run: &str| std::fs::read(folder.path().join(run).join(file)).unwrap();
        assert!(read("out/merged") == read("again"), "{file}");
    }
    refusals(folder.path());
}

/// What merging the runs in `folder` says when they do not belong together.
fn refusals(folder: &Path) {
    let [one, two] = ["out/shard-1-of-3", "out/shard-2-of-3"];
    let text = complaint(folder, &["merge", one, two, one, "--into", "new"]);
    assert!(text.contains("both measured shard 1/3"), "{text}");
    let text = complaint(folder, &["merge", one, "run", "--into", "new"]);
    assert!(text.contains("both measured wasmi/eager wat/empty ") && text.contains("leave one of them out"), "{text}");
    let text = complaint(folder, &["merge", one, two, "--into", "out/merged"]);
    assert!(text.contains("cannot write out/merged (name another folder with --into): it is not empty"), "{text}");
    let header = folder.join(two).join("run.json");
    let text = std::fs::read_to_string(&header).unwrap();
    std::fs::write(&header, text.replace("\"isobar\": \"0.1.0\"", "\"isobar\": \"0.0.9\"")).unwrap();
    let refused = complaint(folder, &["merge", one, two, "--into", "new"]);
    assert!(refused.contains("are not of one plan: isobar 0.1.0 and 0.0.9"), "{refused}");
    assert!(!folder.join("new").exists());
    std::fs::write(&header, text).unwrap();

    // A missing shard is no error, but is said.
    let output = isobar_in(folder).args(["merge", one, two, "--into", "new"]).assert().success().get_output().clone();
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("warning: incomplete: it lacks shard 3/3"), "{warning}");
    let report = std::fs::read_to_string(folder.join("new/report.md")).unwrap();
    assert!(report.contains("Incomplete") && report.contains("3/3"), "{report}");
    isobar_in(folder).args(["merge", "new", "out/shard-3-of-3", "--into", "completed"]).assert().success();
    let completed = Run::read(&folder.join("completed")).unwrap();
    assert!(completed.header.elsewhere.is_empty());
    assert!(!completed.header.warnings.iter().any(|warning| warning.contains("incomplete")));
}

#[test]
fn bad_shards_are_refused_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let run = |shard: &str, seed: &[&str]| {
        let args = [&["run", "--shard", shard, "--into", "out"], seed, &TINY[..]].concat();
        let output = isobar_in(folder.path()).args(args).assert().failure().get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    };
    for wrong in ["0/3", "4/3", "3", "x/3", "1/0", "-1/3", ""] {
        let text = run(wrong, &["--seed", "1"]);
        assert!(text.contains("is no shard: write 2/5 for the second of five") || wrong == "-1/3", "{text}");
    }
    assert!(run("1/3", &[]).contains("--seed"), "shards of different seeds could not be merged");
    let text = run("100/100", &["--seed", "1"]);
    assert!(text.contains("shard 100/100 has nothing to measure") && text.contains("shards at most"), "{text}");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn options_that_the_nodes_would_refuse_are_refused_here() {
    let folder = tempfile::tempdir().unwrap();
    let slurm = ["shards", "--of", "2", "--slurm", "--"];
    let text = complaint(folder.path(), &[&slurm[..], &["--quik"]].concat());
    assert!(text.contains("none of `isobar run`: unexpected argument '--quik'"), "{text}");
    let text = complaint(folder.path(), &[&slurm[..], &["--shard=1/2"]].concat());
    assert!(text.contains("--shard cannot stand behind --"), "{text}");
    let fails = |args: &[&str]| isobar().args(args).assert().failure();
    fails(&["shards", "--of", "2"]);
    fails(&["shards", "--of", "0", "--slurm"]);
    fails(&["shards", "--of", "2", "--kubernetes"]);
    fails(&["shards", "--of", "2", "--kubernetes", "--slurm", "--image", "x"]);
    fails(&["shards", "--of", "2", "--slurm", "--name", "Not-A-Label"]);
    fails(&["shards", "--of", "2", "--slurm", "--time", "soon"]);
    fails(&["shards", "--of", "2", "--slurm", "--into", "a\nb"]);
}

/// Every block of `docs/SCALE.md` in the language of a manifest is what the command in the block before it prints.
#[test]
fn the_documented_manifests_are_what_is_printed() {
    let mut command = "";
    let mut checked = 0;
    for block in DOCUMENTED.split("\n```").collect::<Vec<_>>().chunks(2).filter_map(|pair| pair.get(1)) {
        let (language, text) = block.split_once('\n').unwrap();
        match language {
            "sh" => command = text.trim(),
            "yaml" | "sbatch" => {
                let words = shlex::split(command).unwrap();
                let (program, args) = words.split_first().unwrap();
                assert_eq!((program.as_str(), args[0].as_str()), ("isobar", "shards"));
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                assert_eq!(
                    text.trim_end(),
                    printed(&args).trim_end(),
                    "put into docs/SCALE.md what `{command}` prints"
                );
                checked += 1;
            }
            other => panic!("what is a block of {other:?}?"),
        }
    }
    assert_eq!(checked, 2);
}
