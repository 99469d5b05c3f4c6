//! What two runs have done differently, so that nobody takes it for a difference of what was measured.

use crate::record::{Machine, Run};
use isobar_core::RuntimeInfo;
use serde::Serialize;
use serde_json::Value;

/// What differs between two runs beside the machine, one line each.
pub(super) fn differences(old: &Run, new: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tell = |what: String, differing: Vec<String>| {
        lines.extend(differing.into_iter().map(|difference| format!("{what} changed: {difference}")));
    };
    let (before, after) = (&old.header, &new.header);
    tell("isobar".to_owned(), fields("version", &before.isobar, &after.isobar));
    tell("the settings".to_owned(), fields("quick", &before.quick, &after.quick));
    tell("the settings".to_owned(), fields("pinned", &before.pinned, &after.pinned));
    tell("the schedule".to_owned(), fields("", &before.schedule, &after.schedule));
    for info in &before.runtimes {
        if let Some(other) = after.runtimes.iter().find(|other| other.id == info.id) {
            tell(info.id.to_string(), runtime(info, other));
        }
    }
    for function in &before.functions {
        if let Some(other) = after.functions.iter().find(|other| other.name == function.name) {
            let short = |sha256: &str| sha256.chars().take(12).collect::<String>();
            let sums = (short(&function.module_sha256), short(&other.module_sha256));
            tell(function.name.clone(), fields("module's SHA-256", &sums.0, &sums.1));
            tell(function.name.clone(), fields("call", &function.brought, &other.brought));
            tell(function.name.clone(), fields("size", &function.size(), &other.size()));
        }
    }
    grouped(lines)
}

/// What differs between two machines.
pub(super) fn machines(old: &Machine, new: &Machine) -> Vec<String> {
    fields("", old, new)
}

fn runtime(old: &RuntimeInfo, new: &RuntimeInfo) -> Vec<String> {
    fields("", old, new)
}

/// The fields in which two values differ: `kernel 6.1 -> 6.2`.
fn fields<T: Serialize>(name: &str, old: &T, new: &T) -> Vec<String> {
    let value = |of: &T| serde_json::to_value(of).unwrap_or_default();
    let mut differing = Vec::new();
    walk(name, &value(old), &value(new), &mut differing);
    differing
}

fn walk(name: &str, old: &Value, new: &Value, differing: &mut Vec<String>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(before), Value::Object(after)) => {
            let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                walk(
                    &inner,
                    before.get(key).unwrap_or(&Value::Null),
                    after.get(key).unwrap_or(&Value::Null),
                    differing,
                );
            }
        }
        _ => differing.push(format!("{name} {} -> {}", plain(old), plain(new))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

/// Lines that say the same of several runtimes become one: `wasmtime/winch and 3 more changed: ...`.
fn grouped(lines: Vec<String>) -> Vec<String> {
    let mut groups: Vec<(String, String, usize)> = Vec::new();
    for line in lines {
        let (who, what) = line.split_once(" changed: ").unwrap_or((line.as_str(), ""));
        let family = |who: &str| who.split('/').next().unwrap_or_default().to_owned();
        let same = |(first, of, _): &&mut (String, String, usize)| of == what && family(first) == family(who);
        match groups.iter_mut().find(same) {
            Some(group) => group.2 += 1,
            None => groups.push((who.to_owned(), what.to_owned(), 0)),
        }
    }
    let line = |(who, what, more): (String, String, usize)| match more {
        0 => format!("{who} changed: {what}"),
        _ => format!("{who} and {more} more changed: {what}"),
    };
    groups.into_iter().map(line).collect()
}
