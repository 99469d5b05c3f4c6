//! Greets whoever `NAME` names.

use std::process::ExitCode;

pub fn main() -> ExitCode {
    input::answer(input::text("NAME").map(|name| greeting(&name)))
}

fn greeting(name: &str) -> String {
    format!("Hello, {name}!")
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn greets() {
        assert_eq!(greeting("World"), "Hello, World!");
        assert_eq!(greeting(""), "Hello, !");
        assert_eq!(greeting("Ünïcödé ☃"), "Hello, Ünïcödé ☃!");
    }
}
