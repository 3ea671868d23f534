//! A retry in a plan: which ends it wants to see again, and when.
#![allow(unsafe_code, reason = "a ticket owns what it keeps for the attempts to come")]

use super::Current;
use super::counts::Counts;
use super::delays::Hooks;
use super::nest::{self, Nest};
use crate::bindings::budget::{Budget, Live};
use crate::bindings::clock::in_seconds;
use crate::bindings::failures::{Carried, classes, config_error, discard, report};
use crate::bindings::outcome::Outcome;
use crate::bindings::plan::{Came, Refused};
use crate::bindings::rules::Rules;
use crate::bindings::step::Ended;
use crate::bindings::timeout;
use crate::error::Problem;
use crate::outcome::Verdict;
use crate::policies::backoff::Memory;
use crate::policies::retry::{Limits, Nested, Run, Settings, Stop, Wait};
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use std::ptr;
use std::sync::{Arc, OnceLock};

/// A retry in a plan. A call keeps to the settings that it came in by.
pub struct Step {
    settings: Settings,
    pub(super) rules: Py<Rules>,
    pub(super) hooks: Py<Hooks>,
    pub(super) counts: Arc<Counts>,
    current: Arc<Mutex<Current>>,
    /// Was it given a retry budget? And that, once the first call has looked for it.
    budgeted: bool,
    budget: OnceLock<Arc<Live>>,
    /// Must the time be known better than to the kernel's tick?
    precise: bool,
    /// Does it ask, before the others of its plan, whether there is time left?
    pub asks_time: bool,
}

/// A call that a retry has let in.
#[derive(Clone, Copy)]
pub struct Ticket {
    run: Run,
    /// What only some calls need. Owned by the call, and freed when that is over. With [`NEST`] set
    /// it is the address of no more than the call's nest: most calls that have one need no more.
    extra: *mut Extra,
}

/// Objects and boxes lie at even addresses.
const NEST: usize = 1;

// SAFETY: a call's ticket is only touched by whoever has the call, attached.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

/// What a call keeps from one attempt to the next.
pub struct Extra {
    /// Which source gave the last delays, how many, and what they leave for the next.
    pub source: Option<usize>,
    pub n: u32,
    pub memory: Memory,
    /// The call, as retries inside of it see it. NULL: they can't.
    nest: *mut ffi::PyObject,
}

/// What a retry has to tell.
#[derive(Clone, Copy)]
pub enum End {
    Scheduled(Nanos),
    Recovered,
    GaveUp(Stop),
}

impl Ticket {
    /// When the first attempt began.
    pub fn began(&self) -> Nanos {
        self.run.began
    }

    fn extra(&mut self) -> &mut Extra {
        if self.extra.is_null() || self.only_nest() {
            let (source, n, memory, nest) = (None, 0, Memory::default(), self.nest_ptr());
            self.extra = Box::into_raw(Box::new(Extra { source, n, memory, nest }));
        }
        // SAFETY: made by us, and nobody else has it while the call is asked about its end.
        unsafe { &mut *self.extra }
    }

    fn only_nest(&self) -> bool {
        self.extra.addr() & NEST != 0
    }

    fn nest_ptr(&self) -> *mut ffi::PyObject {
        if self.only_nest() {
            return self.extra.map_addr(|address| address & !NEST).cast();
        }
        // SAFETY: as in `extra`.
        unsafe { self.extra.as_ref() }.map_or(ptr::null_mut(), |extra| extra.nest)
    }

    /// Before anything else is kept.
    fn keep_nest(&mut self, nest: Py<Nest>) {
        self.extra = nest.into_ptr().map_addr(|address| address | NEST).cast();
    }

    fn nest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Nest>> {
        // SAFETY: NULL, or made by us, and owned.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.nest_ptr())?.cast_into_unchecked()) }
    }

    /// Do the calls made inside of it know of it?
    #[inline(always)]
    pub fn published(&self) -> bool {
        !self.extra.is_null() && !self.nest_ptr().is_null()
    }

    /// Is there nothing to let go of?
    #[inline(always)]
    fn bare(&self) -> bool {
        self.extra.is_null()
    }

    /// The call stands still, or runs on.
    pub fn suspended(&self, py: Python<'_>, suspended: bool) {
        if let Some(nest) = self.nest(py) {
            if suspended { Nest::leave(&nest) } else { Nest::enter(&nest) }
        }
    }

