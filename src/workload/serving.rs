//! What the platform must know of a function beside what it is invoked with: `[serve]` in its manifest or its family's.

use super::{Problem, source::Source};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// How a function is served over HTTP, as far as that is said; docs/PLATFORM.md has the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    /// The `Content-Type` of its output.
    pub content_type: Option<String>,
    /// Whether its output begins with a header block, as CGI has it.
    pub cgi: Option<bool>,
    /// Whether it can tell the time, and sleep.
    pub clock: Option<bool>,
    /// Whether it can draw random bytes.
    pub random: Option<bool>,
    /// Values that the index page offers, where they are not those of an invocation.
    pub example: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ServeTable {
    content_type: Option<Spanned<String>>,
    cgi: Option<bool>,
    clock: Option<bool>,
    random: Option<bool>,
    example: BTreeMap<String, String>,
}

impl ServeTable {
    pub(super) fn serving(self, source: &Source) -> Result<Serving, Problem> {
        let ServeTable { content_type, cgi, clock, random, example } = self;
        if let Some(text) = &content_type
            && http::HeaderValue::from_str(text.as_ref()).is_err()
        {
            let what = format!("{:?} cannot be a `content_type`", text.as_ref());
            return Err(source.problem(text.span(), what, "write it as in application/json"));
        }
        Ok(Serving { content_type: content_type.map(Spanned::into_inner), cgi, clock, random, example })
    }
}

impl Serving {
    /// What a function says, and where it says nothing what its family does.
    pub(super) fn or(&self, family: Option<&Serving>) -> Serving {
        let none = Serving::default();
        let family = family.unwrap_or(&none);
        let mut example = family.example.clone();
        example.extend(self.example.clone());
        Serving {
            content_type: self.content_type.clone().or_else(|| family.content_type.clone()),
            cgi: self.cgi.or(family.cgi),
            clock: self.clock.or(family.clock),
            random: self.random.or(family.random),
            example,
        }
    }
}
