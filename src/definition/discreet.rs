use super::Definition;
use super::secrets::{Secrets, Spot};
use crate::expression::{Name, Reference};

impl Definition {
    /// The same definition, in which what reads something sensitive tells no values when it cannot
    /// be computed: such words go into the history, the log and the facts of an end.
    pub(super) fn discreet(self) -> Self {
        if self.sensitive.is_empty() {
            return self;
        }
        let secrets = Secrets::of(&self);
        self.mapped(&|expression, _| {
            let reads = expression.references();
            let may_tell = reads.iter().all(|reference| self.may_tell(&secrets, reference));
            if may_tell { expression.clone() } else { expression.discreet() }
        })
    }

    /// Whether everybody may read what a path leads to.
    fn may_tell(&self, secrets: &Secrets, path: &Reference) -> bool {
        match path.name {
            Name::Key | Name::Now | Name::Failure | Name::Index | Name::Fence => true,
            Name::Data => {
                let read = Reference { tested: false, ..path.clone() };
                secrets.behind(self, &read, Spot::default()).is_none()
            }
            // Something sensitive may have come with it, or be on its way into the data.
            Name::Event | Name::Item | Name::Branch | Name::Answer | Name::Child => false,
        }
    }
}
