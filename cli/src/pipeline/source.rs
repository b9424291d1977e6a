//! The front of a pipeline for any URI. As playbin does, it follows the pads that come, go and
//! change in the middle, and selects one of the audio tracks that are there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gst::glib;
use gst::prelude::*;

use super::extent::{self, Extent};
use super::pads::{is_audio, is_flagged, is_video, must_decode, name, send_eos};
use super::tracks::{Track, Tracks};

/// Name of the element that reads and decodes.
pub const NAME: &str = "volcasr-source";
/// Name of the message about the selected track; its field `text` is a line.
pub const TRACK: &str = "volcasr-track";
/// Name of the message that a track is missing; its field `text` says which, and why.
pub const UNHEARD: &str = "volcasr-unheard";

const MUTE: &str = "the input has no sound";

/// Demuxers of inputs in parts, each with tracks of its own: one with sound may follow one without.
const IN_PARTS: [&str; 2] = ["oggdemux", "tsdemux"];

/// Elements that receive what a source gives.
pub struct Targets {
    /// Receives the audio track that is selected.
    pub sound: gst::Element,
    /// Receives the first video track, which is not decoded otherwise. With it, the source reports
    /// what prevents a picture; without it, what prevents sound.
    pub picture: Option<gst::Element>,
}

/// Follows the pads of one source.
struct Follower {
    bin: glib::WeakRef<gst::Bin>,
    targets: Targets,
    extent: Arc<Extent>,
    state: Mutex<State>,
    group: AtomicU32,
}

#[derive(Default)]
struct State {
    tracks: Tracks,
    next: u32,
    pads: Vec<Known>,
    /// Sound, or a picture, for which no decoder is there.
    undecoded: Option<String>,
    /// No part has had sound so far, and another may follow.
    is_mute: bool,
}

struct Known {
    pad: gst::Pad,
    /// Number of the track; `None`: it is no audio.
    track: Option<u32>,
    /// Sink for a track that is not selected.
    drain: Option<gst::Element>,
    /// It has come to its end, and so to the input's: of an earlier group none is passed on.
    has_ended: bool,
}

/// Adds a source for `uri`, which feeds `targets`.
pub fn add(
    bin: &gst::Bin,
    uri: &str,
    targets: Targets,
    wanted: Option<u32>,
    extent: &Arc<Extent>,
) -> Result<(), glib::BoolError> {
    let with_video = targets.picture.is_some();
    // Pictures are drawn on in the machine's own memory.
    let source = gst::ElementFactory::make("uridecodebin")
        .name(NAME)
        .property("uri", uri)
        .property("force-sw-decoders", with_video)
        .build()?;
    let follower = Arc::new(Follower {
        bin: bin.downgrade(),
        targets,
        extent: extent.clone(),
        state: Mutex::new(State {
            tracks: Tracks::new(wanted),
            ..State::default()
        }),
        group: AtomicU32::new(0),
    });
    let own = follower.clone();
    source.connect_pad_added(move |_, pad| own.pad_added(pad));
    let own = follower.clone();
    source.connect_pad_removed(move |_, pad| own.pad_removed(pad));
    let own = follower.clone();
    source.connect_no_more_pads(move |_| own.group_complete());
    source.connect("autoplug-continue", false, move |values| {
        let pad = values.get(1)?.get::<gst::Pad>().ok()?;
        let caps = values.get(2)?.get::<gst::Caps>().ok()?;
        Some(must_decode(&pad, &caps, with_video).to_value())
    });
    let own = follower;
    source.connect("unknown-type", false, move |values| {
        if let Some(Ok(caps)) = values.get(2).map(|value| value.get::<gst::Caps>()) {
            own.unknown(&caps);
        }
        None
    });
    extent::note_beginnings(&source, extent);
    bin.add(&source)
}

