//! Half-open: probes, their leases, and what they decide.

use super::*;

/// A half-open circuit begins at the first call that is due, not before, and reading begins none.
#[test]
fn half_open_begins_lazily() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(1), ..draft() });
    circuit.call(Failure);
    circuit.clock.advance(OPEN - 1);
    assert_eq!(circuit.refused().retry_after, Some(1));
    circuit.clock.advance(1);
    assert_eq!(circuit.breaker.state(), State::Open);
    assert_eq!(circuit.breaker.retry_after(circuit.clock.now()), Some(0));
    let Admission::HalfOpened(transition, Ok(ticket)) = circuit.breaker.acquire(&circuit.clock)
    else {
        panic!("it is due")
    };
    assert_eq!((transition.from, transition.to), (State::Open, State::HalfOpen));
    assert_eq!((transition.cause, ticket.generation()), (Cause::Due, transition.generation));
    assert!(ticket.probe());
    assert_eq!(circuit.snapshot().time_open, OPEN);
}

fn half_open(draft: &Draft) -> Circuit {
    let circuit = Circuit::new(draft);
    let mut opened = None;
    while opened.is_none() {
        opened = circuit.call(Failure);
    }
    circuit.clock.advance(OPEN);
    circuit
}

/// No more probes than permits; one that comes back neutral neither opens nor closes, and its
/// permit is there again.
#[test]
fn neutral_probes_give_their_permit_back() {
    let circuit = half_open(&Draft { half_open_calls: Some(2), ..draft() });
    for verdict in [Ignored, Cancelled] {
        let (first, second) = (circuit.enter(), circuit.enter());
        let full = Rejection { state: State::HalfOpen, retry_after: Some(0) };
        assert_eq!(circuit.refused(), full);
        assert_eq!(circuit.leave(first, verdict, 0), Settled::Stays);
        let third = circuit.enter();
        assert_eq!(circuit.refused(), full);
        for ticket in [second, third] {
            assert_eq!(circuit.leave(ticket, verdict, 0), Settled::Stays);
        }
    }
    assert_eq!(circuit.breaker.state(), State::HalfOpen);
    assert_eq!(circuit.snapshot().in_flight, 0);
}

/// Without a success threshold the rate judges a sample, as soon as it is certain.
#[test]
fn sample_decides() {
    let draft = Draft { half_open_calls: Some(4), ..draft() };
    let circuit = half_open(&draft);
    assert_eq!(circuit.calls(&[Success, Failure, Success]), None);
    let closed = circuit.call(Success).unwrap();
    assert_eq!((closed.to, closed.cause), (State::Closed, Cause::Recovered));
    assert_eq!((closed.calls, closed.failure_rate), (4, Some(0.25)));

    let circuit = half_open(&draft);
    assert_eq!(circuit.call(Failure), None);
    let opened = circuit.call(Failure).unwrap();
    assert_eq!((opened.from, opened.cause), (State::HalfOpen, Cause::Probe));
}

/// With a success threshold that many successes close, and one failure re-opens.
#[test]
fn success_threshold_decides() {
    let draft = Draft { half_open_calls: Some(1), success_threshold: Some(3), ..draft() };
    let circuit = half_open(&draft);
    assert_eq!(circuit.calls(&[Success, Ignored, Success]), None);
    assert_eq!(circuit.call(Success).unwrap().to, State::Closed);

    let circuit = half_open(&draft);
    circuit.calls(&[Success, Success]);
    assert_eq!(circuit.call(Failure).unwrap().to, State::Open);
}

/// Re-openings are counted for the backoff, and closing forgets them.
#[test]
fn reopenings_are_counted() {
    let circuit = half_open(&Draft { failure_threshold: Some(1), ..draft() });
    for reopenings in 1..4 {
        let ticket = circuit.enter();
        let Settled::Trips(trip) = circuit.leave(ticket, Failure, 0) else { panic!("it failed") };
        assert_eq!((trip.reopenings, trip.cause), (reopenings, Cause::Probe));
        circuit.breaker.open(trip, OPEN, circuit.clock.now()).unwrap();
        circuit.clock.advance(OPEN);
    }
    assert_eq!(circuit.calls(&[Success; 3]).unwrap().to, State::Closed);
    let ticket = circuit.enter();
    let Settled::Trips(trip) = circuit.leave(ticket, Failure, 0) else { panic!("it failed") };
    assert_eq!(trip.reopenings, 0);
    assert_eq!(circuit.snapshot().opened_count, 4);
}

