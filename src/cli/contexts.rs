use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

/// Servers that somebody asks, each under a name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contexts {
    /// Which one is asked when nobody names another.
    pub current: Option<String>,
    #[serde(default)]
    pub contexts: BTreeMap<String, Server>,
}

/// A server, and what is shown to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    #[serde(rename = "server")]
    pub address: String,
    /// The token; none where nobody needs one, or where `SEGUE_TOKEN` says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Authorities to trust instead of the machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl Contexts {
    /// The file: in `segue` under the folder of configurations.
    pub fn file() -> anyhow::Result<PathBuf> {
        let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = said("XDG_CONFIG_HOME").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(said("HOME")?).join(".config")));
        let folder = folder.context("neither XDG_CONFIG_HOME nor HOME says where contexts lie")?;
        Ok(folder.join("segue").join("contexts.json"))
    }

    /// Reads the file; without one there are none.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let name = file.display();
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{name} holds no contexts; mend it or remove it")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{name} cannot be read")),
        }
    }

    /// Writes the file, for its owner's eyes alone, whole or not at all.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let folder = file.parent().context("the file of contexts has no folder")?;
        fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        let beside = file.with_extension("new");
        let text = serde_json::to_string_pretty(self)?;
        let write = || {
            let mut options = OpenOptions::new();
            let mut new =
                options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            // It may have been left there by somebody else's umask.
            new.set_permissions(Permissions::from_mode(0o600))?;
            new.write_all(text.as_bytes())?;
            new.sync_all()?;
            fs::rename(&beside, file)
        };
        write().with_context(|| format!("{} cannot be written", file.display()))
    }

    /// The server of a name, or the current one's; none if there is neither.
    pub fn find(&self, name: Option<&str>) -> anyhow::Result<Option<&Server>> {
        let Some(name) = name.or(self.current.as_deref()) else { return Ok(None) };
        let found = self.contexts.get(name);
        if found.is_none() {
            let names: Vec<_> = self.contexts.keys().map(String::as_str).collect();
            bail!("there is no context `{name}`; there are: {}", names.join(", "));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(address: &str) -> Server {
        Server { address: address.to_owned(), token: Some("t".to_owned()), ca_file: None }
    }

    #[test]
    fn contexts_read_back_as_they_were_written_and_nobody_else_reads_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("segue").join("contexts.json");
        assert_eq!(Contexts::read(&file).expect("there are none"), Contexts::default());
        let mut all = Contexts { current: Some("b".to_owned()), ..Contexts::default() };
        all.contexts.insert("a".to_owned(), server("http://a"));
        all.contexts.insert("b".to_owned(), server("https://b"));
        all.write(&file).expect("written");
        assert_eq!(Contexts::read(&file).expect("they are there"), all);
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, "{").expect("written");
        let wrong = Contexts::read(&file).expect_err("damaged").to_string();
        assert!(wrong.ends_with("holds no contexts; mend it or remove it"), "{wrong}");
    }

    #[test]
    fn the_current_context_is_asked_unless_another_is_named() {
        let mut all = Contexts::default();
        assert!(all.find(None).expect("nobody is named").is_none());
        all.contexts.insert("a".to_owned(), server("http://a"));
        all.contexts.insert("b".to_owned(), server("http://b"));
        all.current = Some("b".to_owned());
        let address =
            |name| all.find(name).expect("it is there").map(|found| found.address.clone());
        assert_eq!(address(None).as_deref(), Some("http://b"));
        assert_eq!(address(Some("a")).as_deref(), Some("http://a"));
        let wrong = all.find(Some("c")).expect_err("there is none").to_string();
        assert_eq!(wrong, "there is no context `c`; there are: a, b");
    }
}
