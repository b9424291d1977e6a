//! Downstream's answer to the text, and whether an error has to be posted.

use gst::FlowError::{Eos, Flushing, NotLinked};

/// State of what is linked to the text pad.
#[derive(Debug, Default)]
pub(super) struct Downstream {
    /// Answer to the last buffer, unless it was taken.
    pub refusal: Option<gst::FlowError>,
    /// Upstream, or the bus, has that error.
    reported: bool,
    /// The error is being posted.
    pub posting: bool,
    /// EOS, which leaves behind that.
    pub held: Option<gst::Event>,
    /// Counts the STREAM_STARTs and SEGMENTs that have come in and not left. Downstream may take
    /// what follows them, though it is at its end.
    beginnings: usize,
    /// Counts the times that it was linked anew.
    pub links: u64,
    /// EOS has come in: no buffer takes an error upstream any more.
    ended: bool,
}

impl Downstream {
    /// All is well again, as after a flush.
    pub fn reset(&mut self) {
        let links = self.links;
        *self = Downstream {
            links,
            ..Downstream::default()
        };
    }

    /// Notes that an event comes in.
    pub fn enters(&mut self, event: &gst::Event) {
        self.ended = event.type_() == gst::EventType::Eos;
        self.beginnings += usize::from(begins(event));
    }

    /// Notes that an event is about to leave.
    pub fn leaves(&mut self, event: &gst::Event) {
        if begins(event) {
            self.beginnings = self.beginnings.saturating_sub(1);
            self.refusal = self.refusal.filter(|refusal| *refusal != Eos);
        }
    }

    /// Notes that it is linked anew: this peer has refused nothing.
    pub fn relinked(&mut self) {
        self.links += 1;
        self.refusal = self.refusal.filter(|refusal| is_failure(*refusal));
    }

    /// Whether a buffer would be refused. A pad without a peer may get one.
    pub fn takes_nothing(&self) -> bool {
        self.refusal.is_some_and(|refusal| refusal != NotLinked)
    }

    /// Returns the answer for upstream to take up. Downstream's end is that of the stream or
    /// segment which leaves now.
    pub fn flow(&mut self) -> Result<gst::FlowSuccess, gst::FlowError> {
        match self.refusal {
            Some(refusal) if refusal != Eos || self.beginnings == 0 => {
                self.reported = true;
                Err(refusal)
            }
            _ => Ok(gst::FlowSuccess::Ok),
        }
    }

    /// Takes up the answer to a buffer, which was pushed when it was linked for the time `links`.
    /// Returns the error to post, if upstream takes none any more.
    pub fn answers(
        &mut self,
        flow: Result<gst::FlowSuccess, gst::FlowError>,
        links: u64,
    ) -> Option<gst::FlowError> {
        let failure = flow.err().filter(|error| is_failure(*error));
        // Flushing downstream ends with a flush of this pad, or with another peer.
        if links == self.links || flow.is_ok() || failure.is_some() {
            (self.refusal, self.reported) = (flow.err(), false);
        }
        failure.filter(|_| self.ended).inspect(|_| self.posts())
    }

    /// Holds EOS until the error is posted that no buffer took upstream. Returns EOS if there is
    /// none, or else the error, unless it is being posted.
    pub fn hold(&mut self, eos: gst::Event) -> Result<gst::Event, Option<gst::FlowError>> {
        let error = self.refusal.filter(|error| is_failure(*error));
        let error = error.filter(|_| !self.reported);
        if !self.posting && error.is_none() {
            return Ok(eos);
        }
        self.posts();
        self.held = Some(eos);
        Err(error)
    }

    fn posts(&mut self) {
        (self.posting, self.reported) = (true, true);
    }
}

/// Returns whether a flow is an error, rather than a state of downstream.
fn is_failure(error: gst::FlowError) -> bool {
    !matches!(error, Eos | Flushing | NotLinked)
}

/// Returns whether what follows an event is another stream or segment.
fn begins(event: &gst::Event) -> bool {
    use gst::EventType::{Segment, StreamStart};
    matches!(event.type_(), StreamStart | Segment)
}