    fn let_go(&self, py: Python<'_>) {
        if let Some(nest) = self.nest(py) {
            nest.get().withdraw();
            // SAFETY: the call is over: nobody asks its ticket again.
            unsafe { ffi::Py_DECREF(nest.as_ptr()) };
        }
        if !self.extra.is_null() && !self.only_nest() {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(self.extra) });
        }
    }
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
        let mut ticket = Ticket { run: Run::new(began), extra: ptr::null_mut() };
        if (nest::possible() || self.settings.nested == Nested::Refuse)
            && !self.enter_nested(&mut ticket)
        {
            return None;
        }
        if self.budgeted && !self.begin_budget(clock) {
            abandon(&ticket);
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
    fn over(&self, ticket: &Ticket, good: bool) {
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
    fn good<C: Clock>(&self, py: Python<'_>, ticket: &Ticket, came: &Came<'_>, clock: &C) {
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

    /// An attempt came to its end. How long to wait before the next; None: there is none, and the
    /// call is over as far as this retry is concerned.
    #[cold]
    pub fn again<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &mut Ticket,
        came: &mut Came<'_>,
        nested: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> Option<Nanos> {
        let rules = self.rules.get();
        let verdict = match &*came {
            Came::Returned(value) if self.judges_results() => rules.judge_value(value),
            Came::Returned(_) => Verdict::Success,
            Came::Raised(error) | Came::Broken(error) => {
                error.get().map_or(Verdict::Cancelled, |error| rules.judge_error(py, error))
            }
            Came::Refused(refused) => rules.judge_refusal(py, &|| refusal(refused)),
        };
        if verdict != Verdict::Failure {
            // An error that is not tried again is no success either: it earns no retries.
            let good = verdict == Verdict::Success && matches!(came, Came::Returned(_));
            self.over(ticket, good);
            ticket.let_go(py);
            if good {
                self.good(py, ticket, came, clock);
            } else {
                self.counts.passed.bump();
            }
            return None;
        }
        let budget = self.budget.get();
        if let Some(live) = budget {
            live.core().failed();
        }
        let decided = self.decide(py, ticket, came, nested, refusal, clock).and_then(|delay| {
            if let Some(live) = budget.filter(|_| ticket.run.attempts > 1) {
                live.core().attempt_over();
            }
            let run = ticket.run;
            let elapsed = || clock.now().saturating_sub(run.began);
            self.tell(py, End::Scheduled(delay), run.attempts, &elapsed, came);
            // Who was told may have taken time.
            let limits = Limits { nested: false, deadline: deadline_here(py) };
            let still = self.settings.in_time(&run, Wait::Backoff(delay), limits, || clock.now());
            if still.is_err()
                && let Some(live) = budget.filter(|_| run.attempts == 1)
            {
                // The attempt that was permitted is not made; of a later one `over` sees to that.
                live.core().attempt_over();
            }
            still
        });
        match decided {
            Ok(delay) => {
                ticket.run.attempts += 1;
                if let Some(nest) = ticket.nest(py) {
                    nest.get().set_left(self.left(ticket));
                }
                Some(delay)
            }
            Err(why) => {
                self.gives_up(py, ticket, ticket.run.attempts, why, came, clock);
                None
            }
        }
    }

    /// There is no further attempt after `attempts`, and the call came to what the last did.
    fn gives_up<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        attempts: u32,
        why: Stop,
        came: &mut Came<'_>,
        clock: &C,
    ) {
        self.over(ticket, false);
        self.counts.stopped(why);
        ticket.let_go(py);
        let elapsed = clock.now().saturating_sub(ticket.run.began);
        self.tell(py, End::GaveUp(why), attempts, &|| elapsed, came);
        self.mark(py, why, attempts, elapsed, came);
    }

    /// The wait is over. `false`: a further attempt begins. Or it took so long that there is no time
    /// for one: the call is over, and `came` to what the attempt before did.
    pub fn is_late<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        came: &mut Came<'_>,
        clock: &C,
    ) -> bool {
        let limits = Limits { nested: false, deadline: deadline_here(py) };
        let late = self.settings.in_time(&ticket.run, Wait::Backoff(0), limits, || clock.now());
        let Err(why) = late else {
            self.counts.retries.bump();
            return false;
        };
        // The one that was waited for is counted, and had its permit, but never ran.
        self.gives_up(py, ticket, ticket.run.attempts - 1, why, came, clock);
        true
    }

    fn decide<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &mut Ticket,
        came: &Came<'_>,
        nested: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> Result<Nanos, Stop> {
        let nested = nested || nest::left_around(py, ticket.nest(py).as_ref());
        let limits = Limits { nested, deadline: deadline_here(py) };
        let run = ticket.run;
        self.settings.another(&run, limits)?;
        let elapsed = || clock.now().saturating_sub(run.began);
        let outcome = || {
            let outcome = match came {
                Came::Returned(value) => Outcome::returned(value.clone().unbind(), elapsed()),
                Came::Raised(error) | Came::Broken(error) => match error.get() {
                    Some(error) => Outcome::raised(error.clone_ref(py), py, elapsed()),
                    None => Outcome::returned(py.None(), elapsed()),
                },
                Came::Refused(refused) => Outcome::raised(refusal(refused), py, elapsed()),
            };
            outcome.after(run.attempts)
        };
        let most = self.settings.most_told();
        let wait = self.hooks.get().wait(py, ticket.extra(), came, most, &outcome)?;
        let delay = self.settings.in_time(&run, wait, limits, || clock.now())?;
        match self.budget.get() {
            Some(live) if !live.permit(py, clock) => Err(Stop::Budget),
            _ => Ok(delay),
        }
    }

    /// Leaves a note on the error that the caller gets, or puts it inside of one of ours.
    fn mark(&self, py: Python<'_>, why: Stop, attempts: u32, elapsed: Nanos, came: &mut Came<'_>) {
        // Of a single attempt there is nothing to say, nor of what another retry goes on with.
        if self.settings.attempts == 1 || why == Stop::Nested {
            return;
        }
        let Came::Raised(error) = came else { return };
        let Some(error) = error.get() else { return };
        let name = self.name(py);
        let wraps = self.hooks.get().wraps;
        let marked = || -> PyResult<Option<PyErr>> {
            if wraps {
                let seconds = in_seconds(elapsed);
                let class = classes(py)?.retries_exhausted.bind(py);
                let outer = class.call1((&name, attempts, seconds, why.as_str()))?;
                let outer = PyErr::from_value(outer);
                outer.set_cause(py, Some(error.clone_ref(py)));
                return Ok(Some(outer));
            }
            self.note(py, error, why, attempts, elapsed)?;
            Ok(None)
        };
        match marked() {
            Ok(None) => {}
            Ok(Some(outer)) => *came = Came::Raised(Carried::new(outer)),
            Err(error) => report(py, error, name.as_any()),
        }
    }

    fn note(
        &self,
        py: Python<'_>,
        error: &PyErr,
        why: Stop,
        attempts: u32,
        elapsed: Nanos,
    ) -> PyResult<()> {
        let times = if attempts == 1 { "1 attempt".into() } else { format!("{attempts} attempts") };
        let begins = format!("seawall: retry {} gave up after ", self.name(py).repr()?);
        let value = error.value(py);
        // One exception that is raised again and again keeps the note of its last call.
        if let Some(notes) = value.getattr_opt(intern!(py, "__notes__"))?
            && let Ok(notes) = notes.cast::<PyList>()
        {
            for at in (0..notes.len()).rev() {
                let ours = |note: &Bound<'_, PyString>| {
                    note.to_str().is_ok_and(|text| text.starts_with(&begins))
                };
                if notes.get_item(at)?.cast::<PyString>().is_ok_and(ours) {
                    notes.del_item(at)?;
                }
            }
        }
        let note = format!("{begins}{times} in {:.3} s: {}", in_seconds(elapsed), reason(why));
        match value.call_method1(intern!(py, "add_note"), (note,)) {
            // One that takes no note, as a frozen dataclass, goes without: nobody made a mistake.
            Err(refused) if refused.is_instance_of::<PyException>(py) => discard(py, refused),
            answer => drop(answer?),
        }
        Ok(())
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

/// When the deadline that holds here passes.
fn deadline_here(py: Python<'_>) -> Option<Nanos> {
    timeout::current(py).map(|deadline| deadline.get().at())
}

/// The call was not let in after all.
#[cold]
fn abandon(ticket: &Ticket) {
    if !ticket.bare() {
        // SAFETY: only drivers enter, and they run attached.
        ticket.let_go(unsafe { Python::assume_attached() });
    }
}

/// Why it was not tried again, for people.
fn reason(why: Stop) -> &'static str {
    match why {
        Stop::Attempts => "no attempt is left",
        Stop::Nested => "a retry around it has attempts left",
        Stop::Budget => "its retry budget is exhausted",
        Stop::Duration => "the next attempt could not start within max_duration",
        Stop::Deadline => "the next attempt could not start before the deadline",
        Stop::Told => "the service asked not to be called again so soon",
        Stop::Begun => "items were given already, which can't be taken back",
    }
}
