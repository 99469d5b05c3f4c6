//! Histograms of latencies, in the form in which HdrHistogram's tools exchange them.

use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};
use hdrhistogram::serialization::{DeserializeError, Deserializer, Serializer, V2DeflateSerializer};
use std::io::Read;

/// The highest value that takes no growing: an hour.
const HOUR_NS: u64 = 3600 * 1_000_000_000;

/// How precise a value stays.
const SIGNIFICANT_DIGITS: u8 = 3;

/// No histogram is longer when inflated: five digits over the whole of a u64, at nine bytes each. A file can say that it
/// has more.
const LONGEST_BYTES: u64 = 64 << 20;

/// Before the counts: a cookie, their length, the offset, the digits, the bounds and the ratio.
const HEADER_BYTES: usize = 40;

/// Before the deflated part, and followed by its length.
const COOKIE: [u8; 4] = 0x1c84_9314_u32.to_be_bytes();

/// Counts of values in nanoseconds, each to three significant digits; the same in memory and in time however many there
/// are. Values above an hour are counted, too: it then grows.
#[derive(Clone, PartialEq)]
pub struct Histogram {
    counts: hdrhistogram::Histogram<u64>,
}

/// Why a text is not a histogram.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    /// It is not base64.
    #[error("not base64")]
    Base64(#[from] DecodeError),
    /// It is something else, or of the old version 1 of the encoding.
    #[error("not a compressed HdrHistogram of version 2")]
    Cookie,
    /// The compressed part is damaged.
    #[error("cannot inflate the histogram")]
    Inflate(#[source] std::io::Error),
    /// It is longer or shorter than it says, or longer than any histogram can be.
    #[error("the histogram is not as long as it says")]
    Length,
    /// What was compressed is not a histogram.
    #[error("not a valid histogram")]
    Invalid(#[source] DeserializeError),
}

/// As text: the counts are tens of thousands, nearly all zero.
impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Histogram").field(&self.encode()).finish()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        let mut counts = hdrhistogram::Histogram::new_with_bounds(1, HOUR_NS, SIGNIFICANT_DIGITS)
            .expect("the bounds and digits are valid and constant");
        counts.auto(true);
        Histogram { counts }
    }

    /// Counts `value_ns`. Zero stays zero.
    pub fn record(&mut self, value_ns: u64) {
        self.record_times(value_ns, 1);
    }

    /// Forgets all values; the room for them stays.
    pub fn clear(&mut self) {
        self.counts.reset();
    }

    /// Adds what `other` counted, as if it had been recorded here.
    pub fn merge(&mut self, other: &Histogram) {
        if self.counts.add(&other.counts).is_err() {
            // Of a geometry that cannot be added as it is.
            for value in other.counts.iter_recorded() {
                self.record_times(value.value_iterated_to(), value.count_at_value());
            }
        }
    }

    fn record_times(&mut self, value_ns: u64, times: u64) {
        // It grows; where it cannot, the highest bucket takes the value.
        if self.counts.record_n(value_ns, times).is_err() {
            self.counts.saturating_record_n(value_ns, times);
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.len()
    }

    /// The smallest value that `percentile` per cent (0 to 100) of all values do not exceed, in nanoseconds; the highest
    /// one that cannot be told from it. Zero if nothing was counted.
    pub fn percentile(&self, percentile: f64) -> u64 {
        self.counts.value_at_percentile(percentile)
    }

    /// In HdrHistogram's interchange encoding: version 2, compressed, as base64, which is what its logs contain.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&self.counts, &mut bytes)
            .expect("a Vec takes all bytes, and counts are below 2^63");
        BASE64_STANDARD.encode(bytes)
    }

    /// Reads what [`Histogram::encode`] or any other implementation of HdrHistogram wrote, in whatever precision.
    pub fn decode(text: &str) -> Result<Self, HistogramError> {
        let bytes = BASE64_STANDARD.decode(text)?;
        let (_length, deflated) =
            bytes.strip_prefix(&COOKIE).and_then(|b| b.split_at_checked(4)).ok_or(HistogramError::Cookie)?;
        let mut plain = Vec::new();
        flate2::read::ZlibDecoder::new(deflated)
            .take(LONGEST_BYTES)
            .read_to_end(&mut plain)
            .map_err(HistogramError::Inflate)?;
        // The library makes room for as many bytes as the text says it has, and old C writers count the header with them.
        let counts_bytes = plain.len().checked_sub(HEADER_BYTES).ok_or(HistogramError::Length)?;
        let says = u32::from_be_bytes([plain[4], plain[5], plain[6], plain[7]]) as usize;
        if says != counts_bytes && says != plain.len() {
            return Err(HistogramError::Length);
        }
        plain[4..8].copy_from_slice(&(counts_bytes as u32).to_be_bytes());
        let mut counts: hdrhistogram::Histogram<u64> =
            Deserializer::new().deserialize(&mut plain.as_slice()).map_err(HistogramError::Invalid)?;
        counts.auto(true);
        Ok(Histogram { counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From the tests of HdrHistogram_py, made by HdrHistogram_c: 10,000 values of 1000 and one of 100,000,000; and the
    /// same corrected for coordinated omission at an interval of 10,000.
    const FROM_C: [&str; 2] = [
        "HISTFAAAACl4nJNpmSzMwMBgyAABzFCaEURcm7yEwf4DROA8/4I5jNM7mJgAlWkH9g==",
        "HISTFAAAAP94nJNpmSzMwCByigECmKE0I4i4NnkJg/0HiMB5/gVzGD8aM/3lZ7rPyTSbjektC9N7Fqa\
         HzEzbmZi2whCEvZKRaSYj02wwiYng4tFM3lDoC2dhhwh5UyZlJlUMjClCmgpMEUUmQSZ+IBZEojFFCM\
         vQRwUxenmZ2MGQFUqz4+CTo4I2pg4dFdQylZWJkYkZCaPyMEUIydPLjMHrssFixuB12XD0HRAwMsFJg\
         kwilZHJHHKmjzp41MFDOjhYmFiQEUEmMWqGsvKBd8Fwd/Co/waTC9jYOMAIiSJRhLbKh5x9Q87Bo/YN\
         bfsoM4CPhw+IIJAkxnDXN+QcTIpyAPnGh6k=",
    ];

    /// The percentiles that the tests of HdrHistogram_c and of its Python and Java siblings expect of the two.
    #[test]
    fn reads_what_the_c_implementation_wrote() {
        let check = |text: &str, count: u64, percentiles: &[(f64, f64)]| {
            let histogram = Histogram::decode(text).unwrap();
            assert_eq!(histogram.count(), count);
            for (percentile, expected) in percentiles {
                let value = histogram.percentile(*percentile) as f64;
                assert!((value - expected).abs() <= expected * 0.001, "{percentile}: {value}, not {expected}");
            }
        };
        check(FROM_C[0], 10_001, &[(30.0, 1e3), (99.0, 1e3), (99.99, 1e3), (99.999, 1e8), (100.0, 1e8)]);
        check(
            FROM_C[1],
            20_000,
            &[(30.0, 1e3), (50.0, 1e3), (75.0, 5e7), (90.0, 8e7), (99.0, 98e6), (99.999, 1e8), (100.0, 1e8)],
        );
    }

    #[test]
    fn reads_what_others_wrote() {
        // From the tests of the JavaScript and Vala implementations: 100, 200 and 250 with three digits.
        let three = Histogram::decode("HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk").unwrap();
        assert_eq!(three.count(), 3);
        assert_eq!([0.0, 33.0, 34.0, 67.0].map(|p| three.percentile(p)), [100, 100, 200, 250]);
        // From the tests of the Go implementation, written by Java's: 100 without digits, which is read as 64 to 127.
        let one = Histogram::decode("HISTFAAAAB14nJNpmSzMwMDAxIAKGCEU8wv7DxAWLxMASToDcw==").unwrap();
        assert_eq!((one.count(), one.percentile(100.0)), (1, 127));
    }

    #[test]
    fn grows_beyond_an_hour() {
        let mut histogram = Histogram::new();
        histogram.record(0);
        histogram.record(HOUR_NS * 50);
        histogram.record(HOUR_NS * 1000);
        assert_eq!((histogram.count(), histogram.percentile(0.0)), (3, 0));
        assert!(histogram.percentile(50.0).abs_diff(HOUR_NS * 50) < HOUR_NS / 10);
        assert_eq!(Histogram::decode(&histogram.encode()).unwrap(), histogram);
        histogram.record(u64::MAX);
        assert!(histogram.percentile(100.0).abs_diff(u64::MAX) < HOUR_NS);
        assert_eq!(Histogram::decode(&histogram.encode()).unwrap().percentile(100.0), histogram.percentile(100.0));
        assert_eq!(Histogram::new().percentile(99.0), 0);
    }

    #[test]
    fn other_geometries_merge() {
        let mut histogram = Histogram::new();
        histogram.record(5);
        histogram.merge(&Histogram::decode(FROM_C[0]).unwrap());
        assert_eq!((histogram.count(), histogram.percentile(0.0)), (10_002, 5));
        assert!(histogram.percentile(100.0).abs_diff(100_000_000) < 100_000);
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        let wrapped = |plain: &[u8]| {
            let mut bytes = Vec::from(COOKIE);
            let mut deflated = Vec::new();
            flate2::read::ZlibEncoder::new(plain, flate2::Compression::fast()).read_to_end(&mut deflated).unwrap();
            bytes.extend((deflated.len() as u32).to_be_bytes());
            bytes.extend(deflated);
            Histogram::decode(&BASE64_STANDARD.encode(bytes)).unwrap_err()
        };
        assert!(matches!(Histogram::decode("HIST!").unwrap_err(), HistogramError::Base64(_)));
        assert!(matches!(Histogram::decode("").unwrap_err(), HistogramError::Cookie));
        assert!(matches!(Histogram::decode("AAAAAAAAAAA=").unwrap_err(), HistogramError::Cookie));
        assert!(matches!(Histogram::decode(&FROM_C[0][..40]).unwrap_err(), HistogramError::Inflate(_)));
        assert!(matches!(wrapped(b""), HistogramError::Length));
        assert!(matches!(wrapped(&[0xff; 100]), HistogramError::Length));
        assert!(matches!(wrapped(&[0; 100]), HistogramError::Length));
        assert!(matches!(wrapped(&[0; 40]), HistogramError::Invalid(_)));
    }

    proptest! {
        #[test]
        fn encoding_loses_nothing(values in prop::collection::vec(0..HOUR_NS, 0..200)) {
            let mut histogram = Histogram::new();
            values.iter().for_each(|v| histogram.record(*v));
            let text = histogram.encode();
            prop_assert!(text.starts_with("HISTFAAAA"));
            prop_assert_eq!(Histogram::decode(&text).unwrap(), histogram);
        }

        #[test]
        fn merging_is_recording(a in prop::collection::vec(0..HOUR_NS * 9, 0..100), b in prop::collection::vec(0..HOUR_NS, 0..100)) {
            let of = |values: &[u64]| {
                let mut histogram = Histogram::new();
                values.iter().for_each(|v| histogram.record(*v));
                histogram
            };
            let mut merged = of(&b);
            merged.merge(&of(&a));
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }

        #[test]
        fn percentiles_are_those_of_the_values(mut values in prop::collection::vec(1..HOUR_NS, 1..200), percentile in 0.0f64..100.0) {
            let mut histogram = Histogram::new();
            values.iter().for_each(|v| histogram.record(*v));
            values.sort_unstable();
            let place = (percentile / 100.0 * values.len() as f64).ceil().max(1.0) as usize;
            let (expected, found) = (values[place - 1] as f64, histogram.percentile(percentile) as f64);
            prop_assert!((found - expected).abs() <= expected * 0.001 + 1.0, "{} is not {}", found, expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", cut in 0usize..60) {
            let _ = Histogram::decode(&text);
            let _ = Histogram::decode(&FROM_C[0][..cut]);
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0usize..40, byte: u8, values in prop::collection::vec(0..HOUR_NS, 1..20)) {
            let mut histogram = Histogram::new();
            values.iter().for_each(|v| histogram.record(*v));
            let bytes = BASE64_STANDARD.decode(histogram.encode()).unwrap();
            let mut plain = Vec::new();
            flate2::read::ZlibDecoder::new(&bytes[8..]).read_to_end(&mut plain).unwrap();
            let at = at % plain.len();
            plain[at] = byte;
            let mut damaged = Vec::from(&bytes[..8]);
            flate2::read::ZlibEncoder::new(plain.as_slice(), flate2::Compression::fast()).read_to_end(&mut damaged).unwrap();
            let _ = Histogram::decode(&BASE64_STANDARD.encode(damaged));
        }
    }
}
