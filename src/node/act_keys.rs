use ring::hmac::{self, HMAC_SHA256};

use super::{Error, FreshFile};
use crate::config::Config;
use crate::message::{Outgoing, Span, Timestamp};
use crate::runtime::SourceRecord;

/// The header that says when an act was signed (RFC 3339).
const SIGNED: &str = "segue-signed";
/// The header with the signature.
const SIGNATURE: &str = "segue-signature";
/// What is in front of a signature: which it is.
const KIND: &str = "hmac-sha256=";
/// What every signed text begins with, so that no signature of something else is one of an act.
const BEGINNING: &str = "segue-act-v1";
/// The shortest key, in bytes.
const KEY_BYTES_MIN: usize = 32;
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 128;
/// The most keys: the one that signs, and those that others may still sign with.
const KEYS_MAX: usize = 16;
/// How old an act may be when it is read: one that was refused then must not be obeyed for ever.
const AGE_MAX: Span = Span::hours(24);
/// How far the clock of whoever signs may be ahead.
const AHEAD_MAX: Span = Span(5 * 60_000);

/// The keys that acts are signed with, as their file says: the first one signs, each of them
/// counts. So a key is changed without a gap: the new one is put behind the old one everywhere,
/// then in front, then the old one is taken out.
///
/// What is signed is all that decides, byte for byte: the topic, when, and the act itself.
///
/// ```text
/// printf 'segue-act-v1\n%s\n%s\n%s' shop.operator 2026-11-01T00:00:00Z '{"verb":…}' \
///   | openssl dgst -sha256 -mac HMAC -macopt hexkey:4f2c…
/// ```
#[derive(Debug)]
pub struct ActKeys(FreshFile<Vec<hmac::Key>>);

impl ActKeys {
    /// The keys of `operator.key-file`; none if acts need no signature.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is no key.
    pub fn of(config: &Config) -> Result<Option<Self>, Error> {
        let file = config.operator_key_file.as_deref();
        let opened = file.map(|file| FreshFile::open(file, parse)).transpose();
        Ok(opened.map_err(Error::ActKeys)?.map(Self))
    }

    /// The act with its signature of that time.
    ///
    /// # Errors
    /// When the file cannot be read, in words.
    pub fn sign(&self, mut act: Outgoing, at: Timestamp) -> Result<Outgoing, String> {
        let at = at.to_string();
        let text = text(act.topic.as_str(), &at, &act.body);
        let sign = |keys: &Vec<hmac::Key>| keys.first().map(|key| hmac::sign(key, &text));
        let signature = self.0.look(sign)?.ok_or("there is no key")?;
        act.headers.push(SIGNED, at);
        act.headers.push(SIGNATURE, format!("{KIND}{}", hex(signature.as_ref())));
        Ok(act)
    }

    /// When a record of `<app>.operator` was signed with one of the keys, as seen at `now`.
    ///
    /// # Errors
    /// When it was not, or too long ago, in words.
    pub fn verify(&self, record: &SourceRecord, now: Timestamp) -> Result<Timestamp, String> {
        let header = |name: &str| {
            let missing = || format!("the act is not signed: it has no header `{name}`");
            record.headers.said(name).ok_or_else(missing)
        };
        let (at, signature) = (header(SIGNED)?, header(SIGNATURE)?);
        let signature = signature.strip_prefix(KIND).and_then(unhex);
        let signature = signature.ok_or_else(|| {
            format!("`{SIGNATURE}` is no signature; it is `{KIND}` and 64 hexadecimal digits")
        })?;
        let body = record.body.as_deref().unwrap_or_default();
        let text = text(record.origin.topic.as_str(), at, body);
        let is_of = |key: &hmac::Key| hmac::verify(key, &text, &signature).is_ok();
        if !self.0.look(|keys| keys.iter().any(is_of))? {
            return Err(
                "the act's signature is of none of the keys in `operator.key-file`, or of \
                        another act"
                    .to_owned(),
            );
        }
        let signed =
            Timestamp::parse(at).ok_or_else(|| format!("`{SIGNED}: {at}` is no moment"))?;
        if now.since(signed) > AGE_MAX {
            return Err(format!("the act was signed at {at}, more than {AGE_MAX} ago; act again"));
        }
        if signed.since(now) > AHEAD_MAX {
            return Err(format!("the act was signed at {at}, a time to come: mend that clock"));
        }
        Ok(signed)
    }
}

