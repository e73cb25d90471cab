//! The frame of a chunked body (RFC 9112 section 7.1), followed and not decoded.
//!
//! Stricter than the RFC: no chunk extensions and no trailers, which no client of Docker sends and
//! which are read in as many ways as there are readers.

use crate::request::Violation;

/// How far the frame has been followed.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// In the size line, with so many digits read.
    Size { digits: u8, size: u64 },
    /// Behind the CR of a size line.
    SizeEnd { size: u64 },
    /// In the data of a chunk.
    Data { left: u64 },
    /// Behind the data.
    DataEnd,
    /// Behind the CR behind the data.
    DataEndLf,
    /// Behind the last chunk.
    Last,
    /// Behind the CR that ends the body.
    LastLf,
}

impl Default for At {
    fn default() -> Self {
        Self::Size { digits: 0, size: 0 }
    }
}

/// How many bytes of what was shown belong to the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// So many, all of it; the body goes on.
    More(usize),
    /// So many, and the body is over.
    Ended(usize),
}

impl Chunks {
    /// Follows the frame through bytes that come next.
    ///
    /// # Errors
    /// [`Violation::Chunk`] where they don't fit.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<Progress, Violation> {
        let mut place = 0;
        while place < bytes.len() {
            if let At::Data { left } = self.at {
                let here = bytes.len() - place;
                let n = usize::try_from(left).map_or(here, |left| left.min(here));
                place += n;
                let left = left - n as u64;
                self.at = if left == 0 { At::DataEnd } else { At::Data { left } };
                continue;
            }
            let byte = bytes[place];
            place += 1;
            self.at = match (self.at, byte) {
                (At::Size { digits, size }, b'\r') if digits > 0 => At::SizeEnd { size },
                // 15 digits are less than 2^60, which no sum with another can overflow.
                (At::Size { digits, size }, _) if digits < 15 => {
                    let digit = char::from(byte).to_digit(16).ok_or(Violation::Chunk)?;
                    At::Size { digits: digits + 1, size: size << 4 | u64::from(digit) }
                }
                (At::SizeEnd { size: 0 }, b'\n') => At::Last,
                (At::SizeEnd { size }, b'\n') => At::Data { left: size },
                (At::DataEnd, b'\r') => At::DataEndLf,
                (At::DataEndLf, b'\n') => At::default(),
                (At::Last, b'\r') => At::LastLf,
                (At::LastLf, b'\n') => return Ok(Progress::Ended(place)),
                _ => return Err(Violation::Chunk),
            };
        }
        Ok(Progress::More(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow_in_parts(body: &[u8], part: usize) -> Result<Progress, Violation> {
        let mut chunks = Chunks::default();
        let mut total = 0;
        for part in body.chunks(part) {
            match chunks.follow(part)? {
                Progress::More(n) => total += n,
                Progress::Ended(n) => return Ok(Progress::Ended(total + n)),
            }
        }
        Ok(Progress::More(total))
    }

    #[test]
    fn a_body_is_followed_to_its_end_however_it_comes() {
        let body = b"5\r\nhello\r\n00a\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1";
        let end = body.len() - b"GET / HTTP/1.1".len();
        for part in 1..body.len() {
            assert_eq!(follow_in_parts(body, part), Ok(Progress::Ended(end)), "in parts of {part}");
        }
        assert_eq!(follow_in_parts(b"5\r\nhel", 2), Ok(Progress::More(6)));
    }

    #[test]
    fn what_is_read_in_two_ways_breaks_the_rule() {
        for body in [
            &b"5;ext=1\r\nhello\r\n"[..],
            b"5 \r\nhello\r\n",
            b"\r\nhello",
            b"5\nhello\r\n",
            b"5\r\nhelloX",
            b"5\r\nhello\n0\r\n",
            b"0x5\r\nhello\r\n",
            b"-1\r\n",
            b"0\r\nTrailer: 1\r\n\r\n",
            b"0\r\nX",
            b"1000000000000000\r\n",
        ] {
            let text = String::from_utf8_lossy(body);
            assert_eq!(follow_in_parts(body, 64), Err(Violation::Chunk), "{text:?}");
        }
    }
}
