//! The answer, with the family's own escapes.

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

#[derive(Serialize)]
pub struct Answer {
    pub customers: Vec<Customer>,
    pub orders: u64,
    pub cents: u64,
}

#[derive(Serialize)]
pub struct Customer {
    pub customer: String,
    pub orders: u64,
    pub cents: u64,
}

impl Answer {
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.serialize(&mut Serializer::with_formatter(&mut out, LongEscapes)).expect("memory can be written");
        String::from_utf8(out).expect("JSON is UTF-8")
    }
}

/// Writes control characters as `\u` and four digits, where serde_json has shorter ones.
struct LongEscapes;

impl Formatter for LongEscapes {
    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let byte = match escape {
            CharEscape::Backspace => b'\x08',
            CharEscape::Tab => b'\t',
            CharEscape::LineFeed => b'\n',
            CharEscape::FormFeed => b'\x0c',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::AsciiControl(byte) => byte,
            other => return CompactFormatter.write_char_escape(writer, other),
        };
        write!(writer, "\\u{byte:04x}")
    }
}
