//! What was found at a server that its user should know.

use crate::process::locks::Lock;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Each said once, however often it is found.
#[derive(Debug, Default)]
pub struct Notices {
    has_new: AtomicBool,
    said: Lock<(BTreeSet<String>, Vec<String>)>,
}

impl Notices {
    /// To be said, if it was not before.
    pub fn add(&self, notice: String) {
        let mut said = self.said.lock();
        if said.0.insert(notice.clone()) {
            said.1.push(notice);
            self.has_new.store(true, SeqCst);
        }
    }

    /// What was found since this was asked last. Where there is nothing, a look at one word.
    pub fn take(&self) -> Vec<String> {
        if !self.has_new.swap(false, SeqCst) {
            return Vec::new();
        }
        std::mem::take(&mut self.said.lock().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found at each new connection is said once.
    #[test]
    fn each_is_said_once() {
        let notices = Notices::default();
        assert!(notices.take().is_empty());
        notices.add("one".to_owned());
        notices.add("one".to_owned());
        notices.add("two".to_owned());
        assert_eq!(notices.take(), ["one", "two"]);
        notices.add("one".to_owned());
        assert!(notices.take().is_empty());
    }
}
