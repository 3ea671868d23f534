//! Putting policies on a function.

use super::anchor::Anchor;
use super::breaker::Breaker;
use super::bulkhead::Bulkhead;
use super::compose;
use super::failures::config_error;
use super::fallback::Fallback;
use super::function::{
    FUNCTION_ATTRIBUTES, Kind, RUNS_ONLY_PLAIN, TIMES_NO_GENERATOR, Target, function_inside, kind,
    refuse, shows_itself, target,
};
use super::hedge::Hedge;
use super::layers::policies_inside;
use super::plan::MAX_STEPS;
use super::protected::Protected;
use super::rate_limit::RateLimit;
use super::retry::Retry;
use super::timeout::Timeout;
use crate::error::Problem;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// `function` under `policies`, outermost first, and whatever policies it has already below them.
/// Refuses what can't be protected; `subject` says on whose behalf.
pub fn protect<'py>(
    function: &Bound<'py, PyAny>,
    policies: &Bound<'py, PyTuple>,
    subject: &dyn Fn() -> String,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let added = policies.len();
    let (inner, policies) = match target(function) {
        Err(problem) => return Err(config_error(py, &subject(), vec![problem])),
        Ok(Target::Descriptor(wrap, inside)) => {
            return wrap.call1((protect(&inside, policies, subject)?,));
        }
        Ok(Target::Callable(function)) => (function, policies.clone()),
        Ok(Target::Protected(wrapper)) => match Protected::of(&wrapper) {
            Some(protected) => {
                let below = protected.policies(py);
                let all = policies.iter().chain(below.iter()).collect::<Vec<_>>();
                (protected.function(py), PyTuple::new(py, all)?)
            }
            None => (wrapper, policies.clone()),
        },
    };
    check(&policies, Some(&inner), subject)?;
    compose::warn(&policies, added, subject)?;
    let wrapper = Protected::wrap(&inner, &policies)?;
    let functools = py.import("functools")?;
    if shows_itself(function) {
        functools.call_method1("update_wrapper", (&wrapper, function))?;
    } else {
        // The attributes of an object with a life of its own are looked up, never copied.
        let assigned = functools.getattr("WRAPPER_ASSIGNMENTS")?;
        let copied = PyTuple::empty(py);
        functools.call_method1("update_wrapper", (&wrapper, function, assigned, copied))?;
    }
    if let Some(function) = function_inside(&inner) {
        for name in FUNCTION_ATTRIBUTES {
            if wrapper.getattr_opt(name)?.is_none() {
                wrapper.setattr(name, function.getattr(name)?)?;
            }
        }
        Anchor::drop_on(&wrapper, wrapper.getattr("__qualname__")?)?;
    }
    Ok(wrapper)
}

/// Does it run calls in threads of its own?
fn pooled(policy: &Bound<'_, PyAny>) -> bool {
    policy.cast::<Timeout>().is_ok_and(|timeout| timeout.get().pooled())
        || policy.cast::<Bulkhead>().is_ok_and(|bulkhead| bulkhead.get().pooled())
}

/// Why a timeout can't serve `function`, if it can't.
fn timeout_problem(timeout: &Bound<'_, Timeout>, function: &Bound<'_, PyAny>) -> Option<Problem> {
    match kind(function) {
        Kind::Generator | Kind::AsyncGenerator => Some(refuse(function, TIMES_NO_GENERATOR)),
        Kind::Coroutine if timeout.get().pooled() => Some(refuse(
            function,
            "is a coroutine function, which is cancelled in time: it needs no thread (pool=None)",
        )),
        _ => None,
    }
}

/// Why policy number `at`, which may make several calls of one, can't be where it is, if it can't.
fn pool_problem(
    policies: &Bound<'_, PyTuple>,
    at: usize,
    text: &dyn Fn() -> String,
    what: &str,
) -> Option<Problem> {
    let outer = policies.iter().take(at).find(pooled)?;
    let kind = if outer.cast::<Timeout>().is_ok() { "timeout" } else { "bulkhead" };
    let rule = format!(
        "is inside of a {kind} with threads of its own, which limits one call: put the {kind} \
         inside of the {what}"
    );
    Some(Problem::new(format!("policies[{at}]"), text(), rule))
}

