//! How to cite a run, and how to measure it again.

use super::document::Block;
use super::summary::one_line;
use super::units;
use crate::record::{Header, Run};
use std::collections::BTreeSet;
use std::time::Duration;

/// The sections about repeating and citing.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let header = &run.header;
    let isobar = &header.isobar;
    let mut again = format!("With isobar {isobar} and the runtimes above, on a quiet machine of the same kind:");
    if header.arguments.is_empty() {
        again = format!(
            "The run has no note of its command. With isobar {isobar} and the runtimes above, this measures all that it did:"
        );
    }
    let mut blocks = vec![Block::Heading(2, "Measuring it again".to_owned()), Block::Paragraph(again)];
    blocks.push(Block::Code(command(header)));
    if !header.merged.is_empty() {
        let shards = header.merged.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let text =
            format!("It was measured in parts, by the same command with --shard {shards}, which isobar merge joined.");
        blocks.push(Block::Paragraph(text));
    }
    let compare = "isobar diff OLD NEW then says which cells have changed and by how much, and isobar report FOLDER makes this \
                   report again from the records.";
    blocks.push(Block::Paragraph(compare.to_owned()));
    blocks.push(Block::Heading(2, "Citing it".to_owned()));
    blocks.push(Block::Code(bibtex(header)));
    blocks
}

/// The command that measures the run's plan, for a shell.
pub(super) fn command(header: &Header) -> String {
    let mut words = vec!["isobar".to_owned()];
    if !header.arguments.is_empty() {
        words.extend(header.arguments.iter().map(|word| one_line(word)));
        if !header.arguments.iter().any(|word| word == "--seed" || word.starts_with("--seed=")) && header.load.is_none()
        {
            words.extend(["--seed".to_owned(), header.seed.to_string()]);
        }
    } else if let Some(load) = &header.load {
        words.extend(["load".to_owned(), one_line(&load.url)]);
    } else {
        words.extend(planned(header));
    }
    words.extend(header.shard.iter().flat_map(|shard| ["--shard".to_owned(), shard.to_string()]));
    // Lines hold no NUL, which is all that it minds.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// The arguments that make the header's plan, of a run that has no note of its own.
fn planned(header: &Header) -> Vec<String> {
    let mut words = vec!["run".to_owned()];
    words.extend(header.quick.then(|| "--quick".to_owned()));
    let runtimes: Vec<String> = header.runtimes.iter().map(|info| info.id.to_string()).collect();
    let functions: Vec<String> = header.functions.iter().map(|function| function.name.clone()).collect();
    let scenarios: BTreeSet<_> = header.cells.iter().chain(&header.elsewhere).map(|cell| cell.scenario).collect();
    let scenarios: Vec<String> = scenarios.iter().map(ToString::to_string).collect();
    words.extend([runtimes, functions, scenarios].concat().into_iter().flat_map(|name| ["--filter".to_owned(), name]));
    let schedule = &header.schedule;
    words.extend(["--processes".to_owned(), schedule.min_processes.to_string()]);
    words.extend(["--max-processes".to_owned(), schedule.max_processes.to_string()]);
    words.extend(["--precision".to_owned(), schedule.precision.to_string()]);
    for (name, ns) in [("--cell-time", schedule.cell_time_ns), ("--total-time", schedule.total_time_ns)] {
        let time = ns.map(|ns| humantime::format_duration(Duration::from_nanos(ns)).to_string().replace(' ', ""));
        words.extend(time.into_iter().flat_map(|time| [name.to_owned(), time]));
    }
    words.extend(header.pinned.then(|| "--pin".to_owned()));
    words.extend(["--seed".to_owned(), header.seed.to_string()]);
    words
}

fn bibtex(header: &Header) -> String {
    let date = units::date(header.started_at_s);
    let cpus: Vec<String> = header.machines.iter().map(|machine| one_line(&machine.cpu)).collect();
    let plan: String = header.plan_sha256.chars().take(12).collect();
    let plain = |text: String| text.replace(['{', '}', '\\', '%', '#', '$', '&', '_', '~', '^'], " ");
    format!(
        "@software{{isobar,\n  author  = {{{{The isobar developers}}}},\n  title   = {{isobar: a barometer for isolation \
         runtimes}},\n  version = {{{}}},\n  year    = {{{}}},\n  note    = {{Run of {date} on {}, plan {plan}}}\n}}",
        plain(one_line(&header.isobar)),
        &date[..4],
        plain(cpus.join(" and "))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn a_command_is_what_was_typed_with_its_seed() {
        let mut header = synthetic::run(1, 1, 1, 1, false).header;
        header.arguments = ["run", "--filter", "wasm*/*", "--quick"].map(str::to_owned).to_vec();
        assert_eq!(command(&header), "isobar run --filter 'wasm*/*' --quick --seed 42");
        header.arguments.push("--seed=7".to_owned());
        assert!(command(&header).ends_with("--quick '--seed=7'"));
    }

    #[test]
    fn a_run_without_a_note_is_told_by_its_plan() {
        let header = synthetic::run(2, 1, 1, 3, false).header;
        let command = command(&header);
        let words = shlex::split(&command).unwrap();
        assert_eq!(words[..2], ["isobar", "run"]);
        for wanted in [
            "--filter wasmtime/cranelift ",
            "--filter rust/hello ",
            "--filter throughput/1 ",
            "--precision 0.02 ",
            "--seed 42",
        ] {
            assert!(command.contains(wanted), "{wanted} is not in {command}");
        }
    }

    #[test]
    fn a_citation_has_the_version_and_cannot_be_broken_by_a_machine() {
        let mut header = synthetic::run(1, 1, 1, 1, false).header;
        header.machines[0].cpu = "A {CPU}\n\\end & more".to_owned();
        let text = bibtex(&header);
        assert!(text.contains("version = {0.1.0}") && text.contains("year    = {2026}"), "{text}");
        assert_eq!(text.matches('{').count(), text.matches('}').count());
        assert!(!text.contains('\\') && text.lines().count() == 7, "{text}");
    }
}