impl Follower {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pad_added(self: &Arc<Self>, pad: &gst::Pad) {
        let track = is_audio(pad).then(|| Track {
            is_default: is_flagged(pad),
            name: name(pad),
            ..Track::default()
        });
        extent::watch_end(pad, &self.extent);
        self.watch_eos(pad);
        let choice = {
            let mut state = self.state();
            let id = state.next;
            state.next += 1;
            let number = track.is_some().then_some(id);
            state.pads.push(Known {
                pad: pad.clone(),
                track: number,
                drain: None,
                has_ended: false,
            });
            track.and_then(|track| {
                state.tracks.add(Track {
                    id,
                    group: self.group.load(Ordering::Relaxed),
                    ..track
                })
            })
        };
        self.select(choice);
        self.show(pad);
        self.drain_others();
    }

    fn pad_removed(&self, pad: &gst::Pad) {
        let (drain, choice) = {
            let mut state = self.state();
            let Some(place) = state.pads.iter().position(|known| known.pad == *pad) else {
                return;
            };
            let known = state.pads.remove(place);
            let choice = known.track.and_then(|id| state.tracks.remove(id));
            (known.drain, choice)
        };
        if let Some(drain) = drain {
            self.discard(&drain);
        }
        self.select(choice);
    }

    fn watch_eos(self: &Arc<Self>, pad: &gst::Pad) {
        let own = Arc::downgrade(self);
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| {
            let event = info.event().map(|event| event.type_());
            if let Some((gst::EventType::Eos, own)) = event.zip(own.upgrade()) {
                own.ended(pad);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// A pad has come to its end. With the last one, the input has: a last group may lack what goes
    /// to a target, which would wait for ever.
    fn ended(&self, pad: &gst::Pad) {
        let is_last = {
            let mut state = self.state();
            if let Some(known) = state.pads.iter_mut().find(|known| known.pad == *pad) {
                known.has_ended = true;
            }
            state.pads.iter().all(|known| known.has_ended)
        };
        if !is_last {
            return;
        }
        if self.state().is_mute {
            return self.post(UNHEARD, MUTE);
        }
        let targets = [Some(&self.targets.sound), self.targets.picture.as_ref()];
        for target in targets.into_iter().flatten() {
            let sink = target.static_pad("sink");
            if sink.is_some_and(|sink| !sink.is_linked()) {
                send_eos(target);
            }
        }
    }

    /// All pads that belong together are there.
    fn group_complete(&self) {
        self.name_tracks();
        let first = self.group.fetch_add(1, Ordering::Relaxed) == 0;
        if !first {
            let choice = self.state().tracks.fall_back();
            self.select(choice);
        }
        let (note, missing) = {
            let mut state = self.state();
            let has_audio = state.pads.iter().any(|known| known.track.is_some());
            state.is_mute = !has_audio && (state.is_mute || (first && self.is_in_parts()));
            let missing = match state.tracks.check() {
                _ if self.targets.picture.is_some() => self.missing_picture(&state),
                _ if !has_audio && state.undecoded.is_some() => state.undecoded.clone(),
                _ if state.is_mute => None,
                _ if !has_audio => Some(MUTE.to_owned()),
                Err(missing) => Some(format!(
                    "the input has no audio track {}: it has {}",
                    missing.wanted, missing.count
                )),
                Ok(()) => None,
            };
            (state.tracks.note(), missing)
        };
        // A later group without sound may be followed by one with it.
        match missing {
            Some(text) if first => self.post(UNHEARD, &text),
            _ => (),
        }
        if let Some(text) = note.filter(|_| self.targets.picture.is_none()) {
            self.post(TRACK, &text);
        }
    }

    fn is_in_parts(&self) -> bool {
        let elements = self.bin.upgrade().map(|bin| bin.iterate_recurse());
        elements.into_iter().flatten().flatten().any(|element| {
            let name = element.factory().map(|factory| factory.name());
            name.is_some_and(|name| IN_PARTS.contains(&name.as_str()))
        })
    }

    /// Returns why nothing goes to the element for the picture.
    fn missing_picture(&self, state: &State) -> Option<String> {
        let sink = self.targets.picture.as_ref()?.static_pad("sink")?;
        let none = || "the input has no picture to burn captions into".to_owned();
        (!sink.is_linked()).then(|| state.undecoded.clone().unwrap_or_else(none))
    }

    /// Titles may come after the pads.
    fn name_tracks(&self) {
        let named: Vec<(u32, String)> = {
            let state = self.state();
            let pads = state.pads.iter();
            pads.filter_map(|known| Some((known.track?, name(&known.pad))))
                .collect()
        };
        let mut state = self.state();
        for (id, name) in named {
            state.tracks.rename(id, name);
        }
    }

    fn unknown(&self, caps: &gst::Caps) {
        let (prefix, what) = match self.targets.picture {
            Some(_) => ("video/", "picture"),
            None => ("audio/", "sound"),
        };
        let Some(structure) = caps.structure(0).filter(|s| s.name().starts_with(prefix)) else {
            return;
        };
        let text = format!(
            "there is no decoder for its {what} ({}); on Debian and Ubuntu gstreamer1.0-libav and \
             gstreamer1.0-plugins-bad have most",
            structure.name()
        );
        self.state().undecoded.get_or_insert(text);
    }

    /// Links the track of this number to its target, and unlinks the one before it.
    fn select(&self, choice: Option<u32>) {
        let Some(id) = choice else {
            return;
        };
        let found = {
            let mut state = self.state();
            let found = state.pads.iter_mut().find(|known| known.track == Some(id));
            found.map(|known| (known.pad.clone(), known.drain.take()))
        };
        let (Some((pad, drain)), Some(sink)) = (found, self.targets.sound.static_pad("sink"))
        else {
            return;
        };
        if let Some(before) = sink.peer() {
            // It may be gone on its own meanwhile.
            let _ = before.unlink(&sink);
        }
        if let Some(drain) = drain {
            if let Some(sink) = pad.peer() {
                let _ = pad.unlink(&sink);
            }
            self.discard(&drain);
        }
        if let Err(error) = pad.link(&sink) {
            self.post(UNHEARD, &format!("its sound can't be linked: {error}"));
        }
        self.drain_others();
    }

    /// Links a first picture to its target.
    fn show(&self, pad: &gst::Pad) {
        let Some(picture) = self.targets.picture.as_ref().filter(|_| is_video(pad)) else {
            return;
        };
        let sink = picture.static_pad("sink").filter(|sink| !sink.is_linked());
        if let Some(Err(error)) = sink.map(|sink| pad.link(&sink)) {
            self.post(UNHEARD, &format!("its picture can't be linked: {error}"));
        }
    }

    /// Drains the tracks that are not selected: a pad without a link fails its source.
    fn drain_others(&self) {
        let open: Vec<gst::Pad> = {
            let state = self.state();
            let pads = state.pads.iter().map(|known| &known.pad);
            pads.filter(|pad| !pad.is_linked()).cloned().collect()
        };
        for pad in open {
            if let Some(drain) = self.drain(&pad) {
                let mut state = self.state();
                if let Some(known) = state.pads.iter_mut().find(|known| known.pad == pad) {
                    known.drain = Some(drain);
                }
            }
        }
    }

    fn drain(&self, pad: &gst::Pad) -> Option<gst::Element> {
        let bin = self.bin.upgrade()?;
        let drain = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .property("async", false)
            .property("enable-last-sample", false)
            .build()
            .ok()?;
        // The end of the stream is that of the selected track.
        drain.unset_element_flags(gst::ElementFlags::SINK);
        bin.add(&drain).ok()?;
        drain.sync_state_with_parent().ok()?;
        pad.link(&drain.static_pad("sink")?).ok()?;
        Some(drain)
    }

    fn discard(&self, drain: &gst::Element) {
        if let Some(bin) = self.bin.upgrade() {
            // Neither fails for an element that is going away.
            let _ = bin.remove(drain);
        }
        let _ = drain.set_state(gst::State::Null);
    }

    fn post(&self, name: &str, text: &str) {
        if let Some(bin) = self.bin.upgrade() {
            let structure = gst::Structure::builder(name).field("text", text).build();
            let message = gst::message::Application::builder(structure).src(&bin);
            // It fails for a bin without a bus only.
            let _ = bin.post_message(message.build());
        }
    }
}
