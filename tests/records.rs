//! What a run leaves behind: its schema, its documentation, and the tables that are made of it.

mod support;

use isobar::record::{Header, Record, Run, SCHEMA};
use isobar_core::measure::MeasureError;
use isobar_core::{Failure, TrapKind};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use support::{isobar, isobar_in, tiny_run};

const COMMITTED: &str = include_str!("../docs/records.schema.json");
const DOCUMENTED: &str = include_str!("../docs/RECORDS.md");

fn stdout(args: &[&str]) -> String {
    String::from_utf8(isobar().args(args).assert().success().get_output().stdout.clone()).unwrap()
}

fn schema(part: &str) -> Validator {
    let schema = serde_json::from_str(&stdout(&["schema", part])).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let same = parsed(&stdout(&["schema"])) == parsed(COMMITTED);
    assert!(same, "write it again: isobar schema > docs/records.schema.json");
    jsonschema::meta::validate(&parsed(COMMITTED)).unwrap();
}

#[test]
fn every_field_is_documented() {
    fn properties(schema: &Value, names: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    names.extend(properties.keys().cloned());
                }
                object.values().for_each(|value| properties(value, names));
            }
            Value::Array(values) => values.iter().for_each(|value| properties(value, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    properties(&serde_json::from_str(COMMITTED).unwrap(), &mut names);
    assert!(names.len() > 60, "{names:?}");
    // `Ok` and `Err` stand in an example.
    let missing =
        |name: &&String| !DOCUMENTED.contains(&format!("`{name}`")) && !DOCUMENTED.contains(&format!("\"{name}\""));
    let missing: Vec<&String> = names.iter().filter(missing).collect();
    assert!(missing.is_empty(), "docs/RECORDS.md does not name {missing:?}");
}

/// Every way in which a measurement can fail.
fn failures() -> Vec<MeasureError> {
    let text = || "what happened".to_owned();
    let rejected = Failure::Rejected { message: text(), proposals: vec!["gc".into()] };
    let crashed = Failure::Crashed { message: text(), signal: Some(11) };
    let failures = [
        rejected,
        Failure::rejected(text()),
        Failure::link(text()),
        Failure::trap(TrapKind::IntegerDivideByZero, text(), b"panicked"),
        Failure::Timeout { limit_ns: 1 },
        Failure::Memory { limit_bytes: u64::MAX },
        Failure::OutputLimit { limit_bytes: 1 },
        crashed,
        Failure::crashed(text()),
        Failure::host(text()),
    ];
    failures.into_iter().map(MeasureError::Failure).chain([MeasureError::WrongAnswer(text())]).collect()
}

#[test]
fn real_and_failed_records_are_valid_and_altered_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = tiny_run(folder.path(), &[]);
    let (header, record) = (schema("header"), schema("record"));
    let either = jsonschema::validator_for(&serde_json::from_str(COMMITTED).unwrap()).unwrap();

    let stored: Value = serde_json::from_str(&std::fs::read_to_string(path.join("run.json")).unwrap()).unwrap();
    header.validate(&stored).unwrap();
    assert!(either.is_valid(&stored));
    let changes: [(&str, Value); 6] = [
        ("/schema", json!(SCHEMA + 1)),
        ("/machines", json!({})),
        ("/seed", json!(-1)),
        ("/schedule/precision", json!("2 %")),
        ("/runtimes/0/id", json!("Wasmi")),
        ("/cells/0/scenario", json!("hot")),
    ];
    for (pointer, value) in changes {
        let mut changed = stored.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(!header.is_valid(&changed), "{pointer}");
        assert!(serde_json::from_value::<Header>(changed.clone()).is_err() || pointer == "/schema", "{pointer}");
    }

    let lines = std::fs::read_to_string(path.join("records.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(records.len() >= 4);
    let ok = Record::clone(&Run::read(&path).unwrap().records[0]);
    let failed = failures().into_iter().map(|error| json!(Record { result: Err(error), ..ok.clone() }));
    for one in records.iter().cloned().chain(failed) {
        record.validate(&one).unwrap_or_else(|error| panic!("{error}: {one}"));
        assert!(either.is_valid(&one));
        let without = |field: &str| {
            let mut changed = one.clone();
            changed.as_object_mut().unwrap().remove(field).unwrap();
            changed
        };
        let with = |field: &str, value: Value| {
            let mut changed = one.clone();
            changed[field] = value;
            changed
        };
        let altered = [
            without("runtime"),
            without("function"),
            without("scenario"),
            without("round"),
            without("result"),
            with("scenario", json!("hot")),
            with("scenario", json!("throughput/1")),
            with("runtime", json!("wasmi")),
            with("round", json!(-1)),
            with("result", json!({})),
            with("result", json!({"Err": {"failure": {"failure": "unknown"}}})),
            with("cpus", json!([0.5])),
        ];
        for changed in altered {
            assert!(!record.is_valid(&changed), "{changed}");
            assert!(serde_json::from_value::<Record>(changed.clone()).is_err(), "{changed}");
        }
        // What later versions add is let through.
        assert!(record.is_valid(&with("later", json!(1))));
    }
    let threaded = |record: &&Value| record["scenario"] == "throughput";
    let mut throughput = records.iter().find(threaded).expect("throughput was measured").clone();
    throughput.as_object_mut().unwrap().remove("threads").unwrap();
    assert!(!record.is_valid(&throughput));
    let mut warm = records.iter().find(|record| record["scenario"] == "warm").unwrap().clone();
    warm["threads"] = json!(2);
    assert!(!record.is_valid(&warm));
}

/// A run of two records: one that was measured, and one that failed with a message that is hard to write.
fn run_with_a_failure(folder: &Path) -> Run {
    let path = tiny_run(folder, &["--filter", "warm"]);
    let mut run = Run::read(&path).unwrap();
    let failed = Record {
        round: 9,
        result: Err(MeasureError::WrongAnswer("\"a\", b\nsecond line".to_owned())),
        ..run.records[0].clone()
    };
    let line = serde_json::to_string(&failed).unwrap() + "\n";
    let file = path.join("records.jsonl");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &line).unwrap();
    run.records.push(failed);
    run
}

/// What the table of a run must hold, as texts; empty for what does not apply.
fn expected(run: &Run) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for record in &run.records {
        let cell = &record.cell;
        let own = ["run", "0", "wasmi/eager", "wasmi", "eager", "", "wat/empty", cell.scenario.name(), "1"];
        let mut row = |end: [String; 5]| {
            let round = record.round.to_string();
            rows.push(own.map(str::to_owned).into_iter().chain([round]).chain(end).collect());
        };
        let none = String::new;
        match &record.result {
            Ok(measurement) => {
                for (column, samples) in measurement.samples.columns() {
                    for (at, value) in samples.iter().enumerate() {
                        row([at.to_string(), column.to_owned(), value.to_string(), none(), none()]);
                    }
                }
                for (name, value) in &measurement.readings {
                    row([none(), name.clone(), value.to_string(), none(), none()]);
                }
            }
            Err(error) => row([none(), none(), none(), "wrong-answer".to_owned(), error.to_string()]),
        }
    }
    rows
}

