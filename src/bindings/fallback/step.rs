//! A fallback in a plan: how calls pass it.
#![allow(unsafe_code, reason = "drivers run attached, and hand over no token")]

use super::Current;
use super::counts::Counts;
use super::events::{Own, Told};
use super::key;
use super::memory::Memory;
use super::settings::{Providers, problems_with};
use super::ticket::Ticket;
use crate::bindings::call::Call;
use crate::bindings::failures::discard;
use crate::bindings::function::Kind;
use crate::bindings::keys::{KeyOf, Source};
use crate::bindings::rules::Rules;
use crate::bindings::step::Ended;
use crate::error::Problem;
use crate::policies::fallback::{Settings, Stage};
use crate::time::Clock;
use parking_lot::Mutex;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ptr;
use std::sync::Arc;

/// A fallback in a plan. A call keeps to the settings that it came in by.
pub struct Step {
    pub(super) settings: Settings,
    pub(super) providers: Py<Providers>,
    pub(super) memory: Option<Py<Memory>>,
    /// What tells calls apart, if that is not all that they are called with.
    pub(super) source: Option<Source>,
    pub(super) counts: Arc<Counts>,
    current: Arc<Mutex<Current>>,
    timed: bool,
}

impl Step {
    pub(super) fn of(
        py: Python<'_>,
        current: &Arc<Mutex<Current>>,
        counts: &Arc<Counts>,
        source: Option<Source>,
    ) -> Self {
        let now = current.lock();
        Self {
            settings: now.settings,
            providers: now.providers.clone_ref(py),
            memory: now.memory.as_ref().map(|memory| memory.clone_ref(py)),
            source,
            counts: Arc::clone(counts),
            current: Arc::clone(current),
            timed: false,
        }
    }

    /// The source of keys for a plan that is built for the calls of `of`.
    pub(super) fn source(
        py: Python<'_>,
        current: &Mutex<Current>,
        of: KeyOf<'_, '_>,
    ) -> PyResult<Option<Source>> {
        let providers = current.lock().providers.bind(py).clone();
        let rules = providers.get().rules.bind(py).clone();
        rules.get().key.as_ref().map(|key| Source::of(key.bind(py), of)).transpose()
    }

    /// The same fallback's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>) -> Self {
        let source = self.source.as_ref().map(|source| source.clone_ref(py));
        Self::of(py, &self.current, &self.counts, source)
    }

    pub(super) fn rules(&self) -> &Rules {
        self.providers.get().rules.get()
    }

    /// Does it remember answers? Not changed by a reconfiguration.
    pub fn remembers(&self) -> bool {
        self.memory.is_some()
    }

    /// Must it be asked what follows from a return?
    pub fn judges(&self) -> bool {
        self.remembers() || self.rules().on_result.is_some()
    }

    /// In its plan, somebody wants to know how long calls take, or nobody does.
    pub fn placed(&mut self, timed: bool) {
        self.timed = timed;
    }

    /// Why it can't answer for calls of `function`, which gives what `made` says.
    pub fn problems_with(&self, function: &Bound<'_, PyAny>, made: Kind) -> Vec<Problem> {
        problems_with(&self.providers.get().all, &self.settings, function, made)
    }

    /// Looks at a call before it enters.
    #[cold]
    pub fn find(&self, py: Python<'_>, call: &Call) -> PyResult<Ticket> {
        let found = match &self.source {
            None => key::of_arguments(py, call),
            Some(source) => {
                let said = source.key(py, call)?;
                if said.is_none() {
                    return Ok(Ticket::new(None));
                }
                let rule = self.rules().key.as_ref().map(|key| key.bind(py).clone());
                let rule = rule.unwrap_or_else(|| py.None().into_bound(py));
                key::of_rule(py, call, &rule, &said)
            }
        };
        match found {
            Ok(key) => Ok(Ticket::new(Some(key))),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                self.counts.unkeyed.bump();
                let why = error.value(py).to_string();
                discard(py, error);
                if self.counts.first_to_say() {
                    self.say(py, &why)?;
                }
                Ok(Ticket::new(None))
            }
            Err(error) => Err(error),
        }
    }

    /// Says, once, that there are calls of which nothing is remembered.
    #[cold]
    fn say(&self, py: Python<'_>, why: &str) -> PyResult<()> {
        let text = format!(
            "fallback {} remembers no answer of calls whose arguments can't be told apart ({why}): \
             say by key= what does",
            self.name(py).repr()?
        );
        let category = py.import("seawall.errors")?.getattr("NotRememberedWarning")?;
        py.import("seawall.blame")?.call_method1(intern!(py, "warn"), (text, category)).map(drop)
    }

    /// Lets a call in that nothing need be known of, if this is such a call.
    #[inline(always)]
    pub fn lets_pass(&self) -> bool {
        let passes = self.memory.is_none() && !self.timed;
        if passes {
            self.counts.begun.bump();
        }
        passes
    }

    /// A call that was let pass came to a good end that nobody judges.
    #[inline(always)]
    pub fn went_well(&self) {
        self.counts.success.bump();
    }

    /// Lets a call in, which it has looked at if it had to.
    pub fn enter<C: Clock>(&self, found: Option<Ticket>, clock: &C) -> Ticket {
        self.counts.begun.bump();
        let mut ticket = found.unwrap_or_else(|| Ticket::new(None));
        if self.timed {
            ticket.began = clock.now();
        }
        ticket
    }

    /// The call, or the provider that took its place, came to a good end that nobody judges.
    pub fn returned(&self, ticket: &Ticket) {
        if ticket.stage == Stage::Own {
            { *ticket }.let_go();
            self.counts.success.bump();
        } else {
            self.ended_instead(ticket);
        }
    }

    /// The call ended in another way, and nothing can take its place: it was dropped, or is a
    /// generator's that has given items.
    #[cold]
    pub fn ended(&self, ticket: &Ticket, ended: &Ended<'_, '_>) {
        match (ticket.stage, ended) {
            (Stage::Own, _) | (_, Ended::Dropped) => self.counts.passed.bump(),
            _ => return self.ended_instead(ticket),
        }
        { *ticket }.let_go();
    }

    #[cold]
    fn ended_instead(&self, ticket: &Ticket) {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        if let Stage::Asked(provider) = ticket.stage {
            self.used(py, ticket, provider);
        }
        { *ticket }.let_go();
    }

    pub(super) fn used(&self, py: Python<'_>, ticket: &Ticket, provider: u16) {
        self.counts.used.bump();
        if self.is_heard() {
            let own = Own::of(py, ticket.episode(py).as_ref());
            self.tell(py, &Told::Used(provider), &own);
        }
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        self.providers.drop_ref(py);
        if let Some(memory) = self.memory {
            memory.drop_ref(py);
        }
        if let Some(source) = self.source {
            source.release(py);
        }
        // The plan may have outlived the fallback.
        if let Some(current) = Arc::into_inner(self.current) {
            current.into_inner().release(py);
        }
    }

    /// The Python objects that it owns.
    pub fn objects(&self) -> [*mut ffi::PyObject; 4] {
        let [key, more] = self.source.as_ref().map_or([ptr::null_mut(); 2], Source::objects);
        let memory = self.memory.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
        [self.providers.as_ptr(), memory, key, more]
    }

    /// The fallback's name.
    pub fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }
}
