use super::*;
use crate::report::synthetic;
use proptest::prelude::*;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A run of three records in a folder of its own.
fn stored() -> (tempfile::TempDir, PathBuf, Run) {
    let folder = tempfile::tempdir().unwrap();
    let mut run = synthetic::run(1, 1, 1, 1, false);
    run.records.truncate(3);
    // The last one is torn at every byte: a short one.
    run.records.sort_by_key(|record| std::cmp::Reverse(record.cell.scenario.name() == "warm"));
    let path = folder.path().join("run");
    let mut store = RunFolder::create_in(&path, &run.header).unwrap();
    for record in &run.records {
        store.append(record).unwrap();
    }
    (folder, path, run)
}

fn complaint(path: &Path) -> String {
    Run::read(path).unwrap_err().to_string()
}

#[test]
fn what_is_stored_is_read_and_goes_on() {
    let (_keep, path, mut run) = stored();
    assert_eq!(Run::read(&path).unwrap(), run);
    let opened = RunFolder::open(&path).unwrap();
    assert_eq!((&opened.run, &opened.torn), (&run, &None));
    let (mut folder, more) = (opened.folder, run.records[0].clone());
    folder.append(&more).unwrap();
    run.records.push(more);
    assert_eq!(Run::read(&path).unwrap(), run);
}

/// The last record, cut off behind each of its bytes, as a power cut or a full disk may leave it.
#[test]
fn a_torn_last_line_is_set_aside_wherever_it_was_torn() {
    let (_keep, path, run) = stored();
    let file = path.join("records.jsonl");
    let whole = fs::read(&file).unwrap();
    let start = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in start..=whole.len() {
        fs::write(&file, &whole[..end]).unwrap();
        let _ = fs::remove_file(path.join("records.torn"));
        // Without its end of line the record is there nevertheless.
        let kept = if end >= whole.len() - 1 { 3 } else { 2 };
        assert_eq!(Run::read(&path).unwrap().records, run.records[..kept], "up to byte {end}");
        let Opened { mut folder, run: opened, torn } = RunFolder::open(&path).unwrap();
        assert_eq!(opened.records, run.records[..kept], "up to byte {end}");
        let is_torn = kept == 2 && end > start;
        assert_eq!(torn.is_some(), is_torn, "up to byte {end}");
        if let Some(torn) = torn {
            assert_eq!(fs::read(torn).unwrap(), [&whole[start..end], b"\n"].concat());
        }
        for record in &run.records[kept..] {
            folder.append(record).unwrap();
        }
        assert!(fs::read(&file).unwrap() == whole, "up to byte {end}: going on gives the same bytes");
    }
}

#[test]
fn packed_records_are_read_and_a_damaged_pack_is_an_error() {
    let (_keep, path, run) = stored();
    let (plain, packed) = (path.join("records.jsonl"), path.join("records.jsonl.gz"));
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    file.write_all(&fs::read(&plain).unwrap()).unwrap();
    let bytes = file.finish().unwrap();
    fs::remove_file(&plain).unwrap();
    assert!(matches!(Run::read(&path), Err(StoreError::Read { .. })), "there is neither");
    fs::write(&packed, &bytes).unwrap();
    assert_eq!(Run::read(&path).unwrap(), run);
    fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(Run::read(&path), Err(StoreError::Read { .. })), "half of it");
}

