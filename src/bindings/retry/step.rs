//! A retry in a plan: how a call comes in, and how it is over.
#![allow(unsafe_code, reason = "drivers run attached, and steps are told so")]

use super::Current;
use super::counts::Counts;
use super::delays::Hooks;
use super::events::End;
use super::nest::{self, Nest};
use super::ticket::Ticket;
use crate::bindings::budget::{Budget, Live};
use crate::bindings::failures::{Carried, classes, config_error, discard, report};
use crate::bindings::plan::Came;
use crate::bindings::rules::Rules;
use crate::bindings::step::Ended;
use crate::bindings::timeout;
use crate::error::Problem;
use crate::outcome::Verdict;
use crate::policies::retry::{Nested, Settings, Stop};
use crate::time::Clock;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::{Arc, OnceLock};

/// A retry in a plan. A call keeps to the settings that it came in by.
pub struct Step {
    pub(super) settings: Settings,
    pub(super) rules: Py<Rules>,
    pub(super) hooks: Py<Hooks>,
    pub(super) counts: Arc<Counts>,
    current: Arc<Mutex<Current>>,
    /// Was it given a retry budget? And that, once the first call has looked for it.
    budgeted: bool,
    pub(super) budget: OnceLock<Arc<Live>>,
    /// Must the time be known better than to the kernel's tick?
    precise: bool,
    /// Does it ask, before the others of its plan, whether there is time left?
    pub asks_time: bool,
}

impl Step {
    pub(super) fn of(py: Python<'_>, current: &Arc<Mutex<Current>>, counts: &Arc<Counts>) -> Self {
        let now = current.lock();
        nest::step_made();
        Self {
            settings: now.settings,
            budgeted: now.hooks.get().budget.is_some(),
            budget: OnceLock::new(),
            rules: now.rules.clone_ref(py),
            hooks: now.hooks.clone_ref(py),
            counts: Arc::clone(counts),
            current: Arc::clone(current),
            precise: now.settings.max_duration.is_some(),
            asks_time: true,
        }
    }

