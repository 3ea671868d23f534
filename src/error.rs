//! What is wrong with settings, said all at once.

use std::fmt;

/// One setting that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name as the user writes it.
    pub field: String,
    /// The value given, as text.
    pub value: String,
    /// The rule it breaks, as a clause that follows the value: `must be at least 1`.
    pub rule: String,
    /// For an unknown name: the known one that looks most like it.
    pub nearest: Option<String>,
}

impl Problem {
    /// A value that breaks a rule.
    pub fn new(
        field: impl Into<String>,
        value: impl fmt::Display,
        rule: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), value: value.to_string(), rule: rule.into(), nearest: None }
    }

    /// A name that no setting has.
    #[must_use]
    pub fn unknown(field: &str, value: impl fmt::Display, known: &[&str]) -> Self {
        let nearest = known
            .iter()
            .map(|name| (strsim::jaro_winkler(field, name), *name))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.7)
            .map(|(_, name)| name.to_owned());
        Self { nearest, ..Self::new(field, value, "is not a setting") }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} {}", self.field, self.value, self.rule)?;
        match &self.nearest {
            Some(name) => write!(f, " (did you mean {name}?)"),
            None => Ok(()),
        }
    }
}

/// Settings that were refused, with every problem they have.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Invalid(pub Vec<Problem>);