fn text(topic: &str, at: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{BEGINNING}\n{topic}\n{at}\n").into_bytes();
    text.extend_from_slice(body);
    text
}

/// Reads the keys; no word of what is wrong shows any of them.
fn parse(text: &str) -> Result<Vec<hmac::Key>, String> {
    let mut keys = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let key = unhex(line).filter(|key| (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len()));
        let key = key.ok_or_else(|| {
            let (least, most) = (2 * KEY_BYTES_MIN, 2 * KEY_BYTES_MAX);
            format!(
                "{number}: a key is {least} to {most} hexadecimal digits (`openssl rand -hex 32`)"
            )
        })?;
        keys.push(hmac::Key::new(HMAC_SHA256, &key));
    }
    match keys.len() {
        0 => Err(" there is no key in it (`openssl rand -hex 32` makes one)".to_owned()),
        1..=KEYS_MAX => Ok(keys),
        many => Err(format!(" {many} keys are too many, {KEYS_MAX} at most")),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|c| c.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::message::{Headers, Offset, Origin, Topic};

    const ACT: &str = r#"{"verb":"skip","saga":"a","key":"k","by":"ana","why":"w","id":"7"}"#;
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    struct File {
        _folder: tempfile::TempDir,
        path: PathBuf,
    }

    impl File {
        fn new(keys: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("keys");
            fs::write(&path, keys).expect("written");
            Self { _folder: folder, path }
        }

        fn keys(&self) -> Result<ActKeys, Error> {
            let config = Config { operator_key_file: Some(self.path.clone()), ..Config::default() };
            ActKeys::of(&config).map(|keys| keys.expect("there is a file"))
        }
    }

    fn key(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn act(body: &str) -> Outgoing {
        let topic = Topic::new("shop.operator").expect("a topic");
        let (key, body) = ("a/k".to_owned(), body.to_owned().into());
        Outgoing { topic, key, headers: Headers::default(), body }
    }

    /// What was written, as it is read.
    fn read(written: &Outgoing) -> SourceRecord {
        SourceRecord {
            origin: Origin { topic: written.topic.clone(), partition: 0, offset: Offset(7) },
            incarnation: None,
            key: Some(written.key.clone().into()),
            headers: written.headers.clone(),
            body: Some(written.body.clone()),
            timestamp: Timestamp(0),
        }
    }

    #[test]
    fn what_is_signed_counts_as_long_as_nothing_of_it_is_changed() {
        let file = File::new(&key('a'));
        let keys = file.keys().expect("a key");
        let signed = keys.sign(act(ACT), NOW).expect("it is signed");
        assert_eq!(keys.verify(&read(&signed), NOW), Ok(NOW));
        let unsigned = keys.verify(&read(&act(ACT)), NOW).expect_err("it is not signed");
        assert_eq!(unsigned, "the act is not signed: it has no header `segue-signed`");
        // Every byte of the act decides: none may be another.
        for at in 0..ACT.len() {
            let mut body = ACT.as_bytes().to_vec();
            body[at] ^= 1;
            let changed = Outgoing { body: body.into(), ..signed.clone() };
            let refused = keys.verify(&read(&changed), NOW).expect_err("it was changed");
            assert!(refused.contains("of none of the keys"), "{at}: {refused}");
        }
        let topic = Topic::new("other.operator").expect("a topic");
        let elsewhere = Outgoing { topic, ..signed.clone() };
        assert!(keys.verify(&read(&elsewhere), NOW).is_err(), "another application's");
        let mut later = signed.clone();
        later.headers.push(SIGNED, Timestamp(NOW.0 + 1).to_string());
        assert!(keys.verify(&read(&later), NOW).is_err(), "the time is signed too");
        for odd in ["hmac-sha256=", "hmac-sha256=0g", "hmac-sha256=0", "none", "sha1=00", " "] {
            let mut odd_one = signed.clone();
            odd_one.headers.0.retain(|(name, _)| name != SIGNATURE);
            odd_one.headers.push(SIGNATURE, odd);
            assert!(keys.verify(&read(&odd_one), NOW).is_err(), "{odd}");
        }
    }

    #[test]
    fn part_of_an_act_cannot_be_taken_for_its_time() {
        let keys = File::new(&key('a'));
        let keys = keys.keys().expect("a key");
        let mut moved = keys.sign(act("{}\n{}"), NOW).expect("it is signed");
        moved.headers.push(SIGNED, format!("{NOW}\n{{}}"));
        moved.body = "{}".into();
        assert!(keys.verify(&read(&moved), NOW).expect_err("moved").ends_with("is no moment"));
    }

    #[test]
    fn an_act_is_known_by_the_signature_that_any_tool_makes() {
        // openssl dgst -sha256 -mac HMAC -macopt hexkey:aaaa…, of the text above.
        let keys = File::new(&key('a'));
        let signed = keys.keys().expect("a key").sign(act("{}"), NOW).expect("it is signed");
        assert_eq!(signed.headers.text(SIGNED), Some("2027-01-15T08:00:00.000Z"));
        let signature = signed.headers.text(SIGNATURE).expect("a signature");
        assert_eq!(
            signature,
            "hmac-sha256=f122c70d1d3b961dbfa7741075c031834c3f60f74949c701949425fffd505fe3"
        );
    }

    #[test]
    fn a_key_is_changed_without_a_gap() {
        let file = File::new(&key('a'));
        let keys = file.keys().expect("a key");
        let old = read(&keys.sign(act(ACT), NOW).expect("it is signed"));
        let write = |text: String| fs::write(&file.path, text).expect("written");
        write(format!("{} # the new one\n\n{}\n", key('b'), key('a')));
        let new = read(&keys.sign(act(ACT), NOW).expect("it is signed"));
        assert_ne!(old.headers, new.headers, "the first one signs");
        assert_eq!((keys.verify(&old, NOW), keys.verify(&new, NOW)), (Ok(NOW), Ok(NOW)));
        write(key('b'));
        assert!(keys.verify(&old, NOW).is_err(), "it is taken out");
        assert_eq!(keys.verify(&new, NOW), Ok(NOW));
        write(format!("{}\nlost\n", key('b')));
        assert!(keys.verify(&new, NOW).expect_err("damaged").contains("keys:2: a key is 64 to"));
        assert!(keys.sign(act(ACT), NOW).is_err());
    }

    #[test]
    fn an_act_has_its_time() {
        let keys = File::new(&key('a'));
        let keys = keys.keys().expect("a key");
        let signed = read(&keys.sign(act(ACT), NOW).expect("it is signed"));
        let seen = |later: i64| keys.verify(&signed, Timestamp(NOW.0 + later));
        let day = 24 * 3_600_000;
        assert_eq!(seen(day), Ok(NOW));
        assert!(seen(day + 1).expect_err("it is old").ends_with("ago; act again"));
        assert_eq!(seen(-5 * 60_000), Ok(NOW));
        assert!(seen(-5 * 60_000 - 1).expect_err("too early").ends_with("mend that clock"));
    }

    #[test]
    fn a_file_without_a_key_is_none() {
        let wrong = |text: &str| File::new(text).keys().expect_err("no key").to_string();
        assert!(wrong("# nothing\n").contains("there is no key in it"));
        let short = wrong(&"ab".repeat(31));
        assert!(short.contains("keys:1: a key is 64 to 256 hexadecimal digits"), "{short}");
        assert!(!wrong(&"xy".repeat(32)).contains("xyxy"), "a key is not shown");
        let many = format!("{}\n", key('a')).repeat(17);
        assert!(wrong(&many).contains("17 keys are too many"));
    }
}