/// A probe that is lost can't wedge the circuit, and what it says in the end moves nothing.
#[test]
fn lost_lease_is_late() {
    let circuit = half_open(&Draft { half_open_calls: Some(1), ..draft() });
    let lost = circuit.enter();
    circuit.clock.advance(60 * SECOND - 1_000);
    assert_eq!(circuit.refused().retry_after, Some(0));
    circuit.clock.advance(1_000);
    let probe = circuit.enter();
    assert_eq!(circuit.leave(lost, Failure, 0), Settled::Late);
    let Settled::Moved(closed) = circuit.leave(probe, Success, 0) else { panic!("it recovered") };
    assert_eq!(closed.to, State::Closed);
    assert_eq!(circuit.snapshot().counts.late, 1);
}

/// A lease that was given back and taken again is another, also while the clock stands still: who
/// held it before neither rides on it nor gives it back. It lasts as long as every other.
#[test]
fn leases_are_never_the_same_twice() {
    let circuit = half_open(&Draft { half_open_calls: Some(1), ..draft() });
    let mut before = Vec::new();
    for _ in 0..100 {
        let probe = circuit.enter();
        assert!(before.iter().all(|old: &Ticket| !old.same(&probe)));
        assert!(before.iter().all(|old| circuit.breaker.ride(old).is_none()));
        let inside = circuit.breaker.ride(&probe).expect("it stands");
        assert_eq!(circuit.leave(inside, Ignored, 0), Settled::Stays);
        assert_eq!(circuit.leave(probe, Ignored, 0), Settled::Stays);
        assert!(circuit.breaker.ride(&probe).is_none());
        before.push(probe);
    }
    let last = circuit.enter();
    assert_eq!(circuit.leave(before[0], Failure, 0), Settled::Late);
    assert_eq!(circuit.refused().retry_after, Some(0));
    circuit.clock.advance(60 * SECOND + 100_000);
    assert!(!circuit.enter().same(&last));
}

/// A few times within one instant: the lease still ends on the dot.
#[test]
fn a_lease_taken_again_at_once_is_no_longer() {
    let circuit = half_open(&Draft { half_open_calls: Some(1), ..draft() });
    for _ in 0..3 {
        circuit.call(Ignored);
    }
    let _lost = circuit.enter();
    circuit.clock.advance(60 * SECOND - 1_000);
    assert_eq!(circuit.refused().retry_after, Some(0));
    circuit.clock.advance(1_000);
    circuit.enter();
}

/// More probes than before: those that are out keep their permits, and count among the more.
#[test]
fn reconfigured_probes_go_on() {
    let probes = |count| Draft { half_open_calls: Some(count), ..draft() };
    let circuit = half_open(&probes(3));
    let old = circuit.enter();
    let now = circuit.clock.now();
    let breaker = circuit.breaker.reconfigured(settings(&probes(9)), now);
    for _ in 1..9 {
        assert!(matches!(breaker.acquire(&circuit.clock), Admission::Admitted(_)));
    }
    assert!(matches!(breaker.acquire(&circuit.clock), Admission::Rejected(_)));
    assert_eq!(breaker.settle(old, Ignored, 0, &circuit.clock), Settled::Stays);
    assert!(matches!(breaker.acquire(&circuit.clock), Admission::Admitted(_)));
}

/// A call inside of a probe's is part of the probe: it takes no permit, decides nothing, and is let
/// in only while the probe's lease stands.
#[test]
fn calls_inside_a_probe_ride() {
    let circuit = half_open(&Draft { half_open_calls: Some(1), ..draft() });
    let probe = circuit.enter();
    let inside = circuit.breaker.ride(&probe).unwrap();
    let deeper = circuit.breaker.ride(&probe).unwrap();
    assert!(circuit.breaker.ride(&inside).is_none(), "only a probe is ridden on");
    assert_eq!(circuit.leave(deeper, Failure, 0), Settled::Stays);
    assert_eq!(circuit.leave(inside, Success, 0), Settled::Stays);
    assert_eq!(circuit.breaker.state(), State::HalfOpen);
    assert_eq!(circuit.snapshot().in_flight, 1);
    assert!(matches!(circuit.leave(probe, Success, 0), Settled::Moved(_)));
    assert!(circuit.breaker.ride(&probe).is_none());
}
