//! Numbers: by their value, within their type.

use super::sink::Out;

/// An integer: two's complement, the least bytes that hold it.
pub fn int<O: Out>(number: i64, tag: u8, out: &mut O) {
    out.put_sized(tag, shortest(&number.to_be_bytes()));
}

/// Without the leading bytes that only repeat the sign.
#[must_use]
pub fn shortest(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [first, second, ..] = rest
        && (*first == 0 && second & 0x80 == 0 || *first == 0xff && second & 0x80 != 0)
    {
        rest = &rest[1..];
    }
    rest
}

/// A float. Zero is one, whatever its sign, and so is what is no number.
pub fn float<O: Out>(number: f64, out: &mut O) {
    let number = if number.is_nan() {
        f64::NAN.abs()
    } else if number == 0.0 {
        0.0
    } else {
        number
    };
    let mut written = [b'd'; 9];
    written[1..].copy_from_slice(&number.to_bits().to_be_bytes());
    out.put(&written);
}

/// A decimal as Python writes it, by its value: 1.0 and 1.00 are one. False: it is not written so.
#[must_use]
pub fn decimal<O: Out>(text: &str, out: &mut O) -> bool {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if rest == "Infinity" {
        out.put(if negative { b"M<" } else { b"M>" });
        return true;
    }
    if rest.contains("NaN") {
        out.put(b"M?");
        return true;
    }
    let (mantissa, exponent) = rest.split_once(['E', 'e']).unwrap_or((rest, "0"));
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        out.put(b"M0");
        return true;
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    out.put(if negative { b"M-" } else { b"M+" });
    int(exponent - length(fraction.len()) + length(zeros), b'e', out);
    out.put_sized(b'm', significant.as_bytes());
    true
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two numbers share bytes, and none has a byte that could be left out.
    #[test]
    fn integers_are_short_and_apart() {
        let of = |number: i64| {
            let mut out = Vec::new();
            int(number, b'i', &mut out);
            out
        };
        assert_eq!(of(0), b"i\x01\x00");
        assert_eq!(of(127), b"i\x01\x7f");
        assert_eq!(of(128), b"i\x02\x00\x80");
        assert_eq!(of(-1), b"i\x01\xff");
        assert_eq!(of(-129), b"i\x02\xff\x7f");
        assert_eq!(of(i64::MIN).len(), 10);
        let all: std::collections::HashSet<_> = (-70_000..70_000).map(of).collect();
        assert_eq!(all.len(), 140_000);
    }

    fn written(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(decimal(text, &mut out), "{text}");
        out
    }

    /// However a decimal is written, its value is what counts.
    #[test]
    fn decimals_go_by_their_value() {
        for same in [
            &["1", "1.0", "1.00", "0.1E+1", "10E-1", "1e0"][..],
            &["0", "-0", "0.00", "0E+7"],
            &["-1200", "-1.2E+3", "-12E2"],
            &["NaN", "-sNaN12"],
        ] {
            for text in same {
                assert_eq!(written(text), written(same[0]), "{text}");
            }
        }
        let apart = ["1", "-1", "10", "0.1", "11", "0", "NaN", "Infinity", "-Infinity", "1E+30"];
        let all: std::collections::HashSet<_> = apart.into_iter().map(written).collect();
        assert_eq!(all.len(), apart.len());
        for other in ["", "x", "1E", "1Ex", "--1"] {
            assert_eq!(decimal(other, &mut Vec::new()), other.is_empty(), "{other}");
        }
    }
}
