//! The header block of a function whose manifest says `cgi = true`, as in RFC 3875, section 6, and WAGI.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};

/// How long a header block may be, in bytes.
const LONGEST: usize = 16 << 10;

/// What belongs to the connection or to the platform, and not to a function.
const REFUSED: [&str; 12] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "server-timing",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-isobar-start",
    "x-request-id",
];

/// A header block, and where the body begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: usize,
}

/// Reads the header block at the beginning of a function's output. Lines end with a newline, with or without a carriage
/// return before it; an empty line ends the block.
///
/// # Errors
/// What is wrong with it, for the log.
pub(super) fn head(output: &[u8]) -> Result<Head, String> {
    let mut head = Head { status: StatusCode::OK, headers: Vec::new(), body: 0 };
    let mut status = None;
    loop {
        let rest = &output[head.body..output.len().min(LONGEST)];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(format!("no empty line ends the header block within {LONGEST} bytes"));
        };
        head.body += end + 1;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        if line.is_empty() {
            break;
        }
        let line = std::str::from_utf8(line).map_err(|_| "a header that is not UTF-8".to_owned())?;
        let (name, value) = line.split_once(':').ok_or_else(|| format!("a header without a colon: {line:?}"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse::<u16>().ok());
            let code = code.filter(|code| (200..600).contains(code));
            let code = code.ok_or_else(|| format!("{value:?} is no status"))?;
            status = Some(StatusCode::from_u16(code).map_err(|e| e.to_string())?);
            continue;
        }
        let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no name of a header"))?;
        if REFUSED.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
            return Err(format!("the header {name} is not the function's to set"));
        }
        head.headers.push((name, value.parse().map_err(|_| format!("{value:?} is no value of a header"))?));
    }
    let has = |wanted: HeaderName| head.headers.iter().any(|(name, _)| *name == wanted);
    if head.headers.is_empty() || !(has(CONTENT_TYPE) || has(LOCATION)) {
        return Err("neither a Content-Type nor a Location".to_owned());
    }
    head.status = status.unwrap_or(if has(LOCATION) { StatusCode::FOUND } else { StatusCode::OK });
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_has_a_status_headers_and_a_body() {
        let output = b"Content-Type: text/html\r\nstatus: 404 Not Found\nX-A:  b \n\nbody\n\n";
        let found = head(output).unwrap();
        assert_eq!(found.status, StatusCode::NOT_FOUND);
        assert_eq!(&output[found.body..], b"body\n\n");
        let headers: Vec<_> = found.headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(headers, [("content-type", "text/html"), ("x-a", "b")]);
        assert_eq!(head(b"location: /x\n\n").unwrap().status, StatusCode::FOUND);
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for output in [
            &b""[..],
            b"hello",
            b"hello\n\n",
            b"\nbody",
            b"content-type: a/b\n",
            b"content-type: a/b\nstatus: 99\n\n",
            b"content-type: a/b\nstatus: x\n\n",
            b"content-type: a/b\ncontent-length: 5\n\n",
            b"content-type: a/b\nTransfer-Encoding: chunked\n\n",
            b"content-type: a/b\nx y: 1\n\n",
            b"content-type: a/b\nx: \x01\n\n",
            b"content-type: a/b\nx: \xff\n\n",
        ] {
            assert!(head(output).is_err(), "{}", String::from_utf8_lossy(output));
        }
        assert!(head("x: y\n".repeat(LONGEST).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_output_is_read_or_refused(output in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(head) = head(&output) {
                prop_assert!(head.body <= output.len());
            }
        }
    }
}
