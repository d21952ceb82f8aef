//! What a search looks for, and where.

use keyward_core::{Description, Invalid, KeyRecord, Name, ServiceAccount};

/// A text to search for, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    text: String,
    within: SearchIn,
}

/// Where a search looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchIn {
    /// In name, description, owner, id and hint.
    #[default]
    Everything,
    /// In name and description.
    Notes,
}

impl Search {
    /// Reads a text of 1 to 200 characters, in whichever case, to search for everywhere.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
            return Err(Invalid::new("must be 1 to 200 characters without control characters"));
        }
        Ok(Self { text: text.to_lowercase(), within: SearchIn::Everything })
    }

    /// The same in these places.
    #[must_use]
    pub fn within(self, within: SearchIn) -> Self {
        Self { within, ..self }
    }

    /// The text in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it looks.
    pub const fn place(&self) -> SearchIn {
        self.within
    }

    pub(super) fn finds_key(&self, key: &KeyRecord) -> bool {
        let looked_at = match self.within {
            SearchIn::Everything => search_text(key),
            SearchIn::Notes => {
                let name = key.name.as_ref().map(Name::as_str);
                notes_search_text(name, key.description.as_ref().map(Description::as_str))
            }
        };
        looked_at.contains(&self.text)
    }

    pub(super) fn finds_account(&self, account: &ServiceAccount) -> bool {
        account_search_text(account).contains(&self.text)
    }
}

/// What searches look at in a key: backends store it, so that all of them find the same.
pub fn search_text(key: &KeyRecord) -> String {
    let name = key.name.as_ref().map_or("", Name::as_str);
    let description = key.description.as_ref().map_or("", Description::as_str);
    joined(&[name, description, key.owner.as_str(), key.id.as_str(), &key.hint])
}

/// What searches in notes look at.
pub fn notes_search_text(name: Option<&str>, description: Option<&str>) -> String {
    joined(&[name.unwrap_or_default(), description.unwrap_or_default()])
}

/// What searches look at in a service account: description, owner and id.
pub fn account_search_text(account: &ServiceAccount) -> String {
    let description = account.description.as_ref().map_or("", Description::as_str);
    joined(&[description, account.owner.as_str(), &account.id.to_string()])
}

/// Line feeds cannot be searched for, so no text is found across two fields.
fn joined(fields: &[&str]) -> String {
    fields.join("\n").to_lowercase()
}
