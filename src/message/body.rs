use std::fmt;

use serde_json::Value;

use super::read_json;

const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
/// How many bytes of a binary body are shown.
const SHOWN_MAX: usize = 8;
/// The first bytes of what compressors write, and their names.
const COMPRESSED: [(&[u8], &str); 3] = [
    (&[0x1f, 0x8b], "gzip"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
];
/// Byte order marks of other encodings than UTF-8; the longer ones come first.
const MARKED: [(&[u8], &str); 4] = [
    (&[0xff, 0xfe, 0, 0], "UTF-32, little-endian"),
    (&[0, 0, 0xfe, 0xff], "UTF-32, big-endian"),
    (&[0xff, 0xfe], "UTF-16, little-endian"),
    (&[0xfe, 0xff], "UTF-16, big-endian"),
];
/// Numbers that some languages write and JSON does not have.
const NO_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Reads the body of a message: JSON in UTF-8, with a byte order mark before it or not.
///
/// # Errors
/// When it is something else; the error names what, as far as its bytes tell.
pub fn read_body(bytes: &[u8]) -> Result<Value, NotJson> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    read_json(text).map_err(|error| NotJson::of(text, &error))
}

/// What a body is that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// There is nothing in it.
    #[error("no body: {0} bytes, and no JSON in them; the least that an event can say is {{}}")]
    Empty(usize),
    /// Text in another encoding.
    #[error("its body is {0}, not JSON in UTF-8; let the producer send UTF-8")]
    Encoding(&'static str),
    /// The body of a serializer that works with a schema registry.
    #[error(
        "its body is not plain JSON: it begins with a schema registry's framing (the byte 0 and \
         schema id {0}); let the producer send plain JSON, by a `value.serializer` that writes no \
         schema id"
    )]
    Framed(u32),
    /// A compressed body, inside a record that Kafka would compress.
    #[error(
        "its body is not JSON: it is compressed by {0}; let the producer send plain JSON, and \
         Kafka compress it (`compression.type`)"
    )]
    Compressed(&'static str),
    /// An Avro file.
    #[error("its body is not JSON: it is an Avro object container; let the producer send JSON")]
    Avro,
    /// Bytes that are no text.
    #[error("its body is not JSON: it is binary and begins with {0}; let the producer send JSON")]
    Binary(Shown),
    /// Text, but with a byte that UTF-8 does not have there.
    #[error(
        "its body is not JSON in UTF-8: the byte {byte:#04x} at place {place} is none of UTF-8's \
         (Latin-1?); let the producer send UTF-8"
    )]
    NotUtf8 {
        /// The byte.
        byte: u8,
        /// Its place, counted from 0.
        place: usize,
    },
    /// A number that JSON does not have.
    #[error("its body is not JSON: JSON has no {word} (line {line} column {column}); send null")]
    NoNumber {
        /// The word for it.
        word: &'static str,
        /// The line, from 1.
        line: usize,
        /// The byte in that line, from 1.
        column: usize,
    },
    /// Text that is no JSON, in the words of the parser.
    #[error("its body is not JSON: {0}")]
    Malformed(String),
}

/// The first bytes of something, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    first: Vec<u8>,
    all: usize,
}

impl Shown {
    /// At most so many bytes of them.
    #[must_use]
    pub fn of(bytes: &[u8], max: usize) -> Self {
        Self { first: bytes[..bytes.len().min(max)].to_vec(), all: bytes.len() }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.first.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.first.len() < self.all {
            f.write_str("…")?;
        }
        Ok(())
    }
}

impl NotJson {
    /// Names what is not JSON; `error` is what the parser said.
    fn of(bytes: &[u8], error: &serde_json::Error) -> Self {
        if bytes.trim_ascii().is_empty() {
            return Self::Empty(bytes.len());
        }
        let named = |table: &[(&[u8], &'static str)]| {
            table.iter().find(|(first, _)| bytes.starts_with(first)).map(|(_, name)| *name)
        };
        if let Some(encoding) = named(&MARKED).or_else(|| unmarked(bytes)) {
            return Self::Encoding(encoding);
        }
        if let Some(compressor) = named(&COMPRESSED) {
            return Self::Compressed(compressor);
        }
        if bytes.starts_with(b"Obj\x01") {
            return Self::Avro;
        }
        if let [0, a, b, c, d, ..] = *bytes {
            return Self::Framed(u32::from_be_bytes([a, b, c, d]));
        }
        let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
        let wrong = std::str::from_utf8(bytes).err().map(|error| error.valid_up_to());
        if bytes.trim_ascii_start().first().is_some_and(is_control) || wrong == Some(0) {
            return Self::Binary(Shown::of(bytes, SHOWN_MAX));
        }
        match wrong {
            Some(place) => Self::NotUtf8 { byte: bytes[place], place },
            None => no_number(bytes, error).unwrap_or(Self::Malformed(error.to_string())),
        }
    }
}

/// The encoding of JSON whose characters have two bytes, without a mark: it begins with a character
/// of ASCII, so that one byte of the two is 0.
fn unmarked(bytes: &[u8]) -> Option<&'static str> {
    let begins = |byte: u8| matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f');
    match *bytes {
        [first, 0] | [first, 0, _, 0, ..] if begins(first) => Some("UTF-16, little-endian"),
        [0, first] | [0, first, 0, _, ..] if begins(first) => Some("UTF-16, big-endian"),
        _ => None,
    }
}