const COLUMNS: [&str; 15] = [
    "run", "machine", "runtime", "family", "mode", "variants", "function", "scenario", "threads", "round", "sample",
    "column", "value", "failure", "message",
];

#[test]
fn a_table_of_comma_separated_values_has_every_sample_and_failure() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_with_a_failure(folder.path());
    let csv = isobar_in(folder.path()).args(["export", "run"]).assert().success().get_output().stdout.clone();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
    let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows, expected(&run));
    for column in COLUMNS {
        assert!(DOCUMENTED.contains(&format!("`{column}`")), "docs/RECORDS.md does not name {column}");
    }

    // Two runs are one table; of the same name they are told apart by their paths.
    let two = isobar_in(folder.path()).args(["export", "run", "./run", "-o", "two.csv"]).assert().success();
    assert!(two.get_output().stdout.is_empty());
    let two = std::fs::read_to_string(folder.path().join("two.csv")).unwrap();
    assert_eq!(two.lines().filter(|line| line.starts_with("run,0,wasmi/eager")).count(), rows.len());
    assert_eq!(two.lines().filter(|line| line.starts_with("./run,0,wasmi/eager")).count(), rows.len());
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_table_holds_the_same() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let folder = tempfile::tempdir().unwrap();
    let run = run_with_a_failure(folder.path());
    let file = folder.path().join("run.parquet");
    let args = ["export", "run", "--format", "parquet", "--output", "run.parquet"];
    isobar_in(folder.path()).args(args).assert().success();
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    let text = |(name, field): (&String, &Field)| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::ULong(number) => number.to_string(),
        other => panic!("{name} is {other:?}"),
    };
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap());
    let rows: Vec<Vec<String>> = rows
        .map(|row| {
            assert!(row.get_column_iter().map(|(name, _)| name.as_str()).eq(COLUMNS));
            row.get_column_iter().map(text).collect()
        })
        .collect();
    assert_eq!(rows, expected(&run));
}

#[test]
fn fields_of_later_versions_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = tiny_run(folder.path(), &["--filter", "warm"]);
    let before = isobar_in(folder.path()).args(["export", "run"]).assert().success().get_output().stdout.clone();
    let insert = |text: &str| text.replacen('{', "{\"later\":[1],", 1);
    for file in ["run.json", "records.jsonl"] {
        let text = std::fs::read_to_string(path.join(file)).unwrap();
        let changed: Vec<String> = match file {
            "run.json" => vec![insert(&text)],
            _ => text.lines().map(insert).collect(),
        };
        std::fs::write(path.join(file), changed.join("\n") + "\n").unwrap();
    }
    isobar_in(folder.path()).args(["export", "run"]).assert().success().stdout(before);
}
