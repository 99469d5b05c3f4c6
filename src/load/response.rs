//! An HTTP/1.1 response, read as it arrives: httparse reads heads and the lengths of chunks, this puts bodies together.

use httparse::Status;

/// No head is longer, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// No body is longer, in bytes.
const LONGEST_BODY: usize = 64 << 20;
/// No head has more fields.
const MOST_FIELDS: usize = 100;

/// Why bytes are no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The head.
    #[error("not an HTTP/1 answer: {0}")]
    Head(httparse::Error),
    /// A field of the head that says how long the body is.
    #[error("the answer says two different things, or none, about its length: {0}")]
    Length(String),
    /// The length of a chunk, or what follows it.
    #[error("the answer is not in proper chunks")]
    Chunk,
    /// It is larger than what is read.
    #[error("the answer's {0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// Something follows the answer that nobody asked for.
    #[error("{0} bytes more than the answer came")]
    Surplus(usize),
}

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Whether the connection can be used again.
    pub keep_alive: bool,
    /// The field `Server-Timing`; several are joined by commas.
    pub server_timing: Option<String>,
    /// The field `x-isobar-start`.
    pub start: Option<String>,
    framing: Framing,
    bytes: usize,
}

/// How the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    /// When the connection does.
    Close,
}

/// Reads one answer at a time.
#[derive(Debug, Default)]
pub struct Response {
    /// What came and was not used up.
    buffer: Vec<u8>,
    head: Option<Head>,
    body: Vec<u8>,
    /// How far chunks are read.
    at: usize,
    complete: bool,
}

