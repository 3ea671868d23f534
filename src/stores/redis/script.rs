//! What is asked of the script, and what it answers.

use super::head::{Head, NONE, digest};
use super::trouble::{Trouble, damaged};
use crate::stores::error::StoreError;
use crate::stores::idempotency::{Ended, Given, Hold, Reply, Verb};
use crate::stores::record::{Fingerprint, OnLost, Payload, Record, State, StateName, Unreadable};
use crate::stores::{Address, LATEST, Micros};
use ::redis::{Cmd, Value};
use std::fmt::Write;
use std::sync::LazyLock;

pub(super) const CODE: &str = include_str!("script.lua");
static NAME: LazyLock<String> = LazyLock::new(|| digest(CODE.as_bytes()));

type Result<T> = std::result::Result<T, Trouble>;

/// How the script is named to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By its digest, as it is as a rule.
    Name,
    /// By its text, to a server that does not know it, or not any more.
    Text,
}

/// What the script does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act<'a> {
    Step(&'a Verb),
    Get,
    /// The head alone, for which no script is needed.
    Look,
    Sweep,
}

/// The command that has it done.
pub(super) fn command(by: By, key: &[u8], act: Act<'_>) -> Cmd {
    let mut cmd = Cmd::with_capacity(12, 512 + key.len());
    if matches!(act, Act::Look) {
        cmd.arg("HMGET").arg(key).arg("h").arg("d");
        return cmd;
    }
    match by {
        By::Name => cmd.arg("EVALSHA").arg(NAME.as_str()),
        By::Text => cmd.arg("EVAL").arg(CODE),
    };
    cmd.arg(1).arg(key);
    match act {
        Act::Get | Act::Look => cmd.arg("get"),
        Act::Sweep => cmd.arg("sweep"),
        Act::Step(verb) => say(&mut cmd, verb),
    };
    cmd
}

fn say<'a>(cmd: &'a mut Cmd, verb: &Verb) -> &'a mut Cmd {
    match verb {
        Verb::Claim(claim) => {
            let terms = claim.terms;
            cmd.arg("claim").arg(owner(claim.owner.0.get())).arg(fingerprint(claim.fingerprint));
            for time in [terms.lease, terms.max_lease, terms.ttl] {
                cmd.arg(time.min(LATEST));
            }
            cmd.arg(terms.attempts).arg(u8::from(terms.on_lost == OnLost::Quarantine))
        }
        Verb::Extend(hold, lease) => by(cmd, "extend", *hold).arg((*lease).min(LATEST)),
        Verb::Complete(hold, payload) => with(by(cmd, "complete", *hold), payload),
        Verb::Fail(hold, payload) => with(by(cmd, "fail", *hold), payload),
        Verb::Release(hold) => by(cmd, "release", *hold),
        Verb::Quarantine(hold) => by(cmd, "quarantine", *hold),
        Verb::Resolve(payload) => with(cmd.arg("resolve"), payload),
        Verb::Reopen => cmd.arg("reopen"),
    }
}

fn by<'a>(cmd: &'a mut Cmd, verb: &str, hold: Hold) -> &'a mut Cmd {
    cmd.arg(verb).arg(owner(hold.owner.0.get())).arg(hold.fence)
}

fn with<'a>(cmd: &'a mut Cmd, payload: &Payload) -> &'a mut Cmd {
    match payload {
        Payload::Kept { codec, bytes } => cmd.arg(*codec).arg(digest(bytes)).arg(&**bytes),
        Payload::Opaque => cmd.arg(NONE).arg(NONE).arg(""),
    }
}

fn owner(number: u128) -> String {
    format!("{number:032x}")
}

