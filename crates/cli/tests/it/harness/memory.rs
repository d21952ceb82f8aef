//! What stands in the memory of a process: its writable pages, as Linux shows them to its parent.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use memchr::memmem;
use num_bigint::BigUint;

const PAGE: u64 = 4_096;

/// Bytes in half of an RSA key of 2,048 bits.
const HALF: usize = 128;

/// What a process held at some instant.
pub(crate) struct Memory {
    /// Pages that were in use, as far as they follow each other.
    runs: Vec<Vec<u8>>,
}

impl Memory {
    pub(crate) fn of(process: u32) -> Self {
        let open = |name: &str| File::open(format!("/proc/{process}/{name}")).unwrap();
        let (memory, pages) = (open("mem"), open("pagemap"));
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        let mut runs = Vec::new();
        for (start, end) in maps.lines().filter_map(writable) {
            for (start, end) in in_use(&pages, start, end) {
                runs.extend(read(&memory, start, end));
            }
        }
        Self { runs }
    }

    /// How much there is, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let finder = memmem::Finder::new(bytes);
        self.runs.iter().any(|run| finder.find(run).is_some())
    }

    /// Which of these RSA moduli can be factored by a prime that stands there.
    pub(crate) fn broken<'m>(&self, moduli: &'m [BigUint]) -> Vec<&'m BigUint> {
        let mut candidates: Vec<_> = self.runs.iter().flat_map(|run| candidates(run)).collect();
        candidates.sort();
        candidates.dedup();
        let zero = BigUint::ZERO;
        let is_broken = |modulus: &&BigUint| candidates.iter().any(|half| *modulus % half == zero);
        moduli.iter().filter(is_broken).collect()
    }
}

/// What stands between two places: page by page, as some may have been given back just now.
fn read(memory: &File, start: u64, end: u64) -> Vec<Vec<u8>> {
    let mut runs = vec![Vec::new()];
    let mut page = vec![0; usize::try_from(PAGE).unwrap()];
    for place in (start..end).step_by(page.len()) {
        match (memory.read_exact_at(&mut page, place), runs.last_mut()) {
            (Ok(()), Some(run)) => run.extend(&page),
            _ => runs.push(Vec::new()),
        }
    }
    runs
}

/// The bounds of a mapping, if it can be written to.
fn writable(line: &str) -> Option<(u64, u64)> {
    let (bounds, rest) = line.split_once(' ')?;
    let (start, end) = bounds.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    rest.starts_with("rw").then_some((address(start)?, address(end)?))
}

/// The parts of a mapping that have pages, be they in memory or swapped out.
fn in_use(pages: &File, start: u64, end: u64) -> Vec<(u64, u64)> {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    let mut entries = vec![0; usize::try_from((end - start) / PAGE * 8).unwrap()];
    if pages.read_exact_at(&mut entries, start / PAGE * 8).is_err() {
        return parts;
    }
    let places = (start..end).step_by(usize::try_from(PAGE).unwrap());
    for (place, entry) in places.zip(entries.as_chunks::<8>().0) {
        if u64::from_le_bytes(*entry) >> 62 == 0 {
            continue;
        }
        match parts.last_mut().filter(|(_, end)| *end == place) {
            Some((_, end)) => *end += PAGE,
            None => parts.push((place, place + PAGE)),
        }
    }
    parts
}

/// What may be half of an RSA key: as aws-lc calculates with it, the least significant word first, and
/// as PKCS #8 writes it (a DER integer of 129 bytes).
fn candidates(run: &[u8]) -> Vec<BigUint> {
    let words = run.len().saturating_sub(HALF) / 8;
    let windows = (0..=words).filter_map(|word| run.get(word * 8..word * 8 + HALF));
    let calculated = windows.filter(|window| is_plausible(window)).map(BigUint::from_bytes_le);
    let head = [0x02, 0x81, 0x81, 0x00];
    let places = memmem::find_iter(run, &head).map(|place| place + head.len());
    let written = places.filter_map(|place| run.get(place..place + HALF));
    calculated
        .chain(written.map(BigUint::from_bytes_be))
        .filter(|half| *half > BigUint::ZERO)
        .collect()
}

/// Whether bytes are an odd number from √2·2^1023 on (FIPS 186-5 §A.1.3) in which nothing is small: that
/// of a prime is so but for one time in a million, and what else stands in memory hardly ever.
fn is_plausible(bytes: &[u8]) -> bool {
    let is_long = bytes.last().is_some_and(|last| *last >= 0xb5);
    is_long
        && bytes.first().is_some_and(|first| first % 2 == 1)
        && bytes.as_chunks::<8>().0.iter().all(|word| u64::from_le_bytes(*word) >> 40 > 0)
}
