//! What a retry tells: the events and the hooks.

use super::delays::Hooks;
use super::step::Step;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::{Trail, report};
use crate::bindings::listeners;
use crate::bindings::plan::Came;
use crate::policies::retry::Stop;
use crate::time::{Clock, Nanos};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What a retry has to tell.
#[derive(Clone, Copy)]
pub enum End {
    Scheduled(Nanos),
    Recovered,
    GaveUp(Stop),
}

impl Step {
    /// Tells of `end`, after so many attempts and so long. Nothing is built when nobody listens.
    #[cold]
    pub(super) fn tell(
        &self,
        py: Python<'_>,
        end: End,
        attempts: u32,
        elapsed: &dyn Fn() -> Nanos,
        came: &Came<'_>,
    ) {
        let hooks: &Hooks = self.hooks.get();
        let hook = match end {
            End::Scheduled(_) => &hooks.before_sleep,
            End::Recovered | End::GaveUp(_) => &hooks.after_end,
        };
        let on_event = &self.rules.get().on_event;
        if hook.is_none() && on_event.is_none() && !listeners::anybody() {
            return;
        }
        let name = self.name(py);
        let deliver = || -> PyResult<()> {
            let events = py.import("seawall.policies.retry.events")?;
            let facts = PyDict::new(py);
            let clock = ambient(py);
            facts.set_item("name", &name)?;
            facts.set_item("seq", self.counts.next())?;
            facts.set_item("at", in_seconds(clock.now()))?;
            facts.set_item("wall", clock.wall())?;
            facts.set_item("attempts", attempts)?;
            facts.set_item("elapsed", in_seconds(elapsed()))?;
            let (error, value) = match came {
                Came::Returned(value) => (None, Some(value.clone())),
                Came::Raised(error) | Came::Broken(error) => {
                    (error.get().map(|error| error.value(py).clone().into_any()), None)
                }
                Came::Refused(_) => (None, None),
            };
            facts.set_item("error", &error)?;
            facts.set_item("value", value)?;
            let (kind, detail) = match end {
                End::Scheduled(delay) => {
                    ("scheduled", in_seconds(delay).into_pyobject(py)?.into_any())
                }
                End::Recovered => ("recovered", py.None().into_bound(py)),
                End::GaveUp(why) => ("gave_up", why.as_str().into_pyobject(py)?.into_any()),
            };
            // Whoever hears may raise the caller's own exception, to look at it.
            let trail = error.as_ref().and_then(Trail::of);
            let told =
                events.call_method1(intern!(py, "tell"), (on_event, hook, kind, detail, facts));
            if let Some(trail) = trail {
                trail.put_back();
            }
            told.map(drop)
        };
        if let Err(error) = deliver() {
            report(py, error, name.as_any());
        }
    }
}
