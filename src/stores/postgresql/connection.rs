//! One connection: how it is made, and what is looked at before it is used.

use super::errors::{Trouble, of_connecting};
use super::session::{Given, Session, told_process};
use super::settings::{Place, Settings, SslMode};
use super::sniff::Sniffed;
use super::statements::Sql;
use super::tls::Secure;
use super::{schema, tls};
use crate::process::forks;
use crate::stores::error::StoreError;
use crate::stores::net::{Notices, stream};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio_postgres::config::SslMode as Negotiation;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls, Row};

/// Before it, some of what the statements say is not known.
const OLDEST: u32 = 14;

/// A connection, and the task that moves its bytes. A child of a fork that drops its parent's leaves
/// both alone: they are tied to the parent's runtime, and the socket is in use.
pub(super) struct Connection {
    client: Arc<Client>,
    session: Session,
    task: AbortHandle,
    generation: u32,
    is_over: bool,
}

impl Connection {
    /// Makes one. The second says whether another try may help.
    pub async fn open(settings: &Settings, notices: &Notices) -> Result<Self, (StoreError, bool)> {
        let mut connection = match &settings.place {
            Place::Tcp(endpoint) => {
                let dialled = stream::dial(endpoint).await.map_err(|error| (error, true))?;
                Self::speak(settings, dialled, &endpoint.host, notices).await
            }
            #[cfg(unix)]
            place @ Place::Socket(folder, endpoint) => {
                let path = folder.join(format!(".s.PGSQL.{}", endpoint.port));
                let dialled = tokio::net::UnixStream::connect(path).await.map_err(|error| {
                    (StoreError::Unavailable(format!("no way to {place}: {error}")), true)
                })?;
                Self::speak(settings, dialled, &endpoint.host, notices).await
            }
            #[cfg(not(unix))]
            place => {
                let said = format!("{place}: there are no such sockets on this system");
                return Err((StoreError::Unavailable(said), false));
            }
        }?;
        connection.check(settings, notices).await?;
        Ok(connection)
    }

