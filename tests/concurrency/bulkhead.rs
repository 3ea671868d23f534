//! The bulkhead under every interleaving of a few threads.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test bulkhead_loom`. Those that say
//! `bounded` try schedules of at most so many preemptions, or of `LOOM_MAX_PREEMPTIONS`.
#![cfg(loom)]

mod schedules;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use seawall::policies::bulkhead::{Bulkhead, Entry, Left, Permit};
use std::sync::Arc;

use schedules::{bounded, model};

type Bell = Arc<Ring>;

/// Loom's own may wake whoever waits for no reason, once.
#[derive(Debug)]
struct Ring {
    rung: AtomicU64,
    notify: Notify,
}

impl Ring {
    fn bell() -> Bell {
        Arc::new(Self { rung: AtomicU64::new(0), notify: Notify::new() })
    }

    fn notify(&self) {
        self.rung.store(1, Ordering::SeqCst);
        self.notify.notify();
    }

    fn wait(&self) {
        while self.rung.load(Ordering::SeqCst) == 0 {
            self.notify.wait();
        }
    }
}

/// A bulkhead, and how many are in as those who are in see it.
struct Room {
    bulkhead: Bulkhead<Bell>,
    inside: AtomicU64,
}

impl Room {
    fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self { bulkhead: Bulkhead::new(limit), inside: AtomicU64::new(0) })
    }

    /// Inside with a permit, and out again.
    fn work(&self, permit: Permit, most: u64) {
        let others = self.inside.fetch_add(1, Ordering::SeqCst);
        assert!(others < most, "{} are in, and {most} may be", others + 1);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.out(permit);
    }

    fn out(&self, permit: Permit) {
        if let Some(bell) = self.bulkhead.exit(permit) {
            bell.notify();
        }
    }

    /// A call that waits as long as it takes.
    fn call(&self, most: u64) {
        if let Some(permit) = self.bulkhead.admit() {
            return self.work(permit, most);
        }
        let bell = Ring::bell();
        match self.bulkhead.enter(9, || Arc::clone(&bell)) {
            Entry::In(permit) => self.work(permit, most),
            Entry::Queued(number) => {
                bell.wait();
                match self.bulkhead.leave(number) {
                    Left::Granted(permit) => self.work(permit, most),
                    other => panic!("woken without a permit: {}", name(&other)),
                }
            }
            Entry::Full => panic!("the queue is not full"),
        }
    }

    /// A call that gives up as soon as it waits.
    fn impatient(&self, most: u64) {
        if let Some(permit) = self.bulkhead.admit() {
            return self.work(permit, most);
        }
        let bell = Ring::bell();
        match self.bulkhead.enter(9, || Arc::clone(&bell)) {
            Entry::In(permit) => self.work(permit, most),
            Entry::Queued(number) => match self.bulkhead.leave(number) {
                Left::Granted(permit) => self.out(permit),
                Left::Gone(_) => {}
                Left::Lost => panic!("nobody has forked"),
            },
            Entry::Full => panic!("the queue is not full"),
        }
    }

    /// Nobody is in or waits, and all permits are there.
    fn at_rest(&self, limit: u32) {
        assert_eq!((self.bulkhead.in_use(), self.bulkhead.waiting()), (0, 0));
        let all: Vec<_> = std::iter::from_fn(|| self.bulkhead.admit()).collect();
        assert_eq!(all.len(), limit as usize);
        assert!(all.into_iter().all(|permit| self.bulkhead.give_back(permit)));
    }
}

fn name<W>(left: &Left<W>) -> &'static str {
    match left {
        Left::Granted(_) => "granted",
        Left::Gone(_) => "gone",
        Left::Lost => "lost",
    }
}

fn together(room: &Arc<Room>, others: &[fn(&Room)], me: fn(&Room)) {
    let threads: Vec<_> = others
        .iter()
        .map(|act| {
            let (room, act) = (Arc::clone(room), *act);
            thread::spawn(move || act(&room))
        })
        .collect();
    me(room);
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Never more than one is in, whoever waits is let in, and the permit comes back.
#[test]
fn one_at_a_time() {
    model(|| {
        let room = Room::new(1);
        together(&room, &[|room| room.call(1)], |room| room.call(1));
        room.at_rest(1);
    });
}

/// As before, with a queue of more than one.
#[test]
fn one_at_a_time_of_three() {
    bounded(3, || {
        let room = Room::new(1);
        together(&room, &[|room| room.call(1), |room| room.call(1)], |room| room.call(1));
        room.at_rest(1);
    });
}

/// A waiter that gives up in the moment in which it is granted loses nothing.
#[test]
fn no_permit_is_lost_to_a_grant_and_a_cancellation() {
    model(|| {
        let room = Room::new(1);
        together(&room, &[|room| room.impatient(1)], |room| room.call(1));
        room.at_rest(1);
    });
}

/// What the one that gives up was granted goes to the next.
#[test]
fn what_was_granted_to_one_that_left_goes_to_the_next() {
    bounded(3, || {
        let room = Room::new(1);
        together(&room, &[|room| room.impatient(1), |room| room.call(1)], |room| room.call(1));
        room.at_rest(1);
    });
}

/// Whoever came first is let in first, also where others give up and permits come back meanwhile.
#[test]
fn first_come_first_served() {
    model(|| {
        let room = Room::new(1);
        let permit = room.bulkhead.admit().unwrap();
        let bells: [Bell; 3] = std::array::from_fn(|_| Ring::bell());
        let numbers: Vec<_> = bells
            .iter()
            .map(|bell| match room.bulkhead.enter(9, || Arc::clone(bell)) {
                Entry::Queued(number) => number,
                _ => panic!("one is in"),
            })
            .collect();
        let (leaving, first) = (Arc::clone(&room), numbers[0]);
        let leaves = thread::spawn(move || match leaving.bulkhead.leave(first) {
            Left::Granted(permit) => leaving.out(permit),
            Left::Gone(_) => {}
            Left::Lost => panic!("nobody has forked"),
        });
        room.out(permit);
        leaves.join().unwrap();
        // Whichever way the permit took, the second has it now, and the third does not.
        let Left::Granted(permit) = room.bulkhead.leave(numbers[1]) else { panic!("overtaken") };
        assert_eq!(room.bulkhead.waiting(), 1);
        room.out(permit);
        let Left::Granted(permit) = room.bulkhead.leave(numbers[2]) else { panic!("forgotten") };
        room.out(permit);
        room.at_rest(1);
    });
}

/// A limit that rises lets in who waits, and one that falls drains: nobody waits for ever, and in the
/// end there are as many permits as there should be.
#[test]
fn resized_while_calls_come_and_go() {
    bounded(3, || {
        let room = Room::new(1);
        let resize: fn(&Room) = |room| {
            for bell in room.bulkhead.resize(2) {
                bell.notify();
            }
        };
        together(&room, &[|room| room.call(2), resize], |room| room.call(2));
        room.at_rest(2);
    });
    bounded(3, || {
        let room = Room::new(2);
        let resize: fn(&Room) = |room| {
            for bell in room.bulkhead.resize(1) {
                bell.notify();
            }
        };
        together(&room, &[|room| room.call(2), resize], |room| room.call(2));
        room.at_rest(1);
    });
}

/// Two permits, three calls: the bound holds, and the third is let in by whoever comes out first.
#[test]
fn never_more_than_two() {
    bounded(2, || {
        let room = Room::new(2);
        together(&room, &[|room| room.call(2), |room| room.call(2)], |room| room.call(2));
        room.at_rest(2);
    });
}
