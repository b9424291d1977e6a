//! What a connection sends: audio again, audio for the first time, the finish; at its pace, and numbered.

use std::time::Duration;

use bytes::Bytes;

use super::driver::Driver;
use super::error::ClientError;
use super::event::Level;
use super::live::Live;
use super::net::websocket::WebSocket;
use crate::session::exchange::Exchange;
use crate::session::queue::Item;
use crate::session::samples_to_time;

/// What is next to be sent.
enum Next {
    Audio {
        frame: Bytes,
        end: u64,
        /// When it reached the sink; none: it is sent again.
        arrived: Option<Duration>,
    },
    Finish,
    Nothing,
}

impl Driver {
    /// Sends what may be sent now.
    pub(super) fn send(
        &mut self,
        exchange: &mut Exchange,
        live: &mut Live,
    ) -> Result<(), ClientError> {
        live.send_at = None;
        while self.websocket.as_ref().is_some_and(WebSocket::is_ready) && !exchange.is_finishing() {
            // Also between frames that go together, or a queue with hours in it would run past the pause. Their
            // being written brings the loop back to its beginning, which rotates.
            if live.writing_since.is_some() && self.rotation(exchange, live).is_some() {
                return Ok(());
            }
            let now = self.now();
            let at = exchange.audio_at(now).max(live.pacer.ready_at(now));
            if at > now {
                live.send_at = Some(at);
                return Ok(());
            }
            let (frame, sent) = match self.next(exchange)? {
                Next::Nothing => {
                    let until = self.shared.state().input_end;
                    live.dry.get_or_insert(now.max(until));
                    return Ok(());
                }
                Next::Finish if live.sent == live.origin => {
                    exchange.finish();
                    return Ok(());
                }
                Next::Finish => {
                    let number = exchange.finish().ok_or(ClientError::Internal)?;
                    self.log(
                        Level::Debug,
                        format_args!("asking for the last words: finish, number -{number}"),
                    );
                    (self.encoder.finish(number), 0)
                }
                Next::Audio {
                    frame,
                    end,
                    arrived,
                } => {
                    let sent = end - live.sent.min(end);
                    live.sent = end;
                    live.dry = None;
                    self.spoke = now;
                    let audio = samples_to_time(sent, self.config.request.rate);
                    live.pacer.sent(now, audio);
                    live.arrived = live.arrived.or(arrived);
                    if arrived.is_none() {
                        self.shared
                            .counters
                            .update(|counts| counts.replayed += sent);
                    }
                    (frame, sent)
                }
            };
            let bytes = frame.len() as u64;
            self.shared.counters.update(|counts| {
                counts.frames_sent += 1;
                counts.bytes_sent += bytes;
                counts.sent += sent;
            });
            if let Some(websocket) = self.websocket.as_mut() {
                live.writing_since = Some(now);
                live.handed_over = now;
                websocket.send(frame).map_err(|error| {
                    ClientError::from_websocket(error, exchange.is_acknowledged())
                })?;
            }
        }
        Ok(())
    }

    /// Takes what is next: audio that is sent again, then what waits, then the finish.
    fn next(&mut self, exchange: &mut Exchange) -> Result<Next, ClientError> {
        if let Some((position, pcm)) = self.replay_buffer.replay() {
            let number = exchange.number().ok_or(ClientError::Internal)?;
            let end = position + (pcm.len() / crate::session::BYTES_PER_SAMPLE) as u64;
            self.log(
                Level::Log,
                format_args!("audio again, number {number}, to sample {end}"),
            );
            let frame = self.encoder.audio(number, &pcm);
            return Ok(Next::Audio {
                frame,
                end,
                arrived: None,
            });
        }
        if self.pending.is_some() {
            return Ok(Next::Finish);
        }
        Ok(match self.shared.pop(self.epoch) {
            Some(Item::Audio(chunk)) => {
                let number = exchange.number().ok_or(ClientError::Internal)?;
                let (position, end) = (chunk.position, chunk.position + chunk.samples());
                let arrived = chunk.arrived;
                self.replay_buffer.push(position, chunk.pcm(), arrived);
                let frame = self.encoder.audio_chunk(number, chunk.data);
                self.log(
                    Level::Log,
                    format_args!(
                        "audio, number {number}, to sample {end}, {} bytes",
                        frame.len()
                    ),
                );
                Next::Audio {
                    frame,
                    end,
                    arrived: Some(arrived),
                }
            }
            Some(Item::Boundary(boundary)) => {
                self.pending = Some(boundary);
                Next::Finish
            }
            None => Next::Nothing,
        })
    }
}
