//! A fallback in a plan: which ends it answers for, and by what.
#![allow(unsafe_code, reason = "calls providers in the interpreter's own calling convention")]

use super::Current;
use super::counts::Counts;
use super::episode::Episode;
use super::events::{Own, Told};
use super::key;
use super::memory::Memory;
use super::settings::{Provider, Providers, problems_with, used_up};
use super::ticket::Ticket;
use crate::bindings::call::Call;
use crate::bindings::failures::{Carried, discard, exception, report};
use crate::bindings::function::Kind;
use crate::bindings::keys::{KeyOf, Source};
use crate::bindings::plan::{Came, Refused};
use crate::bindings::rules::{Rules, interrupts};
use crate::bindings::step::Ended;
use crate::error::Problem;
use crate::outcome::Verdict;
use crate::policies::fallback::{Kept, Settings, Shelf, Stage};
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::ptr;
use std::sync::Arc;

/// A fallback in a plan. A call keeps to the settings that it came in by.
pub struct Step {
    settings: Settings,
    providers: Py<Providers>,
    memory: Option<Py<Memory>>,
    /// What tells calls apart, if that is not all that they are called with.
    source: Option<Source>,
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

    /// Lets a call in, which it has looked at if it had to.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, found: Option<Ticket>, clock: &C) -> Ticket {
        self.counts.begun.bump();
        let mut ticket = found.unwrap_or_else(|| Ticket::new(None));
        if self.timed {
            ticket.began = clock.now();
        }
        ticket
    }

    /// The call, or the provider that took its place, came to a good end that nobody judges.
    #[inline(always)]
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

    fn used(&self, py: Python<'_>, ticket: &Ticket, provider: u32) {
        self.counts.used.bump();
        if self.is_heard() {
            let own = Own::of(py, ticket.episode(py).as_ref());
            self.tell(py, &Told::Used(provider), &own);
        }
    }

    /// The call came to an end, or the provider did that was asked in its place. True: the next is
    /// to be asked, by [`Step::ask`]. `degraded`: a fallback further in has answered.
    #[cold]
    pub fn settle<'py, C: Clock>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        came: &mut Came<'py>,
        degraded: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> bool {
        let asks = match ticket.stage {
            Stage::Asked(provider) => self.provided(py, ticket, provider, came),
            _ => self.own(py, ticket, came, degraded, refusal, clock),
        };
        if !asks {
            ticket.let_go();
        }
        asks
    }

    fn own<'py, C: Clock>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        came: &mut Came<'py>,
        degraded: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
        clock: &C,
    ) -> bool {
        let rules = self.rules();
        let failed = match &*came {
            Came::Returned(value) => {
                if rules.judge_value(value) == Verdict::Success {
                    ticket.stage = Stage::Passed;
                    self.counts.success.bump();
                    if !degraded {
                        self.keep(py, ticket, value, clock);
                    }
                    return false;
                }
                true
            }
            Came::Raised(error) | Came::Broken(error) => {
                error.get().is_some_and(|error| rules.means(py, error))
            }
            Came::Refused(_) if rules.mean_all() => true,
            Came::Refused(refused) => {
                let error = refusal(refused);
                let meant = rules.means(py, &error);
                discard(py, error);
                meant
            }
        };
        if !failed {
            ticket.stage = Stage::Passed;
            self.counts.passed.bump();
            return false;
        }
        if let Some((answer, age)) = self.remembered(py, ticket, clock) {
            ticket.stage = Stage::Remembered;
            self.counts.stale.bump();
            let own = self.own_end(py, came, refusal);
            self.tell(py, &Told::Stale(age, self.said(py, ticket)), &own);
            *came = Came::Returned(answer);
            return false;
        }
        if let Some(next) = self.settings.next(ticket.stage) {
            ticket.stage = next;
            return true;
        }
        ticket.stage = Stage::Passed;
        self.counts.failed.bump();
        let own = self.own_end(py, came, refusal);
        self.tell(py, &Told::Failed(&PyTuple::empty(py)), &own);
        false
    }

    fn own_end<'py>(
        &self,
        py: Python<'py>,
        came: &Came<'py>,
        refusal: &dyn Fn(&Refused) -> PyErr,
    ) -> Own<'py> {
        if !self.is_heard() {
            return Own::default();
        }
        match came {
            Came::Returned(value) => Own { error: None, value: Some(value.clone()) },
            Came::Raised(error) | Came::Broken(error) => {
                let error = error.get().map(|error| error.value(py).clone().into_any());
                Own { error, value: None }
            }
            Came::Refused(refused) => {
                let error = exception(py, refusal(refused));
                Own { error: Some(error.into_any()), value: None }
            }
        }
    }

    /// The provider of this number came to an end.
    fn provided<'py>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        provider: u32,
        came: &mut Came<'py>,
    ) -> bool {
        let failed = match &*came {
            Came::Returned(_) => {
                ticket.stage = Stage::Provided;
                self.used(py, ticket, provider);
                return false;
            }
            Came::Raised(error) => error.get().is_some_and(|it| !interrupts(py, it)),
            Came::Broken(_) | Came::Refused(_) => false,
        };
        if !failed {
            // Whoever cancels the provider cancels the call.
            ticket.stage = Stage::Passed;
            self.counts.passed.bump();
            return false;
        }
        if let Some(next) = self.settings.next(ticket.stage) {
            ticket.stage = next;
            return true;
        }
        ticket.stage = Stage::Passed;
        self.counts.failed.bump();
        let Some(episode) = ticket.episode(py) else { return false };
        take_failure(py, &episode, came);
        let failures = episode.get().failures(py).unwrap_or_else(|error| {
            discard(py, error);
            PyTuple::empty(py)
        });
        let own = Own::of(py, Some(&episode));
        *came = episode.get().end(py);
        self.tell(py, &Told::Failed(&failures), &own);
        false
    }

    /// Asks the provider whose turn it is. A new reference, or NULL with an exception set. `items`:
    /// what is made is iterated.
    ///
    /// # Safety
    /// Attached; the arguments of `call` are alive and follow the vectorcall convention.
    #[cold]
    pub unsafe fn ask<'py>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        call: &Call,
        mut came: Came<'py>,
        items: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
    ) -> *mut ffi::PyObject {
        let Stage::Asked(number) = ticket.stage else { return ptr::null_mut() };
        let provider = self.providers.get().all.get(number as usize);
        if let Some(Provider::Value(value)) = provider
            && number == 0
            && !items
            && !self.is_heard()
        {
            drop(came);
            return value.bind(py).clone().into_ptr();
        }
        let episode = match ticket.episode(py) {
            Some(episode) => {
                take_failure(py, &episode, &mut came);
                episode
            }
            None => match Episode::begin(py, came) {
                Ok(episode) => {
                    ticket.fails(episode.clone());
                    episode
                }
                Err(error) => {
                    error.restore(py);
                    return ptr::null_mut();
                }
            },
        };
        let error = episode.get().error(py, refusal);
        let callable = match provider {
            Some(Provider::Call(callable, _)) => callable.bind(py).clone(),
            Some(Provider::Value(value)) => return value.bind(py).clone().into_ptr(),
            None => {
                PyRuntimeError::new_err("this fallback was garbage").restore(py);
                return ptr::null_mut();
            }
        };
        let error = error.unwrap_or_else(|| py.None().into_bound(py));
        let arguments = call.arguments;
        // SAFETY: as the caller promises. The values are counted once more for as long as the
        // provider runs: whoever keeps them may be asked to let go.
        unsafe {
            let count = ffi::PyVectorcall_NARGS(arguments.count).cast_unsigned();
            let named = if arguments.names.is_null() {
                0
            } else {
                ffi::PyTuple_GET_SIZE(arguments.names).cast_unsigned()
            };
            let names = Bound::from_borrowed_ptr_or_opt(py, arguments.names);
            let mut values = Vec::with_capacity(1 + count + named);
            values.push(error);
            for at in 0..count + named {
                values.push(Bound::from_borrowed_ptr(py, *arguments.values.add(at)));
            }
            ffi::PyObject_Vectorcall(
                callable.as_ptr(),
                values.as_ptr().cast::<*mut ffi::PyObject>(),
                1 + count,
                names.as_ref().map_or(ptr::null_mut(), Bound::as_ptr),
            )
        }
    }

    /// Remembers what the call with `ticket` returned.
    fn keep<C: Clock>(&self, py: Python<'_>, ticket: &Ticket, value: &Bound<'_, PyAny>, clock: &C) {
        let (Some(memory), Some(key)) = (&self.memory, ticket.key(py)) else { return };
        if ticket.adopted || used_up(value) {
            self.counts.unkept.bump();
            return;
        }
        let kept = Kept { answer: value.clone(), at: clock.now() };
        if let Err(error) = memory.get().keep(&key, kept) {
            report(py, error, &key);
        }
    }

    /// What is remembered of the call with `ticket`, and how old it is.
    fn remembered<'py, C: Clock>(
        &self,
        py: Python<'py>,
        ticket: &Ticket,
        clock: &C,
    ) -> Option<(Bound<'py, PyAny>, Nanos)> {
        let key = ticket.key(py).filter(|_| !ticket.adopted)?;
        match self.memory.as_ref()?.bind(py).get().last(&key) {
            Ok(kept) => {
                let kept = kept?;
                let age = self.settings.age(&kept, clock.now())?;
                // Of the interpreter's lifetime, not of the look.
                Some((kept.answer.unbind().into_bound(py), age))
            }
            Err(error) => {
                report(py, error, &key);
                None
            }
        }
    }

    /// The key of the call with `ticket`, as `key=` said it.
    fn said<'py>(&self, py: Python<'py>, ticket: &Ticket) -> Option<Bound<'py, PyAny>> {
        self.source.as_ref()?;
        let key = ticket.key(py)?.cast_into::<PyTuple>().ok()?;
        key.get_item(key.len().checked_sub(1)?).ok()
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
        let [key, more] =
            self.source.as_ref().map_or([ptr::null_mut(); 2], |source| source.objects());
        let memory = self.memory.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
        [self.providers.as_ptr(), memory, key, more]
    }

    /// The fallback's name.
    pub fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }
}

/// What a provider came to is one of the failures.
fn take_failure<'py>(py: Python<'py>, episode: &Bound<'py, Episode>, came: &mut Came<'py>) {
    if let Came::Raised(error) = std::mem::replace(came, Came::Raised(Carried::none())) {
        let error = error.into_inner();
        episode.get().fails(exception(py, error).into_any());
    }
}
