//! What must hold in every history, said without a look at how the machine does it.

use crate::explorer::TTL;
use seawall::stores::Micros;
use seawall::stores::idempotency::{Given, Hold, Reply, Step, Verb};
use seawall::stores::record::{OnLost, Payload, Record, State};

/// A law that was broken.
pub type Law = String;

/// What somebody who saw everything remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The highest fence so far.
    fence: u64,
    /// Whose claim it is, unless an operator has decided.
    holder: Option<Hold>,
    /// How it ended, and when that is forgotten.
    end: Option<(Payload, Micros)>,
    /// How often it was run since it was last allowed anew.
    runs: u8,
    /// Up to this fence, an operator has sworn that nobody runs it any more.
    reopened: u64,
}

impl Facts {
    /// Somebody runs the operation.
    pub fn ran(&mut self, hold: Hold, on_lost: OnLost) -> Result<(), Law> {
        if hold.fence <= self.reopened {
            return Ok(());
        }
        // More than two are as bad as two.
        self.runs = (self.runs + 1).min(2);
        if on_lost == OnLost::Quarantine && self.runs > 1 {
            return Err("what may run once ran twice".to_owned());
        }
        Ok(())
    }

    /// A verb is applied to what is kept.
    pub fn see(
        &mut self,
        kept: Option<&Record>,
        verb: &Verb,
        step: &Step,
        now: Micros,
    ) -> Result<(), Law> {
        if self.end.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.end = None;
            self.runs = 0;
        }
        self.only_its_owner_writes(verb, step)?;
        if let (Verb::Claim(claim), Reply::Owned { fence, given, .. }) = (verb, &step.reply) {
            self.is_given(Hold { owner: claim.owner, fence: *fence }, *given)?;
        }
        self.one_end(kept, step, now)?;
        if matches!(verb, Verb::Reopen | Verb::Resolve(_)) && step.put.is_some() {
            self.holder = None;
            self.runs = 0;
            self.reopened = self.fence;
        }
        Ok(())
    }

    fn only_its_owner_writes(&self, verb: &Verb, step: &Step) -> Result<(), Law> {
        let (Verb::Extend(hold, _)
        | Verb::Complete(hold, _)
        | Verb::Fail(hold, _)
        | Verb::Release(hold)
        | Verb::Quarantine(hold)) = verb
        else {
            return Ok(());
        };
        if self.holder != Some(*hold) && (step.put.is_some() || !step.reply.is_stale()) {
            return Err(format!("a stale owner was heard: {verb:?} gave {:?}", step.reply));
        }
        Ok(())
    }

    fn is_given(&mut self, hold: Hold, given: Given) -> Result<(), Law> {
        if self.end.is_some() {
            return Err(format!("a claim was given after the end: {hold:?}"));
        }
        if given == Given::Again {
            if self.holder != Some(hold) {
                return Err(format!("{hold:?} is given again, and was not its last fence"));
            }
        } else if hold.fence <= self.fence {
            return Err(format!("the fence {} does not grow beyond {}", hold.fence, self.fence));
        }
        self.fence = hold.fence;
        self.holder = Some(hold);
        Ok(())
    }

    fn one_end(&mut self, kept: Option<&Record>, step: &Step, now: Micros) -> Result<(), Law> {
        if let Some(put) = &step.put
            && let State::Completed(payload) | State::Failed(payload) = &put.state
        {
            match &self.end {
                Some((before, _)) if before != payload => {
                    return Err(format!("another result: {payload:?} for {before:?}"));
                }
                Some(_) => {}
                None => self.end = Some((payload.clone(), now + TTL)),
            }
        } else if step.put.is_some() && self.end.is_some() {
            return Err(format!("an end was undone: {kept:?}"));
        }
        if let (Reply::Replay(ended) | Reply::EndedMeanwhile(ended), Some((payload, _))) =
            (&step.reply, &self.end)
            && ended.payload != *payload
        {
            return Err(format!("another result was told: {:?}", ended.payload));
        }
        Ok(())
    }
}
