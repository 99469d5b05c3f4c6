//! Queries as variables.

use crate::serve::function::Spec;
use percent_encoding::percent_decode;

/// How many variables a query may set.
const MOST: usize = 128;

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadQuery {
    #[error("the query sets more than {MOST} variables")]
    TooMany,
    #[error("the query is not UTF-8 where it is decoded")]
    NotUtf8,
    #[error("the query holds a NUL character")]
    Nul,
    #[error("the query has a value without a name")]
    NoName,
    #[error("this function has no parameter `{0}`")]
    Unknown(String),
}

/// The variables of a query, as its function may have them: percent-decoded, `+` as a space, in the order in which they
/// first come. Of a repeated name the last value wins; a name without `=` has an empty value.
pub(super) fn variables(query: &str, spec: &Spec) -> Result<Vec<(String, String)>, BadQuery> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for (number, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if number == MOST {
            return Err(BadQuery::TooMany);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if name.is_empty() {
            return Err(BadQuery::NoName);
        }
        if name.contains('=') || !spec.env.allows(&name) || spec.set.contains_key(&name) {
            return Err(BadQuery::Unknown(name));
        }
        match variables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => variables.push((name, value)),
        }
    }
    Ok(variables)
}

fn decode(text: &str) -> Result<String, BadQuery> {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Ok(text.to_owned());
    }
    let spaced = text.replace('+', " ");
    let text = percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| BadQuery::NotUtf8)?;
    if text.contains('\0') {
        return Err(BadQuery::Nul);
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::function::EnvNames;
    use proptest::prelude::*;

    fn spec(env: EnvNames) -> Spec {
        let mut spec = crate::serve::function::example("f");
        spec.env = env;
        spec.set.insert("FIXED".to_owned(), "1".to_owned());
        spec
    }

    fn named(query: &str) -> Result<Vec<(String, String)>, BadQuery> {
        variables(query, &spec(EnvNames::Named(["A", "B c"].map(str::to_owned).into())))
    }

    fn pairs(expected: &[(&str, &str)]) -> Result<Vec<(String, String)>, BadQuery> {
        Ok(expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn queries_become_variables() {
        assert_eq!(named(""), pairs(&[]));
        assert_eq!(named("A=1&&B+c=%C3%BC+%26&"), pairs(&[("A", "1"), ("B c", "ü &")]));
        assert_eq!(named("A=1&B%20c=x&A=2"), pairs(&[("A", "2"), ("B c", "x")]));
        assert_eq!(named("A"), pairs(&[("A", "")]));
        assert_eq!(named("A=b=c"), pairs(&[("A", "b=c")]));
        assert_eq!(named("A=%zz"), pairs(&[("A", "%zz")]));
    }

    #[test]
    fn what_is_not_declared_is_refused() {
        assert_eq!(named("PATH=/"), Err(BadQuery::Unknown("PATH".to_owned())));
        assert_eq!(named("a=1"), Err(BadQuery::Unknown("a".to_owned())));
        assert_eq!(named("=1"), Err(BadQuery::NoName));
        assert_eq!(named("A=%00"), Err(BadQuery::Nul));
        assert_eq!(named("A=%ff"), Err(BadQuery::NotUtf8));
        assert_eq!(named(&"A=1&".repeat(MOST + 1)), Err(BadQuery::TooMany));
        let any = spec(EnvNames::Any);
        assert_eq!(variables("FIXED=2", &any), Err(BadQuery::Unknown("FIXED".to_owned())));
        assert_eq!(variables("A%3DB=2", &any), Err(BadQuery::Unknown("A=B".to_owned())));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_can_be_given(query in ".{0,200}") {
            if let Ok(env) = variables(&query, &spec(EnvNames::Any)) {
                let invocation = isobar_core::Invocation { env: env.clone(), ..Default::default() };
                prop_assert_eq!(invocation.check(), Ok(()));
                let mut names: Vec<_> = env.iter().map(|(name, _)| name).collect();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), env.len());
            }
        }
    }
}
