//! What is asked, of the table.

use super::connection::Connection;
use super::errors::Trouble;
use super::row::{Content, Kept, bytes, column, columns, damaged, kept, micros};
use super::session::Given;
use super::statements::{Sql, Statements};
use crate::stores::backend::{Answer, Op, Tally, Walk};
use crate::stores::error::StoreError;
use crate::stores::idempotency::{Given as Gave, Hold, Reply, Verb, live, step};
use crate::stores::record::{OnLost, StateName, Unreadable};
use crate::stores::{Address, LATEST, Micros};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

/// How often a step is decided anew because somebody else wrote meanwhile. Each time, that one got on.
const MOST_LOOKS: usize = 50;

pub(super) async fn apply(
    connection: &Connection,
    statements: &Statements,
    op: &Op,
) -> Result<Answer, Trouble> {
    let table = Table { connection, statements };
    match op {
        Op::Step(address, verb) => table.step(address, verb).await.map(Answer::Reply),
        Op::Get(address) => {
            let (kept, now) = table.read(address).await?;
            Ok(Answer::Record(live(kept.map(|kept| kept.record).as_ref(), now).cloned()))
        }
        Op::List(walk, state) => table.list(walk, *state).await,
        Op::Tally(walk) => table.tally(walk).await,
        Op::Sweep(walk) => table.sweep(walk).await,
    }
}

struct Table<'a> {
    connection: &'a Connection,
    statements: &'a Statements,
}

