//! The file's clock, over boots and dates.

use crate::conformance::{PATIENCE, Place, address, kept, new_owner, terms};
use crate::place::Virtual;
use crate::{File, claim};
use seawall::stores::idempotency::{Claim, Reply, Verb};
use seawall::stores::registry::open;

/// After a boot the monotonic clock begins anew: the store's goes on from the date, and never
/// back, whatever the date is then. Leases end, ends are replayed, fences grow.
#[test]
fn the_clock_goes_on_after_a_boot() {
    for (date, back) in [(1_790_000_020, false), (0, true)] {
        let mut place = File::new("durability=full");
        let store = place.store("");
        let lost = claim(&place, &store, b"lost").unwrap();
        let ended = claim(&place, &store, b"ended").unwrap();
        let end = Verb::Complete(ended, kept("before"));
        assert_eq!(store.step(&address(b"ended"), end, PATIENCE), Ok(Reply::Done));
        drop(store);
        place.time = Virtual::booted("second", date);
        let store = place.store("");
        if back {
            // A clock without a battery: nothing ended while the power was off, that is all.
            store.get(&address(b"lost"), PATIENCE).unwrap();
            place.pass(10 * place.unit());
        }
        let next = claim(&place, &store, b"lost").unwrap();
        assert!(next.fence > lost.fence, "{} after {}", next.fence, lost.fence);
        let again = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
        let reply = store.step(&address(b"ended"), Verb::Claim(again), PATIENCE).unwrap();
        assert!(matches!(reply, Reply::Replay(_)), "{reply:?}");
        place.pass(100 * place.unit());
        claim(&place, &store, b"ended").unwrap();
    }
}

/// All processes of a boot have one time, also those that were started after the date was set.
#[test]
fn a_boot_has_one_time() {
    let place = File::new("durability=relaxed");
    let first = place.store("");
    claim(&place, &first, b"key").unwrap();
    place.set_date(0);
    let second = place.store("");
    let asked = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
    let reply = second.step(&address(b"key"), Verb::Claim(asked), PATIENCE).unwrap();
    assert_eq!(reply, Reply::InProgress { retry_after: 10 * place.unit() });
}

/// Where the machine does not say which boot it is, fences grow all the same.
#[test]
fn without_a_boot_fences_still_grow() {
    let place = File::new("durability=relaxed");
    let mut machine = place.time.machine();
    machine.boot = None;
    let mut last = 0;
    for date in [1_790_000_000_000_000, 1_000, 2_000] {
        place.set_date(date);
        let store = open(&place.folder.url("durability=relaxed"), &machine).unwrap();
        store.get(&address(b"key"), PATIENCE).unwrap();
        place.pass(10 * place.unit());
        let hold = claim(&place, &store, b"key").unwrap();
        assert!(hold.fence > last, "{} after {last}", hold.fence);
        last = hold.fence;
    }
}
