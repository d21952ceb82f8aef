//! What must stand at a place of an answer.
//!
//! A place is a path of members and numbers, such as `data.0.id`; `data[].id` is that of each item, and
//! `.` the whole answer. What stands there is compared with a value, or, as an object says that has
//! one member: `{"$like": "^kw_"}` is a regular expression, `{"$has": x}` an item or a part of a text,
//! `{"$lacks": x}` the opposite, `{"$not": x}` another value, `{"$absent": true}` that there is nothing.

use serde_json::{Value, json};

use crate::postman::Unfit;

/// A rule for a place.
pub(super) struct Expectation<'a> {
    place: &'a str,
    rule: Rule<'a>,
}

enum Rule<'a> {
    Absent,
    Has(&'a Value),
    Is(&'a Value),
    Lacks(&'a Value),
    Like(&'a str),
    Not(&'a Value),
}

impl<'a> Expectation<'a> {
    pub(super) fn read(place: &'a str, value: &'a Value) -> Result<Self, Unfit> {
        let single = value.as_object().filter(|members| members.len() == 1);
        let word = single.and_then(|members| members.iter().next());
        let rule = match word.map(|(word, value)| (word.as_str(), value)) {
            Some(("$absent", Value::Bool(true))) => Rule::Absent,
            Some(("$has", value)) => Rule::Has(value),
            Some(("$lacks", value)) => Rule::Lacks(value),
            Some(("$like", Value::String(pattern))) => Rule::Like(pattern),
            Some(("$not", value)) => Rule::Not(value),
            Some((word, _)) if word.starts_with('$') => {
                return Err(Unfit(format!("{place}: {word} is no rule, or not with this value")));
            }
            _ => Rule::Is(value),
        };
        Ok(Self { place, rule })
    }

    /// The test, as a statement.
    pub(super) fn script(&self) -> String {
        let (words, chain) = match self.rule {
            Rule::Absent => ("is absent".to_owned(), "to.eql(undefined)".to_owned()),
            Rule::Has(value) => (format!("has {value}"), format!("to.include({})", filled(value))),
            Rule::Is(value) => (format!("is {value}"), format!("to.eql({})", filled(value))),
            Rule::Lacks(value) => {
                (format!("lacks {value}"), format!("to.not.include({})", filled(value)))
            }
            Rule::Like(pattern) => {
                (format!("is like {pattern}"), format!("to.match(new RegExp({}))", json!(pattern)))
            }
            Rule::Not(value) => {
                (format!("is not {value}"), format!("to.not.eql({})", filled(value)))
            }
        };
        let what = if self.place == "." { "the answer" } else { self.place };
        let (words, place) = (json!(format!("{what} {words}")), place("answer", self.place));
        format!("pm.test({words}, () => pm.expect({place}).{chain});")
    }
}

/// A place below a value, as an expression.
pub(super) fn place(value: &str, path: &str) -> String {
    if path == "." {
        return value.to_owned();
    }
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let (name, is_each) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let here = if is_number { format!("{value}[{name}]") } else { format!("{value}.{name}") };
    match rest {
        Some(rest) if is_each => format!("{here}.map((item) => {})", place("item", rest)),
        Some(rest) => place(&here, rest),
        None => here,
    }
}

/// A value as an expression, with the variables in it.
fn filled(value: &Value) -> String {
    let text = value.to_string();
    if text.contains("{{") {
        format!("JSON.parse(pm.variables.replaceIn({}))", json!(text))
    } else {
        text
    }
}
