//! Many at once, and callers that go away.

use super::{Bench, PATIENCE, Place, kept, new_owner};
use seawall::stores::idempotency::{Claim, Reply, Verb};
use seawall::stores::{Answer, Counted, Op};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// A hundred calls of one operation at once, half by threads that block and half that are polled,
/// over two handles: one is given the claim, and when it has completed all others hear its result.
pub fn of_a_hundred_duplicates_one_runs(place: &dyn Place) {
    let bench = Bench::new(place);
    let handles = [Arc::clone(&bench.store), place.open()];
    let (start, ended) = (Barrier::new(100), Barrier::new(100));
    let runs = AtomicU32::new(0);
    let replays = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for caller in 0..100_usize {
            let (bench, handles, start, ended) = (&bench, &handles, &start, &ended);
            let (runs, replays) = (&runs, &replays);
            scope.spawn(move || {
                let owner = new_owner();
                let claim = Claim { owner, fingerprint: None, terms: bench.terms };
                let op = Op::Step(bench.key.clone(), Verb::Claim(claim));
                let store = &handles[caller % 2];
                start.wait();
                let answer = if caller % 4 < 2 {
                    store.call(op.clone(), PATIENCE)
                } else {
                    store.submit(op.clone()).wait(PATIENCE)
                };
                match answer.unwrap() {
                    Answer::Reply(Reply::Owned { fence, .. }) => {
                        let run = runs.fetch_add(1, SeqCst).to_string();
                        let hold = seawall::stores::idempotency::Hold { owner, fence };
                        let end = Verb::Complete(hold, kept(&run));
                        assert_eq!(store.step(&bench.key, end, PATIENCE).unwrap(), Reply::Done);
                    }
                    Answer::Reply(Reply::InProgress { .. } | Reply::Replay(_)) => {}
                    other => panic!("{other:?}"),
                }
                ended.wait();
                let Answer::Reply(Reply::Replay(ended)) = store.call(op, PATIENCE).unwrap() else {
                    panic!("not replayed")
                };
                replays.lock().unwrap().push(ended.payload);
            });
        }
    });
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(replays.into_inner().unwrap(), vec![kept("0"); 100]);
}

/// Whoever stops waiting for a claim does not keep it: it is released when it is given.
pub fn a_claim_that_nobody_waits_for_is_given_back(place: &dyn Place) {
    let bench = Bench::new(place);
    for _ in 0..20 {
        let claim = Claim { owner: new_owner(), fingerprint: Some([7; 32]), terms: bench.terms };
        drop(bench.store.submit(Op::Step(bench.key.clone(), Verb::Claim(claim))));
    }
    // Each is released as soon as it is given: no lease has to run out.
    let mut looks = 0;
    loop {
        match bench.claim() {
            Reply::Owned { .. } => break,
            Reply::InProgress { .. } => looks += 1,
            other => panic!("{other:?}"),
        }
        assert!(looks < 100_000, "a claim was not given back");
        std::thread::yield_now();
    }
}

/// A waker that counts.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: std::sync::Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// A task that polls is woken when the answer is there, and has it once.
pub fn an_answer_is_polled_for(place: &dyn Place) {
    let bench = Bench::new(place);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    let mut pending = Box::pin(bench.store.submit(Op::Get(bench.key.clone())));
    let answer = loop {
        match pending.as_mut().poll(&mut context) {
            Poll::Ready(answer) => break answer,
            Poll::Pending => {
                let rung = bell.rung.lock().unwrap();
                let (mut rung, late) =
                    bell.changed.wait_timeout_while(rung, PATIENCE, |rung| !*rung).unwrap();
                assert!(!late.timed_out(), "nobody woke it");
                *rung = false;
            }
        }
    };
    assert_eq!(answer, Ok(Answer::Record(None)));
}

/// What was answered is counted, stale owners above all.
pub fn what_was_answered_is_counted(place: &dyn Place) {
    let bench = Bench::new(place);
    let old = bench.hold();
    bench.claim();
    bench.pass(10);
    let new = bench.hold();
    bench.ask(Verb::Complete(old, kept("late")));
    bench.ask(Verb::Complete(new, kept("good")));
    bench.ask(Verb::Complete(old, kept("late")));
    bench.claim();
    let expected = Counted {
        owned: 2,
        taken_over: 1,
        in_progress: 1,
        replayed: 1,
        settled: 1,
        stale: 2,
        ..Counted::default()
    };
    assert_eq!(bench.store.counted(), expected);
}
