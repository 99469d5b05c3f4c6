//! The page at `/`: the functions, each with a form to try it.

use crate::serve::Platform;
use crate::serve::function::{EnvNames, Function};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

const STYLE: &str = include_str!("index.css");
const SCRIPT: &str = include_str!("index.js");

/// The `Content-Security-Policy` of the page: its own style and script, and nothing from anywhere else.
pub(super) fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!("default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; form-action 'self'")
}

pub(super) fn page(platform: &Platform) -> String {
    let table = platform.table();
    let runtime = platform.runtime().info();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>isobar: functions</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<p class=\"mark\">isobar</p>\n<h1>Functions</h1>\n<p class=\"facts\">{} functions in {}, \
         version {}, strategy {}. <a href=\"/metrics\">Metrics</a>, <a href=\"/healthz\">health</a>.</p>\n",
        table.functions().count(),
        escape(runtime.id.as_str()),
        escape(&runtime.version),
        platform.settings().strategy,
    );
    let mut group = None;
    for function in table.functions() {
        let folder = function.spec.name.rsplit_once('/').map(|(folder, _)| folder);
        if group != Some(folder) {
            if let Some(folder) = folder {
                let _ = writeln!(page, "<h2>{}</h2>", escape(folder));
            }
            group = Some(folder);
        }
        form(function, table.short_name(function), &mut page);
    }
    let _ = write!(page, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

fn form(function: &Function, short: Option<&str>, page: &mut String) {
    let spec = &function.spec;
    let name = escape(&spec.name);
    let also = short.map(|short| format!(", also <code>/{}</code>", escape(short))).unwrap_or_default();
    let description = escape(&spec.description);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "<details><summary><code>/{name}</code>{also}<span>{description}</span></summary>");
    let method = if spec.stdin { "post" } else { "get" };
    let _ = writeln!(page, "<form method=\"{method}\" action=\"/{name}\">");
    let none = BTreeSet::new();
    let names = match &spec.env {
        EnvNames::Named(names) => names,
        EnvNames::Any => &none,
    };
    for variable in names {
        let value = spec.example.get(variable).map_or(String::new(), |value| escape(value));
        let variable = escape(variable);
        let _ = writeln!(
            page,
            "<label><code>{variable}</code><input name=\"{variable}\" value=\"{value}\" autocomplete=\"off\"></label>"
        );
    }
    if spec.stdin {
        let _ = writeln!(page, "<label><code>body</code><textarea></textarea></label>");
    }
    let _ = writeln!(page, "<button>Call</button><output></output><p class=\"timing\"></p></form></details>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
