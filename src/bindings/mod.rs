//! The native extension `seawall._core`: the only room that names the interpreter.
//!
//! | room | what it holds |
//! |---|---|
//! | [`gate`] | the one word a call looks at before it takes the fast path |
//! | [`step`], [`plan`], [`cell`] | the policies of a protected call, in order; how a call passes them; where that is kept |
//! | [`call`], [`coroutine`], [`generator`], [`async_generator`], [`block`] | the drivers, one a kind of call: they run plans and know no policy |
//! | [`adopt`], [`deferred`], [`held`], [`busy`], [`stop`] | what drivers have in common |
//! | [`protected`], [`function`], [`layers`], [`decorate`], [`compose`], [`anchor`], [`guard`] | what wraps a function, which functions can be wrapped, what lies inside them, how they are wrapped, which order of policies is odd, what keeps them so elsewhere, and what wraps them |
//! | [`context`], [`clock`], [`agenda`], [`listeners`], [`random`], [`outcome`], [`rules`], [`convert`], [`failures`] | the edges: time, results, settings, errors |
//! | [`again`], [`wait`], [`last`], [`errand`] | calls that are made more than once, what passes between, and what is kept meanwhile; calls that are made in another thread |
//! | [`admission`] | calls that wait before they are let in |
//! | [`keys`] | policies with a state for each key |
//! | [`canonical`], [`codecs`] | values in their canonical forms, hashed; results as bytes, and back |
//! | [`breaker`], [`budget`], [`bulkhead`], [`fallback`], [`hedge`], [`rate_limit`], [`retry`], [`timeout`] | one room a policy |
//! | [`stores`] | stores of records: what they are asked and answer, and how their answers reach an event loop |
//! | [`idempotency`] | the usual way of a call through an idempotent operation |
//! | [`native`], [`pool`], [`alone`] | heap types made by hand, for what `#[pyclass]` cannot express; the memory of their dead; a value under the global lock |

mod admission;
mod adopt;
mod again;
mod agenda;
mod alone;
mod anchor;
mod async_generator;
mod block;
mod breaker;
mod budget;
mod bulkhead;
mod busy;
mod call;
mod canonical;
mod cell;
mod clock;
mod codecs;
mod compose;
mod context;
mod convert;
mod coroutine;
mod decorate;
mod deferred;
mod errand;
mod failures;
mod fallback;
mod function;
mod gate;
mod generator;
mod guard;
mod hedge;
mod held;
mod idempotency;
mod keys;
mod last;
mod layers;
mod listeners;
mod native;
mod outcome;
mod plan;
mod pool;
mod protected;
mod random;
mod rate_limit;
mod retry;
mod rules;
mod step;
mod stop;
mod stores;
mod timeout;
mod wait;

use pyo3::prelude::*;

/// The compiled part of seawall. Import `seawall` instead.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    native::main_interpreter_only(py)?;
    plan::register(py)?;
    protected::register(module)?;
    coroutine::register(module)?;
    generator::register(module)?;
    async_generator::register(module)?;
    guard::register(module)?;
    module.add_class::<adopt::Settler>()?;
    module.add_class::<breaker::Breaker>()?;
    module.add_class::<budget::Budget>()?;
    module.add_class::<bulkhead::Bell>()?;
    module.add_class::<bulkhead::Bulkhead>()?;
    module.add_class::<fallback::Fallback>()?;
    module.add_class::<clock::TestClock>()?;
    module.add_class::<clock::Call>()?;
    module.add_class::<hedge::Flight>()?;
    module.add_class::<hedge::Hedge>()?;
    module.add_class::<hedge::Hedged>()?;
    module.add_class::<hedge::Race>()?;
    module.add_class::<outcome::Outcome>()?;
    module.add_class::<random::TestRandom>()?;
    module.add_class::<rate_limit::RateLimit>()?;
    module.add_class::<retry::Retry>()?;
    module.add_class::<retry::Run>()?;
    module.add_class::<rules::Rules>()?;
    module.add_function(wrap_pyfunction!(clock::test_clock, module)?)?;
    module.add_function(wrap_pyfunction!(clock::wall, module)?)?;
    module.add_function(wrap_pyfunction!(listeners::listening, module)?)?;
    idempotency::register(module)?;
    stores::register(module)?;
    timeout::register(module)?;
    canonical::register(module)?;
    codecs::register(module)?;
    module.add_function(wrap_pyfunction!(guard::arrived, module)?)?;
    module.add_function(wrap_pyfunction!(hedge::observed, module)?)?;
    module.add_function(wrap_pyfunction!(outcome::arrived, module)?)?;
    module.add("RELEASE", !cfg!(debug_assertions))?;
    Ok(())
}