/// What no composition may have, alone or on `function`.
pub fn check(
    policies: &Bound<'_, PyTuple>,
    function: Option<&Bound<'_, PyAny>>,
    subject: &dyn Fn() -> String,
) -> PyResult<()> {
    let py = policies.py();
    // Those that lie further in, under other layers.
    let inside = function.map(policies_inside).unwrap_or_default();
    let mut problems = Vec::new();
    if policies.len() > MAX_STEPS {
        problems.push(Problem::new(
            "policies",
            policies.len(),
            format!("are too many: a call passes at most {MAX_STEPS}"),
        ));
    }
    for (at, policy) in policies.iter().enumerate() {
        let text = || policy.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
        if let Ok(breaker) = policy.cast::<Breaker>() {
            problems.extend(function.and_then(|function| breaker.get().key_problem(function)));
        } else if let Ok(limit) = policy.cast::<RateLimit>() {
            problems.extend(function.and_then(|function| limit.get().key_problem(function)));
            let mut outer =
                policies.iter().take(at).filter_map(|it| it.cast_into::<Timeout>().ok());
            if limit.get().waits() && outer.any(|it| it.get().pooled()) {
                let rule = "waits, inside of a timeout with threads of its own, which does not \
                            count the time until a call is let in: put the timeout inside of it";
                problems.push(Problem::new(format!("policies[{at}]"), text(), rule));
            }
        } else if policy.cast::<Retry>().is_ok() {
            problems.extend(pool_problem(policies, at, &text, "retry"));
        } else if let Ok(fallback) = policy.cast::<Fallback>() {
            problems
                .extend(function.map(|it| fallback.get().problems_with(it)).unwrap_or_default());
            problems.extend(pool_problem(policies, at, &text, "fallback"));
        } else if let Ok(bulkhead) = policy.cast::<Bulkhead>() {
            problems.extend(function.and_then(|function| bulkhead.get().key_problem(function)));
            if bulkhead.get().pooled() {
                let plain = |function: &&Bound<'_, PyAny>| kind(function) == Kind::Plain;
                let other = function.filter(|function| !plain(function));
                problems.extend(other.map(|function| refuse(function, RUNS_ONLY_PLAIN)));
                let others = policies.iter().enumerate().filter(|(other, _)| *other != at);
                if others.map(|(_, other)| other).any(|other| pooled(&other)) {
                    let rule = "has threads of its own, and so has another policy here: a call \
                                runs in one";
                    problems.push(Problem::new(format!("policies[{at}]"), text(), rule));
                }
            }
            let outer = policies.iter().take(at);
            if outer.filter_map(|it| it.cast_into::<Timeout>().ok()).any(|it| it.get().pooled()) {
                let rule = "is inside of a timeout with threads of its own, which does not count \
                            the time until a call is let in: put the timeout inside of the bulkhead";
                problems.push(Problem::new(format!("policies[{at}]"), text(), rule));
            }
        } else if policy.cast::<Hedge>().is_ok() {
            problems.extend(function.and_then(Hedge::problem));
        } else if let Ok(timeout) = policy.cast::<Timeout>() {
            problems.extend(function.and_then(|function| timeout_problem(timeout, function)));
        } else {
            problems.push(Problem::new(format!("policies[{at}]"), text(), "is not a policy"));
            continue;
        }
        if policies.iter().take(at).any(|other| other.is(&policy))
            || inside.iter().any(|other| other.is(&policy))
        {
            problems.push(Problem::new(
                format!("policies[{at}]"),
                text(),
                "is there twice: one call would be counted as two",
            ));
        }
    }
    if !problems.is_empty() {
        return Err(config_error(py, &subject(), problems));
    }
    Ok(())
}

/// What `subject` can't do with a function.
pub fn refused(subject: &Bound<'_, PyAny>, problem: Problem) -> PyErr {
    let text = subject.repr().map_or_else(|_| "guard".to_owned(), |text| text.to_string());
    config_error(subject.py(), &text, vec![problem])
}
