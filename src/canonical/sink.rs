//! Where bytes go.

use super::VERSION;
use blake3::Hasher;

/// What is written to.
pub trait Out {
    /// Adds bytes.
    fn put(&mut self, bytes: &[u8]);

    /// Bytes of any number, which can't be taken for more or fewer.
    #[inline]
    fn put_sized(&mut self, tag: u8, bytes: &[u8]) {
        let mut head = [tag; 11];
        let mut left = bytes.len();
        let mut at = 1;
        loop {
            let low = u8::try_from(left & 0x7f).unwrap_or_default();
            left >>= 7;
            head[at] = if left == 0 { low } else { low | 0x80 };
            at += 1;
            if left == 0 {
                break;
            }
        }
        self.put(&head[..at]);
        self.put(bytes);
    }
}

impl Out for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// More than this is not gathered first.
const GATHERED: usize = 512;

/// A hash. What is short is gathered, for one call of it; of what is long nothing is copied.
pub struct Stream {
    gathered: [u8; GATHERED],
    length: usize,
    hasher: Option<Box<Hasher>>,
}

impl Stream {
    /// An empty one, but for the version.
    #[must_use]
    pub fn new() -> Self {
        let mut stream = Self { gathered: [0; GATHERED], length: 0, hasher: None };
        stream.put(&[VERSION]);
        stream
    }

    /// The digest of all that was put in.
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        let rest = &self.gathered[..self.length];
        match &mut self.hasher {
            None => blake3::hash(rest).into(),
            Some(hasher) => hasher.update(rest).finalize().into(),
        }
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

impl Out for Stream {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.gathered[self.length..].get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.length += bytes.len();
            return;
        }
        let hasher = self.hasher.get_or_insert_with(Box::default);
        hasher.update(&self.gathered[..self.length]);
        if bytes.len() >= GATHERED {
            hasher.update(bytes);
            self.length = 0;
        } else {
            self.gathered[..bytes.len()].copy_from_slice(bytes);
            self.length = bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However bytes are handed in, it is their hash, the version before them.
    #[test]
    fn pieces_make_no_difference() {
        let bytes: Vec<u8> = (0..3000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut whole = vec![VERSION];
        whole.extend_from_slice(&bytes);
        for size in [1, 7, 511, 512, 513, 3000] {
            let mut stream = Stream::new();
            bytes.chunks(size).for_each(|piece| stream.put(piece));
            assert_eq!(stream.finish(), *blake3::hash(&whole).as_bytes(), "{size}");
        }
    }

    /// A length of seven bits is one byte; each further seven take another.
    #[test]
    fn lengths_are_short() {
        let mut out = Vec::new();
        out.put_sized(b's', &[b'x'; 127]);
        assert_eq!(&out[..3], b"s\x7fx");
        out.clear();
        out.put_sized(b's', &[b'x'; 300]);
        assert_eq!(&out[..4], b"s\xac\x02x");
    }
}
