//! A bulkhead in a plan: who is let in, who waits, and who is refused.
#![allow(unsafe_code, reason = "a ticket owns its place in the queue")]

use super::bell::{Bell, Core, give_back};
use super::events::{Told, tell};
use super::lanes::{Lane, LaneRef, Room, Rooms};
use super::ticket::{Asked, Loan, Rejection, Stage, Ticket, Why};
use super::{Bulkhead, Current};
use crate::bindings::call::Call;
use crate::bindings::clock::in_seconds;
use crate::bindings::failures::{classes, report};
use crate::bindings::keys::{KeyOf, Source};
use crate::bindings::timeout;
use crate::policies::bulkhead::{Entry, Permit, Settings};
use crate::sync::Counter;
use crate::time::Clock;
use parking_lot::Mutex;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ptr;
use std::sync::Arc;

/// A bulkhead in a plan.
pub struct Step {
    pub(super) settings: Settings,
    /// Where it has one state for all calls, that; otherwise one that lets nobody in.
    room: Arc<Room>,
    /// The states of its keys, and where a call's key comes from.
    keyed: Option<(Rooms, Source)>,
    pub(super) on_event: Option<Py<PyAny>>,
    pool: Option<Py<PyAny>>,
    pub(super) seq: Arc<Counter>,
    current: Arc<Mutex<Current>>,
}

impl Step {
    pub(super) fn of(
        py: Python<'_>,
        current: &Arc<Mutex<Current>>,
        (rooms, source): (&Rooms, Option<Source>),
        seq: &Arc<Counter>,
    ) -> Self {
        let now = current.lock();
        let room = match rooms {
            Rooms::One(room) => Arc::clone(room),
            Rooms::Keyed(_) => Arc::new(Room::new(0)),
        };
        Self {
            settings: now.settings,
            room,
            keyed: source.map(|source| (rooms.clone(), source)),
            on_event: now.on_event.as_ref().map(|listener| listener.clone_ref(py)),
            pool: now.pool.as_ref().map(|pool| pool.clone_ref(py)),
            seq: Arc::clone(seq),
            current: Arc::clone(current),
        }
    }

    /// The same bulkhead's step as it is configured now.
    pub fn renewed(&self, py: Python<'_>) -> Self {
        match &self.keyed {
            None => {
                let rooms = Rooms::One(Arc::clone(&self.room));
                Self::of(py, &self.current, (&rooms, None), &self.seq)
            }
            Some((rooms, source)) => {
                let source = Some(source.clone_ref(py));
                Self::of(py, &self.current, (rooms, source), &self.seq)
            }
        }
    }

    /// Has it a state for each key?
    pub fn keyed(&self) -> bool {
        self.keyed.is_some()
    }

    /// May it let calls wait?
    pub fn queues(&self) -> bool {
        self.settings.waiters() > 0
    }

    /// A permit, where one is free and there is one state for all calls.
    #[inline(always)]
    pub fn admit(&self) -> Option<Permit> {
        let permit = self.room.core.admit();
        if permit.is_some() {
            self.room.counts.entered.bump();
        }
        permit
    }

    /// Gives such a permit back. `false`: somebody waits for it.
    #[inline(always)]
    pub fn give_back(&self, permit: Permit) -> bool {
        self.room.core.give_back(permit)
    }

    /// The state that `call` belongs to.
    pub fn find<C: Clock>(
        &self,
        py: Python<'_>,
        call: &Call,
        clock: &C,
    ) -> PyResult<Option<Ticket>> {
        let Some((Rooms::Keyed(lanes), source)) = &self.keyed else { return Ok(None) };
        let key = source.key(py, call)?;
        let lane = lanes.of(&key, clock.now())?;
        Ok(Some(Ticket { lane: Some(LaneRef::new(lane)), stage: Stage::Found }))
    }

    /// Gives back what was found for a call that did not come in.
    pub fn forget(ticket: &Ticket) {
        if let (Some(lane), Stage::Found) = (ticket.lane, ticket.stage) {
            lane.release();
        }
    }

