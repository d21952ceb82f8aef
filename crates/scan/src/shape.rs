//! The shape of a format's secrets, recognised from its first byte on.

use std::ops::RangeInclusive;

use keyward_core::Alphabet;

/// How many bytes before a text [`Shape::may_begin`] looks at: the longest is a sequence of 24 bits of
/// colour, its escape character written out.
pub(crate) const BEFORE: usize = 24;

/// Literal text, perhaps an id in base58 and an underscore, and secret characters.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) head: String,
    /// How many characters the id has behind the head.
    pub(crate) id: Option<RangeInclusive<usize>>,
    /// How many secret characters there are.
    pub(crate) secret: RangeInclusive<usize>,
    pub(crate) symbols: Symbols,
    pub(crate) edges: Edges,
}

/// What must stand around a text of the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edges {
    /// Anything: a checksum or an issuer tells a key from chance.
    Free,
    /// Neither word characters before nor secret ones behind.
    OfAlphabet,
    /// No word characters on either side.
    OfWord,
}

/// A set of ASCII characters.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    listed: String,
    contained: Box<[bool; 256]>,
}

impl Symbols {
    pub(crate) fn of(alphabet: &Alphabet) -> Self {
        Self::listed(String::from(alphabet.clone()))
    }

    /// What base64url is written in, without padding (RFC 4648 §5).
    pub(crate) fn of_base64url() -> Self {
        let alphanumeric = String::from(Alphabet::alphanumeric().clone());
        Self::listed(alphanumeric + "-_")
    }

    fn listed(symbols: String) -> Self {
        let mut listed = symbols.into_bytes();
        listed.sort_unstable();
        let mut contained = Box::new([false; 256]);
        for &symbol in &listed {
            if let Some(place) = contained.get_mut(usize::from(symbol)) {
                *place = true;
            }
        }
        Self { listed: listed.iter().map(|&symbol| char::from(symbol)).collect(), contained }
    }

    /// The characters between `[` and `]` of a regular expression, in ranges.
    pub(crate) fn class(&self) -> String {
        let mut class = String::new();
        let mut rest = self.listed.bytes().peekable();
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if(|&next| next == last + 1) {
                last = next;
            }
            push_escaped(first, &mut class);
            if last > first + 1 {
                class.push('-');
            }
            if last > first {
                push_escaped(last, &mut class);
            }
        }
        class
    }

    fn has(&self, byte: u8) -> bool {
        self.contained.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// How many bytes of the set a text begins with; no more than `most` are counted.
    pub(crate) fn run(&self, text: &[u8], most: usize) -> usize {
        text.iter().take(most).take_while(|&&byte| self.has(byte)).count()
    }
}

impl Shape {
    /// How long a text of this shape is that `text` begins with, and what stands behind it fits.
    pub(crate) fn length(&self, text: &[u8], base58: &Symbols) -> Option<usize> {
        let behind_head = text.strip_prefix(self.head.as_bytes())?;
        let secret = match &self.id {
            None => behind_head,
            Some(lengths) => {
                let length = base58.run(behind_head, lengths.end() + 1);
                let behind_id = behind_head.get(length..).filter(|_| lengths.contains(&length))?;
                behind_id.strip_prefix(b"_")?
            }
        };
        let most = *self.secret.end();
        // Of a shape with edges one more must not follow.
        let looked_at = if self.edges == Edges::Free { most } else { most + 1 };
        let length = self.symbols.run(secret, looked_at);
        let behind = secret.get(length..).filter(|_| self.secret.contains(&length))?;
        let ends = self.edges != Edges::OfWord || !behind.first().copied().is_some_and(is_word);
        ends.then(|| text.len() - behind.len())
    }

    /// Whether what stands before the byte at `start` lets a text of this shape begin there.
    pub(crate) fn may_begin(&self, text: &[u8], start: usize) -> bool {
        if self.edges == Edges::Free {
            return true;
        }
        let before = text.get(start.saturating_sub(BEFORE)..start).unwrap_or_default();
        !before.last().copied().is_some_and(is_word)
            || ends_with_escape(before)
            || ends_with_colour(before)
    }

    /// The most bytes that a text of this shape has.
    pub(crate) fn longest(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |lengths| lengths.end() + 1);
        self.head.len() + id + self.secret.end()
    }
}

/// Whether a text ends with how a format writes what is no letter, though it has letters in it.
fn ends_with_escape(text: &[u8]) -> bool {
    match text {
        // `"…\nop_…"`, as JSON writes the beginning of a line.
        [.., b'\\', b'n' | b'r' | b't'] => true,
        // `%3Dop_…` in URLs, `\x3dop_…` in programs.
        [.., b'%', one, two] | [.., b'\\', b'x', one, two] => are_digits(&[*one, *two]),
        // `=3Dop_…` in mails: capitals only, as much else stands behind an equals sign.
        [.., b'=', one, two] => {
            let is_capital = |digit: &u8| !digit.is_ascii_lowercase();
            are_digits(&[*one, *two]) && is_capital(one) && is_capital(two)
        }
        // `\u003dop_…` in JSON.
        [.., b'\\', b'u', one, two, three, four] => are_digits(&[*one, *two, *three, *four]),
        _ => false,
    }
}

fn are_digits(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a text ends with what colours a terminal: `\x1b[33mop_…`, also as JSON and programs write it.
fn ends_with_colour(text: &[u8]) -> bool {
    const ESCAPES: [&[u8]; 5] = [b"\x1b", b"\\u001b", b"\\x1b", b"\\e", b"\\033"];
    let Some(mut sequence) = text.strip_suffix(b"m") else { return false };
    while let [rest @ .., b'0'..=b'9' | b';' | b':'] = sequence {
        sequence = rest;
    }
    let Some(before) = sequence.strip_suffix(b"[") else { return false };
    let before = before.to_ascii_lowercase();
    ESCAPES.iter().any(|escape| before.ends_with(escape))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Escapes what means something in a class of any of the engines that rules are written for. No more:
/// some engines refuse to have anything else escaped.
fn push_escaped(symbol: u8, class: &mut String) {
    if br"\[]^-&~".contains(&symbol) {
        class.push('\\');
    }
    class.push(char::from(symbol));
}
