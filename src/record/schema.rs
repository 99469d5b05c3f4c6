//! The JSON Schema of a run's two files, generated from their types: what `isobar schema` prints and `docs/` holds.

use super::{Header, Record};
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Which file, or which line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// `run.json`
    Header,
    /// A line of `records.jsonl`
    Record,
}

/// The JSON Schema (draft 2020-12) of one of the two, or one that has both among its definitions and holds for either.
pub fn schema(part: Option<Part>) -> Value {
    match part {
        Some(Part::Header) => generator().into_root_schema_for::<Header>().into(),
        Some(Part::Record) => generator().into_root_schema_for::<Record>().into(),
        None => both(),
    }
}

fn both() -> Value {
    let mut generator = generator();
    let either = [generator.subschema_for::<Header>(), generator.subschema_for::<Record>()];
    json!({
        "$schema": generator.settings().meta_schema,
        "title": "isobar: run.json (Header) or a line of records.jsonl (Record)",
        "anyOf": either,
        "$defs": generator.take_definitions(true),
    })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().with_transform(Plain).into_generator()
}

/// Makes the descriptions, which come from the types' documentation, plain text: no links, no line breaks.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::String(text)) = schema.get_mut("description") {
            *text = text.replace("[`", "`").replace("`]", "`").split_whitespace().collect::<Vec<_>>().join(" ");
        }
        transform_subschemas(self, schema);
    }
}
