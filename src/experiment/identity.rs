//! What makes a run the same run: on another day, or in its other parts.

use crate::record::{Function, Header, Machine};
use crate::remote::RemoteRuntime;
use crate::workload::Workload;
use isobar_core::Runtime;
use isobar_core::measure::sha256_hex;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The SHA-256 of a plan, in hexadecimal, from the header of the whole of it: shards with the same one belong together.
///
/// It is taken of compact JSON without spaces, `[cells, functions, runtimes, schedule, quick, seed]`: cells and schedule
/// as `run.json` has them, a function as `[name, module_sha256]`, then its size if that is not `default`, then `forms` and `brought` if
/// it has that; a runtime as `[id, version, settings]`.
pub fn plan_sha256(header: &Header) -> String {
    let functions: Vec<_> = header.functions.iter().map(function).collect();
    let runtimes: Vec<_> = header.runtimes.iter().map(|r| (&r.id, &r.version, &r.settings)).collect();
    let plan = (&header.cells, functions, runtimes, header.schedule, header.quick, header.seed);
    // These types have no keys but strings, and cannot fail to be written.
    sha256_hex(&serde_json::to_vec(&plan).unwrap_or_default())
}

fn function(function: &Function) -> Value {
    let mut fields = vec![json!(function.name), json!(function.module_sha256)];
    fields.extend(function.size.as_ref().map(|size| json!(size)));
    fields.extend((!function.forms.is_empty()).then(|| json!(function.forms)));
    fields.extend(function.brought.as_ref().map(|brought| json!(brought)));
    Value::Array(fields)
}

/// What is no longer as it was when the run with this header began, one line each; its further measurements could not be
/// put beside its first ones.
pub fn differences(
    header: &Header,
    machine: &Machine,
    runtimes: &[RemoteRuntime],
    workloads: &[Workload],
) -> Vec<String> {
    let mut found = Vec::new();
    compare("isobar", &header.isobar, env!("CARGO_PKG_VERSION"), &mut found);
    match header.machines.as_slice() {
        // The same machine may have been started again since.
        [then] => compare("the machine", &Machine { boot: machine.boot.clone(), ..then.clone() }, machine, &mut found),
        _ => found.push("the run was merged from several machines' runs: resume those".to_owned()),
    }
    for then in &header.runtimes {
        match runtimes.iter().find(|runtime| runtime.info().id == then.id) {
            Some(now) => compare(then.id.as_str(), then, now.info(), &mut found),
            None => found.push(format!("the runtime {} is not here; `isobar doctor` says what is missing", then.id)),
        }
    }
    for then in &header.functions {
        match workloads.iter().find(|workload| workload.name == then.name) {
            Some(now) => {
                compare(&format!("the module of {}", then.name), &then.module_sha256, &now.module_sha256, &mut found);
                for (form, loaded) in &then.forms {
                    let what = format!("the {} form of {}", form.name(), then.name);
                    match super::loaded(now, *form) {
                        Ok(now) => compare(&what, loaded, &now, &mut found),
                        Err(why) => found.push(format!("{what}: {why}")),
                    }
                }
            }
            None => found.push(format!("the function {} is not here", then.name)),
        }
    }
    found
}

/// Names the parts in which `then` and `now` differ.
fn compare<T: Serialize + ?Sized, U: Serialize + ?Sized>(what: &str, then: &T, now: &U, found: &mut Vec<String>) {
    compare_json(what, &json!(then), &json!(now), found);
}

fn compare_json(what: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
            for key in keys {
                let part = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or(Value::Null);
                compare_json(&format!("{what}: {key}"), &part(then), &part(now), found);
            }
        }
        _ if then == now => {}
        _ => found.push(format!("{what}: {then} then, {now} now")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn the_same_plan_has_the_same_sum_and_another_one_another() {
        let header = || synthetic::run(3, 2, 1, 2, false).header;
        let sum = plan_sha256(&header());
        assert_eq!(sum, plan_sha256(&header()));
        let changes: [fn(&mut Header); 7] = [
            |h| h.functions[0].size = Some("small".into()),
            |h| h.cells.truncate(1),
            |h| h.functions[0].module_sha256.push('0'),
            |h| h.runtimes[0].version.push('1'),
            |h| h.schedule.precision = 0.5,
            |h| h.quick = true,
            |h| h.seed += 1,
        ];
        let sums: BTreeSet<String> = changes
            .iter()
            .map(|change| {
                let mut header = header();
                change(&mut header);
                plan_sha256(&header)
            })
            .collect();
        assert!(sums.len() == 7 && !sums.contains(&sum), "{sums:?}");
        let not_of_the_plan: [fn(&mut Header); 2] = [|h| h.started_at_s += 1, |h| h.machines[0].cores += 1];
        for change in not_of_the_plan {
            let mut header = header();
            change(&mut header);
            assert_eq!(plan_sha256(&header), sum);
        }
    }

    #[test]
    fn what_differs_is_named() {
        let mut header = synthetic::run(1, 1, 1, 1, false).header;
        header.isobar = env!("CARGO_PKG_VERSION").into();
        let mut machine = header.machines[0].clone();
        machine.kernel = "7.0".into();
        let found = differences(&header, &machine, &[], &[]);
        assert_eq!(found[0], "the machine: kernel: \"6.1.0\" then, \"7.0\" now");
        assert!(found[1].starts_with("the runtime ") && found[2].starts_with("the function "), "{found:?}");
        assert_eq!(found.len(), 3);
        let mut found = Vec::new();
        compare("x", &json!({"a": {"b": 1}, "c": 2}), &json!({"a": {"b": 1}, "d": 2}), &mut found);
        assert_eq!(found, ["x: c: 2 then, null now", "x: d: null then, 2 now"]);
    }
}
