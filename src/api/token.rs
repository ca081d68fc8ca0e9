use std::fmt;
use std::io::Read as _;
use std::str::FromStr;

use super::Role;

/// What every token begins with, so that one that leaked is found by a scanner.
const PREFIX: &str = "segue_";
const SECRET_BYTES: usize = 32;
const NAME_BYTES_MAX: usize = 100;

/// What its owner shows with each request; only its hash is kept.
///
/// It is 256 bits of the system's randomness, so that a plain hash of it cannot be guessed.
pub struct Token(String);

impl Token {
    /// Draws a token.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn draw() -> std::io::Result<Self> {
        let mut secret = [0; SECRET_BYTES];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
        // Not a hash, but as many bytes as one has, which it knows how to write.
        let digits = blake3::Hash::from_bytes(secret).to_hex();
        Ok(Self(format!("{PREFIX}{digits}")))
    }

    /// The text that its owner is given, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The line of the file of tokens that lets its owner in.
    ///
    /// # Errors
    /// When the name cannot stand in a line.
    pub fn line(&self, name: &str, role: Role) -> Result<String, String> {
        Ok(Line::new(name, role, hash(&self.0))?.to_string())
    }
}

/// A line of the file of tokens: a name, a role and the token's hash.
///
/// ```text
/// ana operator 4f2c…  (64 hexadecimal digits)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Whose token it is; their acts carry this name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    hash: blake3::Hash,
}

impl Line {
    fn new(name: &str, role: Role, hash: blake3::Hash) -> Result<Self, String> {
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '#';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(is_odd) {
            return Err(format!(
                "`{name}` is no name; write 1 to {NAME_BYTES_MAX} bytes without spaces and `#`"
            ));
        }
        Ok(Self { name: name.to_owned(), role, hash })
    }

    /// Whether it is of that token; the comparison takes as long wherever they differ.
    pub fn is_of(&self, token: &str) -> bool {
        self.hash == hash(token)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.role, self.hash.to_hex())
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, role, digits] = words[..] else {
            return Err(
                "a line is a name, a role and a hash, as `segue token new` prints it".to_owned()
            );
        };
        // The digits may be a token by mistake: they are not shown.
        let hash = blake3::Hash::from_hex(digits)
            .map_err(|_| format!("the hash of {name} is not 64 hexadecimal digits"))?;
        Self::new(name, role.parse()?, hash)
    }
}

fn hash(token: &str) -> blake3::Hash {
    blake3::hash(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_lets_its_token_in_and_does_not_tell_it() {
        let token = Token::draw().expect("randomness");
        let text = token.line("ana", Role::Operator).expect("a line");
        assert!(!text.contains(token.reveal()), "{text}");
        let line: Line = text.parse().expect("it reads back");
        assert_eq!((line.to_string(), line.role), (text, Role::Operator));
        assert!(line.is_of(token.reveal()));
        let other = Token::draw().expect("randomness");
        assert!(!line.is_of(other.reveal()), "two tokens are never the same");
        assert!(!line.is_of(""));
    }

    #[test]
    fn a_line_that_is_none_says_what_is_wrong_but_not_the_secret() {
        let token = Token::draw().expect("randomness");
        for text in ["", "ana", "ana operator", "ana operator 00 more"] {
            assert!(
                text.parse::<Line>().expect_err(text).starts_with("a line is a name"),
                "{text}"
            );
        }
        let mistaken = format!("ana operator {}", token.reveal());
        let words = mistaken.parse::<Line>().expect_err("a token, not its hash");
        assert_eq!(words, "the hash of ana is not 64 hexadecimal digits");
        let hash = "0".repeat(64);
        let words = format!("ana boss {hash}").parse::<Line>().expect_err("no role");
        assert_eq!(words, "`boss` is no role; write viewer, operator or admin");
        assert!(token.line("a b", Role::Admin).is_err());
        assert!(token.line("", Role::Admin).is_err());
    }
}
