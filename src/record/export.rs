//! Runs as one long table, for tools that read tables: a row for each number, and one for each failure.

use super::{Record, Run};
use isobar_core::measure::MeasureError;
use std::io::Write;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header, by RFC 4180
    Csv,
    /// Apache Parquet
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Why a table cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file or pipe took no more.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The Parquet library refused.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
}

impl From<csv::Error> for ExportError {
    fn from(error: csv::Error) -> Self {
        ExportError::Io(error.into())
    }
}

/// A row of the table.
struct Row<'a> {
    run: &'a str,
    record: &'a Record,
    variants: &'a str,
    sample: Option<u64>,
    column: Option<&'a str>,
    value: Option<u64>,
    failure: Option<&'a str>,
    message: Option<&'a str>,
}

/// What stands in a column. Numbers are whole and not negative.
enum Content {
    Text(for<'a> fn(&'a Row<'a>) -> Option<&'a str>),
    Number(fn(&Row) -> Option<u64>),
}

use Content::{Number, Text};

/// The table's columns, in their order: what is in every row, then what is in some.
const COLUMNS: [(&str, Content); 15] = [
    ("run", Text(|row| Some(row.run))),
    ("machine", Number(|row| Some(row.record.machine.into()))),
    ("runtime", Text(|row| Some(row.record.cell.runtime.as_str()))),
    ("family", Text(|row| Some(row.record.cell.runtime.family()))),
    ("mode", Text(|row| Some(row.record.cell.runtime.mode()))),
    ("variants", Text(|row| Some(row.variants))),
    ("function", Text(|row| Some(&row.record.cell.function))),
    ("scenario", Text(|row| Some(row.record.cell.scenario.name()))),
    ("threads", Number(|row| Some(row.record.cell.scenario.threads().into()))),
    ("round", Number(|row| Some(row.record.round.into()))),
    ("sample", Number(|row| row.sample)),
    ("column", Text(|row| row.column)),
    ("value", Number(|row| row.value)),
    ("failure", Text(|row| row.failure)),
    ("message", Text(|row| row.message)),
];

/// Writes named runs as one table of the columns run, machine, runtime, family, mode, variants, function, scenario,
/// threads, round, sample, column, value, failure, message.
///
/// A sample of a column is a row with the `sample`'s number, from 0. A reading is a row with a `column` and a `value` and
/// no `sample`: it is of the whole process. A failed measurement is a row with its `failure` and `message` alone.
///
/// # Errors
/// `out` could not be written.
pub fn export(runs: &[(String, Run)], format: Format, out: impl Write + Send) -> Result<(), ExportError> {
    match format {
        Format::Csv => csv(runs, out),
        #[cfg(feature = "parquet")]
        Format::Parquet => columnar::write(runs, out),
    }
}

fn csv(runs: &[(String, Run)], out: impl Write) -> Result<(), ExportError> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS.map(|(name, _)| name))?;
    each_row(runs, &mut |row| {
        for (_, content) in &COLUMNS {
            match content {
                Text(text) => writer.write_field(text(row).unwrap_or_default())?,
                Number(number) => writer.write_field(number(row).map(|n| n.to_string()).unwrap_or_default())?,
            }
        }
        Ok(writer.write_record(None::<&[u8]>)?)
    })?;
    Ok(writer.flush()?)
}

type Each<'a> = &'a mut dyn FnMut(&Row) -> Result<(), ExportError>;

fn each_row(runs: &[(String, Run)], each: Each) -> Result<(), ExportError> {
    for (name, run) in runs {
        run.records.iter().try_for_each(|record| rows_of(name, record, each))?;
    }
    Ok(())
}

/// The rows of one record.
fn rows_of(run: &str, record: &Record, each: Each) -> Result<(), ExportError> {
    let variants = record.cell.runtime.variants().collect::<Vec<_>>().join("+");
    let (sample, column, value, failure, message) = (None, None, None, None, None);
    let row = Row { run, record, variants: &variants, sample, column, value, failure, message };
    match &record.result {
        Ok(measurement) => {
            for (column, samples) in measurement.samples.columns() {
                for (at, value) in (0..).zip(samples) {
                    each(&Row { sample: Some(at), column: Some(column), value: Some(*value), ..row })?;
                }
            }
            for (name, value) in &measurement.readings {
                each(&Row { column: Some(name), value: Some(*value), ..row })?;
            }
            Ok(())
        }
        Err(error) => {
            let kind = match error {
                MeasureError::Failure(failure) => failure.name(),
                MeasureError::WrongAnswer(_) => "wrong-answer",
            };
            each(&Row { failure: Some(kind), message: Some(&error.to_string()), ..row })
        }
    }
}