    pub(super) fn with<T>(
        &self,
        py: Python<'_>,
        lane: Option<LaneRef>,
        act: impl FnOnce(&Room) -> T,
    ) -> T {
        match lane {
            Some(lane) => act(&lane.bind(py).get().room),
            None => act(&self.room),
        }
    }

    /// The pool whose threads run the calls, if they don't run here.
    pub fn pool<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        Some(self.pool.as_ref()?.bind(py).clone())
    }

    /// Does it run calls in threads of its own?
    pub fn pooled(&self) -> bool {
        self.pool.is_some()
    }

    /// The call is given up, and its `ticket` has no permit any more: whoever runs it does.
    pub fn lend(&self, ticket: &mut Ticket) -> Option<Loan> {
        let Stage::In(permit) = ticket.stage else { return None };
        ticket.stage = Stage::Lent;
        let lane = ticket.lane.map(LaneRef::again);
        Some(Loan { room: Arc::clone(&self.room), lane, permit })
    }

    /// The ticket of a call that was let in with `permit` where one state is for all.
    pub fn ticket_of(permit: Permit) -> Ticket {
        Ticket { lane: None, stage: Stage::In(permit) }
    }

    /// Lets a call in that was `found` a state, or the one for all; or lets it wait.
    #[cold]
    #[inline(never)]
    pub fn enter<C: Clock>(&self, found: Option<Ticket>, clock: &C) -> Asked {
        // SAFETY: only drivers enter, and they run attached.
        let py = unsafe { Python::assume_attached() };
        let mut lane = found.and_then(|ticket| ticket.lane);
        let mut anywhere = false;
        loop {
            let asked = self.ask(py, lane, clock);
            let Some(one) = lane.filter(|lane| !anywhere && lane.bind(py).get().gone()) else {
                if let Asked::Not(rejection) = &asked {
                    self.reject(py, rejection);
                }
                return asked;
            };
            // Let go of since it was found. What it was just given is nobody's.
            if let Asked::In(ticket) | Asked::Waits(ticket) = asked {
                self.take_back(py, &ticket);
            }
            match self.another(py, one.bind(py), clock) {
                Ok(found) => {
                    one.release();
                    lane = Some(found);
                }
                // The one that was let go of is a place as well.
                Err(error) => {
                    report(py, error, one.bind(py).get().key.bind(py));
                    anywhere = true;
                }
            }
        }
    }

    /// The lane that has taken the place of `gone`.
    fn another<C: Clock>(
        &self,
        py: Python<'_>,
        gone: &Bound<'_, Lane>,
        clock: &C,
    ) -> PyResult<LaneRef> {
        let Some((Rooms::Keyed(lanes), _)) = &self.keyed else {
            return Ok(LaneRef::new(gone.clone()));
        };
        let key = gone.get().key.bind(py).clone();
        let found = lanes.of(&key, clock.now()).or_else(|error| {
            report(py, error, &key);
            lanes.shared(py)
        });
        found.map(LaneRef::new)
    }

    fn ask<C: Clock>(&self, py: Python<'_>, lane: Option<LaneRef>, clock: &C) -> Asked {
        self.with(py, lane, |room| {
            let core = &room.core;
            let let_in = |permit| {
                room.counts.entered.bump();
                Asked::In(Ticket { lane, stage: Stage::In(permit) })
            };
            if let Some(permit) = core.admit() {
                return let_in(permit);
            }
            let not = |why| Asked::Not(Rejection { why, lane, waited: 0, waiting: core.waiting() });
            let most = self.settings.waiters();
            if most == 0 {
                return not(Why::Full);
            }
            if timeout::passed(py, clock) {
                return not(Why::Deadline);
            }
            let bell = match Bound::new(py, Bell::new(clock.now())) {
                Ok(bell) => bell,
                Err(error) => {
                    report(py, error, self.name(py).as_any());
                    return not(Why::Full);
                }
            };
            let kept = bell.clone().unbind();
            match core.enter(most, || kept) {
                Entry::In(permit) => let_in(permit),
                Entry::Queued(number) => {
                    bell.get().set_number(number);
                    Asked::Waits(Ticket { lane, stage: Stage::Waits(bell.into_ptr()) })
                }
                Entry::Full => not(Why::Full),
            }
        })
    }

    /// The call has ended, in whatever way.
    #[cold]
    #[inline(never)]
    pub fn ended(&self, py: Python<'_>, ticket: &Ticket) {
        self.with(py, ticket.lane, |room| self.end(py, &room.core, ticket));
        ticket.let_go();
    }

    #[allow(clippy::unused_self, reason = "it is this step's permit")]
    fn end(&self, py: Python<'_>, core: &Core, ticket: &Ticket) {
        if let Stage::In(permit) = ticket.stage {
            give_back(py, core, permit);
        }
    }

    /// A call with one state for all has ended, and somebody waits for its permit.
    #[cold]
    #[inline(never)]
    pub fn hand_on(&self, py: Python<'_>, permit: Permit) {
        give_back(py, &self.room.core, permit);
    }

    fn reject(&self, py: Python<'_>, rejection: &Rejection) {
        self.with(py, rejection.lane, |room| room.counts.rejected.bump());
        self.tell(py, rejection.lane, &Told::Rejected(rejection));
    }

    pub(super) fn tell(&self, py: Python<'_>, lane: Option<LaneRef>, told: &Told<'_>) {
        let key = lane.as_ref().map(|lane| lane.bind(py).get().key.bind(py));
        tell(py, self, key, told);
    }

    /// The exception that tells a caller of `rejection`.
    pub fn error(&self, py: Python<'_>, rejection: &Rejection) -> PyErr {
        let make = || -> PyResult<PyErr> {
            let class = classes(py)?.bulkhead_full.bind(py);
            let facts = (
                self.name(py),
                0.0,
                rejection.why.as_str(),
                self.settings.max_concurrent,
                rejection.waiting,
                in_seconds(rejection.waited),
            );
            Ok(PyErr::from_value(match &rejection.lane {
                None => class.call1(facts)?,
                Some(lane) => {
                    let key = lane.bind(py).get().key.bind(py);
                    let (name, retry_after, why, limit, waiting, waited) = facts;
                    class.call1((name, retry_after, why, limit, waiting, waited, key))?
                }
            }))
        };
        make().unwrap_or_else(|error| error)
    }

    /// The limit that it was built with.
    pub fn limit(&self) -> u32 {
        self.settings.max_concurrent
    }

    /// The bulkhead's name.
    pub fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.current.lock().name.bind(py).clone()
    }

    /// Gives up what the step owns: see `bindings::step::Step::release`.
    pub fn release(self, py: Python<'_>) {
        for object in [self.on_event, self.pool].into_iter().flatten() {
            object.drop_ref(py);
        }
        if let Some((_, source)) = self.keyed {
            source.release(py);
        }
        // The plan may have outlived the bulkhead.
        if let Some(current) = Arc::into_inner(self.current) {
            current.into_inner().release(py);
        }
    }

    /// The Python objects that it owns.
    pub fn objects(&self) -> [*mut ffi::PyObject; 4] {
        let listener = self.on_event.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
        let [key, more] =
            self.keyed.as_ref().map_or([ptr::null_mut(); 2], |(_, source)| source.objects());
        let pool = self.pool.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
        [listener, key, more, pool]
    }
}

impl Bulkhead {
    /// The step this bulkhead contributes to a plan that is built now.
    pub fn step(&self, py: Python<'_>, of: KeyOf<'_, '_>) -> PyResult<Step> {
        let source = match &self.rooms {
            Rooms::One(_) => None,
            Rooms::Keyed(_) => {
                let key = self.current.lock().key.as_ref().map(|key| key.clone_ref(py));
                // The collector may have taken it.
                let key = key.unwrap_or_else(|| py.None()).into_bound(py);
                Some(Source::of(&key, of)?)
            }
        };
        Ok(Step::of(py, &self.current, (&self.rooms, source), &self.seq))
    }
}
