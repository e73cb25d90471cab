//! An HTTP/1.1 message as it stands on the wire.

use std::io::{self, BufRead};

/// A request or an answer.
#[derive(Clone, Debug)]
pub struct Message {
    /// All up to the empty line, and with it.
    pub head: String,
    /// The body, without its frame.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one message. `None` where the peer has closed instead of sending another.
    pub fn read(from: &mut impl BufRead, of: Of) -> io::Result<Option<Self>> {
        let Some(mut message) = Self::read_head(from)? else { return Ok(None) };
        message.body = message.read_body(from, of)?;
        Ok(Some(message))
    }

    /// Reads a head, and not one byte more.
    pub fn read_head(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut head)? == 0 {
                return if head.is_empty() { Ok(None) } else { Err(cut_short()) };
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        Ok(Some(Self { head, body: Vec::new() }))
    }

    /// The request line or the status line.
    pub fn first_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub fn status(&self) -> u16 {
        let status = self.first_line().split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in {:?}", self.head))
    }

    /// The value of a header that stands once, `None` where it does not stand at all.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().skip(1).filter_map(|line| {
            let (this, value) = line.split_once(':')?;
            this.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = values.next();
        assert!(values.next().is_none(), "{name} stands more than once in {:?}", self.head);
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// What a client of Docker shows of an error.
    pub fn words(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.head);
        let json: serde_json::Value = serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)));
        json["message"].as_str().expect("an error has a message").to_owned()
    }

    /// RFC 9112 section 6.3.
    fn read_body(&self, from: &mut impl BufRead, of: Of) -> io::Result<Vec<u8>> {
        let bodiless = match of {
            Of::Request => false,
            Of::Answer => matches!(self.status(), 100..200 | 204 | 304),
            Of::AnswerToHead => true,
        };
        let mut body = Vec::new();
        if bodiless {
        } else if self.header("transfer-encoding").is_some() {
            while let Some(mut chunk) = read_chunk(from)? {
                body.append(&mut chunk);
            }
        } else if let Some(length) = self.header("content-length") {
            body.resize(length.parse().expect("a length is a number"), 0);
            from.read_exact(&mut body)?;
        } else if matches!(of, Of::Answer) {
            from.read_to_end(&mut body)?;
        }
        Ok(body)
    }
}

/// What a message is, and so how its body is framed.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Request,
    Answer,
    AnswerToHead,
}

/// Reads a chunk with its frame, `None` for the last one.
pub fn read_chunk(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let size = line.strip_suffix("\r\n").ok_or_else(cut_short)?;
    let size = usize::from_str_radix(size, 16).expect("a chunk begins with its size");
    let mut chunk = vec![0; size];
    from.read_exact(&mut chunk)?;
    let mut end = [0; 2];
    from.read_exact(&mut end)?;
    assert_eq!(&end, b"\r\n", "a chunk ends with a line");
    Ok((size > 0).then_some(chunk))
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the message was cut short")
}