impl Table<'_> {
    /// What happens as a rule is one statement. Where that finds things otherwise, what is kept is
    /// read, and the rules say what follows; it is written unless somebody wrote meanwhile, and if so
    /// all is looked at anew.
    async fn step(&self, address: &Address, verb: &Verb) -> Result<Reply, Trouble> {
        for _ in 0..MOST_LOOKS {
            if let Some(reply) = self.at_once(address, verb).await? {
                return Ok(reply);
            }
            let (kept, now) = self.read(address).await?;
            let step = step(kept.as_ref().map(|kept| &kept.record), verb, now);
            match (step.put, kept) {
                (None, _) => return Ok(step.reply),
                (Some(record), Some(kept)) => {
                    let id = address.as_bytes();
                    let content = Content::of(&record);
                    let mut given: Vec<Given<'_>> =
                        vec![(&id, Type::BYTEA), (&kept.checksum, Type::BYTEA)];
                    given.extend(content.given());
                    if !self.ask(&self.statements.write, &given).await?.is_empty() {
                        return Ok(step.reply);
                    }
                }
                // It was removed between the two looks.
                (Some(_), None) => {}
            }
        }
        Err(Trouble::Again("others wrote to the record all the time".to_owned()))
    }

    /// The answer, where one statement has it.
    async fn at_once(&self, address: &Address, verb: &Verb) -> Result<Option<Reply>, Trouble> {
        let (statements, id) = (self.statements, address.as_bytes());
        let whose = |hold: &Hold| (bytes(hold.owner), hold.fence.min(LATEST).cast_signed());
        let rows = match verb {
            Verb::Claim(claim) => {
                let terms = &claim.terms;
                let [lease, cap, ttl] = [terms.lease, terms.max_lease, terms.ttl].map(signed);
                let rows = self
                    .ask(
                        &statements.claim,
                        &[
                            (&id, Type::BYTEA),
                            (&bytes(claim.owner), Type::BYTEA),
                            (&claim.fingerprint.as_ref().map(<[u8; 32]>::as_slice), Type::BYTEA),
                            (&lease, Type::INT8),
                            (&cap, Type::INT8),
                            (&ttl, Type::INT8),
                            (&(terms.on_lost == OnLost::Quarantine), Type::BOOL),
                        ],
                    )
                    .await?;
                return rows.first().map(given).transpose();
            }
            Verb::Extend(hold, lease) => {
                let ((owner, fence), lease) = (whose(hold), signed(*lease));
                let given: [Given<'_>; 4] = [
                    (&id, Type::BYTEA),
                    (&owner, Type::BYTEA),
                    (&fence, Type::INT8),
                    (&lease, Type::INT8),
                ];
                let rows = self.ask(&statements.extend, &given).await?;
                let extended = |row| Ok(Reply::Extended { lease_until: micros(row, 0)? });
                return rows.first().map(extended).transpose();
            }
            Verb::Complete(hold, payload) | Verb::Fail(hold, payload) => {
                let failed = matches!(verb, Verb::Fail(..));
                let state = if failed { StateName::Failed } else { StateName::Completed };
                let ((owner, fence), (codec, result)) = (whose(hold), columns(payload));
                let given: [Given<'_>; 6] = [
                    (&id, Type::BYTEA),
                    (&owner, Type::BYTEA),
                    (&fence, Type::INT8),
                    (&i16::from(state.number()), Type::INT2),
                    (&codec, Type::INT2),
                    (&result, Type::BYTEA),
                ];
                self.ask(&statements.end, &given).await?
            }
            Verb::Release(hold) | Verb::Quarantine(hold) => {
                let releases = matches!(verb, Verb::Release(_));
                let sql = if releases { &statements.release } else { &statements.quarantine };
                let (owner, fence) = whose(hold);
                let given: [Given<'_>; 3] =
                    [(&id, Type::BYTEA), (&owner, Type::BYTEA), (&fence, Type::INT8)];
                self.ask(sql, &given).await?
            }
            Verb::Resolve(_) | Verb::Reopen => return Ok(None),
        };
        Ok(rows.first().map(|_| Reply::Done))
    }

    /// What is kept, and the time.
    async fn read(&self, address: &Address) -> Result<(Option<Kept>, Micros), Trouble> {
        let id = address.as_bytes();
        let rows = self.ask(&self.statements.read, &[(&id, Type::BYTEA)]).await?;
        let row = rows.first().ok_or_else(|| StoreError::Failed("it has no time".to_owned()))?;
        Ok((kept(row, address)?, micros(row, 0)?))
    }

    async fn list(&self, walk: &Walk, state: Option<StateName>) -> Result<Answer, Trouble> {
        let state = state.map(|state| i16::from(state.number()));
        let rows = self.walk(&self.statements.list, walk, &[(&state, Type::INT2)]).await?;
        let mut found = Vec::new();
        let next = seen(&rows, walk, 1, |address, row| {
            found.extend(kept(row, address)?.map(|kept| (address.clone(), kept.record)));
            Ok(())
        })?;
        Ok(Answer::List(found, next))
    }

    async fn tally(&self, walk: &Walk) -> Result<Answer, Trouble> {
        let rows = self.walk(&self.statements.tally, walk, &[]).await?;
        let mut tally = Tally::default();
        let next = seen(&rows, walk, 0, |address, row| {
            let name = u8::try_from(column::<i16>(row, 1)?).ok().and_then(StateName::of_number);
            let no_such = || damaged(address, Unreadable::Malformed("no such state"));
            tally.count(name.ok_or_else(no_such)?, column(row, 2)?);
            Ok(())
        })?;
        Ok(Answer::Tally(tally, next))
    }

    async fn sweep(&self, walk: &Walk) -> Result<Answer, Trouble> {
        let rows = self.walk(&self.statements.sweep, walk, &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::Failed("it has no count".to_owned()))?;
        let there_is_more = micros(row, 1)? > walk.most.max(1) as u64;
        let last: Option<&[u8]> = column(row, 2)?;
        let next = if there_is_more { last.map(address).transpose()? } else { None };
        Ok(Answer::Swept(micros(row, 0)?, next))
    }

    /// The rows of a stretch, and one more if there is one.
    async fn walk(&self, sql: &Sql, walk: &Walk, more: &[Given<'_>]) -> Result<Vec<Row>, Trouble> {
        let within = walk.within.as_bytes();
        let first = match &walk.after {
            // Nothing lies between these bytes and the same with a zero after them.
            Some(after) => [after.as_bytes(), &[0]].concat(),
            None => within.to_vec(),
        };
        let end = end(within);
        let most = i64::try_from(walk.most.max(1)).unwrap_or(i64::MAX - 1).saturating_add(1);
        let mut given: Vec<Given<'_>> =
            vec![(&first, Type::BYTEA), (&end, Type::BYTEA), (&most, Type::INT8)];
        given.extend_from_slice(more);
        self.ask(sql, &given).await
    }

    async fn ask(&self, sql: &Sql, given: &[Given<'_>]) -> Result<Vec<Row>, Trouble> {
        self.connection.ask(sql, given).await
    }
}

fn signed(time: Micros) -> i64 {
    time.min(LATEST).cast_signed()
}

/// A claim of a key that nobody had.
fn given(row: &Row) -> Result<Reply, Trouble> {
    let (fence, lease_until) = (micros(row, 0)?, micros(row, 1)?);
    Ok(Reply::Owned { fence, attempt: 1, lease_until, given: Gave::New })
}

/// The first bytes behind all that begin with these. None, where nothing can be behind them.
fn end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

fn address(id: &[u8]) -> Result<Address, Trouble> {
    Address::from_bytes(id).ok_or_else(|| {
        StoreError::Corrupt(format!("a record has no address: {}", id.escape_ascii())).into()
    })
}

/// Shows the rows of a stretch, whose ids are in this column, and says where to go on.
fn seen(
    rows: &[Row],
    walk: &Walk,
    at: usize,
    mut see: impl FnMut(&Address, &Row) -> Result<(), Trouble>,
) -> Result<Option<Address>, Trouble> {
    let most = walk.most.max(1);
    let mut last = None;
    for row in rows.iter().take(most) {
        let address = address(column(row, at)?)?;
        see(&address, row)?;
        last = Some(address);
    }
    Ok(last.filter(|_| rows.len() > most))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What begins with a prefix lies before its end, and nothing else that lies behind it does.
    #[test]
    fn a_prefix_has_an_end() {
        assert_eq!(end(b"\x01a"), Some(b"\x01b".to_vec()));
        assert_eq!(end(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(end(b"\xff"), None);
        assert_eq!(end(b""), None);
    }
}