fn fingerprint(fingerprint: Fingerprint) -> String {
    let Some(bytes) = fingerprint else { return NONE.to_owned() };
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where a record stands, and when it is forgotten, if it is there.
pub(super) type Standing = Option<(StateName, Option<Micros>)>;

/// The words of an answer. A script of ours gives an array of strings, always.
pub(super) struct Words(Vec<Value>);

impl Words {
    pub fn of(value: Value) -> Result<Self> {
        match value.extract_error().map_err(|error| Trouble::of(&error))? {
            Value::Array(words) => Ok(Self(words)),
            _ => Err(strange()),
        }
    }

    fn bytes(&self, at: usize) -> Result<&[u8]> {
        match self.0.get(at) {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            _ => Err(strange()),
        }
    }

    fn text(&self, at: usize) -> Result<&str> {
        std::str::from_utf8(self.bytes(at)?).map_err(|_| strange())
    }

    fn micros(&self, at: usize) -> Result<Micros> {
        self.text(at)?.parse().map_err(|_| strange())
    }

    fn attempts(&self, at: usize) -> Result<u32> {
        self.text(at)?.parse().map_err(|_| strange())
    }

    /// Of head, digest and result, from `at` on.
    fn record(&self, address: &Address, key: &[u8], at: usize) -> Result<Record> {
        Head::read(key, self.bytes(at)?, self.bytes(at + 1)?)
            .and_then(|head| head.with(self.bytes(at + 2).unwrap_or_default()))
            .map_err(|why| damaged(address, why))
    }

    fn ended(&self, address: &Address, key: &[u8]) -> Result<Ended> {
        let record = self.record(address, key, 1)?;
        let failed = matches!(record.state, State::Failed(_));
        match record.state {
            State::Completed(payload) | State::Failed(payload) => {
                Ok(Ended { failed, payload, fence: record.fence, at: record.changed })
            }
            _ => Err(strange()),
        }
    }

    /// What the script could not read.
    fn check(&self, address: &Address) -> Result<&str> {
        match self.text(0)? {
            "damaged" => Err(damaged(
                address,
                match self.text(1)? {
                    "checksum" => Unreadable::Checksum,
                    _ => Unreadable::Malformed("it is no record"),
                },
            )),
            "newer" => {
                let version = self.text(1)?.parse().unwrap_or(u8::MAX);
                Err(damaged(address, Unreadable::Newer(version)))
            }
            name => Ok(name),
        }
    }

    /// To a step.
    pub fn reply(&self, address: &Address, key: &[u8]) -> Result<Reply> {
        Ok(match self.check(address)? {
            "owned" => Reply::Owned {
                fence: self.micros(1)?,
                attempt: self.attempts(2)?,
                lease_until: self.micros(3)?,
                given: match self.text(4)? {
                    "new" => Given::New,
                    "released" => Given::Released,
                    "taken_over" => Given::TakenOver,
                    "again" => Given::Again,
                    _ => return Err(strange()),
                },
            },
            "in_progress" => Reply::InProgress { retry_after: self.micros(1)? },
            "mismatch" => Reply::Mismatch,
            "replay" => Reply::Replay(self.ended(address, key)?),
            "unknown" => {
                Reply::OutcomeUnknown { since: self.micros(1)?, noticed: self.text(2)? == "1" }
            }
            "exhausted" => {
                Reply::Exhausted { attempts: self.attempts(1)?, noticed: self.text(2)? == "1" }
            }
            "extended" => Reply::Extended { lease_until: self.micros(1)? },
            "at_cap" => Reply::AtCap,
            "done" => Reply::Done,
            "lease_lost" => Reply::LeaseLost,
            "ended" => Reply::EndedMeanwhile(self.ended(address, key)?),
            "undecidable" => Reply::Undecidable(match self.text(1)? {
                NONE => None,
                number => {
                    let name = number.parse().ok().and_then(StateName::of_number);
                    Some(name.ok_or_else(strange)?)
                }
            }),
            _ => return Err(strange()),
        })
    }

    /// To a get.
    pub fn kept(&self, address: &Address, key: &[u8]) -> Result<Option<Record>> {
        match self.check(address)? {
            "record" => self.record(address, key, 1).map(Some),
            "none" => Ok(None),
            _ => Err(strange()),
        }
    }

    /// To a look: where it stands, and when it is forgotten.
    pub fn standing(&self, address: &Address, key: &[u8]) -> Result<Standing> {
        // Gone since it was found, or not ours: a step at it would say which.
        let Some(Value::BulkString(head)) = self.0.first() else { return Ok(None) };
        Head::read(key, head, self.bytes(1).unwrap_or_default())
            .map(|head| Some(head.standing()))
            .map_err(|why| damaged(address, why))
    }

    /// To a sweep: was it removed? What can't be read is not.
    pub fn swept(&self) -> bool {
        self.text(0).is_ok_and(|word| word == "swept")
    }
}

fn strange() -> Trouble {
    Trouble::Store(StoreError::Failed("the server's answer is none of its script's".to_owned()))
}
