//! Solves the sudoku in `puzzle`, `ITERATIONS` times: 81 characters, row by row, `.` or `0` for an empty cell.

use input::Refusal;
use std::{hint::black_box, process::ExitCode};
use sudoku::Sudoku;

const CELLS: usize = 81;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let puzzle = input::text("puzzle")?;
    input::repeat(input::iterations()?, || solve(black_box(&puzzle)))
}

fn solve(puzzle: &str) -> Result<String, Refusal> {
    let refuse = |what: String| Refusal::new("puzzle", what);
    let cells = puzzle.chars().count();
    if cells != CELLS {
        return Err(refuse(format!("has {cells} characters instead of {CELLS}")));
    }
    if let Some((cell, found)) = puzzle.chars().enumerate().find(|(_, c)| !matches!(c, '0'..='9' | '.')) {
        return Err(refuse(format!("character {} is {found:?}, neither a digit nor `.`", cell + 1)));
    }
    let sudoku = Sudoku::from_str_line(puzzle).map_err(|e| refuse(e.to_string()))?;
    let solution = sudoku.solution().ok_or_else(|| refuse("has no solution, or more than one".to_owned()))?;
    Ok(solution.to_str_line().to_string())
}

#[cfg(test)]
mod tests {
    use super::solve;

    const PUZZLE: &str = "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......";
    const SOLUTION: &str = "417369825632158947958724316825437169791586432346912758289643571573291684164875293";

    #[test]
    fn solves() {
        assert_eq!(solve(PUZZLE).unwrap(), SOLUTION);
        assert_eq!(solve(&PUZZLE.replace('.', "0")).unwrap(), SOLUTION);
        assert_eq!(solve(SOLUTION).unwrap(), SOLUTION);
    }

    #[test]
    fn refuses_what_is_no_puzzle() {
        for (puzzle, said) in [
            (String::new(), "puzzle: has 0 characters instead of 81"),
            (PUZZLE[1..].to_owned(), "puzzle: has 80 characters instead of 81"),
            (format!("{PUZZLE}."), "puzzle: has 82 characters instead of 81"),
            (PUZZLE.replacen('.', "\n", 1), r"puzzle: character 2 is '\n', neither a digit nor `.`"),
            (PUZZLE.replacen('.', "x", 1), "puzzle: character 2 is 'x', neither a digit nor `.`"),
            (".".repeat(81), "puzzle: has no solution, or more than one"),
            (PUZZLE.replacen('.', "4", 1), "puzzle: has no solution, or more than one"),
        ] {
            assert_eq!(solve(&puzzle).unwrap_err().to_string(), said);
        }
    }
}
