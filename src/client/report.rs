//! Events and lines for the log, as a driver passes them on: without secrets.

use std::sync::Arc;

use super::config::Config;
use super::error::ClientError;
use super::event::{Event, EventHandler, Level};
use crate::session::error::SessionError;
use crate::session::recognition::Output;
use crate::session::transcript::Update;

/// Passes on a driver's events, and knows the ids of its connection.
pub(super) struct Reporter {
    config: Arc<Config>,
    handler: Arc<dyn EventHandler>,
    /// Counts the flushes; see [`EventHandler::handle`].
    pub epoch: u64,
    connect_id: String,
    log_id: Option<String>,
}

impl Reporter {
    pub fn new(config: Arc<Config>, handler: Arc<dyn EventHandler>) -> Self {
        Reporter {
            config,
            handler,
            epoch: 0,
            connect_id: String::new(),
            log_id: None,
        }
    }

    /// A handshake begins. Its id is reported before the answer: of one that never comes, it is all
    /// that the vendor's support can look for.
    pub fn on_handshake(&mut self, connect_id: String) {
        self.connect_id = connect_id;
        self.log_id = None;
        self.report_ids();
    }

    /// A handshake is over.
    pub fn on_log_id(&mut self, log_id: Option<String>) {
        self.log_id = log_id;
        self.report_ids();
    }

    /// Passes on what the machine reports.
    pub fn pass_on(&mut self, output: Output<ClientError>) {
        match output {
            Output::Event(event) => {
                let event = self.without_secrets(event);
                self.emit(event);
            }
            Output::Note(level, note) => self.handler.log(level, format_args!("{note}")),
            Output::SessionOpen { session, log_id } => self.on_session_open(session, log_id),
        }
    }

    fn on_session_open(&mut self, session: u32, log_id: Option<String>) {
        if self.log_id.is_none()
            && let Some(log_id) = log_id
        {
            self.log_id = self.config.secrets.id(&log_id);
            self.report_ids();
        }
        self.handler.log(
            Level::Info,
            format_args!(
                "session {session} is open, connect id {}, log id {}",
                self.connect_id,
                self.log_id.as_deref().unwrap_or("unknown")
            ),
        );
    }

    /// Completes what the service said with the connection's ids, and takes secrets out of it:
    /// should it repeat one, that goes no further.
    fn without_secrets(&self, mut event: Event) -> Event {
        let secrets = &self.config.secrets;
        match &mut event {
            Event::Transcript { update, .. } => self.redact_update(update),
            Event::Response { json, .. } if secrets.occur_in(json) => *json = secrets.redact(json),
            Event::Reconnecting { error, .. } | Event::Failed { error, .. } => {
                self.complete_error(error);
            }
            Event::FinishTimedOut {
                error: Some(error), ..
            } => self.complete_error(error),
            _ => {}
        }
        event
    }

    fn complete_error(&self, error: &mut ClientError) {
        if let ClientError::Session(SessionError::Failure(failure)) = error {
            failure.message = self.config.secrets.redact(&failure.message);
            failure.log_id = self.log_id.clone();
            failure.connect_id = Some(self.connect_id.clone());
        }
    }

    /// The words of a redacted text would tell what was redacted.
    fn redact_update(&self, update: &mut Update) {
        let secrets = &self.config.secrets;
        if secrets.occur_in(&update.text) {
            update.text = secrets.redact(&update.text);
            update.words.clear();
        }
        update
            .attributes
            .retain(|(name, _)| !secrets.occur_in(name));
        for (_, value) in &mut update.attributes {
            if secrets.occur_in(value) {
                *value = secrets.redact(value);
            }
        }
    }

    fn report_ids(&self) {
        self.emit(Event::Ids {
            connect_id: self.connect_id.clone(),
            log_id: self.log_id.clone(),
        });
    }

    fn emit(&self, event: Event) {
        self.handler.handle(self.epoch, event);
    }
}
