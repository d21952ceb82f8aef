//! Tags: labels to find keys by.

use std::slice;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::scope::{distinct, parse_each};
use crate::text::one_line;
use crate::{FieldError, Invalid};

/// A label, in lower case: 1 to 64 characters on one line. Upper case is folded when it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag(CompactString);

impl Tag {
    const MOST: usize = 64;

    /// Reads a tag, in whichever case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, Self::MOST)?;
        let folded = CompactString::new(text).to_lowercase();
        // Some characters become two in lower case, and the tag must be readable again.
        one_line(&folded, Self::MOST)?;
        Ok(Self(folded))
    }

    /// The tag in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Tag {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

/// Up to 64 different tags, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tag>")]
pub struct TagSet(Box<[Tag]>);

impl TagSet {
    const MOST: usize = 64;

    /// The set of these tags; a tag that is given twice counts once.
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, Invalid> {
        Ok(Self(distinct(tags, Self::MOST, "tags")?))
    }

    /// Reads tags from a field of a request.
    pub fn parse(tags: &[String], field: &str) -> Result<Self, FieldError> {
        let tags = parse_each(tags, field, Tag::parse)?;
        Self::new(tags).map_err(|invalid| invalid.at(field.to_owned()))
    }

    /// Whether the tag is in the set.
    pub fn contains(&self, tag: &Tag) -> bool {
        self.0.contains(tag)
    }

    /// The tags, in order.
    pub fn iter(&self) -> slice::Iter<'_, Tag> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a TagSet {
    type Item = &'a Tag;
    type IntoIter = slice::Iter<'a, Tag>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<Tag>> for TagSet {
    type Error = Invalid;

    fn try_from(tags: Vec<Tag>) -> Result<Self, Invalid> {
        Self::new(tags)
    }
}

/// Which tags keys are wanted to have; nothing: whichever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFilter {
    /// The tags.
    pub tags: TagSet,
    /// Whether any one of them is enough or all are needed.
    pub matching: MatchTags,
}

/// How many of the wanted tags are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchTags {
    /// Every one.
    All,
    /// At least one.
    #[default]
    Any,
}

impl TagFilter {
    /// Only keys with this tag.
    pub fn one(tag: Tag) -> Self {
        Self { tags: TagSet(Box::new([tag])), matching: MatchTags::Any }
    }

    /// Whether a key with these tags is wanted.
    pub fn includes(&self, tags: &TagSet) -> bool {
        let mut wanted = self.tags.iter();
        match self.matching {
            MatchTags::All => wanted.all(|tag| tags.contains(tag)),
            MatchTags::Any => self.is_empty() || wanted.any(|tag| tags.contains(tag)),
        }
    }

    /// Whether all keys are wanted.
    pub fn is_empty(&self) -> bool {
        self.tags.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_folded_to_lower_case_and_counted_once() {
        let tags = TagSet::parse(&["Prod".to_owned(), "PROD".to_owned()], "tags").unwrap();
        assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["prod"]);
    }
}
