//! Help for names that are not known.

/// How alike two names must be to be offered, from 0 (nothing in common) to 1 (equal).
const ALIKE: f64 = 0.5;
/// How many names are offered at most.
const OFFERED: usize = 3;

/// The known names that `wanted` may have been meant to be, likeliest first; none if nothing comes near. Of two names
/// with a slash only the last parts must be alike: what stands before is shared by too many.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(f64, &str)> =
        known.into_iter().filter_map(|name| Some((likeness(wanted, name)?, name))).collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// A rank, or nothing for names that are not alike.
fn likeness(wanted: &str, name: &str) -> Option<f64> {
    let whole = strsim::normalized_damerau_levenshtein(wanted, name);
    let last = strsim::normalized_damerau_levenshtein(last_part(wanted), last_part(name));
    let alike = last >= ALIKE || (whole >= ALIKE && !wanted.contains('/'));
    (alike && !wanted.is_empty()).then_some(whole + last)
}

fn last_part(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

/// The end of an error's line about `wanted`: `; did you mean ...?`, or nothing.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(wanted, known).as_slice() {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn offers_what_comes_near_likeliest_first() {
        let known = ["rust/blake3", "rust/hello", "wat/empty", "c/hello", "js/hallo"];
        assert_eq!(nearest("rust/helo", known), ["rust/hello", "c/hello", "js/hallo"]);
        assert_eq!(nearest("empty", known), ["wat/empty"]);
        assert_eq!(nearest("hello", known), ["c/hello", "rust/hello", "js/hallo"]);
        assert_eq!(nearest("wasmtim", ["wasmtime/winch", "wasmi/lazy"]), ["wasmtime/winch"]);
        assert_eq!(nearest("zzz", known), [""; 0]);
        assert_eq!(nearest("", known), [""; 0]);
    }
}