impl Response {
    /// Forgets the answer, to read the next one.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.body.clear();
        (self.head, self.at, self.complete) = (None, 0, false);
    }

    /// Whether anything came yet.
    pub fn begun(&self) -> bool {
        self.head.is_some() || !self.buffer.is_empty()
    }

    /// Takes further bytes; whether the answer is complete.
    ///
    /// # Errors
    /// They are no answer.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool, Malformed> {
        if self.complete {
            return Err(Malformed::Surplus(bytes.len()));
        }
        self.buffer.extend_from_slice(bytes);
        while self.head.is_none() {
            match parse_head(&self.buffer)? {
                None if self.buffer.len() > LONGEST_HEAD => return Err(Malformed::TooLong("head", LONGEST_HEAD)),
                None => return Ok(false),
                // An answer that is not the last one (RFC 9110, 15.2).
                Some(head) if (100..200).contains(&head.status) => drop(self.buffer.drain(..head.bytes)),
                Some(head) => {
                    self.at = head.bytes;
                    self.head = Some(head);
                }
            }
        }
        let Some(Head { framing, bytes: start, .. }) = self.head else { return Ok(false) };
        self.complete = match framing {
            Framing::Length(length) => {
                let surplus = self.buffer.len().saturating_sub(start.saturating_add(length));
                if surplus > 0 {
                    return Err(Malformed::Surplus(surplus));
                }
                self.buffer.len() - start == length
            }
            Framing::Chunked => self.chunks()?,
            Framing::Close => false,
        };
        if self.buffer.len() - start > LONGEST_BODY.saturating_mul(2) || self.body.len() > LONGEST_BODY {
            return Err(Malformed::TooLong("body", LONGEST_BODY));
        }
        Ok(self.complete)
    }

    /// The connection ended; whether that makes the answer complete.
    pub fn end(&mut self) -> bool {
        if let Some(Head { framing: Framing::Close, .. }) = &self.head {
            self.complete = true;
        }
        self.complete
    }

    /// The head, once it is there.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The body, once the answer is complete.
    pub fn body(&self) -> &[u8] {
        match &self.head {
            Some(Head { framing: Framing::Chunked, .. }) => &self.body,
            Some(head) => &self.buffer[head.bytes..],
            None => &[],
        }
    }

    /// Reads as many chunks as there are; whether the last one was among them.
    fn chunks(&mut self) -> Result<bool, Malformed> {
        loop {
            let rest = &self.buffer[self.at..];
            let (line, length) = match httparse::parse_chunk_size(rest).map_err(|_| Malformed::Chunk)? {
                Status::Partial if rest.len() > LONGEST_HEAD => return Err(Malformed::Chunk),
                Status::Partial => return Ok(false),
                Status::Complete((line, length)) => (line, usize::try_from(length).unwrap_or(usize::MAX)),
            };
            if length == 0 {
                return self.trailers(line);
            }
            if length > LONGEST_BODY {
                return Err(Malformed::TooLong("body", LONGEST_BODY));
            }
            let Some(end) = rest.get(line + length..line + length + 2) else { return Ok(false) };
            if end != b"\r\n" {
                return Err(Malformed::Chunk);
            }
            self.body.extend_from_slice(&rest[line..line + length]);
            self.at += line + length + 2;
        }
    }

    /// What follows the last chunk: fields, which are not used, and an empty line.
    fn trailers(&mut self, line: usize) -> Result<bool, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let rest = &self.buffer[self.at + line..];
        match httparse::parse_headers(rest, &mut fields).map_err(Malformed::Head)? {
            Status::Complete((bytes, _)) if bytes < rest.len() => Err(Malformed::Surplus(rest.len() - bytes)),
            Status::Complete(_) => Ok(true),
            Status::Partial if rest.len() > LONGEST_HEAD => Err(Malformed::TooLong("trailer", LONGEST_HEAD)),
            Status::Partial => Ok(false),
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let Status::Complete(length) = response.parse(bytes).map_err(Malformed::Head)? else { return Ok(None) };
    let status = response.code.unwrap_or(0);
    let mut head = Head {
        status,
        keep_alive: response.version == Some(1),
        server_timing: None,
        start: None,
        framing: Framing::Close,
        bytes: length,
    };
    let mut said: Option<usize> = None;
    for field in response.headers.iter() {
        let value = String::from_utf8_lossy(field.value);
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let length = value.trim().parse().ok().filter(|length| said.is_none_or(|said| said == *length));
            said = Some(length.ok_or_else(|| Malformed::Length(value.chars().take(40).collect()))?);
        } else if is("transfer-encoding") {
            if !value.trim().eq_ignore_ascii_case("chunked") {
                return Err(Malformed::Length(value.chars().take(40).collect()));
            }
            head.framing = Framing::Chunked;
        } else if is("connection") {
            let says = |word: &str| value.split(',').any(|said| said.trim().eq_ignore_ascii_case(word));
            head.keep_alive = !says("close") && (head.keep_alive || says("keep-alive"));
        } else if is("server-timing") {
            let joined = head.server_timing.take().map_or_else(String::new, |before| before + ",");
            head.server_timing = Some(joined + &value);
        } else if is("x-isobar-start") {
            head.start = Some(value.trim().to_ascii_lowercase());
        }
    }
    match (head.framing, said) {
        // These have no body, whatever they say (RFC 9112, 6.3).
        _ if status == 204 || status == 304 => head.framing = Framing::Length(0),
        (Framing::Close, Some(length)) if length > LONGEST_BODY => {
            return Err(Malformed::TooLong("body", LONGEST_BODY));
        }
        (Framing::Close, Some(length)) => head.framing = Framing::Length(length),
        (Framing::Close, None) => head.keep_alive = false,
        // Chunks count, but nothing that follows can be trusted.
        (_, said) => head.keep_alive &= said.is_none(),
    }
    Ok(Some(head))
}

