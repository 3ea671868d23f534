//! What a key is stored as.
//!
//! A short text that a terminal shows as it is stays as it is, so that lists of records are of
//! use. Whatever else is a key begins with `~`, and a text that begins so is hashed: no two keys
//! meet.

/// The longest text that is kept as it is, in bytes.
const LONGEST: usize = 255;

/// A key that is a digest.
#[must_use]
pub fn hashed(digest: &[u8; 32]) -> String {
    let mut text = String::with_capacity(67);
    text.push_str("~1:");
    text.push_str(&blake3::Hash::from_bytes(*digest).to_hex());
    text
}

/// Letters and signs that each terminal shows, and that can't be taken for one another's order.
/// These never change: a newer Unicode would move keys.
#[must_use]
pub fn is_readable(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && !text.starts_with(['~', ' '])
        && !text.ends_with(' ')
        && text.chars().all(|letter| {
            matches!(letter,
                ' '..='~'
                | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}'       // Latin
                | '\u{391}'..='\u{3a1}' | '\u{3a3}'..='\u{3ce}'     // Greek
                | '\u{400}'..='\u{481}'                              // Cyrillic
                | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' // Japanese
                | '\u{4e00}'..='\u{9fa5}'                            // Chinese
                | '\u{ac00}'..='\u{d7a3}'                            // Korean
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people write stays; what begins as our own forms do, or would not be seen, does not.
    #[test]
    fn readable_is_what_can_be_read() {
        for text in ["order-123", "a b", "é", "日本", "x".repeat(255).as_str()] {
            assert!(is_readable(text), "{text}");
        }
        for text in ["", "~", " a", "a ", "a\n", "\u{202e}", "\u{ad}", "x".repeat(256).as_str()] {
            assert!(!is_readable(text), "{text:?}");
        }
        assert!(!is_readable(&hashed(&[7; 32])));
        assert_eq!(hashed(&[7; 32]).len(), 67);
    }
}
