//! What every backend must do. A backend proves itself by passing all of it, unchanged.
//!
//! It is given as a [`Place`]: how to open it, and how time passes there. [`conforms!`] makes a test
//! of each case.

pub mod claims;
pub mod crowds;
pub mod ends;
pub mod histories;
pub mod keeping;

use seawall::stores::idempotency::{Claim, Hold, Reply, Terms, Verb};
use seawall::stores::record::{Owner, Payload, StateName};
use seawall::stores::{Address, Micros, Prefix, Store};
use std::num::NonZeroU128;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How long a test waits for an answer: longer than any takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A store of its own for each test, and its time.
pub trait Place: Send + Sync {
    /// The store, as one more process would open it.
    fn open(&self) -> Arc<Store>;
    /// The length of time that tests count in. No test takes one for its own work.
    fn unit(&self) -> Micros;
    /// Time passes, for the store and all who use it.
    fn pass(&self, time: Micros);
    /// Somebody sets this machine's date.
    fn set_date(&self, date: Micros);
}

/// One key of one store, and who uses it.
pub struct Bench<'a> {
    pub place: &'a dyn Place,
    pub store: Arc<Store>,
    pub terms: Terms,
    pub key: Address,
}

pub fn address(key: &[u8]) -> Address {
    Address::new("app", "pay", key).unwrap()
}

pub fn everything() -> Prefix {
    Prefix::default()
}

pub fn kept(text: &str) -> Payload {
    Payload::within(1 << 20, 1, text.as_bytes())
}

/// A number that no other call has.
pub fn new_owner() -> Owner {
    static LAST: AtomicU64 = AtomicU64::new(1);
    Owner(NonZeroU128::MIN.saturating_add(LAST.fetch_add(1, Relaxed).into()))
}

/// A lease of 10 units, renewed up to 30, remembered for 100; three attempts.
pub fn terms(place: &dyn Place) -> Terms {
    let unit = place.unit();
    Terms { lease: 10 * unit, max_lease: 30 * unit, ttl: 100 * unit, ..Terms::default() }
}

impl<'a> Bench<'a> {
    pub fn new(place: &'a dyn Place) -> Self {
        Self { place, store: place.open(), terms: terms(place), key: address(b"key") }
    }

    pub fn ask(&self, verb: Verb) -> Reply {
        self.store.step(&self.key, verb, PATIENCE).unwrap()
    }

    pub fn claim_as(&self, owner: Owner) -> Reply {
        let claim = Claim { owner, fingerprint: Some([7; 32]), terms: self.terms };
        self.ask(Verb::Claim(claim))
    }

    pub fn claim(&self) -> Reply {
        self.claim_as(new_owner())
    }

    /// A claim that must be given.
    #[track_caller]
    pub fn hold(&self) -> Hold {
        let owner = new_owner();
        match self.claim_as(owner) {
            Reply::Owned { fence, .. } => Hold { owner, fence },
            other => panic!("not given: {other:?}"),
        }
    }

    /// Units of time pass.
    pub fn pass(&self, units: Micros) {
        self.place.pass(units * self.place.unit());
    }

    pub fn state(&self) -> Option<StateName> {
        let record = self.store.get(&self.key, PATIENCE).unwrap();
        record.map(|record| record.state.name())
    }
}

/// A test of each case, for the place that `$place` makes.
#[macro_export]
macro_rules! conforms {
    ($place:expr; $($room:ident: $($case:ident)+;)+) => {
        $($(
            #[test]
            fn $case() {
                let place = $place;
                $crate::conformance::$room::$case(&place);
            }
        )+)+
    };
    ($place:expr) => {
        $crate::conforms!($place;
            claims: one_runs_and_the_others_hear_how_long
                the_same_owner_is_given_its_claim_again
                another_fingerprint_is_refused
                a_lost_lease_is_taken_over_until_attempts_are_used_up
                a_lost_lease_is_quarantined_where_that_is_wanted
                a_released_key_is_claimed_anew
                a_heartbeat_ends_at_the_cap
                steps_of_the_date_move_nothing;
            ends: an_end_is_replayed_as_it_was_kept
                the_largest_and_the_smallest_result_are_kept
                a_stale_owner_changes_nothing
                a_known_result_is_never_stranded
                an_operator_decides_what_nobody_knows;
            keeping: what_has_expired_is_as_though_it_had_never_been
                a_sweep_removes_what_has_expired_and_nothing_else
                keys_are_told_apart
                records_are_listed_a_stretch_at_a_time
                a_closed_store_says_so;
            crowds: of_a_hundred_duplicates_one_runs
                a_claim_that_nobody_waits_for_is_given_back
                an_answer_is_polled_for
                what_was_answered_is_counted;
            histories: any_history_is_as_the_transitions_say;
        );
    };
}