/// The parts of a field `Server-Timing` that have a duration, which is in milliseconds, by name
/// (W3C, "Server Timing", 2023).
pub fn server_timing(field: &str) -> impl Iterator<Item = (&str, f64)> {
    field.split(',').filter_map(|metric| {
        let mut parts = metric.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let duration = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"').parse::<f64>().ok()?;
            (key.trim().eq_ignore_ascii_case("dur") && value.is_finite() && value >= 0.0).then_some(value)
        })?;
        Some((name, duration))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> Result<(u16, Vec<u8>, bool), Option<Malformed>> {
        let mut response = Response::default();
        let complete = response.feed(bytes)?;
        if !complete && !response.end() {
            return Err(None);
        }
        let head = response.head().unwrap();
        Ok((head.status, response.body().to_vec(), head.keep_alive))
    }

    #[test]
    fn bodies_end_where_they_say() {
        let ok = |text: &str| whole(text.as_bytes()).unwrap();
        assert_eq!(ok("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), (200, b"hi".into(), true));
        assert_eq!(ok("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"), (200, b"hi".into(), false));
        assert_eq!(ok("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"), (200, vec![], true));
        assert_eq!(
            ok("HTTP/1.1 500 No\r\nconnection: x, Close\r\nContent-Length: 1\r\n\r\n!"),
            (500, b"!".into(), false)
        );
        assert_eq!(ok("HTTP/1.1 200 OK\r\n\r\nuntil it ends"), (200, b"until it ends".into(), false));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(
            ok(&format!("{chunked}2;x=y\r\nhi\r\nA\r\n0123456789\r\n0\r\n\r\n")),
            (200, b"hi0123456789".into(), true)
        );
        assert_eq!(ok(&format!("{chunked}0\r\nX: y\r\n\r\n")), (200, vec![], true));
        assert_eq!(ok("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n"), (204, vec![], true));
        let early = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(ok(&format!("{early}HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n")), (201, vec![], true));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let wrong = |text: &str| whole(text.as_bytes()).unwrap_err();
        assert!(matches!(wrong("SSH-2.0-OpenSSH_9.2\r\n"), Some(Malformed::Head(_))));
        assert!(matches!(wrong("HTTP/1.1 abc\r\n\r\n"), Some(Malformed::Head(_))));
        assert!(matches!(wrong("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Some(Malformed::Length(_))));
        assert!(matches!(
            wrong("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            Some(Malformed::Length(_))
        ));
        assert!(matches!(wrong("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), Some(Malformed::Length(_))));
        assert!(matches!(
            wrong("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
            Some(Malformed::TooLong(..))
        ));
        assert_eq!(wrong("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"), Some(Malformed::Surplus(1)));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(wrong(&format!("{chunked}2\r\nhixx")), Some(Malformed::Chunk));
        assert_eq!(wrong(&format!("{chunked}zz\r\n")), Some(Malformed::Chunk));
        assert_eq!(wrong(&format!("{chunked}FFFFFFFFFFFFFFFF\r\n")), Some(Malformed::TooLong("body", LONGEST_BODY)));
        assert_eq!(wrong(&format!("{chunked}0\r\n\r\nmore")), Some(Malformed::Surplus(4)));
        // Cut off.
        for text in
            ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", &format!("{chunked}5\r\nabc")]
        {
            assert_eq!(wrong(text), None, "{text:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST_HEAD));
        assert_eq!(wrong(&endless), Some(Malformed::TooLong("head", LONGEST_HEAD)));
    }

    #[test]
    fn the_server_tells_its_parts() {
        let field = "engine;dur=0.5, execute;desc=\"x\";dur=1.25,miss, a ; DUR = \"2\" ,nan;dur=nan,x;dur=-1,;dur=1";
        let parts: Vec<_> = server_timing(field).collect();
        assert_eq!(parts, [("engine", 0.5), ("execute", 1.25), ("a", 2.0)]);
        let text = "HTTP/1.1 200 OK\r\nServer-Timing: a;dur=1\r\nserver-timing: b;dur=2\r\nX-Isobar-Start: Cold\r\nContent-Length: 0\r\n\r\n";
        let mut response = Response::default();
        assert_eq!(response.feed(text.as_bytes()), Ok(true));
        let head = response.head().unwrap();
        assert_eq!((head.server_timing.as_deref(), head.start.as_deref()), (Some("a;dur=1,b;dur=2"), Some("cold")));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_bytes_arrive(
            body in prop::collection::vec(any::<u8>(), 0..300),
            cuts in prop::collection::vec(1usize..40, 1..60),
            chunk in 0usize..50,
        ) {
            let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
            if chunk == 0 {
                bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
                bytes.extend(&body);
            } else {
                bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for part in body.chunks(chunk) {
                    bytes.extend(format!("{:x}\r\n", part.len()).bytes());
                    bytes.extend(part);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            }
            let (mut response, mut rest) = (Response::default(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                rest = later;
                prop_assert_eq!(response.feed(now), Ok(rest.is_empty()));
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(response.body(), &body[..]);
        }

        #[test]
        fn no_bytes_make_it_panic(parts in prop::collection::vec(any::<Vec<u8>>(), 0..5), start in 0usize..3) {
            let starts: [&[u8]; 3] = [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"];
            let mut response = Response::default();
            let _ = response.feed(starts[start]);
            for part in parts {
                let _ = response.feed(&part);
            }
            response.end();
            let _ = response.body();
        }
    }
}
