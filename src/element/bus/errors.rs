//! Errors in the user's terms: the cause, and the way out.

use gst::glib;

use crate::client::{
    Abort, ClientError, Config, Credentials, DialError, HandshakeError, ProxyError, Secrets,
};
use crate::element::settings::RESOURCE_IDS;
use crate::protocol::failure::{Cause, Failure, Retry};
use crate::session::error::SessionError;

/// Upper bound on the characters of the service's own message in an error's text. Its details have
/// all of them.
const MAX_EXCERPT: usize = 200;

/// Where the address of the service comes from.
pub(super) const URI: &str = "property uri (or VOLCASR_URI in the environment)";

/// Rate in hertz that all documentation names.
const OLDEST_RATE: u32 = 16_000;

/// Ids of a connection, which the vendor's support asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// `X-Api-Connect-Id`: ours.
    pub connect: Option<String>,
    /// `X-Tt-Logid`: the service's.
    pub log: Option<String>,
}

/// Settings that the texts of errors depend on: which properties to name, which secrets to redact.
#[derive(Clone, Default)]
pub(crate) struct ErrorContext {
    credentials: Credentials,
    secrets: Secrets,
    resource_id: String,
    /// Rate of the audio that is sent, in hertz.
    rate: u32,
}

/// Error or warning, ready to be posted.
pub(crate) struct Report {
    pub error: glib::Error,
    pub debug: Option<String>,
    pub details: Option<gst::Structure>,
}

impl Report {
    pub fn new(error: impl glib::error::ErrorDomain, text: &str) -> Self {
        Report {
            error: glib::Error::new(error, text),
            debug: None,
            details: None,
        }
    }

    /// Adds details.
    pub fn with(self, details: gst::structure::Builder) -> Self {
        Report {
            details: Some(details.build()),
            ..self
        }
    }
}

impl ErrorContext {
    pub fn new(config: &Config) -> Self {
        ErrorContext {
            credentials: config.credentials.clone(),
            secrets: config.secrets.clone(),
            resource_id: config.resource_id.clone(),
            rate: config.request.rate,
        }
    }

    /// Returns `text` without the secrets, in case the service repeats one.
    pub fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// Returns the rate to try where the service refuses or misreads the one that is sent.
    pub fn rate_to_try(&self) -> Option<u32> {
        (self.rate != OLDEST_RATE).then_some(OLDEST_RATE)
    }

    /// Returns the names of the properties and variables that hold the credentials.
    fn credentials(&self) -> &'static str {
        match self.credentials {
            Credentials::Pair { .. } => {
                "app-key and access-key (or VOLCENGINE_APP_ID and VOLCENGINE_ACCESS_KEY in the \
                 environment); an API key of the new console goes into api-key (or \
                 VOLCENGINE_API_KEY) instead"
            }
            Credentials::Key(_) => {
                "api-key (or VOLCENGINE_API_KEY in the environment); the old console's pair goes \
                 into app-key and access-key (or VOLCENGINE_APP_ID and VOLCENGINE_ACCESS_KEY) \
                 instead"
            }
        }
    }
}

/// Makes the error that ends a stream. `lost` says that a session was open before.
pub(crate) fn report(error: &ClientError, lost: bool, context: &ErrorContext, ids: &Ids) -> Report {
    let text = context.redact(&text(error, lost, context));
    Report {
        error: domain(error, lost, &text),
        debug: Some(debug(error, context)),
        details: Some(details(error, context, ids)),
    }
}

/// Makes the error for text that downstream has refused. Another element has posted the cause.
pub(crate) fn refused_downstream(error: gst::FlowError) -> Report {
    let text = format!("Downstream refused the text: {error}. The first error names the cause.");
    let details = gst::Structure::builder("volcasr-error")
        .field("message", error.to_string())
        .field("retryable", false);
    Report::new(gst::StreamError::Failed, &text).with(details)
}

/// Returns what the text leaves out. gst-launch-1.0 prints it right below the text.
fn debug(error: &ClientError, context: &ErrorContext) -> String {
    let mut failure = error.failure().cloned();
    if let Some(failure) = &mut failure
        && excerpt(&context.redact(&failure.message)).is_none()
    {
        failure.message.clear();
    }
    context.redact(&failure.map_or_else(|| error.to_string(), |failure| failure.to_string()))
}

/// Returns the beginning of a message that is too long to stand before a remedy.
fn excerpt(message: &str) -> Option<String> {
    let (end, _) = message.char_indices().nth(MAX_EXCERPT)?;
    Some(format!("{}…", message[..end].trim_end()))
}

