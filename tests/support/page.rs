//! A page as its reader takes it: what it says to type and what it says to write, in its order.
//!
//! Commands are the lines of blocks for a shell. A block that begins with a comment that names a file is that file
//! (`// src/chart/mine.rs`), or belongs into it (`// src/chart/mod.rs, after pub const ...`, `# x.toml, at its end`).

use std::path::{Path, PathBuf};

/// What a page tells its reader to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A line for a shell.
    Type(String),
    /// A file to write, or to add to.
    Write(File),
}

/// A file of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Below the folder in which the reader stands.
    pub path: PathBuf,
    /// Where the text belongs.
    pub place: Place,
    /// The text, which ends with a newline.
    pub text: String,
}

/// Where in a file a text belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the whole file.
    Whole,
    /// Behind the line that reads so.
    After(String),
    /// Behind everything.
    End,
}

/// The steps of a page, in its order.
pub fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for (language, block) in blocks(text) {
        if language == "sh" {
            let joined = block.replace("\\\n", " ");
            let lines = joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            steps.extend(lines.map(|line| Step::Type(line.to_owned())));
        } else {
            steps.extend(file(&block).map(Step::Write));
        }
    }
    steps
}

/// The commands among the steps.
pub fn commands(text: &str) -> Vec<String> {
    let typed = |step| match step {
        Step::Type(command) => Some(command),
        Step::Write(_) => None,
    };
    steps(text).into_iter().filter_map(typed).collect()
}

/// What stands between backticks in a page's sentences, line ends folded.
pub fn spans(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        // What is indented by so much and follows an empty line is a block, too.
        let block = line.starts_with("    ") && prose.ends_with("\n\n");
        prose.push_str(if fenced || fence || block { "" } else { line.trim() });
        prose.push('\n');
    }
    let spans = prose.split('`').skip(1).step_by(2);
    spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The blocks between fences, with their languages, as far to the left as their fences.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let body = lines.by_ref().take_while(|line| line.trim() != "```");
        let body: String = body.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
        blocks.push((language.trim().to_owned(), body));
    }
    blocks
}

/// The file that a block is, if its first line says so.
fn file(block: &str) -> Option<File> {
    let (first, text) = block.split_once('\n')?;
    let named = first.strip_prefix("// ").or_else(|| first.strip_prefix("# "))?;
    let (path, place) = match named.split_once(", ") {
        None => (named, Place::Whole),
        Some((path, "at its end")) => (path, Place::End),
        Some((path, place)) => (path, Place::After(place.strip_prefix("after ")?.to_owned())),
    };
    let is_path = path.contains('/') && Path::new(path).extension().is_some() && !path.contains(' ');
    is_path.then(|| File { path: PathBuf::from(path), place, text: text.to_owned() })
}
