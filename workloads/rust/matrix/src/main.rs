//! Multiplies two random `N` by `N` matrices.

use input::{Random, Refusal};
use std::process::ExitCode;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let n = input::number("N", 1..=1000)? as usize;
    let mut random = Random::from_env()?;
    let a = Matrix::random(n, &mut random);
    let b = Matrix::random(n, &mut random);
    let [diagonal, sum, weighted] = a.times(&b).sums();
    Ok(format!("{diagonal} {sum} {weighted}"))
}

/// Square, row by row.
struct Matrix {
    n: usize,
    elements: Vec<f64>,
}

impl Matrix {
    fn random(n: usize, random: &mut Random) -> Self {
        let elements = (0..n * n).map(|_| f64::from(random.next_u32() % 1000) - 500.0).collect();
        Matrix { n, elements }
    }

    fn times(&self, other: &Matrix) -> Matrix {
        let n = self.n;
        let mut elements = vec![0.0; n * n];
        for (sums, factors) in elements.chunks_exact_mut(n).zip(self.elements.chunks_exact(n)) {
            for (factor, row) in factors.iter().zip(other.elements.chunks_exact(n)) {
                for (sum, element) in sums.iter_mut().zip(row) {
                    *sum += factor * element;
                }
            }
        }
        Matrix { n, elements }
    }

    /// That of the diagonal, that of all elements, and the weighted one.
    fn sums(&self) -> [i64; 3] {
        let whole = |&element: &f64| element as i64;
        let diagonal = self.elements.iter().step_by(self.n + 1).map(whole).sum();
        let sum = self.elements.iter().map(whole).sum();
        let weighted =
            self.elements.iter().map(whole).zip((1..=7).cycle()).map(|(element, weight)| element * weight).sum();
        [diagonal, sum, weighted]
    }
}