/// The number that JSON does not have, if the parser stopped at one.
fn no_number(bytes: &[u8], error: &serde_json::Error) -> Option<NotJson> {
    let (line, column) = (error.line(), error.column());
    let text = bytes.split(|byte| *byte == b'\n').nth(line.checked_sub(1)?)?;
    // It stops at the first byte that does not fit, which stands behind the sign if there is one.
    let at = column.checked_sub(1)?;
    for start in [at.saturating_sub(1), at] {
        let rest = text.get(start..).unwrap_or_default();
        if let Some(word) = NO_NUMBERS.iter().find(|word| rest.starts_with(word.as_bytes())) {
            return Some(NotJson::NoNumber { word, line, column: start + 1 });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], words: &str) {
        let told = read_body(body).map_err(|error| error.to_string());
        let told = told.expect_err("it is no JSON");
        assert!(told.contains(words), "{body:?}: `{told}` does not say `{words}`");
    }

    fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_before_json_is_passed_over() {
        let order = "\u{feff}{\"order\":1e5}";
        assert_eq!(
            read_body(order.as_bytes()).map(|v| v.to_string()),
            Ok("{\"order\":1e5}".into())
        );
        check("\u{feff}".as_bytes(), "no body: 0 bytes");
        check("\u{feff}order 7".as_bytes(), "expected value at line 1 column 1");
        check("\u{feff}\u{feff}{}".as_bytes(), "expected value");
    }

    #[test]
    fn another_encoding_is_named() {
        let order = r#"{"order":"x"}"#;
        check(&wide(order, u16::to_le_bytes), "UTF-16, little-endian");
        check(&wide(order, u16::to_be_bytes), "UTF-16, big-endian");
        check(&wide("\u{feff}{\"größe\":1}", u16::to_le_bytes), "UTF-16, little-endian");
        check(&wide("\u{feff}", u16::to_be_bytes), "UTF-16, big-endian");
        check(&wide("7", u16::to_le_bytes), "UTF-16, little-endian");
        check(&wide("[]", u16::to_be_bytes), "UTF-16, big-endian");
        let longer: Vec<u8> = order.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        check(&[&[0xff, 0xfe, 0, 0], &longer[..]].concat(), "UTF-32, little-endian");
        check(b"{\"caf\xe9\":1}", "the byte 0xe9 at place 5 is none of UTF-8's (Latin-1?)");
    }

    #[test]
    fn what_serializers_and_compressors_write_is_named() {
        check(b"\0\0\0\0\x2a\x0cgood", "a schema registry's framing (the byte 0 and schema id 42)");
        check(b"\0\0\x01\0\0{\"order\":1}", "schema id 65536");
        check(b"\0\0\0\0\x07", "schema id 7");
        check(b"\x1f\x8b\x08\0\0\0\0\0", "compressed by gzip");
        check(b"\x28\xb5\x2f\xfd\x04", "compressed by zstd");
        check(b"\x04\x22\x4d\x18\x64", "compressed by lz4");
        check(b"Obj\x01\x04\x14avro.codec", "Avro object container");
    }

    #[test]
    fn other_bytes_are_shown() {
        check(b"\xac\xed\0\x05t\0\x01a", "it is binary and begins with 0xaced000574000161;");
        check(b"\x03\0abcdefgh", "begins with 0x0300616263646566…;");
        check(b"\n\x05order\x10\x01", "it is binary");
        check(b"\0", "begins with 0x00;");
    }

    #[test]
    fn nothing_is_no_body() {
        check(b"", "no body: 0 bytes");
        check(b" \n", "no body: 2 bytes");
    }

    #[test]
    fn json_has_no_nan() {
        check(b"{\"order\": NaN}", "JSON has no NaN (line 1 column 11); send null");
        check(b"NaN", "JSON has no NaN (line 1 column 1)");
        check(b"[1,\n Infinity]", "JSON has no Infinity (line 2 column 2)");
        check(b"{\"a\":-Infinity}", "JSON has no -Infinity (line 1 column 6)");
        // What stands in a text is no number, and what is wrong is something else.
        check(b"{\"a\":\"NaN\",}", "trailing comma");
    }

    #[test]
    fn of_text_the_parser_says_what_is_wrong() {
        check(b"order 7, please", "its body is not JSON: expected value at line 1 column 1");
        check(b"{\"a\":\"\x01\"}", "control character");
        check(b"{", "EOF while parsing an object");
        check(&b"[".repeat(1_000), "recursion limit exceeded");
    }
}
