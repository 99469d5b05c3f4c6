use crate::noise;
use crate::record::Run;
use crate::report::{self, Row};
use anyhow::{Context, Result, bail};
use clap::Args;
use globset::Glob;
use std::io::{IsTerminal, Write};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

/// Write a run's report and charts again from its records, and print its table
#[derive(Debug, Args)]
#[command(
    after_help = "report.html is one file that needs nothing beside it: every cell has a page in it, with its distribution and \
                  its samples to take away. report.md and charts/ belong together.\n\n\
                  In a document, --splice writes anew what stands between these marks, each on a line of its own:\n  \
                  <!-- isobar:summary -->  <!-- /isobar -->    the run in a few sentences; machine: where and when it was\n  \
                  <!-- isobar:table -->  <!-- /isobar -->      the best of each; table warm rust/hello: that scenario and function\n  \
                  <!-- isobar:charts -->  <!-- /isobar -->     all charts; charts cold warm: those\n\n\
                  Examples:\n  isobar report results/RUN\n  isobar report results/RUN --format markdown > run.md\n  \
                  isobar report results/RUN --into docs/results --splice README.md"
)]
pub struct Report {
    /// The run's folder, as `isobar run` named it
    run: PathBuf,
    /// Only the functions that this glob matches ('rust/*')
    #[arg(long, value_name = "GLOB")]
    function: Option<String>,
    /// Write into this folder instead of the run's own
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Print the report in this form, and write nothing
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["into", "splice"])]
    format: Option<Format>,
    /// Refresh the marked parts of this document, too; repeatable
    #[arg(long, value_name = "FILE")]
    splice: Vec<PathBuf>,
}

/// In which form a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One page that needs nothing beside it
    Html,
    /// As GitHub has it; its charts are those in the run's folder
    Markdown,
}

impl Report {
    pub fn run(self) -> Result<ExitCode> {
        let mut run = Run::read(&self.run)?;
        if let Some(glob) = &self.function {
            keep_functions(&mut run, glob)?;
        }
        if let Some(format) = self.format {
            return print(&run, format);
        }
        let into = self.into.as_ref().unwrap_or(&self.run);
        std::fs::create_dir_all(into).with_context(|| format!("cannot make the folder {}", into.display()))?;
        let rows = derive(&run, &self.run, into)?;
        self.splice.iter().try_for_each(|file| splice(file, &run, &rows, into))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(run: &Run, format: Format) -> Result<ExitCode> {
    let run = &*report::machines_apart(run);
    let rows = report::rows(run);
    let text = match format {
        Format::Html => report::html(run, &rows)?,
        Format::Markdown => report::markdown(run, &rows),
    };
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader (`head`) has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Refreshes the marked parts of a document from a run whose charts are in `into`.
fn splice(file: &Path, run: &Run, rows: &[Row], into: &Path) -> Result<()> {
    let run = &*report::machines_apart(run);
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let charts = way(&folder.canonicalize()?, &into.canonicalize()?.join("charts"));
    let spliced = report::splice(&text, run, rows, &charts).with_context(|| name.to_string())?;
    if spliced == text {
        println!("as it was {name}");
        return Ok(());
    }
    let write = || {
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(spliced.as_bytes())?;
        new.as_file().set_permissions(std::fs::metadata(file)?.permissions())?;
        new.persist(file)?;
        std::io::Result::Ok(())
    };
    write().with_context(|| format!("cannot write {name}"))?;
    println!("spliced {name}");
    Ok(())
}

/// The way from one folder to another, both from the root, as a link has it.
fn way(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<Component>, Vec<Component>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let down = to[common..].iter().map(|part| part.as_os_str().to_string_lossy().replace(' ', "%20"));
    let parts = std::iter::repeat_n("..".to_owned(), from.len() - common).chain(down);
    parts.map(|part| part + "/").collect()
}

fn keep_functions(run: &mut Run, glob: &str) -> Result<()> {
    let matcher = Glob::new(glob).with_context(|| format!("'{glob}' is no glob"))?.compile_matcher();
    let keep = |function: &str| matcher.is_match(function);
    run.header.functions.retain(|function| keep(&function.name));
    run.header.cells.retain(|cell| keep(&cell.function));
    run.records.retain(|record| keep(&record.cell.function));
    if run.header.functions.is_empty() {
        bail!("the run has no function that '{glob}' matches");
    }
    Ok(())
}

/// Writes everything that follows from the records of the run in `folder` into another folder (or the same), prints the
/// table and names what was written.
pub(super) fn derive(run: &Run, folder: &Path, into: &Path) -> Result<Vec<Row>> {
    let run = &*report::machines_apart(run);
    let rows = report::rows(run);
    let styled = std::io::stdout().is_terminal();
    let verdicts = report::terminal_isolation(run, styled);
    let emulated = report::emulated(run);
    if !rows.is_empty() || (verdicts.is_empty() && emulated.is_empty()) {
        println!("{}", report::terminal(&rows, styled));
    }
    for (runtime, line) in emulated {
        println!("{runtime}: {line}");
    }
    print!("{}{verdicts}", report::terminal_languages(run, &rows, styled));
    let written = report::write(run, &rows, into)?;
    let failed = run.records.iter().filter(|record| record.result.is_err()).count();
    if failed > 0 {
        println!("{failed} measurements failed: the table and the report say which and why");
    }
    for warning in run.header.warnings.iter().cloned().chain(noise::of_cells(run).iter().map(ToString::to_string)) {
        println!("warning: {warning}");
    }
    println!("records {}", folder.join("records.jsonl").display());
    for file in written {
        println!("{:7} {}", if file.starts_with(into.join("charts")) { "chart" } else { "report" }, file.display());
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::way;
    use std::path::Path;

    #[test]
    fn a_way_goes_up_and_down() {
        let way = |from: &str, to: &str| way(Path::new(from), Path::new(to));
        assert_eq!(way("/a/b", "/a/b/charts"), "charts/");
        assert_eq!(way("/a/docs/x", "/a/results/a run/charts"), "../../results/a%20run/charts/");
        assert_eq!(way("/a", "/b"), "../b/");
    }
}
