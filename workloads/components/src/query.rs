//! The variables of a query, `NAME=World&N=3`, as `docs/RUNNER.md` has them.

/// Names and values in their order, percent signs and pluses decoded. What has no `=` has no value.
pub(crate) fn variables(query: &str) -> Vec<(String, Vec<u8>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (String::from_utf8_lossy(&decode(name)).into_owned(), decode(value))).collect()
}

/// A percent sign without two digits stands for itself.
fn decode(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, ..]) if digit(high).is_some() && digit(low).is_some() => {
                bytes.push((digit(high).unwrap_or(0) * 16 + digit(low).unwrap_or(0)) as u8);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    bytes
}