    /// The same retry's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>) -> Self {
        Self::of(py, &self.current, &self.counts)
    }

    /// Does it look at what a call returned?
    pub fn judges_results(&self) -> bool {
        self.rules.get().on_result.is_some()
    }

    /// In its plan, somebody wants to know how long calls take, or nobody does.
    pub fn placed(&mut self, timed: bool) {
        self.precise |= timed;
    }

    /// The deadline that leaves no time for a first attempt.
    #[inline(always)]
    pub fn late<C: Clock>(&self, clock: &C) -> Option<Py<timeout::Deadline>> {
        let passed = if self.asks_time { timeout::over(clock) } else { None };
        if passed.is_some() {
            self.counts.refused.bump();
        }
        passed
    }

    /// Lets a call in. None: it is inside of another retry, and was told to refuse that.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, clock: &C) -> Option<Ticket> {
        let began = if self.precise { clock.now() } else { clock.coarse() };
        let mut ticket = Ticket::new(began);
        if (nest::possible() || self.settings.nested == Nested::Refuse)
            && !self.enter_nested(&mut ticket)
        {
            return None;
        }
        if self.budgeted && !self.begin_budget(clock) {
            ticket.abandon();
            return None;
        }
        self.counts.begun.bump();
        Some(ticket)
    }

    /// Tells the budget of a call. `false`: there is no such budget.
    fn begin_budget<C: Clock>(&self, clock: &C) -> bool {
        let live = match self.budget.get() {
            Some(live) => live,
            None => match self.find_budget() {
                Some(live) => self.budget.get_or_init(|| live),
                None => return false,
            },
        };
        live.core().begin(clock);
        true
    }

    #[cold]
    fn find_budget(&self) -> Option<Arc<Live>> {
        // SAFETY: only drivers enter, and they run attached.
        let py = unsafe { Python::assume_attached() };
        let given = self.hooks.get().budget.as_ref()?.bind(py);
        let found = match given.cast::<PyString>() {
            Ok(name) => {
                let get = py.import("seawall.registry").and_then(|it| it.getattr("get"));
                match get.and_then(|get| get.call1(("budget", name))) {
                    Ok(found) => found,
                    Err(error) => {
                        discard(py, error);
                        return None;
                    }
                }
            }
            Err(_) => given.clone(),
        };
        found.cast::<Budget>().ok().map(|budget| budget.get().live())
    }

    /// The call is over, with a good end or without.
    #[inline(always)]
    pub(super) fn over(&self, ticket: &Ticket, good: bool) {
        self.counts.ended.bump();
        if self.budgeted
            && let Some(live) = self.budget.get()
        {
            if ticket.run.attempts > 1 {
                live.core().attempt_over();
            }
            if good {
                live.core().succeeded();
            }
            live.core().finish();
        }
    }

    #[cold]
    fn enter_nested(&self, ticket: &mut Ticket) -> bool {
        // SAFETY: only drivers enter, and they run attached.
        let py = unsafe { Python::assume_attached() };
        if self.settings.nested == Nested::Refuse && nest::inside(py) {
            self.counts.refused.bump();
            return false;
        }
        if nest::possible()
            && let Some(nest) = Nest::publish(py, self.left(ticket))
        {
            ticket.keep_nest(nest);
        }
        true
    }

    /// Has the call attempts left after the one that runs?
    pub fn left(&self, ticket: &Ticket) -> bool {
        ticket.run.attempts < self.settings.attempts
    }

    /// The call returned `value`, which nobody wants to judge, or came to a good end without one.
    #[inline(always)]
    pub fn returned<C: Clock>(&self, ticket: &Ticket, value: *mut ffi::PyObject, clock: &C) {
        self.over(ticket, true);
        if ticket.bare() {
            self.counts.first.bump();
        } else {
            self.returned_otherwise(ticket, value, clock);
        }
    }

    #[cold]
    fn returned_otherwise<C: Clock>(&self, ticket: &Ticket, value: *mut ffi::PyObject, clock: &C) {
        // SAFETY: drivers run attached and keep the result alive meanwhile.
        let (py, value) = unsafe {
            let py = Python::assume_attached();
            let value = if value.is_null() { ffi::Py_None() } else { value };
            (py, Bound::from_borrowed_ptr(py, value))
        };
        ticket.let_go(py);
        self.good(py, ticket, &Came::Returned(value), clock);
    }

    /// It came to a good end.
    pub(super) fn good<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        came: &Came<'_>,
        clock: &C,
    ) {
        if ticket.run.attempts == 1 {
            self.counts.first.bump();
            return;
        }
        self.counts.recovered.bump();
        let elapsed = || clock.now().saturating_sub(ticket.run.began);
        self.tell(py, End::Recovered, ticket.run.attempts, &elapsed, came);
    }

    /// The call ended in another way, and can't be made again: it was dropped, or is a generator's
    /// that has given items.
    pub fn ended<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        ended: &Ended<'_, '_>,
        clock: &C,
    ) {
        self.over(ticket, false);
        ticket.let_go(py);
        let Ended::Raised(error) = ended else { return self.counts.passed.bump() };
        if self.rules.get().judge_error(py, error) != Verdict::Failure {
            return self.counts.passed.bump();
        }
        let why = if self.left(ticket) { Stop::Begun } else { Stop::Attempts };
        self.counts.stopped(why);
        let elapsed = clock.now().saturating_sub(ticket.run.began);
        let came = Came::Raised(Carried::new(error.clone_ref(py)));
        self.tell(py, End::GaveUp(why), ticket.run.attempts, &|| elapsed, &came);
        if self.settings.attempts == 1 {
            return;
        }
        if let Err(failed) = self.note(py, error, why, ticket.run.attempts, elapsed) {
            report(py, failed, self.name(py).as_any());
        }
    }

    /// The exception for a call that is inside of another retry.
    #[cold]
    pub fn error(&self, py: Python<'_>) -> PyErr {
        if self.budgeted && self.budget.get().is_none() {
            return self.no_budget(py);
        }
        let make = || -> PyResult<PyErr> {
            Ok(PyErr::from_value(classes(py)?.nested_retry.bind(py).call1((self.name(py), 0.0))?))
        };
        make().unwrap_or_else(|error| error)
    }

    fn no_budget(&self, py: Python<'_>) -> PyErr {
        let given = self.hooks.get().budget.as_ref();
        let given = given.map_or_else(String::new, |given| {
            given.bind(py).repr().map_or_else(|_| "?".into(), |text| text.to_string())
        });
        let rule = "names no retry budget: make a seawall.RetryBudget of that name first";
        let problem = Problem::new("budget", given, rule);
        config_error(py, &format!("retry '{}'", self.name(py)), vec![problem])
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        nest::step_gone();
        self.rules.drop_ref(py);
        self.hooks.drop_ref(py);
        // The plan may have outlived the retry.
        if let Some(current) = Arc::into_inner(self.current) {
            let current = current.into_inner();
            current.rules.drop_ref(py);
            current.hooks.drop_ref(py);
            current.name.drop_ref(py);
        }
    }

    /// Shows the collector what it owns, for owners that are `#[pyclass]`es.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rules)?;
        visit.call(&self.hooks)
    }

    /// The Python objects that it owns.
    pub fn objects(&self) -> [*mut ffi::PyObject; 2] {
        [self.rules.as_ptr(), self.hooks.as_ptr()]
    }

    /// The retry's name.
    pub fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }
}