    async fn speak<S>(
        settings: &Settings,
        dialled: S,
        host: &str,
        notices: &Notices,
    ) -> Result<Self, (StoreError, bool)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let place = settings.place.to_string();
        let dialled = Sniffed::new(dialled);
        // As libpq: a socket of this machine is never encrypted.
        let secure = match &settings.place {
            Place::Tcp(_) => {
                let settings = settings.clone();
                let read = tokio::task::spawn_blocking(move || tls::config(&settings)).await;
                read.map_err(|error| error.to_string()).and_then(|config| config)
            }
            Place::Socket(..) => Ok(None),
        };
        let secure = secure.map_err(|why| {
            (StoreError::Unavailable(format!("no TLS with {place}: {why}")), false)
        })?;
        let failed = |error: tokio_postgres::Error| of_connecting(&error, &place);
        let Some(secure) = secure else {
            let config = config_of(settings, Negotiation::Disable);
            let (client, connection) = config.connect_raw(dialled, NoTls).await.map_err(failed)?;
            return Self::new(client, connection, notices);
        };
        let tls = Secure { config: Arc::new(secure), host: host.to_owned() };
        let negotiation = match settings.sslmode {
            SslMode::Prefer => Negotiation::Prefer,
            _ => Negotiation::Require,
        };
        let made = config_of(settings, negotiation).connect_raw(dialled, tls).await;
        let (client, connection) = made.map_err(|error| without_tls(settings, failed(error)))?;
        Self::new(client, connection, notices)
    }

    fn new<S, T>(
        client: Client,
        connection: tokio_postgres::Connection<S, T>,
        notices: &Notices,
    ) -> Result<Self, (StoreError, bool)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let version = connection.parameter("server_version").unwrap_or_default();
        if major(version).is_some_and(|major| major < OLDEST) {
            let said = format!("PostgreSQL {version} is too old: it must be {OLDEST} or newer");
            return Err((StoreError::Unavailable(said), false));
        }
        if connection.parameter("in_hot_standby") == Some("on") {
            let said = "it is a standby, which takes no writes".to_owned();
            return Err((StoreError::Unavailable(said), true));
        }
        if major(version).is_none() {
            notices.add(format!("the server's version is not known: {version:?}"));
        }
        let task = tokio::spawn(async move {
            // What it ends with is told to those whose statements it takes with it.
            let _ = connection.await;
        });
        Ok(Self {
            client: Arc::new(client),
            session: Session::default(),
            task: task.abort_handle(),
            generation: forks::generation(),
            is_over: false,
        })
    }

    /// Is there nothing more to be asked of it?
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Asks, under a name where the session may keep it.
    pub async fn ask(&self, sql: &Sql, given: &[Given<'_>]) -> Result<Vec<Row>, Trouble> {
        Ok(self.session.ask(&self.client, sql, given).await?)
    }

    /// Finds the tables, or makes them.
    async fn check(
        &mut self,
        settings: &Settings,
        notices: &Notices,
    ) -> Result<(), (StoreError, bool)> {
        match self.layout(settings).await? {
            Some(layout) => known(layout)?,
            None if settings.migrate => self.migrate(settings).await?,
            None => {
                let said = format!(
                    "there are no tables in the schema {}, and migrate=no: `seawall store migrate` \
                     makes them",
                    settings.quoted_schema()
                );
                return Err((StoreError::Unavailable(said), false));
            }
        }
        self.look_at_durability(notices).await?;
        self.begin_session(settings).await
    }

    /// The layout that there is.
    async fn layout(&self, settings: &Settings) -> Result<Option<i64>, (StoreError, bool)> {
        match self.client.query_typed(&schema::find(settings), &[]).await {
            Ok(rows) => Ok(rows.first().map(|row| row.try_get(0).unwrap_or_default())),
            Err(error) => match error.code() {
                Some(code)
                    if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME]
                        .contains(code) =>
                {
                    Ok(None)
                }
                _ => Err(of_trouble(error.into())),
            },
        }
    }

    /// Makes what is missing. Of many at once, one does.
    pub async fn migrate(&self, settings: &Settings) -> Result<(), (StoreError, bool)> {
        let failed = |error: tokio_postgres::Error| of_trouble(error.into());
        let schema = settings.quoted_schema();
        let asked: [Given<'_>; 1] = [(&schema, Type::TEXT)];
        let rows = self
            .client
            .query_typed("SELECT to_regnamespace($1) IS NOT NULL", &asked)
            .await
            .map_err(failed)?;
        let has_schema = rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false));
        if let Err(error) = self.client.batch_execute(&schema::script(settings, has_schema)).await {
            // So that nobody is given a connection in the middle of a transaction that failed.
            let _ = self.client.batch_execute("ROLLBACK").await;
            return Err(failed(error));
        }
        match self.layout(settings).await? {
            Some(layout) => known(layout),
            None => Err((StoreError::Foreign("its tables can't be found".to_owned()), false)),
        }
    }

    async fn look_at_durability(&self, notices: &Notices) -> Result<(), (StoreError, bool)> {
        let sql = "SELECT current_setting('fsync'), current_setting('synchronous_commit')";
        let rows = self.said(sql).await?;
        for (at, name) in ["fsync", "synchronous_commit"].into_iter().enumerate() {
            if rows.first().and_then(|row| row.try_get(at).ok()) == Some("off") {
                notices.add(format!(
                    "{name} is off: what was claimed or completed in the moments before the server \
                     goes down may be lost, and run twice"
                ));
            }
        }
        Ok(())
    }

    /// Keeps statements, where the session is ours alone or the user says that they can be kept.
    async fn begin_session(&mut self, settings: &Settings) -> Result<(), (StoreError, bool)> {
        if settings.prepare == Some(false) {
            return Ok(());
        }
        let rows = self.said("SELECT pg_backend_pid()").await?;
        let process: Option<i32> = rows.first().and_then(|row| row.try_get(0).ok());
        let is_own = process.is_some() && told_process(&self.client).await == process;
        if is_own {
            // A plan that is kept from a day when the table was small would read all of it.
            self.said("SELECT set_config('enable_seqscan', 'off', false)").await?;
        }
        self.session = Session::new(is_own || settings.prepare == Some(true));
        Ok(())
    }

    async fn said(&self, sql: &str) -> Result<Vec<Row>, (StoreError, bool)> {
        self.client.query_typed(sql, &[]).await.map_err(|error| of_trouble(error.into()))
    }

    /// Ends it as a server likes it, after what is under way.
    pub fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.generation != forks::generation() {
            std::mem::forget(Arc::clone(&self.client));
            self.session.forget();
        } else if !self.is_over {
            // What is under way is nobody's any more, and its server may never answer.
            self.task.abort();
        }
    }
}

fn config_of(settings: &Settings, negotiation: Negotiation) -> Config {
    let mut config = Config::new();
    config.ssl_mode(negotiation).application_name(&settings.application_name);
    let login = settings.place.login();
    if let Some(user) = &login.user {
        config.user(user);
    }
    if let Some(password) = &login.password {
        config.password(&password.0);
    }
    if let Some(dbname) = &settings.dbname {
        config.dbname(dbname);
    }
    config
}

/// What to do, where the server has no TLS and the user never said that there is any.
fn without_tls(settings: &Settings, failed: (StoreError, bool)) -> (StoreError, bool) {
    match failed {
        (StoreError::Unavailable(said), _) if said.contains("does not support TLS") => {
            let mode = if settings.sslmode == SslMode::Require { "" } else { ", and verified" };
            let said = format!(
                "{said}. What leaves this machine is encrypted{mode} unless the URL says otherwise: \
                 sslmode=disable, where the network is to be trusted"
            );
            (StoreError::Unavailable(said), false)
        }
        other => other,
    }
}

fn known(layout: i64) -> Result<(), (StoreError, bool)> {
    match layout {
        1..=schema::LAYOUT => Ok(()),
        found if found > schema::LAYOUT => {
            Err((StoreError::Newer { found, known: schema::LAYOUT }, false))
        }
        _ => Err((StoreError::Foreign("its layout has no number".to_owned()), false)),
    }
}

fn of_trouble(trouble: Trouble) -> (StoreError, bool) {
    match trouble {
        Trouble::Cut(said) | Trouble::Again(said) => (StoreError::Unavailable(said), true),
        Trouble::Locked => {
            (StoreError::Unavailable("its tables are locked by others".to_owned()), true)
        }
        Trouble::Elsewhere(error) => (error, true),
        Trouble::Store(error) => (error, false),
    }
}

/// `16.2`, `17devel`, `15.4 (Debian 15.4-1)`.
fn major(version: &str) -> Option<u32> {
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}