#[test]
fn garbage_is_an_error_that_names_file_and_line() {
    let (_keep, path, _) = stored();
    let file = path.join("records.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for (text, said) in [
        (format!("{}\n{}\n{}\n", lines[0], &lines[1][..40], lines[2]), "records.jsonl:2: EOF while parsing"),
        (format!("{}\n\n{}\n", lines[0], lines[1]), "records.jsonl:2: EOF while parsing a value at column 0"),
        (format!("{} {}\n{}\n", lines[0], lines[1], lines[2]), "records.jsonl:1: trailing characters at column"),
        ("\u{0}\u{0}\n".to_owned(), "records.jsonl:1: expected value at column 1"),
    ] {
        fs::write(&file, text).unwrap();
        assert!(complaint(&path).contains(said), "{}", complaint(&path));
        assert!(RunFolder::open(&path).unwrap_err().to_string().contains(said));
    }
    fs::write(&file, whole).unwrap();
    let header = path.join("run.json");
    let json = fs::read_to_string(&header).unwrap();
    let last = json.lines().count() + 1;
    for (text, said) in [
        (format!("{json}}}"), format!("run.json:{last}: something follows the end of the JSON object")),
        (json[..json.len() / 2].to_owned(), "EOF while parsing".to_owned()),
        ("{}".to_owned(), "run.json:1: missing field `schema`".to_owned()),
        (String::new(), "run.json:1: EOF".to_owned()),
    ] {
        fs::write(&header, text).unwrap();
        assert!(complaint(&path).contains(&said), "{}", complaint(&path));
    }
}

#[test]
fn other_schemas_are_refused_with_the_remedy() {
    let (_keep, path, run) = stored();
    let said = |json: &str| {
        fs::write(path.join("run.json"), json).unwrap();
        complaint(&path)
    };
    let newer = said(r#"{"schema": 3, "isobar": "9.1.0", "cells": "of a kind that nobody knows yet"}"#);
    assert!(newer.ends_with("run.json: written by isobar 9.1.0 (schema 3); this isobar reads up to 2: update isobar"));
    let older = said(r#"{"schema": 1, "isobar": "0.1.0"}"#);
    assert!(older.ends_with("written by isobar 0.1.0 (schema 1); this isobar reads 2 only: measure again"), "{older}");
    // Within a schema, fields may be added.
    let mut header = serde_json::to_value(&run.header).unwrap();
    header["added_later"] = serde_json::json!([1]);
    fs::write(path.join("run.json"), header.to_string()).unwrap();
    assert_eq!(Run::read(&path).unwrap().header, run.header);
}

#[test]
fn a_folder_belongs_to_one_run_at_a_time() {
    let (_keep, path, run) = stored();
    let first = RunFolder::open(&path).unwrap();
    let refused = RunFolder::open(&path).unwrap_err();
    assert!(refused.to_string().starts_with("another isobar is measuring into "), "{refused}");
    drop(first);
    RunFolder::open(&path).unwrap();

    let refused = RunFolder::create_in(&path, &run.header).unwrap_err().to_string();
    assert!(refused.contains("is not empty") && refused.contains("isobar resume"), "{refused}");
    assert_eq!(Run::read(&path).unwrap(), run, "and nothing of it was touched");
}

#[test]
fn a_new_folder_is_new_and_one_that_is_empty_will_do() {
    let results = tempfile::tempdir().unwrap();
    let header = synthetic::run(1, 1, 1, 1, false).header;
    let names: Vec<_> = (0..3)
        .map(|_| RunFolder::create(results.path(), "now", &header).unwrap().path().file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["now", "now-2", "now-3"]);
    let empty = results.path().join("empty");
    fs::create_dir(&empty).unwrap();
    RunFolder::create_in(&empty, &header).unwrap();
    let taken = results.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("notes.txt"), "mine").unwrap();
    assert!(matches!(RunFolder::create_in(&taken, &header), Err(StoreError::Occupied { .. })));
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 1, "nothing was left behind");
}

proptest! {
    // Each case waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever bytes a file holds: an error or records, never a panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
        let (_keep, path, _) = stored();
        let file = path.join("records.jsonl");
        let mut whole = fs::read(&file).unwrap();
        whole.truncate(cut);
        whole.extend(bytes);
        fs::write(&file, whole).unwrap();
        let _ = Run::read(&path);
        let _ = RunFolder::open(&path);
        fs::write(path.join("run.json"), fs::read(&file).unwrap()).unwrap();
        prop_assert!(Run::read(&path).is_err());
    }
}