/// Makes `volcasr-error`, for programs.
pub(crate) fn details(error: &ClientError, context: &ErrorContext, ids: &Ids) -> gst::Structure {
    let failure = error.failure();
    let message = failure.map_or_else(|| error.to_string(), |failure| failure.message.clone());
    let status = failure.and_then(|failure| failure.http_status);
    let log_id = failure.and_then(|failure| failure.log_id.as_deref());
    let connect_id = failure.and_then(|failure| failure.connect_id.as_deref());
    gst::Structure::builder("volcasr-error")
        .field_if_some("code", failure.and_then(|failure| failure.code))
        .field_if_some("http-status", status.map(u32::from))
        .field("message", context.redact(&message))
        .field_if_some("log-id", log_id.or(ids.log.as_deref()))
        .field_if_some("connect-id", connect_id.or(ids.connect.as_deref()))
        .field("retryable", error.retry() != Retry::Never)
        .build()
}

fn domain(error: &ClientError, lost: bool, text: &str) -> glib::Error {
    use gst::{ResourceError, StreamError};
    let resource = |error: ResourceError| glib::Error::new(error, text);
    let stream = |error: StreamError| glib::Error::new(error, text);
    let open = if lost {
        ResourceError::Write
    } else {
        ResourceError::OpenWrite
    };
    let Some(failure) = error.failure() else {
        return match error {
            ClientError::Session(SessionError::Protocol(_))
            | ClientError::Handshake(HandshakeError::NotWebSocket(_)) => {
                stream(StreamError::Decode)
            }
            ClientError::Aborted(Abort::NotNegotiated) => stream(StreamError::Format),
            ClientError::Runtime(_) | ClientError::Aborted(_) => resource(ResourceError::Failed),
            ClientError::Dial(DialError::ServerName { .. }) => resource(ResourceError::Settings),
            ClientError::Dial(DialError::Proxy {
                source: ProxyError::LoginNeeded(_) | ProxyError::LoginRefused(_),
                ..
            }) => resource(ResourceError::NotAuthorized),
            _ => resource(open),
        };
    };
    match failure.cause {
        Cause::NoWebSocket => stream(StreamError::Decode),
        Cause::Credentials | Cause::NotGranted | Cause::Overdue | Cause::ProxyCredentials => {
            resource(ResourceError::NotAuthorized)
        }
        Cause::Parameters | Cause::WrongType | Cause::NoRequest => {
            resource(ResourceError::Settings)
        }
        Cause::AudioFormat => stream(StreamError::Format),
        Cause::Concurrency | Cause::QuotaSpent | Cause::Busy | Cause::RateLimited => {
            resource(ResourceError::Busy)
        }
        Cause::EmptyAudio
        | Cause::OutOfOrder
        | Cause::Idle
        | Cause::Internal
        | Cause::Refused
        | Cause::Unavailable
        | Cause::Unknown => resource(open),
    }
}

fn text(error: &ClientError, lost: bool, context: &ErrorContext) -> String {
    if let Some(failure) = error.failure() {
        let message = service_message(failure, context);
        return format!("{message}: {}", remedy(failure, context));
    }
    match error {
        ClientError::Dial(error) if lost && error.retry() != Retry::Never => format!(
            "The connection to the service was lost for good: {} max-reconnects says how often it \
             is tried again.",
            connect_error_text(error)
        ),
        ClientError::Dial(error) => connect_error_text(error),
        ClientError::Handshake(HandshakeError::NotWebSocket(_))
        | ClientError::Session(SessionError::Protocol(_)) => {
            format!("{error}. Check the {URI}: it must name the service's v3/sauc endpoint.")
        }
        ClientError::Aborted(Abort::NotNegotiated) => {
            "A buffer came without caps, so the format of its audio is not known: put \
             \"audioconvert ! audioresample\" before this element, and audio before them."
                .into()
        }
        ClientError::Aborted(Abort::Unmappable) => {
            "The memory of a buffer can't be read by the CPU: convert it before this element, or \
             have it copied by an element such as \"audioconvert\"."
                .into()
        }
        ClientError::Aborted(Abort::Backlog) => {
            "The application does not take its messages: a sync handler of the bus blocks, and \
             more results wait behind it than are kept. Return from the handler, and do what takes \
             long on another thread."
                .into()
        }
        ClientError::Runtime(_) | ClientError::Aborted(Abort::Internal) => error.to_string(),
        _ if lost => format!(
            "The connection to the service was lost for good: {error}. Check the network; \
             max-reconnects says how often it is tried again."
        ),
        _ => {
            format!("No session with the service: {error}. Check the network and the {URI}.")
        }
    }
}

fn connect_error_text(error: &DialError) -> String {
    match error {
        DialError::Resolve { .. } => {
            format!("{error}. Check the network's name service and the host in the {URI}.")
        }
        DialError::Connect { .. } | DialError::TimedOut { .. } => format!(
            "{error}. Check the network, a firewall on the way, and the host and port in the {URI}."
        ),
        DialError::Certificate { .. } => format!(
            "{error}. Check the host in the {URI} and this machine's clock; a private authority's \
             certificate is named in the environment variable SSL_CERT_FILE."
        ),
        DialError::AuthorityCertificate { .. } => format!(
            "{error}. If it is the server's, name its file in that environment variable; else \
             check the host in the {URI}."
        ),
        DialError::Tls { .. } | DialError::TlsProtocol { .. } => {
            format!("{error}. Check that the host and port in the {URI} speak TLS.")
        }
        DialError::Proxy { source, .. } => format!("{error}. {}", proxy_advice(source)),
        DialError::ServerName { .. } => format!("{error}. Check the host in the {URI}."),
        DialError::Trust(_) => error.to_string(),
    }
}