#[cfg(feature = "parquet")]
mod columnar {
    use super::{COLUMNS, Content, ExportError, Number, Row, Run, Text, each_row};
    use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::types::Type;
    use std::io::Write;
    use std::sync::Arc;

    /// So many rows are in memory at once.
    const ROW_GROUP: usize = 1 << 16;

    /// The values of one column in a row group; none is a null.
    enum Values {
        Texts(Vec<Option<ByteArray>>),
        Numbers(Vec<Option<i64>>),
    }

    pub(super) fn write(runs: &[(String, Run)], out: impl Write + Send) -> Result<(), ExportError> {
        // Dictionaries make the names small; no compression library is worth its build for the numbers.
        let properties = WriterProperties::builder()
            .set_compression(Compression::UNCOMPRESSED)
            .set_created_by(format!("isobar version {}", env!("CARGO_PKG_VERSION")));
        let mut file = SerializedFileWriter::new(out, Arc::new(schema()?), Arc::new(properties.build()))?;
        let mut group = empty();
        let mut rows = 0;
        each_row(runs, &mut |row| {
            push(&mut group, row);
            rows += 1;
            if rows % ROW_GROUP == 0 {
                flush(file.next_row_group()?, std::mem::replace(&mut group, empty()))?;
            }
            Ok(())
        })?;
        if rows % ROW_GROUP != 0 {
            flush(file.next_row_group()?, group)?;
        }
        file.close()?;
        Ok(())
    }

    /// Texts are UTF-8, numbers unsigned of 64 bits. Every column may hold nulls.
    fn schema() -> Result<Type, ExportError> {
        let field = |(name, content): &(&str, Content)| {
            let (physical, logical, converted) = match content {
                Text(_) => (Physical::BYTE_ARRAY, LogicalType::String, ConvertedType::UTF8),
                Number(_) => {
                    let unsigned = LogicalType::integer(64, false);
                    (Physical::INT64, unsigned, ConvertedType::UINT_64)
                }
            };
            let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
            Ok(Arc::new(builder.with_logical_type(Some(logical)).with_converted_type(converted).build()?))
        };
        let fields = COLUMNS.iter().map(field).collect::<Result<_, ExportError>>()?;
        Ok(Type::group_type_builder("isobar").with_fields(fields).build()?)
    }

    fn empty() -> [Values; COLUMNS.len()] {
        COLUMNS.map(|(_, content)| match content {
            Text(_) => Values::Texts(Vec::new()),
            Number(_) => Values::Numbers(Vec::new()),
        })
    }

    fn push(group: &mut [Values], row: &Row) {
        for (values, (_, content)) in group.iter_mut().zip(&COLUMNS) {
            match (values, content) {
                (Values::Texts(texts), Text(text)) => texts.push(text(row).map(ByteArray::from)),
                // An unsigned number of 64 bits is stored in the same bits.
                (Values::Numbers(numbers), Number(number)) => numbers.push(number(row).map(|n| n as i64)),
                _ => unreachable!("a group has the columns of the table"),
            }
        }
    }

    fn flush<W: Write + Send>(
        mut to: SerializedRowGroupWriter<W>,
        group: [Values; COLUMNS.len()],
    ) -> Result<(), ExportError> {
        for values in group {
            let Some(mut column) = to.next_column()? else { break };
            match values {
                Values::Texts(texts) => {
                    let levels = levels(&texts);
                    let texts: Vec<ByteArray> = texts.into_iter().flatten().collect();
                    column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?
                }
                Values::Numbers(numbers) => {
                    let levels = levels(&numbers);
                    let numbers: Vec<i64> = numbers.into_iter().flatten().collect();
                    column.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None)?
                }
            };
            column.close()?;
        }
        to.close()?;
        Ok(())
    }

    /// Parquet's definition levels: 1 for a value, 0 for a null.
    fn levels<T>(values: &[Option<T>]) -> Vec<i16> {
        values.iter().map(|value| i16::from(value.is_some())).collect()
    }
}
