//! A timer wheel of seven levels.
//!
//! Time is cut into ticks of [`GRAIN`]. A level has 64 slots; a slot of level `n` is 64ⁿ ticks
//! wide. An alarm lies in the lowest level in which its tick and the present differ, and comes one
//! level down each time that its slot begins, until it lies in a slot of one tick (Varghese and
//! Lauck, 1987, scheme 7). Setting one and taking it off are O(1), whatever the number of alarms.
//!
//! Invariants: no alarm rings early, none later than a grain after its time, if asked at its time;
//! all that lie in a level are earlier than all that lie in the next; alarms keep their memory for
//! the next ones, so that nothing is allocated but for more alarms than there ever were at once.

use crate::time::{Nanos, SECOND};

/// How exact an alarm is: it rings in the first millisecond that begins at its time or after it.
pub const GRAIN: Nanos = SECOND / 1000;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 7;
/// The last tick that has a slot: 139 years after the clock's origin.
const LAST: u64 = (1 << (BITS * 7)) - 1;
/// Room for so many alarms is kept when the last one is gone.
const KEPT: usize = 1024;
const NONE: u32 = u32::MAX;

/// Names an alarm from when it is set until it is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nobody's; the next one that is free follows.
    Free,
    /// Waits in this slot, counted through all levels.
    Slot(u16),
    /// Has rung, and is to be taken off by whoever set it.
    Rung,
}

#[derive(Debug)]
struct Alarm<T> {
    value: Option<T>,
    tick: u64,
    previous: u32,
    next: u32,
    generation: u32,
    place: Place,
}