fn proxy_advice(error: &ProxyError) -> &'static str {
    match error {
        ProxyError::Unreachable(_) | ProxyError::NotAProxy(_) => {
            "Check the property proxy, or https_proxy and all_proxy in the environment; proxy=\"\" \
             does without one."
        }
        ProxyError::LoginNeeded(_) | ProxyError::LoginRefused(_) => {
            "Check the properties proxy-id and proxy-pw, or the user info in the environment's \
             https_proxy or all_proxy."
        }
        ProxyError::Refused { .. } => {
            "Check host and port in the property uri, or have the proxy's administrator allow them."
        }
        ProxyError::Broken(_) | ProxyError::NoAnswer(_) => {
            "Check the proxy, and whether it reaches the service; connect-timeout covers both ways."
        }
    }
}

/// Returns who refused, with which number, and in which words.
fn service_message(failure: &Failure, context: &ErrorContext) -> String {
    // Redacted before it is shortened, which could leave half of a secret.
    let message = context.redact(&failure.message);
    let message = excerpt(&message).unwrap_or(message);
    let message = match message.trim_end_matches('.') {
        "" => String::new(),
        message => format!(" \"{message}\""),
    };
    match (failure.code, failure.http_status) {
        (_, Some(status)) if failure.cause == Cause::ProxyCredentials => {
            format!("A proxy refused the connection with HTTP {status}{message}")
        }
        (_, Some(status)) => {
            format!("The service refused the connection with HTTP {status}{message}")
        }
        (Some(code), None) => format!("The service says {code}{message}"),
        (None, None) => format!("The service says{message}"),
    }
}

/// Returns the cause and the way out.
#[expect(clippy::too_many_lines, reason = "a table")]
fn remedy(failure: &Failure, context: &ErrorContext) -> String {
    let resource = &context.resource_id;
    let text = match failure.cause {
        Cause::Credentials => {
            let names = context.credentials();
            return format!("it does not accept the credentials. Check {names}.");
        }
        Cause::NotGranted => {
            return format!(
                "the account has not bought the resource \"{resource}\". Buy it in the vendor's \
                 console, or name another in the property resource-id."
            );
        }
        Cause::Concurrency => {
            "too many sessions of this account are open at once. End some, or buy more in the \
             vendor's console."
        }
        Cause::QuotaSpent => "the account's quota is spent. Buy more in the vendor's console.",
        Cause::Overdue => {
            "the account is overdue. Pay what is due in the vendor's console; the resource need \
             not be bought again."
        }
        Cause::Parameters if failure.http_status.is_some() => {
            let ids = RESOURCE_IDS.join(", ");
            return format!(
                "it does not know the resource \"{resource}\" or a part of the request. Check the \
                 {URI}, and resource-id, which is one of {ids}."
            );
        }
        Cause::AudioFormat => match context.rate_to_try() {
            Some(rate) => {
                return format!(
                    "it does not take this audio format. Try the property rate={rate} (the \
                     default is 24000)."
                );
            }
            None => {
                return format!(
                    "it does not take this audio format: S16LE, one channel, {} Hz, all that this \
                     element sends. Check that the {URI} names a v3/sauc endpoint; else ask the \
                     vendor's support with the log id in this error's details.",
                    context.rate
                );
            }
        },
        Cause::Parameters => {
            "it does not accept a parameter of the request. Check the recognition properties, \
             context and extra-request."
        }
        Cause::WrongType => {
            "a field of the request has the wrong type. Check the types in extra-request, as in \
             accelerate_score=(int)10, and context."
        }
        Cause::ProxyCredentials => {
            "a proxy on the way asks for credentials of its own. Set the properties proxy, \
             proxy-id and proxy-pw, or configure the proxy to allow the host in uri without \
             credentials."
        }
        Cause::Busy | Cause::RateLimited | Cause::Unavailable => {
            "it has no capacity now. Try again later; max-reconnects says how often this element \
             does."
        }
        Cause::NoWebSocket => {
            return format!(
                "no WebSocket server answers there. Check the {URI}: it must name the service's \
                 v3/sauc endpoint."
            );
        }
        Cause::Refused => return format!("check the {URI}: host, path and scheme."),
        Cause::Idle => {
            "the session got no audio for too long. Check that idle-timeout is below 5000."
        }
        Cause::NoRequest | Cause::OutOfOrder | Cause::EmptyAudio => {
            "the frames did not arrive as they were sent. Check for a proxy on the way; else \
             report it with the log id."
        }
        Cause::Internal | Cause::Unknown => {
            "try again later, or ask the vendor's support with the log id in this error's details."
        }
    };
    text.into()
}

#[cfg(test)]
mod tests;
