//! A runner that is no Rust program: a shell script that speaks `docs/RUNNER.md`, brought by a manifest.

use assert_cmd::Command;
use std::os::unix::fs::PermissionsExt;

/// Answers every request as a runtime would that greets the world.
const SCRIPT: &str = r#"#!/bin/sh
while read -r request; do
    case "$request" in
    *'"op":"describe"'*) echo '{"reply":"described","protocol":2,"version":"1","runtimes":[{"id":"mine/sh",
        "version":"2.0","wasi":"none","execution":"interpreter","concurrent":false,"enforcement":{"wall_time":"process",
        "memory":"process","stack":"process"},"proposals":[],"settings":{"shell":"yes"}}]}' | tr -d '\n'; echo ;;
    *'"op":"load"'*) echo '{"reply":"made","handle":1,"elapsed_ns":10}' ;;
    *'"op":"instantiate"'*) echo '{"reply":"made","handle":2,"elapsed_ns":10}' ;;
    *'"op":"execute"'*) echo '{"reply":"executed","outcome":{"exit_code":3,"stdout":"SGVsbG8K","stderr":""},"elapsed_ns":10}' ;;
    *'"scenario":"warm"'*) echo '{"reply":"measured","measurement":{"samples":{"instantiate_ns":[10,20],"execute_ns":[1,2],
        "teardown_ns":[5,5]},"warm_up":{"samples":1,"elapsed_ns":9,"end":"samples"},"stop":"samples","readings":{"peak_rss_bytes":4096}}}' | tr -d '\n'; echo ;;
    *'"op":"measure"'*) echo '{"reply":"failed","error":{"failure":{"failure":"trap","kind":"unreachable","message":"as told"}}}' ;;
    *) echo '{"reply":"done","elapsed_ns":10}' ;;
    esac
done
"#;

#[test]
fn a_runner_in_any_language_is_listed_invoked_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("mine.sh");
    std::fs::write(&script, SCRIPT).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = "family = \"mine\"\nprogram = \"./mine.sh\"\nargs = []\nremedy = \"install a shell\"\n";
    std::fs::write(folder.path().join("mine.toml"), manifest).unwrap();
    let isobar = |args: &[&str]| {
        let mut command = Command::cargo_bin("isobar").unwrap();
        command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("--runners").arg(folder.path()).args(args);
        command.assert()
    };

    let listed = isobar(&["list", "--names"]).success().get_output().stdout.clone();
    assert!(String::from_utf8(listed).unwrap().lines().any(|line| line == "mine/sh"));
    isobar(&["invoke", "mine/sh", "hello"]).code(3).stdout("Hello\n");

    let results = folder.path().join("results");
    let filters = ["run", "--filter", "mine/*", "--filter", "wat/empty", "--max-processes", "5", "--results"];
    isobar(&[&filters[..], &[results.to_str().unwrap()]].concat()).success();
    let run = std::fs::read_dir(&results).unwrap().next().unwrap().unwrap().path();
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    let of = |scenario: &str| -> Vec<String> {
        let wanted = format!("\"scenario\":\"{scenario}\"");
        records.lines().filter(|line| line.contains(&wanted)).map(str::to_owned).collect()
    };
    assert!(of("warm").len() == 5 && of("warm").iter().all(|line| line.contains("\"execute_ns\":[1,2]")), "{records}");
    assert!(of("cold").iter().all(|line| line.contains("\"failure\":\"trap\"")), "a failure is a record: {records}");
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    assert!(report.contains("mine/sh") && report.contains("as told"), "{report}");
    let skipped = "cannot run instances of one module on several threads";
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(report.contains(skipped), cores > 1, "{report}");
}