/// Alarms, each with a value for whoever hears it.
#[derive(Debug)]
pub struct Wheel<T> {
    alarms: Vec<Alarm<T>>,
    free: u32,
    /// How many are set, those that have rung among them.
    set: usize,
    /// The first of each slot. Those of a slot form a ring.
    heads: [u32; LEVELS * SLOTS],
    /// Which slots of a level hold anything.
    occupied: [u64; LEVELS],
    /// The present: nothing that waits is earlier.
    tick: u64,
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Wheel<T> {
    /// A wheel without alarms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            alarms: Vec::new(),
            free: NONE,
            set: 0,
            heads: [NONE; LEVELS * SLOTS],
            occupied: [0; LEVELS],
            tick: 0,
        }
    }

    /// Sets an alarm for the time `at`. `now` may be a little old, never ahead.
    ///
    /// # Panics
    /// Beyond 2³² alarms at once.
    pub fn arm(&mut self, at: Nanos, now: Nanos, value: T) -> Key {
        if self.is_still() {
            self.tick = self.tick.max(now / GRAIN);
        }
        let index = self.take();
        let alarm = &mut self.alarms[index as usize];
        alarm.value = Some(value);
        alarm.tick = at.div_ceil(GRAIN).min(LAST);
        let key = Key { index, generation: alarm.generation };
        self.set += 1;
        self.link(index);
        key
    }

    /// Takes an alarm off, rung or not. Gives back its value; `None`: it was taken off already.
    pub fn disarm(&mut self, key: Key) -> Option<T> {
        self.find(key)?;
        if let Place::Slot(_) = self.alarms[key.index as usize].place {
            self.unlink(key.index);
        }
        let alarm = &mut self.alarms[key.index as usize];
        alarm.place = Place::Free;
        alarm.generation = alarm.generation.wrapping_add(1);
        alarm.next = self.free;
        self.free = key.index;
        self.set -= 1;
        alarm.value.take()
    }

    /// Has it rung?
    #[must_use]
    pub fn has_rung(&self, key: Key) -> bool {
        self.find(key).is_some_and(|alarm| alarm.place == Place::Rung)
    }

    /// Lets the next alarm ring whose time has come by `now`, and shows its value. Ask until there
    /// is none: those of an earlier tick come first.
    pub fn ring(&mut self, now: Nanos) -> Option<&T> {
        let present = now / GRAIN;
        while let Some((level, slot, start)) = self.first() {
            if start > present {
                break;
            }
            self.tick = self.tick.max(start);
            let place = level * SLOTS + slot;
            if level == 0 {
                let index = self.heads[place];
                self.unlink(index);
                let alarm = &mut self.alarms[index as usize];
                alarm.place = Place::Rung;
                return alarm.value.as_ref();
            }
            self.spread(place);
        }
        self.tick = self.tick.max(present);
        None
    }

    /// When to ask for the next one: never after its time, and before it only to sort the alarms of
    /// a wide slot. `None`: nothing waits.
    #[must_use]
    pub fn due(&self) -> Option<Nanos> {
        self.first().map(|(_, _, start)| start * GRAIN)
    }

    /// Does nothing wait?
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.occupied == [0; LEVELS]
    }

    /// How many alarms are set, those among them that have rung and were not taken off.
    #[must_use]
    pub fn len(&self) -> usize {
        self.set
    }

    /// Is no alarm set?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set == 0
    }

    /// Gives back the memory of a time when there were many. Does nothing while any is set.
    pub fn trim(&mut self) {
        if self.set == 0 && self.alarms.capacity() > KEPT {
            *self = Self { tick: self.tick, ..Self::new() };
        }
    }

    /// For how many alarms there is room.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.alarms.capacity()
    }

    fn find(&self, key: Key) -> Option<&Alarm<T>> {
        self.alarms
            .get(key.index as usize)
            .filter(|alarm| alarm.generation == key.generation && alarm.place != Place::Free)
    }

    fn take(&mut self) -> u32 {
        if self.free == NONE {
            let index = u32::try_from(self.alarms.len()).unwrap_or(NONE);
            assert!(index != NONE, "too many alarms");
            self.alarms.push(Alarm {
                value: None,
                tick: 0,
                previous: NONE,
                next: NONE,
                generation: 0,
                place: Place::Free,
            });
            return index;
        }
        let index = self.free;
        self.free = self.alarms[index as usize].next;
        index
    }

    /// The first slot that holds anything, and the tick at which it begins.
    fn first(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        let slot = self.occupied[level].trailing_zeros() as usize;
        let shift = BITS * u32::try_from(level).unwrap_or(0);
        let above = self.tick >> (shift + BITS) << (shift + BITS);
        Some((level, slot, above | (slot as u64) << shift))
    }

    /// Puts an alarm into the slot of its tick.
    fn link(&mut self, index: u32) {
        let tick = self.alarms[index as usize].tick.max(self.tick);
        let differs = tick ^ self.tick;
        let level = (differs | 1).ilog2() / BITS;
        let slot = (tick >> (BITS * level) & 63) as usize;
        let place = level as usize * SLOTS + slot;
        let head = self.heads[place];
        if head == NONE {
            self.heads[place] = index;
            self.occupied[level as usize] |= 1 << slot;
            self.join(index, index);
        } else {
            let last = self.alarms[head as usize].previous;
            self.join(last, index);
            self.join(index, head);
        }
        self.alarms[index as usize].place = Place::Slot(u16::try_from(place).unwrap_or(0));
    }

    /// Takes an alarm out of its slot.
    fn unlink(&mut self, index: u32) {
        let Alarm { previous, next, place: Place::Slot(place), .. } = self.alarms[index as usize]
        else {
            return;
        };
        let place = usize::from(place);
        if next == index {
            self.heads[place] = NONE;
            self.occupied[place / SLOTS] &= !(1 << (place % SLOTS));
            return;
        }
        self.join(previous, next);
        if self.heads[place] == index {
            self.heads[place] = next;
        }
    }

    fn join(&mut self, one: u32, other: u32) {
        self.alarms[one as usize].next = other;
        self.alarms[other as usize].previous = one;
    }

    /// Puts the alarms of a slot that begins now into narrower ones.
    fn spread(&mut self, place: usize) {
        let first = std::mem::replace(&mut self.heads[place], NONE);
        self.occupied[place / SLOTS] &= !(1 << (place % SLOTS));
        let last = self.alarms[first as usize].previous;
        let mut index = first;
        loop {
            let next = self.alarms[index as usize].next;
            self.link(index);
            if index == last {
                break;
            }
            index = next;
        }
    }
}
