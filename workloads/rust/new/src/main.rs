//! Counts the lines of standard input that contain `WORD`.

use input::Refusal;
use std::process::ExitCode;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let word = input::text("WORD")?;
    let text = String::from_utf8(input::stdin()?).map_err(|_| Refusal::stdin("is not UTF-8"))?;
    Ok(count(&text, &word).to_string())
}

fn count(text: &str, word: &str) -> usize {
    text.lines().filter(|line| line.contains(word)).count()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_lines_not_words() {
        assert_eq!(count("", "a"), 0);
        assert_eq!(count("a a\nb\na", "a"), 2);
    }
}
