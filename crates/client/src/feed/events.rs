//! Server-sent events (HTML Standard, 9.2.6), in bounded memory.

/// An event as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'e> {
    pub(super) name: &'e str,
    pub(super) data: &'e str,
    /// Where to go on from.
    pub(super) id: Option<&'e str>,
}

/// Why a stream is not read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("an id is not short and printable")]
    Id,
    #[error("an event is not UTF-8")]
    Text,
    #[error("an event is too long")]
    TooLong,
}

/// Reads events from pieces of a stream. Lines end with LF or CR LF.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    data: String,
    id: Option<String>,
    /// The line that is not complete.
    line: Vec<u8>,
    name: String,
}

impl EventReader {
    /// Bytes in the longest line, and in the longest data.
    const MOST_LENGTH: usize = 4 * 1024 * 1024;
    /// Bytes in the longest id.
    const MOST_ID_LENGTH: usize = 64;

    /// Reads a piece, and tells each event that is complete.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Event<'_>),
    ) -> Result<(), Malformed> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + piece.len() > Self::MOST_LENGTH {
                return Err(Malformed::TooLong);
            }
            self.line.extend_from_slice(piece);
            if self.line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = std::str::from_utf8(&line).map_err(|_| Malformed::Text)?;
                self.read_line(line.trim_end_matches(['\r', '\n']), &mut tell)?;
            }
        }
        Ok(())
    }

    fn read_line(&mut self, line: &str, tell: &mut impl FnMut(Event<'_>)) -> Result<(), Malformed> {
        if line.is_empty() {
            if !self.data.is_empty() || !self.name.is_empty() {
                let data = self.data.strip_suffix('\n').unwrap_or(&self.data);
                tell(Event { name: &self.name, data, id: self.id.as_deref() });
            }
            self.data.clear();
            self.name.clear();
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.data.len() + value.len() > Self::MOST_LENGTH {
                    return Err(Malformed::TooLong);
                }
                self.data.push_str(value);
                self.data.push('\n');
            }
            "event" => value.clone_into(&mut self.name),
            "id" => {
                let is_printable = value.bytes().all(|byte| byte.is_ascii_graphic());
                if value.is_empty() || value.len() > Self::MOST_ID_LENGTH || !is_printable {
                    return Err(Malformed::Id);
                }
                self.id = Some(value.to_owned());
            }
            // A comment, or what there may be one day.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<String>, Malformed> {
        let (mut reader, mut told) = (EventReader::default(), Vec::new());
        for piece in pieces {
            reader.read(piece, |event| {
                told.push(format!("{}|{}|{}", event.name, event.data, event.id.unwrap_or("-")));
            })?;
        }
        Ok(told)
    }

    #[test]
    fn events_are_told_when_they_are_complete() {
        let told = read(&[b"id: 7\nevent: changes\ndata: {\"keys\":[]}\n"]);
        assert_eq!(told, Ok(vec![]));
        let told = read(&[b"id: 7\nevent: changes\ndata: {}\n\nevent:current\r\ndata:{}\r\n\r\n"]);
        assert_eq!(told.unwrap(), ["changes|{}|7", "current|{}|7"]);
    }

    #[test]
    fn pieces_may_end_anywhere() {
        let text = b"id: 7\nevent: changes\ndata: a\ndata: b\n\n: comment\n\nevent: current\n\n";
        let whole = read(&[text]).unwrap();
        assert_eq!(whole, ["changes|a\nb|7", "current||7"]);
        for length in 1..text.len() {
            let pieces: Vec<_> = text.chunks(length).collect();
            assert_eq!(read(&pieces).unwrap(), whole, "{length}");
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        assert_eq!(read(&[b"retry: 5\nfoo: bar\nbaz\n\n"]), Ok(vec![]));
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused() {
        let long = vec![b'a'; EventReader::MOST_LENGTH + 1];
        assert_eq!(read(&[&long]), Err(Malformed::TooLong));
        let half = [b"data: ", &long[..=EventReader::MOST_LENGTH / 2], b"\n"].concat();
        assert_eq!(read(&[&half, &half]), Err(Malformed::TooLong));
        assert_eq!(read(&[b"data: \xff\n"]), Err(Malformed::Text));
        assert_eq!(read(&[b"id: \n"]), Err(Malformed::Id));
        assert_eq!(read(&[b"id: a b\n"]), Err(Malformed::Id));
        assert_eq!(read(&[b"id: ", &[b'1'; 65], b"\n"]), Err(Malformed::Id));
    }
}
